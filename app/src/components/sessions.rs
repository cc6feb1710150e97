//! Where somebody is signed in: one table for themselves and for those who manage members.

use super::{InTenant, Time};
use contract::SessionSeen;
use leptos::prelude::*;

/// The form that ends one of the sessions, by a button in its row.
#[derive(Clone, Debug)]
pub struct EndForm {
    /// Where it is posted.
    pub action: String,
    /// The name of the field that holds the session.
    pub field: &'static str,
    /// The value of its button, whose name is `act`.
    pub act: &'static str,
}

/// Sessions of the console and sign-ins over the API.
#[component]
pub fn SessionTable(
    /// All of them, the one used last first.
    all: Vec<SessionSeen>,
    /// What stands above it, for who does not see it.
    caption: &'static str,
    /// How one is ended; none where the reader may not.
    end: Option<EndForm>,
    /// Whether they may work in several tenants.
    #[prop(optional)]
    tenants: bool,
) -> impl IntoView {
    let rows = all.into_iter().map(|session| view! { <Row session end=end.clone() tenants/> }.into_any()).collect_view();
    let col = tenants.then(|| view! { <col class="c-144 p2"/> }.into_any());
    let head = tenants.then(|| view! { <th scope="col" role="columnheader" class="p2">"Tenant"</th> }.into_any());
    view! {
        <div class="tablebox">
            <table class="tbl tbl--stack" role="table">
                <caption class="sr">{caption}</caption>
                <colgroup><col/>{col}<col class="c-144 pm"/><col class="c-112 p2"/><col class="c-112 pm"/><col class="c-96"/></colgroup>
                <thead role="rowgroup">
                    <tr role="row">
                        <th scope="col" role="columnheader">"Device"</th>
                        {head}
                        <th scope="col" role="columnheader" class="pm">"Address"</th>
                        <th scope="col" role="columnheader" class="p2">"Signed in"</th>
                        <th scope="col" role="columnheader" class="pm">"Last used"</th>
                        <th scope="col" role="columnheader" class="num"><span class="sr">"End"</span></th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[component]
fn Row(session: SessionSeen, end: Option<EndForm>, tenants: bool) -> impl IntoView {
    let SessionSeen { id, current, api, tenant, ip, user_agent, first_seen_at, last_seen_at } = session;
    let agent = user_agent.unwrap_or_default();
    let ip = ip.unwrap_or_else(|| "unknown".to_owned());
    let device = if api { format!("API: {}", device(&agent)) } else { device(&agent) };
    let tenant = tenant.unwrap_or_default();
    let side = if current {
        view! { <span class="badge">"This one"</span> }.into_any()
    } else {
        end.map(|EndForm { action, field, act }| {
            view! {
                <form method="post" action=action><InTenant/>
                    <input type="hidden" name=field value=id/>
                    <button class="btn btn--sm" type="submit" name="act" value=act aria-label=format!("End the session of {device}")>"End"</button>
                </form>
            }
        })
        .into_any()
    };
    let beside = if tenants { format!("{tenant}, {ip}") } else { ip.clone() };
    let works_in = tenants.then(|| view! { <td role="cell" class="p2 clip">{tenant}</td> }.into_any());
    view! {
        <tr role="row">
            <td role="cell" class="m-main" title=agent>
                {device.clone()}
                <span class="sub">{beside}", used "<Time at=last_seen_at/></span>
            </td>
            {works_in}
            <td role="cell" class="mono pm">{ip}</td>
            <td role="cell" class="p2"><Time at=first_seen_at/></td>
            <td role="cell" class="pm"><Time at=last_seen_at/></td>
            <td role="cell" class="num m-side">{side}</td>
        </tr>
    }
}

/// A browser and its system, as far as it says.
fn device(agent: &str) -> String {
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
