//! What is known of namespaces, for grants that select by label. Asked again after a short while, and directly before a
//! write, so that a fence that was closed holds for everything that is sent afterwards.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::cluster::read::{self, NamespaceFacts};
use crate::cluster::{self};

/// How long an answer serves the passes that only look.
const KNOWN_FOR: Duration = Duration::from_secs(30);
/// More than this many namespaces are not kept.
const KEPT_MAX: usize = 10_000;

/// How old an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reconcile) enum Age {
    /// A few seconds.
    Recent,
    /// Asked now.
    Now,
}

pub(super) struct NamespaceCache {
    client: kube::Client,
    known: Mutex<HashMap<String, (Instant, Option<NamespaceFacts>)>>,
}

impl NamespaceCache {
    pub fn new(client: kube::Client) -> Self {
        Self { client, known: Mutex::default() }
    }

    /// What the last answer was, however old; nothing is asked.
    pub fn known(&self, name: &str) -> Option<NamespaceFacts> {
        self.known.lock().get(name).and_then(|(_, facts)| facts.clone())
    }

    /// `None` if there is no such namespace.
    pub async fn get(&self, name: &str, age: Age) -> Result<Option<NamespaceFacts>, cluster::Error> {
        if age == Age::Recent
            && let Some((at, facts)) = self.known.lock().get(name)
            && at.elapsed() < KNOWN_FOR
        {
            return Ok(facts.clone());
        }
        let facts = read::namespace(&self.client, name).await?;
        let mut known = self.known.lock();
        if known.len() >= KEPT_MAX {
            known.retain(|_, (at, _)| at.elapsed() < KNOWN_FOR);
        }
        known.insert(name.to_owned(), (Instant::now(), facts.clone()));
        Ok(facts)
    }
}
