//! `/platform/mails`: what the installation mails, for those who operate it.

use crate::{
    components::{Banner, Crumbs, ErrorSummary, PageTitle, Pager, Time, TimeForm, Tone},
    icon::{Icon, IconName},
    pages::members::DoneNote,
    returned::{Returned, returned},
    url::href,
    visit::{Shown, framed},
};
use contract::PageQuery;
use domain::mail::{self, MailState, Queued};
use leptos::prelude::*;

/// `/platform/mails`
#[component]
pub fn PlatformMailsPage() -> impl IntoView {
    framed(|visit| async move {
        let cursor = visit.query.get_str("cursor").and_then(|c| c.parse().ok());
        let page = mail::outbox(&visit.ctx, PageQuery::at(cursor)).await?;
        let none = (!visit.ctx.core().settings.sends_mail).then(|| {
            view! {
                <Banner tone=Tone::Warn>
                    <p><b>"No mail server is set."</b>" Mails wait here, for 30 days or as long as their links work. Set "<code>"KEYSTEAD_SMTP_URL"</code>" and restart to send them."</p>
                </Banner>
            }
            .into_any()
        });
        let back = returned::<()>();
        let done = back.is_none() && visit.query.get_str("done").is_some();
        let Returned { errors, message, .. } = back.unwrap_or_default();
        let count = page.data.len();
        let next = page.next_cursor.map(|c| href("/platform/mails", &[("cursor", Some(&c.to_string()))]));
        let rows = page.data.into_iter().map(|mail| view! { <Row mail/> }.into_any()).collect_view();
        let list = if count == 0 {
            view! { <section class="card"><p class="card__body small soft">"No mail was queued in the last 30 days."</p></section> }
                .into_any()
        } else {
            view! {
                <section class="card" aria-label="Mails, newest first">
                    <ul class="rows rows--two">{rows}</ul>
                    <Pager count noun="mail" newest=cursor.map(|_| "/platform/mails".to_owned()) older=next/>
                </section>
            }
            .into_any()
        };
        let body = view! {
            <div class="page__head"><PageTitle>"Mails"</PageTitle></div>
            <div class="stack">
                {none}
                {done.then(|| view! { <DoneNote text="The mail is tried again."/> }.into_any())}
                <ErrorSummary errors message/>
                {list}
            </div>
        };
        Ok(Shown::new(Crumbs::section("Mails"), body))
    })
}

/// What it is about, never what it says: a link in it opens something.
#[component]
fn Row(mail: Queued) -> impl IntoView {
    let (class, icon, word) = match mail.state {
        MailState::Waiting(_) => ("badge badge--warn", IconName::Clock, "Waiting"),
        MailState::Sent(_) => ("badge badge--ok", IconName::Check, "Sent"),
        MailState::GivenUp => ("badge badge--danger", IconName::X, "Given up"),
    };
    let when = match mail.state {
        MailState::Waiting(at) => view! { ", next try "<Time at form=TimeForm::Full/> }.into_any(),
        MailState::Sent(at) => view! { ", sent "<Time at form=TimeForm::Full/> }.into_any(),
        MailState::GivenUp => ().into_any(),
    };
    let tried = match mail.attempts {
        0 => "not tried yet".to_owned(),
        1 => "tried once".to_owned(),
        n => format!("tried {n} times"),
    };
    let again = match (mail.state, mail.linked) {
        (MailState::GivenUp, false) => view! {
            <form class="push" method="post" action="/platform/mails">
                <input type="hidden" name="id" value=mail.id.to_string()/>
                <button class="btn btn--sm" type="submit" aria-label=format!("Try again: {} to {}", mail.subject, mail.to)>"Try again"</button>
            </form>
        }
        .into_any(),
        (MailState::GivenUp, true) => view! { <span class="push soft">"Its link is gone"</span> }.into_any(),
        _ => ().into_any(),
    };
    let about = mail.tenant.unwrap_or_else(|| "a person’s account".to_owned());
    let error = mail.error.map(|e| view! { <span class="meta anywhere">"Last answer: "{e}</span> }.into_any());
    view! {
        <li>
            <Icon name=IconName::Mail/>
            <span class="anywhere">{mail.subject}</span>
            <span class=class><Icon name=icon small=true/>{word}</span>
            {again}
            <span class="meta anywhere">
                {format!("To {}, about {about}, queued ", mail.to)}<Time at=mail.created_at form=TimeForm::Full/>{format!(", {tried}")}{when}
            </span>
            {error}
        </li>
    }
}
