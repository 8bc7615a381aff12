//! What is declared, with its Secrets read: by their version where that is known, in full where it is not.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use secrecy::SecretString;

use super::read::{READING_THE_KEY, tag};
use super::vault::{Name, Taken, Vault};
use crate::api::{Mode, SyncJob};
use crate::cluster::fingerprint::FingerprintKey;
use crate::cluster::{self, secrets};
use crate::graph;
use crate::plan::ids::ServicePrincipalId;
use crate::plan::secrets::{Credential, Declared, Gap, Source, Tag, Wanted, WantedKey, WantedValue};
use crate::plan::{Desired, Fact};
use crate::reconcile::context::Context;
use crate::reconcile::sync_job::scene::Scene;
use crate::reconcile::trouble::cluster_trouble;

const READING: &str = "reading a Secret that `spec.credentials` names";
/// Longer than any credential.
const VALUE_BYTES_MAX: usize = 16 * 1024;

pub(in crate::reconcile::sync_job) async fn wanted(scene: &Scene<'_>, object: &SyncJob) -> Fact {
    let context = scene.context;
    let key = match context.fingerprints.key().await {
        Ok(key) => key,
        Err(error) => return Fact::Trouble(cluster_trouble(&error, READING_THE_KEY)),
    };
    let namespace = object.namespace().unwrap_or_default();
    let declared = &scene.desired.content;
    let reader = Reader { client: &context.client, vault: scene.vault, key };
    let credentials = match reader.values(&namespace, &declared.credentials).await {
        Ok(credentials) => credentials,
        Err(error) => return Fact::Trouble(cluster_trouble(&error, READING)),
    };
    let (mut known, mut others, mut holders) = (Vec::new(), Vec::new(), Vec::new());
    for Other { uid, name, namespace, declared: theirs, saved } in others_of(object, scene.desired, context) {
        holders.push(uid);
        let values = reader.values(&namespace, &theirs.credentials).await;
        let same = values.is_ok_and(|values| same_values(&credentials, &values));
        if same && theirs.settings == declared.settings {
            known.extend(saved);
        } else {
            others.push(name);
        }
    }
    Fact::CredentialsRead(Wanted { fingerprint: together(key, &credentials), credentials, known, others, holders })
}

/// Another SyncJob that would save the set.
struct Other {
    uid: String,
    /// `namespace/name`.
    name: String,
    namespace: String,
    declared: Declared,
    /// What it has saved, by its status.
    saved: Vec<(String, Tag)>,
}

/// The other SyncJobs that would save the set of the same service principal: they hold a job of it and declare something.
fn others_of(object: &SyncJob, desired: &Desired, context: &Context) -> Vec<Other> {
    let tenant = |object: &SyncJob| object.status.as_ref().and_then(|status| status.identity.tenant_id.clone());
    let of_the_set = |other: &SyncJob| {
        let principal = ServicePrincipalId::parse(&other.spec.service_principal_id);
        principal.as_ref() == Some(&desired.service_principal) && tenant(other) == tenant(object)
    };
    let mut others: Vec<Other> = context
        .stores
        .state()
        .into_iter()
        .filter(|other| other.uid() != object.uid() && other.metadata.deletion_timestamp.is_none() && of_the_set(other))
        .filter_map(|other| {
            let namespace = other.namespace().unwrap_or_default();
            let Desired { mode, content: declared, .. } = Desired::parse(&other.spec).ok()?;
            let status = other.status.as_ref().filter(|status| status.identity.job_id.is_some())?;
            let saved = status.report.credentials.iter().flat_map(|credentials| &credentials.keys);
            let saved = saved.map(|known| (known.key.clone(), Tag(known.fingerprint.clone()))).collect();
            let name = format!("{namespace}/{}", other.name_any());
            let writes = mode == Mode::Manage && declared.is_any();
            let uid = other.uid().unwrap_or_default();
            writes.then_some(Other { uid, name, namespace, declared, saved })
        })
        .collect();
    others.sort_by(|a, b| a.name.cmp(&b.name));
    others
}

/// Whether both name the same keys with values that are known and mean the same.
fn same_values(ours: &[WantedKey], theirs: &[WantedKey]) -> bool {
    let known = |all: &[WantedKey]| -> Option<Vec<(String, Tag)>> {
        let mut known = Vec::new();
        for WantedKey { key, value } in all {
            match value {
                WantedValue::Known(tag) => known.push((key.to_ascii_lowercase(), tag.clone())),
                WantedValue::Missing(_) | WantedValue::NotRead => return None,
            }
        }
        known.sort_by(|a, b| a.0.cmp(&b.0));
        Some(known)
    };
    known(ours).is_some_and(|ours| known(theirs) == Some(ours))
}

/// One tag of all values; `None` where one is missing.
fn together(key: &FingerprintKey, credentials: &[WantedKey]) -> Option<Tag> {
    let mut parts: Vec<String> = Vec::new();
    for WantedKey { key, value } in credentials {
        match value {
            WantedValue::Known(tag) => parts.push(format!("{}={}", key.to_ascii_lowercase(), tag.0)),
            WantedValue::Missing(_) | WantedValue::NotRead => return None,
        }
    }
    parts.sort_unstable();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    Some(Tag(key.tag(&parts)))
}

struct Reader<'a> {
    client: &'a kube::Client,
    vault: &'a Vault,
    key: &'a FingerprintKey,
}

impl Reader<'_> {
    /// The tags of these credentials, in their order.
    async fn values(&self, namespace: &str, credentials: &[Credential]) -> Result<Vec<WantedKey>, cluster::Error> {
        let mut wanted = Vec::with_capacity(credentials.len());
        for credential in credentials {
            let value = match &credential.source {
                Source::Value(value) => WantedValue::Known(tag(self.key, &credential.key, value)),
                Source::Secret { name, key } => self.value(namespace, name, key, &credential.key).await?,
            };
            wanted.push(WantedKey { key: credential.key.clone(), value });
        }
        Ok(wanted)
    }

    async fn value(
        &self,
        namespace: &str,
        secret: &str,
        key: &str,
        credential: &str,
    ) -> Result<WantedValue, cluster::Error> {
        let name: Name = (namespace.to_owned(), secret.to_owned());
        let taken: Taken = (key.to_owned(), credential.to_ascii_lowercase());
        let none = || WantedValue::Missing(Gap::NoSecret { secret: secret.to_owned() });
        let Some(version) = secrets::secret_version(self.client, namespace, secret).await? else { return Ok(none()) };
        if let Some(known) = self.vault.known(&name, &version, &taken) {
            return Ok(known);
        }
        let Some(object) = secrets::secret(self.client, namespace, secret).await? else { return Ok(none()) };
        let value = match text(&object, secret, key) {
            Ok(value) => WantedValue::Known(tag(self.key, credential, secrecy::ExposeSecret::expose_secret(&value))),
            Err(gap) => WantedValue::Missing(gap),
        };
        let version = secrets::SecretVersion::of(&object.metadata);
        self.vault.keep(name, version, taken, value.clone());
        Ok(value)
    }
}

/// The value of a key of a Secret, as it can be sent.
pub(super) fn text(object: &Secret, secret: &str, key: &str) -> Result<SecretString, Gap> {
    let invalid = |why| Gap::Invalid { secret: secret.to_owned(), key: key.to_owned(), why };
    let Some(bytes) = object.data.as_ref().and_then(|data| data.get(key)) else {
        return Err(Gap::NoKey { secret: secret.to_owned(), key: key.to_owned() });
    };
    let text = std::str::from_utf8(&bytes.0).map_err(|_| invalid("is not text"))?;
    // Editors and `echo` end a file with a line break.
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    if text.trim().is_empty() {
        return Err(invalid("is empty, and an empty value is never sent"));
    }
    if text.len() > VALUE_BYTES_MAX {
        return Err(invalid("is longer than 16 KiB"));
    }
    if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(invalid("holds control characters"));
    }
    if graph::is_masked("", text) {
        return Err(invalid("looks like the mask that Graph shows in place of a secret, and is never sent"));
    }
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use k8s_openapi::ByteString;
    use secrecy::ExposeSecret;

    use super::*;

    fn secret(value: &[u8]) -> Secret {
        Secret { data: Some(BTreeMap::from([("token".to_owned(), ByteString(value.to_vec()))])), ..Secret::default() }
    }

    #[test]
    fn a_value_that_must_not_be_sent_is_a_gap_with_its_reason() {
        let read = |value: &[u8]| text(&secret(value), "box", "token").map(|text| text.expose_secret().to_owned());
        for (value, text) in
            [(&b"t0ken"[..], "t0ken"), (b"t0ken\n", "t0ken"), (b"t0ken\r\n", "t0ken"), (b"a\nb", "a\nb")]
        {
            assert_eq!(read(value).unwrap(), text);
        }
        for bad in [&b""[..], b"\n", b"   ", b"*", b"****", b"a\x07b", b"\xff\xfe", &vec![b'a'; 20_000]] {
            assert!(matches!(read(bad), Err(Gap::Invalid { .. })), "{:?}", &bad[..bad.len().min(9)]);
        }
        let absent = text(&secret(b"x"), "box", "other");
        assert!(matches!(absent, Err(Gap::NoKey { secret, key }) if secret == "box" && key == "other"));
    }
}
