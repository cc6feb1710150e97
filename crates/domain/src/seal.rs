//! The master key wraps random data keys, which lie wrapped in the database (contract, section 1). It never lies
//! there itself, so a copy of the database holds no working credential (s33).

use crate::{
    Error, Result,
    clock::{Entropy, uuid_v7},
    db::{Db, on},
};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use contract::{Secret, UnixMs};
use sqlx::FromRow;
use uuid::Uuid;

/// 32 bytes that only wrap other keys.
#[derive(Debug)]
pub struct MasterKey(Secret<[u8; 32]>);

/// The keys of an installation, unwrapped, in memory only.
#[derive(Debug)]
pub struct DataKeys {
    /// Keys the hash under which API keys are stored.
    pub pepper: Secret<[u8; 32]>,
    /// Signs the heads of the audit chains.
    pub audit: SigningKey,
    /// Seals what must be read again.
    pub seal: SealingKey,
}

/// What a data key is for; each is wrapped under its own name.
const PEPPER: &str = "pepper";
const AUDIT: &str = "audit-ed25519";
const SEAL: &str = "seal-aes-256-gcm";

/// Seals single values, each bound to its tenant and row (s76).
#[derive(Debug)]
pub struct SealingKey(Secret<[u8; 32]>);

impl SealingKey {
    /// `nonce || ciphertext || tag`.
    pub fn seal(&self, tenant: Uuid, row: Uuid, plain: &Secret<String>, entropy: &dyn Entropy) -> Result<Vec<u8>> {
        encrypt(&self.0, sealed_aad(tenant, row), plain.expose().as_bytes(), entropy)
    }

    /// The value; an error if it was sealed for another row or has been changed.
    pub fn open(&self, tenant: Uuid, row: Uuid, sealed: &[u8]) -> Result<Secret<String>> {
        let damaged = || Error::internal("a sealed value does not open: it is damaged, or belongs to another row");
        let plain = decrypt(&self.0, sealed_aad(tenant, row), sealed).ok_or_else(damaged)?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| damaged())
    }
}

fn sealed_aad(tenant: Uuid, row: Uuid) -> Aad<Vec<u8>> {
    Aad::from([b"keystead sealed value v1\0".as_slice(), tenant.as_bytes(), row.as_bytes()].concat())
}

/// `nonce || ciphertext || tag` under a random nonce.
fn encrypt(key: &Secret<[u8; 32]>, aad: Aad<Vec<u8>>, plain: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    entropy.fill(&mut nonce);
    let mut body = plain.to_vec();
    aead(key)?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut body).map_err(Error::internal)?;
    Ok([nonce.as_slice(), &body].concat())
}

fn decrypt(key: &Secret<[u8; 32]>, aad: Aad<Vec<u8>>, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut body = body.to_vec();
    aead(key).ok()?.open_in_place(nonce, aad, &mut body).ok().map(|plain| plain.to_vec())
}

fn aead(key: &Secret<[u8; 32]>) -> Result<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key.expose()).map(LessSafeKey::new).map_err(Error::internal)
}

/// An Ed25519 key; its seed lies wrapped like every data key, and what prints is its public half.
#[derive(Debug)]
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    fn from_seed(seed: &Secret<[u8; 32]>) -> Result<Self> {
        Ed25519KeyPair::from_seed_unchecked(seed.expose()).map(Self).map_err(Error::internal)
    }

    /// Signs a text.
    pub fn sign(&self, text: &str) -> Vec<u8> {
        self.0.sign(text.as_bytes()).as_ref().to_vec()
    }

    /// The half that everybody may know.
    pub fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }
}

/// Did the holder of the key sign the text?
pub fn is_signed(public_key: &[u8], text: &str, signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public_key).verify(text.as_bytes(), signature).is_ok()
}

#[derive(FromRow)]
struct Wrapped {
    id: Uuid,
    wrapped: Vec<u8>,
}

impl MasterKey {
    /// A fresh key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self(Secret::new(bytes))
    }

    /// Reads 32 bytes of base64.
    pub fn from_base64(s: &str) -> Result<Self> {
        let bytes = Secret::new(STANDARD.decode(s.trim()).unwrap_or_default());
        let bytes =
            <[u8; 32]>::try_from(bytes.expose().as_slice()).map_err(|_| Error::internal("the master key is not 32 bytes of base64"))?;
        Ok(Self(Secret::new(bytes)))
    }

    /// The form in which it is kept in its file.
    pub fn to_base64(&self) -> Secret<String> {
        Secret::new(STANDARD.encode(self.0.expose()))
    }

    /// Bound to the purpose and the row.
    fn wrap(&self, purpose: &str, id: Uuid, key: &Secret<[u8; 32]>, entropy: &dyn Entropy) -> Result<Vec<u8>> {
        encrypt(&self.0, aad(purpose, id), key.expose(), entropy)
    }

    fn unwrap(&self, purpose: &str, row: &Wrapped) -> Result<Secret<[u8; 32]>> {
        let wrong = || Error::internal("the master key does not open this database: it is wrong, or the database is damaged");
        let plain = decrypt(&self.0, aad(purpose, row.id), &row.wrapped).ok_or_else(wrong)?;
        <[u8; 32]>::try_from(plain).map(Secret::new).map_err(|_| wrong())
    }
}

fn aad(purpose: &str, id: Uuid) -> Aad<Vec<u8>> {
    Aad::from([b"keystead data key v1\0", purpose.as_bytes(), b"\0", id.as_bytes()].concat())
}

impl DataKeys {
    /// Does the database hold keys already, so that its master key must exist?
    pub async fn exist(db: &Db) -> Result<bool> {
        let mut tx = db.read().await?;
        let n: i64 = on!(tx, c => sqlx::query_scalar("SELECT COUNT(*) FROM data_keys").fetch_one(c).await)?;
        Ok(n > 0)
    }

    /// Opens the keys of the database, or makes them in a new one. Fails if the master key is not the database's.
    pub async fn open(db: &Db, master: &MasterKey, now: UnixMs, entropy: &dyn Entropy) -> Result<Self> {
        let pepper = open_one(db, master, PEPPER, now, entropy).await?;
        let audit = SigningKey::from_seed(&open_one(db, master, AUDIT, now, entropy).await?)?;
        let seal = SealingKey(open_one(db, master, SEAL, now, entropy).await?);
        Ok(Self { pepper, audit, seal })
    }

    /// Keys of no installation, for tests of what needs a pepper.
    #[cfg(test)]
    pub(crate) fn with_pepper(pepper: [u8; 32]) -> Self {
        let audit = SigningKey::from_seed(&Secret::new(pepper)).expect("32 bytes are a seed");
        Self { pepper: Secret::new(pepper), audit, seal: SealingKey(Secret::new(pepper)) }
    }
}

async fn open_one(db: &Db, master: &MasterKey, purpose: &str, now: UnixMs, entropy: &dyn Entropy) -> Result<Secret<[u8; 32]>> {
    const INSERT: &str =
        "INSERT INTO data_keys (id, purpose, wrapped, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (purpose) DO NOTHING";
    const SELECT: &str = "SELECT id, wrapped FROM data_keys WHERE purpose = $1";
    let mut tx = db.begin().await?;
    let (id, fresh) = (uuid_v7(now, entropy), MasterKey::generate(entropy).0);
    let wrapped = master.wrap(purpose, id, &fresh, entropy)?;
    on!(tx, c => sqlx::query(INSERT).bind(id).bind(purpose).bind(wrapped).bind(now.0).execute(c).await.map(drop))?;
    // Whoever came first: two processes that start at once on a new database share one key.
    let row: Wrapped = on!(tx, c => sqlx::query_as(SELECT).bind(purpose).fetch_one(c).await)?;
    tx.commit_quiet().await?;
    master.unwrap(purpose, &row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;

    #[test]
    fn a_wrapped_key_opens_only_under_its_master_key_purpose_and_row() {
        let (master, id) = (MasterKey::generate(&SystemEntropy), Uuid::from_u128(1));
        let key = MasterKey::generate(&SystemEntropy).0;
        let wrapped = master.wrap("pepper", id, &key, &SystemEntropy).expect("wraps");
        let row = |id, wrapped: &[u8]| Wrapped { id, wrapped: wrapped.to_vec() };
        assert_eq!(master.unwrap("pepper", &row(id, &wrapped)).expect("opens").expose(), key.expose());
        assert!(master.unwrap("other", &row(id, &wrapped)).is_err());
        assert!(master.unwrap("pepper", &row(Uuid::from_u128(2), &wrapped)).is_err());
        assert!(master.unwrap("pepper", &row(id, &wrapped[..8])).is_err());
        assert!(MasterKey::generate(&SystemEntropy).unwrap("pepper", &row(id, &wrapped)).is_err());
    }

    #[test]
    fn s76_a_sealed_value_opens_for_its_tenant_and_row_only() {
        let (key, other) = (DataKeys::with_pepper([1; 32]).seal, DataKeys::with_pepper([2; 32]).seal);
        let (tenant, row) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = key.seal(tenant, row, &Secret::new("sk_live_x".into()), &SystemEntropy).expect("seals");
        assert_eq!(key.open(tenant, row, &sealed).expect("opens").expose(), "sk_live_x");
        assert!(key.open(row, tenant, &sealed).is_err() && other.open(tenant, row, &sealed).is_err());
        assert!(key.open(tenant, row, &sealed[..8]).is_err());
        assert!(!format!("{key:?}").contains("1, 1"), "the key does not print");
    }

    #[test]
    fn s78_a_signature_holds_for_its_text_and_key_only() {
        let (key, other) = (DataKeys::with_pepper([1; 32]).audit, DataKeys::with_pepper([2; 32]).audit);
        let signature = key.sign("head");
        assert!(is_signed(key.public(), "head", &signature));
        assert!(!is_signed(key.public(), "heap", &signature) && !is_signed(other.public(), "head", &signature));
        assert!(!is_signed(key.public(), "head", &[]) && !is_signed(&[], "head", &signature));
        assert!(!format!("{key:?}").contains("010101"), "the seed does not print");
    }

    #[test]
    fn a_master_key_is_32_bytes_of_base64() {
        let key = MasterKey::generate(&SystemEntropy);
        let text = key.to_base64();
        assert_eq!(MasterKey::from_base64(text.expose()).expect("valid").0.expose(), key.0.expose());
        for bad in ["", "x", "AAAA"] {
            assert!(MasterKey::from_base64(bad).is_err());
        }
    }
}
