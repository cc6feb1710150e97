//! The steps of a trial, down a line: each with what was sent, what came back, and what that means.

use crate::{
    components::{Code, Time, TimeForm},
    icon::{Icon, IconName},
};
use contract::{App, AppSecret, AuthMethod};
use domain::oauth::{Answered, Exchanged, Failure, Issued, Jwt, Looked, Report, Sent};
use leptos::prelude::*;
use serde_json::Value;

/// How far a step got.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Got {
    /// Nobody has tried yet.
    Ahead,
    /// It is this one's turn.
    Waits,
    Done,
    Failed,
    /// One before it failed.
    Skipped,
}

impl Got {
    const fn of(good: bool) -> Self {
        if good { Self::Done } else { Self::Failed }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Ahead | Self::Skipped => "way__step",
            Self::Waits => "way__step is-now",
            Self::Done => "way__step is-ok",
            Self::Failed => "way__step is-bad",
        }
    }
}

/// Every step.
#[component]
pub fn Way(
    /// Which app is tried.
    app: App,
    /// Whether somebody is asked.
    people: bool,
    /// How it went, if it went already.
    report: Option<Report>,
    /// Whether a trial waits for its answer.
    waiting: bool,
    /// Where this server is reached.
    public_url: String,
) -> impl IntoView {
    let at = report.as_ref().map(|r| r.at);
    let steps = match report {
        Some(report) => told(&app, people, report, &public_url),
        None => ahead(people, waiting),
    };
    let steps = steps.into_iter().enumerate().map(|(n, step)| view! { <Step n=n + 1 step/> }.into_any()).collect_view();
    let when = at.map(|at| view! { <span class="meta">"tried "<Time at form=TimeForm::Full/></span> }.into_any());
    view! {
        <section class="card" aria-labelledby="way">
            <div class="card__head"><h2 id="way">"Step by step"</h2>{when}</div>
            <ol class="way">{steps}</ol>
        </section>
    }
    .into_any()
}

/// One step as it is shown.
struct Shown {
    title: &'static str,
    about: &'static str,
    got: Got,
    body: Option<AnyView>,
}

const PEOPLE: [(&str, &str); 2] = [
    ("The app sends the browser here", "An authorization request: who asks, for what, and where the answer goes."),
    ("You answer, and the browser goes back", "A code that is good once, for a minute, for whoever knows the verifier."),
];
const TOKENS: [(&str, &str); 4] = [
    ("The app gets its tokens", "It proves who it is, and pays with the code."),
    ("It looks at what it got", "Introspection says whether a token works, userinfo who signed in."),
    ("A gateway asks about the token", "As it asks at /v1/verify about every request that brings one."),
    ("Everything ends", "A revoked token is refused within a second, wherever it is shown."),
];
const OWN: (&str, &str) = ("The app asks for a token", "It proves who it is: there is nobody to ask.");

fn titles(people: bool) -> Vec<(&'static str, &'static str)> {
    let mut all = TOKENS.to_vec();
    if people {
        PEOPLE.into_iter().chain(all).collect()
    } else {
        all[0] = OWN;
        all
    }
}

fn ahead(people: bool, waiting: bool) -> Vec<Shown> {
    let got = |n| match n {
        0 if waiting => Got::Done,
        1 if waiting => Got::Waits,
        _ => Got::Ahead,
    };
    titles(people).into_iter().enumerate().map(|(n, (title, about))| Shown { title, about, got: got(n), body: None }).collect()
}

fn told(app: &App, people: bool, report: Report, public_url: &str) -> Vec<Shown> {
    let valid = |v: &Value| v["valid"] == Value::Bool(true);
    let mut bodies: Vec<Option<(bool, AnyView)>> = Vec::new();
    if people {
        bodies.push(report.sent.map(|sent| (true, view! { <Request sent/> }.into_any())));
        bodies.push(report.answered.map(|a| (a.result.is_ok(), view! { <Answer answered=a/> }.into_any())));
    }
    let request = (app.client_id.to_string(), public_url.to_owned());
    bodies.push(
        report.exchanged.map(|e| (e.result.is_ok(), view! { <Exchange exchanged=e client_id=request.0 public_url=request.1/> }.into_any())),
    );
    bodies.push(report.looked.map(|looked| (true, view! { <Look looked/> }.into_any())));
    bodies.push(report.decided.map(|(asked, answer)| (valid(&answer), view! { <Decision asked answer/> }.into_any())));
    bodies.push(report.ended.map(|answer| (!valid(&answer), view! { <End answer/> }.into_any())));
    titles(people)
        .into_iter()
        .zip(bodies)
        .map(|((title, about), body)| match body {
            Some((good, body)) => Shown { title, about, got: Got::of(good), body: Some(body) },
            None => Shown { title, about, got: Got::Skipped, body: None },
        })
        .collect()
}

#[component]
fn Step(n: usize, step: Shown) -> impl IntoView {
    let Shown { title, about, got, body } = step;
    let icon = |name| view! { <Icon name/> }.into_any();
    let glyph = match got {
        Got::Done => icon(IconName::Check),
        Got::Failed => icon(IconName::X),
        Got::Waits => icon(IconName::Hourglass),
        Got::Skipped => icon(IconName::Minus),
        Got::Ahead => n.into_any(),
    };
    let badge = match got {
        Got::Done => Some(("badge badge--ok", "Done")),
        Got::Failed => Some(("badge badge--danger", "Refused")),
        Got::Waits => Some(("badge badge--accent", "Your turn")),
        Got::Skipped => Some(("badge", "Not reached")),
        Got::Ahead => None,
    };
    view! {
        <li class=got.class()>
            <span class="way__dot" aria-hidden="true">{glyph}</span>
            <div class="way__in">
                <div class="way__head">
                    <h3>{title}</h3>
                    {badge.map(|(class, word)| view! { <span class=class>{word}</span> }.into_any())}
                </div>
                <p class="small soft">{about}</p>
                {body}
            </div>
        </li>
    }
    .into_any()
}

/// Names, values, and what they are for.
#[component]
fn Params(rows: Vec<(String, String, &'static str)>) -> impl IntoView {
    let rows = rows.into_iter().map(|(name, value, about)| {
        view! {
            <div>
                <dt><code>{name}</code></dt>
                <dd><code class="anywhere">{value}</code>{(!about.is_empty()).then(|| view! { <span class="meta">{about}</span> }.into_any())}</dd>
            </div>
        }
        .into_any()
    });
    view! { <dl class="params">{rows.collect_view()}</dl> }.into_any()
}

/// What is sent or answered, as it is on the wire.
#[component]
fn Wire(id: &'static str, #[prop(into)] title: String, text: String) -> impl IntoView {
    let label = title.clone();
    view! {
        <Code id title what="it">
            <pre class="wrap" tabindex="0" id=id role="region" aria-label=label>{text}</pre>
        </Code>
    }
    .into_any()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

const fn about(name: &str) -> &'static str {
    match name.as_bytes() {
        b"response_type" => "A code: no token passes through the browser.",
        b"client_id" => "Which app asks.",
        b"redirect_uri" => "Where the answer goes. Here that is this trial; else one of the app’s own, to the letter.",
        b"scope" => "What it asks for.",
        b"state" => "Comes back with the answer, so that the app knows its own request.",
        b"nonce" => "Comes back in the ID token, so that it cannot be one of another sign-in.",
        b"code_challenge" => "The SHA-256 digest of the verifier, which the app keeps to itself (PKCE).",
        b"code_challenge_method" => "How it was made. There is no other.",
        b"prompt" => "Ask, even if this was allowed before.",
        _ => "",
    }
}

#[component]
fn Request(sent: Sent) -> impl IntoView {
    let Sent { url, params, verifier } = sent;
    let challenge = params.iter().find(|(name, _)| name == "code_challenge").map(|(_, value)| value.clone()).unwrap_or_default();
    let rows = params
        .into_iter()
        .map(|(name, value)| {
            let about = about(&name);
            (name, value, about)
        })
        .collect();
    let proof = format!("base64url(sha256(\"{verifier}\"))\n= {challenge}");
    view! {
        <Wire id="wire-request" title="GET, by the browser" text=url/>
        <details class="more"><summary><Icon name=IconName::ChevronRight turns=true/>"Each parameter"</summary><Params rows/></details>
        <details class="more">
            <summary><Icon name=IconName::ChevronRight turns=true/>"Verifier and challenge"</summary>
            <Wire id="wire-pkce" title="Only who knows the verifier gets tokens for the code" text=proof/>
        </details>
    }
    .into_any()
}

#[component]
fn Answer(answered: Answered) -> impl IntoView {
    let Answered { result, state, iss } = answered;
    // What this trial found wrong is nothing that the app was told.
    let foreign = matches!(&result, Err(f) if f.code == "wrong_issuer");
    let unused = foreign || matches!(&result, Err(f) if matches!(f.code.as_str(), "expired" | "invalid_grant"));
    let about = if unused { "Why the answer was left unused." } else { "What the app is told instead of a code." };
    let mut rows = match result {
        Ok(code) => vec![("code".to_owned(), code, "Good once, for a minute, for this app and this challenge.")],
        Err(Failure { code, description }) => {
            vec![("error".to_owned(), code, about), ("error_description".to_owned(), description, "")]
        }
    };
    rows.push(("state".to_owned(), state, "The one that was sent. Checked."));
    if let Some(iss) = iss {
        let about = if foreign { "Who answers. It is not this server." } else { "Who answers: this server. Checked (RFC 9207)." };
        rows.push(("iss".to_owned(), iss, about));
    }
    view! { <Params rows/> }
}

/// The request as a command line.
fn curl(exchanged: &Exchanged, client_id: &str, public_url: &str) -> String {
    let secret = format!("{}••••{}", AppSecret::PREFIX, exchanged.last_four.as_deref().unwrap_or_default());
    let proof = match exchanged.proof {
        AuthMethod::ClientSecretBasic => vec![format!("-u \"{client_id}:{secret}\"")],
        AuthMethod::ClientSecretPost => vec![format!("-d client_id={client_id}"), format!("-d client_secret={secret}")],
        AuthMethod::PrivateKeyJwt => vec![
            "-d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned(),
            "-d client_assertion=…".to_owned(),
        ],
        AuthMethod::None => vec![format!("-d client_id={client_id}")],
    };
    let sent = exchanged
        .params
        .iter()
        .map(|(name, value)| if value.contains(' ') { format!("-d \"{name}={value}\"") } else { format!("-d {name}={value}") });
    std::iter::once(format!("curl {public_url}/oauth/token")).chain(proof).chain(sent).collect::<Vec<_>>().join(" \\\n  ")
}

#[component]
fn Exchange(exchanged: Exchanged, client_id: String, public_url: String) -> impl IntoView {
    let request = curl(&exchanged, &client_id, &public_url);
    let answer = match exchanged.result {
        Ok(Issued { body, access, id_token }) => {
            let id_token = id_token.map(|jwt| view! { <Token id="wire-id" title="ID token" jwt/> }.into_any());
            view! {
                <Wire id="wire-tokens" title="200, the answer" text=pretty(&body)/>
                <Token id="wire-access" title="Access token" jwt=access/>
                {id_token}
            }
            .into_any()
        }
        Err(Failure { code, description }) => view! {
            <Params rows=vec![
                ("error".to_owned(), code, "What the app is told instead of tokens."),
                ("error_description".to_owned(), description, ""),
            ]/>
        }
        .into_any(),
    };
    view! {
        <Wire id="wire-exchange" title="POST, by the app" text=request/>
        {answer}
    }
    .into_any()
}

/// A JWT, read; its signature stays out of sight.
#[component]
fn Token(id: &'static str, title: &'static str, jwt: Jwt) -> impl IntoView {
    let text = format!("{}\n.\n{}\n.\n(signature)", pretty(&jwt.header), pretty(&jwt.claims));
    view! {
        <details class="more">
            <summary><Icon name=IconName::ChevronRight turns=true/>{format!("{title}, read")}</summary>
            <Wire id title=format!("{title}: header and claims") text/>
        </details>
    }
    .into_any()
}

#[component]
fn Look(looked: Looked) -> impl IntoView {
    let introspection = match looked.introspection {
        Some(told) => view! { <Wire id="wire-introspection" title="POST /oauth/introspect" text=pretty(&told)/> }.into_any(),
        None => view! { <p class="small">"This app proves nothing when it asks, so introspection tells it nothing."</p> }.into_any(),
    };
    let userinfo = match looked.userinfo {
        Some(told) => view! { <Wire id="wire-userinfo" title="GET /oauth/userinfo" text=pretty(&told)/> }.into_any(),
        None => view! { <p class="small">"Userinfo tells nothing: the token was not allowed "<code>"openid"</code>"."</p> }.into_any(),
    };
    view! { {introspection}{userinfo} }.into_any()
}

#[component]
fn Decision(asked: Value, answer: Value) -> impl IntoView {
    view! {
        <Wire id="wire-question" title="POST /v1/verify" text=pretty(&asked)/>
        <Wire id="wire-decision" title="The decision" text=pretty(&answer)/>
    }
}

#[component]
fn End(answer: Value) -> impl IntoView {
    let code = answer["code"].as_str().unwrap_or_default().to_owned();
    view! {
        <Params rows=vec![
            ("valid".to_owned(), answer["valid"].to_string(), "The same question about the same token, now."),
            ("code".to_owned(), code, ""),
        ]/>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s77_a_command_names_the_end_of_a_secret_at_most() {
        let exchanged = |proof| Exchanged {
            params: vec![("grant_type".into(), "client_credentials".into()), ("scope".into(), "a:read b:read".into())],
            proof,
            last_four: Some("wxyz".into()),
            result: Err(Failure { code: String::new(), description: String::new() }),
        };
        let said = |proof| curl(&exchanged(proof), "app_1", "https://keys.test");
        assert_eq!(
            said(AuthMethod::ClientSecretBasic),
            "curl https://keys.test/oauth/token \\\n  -u \"app_1:kss_••••wxyz\" \\\n  -d grant_type=client_credentials \\\n  -d \"scope=a:read b:read\""
        );
        assert!(said(AuthMethod::ClientSecretPost).contains("-d client_secret=kss_••••wxyz"));
        assert!(said(AuthMethod::PrivateKeyJwt).contains("client_assertion=…") && !said(AuthMethod::None).contains("wxyz"));
    }
}
