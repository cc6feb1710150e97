//! `/account/sessions`: where one is signed in.

use super::{Done, Tabs, crumbs};
use crate::{
    actions::AccountForm,
    components::{ErrorSummary, PageTitle, Time},
    icon::{Icon, IconName},
    numbers::counted,
    returned::returned,
    visit::{Shown, framed},
};
use contract::{Lifetime, SessionSeen};
use domain::identity::sessions;
use leptos::prelude::*;

/// `/account/sessions`
#[component]
pub fn SessionsPage() -> impl IntoView {
    framed(|visit| async move {
        let all = sessions::list(&visit.ctx).await?;
        let ends = ends(sessions::lifetime_here(&visit.ctx).await?);
        let back = returned::<AccountForm>();
        let done = back.is_none() && visit.query.get_str("done").is_some();
        let others = all.iter().any(|s| !s.current);
        let rows = all.into_iter().map(|session| view! { <Row session/> }.into_any()).collect_view();
        let end_others = others.then(|| {
            view! {
                <form method="post" action="/account/sessions">
                    <button class="btn" type="submit" name="act" value="others"><Icon name=IconName::LogOut/>"Sign out everywhere else"</button>
                </form>
            }
            .into_any()
        });
        let body = view! {
            <div class="page__head"><PageTitle>"Sessions"</PageTitle></div>
            <Tabs here="/account/sessions"/>
            <div class="stack">
                {done.then(|| view! { <Done text="Ended. It opens nothing any more."/> }.into_any())}
                {back.map(|b| view! { <ErrorSummary errors=b.errors message=b.message/> }.into_any())}
                <p class="small soft">"Where you are signed in to this console. "{ends}</p>
                <div class="tablebox">
                    <table class="tbl tbl--stack" role="table">
                        <caption class="sr">"Your sessions, the one used last first"</caption>
                        <colgroup><col/><col class="c-208"/><col class="c-144"/><col class="c-144"/><col class="c-96"/></colgroup>
                        <thead role="rowgroup">
                            <tr role="row">
                                <th scope="col" role="columnheader">"Device"</th>
                                <th scope="col" role="columnheader">"Address"</th>
                                <th scope="col" role="columnheader">"Signed in"</th>
                                <th scope="col" role="columnheader">"Last used"</th>
                                <th scope="col" role="columnheader" class="num"><span class="sr">"End"</span></th>
                            </tr>
                        </thead>
                        <tbody role="rowgroup">{rows}</tbody>
                    </table>
                </div>
                {end_others}
            </div>
        };
        Ok(Shown::new(crumbs("Sessions"), body))
    })
}

#[component]
fn Row(session: SessionSeen) -> impl IntoView {
    let SessionSeen { id, current, ip, user_agent, first_seen_at, last_seen_at } = session;
    let agent = user_agent.unwrap_or_default();
    let ip = ip.unwrap_or_else(|| "unknown".to_owned());
    let device = device(&agent);
    let end = if current {
        view! { <span class="badge">"This one"</span> }.into_any()
    } else {
        view! {
            <form method="post" action="/account/sessions">
                <input type="hidden" name="id" value=id/>
                <button class="btn btn--sm" type="submit" name="act" value="end" aria-label=format!("End the session of {device}")>"End"</button>
            </form>
        }
        .into_any()
    };
    view! {
        <tr role="row">
            <td role="cell" class="m-main" title=agent>
                {device.clone()}
                <span class="sub">{ip.clone()}", used "<Time at=last_seen_at/></span>
            </td>
            <td role="cell" class="mono p2">{ip}</td>
            <td role="cell" class="p2"><Time at=first_seen_at/></td>
            <td role="cell" class="p2"><Time at=last_seen_at/></td>
            <td role="cell" class="num m-side">{end}</td>
        </tr>
    }
}

/// When sessions end, in words.
fn ends(lifetime: Lifetime) -> String {
    let idle = match lifetime.idle / 60_000 {
        n if n % 60 == 0 => counted(n / 60, "hour"),
        n => counted(n, "minute"),
    };
    let absolute = match lifetime.absolute / 3_600_000 {
        n if n % 24 == 0 => counted(n / 24, "day"),
        n => counted(n, "hour"),
    };
    format!("A session in this tenant ends after {idle} without a request, and after {absolute} in any case.")
}

/// A browser and its system, as far as it says.
pub fn device(agent: &str) -> String {
    // What claims to be several is the one that stands first here.
    let browsers =
        [("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl")];
    let systems = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let found = |all: &[(&str, &'static str)]| all.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    match (found(&browsers), found(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "Unknown device".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_sessions_end_is_said_in_the_largest_unit() {
        let said = ends(Lifetime { idle: 15 * 60_000, absolute: 3_600_000 });
        assert_eq!(said, "A session in this tenant ends after 15 minutes without a request, and after 1 hour in any case.");
        assert!(ends(Lifetime::LONGEST).contains("after 12 hours without a request, and after 7 days"));
    }

    #[test]
    fn a_device_is_named_by_its_browser_and_system() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
        let edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0";
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1";
        assert_eq!(
            [chrome, edge, phone, "curl/8.5", ""].map(device),
            ["Chrome on Linux", "Edge on Windows", "Safari on iPhone", "curl", "Unknown device"]
        );
    }
}
