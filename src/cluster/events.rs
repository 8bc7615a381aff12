//! Events, written apart from the loop: a slow or refused event never delays a reconcile.

use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource};
use tokio::sync::mpsc;

use super::CALL_TIMEOUT;
use crate::api::SyncJob;

const QUEUE_MAX: usize = 1024;
/// The API server refuses a longer note.
const NOTE_BYTES_MAX: usize = 1024;

struct Entry {
    regarding: k8s_openapi::api::core::v1::ObjectReference,
    event: Event,
}

/// The sending end. When the queue is full, events are dropped: all that a person can act on is in a condition as well.
#[derive(Clone)]
pub struct Events(mpsc::Sender<Entry>);

impl Events {
    /// The sending end, and the work that writes what it is given until every sender is gone.
    pub fn new(client: Client, instance: String) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, mut receiver) = mpsc::channel::<Entry>(QUEUE_MAX);
        let reporter = Reporter { controller: "entrain.dev/syncjob".to_owned(), instance: Some(instance) };
        let recorder = Recorder::new(client, reporter);
        let work = async move {
            while let Some(entry) = receiver.recv().await {
                let written =
                    tokio::time::timeout(CALL_TIMEOUT, recorder.publish(&entry.event, &entry.regarding)).await;
                if let Ok(Err(error)) = written {
                    tracing::debug!(error = %super::capped(&error.to_string()), reason = entry.event.reason, "an event was not written");
                }
            }
        };
        (Self(sender), work)
    }

    pub fn send(&self, object: &SyncJob, warning: bool, reason: &str, action: &str, note: &str) {
        let event = Event {
            type_: if warning { EventType::Warning } else { EventType::Normal },
            reason: reason.to_owned(),
            note: Some(cut(note)),
            action: action.to_owned(),
            secondary: None,
        };
        if self.0.try_send(Entry { regarding: object.object_ref(&()), event }).is_err() {
            tracing::debug!(reason, "an event was dropped: the queue is full");
        }
    }
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
    fn a_long_note_is_cut_between_characters() {
        let note = cut(&"ä".repeat(2000));
        assert!(note.len() <= NOTE_BYTES_MAX && note.ends_with('…'));
        assert_eq!(cut("short"), "short");
    }
}
