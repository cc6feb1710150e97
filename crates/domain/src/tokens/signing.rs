//! The keys that sign: made here, kept sealed, replaced in time. A new key is published before it signs, so that nobody
//! who keeps the key set for a while meets a token that it does not explain; an old one stays until its last token is over.

use super::{LEEWAY, LIFETIME, sql};
use crate::{Core, Error, Result, db::tell};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::STANDARD};
use contract::{Secret, UnixMs};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use sqlx::FromRow;
use uuid::Uuid;

/// How long a key signs before it is replaced.
const PERIOD: i64 = 90 * UnixMs::DAY;
/// How long a key is published before it signs; three times as long as the key set may be kept.
const PUBLISHED: i64 = 900_000;

/// A key as it is stored.
#[derive(FromRow)]
pub(super) struct SigningRow {
    pub id: Uuid,
    pub generation: i64,
    pub sealed: Vec<u8>,
    pub created_at: i64,
    pub signs_from: i64,
}

/// A key, opened.
#[derive(Debug)]
struct Signer {
    kid: String,
    generation: i64,
    created_at: UnixMs,
    signs_from: UnixMs,
    encoding: EncodingKey,
    decoding: DecodingKey,
    jwk: Jwk,
}

/// Every key, oldest first.
#[derive(Debug, Default)]
pub(super) struct Ring(Vec<Signer>);

impl Signer {
    fn open(core: &Core, row: SigningRow) -> Result<Self> {
        let damaged = || Error::internal("a signing key cannot be read");
        let seed = core.keys.seal.open(Uuid::nil(), row.id, &row.sealed)?;
        let seed = Secret::new(STANDARD.decode(seed.expose()).map_err(Error::internal)?);
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| damaged())?;
        let der = Secret::new(pair.to_pkcs8v1().map_err(|_| damaged())?.as_ref().to_vec());
        let decoding = DecodingKey::from_ed_der(pair.public_key().as_ref());
        let mut jwk = Jwk::from_decoding_key(&decoding, Some(Algorithm::EdDSA)).map_err(Error::internal)?;
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(Error::internal)?;
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self {
            kid,
            generation: row.generation,
            created_at: UnixMs(row.created_at),
            signs_from: UnixMs(row.signs_from),
            encoding: EncodingKey::from_ed_der(der.expose()),
            decoding,
            jwk,
        })
    }
}

impl Ring {
    pub fn open(core: &Core, rows: Vec<SigningRow>) -> Result<Self> {
        rows.into_iter().map(|row| Signer::open(core, row)).collect::<Result<_>>().map(Self)
    }

    /// The key that signs now, by its id.
    pub fn signer(&self, now: UnixMs) -> Option<(&str, &EncodingKey)> {
        let key = self.0.iter().rev().find(|k| k.signs_from <= now).or(self.0.first())?;
        Some((&key.kid, &key.encoding))
    }

    /// The key of that id, if a token of it may still be alive.
    pub fn verifier(&self, kid: &str, now: UnixMs) -> Option<&DecodingKey> {
        self.live(now).find(|k| k.kid == kid).map(|k| &k.decoding)
    }

    /// Is it time for the next key, or for the first?
    pub fn is_old(&self, now: UnixMs) -> bool {
        self.0.last().is_none_or(|k| k.created_at.plus(PERIOD) <= now)
    }

    /// Those that have no successor, or one that has not signed for as long as a token lives.
    fn live(&self, now: UnixMs) -> impl Iterator<Item = &Signer> {
        let ends = |n: usize| self.0.get(n + 1).map(|next| next.signs_from.plus(LIFETIME + LEEWAY));
        self.0.iter().enumerate().filter(move |(n, _)| ends(*n).is_none_or(|end| end > now)).map(|(_, k)| k)
    }
}

/// The keys that tokens are verified by (RFC 7517), for everybody.
pub fn jwks(core: &Core) -> JwkSet {
    JwkSet { keys: core.tokens.ring().live(core.now()).map(|k| k.jwk.clone()).collect() }
}

/// Makes the next key. It is published at once and signs a while later; the very first one signs at once. Of two
/// processes that do so together, one makes it and both know it.
pub async fn rotate(core: &Core) -> Result<()> {
    let ring = core.tokens.ring();
    let (now, id) = (core.now(), core.new_uuid());
    let mut seed = [0; 32];
    core.entropy().fill(&mut seed);
    let seed = Secret::new(STANDARD.encode(Secret::new(seed).expose()));
    let row = SigningRow {
        id,
        generation: ring.0.last().map_or(1, |k| k.generation + 1),
        sealed: core.keys.seal.seal(Uuid::nil(), id, &seed, core.entropy())?,
        created_at: now.0,
        signs_from: if ring.0.is_empty() { now.0 } else { now.plus(PUBLISHED).0 },
    };
    let mut tx = core.db.begin().await?;
    if sql::insert_signing_key_unscoped(&mut tx, &row).await? {
        sql::append_change_unscoped(&mut tx, sql::SIGNING_KEY, id, now).await?;
        tell(&mut tx).await?;
    }
    tx.commit_quiet().await?;
    core.cache.sync(core).await
}
