//! Lists, then watches, for ever, and never waits without a bound. kube's watcher makes the same calls and has the same
//! events; but it shows no bookmarks, so that nobody can tell a quiet watch from a dead one, it waits for an answer for ever,
//! and it does not list again when the start of a watch is answered by 410.

use std::fmt::{self, Debug};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::core::Status;
use kube::runtime::watcher::Event;
use kube::{Api, Resource, ResourceExt};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};

use crate::cluster::capped;

/// How many objects one page of a list has, as in client-go.
const PAGE: u32 = 500;
/// How long the API server may take for a page of a list, or for the head of the answer to a watch.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// For how long the API server keeps one watch open, in seconds.
const WATCH_SECS: u32 = 120;
/// After this long without a byte the connection of a watch is given up.
const IDLE_MAX: Duration = Duration::from_secs(130);
/// A watch that ends earlier without having shown anything has failed.
const SHORT: Duration = Duration::from_secs(5);
/// After this long without an event or a bookmark, over however many watches, the list is read again. API servers send a
/// bookmark about once a minute.
pub(super) const SILENT_MAX: Duration = Duration::from_secs(300);
/// How many watches may fail in a row before the list is read again.
const FAILURES_MAX: u32 = 5;
/// How often the list is read again although nothing is wrong: a watch may lose an event.
pub(super) const REBUILD_INTERVAL: Duration = Duration::from_secs(4 * 3600);
const BACKOFF_FIRST: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(32);

/// When a watch last showed something: an event, a bookmark, or the end of a list. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Option<Instant>>>);

impl Heard {
    fn something(&self) {
        *self.0.lock() = Some(Instant::now());
    }

    /// For how long nothing was heard; `None` before the first list.
    pub fn silence(&self) -> Option<Duration> {
        self.0.lock().map(|at| at.elapsed())
    }
}

/// Why the list is read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    TooOld,
    WentBack,
    Silent,
    CannotStart,
    Periodic,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooOld => "the API server no longer knows the version to watch from",
            Self::WentBack => "the API server shows older versions than before, as after a restore of its storage",
            Self::Silent => "the watch has shown nothing for too long",
            Self::CannotStart => "the watch failed several times in a row",
            Self::Periodic => "the last list is some hours old",
        })
    }
}

/// How one watch ended badly.
enum Failure {
    Relist(Why),
    Other(String),
}

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        match &error {
            kube::Error::Api(status) => status.as_ref().into(),
            _ => Self::Other(capped(&error.to_string())),
        }
    }
}

impl From<&Status> for Failure {
    fn from(status: &Status) -> Self {
        if status.code == 410 || matches!(status.reason.as_str(), "Expired" | "Gone") {
            return Self::Relist(Why::TooOld);
        }
        Self::Other(capped(&format!("{} ({})", status.message, status.code)))
    }
}

/// Shows what `api` holds, and every change of it, and does not end.
pub(super) async fn follow<K>(api: Api<K>, heard: Heard, mut show: impl FnMut(Event<K>) + Send)
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let mut follower = Follower { api, heard, failures: 0 };
    loop {
        match follower.list(&mut show).await {
            Ok(version) => {
                let why = follower.watch(version, &mut show).await;
                tracing::info!(%why, "listing again");
            }
            Err(error) => follower.failed("listing failed; trying again", &error),
        }
        follower.back_off().await;
    }
}

struct Follower<K> {
    api: Api<K>,
    heard: Heard,
    /// In a row, since a watch last showed something.
    failures: u32,
}

impl<K> Follower<K>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    /// All pages, and the version to watch from.
    async fn list(&mut self, show: &mut (impl FnMut(Event<K>) + Send)) -> Result<String, String> {
        show(Event::Init);
        let mut params = ListParams::default().limit(PAGE);
        loop {
            let page = match timeout(ANSWER_WITHIN, self.api.list(&params)).await {
                Ok(page) => page.map_err(|error| capped(&error.to_string()))?,
                Err(_) => return Err(no_answer()),
            };
            page.items.into_iter().for_each(|object| show(Event::InitApply(object)));
            if let Some(token) = page.metadata.continue_.filter(|token| !token.is_empty()) {
                params = params.continue_token(&token);
                continue;
            }
            let version = page.metadata.resource_version.filter(|version| !version.is_empty());
            let version = version.ok_or_else(|| "the list has no version".to_owned())?;
            show(Event::InitDone);
            self.heard.something();
            return Ok(version);
        }
    }

    /// One watch after the other, until the list is to be read again.
    async fn watch(&mut self, mut version: String, show: &mut (impl FnMut(Event<K>) + Send)) -> Why {
        let (listed, mut failed) = (Instant::now(), 0);
        loop {
            if listed.elapsed() >= REBUILD_INTERVAL {
                return Why::Periodic;
            }
            if self.heard.silence().is_none_or(|silence| silence >= SILENT_MAX) {
                self.failures += 1;
                return Why::Silent;
            }
            match self.watch_once(&mut version, show).await {
                Ok(()) => failed = 0,
                Err(Failure::Relist(why)) => {
                    self.failures += 1;
                    return why;
                }
                Err(Failure::Other(error)) => {
                    failed += 1;
                    self.failed("watching failed; trying again", &error);
                    if failed == FAILURES_MAX {
                        return Why::CannotStart;
                    }
                    self.back_off().await;
                }
            }
        }
    }

    async fn watch_once(
        &mut self,
        version: &mut String,
        show: &mut (impl FnMut(Event<K>) + Send),
    ) -> Result<(), Failure> {
        let (params, began) = (WatchParams::default().timeout(WATCH_SECS), Instant::now());
        let start = timeout(ANSWER_WITHIN, self.api.watch(&params, version)).await;
        let mut stream = start.map_err(|_| Failure::Other(no_answer()))??.boxed();
        let mut silent = true;
        // A connection that went silent is given up without a word: whether the watch is, `watch` finds out.
        while let Ok(next) = timeout(IDLE_MAX, stream.next()).await {
            match next.transpose()? {
                None if silent && began.elapsed() < SHORT => {
                    return Err(Failure::Other("the API server ended the watch at once".to_owned()));
                }
                None => return Ok(()),
                Some(WatchEvent::Added(object) | WatchEvent::Modified(object)) => {
                    self.reached(version, &object.resource_version().unwrap_or_default())?;
                    show(Event::Apply(object));
                }
                Some(WatchEvent::Deleted(object)) => {
                    self.reached(version, &object.resource_version().unwrap_or_default())?;
                    show(Event::Delete(object));
                }
                Some(WatchEvent::Bookmark(bookmark)) => self.reached(version, &bookmark.metadata.resource_version)?,
                Some(WatchEvent::Error(status)) => return Err(status.as_ref().into()),
            }
            silent = false;
        }
        Ok(())
    }

    /// The watch has come to a version.
    fn reached(&mut self, version: &mut String, new: &str) -> Result<(), Failure> {
        let number = |version: &str| version.parse::<u128>().ok();
        if new.is_empty() || number(new).zip(number(version)).is_some_and(|(new, old)| new < old) {
            return Err(Failure::Relist(Why::WentBack));
        }
        new.clone_into(version);
        self.failures = 0;
        self.heard.something();
        Ok(())
    }

    fn failed(&mut self, what: &'static str, error: &str) {
        self.failures += 1;
        tracing::warn!(kind = %K::kind(&()), error, "{what}");
    }

    /// 1 s, 2 s, 4 s … after failures; not at all without one.
    async fn back_off(&self) {
        let Some(before) = self.failures.checked_sub(1) else { return };
        let delay = BACKOFF_FIRST.saturating_mul(1 << before.min(16)).min(BACKOFF_MAX);
        // A pause that nothing shortens.
        let _ = timeout(delay, pending::<()>()).await;
    }
}

fn no_answer() -> String {
    format!("no answer within {} s", ANSWER_WITHIN.as_secs())
}
