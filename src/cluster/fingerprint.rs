//! Keyed fingerprints of values that no status may show. The key is in a Secret of the operator's namespace; the operator
//! makes it where it is absent, and of two replicas that do so at once one wins.

use std::collections::BTreeMap;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::rand;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ObjectMeta, Patch, PatchParams};
use kube::{Api, Client};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{Error, bounded, secrets};

/// The Secret that holds the key. The operator may read and write this one, and no other of its namespace.
pub const NAME: &str = "entrain-fingerprint";
/// Where the key is in it.
pub const KEY: &str = "key";

const BYTES: usize = 32;
/// How much of the code a fingerprint shows.
const SHOWN: usize = 16;
/// How often the key is looked for and made before its Secret counts as one that others keep changing.
const ATTEMPTS: usize = 4;

/// The key of fingerprints. There is no way to print it.
#[derive(Clone)]
pub struct FingerprintKey(hmac::Key);

impl FingerprintKey {
    /// The key of this namespace. It is made where the Secret is absent or has none.
    pub async fn of(client: &Client, namespace: &str) -> Result<Self, Error> {
        for _ in 0..ATTEMPTS {
            if let Some(key) = stored(secrets::secret(client, namespace, NAME).await?.as_ref(), namespace)? {
                return Ok(key);
            }
            match make(client, namespace).await {
                // Another replica was faster, or somebody deleted it in the meantime: what is there now decides.
                Err(Error::Changed | Error::Gone) => {}
                Err(error) => return Err(error),
                Ok(made) => {
                    if let Some(key) = stored(Some(&made), namespace)? {
                        return Ok(key);
                    }
                }
            }
        }
        Err(Error::Unavailable(format!("the Secret {namespace}/{NAME} keeps changing")))
    }

    /// The fingerprint of these parts in this order: "hmac-" and 32 hexadecimal digits.
    pub fn tag(&self, parts: &[&str]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            // With its length in front, no other split of the same text has the same fingerprint.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let code = context.sign();
        code.as_ref().iter().take(SHOWN).fold("hmac-".to_owned(), |tag, byte| format!("{tag}{byte:02x}"))
    }

    /// A key for what is compared within one run and kept nowhere.
    pub fn of_one_run() -> Self {
        Self(hmac::Key::new(HMAC_SHA256, Uuid::new_v4().as_bytes()))
    }

    /// A key that a test chooses.
    pub fn for_tests(material: [u8; BYTES]) -> Self {
        Self(hmac::Key::new(HMAC_SHA256, &material))
    }
}

/// The key in a Secret; `None` where it is still to be made.
fn stored(secret: Option<&Secret>, namespace: &str) -> Result<Option<FingerprintKey>, Error> {
    let Some(ByteString(material)) = secret.and_then(|secret| secret.data.as_ref()?.get(KEY)) else { return Ok(None) };
    if material.len() != BYTES {
        return Err(Error::Refused(format!(
            "`{KEY}` of the Secret {namespace}/{NAME} does not have {BYTES} bytes; delete the Secret, and the operator makes it once more"
        )));
    }
    Ok(Some(FingerprintKey(hmac::Key::new(HMAC_SHA256, material))))
}

/// Applies a key under a name that nobody else has as manager of fields: the API server then refuses to change a key that
/// is already there. Unlike `create`, an apply is for one name, and so the right to it can be for that name only.
async fn make(client: &Client, namespace: &str) -> Result<Secret, Error> {
    let mut material = vec![0; BYTES];
    rand::fill(&mut material).map_err(|_| Error::Unavailable("the system gave no random bytes".to_owned()))?;
    let secret = Secret {
        metadata: ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() },
        data: Some(BTreeMap::from([(KEY.to_owned(), ByteString(material))])),
        immutable: Some(true),
        ..Secret::default()
    };
    let manager = PatchParams::apply(&format!("{NAME}-{}", Uuid::new_v4().simple()));
    let api = Api::<Secret>::namespaced(client.clone(), namespace);
    let made = bounded(api.patch(NAME, &manager, &Patch::Apply(&secret))).await?;
    tracing::info!(namespace, secret = NAME, "made the key of fingerprints");
    Ok(made)
}

/// The key once a pass needs it: an operator without such a pass needs no right to its Secret.
pub struct Fingerprints {
    client: Client,
    namespace: String,
    key: OnceCell<FingerprintKey>,
}

impl Fingerprints {
    /// Of the operator's namespace. Nothing is read before it is needed.
    pub fn new(client: Client, namespace: String) -> Self {
        Self { client, namespace, key: OnceCell::new() }
    }

    /// With a key that a test chooses.
    pub fn for_tests(client: Client, key: FingerprintKey) -> Self {
        Self { key: OnceCell::new_with(Some(key)), ..Self::new(client, String::new()) }
    }

    /// The same for as long as the process lives. Of several that ask for it at once one reads it; after an error the next
    /// one tries again.
    pub async fn key(&self) -> Result<&FingerprintKey, Error> {
        self.key.get_or_try_init(|| FingerprintKey::of(&self.client, &self.namespace)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> FingerprintKey {
        FingerprintKey::for_tests([7; BYTES])
    }

    #[test]
    fn a_fingerprint_depends_on_the_key_and_on_every_part_and_where_it_ends() {
        let tag = key().tag(&["SecretToken", "hunter2"]);
        // As other tools compute it: HMAC-SHA256 over the lengths in eight bytes and the parts.
        assert_eq!(tag, "hmac-75f9ed44c924f199540370651aca1a09");
        for other in [&["SecretToken", "hunter3"][..], &["SecretTokenh", "unter2"], &["hunter2", "SecretToken"], &[]] {
            assert_ne!(key().tag(other), tag, "{other:?}");
        }
        assert_ne!(FingerprintKey::for_tests([8; BYTES]).tag(&["SecretToken", "hunter2"]), tag);
    }

    #[test]
    fn a_key_of_another_length_is_no_key_and_none_is_one_to_be_made() {
        let secret = |name: &str, length: usize| Secret {
            data: Some(BTreeMap::from([(name.to_owned(), ByteString(vec![7; length]))])),
            ..Secret::default()
        };
        let read = |secret: &Secret| stored(Some(secret), "ops").map(|key| key.map(|key| key.tag(&[])));
        assert_eq!(read(&secret(KEY, BYTES)).unwrap(), Some(key().tag(&[])));
        for absent in [secret("other", BYTES), Secret::default()] {
            assert_eq!(read(&absent).unwrap(), None);
        }
        for length in [0, 31, 33] {
            let refused = read(&secret(KEY, length)).unwrap_err();
            assert!(matches!(&refused, Error::Refused(text) if text.contains("ops/entrain-fingerprint")), "{length}");
        }
    }
}
