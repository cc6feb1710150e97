//! One decided request: why was it decided so?

use super::{PATH, asked, event_href, request_line, source_title};
use crate::{
    components::{Code, CopyId, Crumbs, Glyph, OutcomeBadge, PageTitle, Time, TimeForm},
    filters::Filters,
    icon::{Icon, IconName},
    numbers::latency,
    url::{app_href, href, key_href},
    visit::{Shown, framed},
};
use contract::{Check, CheckName, CheckOutcome, Chrome, Cursor, Outcome, PageQuery, Perm, Trace, UsageId, UsageQuery, UsageSource};
use domain::usage;
use leptos::prelude::*;
use serde_json::json;

/// `/usage/:id`
#[component]
pub fn UsageEventPage() -> impl IntoView {
    framed(|visit| async move {
        let trace = usage::trace(&visit.ctx, visit.id()?).await?;
        let (filters, query) = asked(&visit);
        // Whoever came from a list steps through that list; a filter that cannot be read is none.
        let query = UsageQuery { environment: Some(trace.event.environment), ..query.unwrap_or_default() };
        let newer = usage::following(&visit.ctx, &query, trace.event.id).await?.map(|e| e.id);
        let below = PageQuery { limit: 1, cursor: Some(Cursor(trace.event.id.uuid())) };
        let older = usage::search(&visit.ctx, &query, below).await?.data.first().map(|e| e.id);
        let crumbs = Crumbs { above: vec![("Usage".to_owned(), filters.link())], ..Crumbs::section(trace.event.code.describe()) };
        let chrome = visit.chrome;
        Ok(Shown::new(crumbs, view! { <Event trace chrome filters newer older/> }))
    })
}

#[component]
fn Event(trace: Trace, chrome: Chrome, filters: Filters, newer: Option<UsageId>, older: Option<UsageId>) -> impl IntoView {
    let event = trace.event.clone();
    let failed = trace.checks.iter().find(|c| c.outcome == CheckOutcome::Failed);
    let said = failed.map_or_else(|| "Every check held.".to_owned(), |c| c.message.clone());
    let step = |to: Option<UsageId>, label: &'static str, icon: IconName, key: &'static str| {
        to.map(|id| {
            view! { <a class="btn btn--icon" href=event_href(&filters, id) aria-label=label title=label data-key=key><Icon name=icon/></a> }
                .into_any()
        })
    };
    let question = if event.outcome == Outcome::Denied { "Why denied?" } else { "Why allowed?" };
    let checks = trace.checks.iter().map(|check| view! { <CheckRow check=check.clone()/> }.into_any()).collect_view();
    // Our own API has no way to ask without doing.
    let again = if event.source == UsageSource::Api { "As curl" } else { "As curl: asks again, free of charge" };
    let curl = curl(&trace, &chrome.public_url);
    let json = serde_json::to_string_pretty(&trace).unwrap_or_default();
    view! {
        <div class="page__head">
            <OutcomeBadge outcome=event.outcome/>
            <PageTitle>{event.code.describe()}</PageTitle>
            <div class="acts">
                {step(newer, "Newer request", IconName::ArrowUp, "k")}
                {step(older, "Older request", IconName::ArrowDown, "j")}
                <a class="btn" href=filters.link()>"Back to the log"</a>
            </div>
        </div>
        <div class="cols">
            <div class="stack">
                <section class="stack stack--3" aria-labelledby="why">
                    <h2 id="why">{question}</h2>
                    <p class="lead soft">{said}</p>
                    <ol class="trace">{checks}</ol>
                </section>
                <Code id="ask" title=again what="as curl"><pre tabindex="0" id="ask" role="region" aria-label="The question as curl">{curl}</pre></Code>
                <details class="astable">
                    <summary class="small"><span>"As JSON"</span></summary>
                    <Code id="json" title="The decision with its checks" what="as JSON"><pre tabindex="0" id="json" role="region" aria-label="The decision as JSON">{json}</pre></Code>
                </details>
            </div>
            <Facts trace chrome/>
        </div>
    }
    .into_any()
}

#[component]
fn CheckRow(check: Check) -> impl IntoView {
    let (class, icon, word) = match check.outcome {
        CheckOutcome::Passed => ("", IconName::Check, "Passed"),
        CheckOutcome::Failed => ("is-fail", IconName::X, "Failed"),
        CheckOutcome::Skipped => ("is-skip", IconName::Minus, "Skipped"),
    };
    view! {
        <li class=class data-check=check.name.as_str()>
            <Icon name=icon/>
            <span class="trace__n"><span class="sr">{word}": "</span>{check_title(check.name)}</span>
            <span class="trace__f">{check.message}</span>
        </li>
    }
}

const fn check_title(name: CheckName) -> &'static str {
    match name {
        CheckName::Format => "Format",
        CheckName::Known => "Known key",
        CheckName::Revoked => "Revocation",
        CheckName::Disabled => "Switched on",
        CheckName::NotBefore => "Start",
        CheckName::Expiry => "Expiry",
        CheckName::Environment => "Environment",
        CheckName::Audience => "Audience",
        CheckName::Ip => "Address",
        CheckName::Scope => "Permission",
        CheckName::Limit => "Rate limit",
    }
}

/// What is known of the request. Every value leads to the requests that share it.
#[component]
fn Facts(trace: Trace, chrome: Chrome) -> impl IntoView {
    let event = trace.event;
    let like = |name: &str, value: &str| href(PATH, &[(name, Some(value))]);
    let line = |label: &'static str, name: &'static str, value: Option<String>, shown: Option<&'static str>| {
        value.map(|v| {
            let to = like(name, &v);
            let text = shown.map_or_else(|| v.clone(), str::to_owned);
            let class = if shown.is_some() { "" } else { "mono" };
            view! { <dt>{label}</dt><dd class=class><a href=to title="Requests like this">{text}</a></dd> }.into_any()
        })
    };
    let key = event.credential_id.map(|id| {
        let name = event.credential_name.clone().unwrap_or_else(|| id.to_string());
        let requests = like("credential_id", &id.to_string());
        let changes = href("/audit", &[("target", Some(&id.to_string()))]);
        let sees_log = chrome.role.holds(Perm::AuditRead);
        view! {
            <dt>"Key"</dt>
            <dd>
                <div class="row row--wrap">
                    <a class="name" href=key_href(id)><Glyph id/><span>{name}</span></a>
                    <a href=requests>"Its requests"</a>
                    {sees_log.then(|| view! { <a href=changes>"Its changes"</a> }.into_any())}
                </div>
            </dd>
        }
        .into_any()
    });
    let app = event.client_id.map(|id| {
        let name = match event.client_name.clone() {
            Some(name) => view! { <a class="name" href=app_href(id)><Glyph id/><span>{name}</span></a> }.into_any(),
            None => view! { <CopyId text=id.to_string() what="client id"/> }.into_any(),
        };
        let requests = like("client_id", &id.to_string());
        view! { <dt>"App"</dt><dd><div class="row row--wrap">{name}<a href=requests>"Its requests"</a></div></dd> }.into_any()
    });
    let person = event.credential_name.clone().filter(|name| event.credential_id.is_none() && event.client_name.as_ref() != Some(name));
    let scopes = event.required_scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let code = event.code;
    view! {
        <section class="card">
            <div class="card__head"><h2>"Request"</h2></div>
            <div class="card__body">
                <dl class="dl">
                    <dt>"At"</dt><dd><Time at=event.at form=TimeForm::Full/></dd>
                    {key}
                    {app}
                    {person.map(|name| view! { <dt>"Person"</dt><dd>{name}</dd> }.into_any())}
                    {line("Outcome", "outcome", Some(event.outcome.to_string()), Some(if event.outcome == Outcome::Denied { "Denied" } else { "Allowed" }))}
                    {line("Code", "code", Some(code.to_string()), None)}
                    {line("Method", "method", event.method.clone(), None)}
                    {line("Path", "path", event.path.clone(), None)}
                    {line("Address", "ip", event.ip.map(|ip| ip.to_string()), None)}
                    {event.user_agent.clone().map(|ua| view! { <dt>"Client"</dt><dd>{ua}</dd> }.into_any())}
                    {trace.client_version.map(|v| view! { <dt>"Client version"</dt><dd>{v}</dd> }.into_any())}
                    {trace.api_version.map(|v| view! { <dt>"API version"</dt><dd>{v}</dd> }.into_any())}
                    {(!scopes.is_empty()).then(|| view! { <dt>"Needed"</dt><dd class="mono">{scopes}</dd> }.into_any())}
                    {line("Source", "source", Some(event.source.to_string()), Some(source_title(event.source)))}
                    <dt>"Cost"</dt><dd>{trace.cost}</dd>
                    <dt>"Took"</dt><dd>{latency(event.latency_us)}</dd>
                    <dt>"Credential"</dt><dd>{format!("{}, {}", event.kind.as_str().replace('_', " "), event.environment)}</dd>
                    {trace.secret_id.map(|id| view! { <dt>"Secret id"</dt><dd><CopyId text=id.to_string() what="secret id"/></dd> }.into_any())}
                    <dt>"Request id"</dt><dd><CopyId text=event.request_id.clone() what="request id"/></dd>
                    <dt>"Event id"</dt><dd><CopyId text=event.id.to_string() what="event id"/></dd>
                </dl>
            </div>
        </section>
    }
    .into_any()
}

/// The same question as a command: at our own API the request itself, else what a service asks before it serves one.
fn curl(trace: &Trace, public_url: &str) -> String {
    let event = &trace.event;
    if event.source == UsageSource::Api {
        let method = event.method.as_deref().unwrap_or("GET");
        let url = format!("{public_url}{}", event.path.as_deref().unwrap_or("/v1/auth/test"));
        return format!("curl -X {} {} \\\n  -H \"Authorization: Bearer $KEYSTEAD_KEY\"", quoted(method), quoted(&url));
    }
    let mut asked = json!({"scopes": event.required_scopes, "cost": 0});
    // What was required, which is not always what the key is.
    let required = trace.checks.iter().find(|c| c.name == CheckName::Environment).and_then(|c| c.facts["required"].as_str());
    for (name, value) in [
        ("environment", required.map(str::to_owned)),
        ("ip", event.ip.map(|ip| ip.to_string())),
        ("method", event.method.clone()),
        ("path", event.path.clone()),
        ("user_agent", event.user_agent.clone()),
    ] {
        if let (Some(value), Some(members)) = (value, asked.as_object_mut()) {
            members.insert(name.to_owned(), value.into());
        }
    }
    let asked = asked.to_string();
    // The key to ask about comes from the environment: the log does not hold it.
    let rest = plain(asked.strip_prefix('{').unwrap_or(&asked)).replace('\'', r"'\''");
    format!(
        "# {}\ncurl -X POST {} \\\n  -H \"Authorization: Bearer $KEYSTEAD_GATEWAY_KEY\" -H 'Content-Type: application/json' \\\n  \
         -d '{{\"credential\":\"'\"$KEYSTEAD_KEY\"'\",{rest}'",
        plain(&request_line(event)),
        quoted(&format!("{public_url}/v1/verify")),
    )
}

/// One line of plain characters: a comment of a shell must not end early.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// One word for a shell, whatever is in it: paths and clients are chosen by whoever calls.
fn quoted(word: &str) -> String {
    let word = plain(word);
    if !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b':')) {
        word
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_chose_cannot_leave_its_word_in_a_shell() {
        assert_eq!(quoted("GET"), "GET");
        assert_eq!(quoted("/a'; rm -rf ~ #"), r"'/a'\''; rm -rf ~ #'");
        assert_eq!(quoted("a\nb"), "'a b'");
        assert_eq!(quoted(""), "''");
    }
}
