//! One key: what it is, what it did lately, what was done to it, and what can be done with it.

use super::{
    SHOWN,
    advisor::Advisor,
    callers::CallersCard,
    cockpit::RotationCockpit,
    facts::{Facts, History, Restrictions, Secrets},
    kind_title,
    queue::Queue,
    used::{UsageCard, since},
};
use crate::{
    components::{Banner, Crumbs, ErrorSummary, Glyph, InTenant, OutcomeBadge, PageTitle, StateBadge, Time, TimeForm, Tone},
    icon::{Icon, IconName},
    returned::{Returned, returned},
    url::{href, key_href},
    visit::{Shown, Visit, framed},
};
use contract::{
    Advice, ApiKey, AuditEvent, AuditFilter, Bucket, CallerSeen, Change, Cockpit, Impact, KeyAct, KeyId, KeyKind, KeySecret, KeyState,
    Page, PageQuery, Perm, UnixMs, UsageEvent, UsageFilter, UsageQuery, UsageSummary,
};
use domain::{audit, keys, usage};
use leptos::prelude::*;

/// What the log of requests says of the key, for roles that read it.
struct Log {
    summary: UsageSummary,
    requests: Page<UsageEvent>,
    callers: Impact,
    refused: Vec<CallerSeen>,
    advice: Advice,
    cockpit: Cockpit,
}

/// What the reader may do with the key as it stands.
#[derive(Clone, Copy)]
struct May {
    /// Edit, switch off or on.
    write: bool,
    /// Get a new secret.
    rotate: bool,
    /// End it.
    revoke: bool,
}

/// `/keys/:id`
#[component]
pub fn KeyDetail() -> impl IntoView {
    framed(|visit| async move {
        let key = keys::get(&visit.ctx, visit.id()?).await?;
        let role = visit.chrome.role;
        let alive = key.state != KeyState::Revoked;
        let may = May {
            write: role.holds(Perm::KeysWrite) && alive,
            rotate: visit.chrome.may(Perm::KeysWrite) && matches!(key.state, KeyState::Active | KeyState::Disabled),
            revoke: role.holds(Perm::KeysRevoke) && alive,
        };
        // What the role may not see is not asked for, and has no card.
        let log = if role.holds(Perm::UsageRead) { Some(log(&visit, &key).await?) } else { None };
        let history = if role.holds(Perm::AuditRead) {
            let filter = AuditFilter { target_id: Some(key.id.to_string()) };
            Some(audit::list(&visit.ctx, &filter, PageQuery::default()).await?)
        } else {
            None
        };
        let secrets = keys::secrets(&visit.ctx, key.id).await?;
        let left = keys::orphans::deadlines(&visit.ctx, &[key.id]).await?.remove(&key.id).filter(|_| alive);
        let narrowing = visit.query.get_str("narrow").is_some();
        let done = visit.query.get_str("done").map(str::to_owned);
        let now = visit.ctx.now();
        let back = returned::<KeyAct>();
        let crumbs = Crumbs::keys(&key.name);
        Ok(Shown::new(crumbs, view! { <Detail key may log history secrets left narrowing now done back/> }))
    })
}

async fn log(visit: &Visit, key: &ApiKey) -> domain::Result<Log> {
    let (ctx, id) = (&visit.ctx, key.id);
    let month =
        UsageQuery { credential_id: Some(id), from: Some(since(ctx.now())), environment: Some(key.environment), ..UsageQuery::default() };
    let filter = UsageFilter { credential_id: Some(id), ..UsageFilter::default() };
    Ok(Log {
        summary: usage::summary(ctx, &month, Some(Bucket::Day)).await?,
        requests: usage::list(ctx, &filter, key.environment, PageQuery { limit: 8, cursor: None }).await?,
        callers: keys::impact_of(ctx, id, &Change::Revoke).await?,
        refused: keys::shut_out(ctx, id).await?,
        advice: keys::advice(ctx, id).await?,
        cockpit: keys::cockpit(ctx, id, None).await?,
    })
}

#[component]
fn Detail(
    key: ApiKey,
    may: May,
    log: Option<Log>,
    history: Option<Page<AuditEvent>>,
    secrets: Vec<KeySecret>,
    left: Option<UnixMs>,
    narrowing: bool,
    now: UnixMs,
    done: Option<String>,
    back: Option<Returned<KeyAct>>,
) -> impl IntoView {
    let (id, name, state) = (key.id, key.name.clone(), key.state);
    let used = match key.last_used_at {
        Some(at) => view! { <span>"Used "<Time at/></span> }.into_any(),
        None => view! { <span>"Never used"</span> }.into_any(),
    };
    let rotating = secrets.iter().any(|s| s.valid_until.is_some() && keys::works(s, now)) && state != KeyState::Revoked;
    let owned = key.owner.clone().filter(|_| left.is_none()).map(|o| view! { <span>"Owned by "{o}</span> }.into_any());
    let left = left.map(|until| view! { <OwnerLeft key=key.clone() until may_write=may.write/> }.into_any());
    let gateway = key.kind == KeyKind::Gateway;
    let (mut cockpit, mut cards) = (None, None);
    if let Some(log) = log {
        cockpit = rotating.then(|| view! { <RotationCockpit id gateway cockpit=log.cockpit may_write=may.write now/> }.into_any());
        // What a gateway asks is logged under the keys that it asks about; under its own stands what it did besides.
        let used = (!gateway || log.summary.total > 0).then(|| {
            view! {
                <UsageCard filter="credential_id" id=id.to_string() summary=log.summary/>
                <CallersCard seen=log.callers.callers refused=log.refused/>
                <Requests id page=log.requests/>
            }
            .into_any()
        });
        let advisor = (!gateway)
            .then(|| view! { <Advisor id created=key.created_at advice=log.advice may_write=may.write narrowing now/> }.into_any());
        cards = Some((used, advisor).into_any());
    }
    view! {
        <div class="page__head page__head--key">
            <div class="stack stack--1">
                <div class="row row--wrap">
                    <Glyph id large=true/>
                    <PageTitle>{name}</PageTitle>
                    <StateBadge state/>
                    {rotating.then(|| view! { <span class="badge badge--accent"><Icon name=IconName::RefreshCw small=true/>"Rotating"</span> }.into_any())}
                </div>
                <div class="row row--wrap small soft headmeta">
                    <span class="mono">{key.display()}</span>
                    <span>{format!("{}, {}", kind_title(key.kind), key.environment)}</span>
                    {owned}
                    {used}
                </div>
            </div>
            <Actions id state may/>
        </div>
        {back.map(|back| view! { <ErrorSummary errors=back.errors message=back.message/> }.into_any())}
        {done.and_then(|done| view_done(&key, &done, may))}
        {left}
        <div class="cols">
            <div class="stack">
                {cockpit}
                {gateway.then(|| view! { <AsGateway key=key.clone() may_edit=may.write/> }.into_any())}
                {cards}
            </div>
            <div class="stack">
                <Restrictions key=key.clone() may_edit=may.write/>
                <Secrets secrets now/>
                {history.map(|page| view! { <History page/> }.into_any())}
                <Facts key/>
            </div>
        </div>
    }
    .into_any()
}

/// Whoever answered for the key has left the tenant.
#[component]
fn OwnerLeft(key: ApiKey, until: UnixMs, may_write: bool) -> impl IntoView {
    let who = key.owner.clone().unwrap_or_else(|| "somebody".to_owned());
    let edit = format!("{}/edit#owner", key_href(key.id));
    view! {
        <div class="note">
            <Banner tone=Tone::Warn>
                <p><b>"Its owner left."</b>" It belonged to "<span class="anywhere">{who}</span>", and goes on working. Somebody should answer for it by "<Time at=until form=TimeForm::Full/>"."</p>
                <p class="row row--wrap">
                    {may_write.then(|| view! { <a href=edit>"Name an owner"</a> }.into_any())}
                    <a href=Queue::Orphaned.href()>"Keys without an owner"</a>
                </p>
            </Banner>
        </div>
    }
    .into_any()
}

/// What can be done with the key, by whom may do it.
#[component]
fn Actions(id: KeyId, state: KeyState, may: May) -> impl IntoView {
    let page = key_href(id);
    let switch = match state {
        KeyState::Active => Some(("disable", "Disable", IconName::Pause)),
        KeyState::Disabled => Some(("enable", "Enable", IconName::Play)),
        KeyState::Expired | KeyState::Revoked => None,
    };
    let switch = switch.filter(|_| may.write).map(|(act, label, icon)| {
        view! {
            <form method="post" action=page.clone()><InTenant/>
                <button class="btn" type="submit" name="do" value=act><Icon name=icon/>{label}</button>
            </form>
        }
        .into_any()
    });
    view! {
        <div class="acts">
            {may.write.then(|| view! { <a class="btn" href=format!("{page}/edit")><Icon name=IconName::Pencil/>"Edit"</a> }.into_any())}
            {may.rotate.then(|| view! { <a class="btn" href=format!("{page}/rotate")><Icon name=IconName::RefreshCw/>"Rotate"</a> }.into_any())}
            {switch}
            {may.revoke.then(|| view! { <a class="btn btn--danger" href=format!("{page}/revoke")><Icon name=IconName::Ban/>"Revoke key"</a> }.into_any())}
        </div>
    }
    .into_any()
}

/// What was just done, and the way back where there is one.
fn view_done(key: &ApiKey, done: &str, may: May) -> Option<AnyView> {
    let undo = |act: &'static str| {
        may.write.then(|| {
            view! {
                <form class="undo" method="post" action=key_href(key.id)><InTenant/>
                    <button class="btn btn--sm" type="submit" name="do" value=act>"Undo"</button>
                </form>
            }
            .into_any()
        })
    };
    let (said, more, undo) = match (done, key.state) {
        ("disabled", KeyState::Disabled) => ("The key is disabled.", "Its requests are refused until it is enabled again.", undo("enable")),
        ("enabled", KeyState::Active) => ("The key is enabled.", "Its requests are allowed again.", undo("disable")),
        ("saved", _) => ("The changes are saved.", "They hold from the next request on.", None),
        ("narrowed", _) => ("The key is narrowed to what it used.", "To give a permission back, edit the key.", None),
        ("retired", _) => ("The old secret is retired.", "Only the current one works.", None),
        _ => return None,
    };
    Some(
        view! {
            <div class="note">
                <Banner tone=Tone::Info>
                    <div class="row row--wrap" role="status"><p><b>{said}</b>" "{more}</p>{undo}</div>
                </Banner>
            </div>
        }
        .into_any(),
    )
}

/// What a gateway's key does, when it last did, and what happens at its end.
#[component]
fn AsGateway(key: ApiKey, may_edit: bool) -> impl IntoView {
    let asked = match key.last_used_at {
        Some(at) => view! { "It last asked "<Time at/>"." }.into_any(),
        None => "It has not asked yet.".into_any(),
    };
    let end = key.expires_at.filter(|_| key.state != KeyState::Revoked).map(|at| {
        let edit = format!("{}/edit", key_href(key.id));
        view! {
            <p class="row row--top small warn">
                <Icon name=IconName::TriangleAlert/>
                <span>
                    {if key.state == KeyState::Expired { "It expired " } else { "It expires " }}<Time at form=TimeForm::Full/>
                    ": from then on every request behind the gateway is refused. "
                    {may_edit.then(|| view! { <a href=edit>"Change the expiry"</a> }.into_any())}
                </span>
            </p>
        }
        .into_any()
    });
    view! {
        <section class="card">
            <div class="card__head"><h2>"Decisions"</h2><a class="push small" href="/usage?source=forward_auth">"Open in usage"</a></div>
            <div class="card__body stack stack--3">
                <p class="small soft">"A gateway asks with this key whether a request may pass. Each decision is logged under the key that it is about. "{asked}</p>
                {end}
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Requests(id: KeyId, page: Page<UsageEvent>) -> impl IntoView {
    let all = href("/usage", &[("credential_id", Some(&id.to_string()))]);
    let body = if page.data.is_empty() {
        view! {
            <div class="card__body">
                <p class="small soft">"No request with this key yet. The first shows here within seconds."</p>
            </div>
        }
        .into_any()
    } else {
        let rows = page.data.into_iter().take(SHOWN).map(|event| view! { <Request event/> }.into_any()).collect_view();
        view! {
            <table class="tbl tbl--bare tbl--stack" role="table" aria-labelledby="requests">
                <colgroup><col class="c-144"/><col class="c-96 p2"/><col/><col class="p2"/><col class="c-144 pk"/></colgroup>
                <thead role="rowgroup">
                    <tr role="row">
                        <th scope="col" role="columnheader">"Time, UTC"</th>
                        <th scope="col" role="columnheader" class="p2">"Outcome"</th>
                        <th scope="col" role="columnheader">"Request"</th>
                        <th scope="col" role="columnheader" class="p2">"Reason"</th>
                        <th scope="col" role="columnheader" class="pk">"Address"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        }
        .into_any()
    };
    view! {
        <section class="card tablebox">
            <div class="card__head"><h2 id="requests">"Recent requests"</h2><a class="push small" href=all>"All requests of this key"</a></div>
            {body}
        </section>
    }
    .into_any()
}

#[component]
fn Request(event: UsageEvent) -> impl IntoView {
    let request = [event.method.as_deref(), event.path.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let request = if request.is_empty() { event.source.to_string() } else { request };
    view! {
        <tr role="row">
            <td role="cell" class="soft m-side"><Time at=event.at form=TimeForm::Log/></td>
            <td role="cell" class="p2"><OutcomeBadge outcome=event.outcome/></td>
            <td role="cell" class="mono m-main" title=request.clone()>
                {request.clone()}
                <span class="sub">{event.code.describe()}</span>
            </td>
            <td role="cell" class="soft p2">{event.code.describe()}</td>
            <td role="cell" class="mono soft pk">{event.ip.map(|ip| ip.to_string())}</td>
        </tr>
    }
}
