//! What is kept of the mappings of a job from before they were changed: ControllerRevisions that a SyncJob owns and that are
//! deleted with it. A document of some hundred kilobytes has no place in a status. Nothing is watched or cached.

use std::cmp::Reverse;
use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use kube::api::{DeleteParams, ListParams, ObjectMeta, PostParams, Preconditions};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use self::packed::Flaw;
use super::{Error, bounded};
use crate::api::SyncJob;

mod packed;

/// Finds the revisions of a SyncJob; whose they are is what their owner says.
pub const UID_LABEL: &str = "entrain.dev/syncjob-uid";
/// How many revisions of a SyncJob stay.
pub const KEPT_MAX: usize = 3;

/// The member of `data` that holds the content.
const MEMBER: &str = "gzip";
/// The longest name of an object.
const NAME_BYTES_MAX: usize = 253;
/// Of the hash that ends a name, two digits for each.
const HASH_BYTES: usize = 5;

/// What was kept.
#[derive(Clone, PartialEq)]
pub struct Kept<T> {
    /// Of the ControllerRevision.
    pub name: String,
    /// The higher, the later.
    pub revision: i64,
    /// When it was kept, by the clock of the API server.
    pub created: Option<Timestamp>,
    pub content: T,
}

impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("name", &self.name).field("revision", &self.revision).finish_non_exhaustive()
    }
}

/// The content with the highest revision; `None` if nothing was kept. One whose content cannot be read is refused: what
/// people had before is then not known, which is not the same as nothing.
pub async fn newest<T: DeserializeOwned>(client: &Client, object: &SyncJob) -> Result<Option<Kept<T>>, Error> {
    let owner = Owner::of(object)?;
    let Some(found) = owner.revisions(client).await?.into_iter().next() else { return Ok(None) };
    let name = found.name_any();
    let content = packed_in(&found).and_then(packed::unpack);
    let content = content.map_err(|flaw| unreadable(&owner, &name, flaw))?;
    let created = found.creation_timestamp().map(|time| time.0);
    Ok(Some(Kept { name, revision: found.revision, created, content }))
}

/// Keeps a content under a number and returns the name of what holds it. The same content under the same number has the
/// same name, so that this can be repeated after a lost answer. Afterwards at most [`KEPT_MAX`] are left.
pub async fn keep(client: &Client, object: &SyncJob, revision: i64, content: &impl Serialize) -> Result<String, Error> {
    let owner = Owner::of(object)?;
    let content = &serde_json::to_string(content).map_err(|_| unkept(&owner, Flaw::NotReadable))?;
    let made = owner.revision(revision, content)?;
    let name = made.name_any();
    let api = owner.api(client);
    let is_new = bounded(async {
        match api.create(&PostParams::default(), &made).await {
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(false),
            other => other.map(|_| true),
        }
    });
    if !is_new.await? {
        owner.has(client, &name, revision, content).await?;
    }
    if let Err(error) = owner.forget_old(client, &name).await {
        let namespace = &owner.namespace;
        tracing::warn!(namespace, revision = name, %error, "could not delete the oldest kept schemas");
    }
    Ok(name)
}

/// A SyncJob as what owns its revisions.
struct Owner {
    namespace: String,
    name: String,
    uid: String,
    reference: OwnerReference,
}

impl Owner {
    fn of(object: &SyncJob) -> Result<Self, Error> {
        let reference = object.controller_owner_ref(&());
        let (Some(namespace), Some(reference)) = (object.namespace(), reference) else {
            return Err(Error::Refused("the SyncJob was not read from a cluster".to_owned()));
        };
        // A SyncJob does not wait for its revisions to be gone, and saying that it does is a right of its own.
        let reference = OwnerReference { block_owner_deletion: Some(false), ..reference };
        Ok(Self { namespace, name: object.name_any(), uid: reference.uid.clone(), reference })
    }

    fn api(&self, client: &Client) -> Api<ControllerRevision> {
        Api::namespaced(client.clone(), &self.namespace)
    }

    fn owns(&self, found: &ControllerRevision) -> bool {
        found.owner_references().iter().any(|owner| owner.controller == Some(true) && owner.uid == self.uid)
    }

    /// All that it owns, the newest first. Anybody may have set the label.
    async fn revisions(&self, client: &Client) -> Result<Vec<ControllerRevision>, Error> {
        let params = ListParams::default().labels(&format!("{UID_LABEL}={}", self.uid));
        let list = bounded(self.api(client).list(&params)).await?;
        let mut owned: Vec<_> = list.items.into_iter().filter(|found| self.owns(found)).collect();
        owned.sort_by_key(|found| Reverse((found.revision, found.creation_timestamp(), found.name_any())));
        Ok(owned)
    }

    fn revision(&self, revision: i64, content: &str) -> Result<ControllerRevision, Error> {
        let name = self.revision_name(revision, content);
        let packed = packed::pack(content).map_err(|flaw| unkept(self, flaw))?;
        Ok(ControllerRevision {
            metadata: ObjectMeta {
                name: Some(name),
                namespace: Some(self.namespace.clone()),
                labels: Some([(UID_LABEL.to_owned(), self.uid.clone())].into()),
                owner_references: Some(vec![self.reference.clone()]),
                ..ObjectMeta::default()
            },
            data: Some(RawExtension(json!({MEMBER: packed}))),
            revision,
        })
    }

    /// With the uid in it, a SyncJob that was deleted and made once more does not meet what it left; with the number, a
    /// content that returns is the newest.
    fn revision_name(&self, revision: i64, content: &str) -> String {
        let hash = digest(&SHA256, format!("{} {revision} {content}", self.uid).as_bytes());
        let hash = hash.as_ref().iter().take(HASH_BYTES).fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"));
        let room = NAME_BYTES_MAX - HASH_BYTES * 2 - 1;
        let beginning: String = self.name.chars().take(room).collect();
        format!("{}-{hash}", beginning.trim_end_matches(['-', '.']))
    }

    /// Whether what has the name is what was to be kept.
    async fn has(&self, client: &Client, name: &str, revision: i64, wanted: &str) -> Result<(), Error> {
        let found = bounded(self.api(client).get(name)).await?;
        let same = self.owns(&found) && found.revision == revision;
        if same && packed_in(&found).is_ok_and(|packed| packed::holds(packed, wanted)) {
            return Ok(());
        }
        let namespace = &self.namespace;
        Err(Error::Refused(format!("the ControllerRevision {namespace}/{name} exists with another content; delete it")))
    }

    /// The one that was just kept stays, whatever its number.
    async fn forget_old(&self, client: &Client, kept: &str) -> Result<(), Error> {
        let others = self.revisions(client).await?.into_iter().filter(|found| found.name_any() != kept);
        for old in others.skip(KEPT_MAX - 1) {
            let preconditions = Preconditions { uid: old.uid(), ..Preconditions::default() };
            let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
            match bounded(self.api(client).delete(&old.name_any(), &params)).await {
                Ok(_) | Err(Error::Gone | Error::Changed) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn packed_in(found: &ControllerRevision) -> Result<&str, Flaw> {
    let RawExtension(data) = found.data.as_ref().ok_or(Flaw::Absent)?;
    data[MEMBER].as_str().ok_or(Flaw::Absent)
}

fn unreadable(owner: &Owner, name: &str, flaw: Flaw) -> Error {
    let namespace = &owner.namespace;
    Error::Refused(format!(
        "the ControllerRevision {namespace}/{name} holds what cannot be read: {flaw}. Use the version that wrote it, or delete it to go on without what it holds"
    ))
}

fn unkept(owner: &Owner, flaw: Flaw) -> Error {
    Error::Refused(format!("the schema of the SyncJob {}/{} cannot be kept: {flaw}", owner.namespace, owner.name))
}
