//! What people do around SyncJobs: to tenants, Secrets, namespaces and applications.

use std::time::Duration;

use serde_json::Value;

use super::super::By;
use super::super::api::{Content, Key, Kind};
use super::super::graph::schemas::Edit;
use super::super::operator::Ends;

/// What somebody does.
#[derive(Clone, Debug)]
pub enum Around {
    Create(Kind, Key, Value),
    Patch(Kind, Key, Value),
    Delete(Kind, Key),
    /// The Secret in the API server has this value, or is gone.
    Secret(Key, Option<&'static str>),
    /// The Secret holds this, or is gone.
    Content(Key, Option<&'static [(&'static str, &'static str)]>),
    /// The Secret holds this from a moment between two reads on.
    Rotation(Key, &'static [(&'static str, &'static str)]),
    /// Keys of the set of `PRINCIPAL` have these values, or are taken out.
    Portal(&'static [(&'static str, Option<&'static str>)]),
    /// Somebody changes the schema of the newest job of `PRINCIPAL`, or may do so between two reads of it.
    Schema(#[allow(dead_code, reason = "its name stands in stories")] &'static str, Edit),
    SchemaBetween(#[allow(dead_code, reason = "its name stands in stories")] &'static str, Edit),
    /// From now on schemas are refused, or not any more.
    SchemasRefused(bool),
    /// Somebody confirms the change that a SyncJob waits with.
    Confirm(Key),
    /// Somebody deletes the newest ControllerRevision of a namespace.
    LoseRevision(&'static str),
    /// The target takes these tokens, and no others.
    Target(&'static [&'static str]),
    /// These secrets are in force for an application in Entra ID.
    Accept(&'static str, &'static [&'static str]),
    /// The tokens of an application are withdrawn.
    Withdraw(&'static str),
    /// The requests of an application are refused with 429 for so many seconds.
    Throttle(&'static str, u64),
    /// A label of a namespace.
    Label(&'static str, &'static str, Option<&'static str>),
    /// A namespace begins to go. What is in it goes by acts of its own.
    Terminate(&'static str),
}

fn owned(content: &[(&str, &str)]) -> Content {
    content.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

impl Around {
    pub fn perform(self, ends: &Ends) {
        const PERSON: &str = "kubectl";
        match self {
            Self::Create(kind, key, spec) => {
                let object = serde_json::json!({"metadata": {"name": key.name}, "spec": spec});
                let _ = ends.api.of(kind).create(&key.namespace, object, PERSON, By::Person);
            }
            Self::Patch(kind, key, patch) => {
                let _ = ends.api.of(kind).merge_patch(&key, &patch, PERSON, By::Person);
            }
            Self::Delete(kind, key) => {
                let _ = ends.api.of(kind).delete(&key, By::Person);
            }
            Self::Secret(key, value) => ends.api.surroundings().set_secret(&key, value),
            Self::Content(key, content) => ends.api.write_secret(&key, content.map(owned)),
            Self::Rotation(key, content) => ends.api.surroundings().prepare(&key, owned(content)),
            Self::Portal(changes) => {
                let now = ends.clock.stamp();
                ends.graph.service().sets.edit(0, changes, now);
            }
            Self::Schema(_, edit) => {
                let now = ends.clock.stamp();
                ends.graph.service().edit_schema(edit, now);
            }
            Self::SchemaBetween(_, edit) => ends.graph.service().schemas.prepared = Some(edit),
            Self::SchemasRefused(refuses) => ends.graph.service().schemas.refuses = refuses,
            Self::Confirm(key) => {
                let object = ends.api.get(&key);
                let shown =
                    object.and_then(|object| object.value["status"]["mappings"]["confirm"].as_str().map(str::to_owned));
                if let Some(shown) = shown {
                    ends.api
                        .patch(&key, &serde_json::json!({"metadata": {"annotations": {"entrain.dev/confirm": shown}}}));
                }
            }
            Self::LoseRevision(namespace) => ends.api.revisions().lose(namespace),
            Self::Target(tokens) => {
                ends.graph.service().sets.accepted = tokens.iter().map(|&token| token.to_owned()).collect();
            }
            Self::Accept(application, secrets) => ends.graph.service().logins.accept(application, secrets),
            Self::Withdraw(application) => ends.graph.service().logins.withdraw(Some(application)),
            Self::Throttle(application, seconds) => {
                let until = ends.clock.now() + Duration::from_secs(seconds);
                ends.graph.service().shut_for.insert(application.to_owned(), until);
            }
            Self::Label(namespace, label, value) => ends.api.surroundings().label(namespace, label, value),
            Self::Terminate(namespace) => ends.api.surroundings().terminate(namespace),
        }
    }
}
