//! The keys that sign: made here, kept sealed, replaced in time. A new key is published before it signs, so that nobody
//! who keeps the key set for a while meets a token that it does not explain; an old one stays until its last token is over.

use super::{LEEWAY, LIFETIME, sql};
use crate::{Core, Error, Result, db::tell};
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{self, KeySize},
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use contract::{IdTokenAlg, Secret, UnixMs};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header,
    jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use serde::Serialize;
use sqlx::FromRow;
use tokio::task::spawn_blocking;
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
    key: Key,
    decoding: DecodingKey,
    jwk: Jwk,
}

/// What signs. An Ed25519 key is kept as it signs: read anew for each token it would cost as much as the signature.
#[derive(Debug)]
enum Key {
    EdDsa(Ed25519KeyPair),
    Rs256(EncodingKey),
}

/// Every key of one algorithm, oldest first.
#[derive(Debug, Default)]
pub(super) struct Ring(Vec<Signer>);

/// What a key of the algorithm is made of: the seed of an Ed25519 key, PKCS #8 of an RSA key.
async fn material(core: &Core, algorithm: IdTokenAlg) -> Result<Secret<Vec<u8>>> {
    match algorithm {
        IdTokenAlg::EdDsa => {
            let mut seed = [0; 32];
            core.entropy().fill(&mut seed);
            Ok(Secret::new(seed.to_vec()))
        }
        IdTokenAlg::Rs256 => {
            let made = spawn_blocking(|| rsa::KeyPair::generate(KeySize::Rsa2048)).await.map_err(Error::internal)?;
            let pair = made.map_err(Error::internal)?;
            let der: Pkcs8V1Der<'_> = pair.as_der().map_err(Error::internal)?;
            Ok(Secret::new(der.as_ref().to_vec()))
        }
    }
}

impl Signer {
    fn open(core: &Core, algorithm: IdTokenAlg, row: SigningRow) -> Result<Self> {
        let damaged = || Error::internal("a signing key cannot be read");
        let text = core.keys.seal.open(Uuid::nil(), row.id, &row.sealed)?;
        let (key, mut jwk) = match algorithm {
            IdTokenAlg::EdDsa => {
                let seed = Secret::new(STANDARD.decode(text.expose()).map_err(Error::internal)?);
                let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| damaged())?;
                let decoding = DecodingKey::from_ed_der(pair.public_key().as_ref());
                let jwk = Jwk::from_decoding_key(&decoding, Some(Algorithm::EdDSA)).map_err(Error::internal)?;
                (Key::EdDsa(pair), jwk)
            }
            IdTokenAlg::Rs256 => {
                let pem = Secret::new(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", text.expose()));
                let encoding = EncodingKey::from_rsa_pem(pem.expose().as_bytes()).map_err(|_| damaged())?;
                let jwk = Jwk::from_encoding_key(&encoding, Algorithm::RS256).map_err(Error::internal)?;
                (Key::Rs256(encoding), jwk)
            }
        };
        let decoding = DecodingKey::from_jwk(&jwk).map_err(Error::internal)?;
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(Error::internal)?;
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self {
            kid,
            generation: row.generation,
            created_at: UnixMs(row.created_at),
            signs_from: UnixMs(row.signs_from),
            key,
            decoding,
            jwk,
        })
    }
}

impl Ring {
    pub fn open(core: &Core, algorithm: IdTokenAlg, rows: Vec<SigningRow>) -> Result<Self> {
        rows.into_iter().map(|row| Signer::open(core, algorithm, row)).collect::<Result<_>>().map(Self)
    }

    /// Has it no key yet?
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that signs now.
    fn signer(&self, now: UnixMs) -> Result<&Signer> {
        let newest = self.0.iter().rev().find(|k| k.signs_from <= now).or(self.0.first());
        newest.ok_or_else(|| Error::internal("there is no key that signs"))
    }

    /// A token with that `typ`, signed with the key that signs now.
    pub fn token(&self, now: UnixMs, typ: &str, claims: &impl Serialize) -> Result<String> {
        let signer = self.signer(now)?;
        let header = Header { typ: Some(typ.to_owned()), kid: Some(signer.kid.clone()), ..Header::new(signer.key.algorithm()) };
        self.signed(now, &header, claims)
    }

    /// A header and claims, signed with the key that signs now, whatever they say.
    pub fn signed(&self, now: UnixMs, header: &impl Serialize, claims: &impl Serialize) -> Result<String> {
        let message = format!("{}.{}", part(header)?, part(claims)?);
        let signature = self.signer(now)?.key.sign(&message)?;
        Ok(format!("{message}.{signature}"))
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
    let now = core.now();
    let of = |algorithm| core.tokens.ring(algorithm).live(now).map(|k| k.jwk.clone()).collect::<Vec<_>>();
    JwkSet { keys: [of(IdTokenAlg::EdDsa), of(IdTokenAlg::Rs256)].concat() }
}

/// Makes the next key. It is published at once and signs a while later; the very first one signs at once. Of two
/// processes that do so together, one makes it and both know it.
pub async fn rotate(core: &Core, algorithm: IdTokenAlg) -> Result<()> {
    let ring = core.tokens.ring(algorithm);
    let (now, id) = (core.now(), core.new_uuid());
    let text = Secret::new(STANDARD.encode(material(core, algorithm).await?.expose()));
    let row = SigningRow {
        id,
        generation: ring.0.last().map_or(1, |k| k.generation + 1),
        sealed: core.keys.seal.seal(Uuid::nil(), id, &text, core.entropy())?,
        created_at: now.0,
        signs_from: if ring.0.is_empty() { now.0 } else { now.plus(PUBLISHED).0 },
    };
    let mut tx = core.db.begin().await?;
    if sql::insert_signing_key_unscoped(&mut tx, algorithm.as_str(), &row).await? {
        sql::append_change_unscoped(&mut tx, sql::SIGNING_KEY, id, now).await?;
        tell(&mut tx).await?;
    }
    tx.commit_quiet().await?;
    core.cache.sync(core).await
}

/// Makes the first RS256 key, where there is none: most installations have no app that asks who people are.
pub(crate) async fn make_id_key(core: &Core) -> Result<()> {
    if !core.tokens.ring(IdTokenAlg::Rs256).is_empty() {
        return Ok(());
    }
    // It takes a while: whoever needs it meanwhile waits for this one.
    let _one = core.tokens.making.lock().await;
    if core.tokens.ring(IdTokenAlg::Rs256).is_empty() { rotate(core, IdTokenAlg::Rs256).await } else { Ok(()) }
}

/// `typ` of an ID token: it is none of an access token (s63).
const TYPE_OF_ID: &str = "JWT";

impl Key {
    const fn algorithm(&self) -> Algorithm {
        match self {
            Self::EdDsa(_) => Algorithm::EdDSA,
            Self::Rs256(_) => Algorithm::RS256,
        }
    }

    fn sign(&self, message: &str) -> Result<String> {
        match self {
            Self::EdDsa(pair) => Ok(URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()))),
            Self::Rs256(key) => jsonwebtoken::crypto::sign(message.as_bytes(), key, Algorithm::RS256).map_err(Error::internal),
        }
    }
}

/// A part of a JWT (RFC 7515, section 3.1).
fn part(of: &impl Serialize) -> Result<String> {
    serde_json::to_vec(of).map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(Error::internal)
}

const fn signed_with(algorithm: IdTokenAlg) -> Algorithm {
    match algorithm {
        IdTokenAlg::Rs256 => Algorithm::RS256,
        IdTokenAlg::EdDsa => Algorithm::EdDSA,
    }
}

/// What an ID token says that was signed here, by a key that still verifies; it may have expired.
pub(crate) fn read_id_token(core: &Core, jwt: &str) -> Option<serde_json::Value> {
    let header = decode_header(jwt).ok().filter(|h| h.typ.as_deref() == Some(TYPE_OF_ID))?;
    let ring = core.tokens.ring(*IdTokenAlg::ALL.iter().find(|a| signed_with(**a) == header.alg)?);
    let mut validation = Validation::new(header.alg);
    validation.set_required_spec_claims(&["iss", "sub", "aud"]);
    validation.set_issuer(&[&core.settings.public_url]);
    (validation.validate_exp, validation.validate_aud) = (false, false);
    decode(jwt, ring.verifier(&header.kid?, core.now())?, &validation).ok().map(|read| read.claims)
}

/// Signs an ID token.
pub(crate) fn sign_id_token(core: &Core, algorithm: IdTokenAlg, claims: &serde_json::Value) -> Result<String> {
    core.tokens.ring(algorithm).token(core.now(), TYPE_OF_ID, claims)
}
