//! The permission advisor: what a key holds against what it used, and one button that narrows it.

use crate::{
    components::Time,
    icon::{Icon, IconName},
    numbers::thousands,
    url::key_href,
};
use contract::{Advice, GrantUse, KeyId};
use leptos::prelude::*;

/// The card on the page of a key.
#[component]
pub fn Advisor(
    /// The key.
    id: KeyId,
    /// What the log says.
    advice: Advice,
    /// Whether the reader may change the key.
    may_write: bool,
) -> impl IntoView {
    let unused = advice.unused.len();
    let rows = advice.granted.into_iter().map(|used| view! { <Row used/> }.into_any()).collect_view();
    let foot = if let Some(scopes) = advice.suggested {
        let said = scopes.joined();
        let kept = scopes.0.iter().map(|s| view! { <span class="badge badge--mono">{s.to_string()}</span>" " }.into_any()).collect_view();
        view! {
                <div class="card__foot wrap-sm">
                    <p class="small soft grow">"None of the last 30 days’ requests would have been refused with "{kept}"alone."</p>
                    {may_write.then(|| {
                        view! {
                            <form method="post" action=key_href(id)>
                                <input type="hidden" name="scopes" value=said/>
                                <button class="btn" type="submit" name="do" value="narrow"><Icon name=IconName::Scissors/>"Narrow to what is used"</button>
                            </form>
                        }.into_any()
                    })}
                </div>
            }
            .into_any()
    } else {
        let text = match (advice.requests, unused) {
            (0, _) => "No request in 30 days: there is nothing to go by yet.",
            (n, _) if n == advice.without_requirement => {
                "No request said which permission it needed. Gateways name it with every decision."
            }
            (_, 0) => "Everything that it holds was used.",
            _ => "What it uses cannot be told apart further.",
        };
        view! { <div class="card__foot"><p class="small soft">{text}</p></div> }.into_any()
    };
    view! {
        <section class="card tablebox" aria-labelledby="advisor">
            <div class="card__head"><h2 id="advisor">"Permissions"</h2><span class="meta">"granted against used, 30 days"</span></div>
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

#[component]
fn Row(used: GrantUse) -> impl IntoView {
    let narrower: Vec<String> = used.needed.iter().filter(|s| s.canonical() != used.scope.canonical()).map(ToString::to_string).collect();
    let (badge, word) = if used.count > 0 && narrower.is_empty() {
        (view! { <span class="soft">"Used"</span> }.into_any(), "Used".to_owned())
    } else if used.count > 0 {
        let said = format!("Used for {}", narrower.join(", "));
        (view! { <span class="soft" title=said.clone()>{said.clone()}</span> }.into_any(), said)
    } else if used.known {
        let text = "Not used in 30 days";
        (view! { <span class="badge badge--warn"><Icon name=IconName::Scissors small=true/>{text}</span> }.into_any(), text.to_owned())
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
