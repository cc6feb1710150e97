//! `keystead verify-audit`: recomputes audit chains, from the database or from what was exported.

use crate::{cli::installation, config::Config};
use anyhow::{Context, Result, bail};
use contract::{AuditEvent, AuditHead};
use domain::{
    Ctx, RequestInfo, Who,
    audit::{self, Chain, head_is_signed},
    tenants,
};
use serde::Deserialize;
use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

/// Verifies the chains of the database; with a head kept elsewhere, that the chain still reaches it. Says so, and
/// answers whether all of them hold.
pub async fn stored(config: &Config, tenant: Option<&str>, head: Option<&Path>, public_key: Option<&str>) -> Result<bool> {
    let heads = head.map(read_heads).transpose()?.unwrap_or_default();
    let core = installation(config).await?;
    let mut chosen = tenants::list_unscoped(&core).await?;
    if let Some(named) = tenant {
        let id = tenants::find_unscoped(&core, named).await.with_context(|| format!("no tenant {named}"))?;
        chosen.retain(|t| t.id == id);
    }
    let mut whole = true;
    for t in chosen {
        let ctx = Ctx::new(core.clone(), Who::CommandLine(t.id), RequestInfo::default());
        whole &= say(&t.slug, audit::verify_chain(&ctx).await?);
        for kept in heads.iter().filter(|h| h.tenant_id == t.id) {
            let agrees = head_is_signed(kept, public_key) && audit::agrees(&ctx, kept).await?;
            out!("{}: {} the head kept of event {}", t.slug, if agrees { "agrees with" } else { "BROKEN: does not agree with" }, kept.seq);
            whole &= agrees;
        }
    }
    core.stop().await;
    Ok(whole)
}

/// The same of an export and its head; nothing else is opened.
pub fn exported(export: &Path, head: Option<&Path>, public_key: Option<&str>) -> Result<bool> {
    let heads = head.map(read_heads).transpose()?.unwrap_or_default();
    let [head] = heads.as_slice() else { bail!("the file of the head holds {} heads, not one", heads.len()) };
    let file = File::open(export).with_context(|| format!("cannot read {}", export.display()))?;
    let mut events: Vec<AuditEvent> = Vec::new();
    for (n, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("cannot read {}", export.display()))?;
        if !line.trim().is_empty() {
            events.push(serde_json::from_str(&line).with_context(|| format!("line {} of {} is no audit event", n + 1, export.display()))?);
        }
    }
    if !head_is_signed(head, public_key) {
        out!("{}: BROKEN: the head of event {} is not signed by the expected key", head.tenant_id, head.seq);
        return Ok(false);
    }
    if public_key.is_none() {
        out!("The head is signed by the key {}: compare it with the one you trust, or give --public-key.", head.public_key);
    }
    Ok(say(&head.tenant_id.to_string(), audit::verify_export(head.tenant_id, events, Some(head))?))
}

fn say(whose: &str, chain: Chain) -> bool {
    match chain {
        Chain::Whole(seq) => out!("{whose}: whole up to event {seq}"),
        Chain::BrokenAt(seq) => out!("{whose}: BROKEN at event {seq}: it is edited, missing or out of place"),
        Chain::HeadNotSigned(seq) => out!("{whose}: BROKEN: event {seq} is the end, but this installation did not sign it"),
        Chain::SignedUpTo { signed, last } => {
            out!("{whose}: whole up to event {signed}, for which the head was signed; it is older than events {} to {last}", signed + 1);
            out!("{whose}: those follow without a gap, but take a newer head to verify them");
        }
    }
    matches!(chain, Chain::Whole(_) | Chain::SignedUpTo { .. })
}

/// The answer of `GET /v1/audit/heads`, or one head of it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Heads {
    Answer { data: Vec<AuditHead> },
    One(AuditHead),
}

fn read_heads(file: &Path) -> Result<Vec<AuditHead>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let heads = serde_json::from_str(&text).with_context(|| format!("{} holds no head", file.display()))?;
    Ok(match heads {
        Heads::Answer { data } => data,
        Heads::One(head) => vec![head],
    })
}
