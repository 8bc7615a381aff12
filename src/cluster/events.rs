//! Events, written apart from the loop: a slow or refused event never delays a pass. The server is protected from floods
//! here, as in client-go and unlike in kube-rs: a bucket for each object, the same note not twice in a row, and one rate
//! for all.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client, Resource};
use tokio::sync::mpsc;

use super::CALL_TIMEOUT;
use crate::api::tenant::TenantKind;

const QUEUE_MAX: usize = 1024;
/// The API server refuses a longer note, and a longer name of an instance.
const NOTE_BYTES_MAX: usize = 1024;
const INSTANCE_CHARS_MAX: usize = 128;
/// Who reports, by what the Event is about.
const OF_SYNC_JOBS: &str = "entrain.dev/syncjob";
const OF_TENANTS: &str = "entrain.dev/tenant";

/// client-go's numbers for one object (`tools/record/events_cache.go`).
const OBJECT_BURST: NonZeroU32 = NonZeroU32::new(25).unwrap();
const OBJECT_PERIOD: Duration = Duration::from_secs(300);
/// The same words about the same object are not repeated within this time.
const REPEAT_PERIOD: Duration = Duration::from_secs(300);
/// For all objects together.
const ALL_PER_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();
const ALL_BURST: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// The sending end. What is too much is dropped: all that a person can act on is in a condition as well.
#[derive(Clone)]
pub struct Events {
    queue: mpsc::Sender<Event>,
    limits: Arc<Limits>,
    instance: String,
}

impl Events {
    /// The sending end, and the work that writes what it is given until every sender is gone. `instance` names this pod.
    pub fn new(client: Client, instance: &str) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (queue, mut receiver) = mpsc::channel::<Event>(QUEUE_MAX);
        let work = async move {
            let rate: DefaultDirectRateLimiter =
                RateLimiter::direct(Quota::per_second(ALL_PER_SECOND).allow_burst(ALL_BURST));
            while let Some(event) = receiver.recv().await {
                rate.until_ready().await;
                write(&client, &event).await;
            }
        };
        let instance = instance.chars().take(INSTANCE_CHARS_MAX).collect();
        (Self { queue, limits: Arc::new(Limits::new()), instance }, work)
    }

    /// About an object of any kind; of one without a namespace, in the namespace `default`, as the API server wants it.
    pub fn send(
        &self,
        object: &impl Resource<DynamicType = ()>,
        warning: bool,
        reason: &str,
        action: &str,
        note: &str,
    ) {
        self.send_about(object.object_ref(&()), warning, reason, action, note);
    }

    /// About a namespace. While it is being deleted, the API server takes no Event in it: this one goes to the namespace
    /// `default`, where Events about what is in no namespace are.
    pub fn send_about_namespace(&self, name: &str, warning: bool, reason: &str, action: &str, note: &str) {
        let (kind, api_version) = (Some("Namespace".to_owned()), Some("v1".to_owned()));
        let regarding =
            ObjectReference { kind, api_version, name: Some(name.to_owned()), ..ObjectReference::default() };
        self.send_about(regarding, warning, reason, action, note);
    }

    fn send_about(&self, regarding: ObjectReference, warning: bool, reason: &str, action: &str, note: &str) {
        let uid = regarding.uid.as_deref().unwrap_or_default();
        if !self.limits.allow(uid, reason, note) {
            tracing::debug!(reason, "an event was dropped: too many of one object");
            return;
        }
        let event = self.event(regarding, warning, reason, action, note);
        if self.queue.try_send(event).is_err() {
            tracing::debug!(reason, "an event was dropped: the queue is full");
        }
    }

    #[expect(clippy::disallowed_methods, reason = "an Event says at what time of day something happened")]
    fn event(&self, regarding: ObjectReference, warning: bool, reason: &str, action: &str, note: &str) -> Event {
        let (now, name) = (Timestamp::now(), regarding.name.clone().unwrap_or_default());
        let controller = controller(&regarding);
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{name}.{:x}", now.as_nanosecond())),
                namespace: regarding.namespace.clone(),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(now)),
            type_: Some(if warning { "Warning" } else { "Normal" }.to_owned()),
            reason: Some(reason.to_owned()),
            action: Some(action.to_owned()),
            note: Some(cut(note)),
            regarding: Some(regarding),
            reporting_controller: Some(controller.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            ..Event::default()
        }
    }
}

fn controller(regarding: &ObjectReference) -> &'static str {
    let is = |kind: TenantKind| regarding.kind.as_deref() == Some(kind.name());
    let of_tenant = is(TenantKind::EntraTenant) || is(TenantKind::ClusterEntraTenant);
    if of_tenant { OF_TENANTS } else { OF_SYNC_JOBS }
}

async fn write(client: &Client, event: &Event) {
    let namespace = event.metadata.namespace.as_deref().unwrap_or("default");
    let api = Api::<Event>::namespaced(client.clone(), namespace);
    let parameters = PostParams::default();
    let reason = event.reason.as_deref().unwrap_or_default();
    match tokio::time::timeout(CALL_TIMEOUT, api.create(&parameters, event)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::debug!(error = %super::capped(&error.to_string()), reason, "an event was not written");
        }
        Err(_) => tracing::debug!(reason, "an event was not written in time"),
    }
}

/// Limits per object.
struct Limits {
    objects: DefaultKeyedRateLimiter<u64>,
    repeats: DefaultKeyedRateLimiter<u64>,
}

impl Limits {
    /// Above this number of keys, those that no longer limit anything are evicted.
    const KEYS_MAX: usize = 10_000;

    fn new() -> Self {
        // `with_period` answers `None` only for a period of zero.
        let quota = |period| Quota::with_period(period).unwrap_or(Quota::per_second(ALL_PER_SECOND));
        Self {
            objects: RateLimiter::keyed(quota(OBJECT_PERIOD).allow_burst(OBJECT_BURST)),
            repeats: RateLimiter::keyed(quota(REPEAT_PERIOD)),
        }
    }

    fn allow(&self, uid: &str, reason: &str, note: &str) -> bool {
        for limiter in [&self.objects, &self.repeats] {
            if limiter.len() > Self::KEYS_MAX {
                limiter.retain_recent();
            }
        }
        let is_new = self.repeats.check_key(&key(&(uid, reason, note))).is_ok();
        is_new && self.objects.check_key(&key(&uid)).is_ok()
    }
}

fn key(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Cuts at a character boundary and marks the cut.
fn cut(note: &str) -> String {
    const MARK: &str = "…";
    if note.len() <= NOTE_BYTES_MAX {
        return note.to_owned();
    }
    let mut end = NOTE_BYTES_MAX - MARK.len();
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{MARK}", &note[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_names_the_controller_of_what_it_is_about() {
        let of =
            |kind: &str| controller(&ObjectReference { kind: Some(kind.to_owned()), ..ObjectReference::default() });
        assert_eq!(["SyncJob", "Namespace"].map(of), [OF_SYNC_JOBS; 2]);
        assert_eq!(["EntraTenant", "ClusterEntraTenant"].map(of), [OF_TENANTS; 2]);
    }

    #[test]
    fn a_long_note_is_cut_between_characters() {
        let note = cut(&"ä".repeat(2000));
        assert!(note.len() <= NOTE_BYTES_MAX && note.ends_with('…'));
        assert_eq!(cut("short"), "short");
    }

    #[test]
    fn the_same_note_is_sent_once_and_other_notes_at_once() {
        let limits = Limits::new();
        assert!(limits.allow("a", "Throttled", "wait 1"));
        assert!(!limits.allow("a", "Throttled", "wait 1"));
        assert!(limits.allow("a", "Throttled", "wait 2") && limits.allow("b", "Throttled", "wait 1"));
    }

    #[test]
    fn an_object_sends_no_more_than_its_burst() {
        let limits = Limits::new();
        let sent = (0..100).filter(|n| limits.allow("a", "Throttled", &format!("wait {n}"))).count();
        assert_eq!(sent, 25);
        assert!(limits.allow("b", "Throttled", "wait"));
    }
}
