//! The permission advisor: what a key holds against what it used, and one button that narrows it.

use crate::{
    components::{InTenant, Time},
    icon::{Icon, IconName},
    numbers::thousands,
    url::key_href,
};
use contract::{Advice, GrantUse, KeyId, UnixMs};
use leptos::prelude::*;

/// The card on the page of a key.
#[component]
pub fn Advisor(
    /// The key.
    id: KeyId,
    /// What the log says.
    advice: Advice,
    /// When it was made: the log can tell of no more days than it has had.
    created: UnixMs,
    /// Whether the reader may change the key.
    may_write: bool,
    /// The reader wants it narrowed, and is asked once more.
    narrowing: bool,
    /// Now.
    now: UnixMs,
) -> impl IntoView {
    let unused = advice.unused.len();
    let days = days(created, now);
    let rows = advice.granted.into_iter().map(|used| view! { <Row used days=days.clone()/> }.into_any()).collect_view();
    let foot = if let Some(scopes) = advice.suggested {
        let said = scopes.joined();
        let kept = scopes.0.iter().map(|s| view! { <span class="badge badge--mono">{s.to_string()}</span>" " }.into_any()).collect_view();
        if narrowing && may_write {
            view! { <Narrowing id said kept=kept.into_any() days=days.clone()/> }.into_any()
        } else {
            let ask = format!("{}?narrow=1#narrow", key_href(id));
            view! {
                <div class="card__foot wrap-sm">
                    <p class="small soft grow">{format!("None of the requests of the last {days} would have been refused with ")}{kept}"alone."</p>
                    {may_write.then(|| view! { <a class="btn" href=ask><Icon name=IconName::Scissors/>"Narrow to what is used"</a> }.into_any())}
                </div>
            }
            .into_any()
        }
    } else {
        let text = match (advice.requests, unused) {
            (0, _) => format!("No request in {days}: there is nothing to go by yet."),
            (n, _) if n == advice.without_requirement => {
                "No request said which permission it needed. Gateways name it with every decision.".to_owned()
            }
            (_, 0) => "Everything that it holds was used.".to_owned(),
            _ => "What it uses cannot be told apart further.".to_owned(),
        };
        view! { <div class="card__foot"><p class="small soft">{text}</p></div> }.into_any()
    };
    view! {
        <section class="card tablebox" aria-labelledby="advisor">
            <div class="card__head"><h2 id="advisor">"Permissions"</h2><span class="meta">{format!("granted against used, {days}")}</span></div>
            <table class="tbl tbl--bare tbl--stack" role="table" aria-labelledby="advisor">
                <colgroup><col/><col class="c-208 p2"/><col class="c-112"/><col class="c-112 p2"/></colgroup>
                <thead role="rowgroup">
                    <tr role="row">
                        <th scope="col" role="columnheader">"Permission"</th>
                        <th scope="col" role="columnheader" class="p2">"Use"</th>
                        <th scope="col" role="columnheader" class="num">"Requests"</th>
                        <th scope="col" role="columnheader" class="num p2">"Last used"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
            {foot}
        </section>
    }
    .into_any()
}

/// How long the log can tell of a key, at most 30 days.
fn days(created: UnixMs, now: UnixMs) -> String {
    match (now.0 - created.0 + UnixMs::DAY - 1) / UnixMs::DAY {
        ..=1 => "24 hours".to_owned(),
        n => format!("{} days", n.min(30)),
    }
}

/// The question before a key is narrowed.
#[component]
fn Narrowing(id: KeyId, said: String, kept: AnyView, days: String) -> impl IntoView {
    view! {
        <form class="card__foot stack" id="narrow" method="post" action=key_href(id) aria-labelledby="narrow-title"><InTenant/>
            <p id="narrow-title"><b>"Narrow this key?"</b></p>
            <p class="small soft">"It keeps "{kept}{format!("and nothing else. That is what it used in the last {days}: what it needs more rarely is refused from then on.")}</p>
            <input type="hidden" name="scopes" value=said/>
            <div class="row row--wrap">
                <button class="btn btn--primary" type="submit" name="do" value="narrow"><Icon name=IconName::Scissors/>"Narrow key"</button>
                <a class="btn btn--quiet" href=key_href(id)>"Keep its permissions"</a>
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn Row(used: GrantUse, days: String) -> impl IntoView {
    let narrower: Vec<String> = used.needed.iter().filter(|s| s.canonical() != used.scope.canonical()).map(ToString::to_string).collect();
    let (badge, word) = if used.count > 0 && narrower.is_empty() {
        (view! { <span class="soft">"Used"</span> }.into_any(), "Used".to_owned())
    } else if used.count > 0 {
        let said = format!("Used for {}", narrower.join(", "));
        (view! { <span class="soft" title=said.clone()>{said.clone()}</span> }.into_any(), said)
    } else if used.known {
        let text = format!("Not used in {days}");
        (view! { <span class="badge badge--warn"><Icon name=IconName::Scissors small=true/>{text.clone()}</span> }.into_any(), text)
    } else {
        let text = "Cannot be told";
        let why = "Calls to Keystead’s own API do not say what they needed; it is kept.";
        (view! { <span class="muted" title=why>{text}</span> }.into_any(), text.to_owned())
    };
    let last = used.last_used_at.map_or_else(|| "Never".into_any(), |at| view! { <Time at/> }.into_any());
    view! {
        <tr role="row">
            <td role="cell" class="mono m-main">{used.scope.to_string()}<span class="sub">{word}</span></td>
            <td role="cell" class="p2">{badge}</td>
            <td role="cell" class="num m-side">{thousands(used.count)}</td>
            <td role="cell" class="num soft p2">{last}</td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_young_key_is_told_of_for_as_long_as_it_lives() {
        let of = |ms: i64| days(UnixMs(0), UnixMs(ms));
        assert_eq!([0, UnixMs::DAY, UnixMs::DAY + 1].map(of), ["24 hours", "24 hours", "2 days"]);
        assert_eq!([12 * UnixMs::DAY, 29 * UnixMs::DAY + 1, 400 * UnixMs::DAY].map(of), ["12 days", "30 days", "30 days"]);
    }
}
