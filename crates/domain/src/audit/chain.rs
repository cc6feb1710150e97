//! The chain of hashes and its signed head: how an event is hashed, and how a chain is verified, in the database or
//! from an export.

use super::{hex, sql};
use crate::{Core, Ctx, Error, Grant, Result, seal::is_signed};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use contract::{AuditEvent, AuditHead, AuditId, TenantId, UnixMs};
use serde::Serialize;

/// What a recomputation of the chain found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// The last number; all events up to it are in place and unedited.
    Whole(i64),
    /// The first event that is edited, missing or out of place.
    BrokenAt(i64),
    /// Every link holds, but the installation did not sign this end: somebody rewrote the chain or its head.
    HeadNotSigned(i64),
    /// Of an export with an older head: the events up to `signed` are the ones that it was signed for; those behind it,
    /// up to `last`, follow from them without a gap, and nobody vouches for them.
    SignedUpTo {
        /// The event that the head speaks of.
        signed: i64,
        /// The last event of the export.
        last: i64,
    },
}

/// What the hash covers, in this order; `before` and `after` are the stored texts, so no JSON is ever re-written.
#[derive(Serialize)]
struct Hashed<'a> {
    tenant_id: TenantId,
    id: AuditId,
    seq: i64,
    at: i64,
    actor: (&'a str, Option<&'a str>, &'a str),
    action: &'a str,
    target: (&'a str, &'a str, &'a str),
    ip: Option<&'a str>,
    request_id: Option<&'a str>,
    reason: Option<&'a str>,
    before: Option<&'a str>,
    after: Option<&'a str>,
    prev_hash: &'a [u8],
}

impl Hashed<'_> {
    fn digest(&self) -> Result<Vec<u8>> {
        let text = serde_json::to_vec(self).map_err(Error::internal)?;
        Ok(digest(&SHA256, &text).as_ref().to_vec())
    }
}

impl sql::Row {
    /// The SHA-256 of this event and of the one before it.
    pub(super) fn digest(&self, tenant_id: TenantId) -> Result<Vec<u8>> {
        Hashed {
            tenant_id,
            id: AuditId::from_uuid(self.id),
            seq: self.seq,
            at: self.at,
            actor: (&self.actor_kind, self.actor_id.as_deref(), &self.actor_name),
            action: &self.action,
            target: (&self.target_kind, &self.target_id, &self.target_name),
            ip: self.ip.as_deref(),
            request_id: self.request_id.as_deref(),
            reason: self.reason.as_deref(),
            before: self.before.as_deref(),
            after: self.after.as_deref(),
            prev_hash: &self.prev_hash,
        }
        .digest()
    }
}

/// The same from an exported event. What was stored as text was written by the same rules, so writing it again gives
/// the same text.
fn digest_of(event: &AuditEvent, tenant_id: TenantId, prev_hash: &[u8]) -> Result<Vec<u8>> {
    let (ip, before, after) =
        (event.ip.map(|ip| ip.to_string()), event.before.as_ref().map(ToString::to_string), event.after.as_ref().map(ToString::to_string));
    Hashed {
        tenant_id,
        id: event.id,
        seq: event.seq,
        at: event.at.0,
        actor: (event.actor.kind.as_str(), event.actor.id.as_deref(), &event.actor.name),
        action: &event.action,
        target: (&event.target.kind, &event.target.id, &event.target.name),
        ip: ip.as_deref(),
        request_id: event.request_id.as_deref(),
        reason: event.reason.as_deref(),
        before: before.as_deref(),
        after: after.as_deref(),
        prev_hash,
    }
    .digest()
}

impl sql::Head {
    /// Did this installation sign it?
    pub(super) fn is_signed(&self, core: &Core, tenant: TenantId) -> bool {
        let (Some(at), Some(signature)) = (self.signed_at, &self.signature) else { return false };
        let text = AuditHead::signed_text(tenant, self.seq, &hex(&self.hash), UnixMs(at));
        is_signed(core.keys.audit.public(), &text, signature)
    }

    /// The head after an event. A head that was not signed before is never signed again: signing it would launder
    /// what somebody did to the chain.
    pub(super) fn moved(&self, ctx: &Ctx, grant: &Grant, seq: i64, hash: &[u8]) -> Self {
        if !self.is_signed(ctx.core(), grant.tenant_id()) {
            tracing::error!(tenant = %grant.tenant_id(), seq = self.seq, "the head of the audit chain was not signed by this installation");
            return Self { seq, hash: hash.to_vec(), ..self.clone() };
        }
        Self::signed(ctx, grant, seq, hash)
    }

    /// A head that this installation signs.
    pub(super) fn signed(ctx: &Ctx, grant: &Grant, seq: i64, hash: &[u8]) -> Self {
        let at = ctx.now();
        let text = AuditHead::signed_text(grant.tenant_id(), seq, &hex(hash), at);
        let signature = ctx.core().keys.audit.sign(&text);
        Self { seq, hash: hash.to_vec(), signed_at: Some(at.0), signature: Some(signature) }
    }

    /// As it is handed out; none before the first event, and for one that nobody signed.
    pub(super) fn handed_out(&self, core: &Core, tenant: TenantId) -> Option<AuditHead> {
        Some(AuditHead {
            tenant_id: tenant,
            seq: self.seq,
            hash: hex(&self.hash),
            signed_at: UnixMs(self.signed_at?),
            public_key: STANDARD.encode(core.keys.audit.public()),
            signature: STANDARD.encode(self.signature.as_deref()?),
        })
    }
}

/// Is the head signed by the key that it names, and is that the wanted one?
pub fn head_is_signed(head: &AuditHead, public_key: Option<&str>) -> bool {
    let read = |s: &str| STANDARD.decode(s).unwrap_or_default();
    let text = AuditHead::signed_text(head.tenant_id, head.seq, &head.hash, head.signed_at);
    public_key.is_none_or(|wanted| wanted.trim() == head.public_key) && is_signed(&read(&head.public_key), &text, &read(&head.signature))
}

/// Recomputes an exported chain, offline. Events may come in any order. Where the export does not start at the first
/// event, its first one is taken as it is. With a head, the chain must reach it and agree with it; a head from before
/// the last event vouches for what lies up to it, and one from before the first for nothing.
pub fn verify_export(tenant: TenantId, mut events: Vec<AuditEvent>, head: Option<&AuditHead>) -> Result<Chain> {
    events.sort_by_key(|e| e.seq);
    let unhex = |s: &str| {
        (0..s.len() / 2).filter_map(|i| s.get(2 * i..2 * i + 2).and_then(|b| u8::from_str_radix(b, 16).ok())).collect::<Vec<u8>>()
    };
    let mut prev: Option<(i64, Vec<u8>)> = None;
    for event in &events {
        let hash = unhex(&event.hash);
        let before = match &prev {
            Some((seq, hash)) => Some((*seq, hash.clone())),
            None if event.seq == 1 => Some((0, vec![0; 32])),
            None => None,
        };
        if let Some((seq, before)) = before
            && (event.seq != seq + 1 || digest_of(event, tenant, &before)? != hash)
        {
            return Ok(Chain::BrokenAt(seq + 1));
        }
        if let Some(head) = head.filter(|h| h.seq == event.seq)
            && (head.hash != event.hash || head.tenant_id != tenant)
        {
            return Ok(Chain::BrokenAt(event.seq));
        }
        prev = Some((event.seq, hash));
    }
    let last = prev.map_or(0, |(seq, _)| seq);
    match head {
        Some(head) if last < head.seq => Ok(Chain::BrokenAt(last + 1)),
        Some(head) if !head_is_signed(head, None) || events.first().is_some_and(|e| head.seq < e.seq) => Ok(Chain::HeadNotSigned(last)),
        Some(head) if head.seq < last => Ok(Chain::SignedUpTo { signed: head.seq, last }),
        _ => Ok(Chain::Whole(last)),
    }
}
