//! Watches as streams of lines: what is in the log after a version, each line no earlier than the lag of the watch allows,
//! bookmarks, and the ways in which a watch ends.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use futures::FutureExt;
use parking_lot::Mutex;
use tokio::time::{Sleep, sleep_until};

use super::super::By;
use super::super::schedule::{Schedule, Site};
use super::answer;
use super::store::{Change, Interruption, Store, Version};

/// How often a watch that asked for bookmarks has one.
const BOOKMARK_PERIOD: Duration = Duration::from_secs(60);
/// Lines never come later than this after the write.
pub const LAG_MAX: Duration = Duration::from_secs(20);

/// What a watch is asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub namespace: Option<String>,
    /// The lines begin after this version; `None` or 0: with all that is there.
    pub from: Option<u64>,
    /// The end of what is there at first is marked.
    pub initial: bool,
    pub bookmarks: bool,
    pub seconds: Option<u64>,
}

/// What is wrong with a watch from its beginning on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    pub lag: Duration,
    pub ends: Option<(Duration, Interruption)>,
}

impl Weather {
    pub fn fair() -> Self {
        Self { lag: Duration::ZERO, ends: None }
    }

    pub fn draw(schedule: &Schedule) -> Self {
        let part = |most| schedule.part(Site::ApiWatch, most);
        let ends = |how| Self { ends: Some((part(Duration::from_secs(120)), how)), ..Self::fair() };
        match schedule.fault(Site::ApiWatch, 4) {
            0 => Self::fair(),
            1 => Self { lag: part(LAG_MAX), ..Self::fair() },
            2 => ends(Interruption::Lost),
            3 => ends(Interruption::Silent),
            _ => ends(Interruption::Gone),
        }
    }
}

/// A watch that is open.
pub struct Stream {
    store: Arc<Mutex<Store>>,
    id: u64,
    by: By,
    asked: Asked,
    weather: Weather,
    /// The next place in the log to look at.
    next: usize,
    /// The version that the stream has come to.
    number: u64,
    first: VecDeque<Bytes>,
    began: Duration,
    bookmark: Duration,
    timer: Pin<Box<Sleep>>,
    over: bool,
}

impl Stream {
    /// Opens a watch. The version that it begins at must not be too old.
    pub fn open(shared: &Arc<Mutex<Store>>, store: &mut Store, by: By, asked: Asked, weather: Weather) -> Self {
        let began = store.clock.now();
        let fresh = asked.initial || asked.from.is_none_or(|from| from == 0);
        let mut first = VecDeque::new();
        if fresh {
            let objects: Vec<_> = store.objects.values().filter(|object| asked.shows(object)).cloned().collect();
            for object in &objects {
                store.show(by, object, true);
            }
            first.extend(objects.iter().map(|object| line("ADDED", &object.json)));
        }
        let number = if fresh { store.number } else { asked.from.unwrap_or_default() };
        if asked.initial {
            first.push_back(bookmark(number, true));
        }
        // A version that is newer than all of the log, as after a restored backup, is waited for in silence.
        let next = store.log.partition_point(|logged| logged.number <= number);
        let timer = Box::pin(sleep_until(store.clock.instant(began)));
        let (id, store) = (store.open_watch(by), shared.clone());
        Self { store, id, by, asked, weather, next, number, first, began, bookmark: began, timer, over: false }
    }

    pub fn poll_line(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.over {
            return Poll::Ready(None);
        }
        if let Some(line) = self.first.pop_front() {
            return Poll::Ready(Some(Ok(line)));
        }
        let shared = self.store.clone();
        let store = &mut *shared.lock();
        let now = store.clock.now();
        match self.interruption(store, now) {
            Some(Interruption::Lost) => {
                self.over = true;
                let error = io::Error::new(io::ErrorKind::UnexpectedEof, "the connection broke");
                return Poll::Ready(Some(Err(error)));
            }
            Some(Interruption::Gone) => {
                self.over = true;
                let status = answer::status(410, "Expired", "too old resource version");
                return Poll::Ready(Some(Ok(line("ERROR", status.to_string().as_bytes()))));
            }
            Some(Interruption::Silent) => {
                self.await_change(store, context);
                return Poll::Pending;
            }
            None => {}
        }
        if let Some(line) = self.due(store, now) {
            return Poll::Ready(Some(Ok(line)));
        }
        if self.end().is_some_and(|end| now >= end) {
            self.over = true;
            return Poll::Ready(None);
        }
        if self.asked.bookmarks && now >= self.bookmark + BOOKMARK_PERIOD {
            self.bookmark = now;
            // The server marks its own progress, and no watch is shown what is older than where it began.
            if self.number > store.number {
                return self.sleep(store, context);
            }
            return Poll::Ready(Some(Ok(bookmark(self.number, false))));
        }
        self.sleep(store, context)
    }

    fn interruption(&self, store: &Store, now: Duration) -> Option<Interruption> {
        let own = self.weather.ends.filter(|(after, _)| now >= self.began + *after).map(|(_, how)| how);
        store.watchers.get(&self.id).and_then(|watcher| watcher.interruption).or(own)
    }

    /// The next line that the lag allows.
    fn due(&mut self, store: &mut Store, now: Duration) -> Option<Bytes> {
        while let Some(logged) = store.log.get(self.next).cloned() {
            if logged.number > self.number && now < logged.at + self.weather.lag {
                return None;
            }
            self.next += 1;
            if logged.number <= self.number {
                continue;
            }
            self.number = logged.number;
            if self.asked.shows(&logged.object) {
                store.show(self.by, &logged.object, false);
                let kind = match logged.change {
                    Change::Added => "ADDED",
                    Change::Modified => "MODIFIED",
                    Change::Deleted => "DELETED",
                };
                return Some(line(kind, &logged.object.json));
            }
        }
        None
    }

    fn end(&self) -> Option<Duration> {
        self.asked.seconds.map(|seconds| self.began + Duration::from_secs(seconds))
    }

    fn await_change(&self, store: &mut Store, context: &Context<'_>) {
        if let Some(watcher) = store.watchers.get_mut(&self.id) {
            watcher.waker = Some(context.waker().clone());
        }
    }

    fn sleep(&mut self, store: &mut Store, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let lagging = store.log.get(self.next).map(|logged| logged.at + self.weather.lag);
        let ends = self.weather.ends.map(|(after, _)| self.began + after);
        let bookmark = self.asked.bookmarks.then(|| self.bookmark + BOOKMARK_PERIOD);
        self.await_change(store, context);
        if let Some(wake) = [lagging, ends, bookmark, self.end()].into_iter().flatten().min() {
            let wake = store.clock.instant(wake);
            if self.timer.deadline() != wake {
                self.timer.as_mut().reset(wake);
            }
            if self.timer.poll_unpin(context).is_ready() {
                context.waker().wake_by_ref();
            }
        }
        Poll::Pending
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.store.lock().watchers.remove(&self.id);
    }
}

impl Asked {
    fn shows(&self, object: &Version) -> bool {
        self.namespace.as_ref().is_none_or(|namespace| *namespace == object.key.namespace)
    }
}

fn line(kind: &str, object: &[u8]) -> Bytes {
    let mut line = BytesMut::with_capacity(object.len() + 40);
    line.put_slice(b"{\"type\":\"");
    line.put_slice(kind.as_bytes());
    line.put_slice(b"\",\"object\":");
    line.put_slice(object);
    line.put_slice(b"}\n");
    line.freeze()
}

fn bookmark(number: u64, ends_the_first: bool) -> Bytes {
    let annotations = if ends_the_first { r#","annotations":{"k8s.io/initial-events-end":"true"}"# } else { "" };
    let object = format!(
        r#"{{"apiVersion":"entrain.dev/v1alpha1","kind":"SyncJob","metadata":{{"resourceVersion":"{number}"{annotations}}}}}"#
    );
    line("BOOKMARK", object.as_bytes())
}
