//! The form that replaces a secret, of a key or of an app.

use super::{Banner, ErrorSummary, FieldError, Glyph, InTenant, PageTitle, Tone, described_by, mark::Drawn};
use crate::{
    icon::{Icon, IconName},
    returned::Returned,
};
use contract::{RotateForm, UnixMs};
use leptos::prelude::*;

/// The form: what is replaced, and how long the old secret works beside the new one.
#[component]
pub fn RotateDialog(
    /// Whose secret it is.
    #[prop(into)]
    id: Drawn,
    /// The page of that.
    page: String,
    /// The heading.
    title: String,
    /// What was typed before, and what was wrong with it.
    back: Returned<RotateForm>,
    /// The secret that is current: sent again, the form names one that is not any more.
    secret: String,
    /// Whether the old secret of an earlier rotation still works.
    overlapping: bool,
    /// What the overlap is for.
    hint: &'static str,
    /// What the button says.
    send: &'static str,
    /// What is replaced, and what stays.
    children: Children,
) -> impl IntoView {
    let Returned { form, errors, message } = back;
    let action = format!("{page}/rotate");
    let chosen = form.overlap().unwrap_or(86_400);
    let bad = errors.get("grace").is_some();
    // Where nothing works any more there is nothing to overlap with.
    let alone = secret.is_empty() && !overlapping;
    view! {
        <form class="card dialog dialog--page" method="post" action=action novalidate=true data-once=""><InTenant/>
            <div class="dialog__head">
                <Glyph id large=true/>
                <PageTitle>{title}</PageTitle>
            </div>
            <div class="dialog__body">
                <ErrorSummary errors=errors.clone() message/>
                <p class="soft">{children()}</p>
                {overlapping.then(|| {
                    view! {
                        <Banner tone=Tone::Warn>
                            <p><b>"An earlier rotation is still under way."</b></p>
                            <p class="soft">"Its old secret keeps its own end, or gets the new one if that comes sooner."</p>
                        </Banner>
                    }.into_any()
                })}
                <input type="hidden" name="secret" value=secret/>
                {if alone {
                    view! { <input type="hidden" name="grace" value="0"/> }.into_any()
                } else {
                    view! { <Overlap chosen hint bad error=errors.get("grace").map(str::to_owned)/> }.into_any()
                }}
            </div>
            <div class="dialog__foot">
                <a class="btn btn--quiet" href=page>"Cancel"</a>
                <button class="btn btn--primary" type="submit">{send}</button>
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn Overlap(chosen: i64, hint: &'static str, bad: bool, error: Option<String>) -> impl IntoView {
    let overlaps = RotateForm::OVERLAPS.map(|(seconds, label)| {
        view! {
            <label>
                <input type="radio" name="grace" value=seconds.to_string() checked=seconds == chosen autofocus=seconds == chosen/>
                {label}
            </label>
        }
        .into_any()
    });
    view! {
        <fieldset class="field" id="grace" tabindex="-1" aria-describedby=described_by("grace", true, bad)>
            <legend class="label">"Overlap"</legend>
            <div class="seg seg--scroll full-sm">{overlaps.into_iter().collect_view()}</div>
            <FieldError name="grace" message=error/>
            <p class="hint" id="grace-hint">{hint}</p>
        </fieldset>
        <p class="only-no-overlap row row--top small warn">
            <Icon name=IconName::TriangleAlert/>
            <span>"The old secret is refused at once, within a second. Choose this when it has leaked."</span>
        </p>
    }
    .into_any()
}

/// What becomes of the secret that was replaced.
pub enum Replaced {
    /// There was none that lasted: it had been ended.
    Nothing,
    /// It is refused at once.
    Refused,
    /// It works so long.
    WorksUntil(UnixMs),
}

impl Replaced {
    /// By the form that the request being answered posted.
    pub fn posted(now: UnixMs) -> Self {
        let form = use_context::<RotateForm>().unwrap_or_default();
        match form.overlap() {
            _ if form.secret.is_empty() => Self::Nothing,
            Some(overlap) if overlap > 0 => Self::WorksUntil(now.plus(overlap * 1000)),
            _ => Self::Refused,
        }
    }

    /// The same in a sentence; `beside` follows it where the old one works on.
    pub fn in_words(&self, beside: &str) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Refused => Some("The old secret is refused from now on.".to_owned()),
            Self::WorksUntil(at) => Some(format!("The old secret works until {}.{beside}", at.human())),
        }
    }
}
