//! What the API server in memory promises about watches, asked by a real client and by the watch of kube-runtime.

use std::time::Duration;

use entrain::api::SyncJob;
use entrain::cluster::watch::Seen;
use futures::{Stream, StreamExt};
use kube::api::{WatchEvent, WatchParams};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api as Kube, ResourceExt};
use serde_json::json;
use tokio::sync::mpsc::unbounded_channel;

use super::tests::{clock, spec};
use super::*;
use crate::world::schedule::{Choice, Mix, Site};

fn world() -> (Api, Kube<SyncJob>) {
    let api = Api::new(clock(), Schedule::quiet());
    (api.clone(), Kube::namespaced(api.client(0), "apps"))
}

fn key(name: &str) -> Key {
    Key::new("apps", name)
}

/// An event as a short text.
fn told(event: Option<kube::Result<WatchEvent<SyncJob>>>) -> String {
    match event {
        None => "end".to_owned(),
        Some(Err(error)) => format!("error {error}"),
        Some(Ok(WatchEvent::Added(object))) => format!("added {}", object.name_any()),
        Some(Ok(WatchEvent::Modified(object))) => format!("modified {}", object.name_any()),
        Some(Ok(WatchEvent::Deleted(object))) => format!("deleted {}", object.name_any()),
        Some(Ok(WatchEvent::Bookmark(mark))) if mark.metadata.annotations.is_empty() => "bookmark".to_owned(),
        Some(Ok(WatchEvent::Bookmark(_))) => "end of the first".to_owned(),
        Some(Ok(WatchEvent::Error(status))) => format!("error {}", status.code),
    }
}

/// What comes within this many seconds.
async fn within(
    stream: &mut (impl Stream<Item = kube::Result<WatchEvent<SyncJob>>> + Unpin),
    seconds: u64,
) -> Vec<String> {
    let (mut seen, end) = (Vec::new(), tokio::time::Instant::now() + Duration::from_secs(seconds));
    while let Ok(event) = tokio::time::timeout_at(end, stream.next()).await {
        let last = event.is_none();
        seen.push(told(event));
        if last {
            break;
        }
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn a_watch_shows_what_is_there_and_then_every_change_in_order() {
    let (api, jobs) = world();
    api.create(&key("a"), &spec());
    let mut stream = jobs.watch(&WatchParams::default(), "0").await.unwrap().boxed();
    assert_eq!(within(&mut stream, 1).await, ["added a"]);
    api.create(&key("b"), &spec());
    api.touch(&key("a"));
    api.create(&Key::new("other", "c"), &spec());
    api.delete(&key("b"));
    assert_eq!(within(&mut stream, 1).await, ["added b", "modified a", "deleted b"]);
    assert_eq!(within(&mut stream, 70).await, ["bookmark"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_where_it_is_asked_to_and_ends_when_it_is_asked_to() {
    let (api, jobs) = world();
    api.create(&key("a"), &spec());
    let from = api.create(&key("b"), &spec()).number;
    api.touch(&key("a"));
    let params = WatchParams::default().timeout(90);
    let mut stream = jobs.watch(&params, &from.to_string()).await.unwrap().boxed();
    assert_eq!(within(&mut stream, 100).await, ["modified a", "bookmark", "end"]);
    assert!(api.store().watchers.len() == 1);
    drop(stream);
    assert!(api.store().watchers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_first_list_as_a_stream_has_its_end_marked() {
    let (api, jobs) = world();
    api.create(&key("a"), &spec());
    let params = WatchParams::streaming_lists();
    let mut stream = jobs.watch(&params, "0").await.unwrap().boxed();
    assert_eq!(within(&mut stream, 1).await, ["added a", "end of the first"]);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_too_old_is_gone_at_the_start_and_in_the_stream() {
    let (api, jobs) = world();
    let old = api.create(&key("a"), &spec()).number;
    api.touch(&key("a"));
    let mut stream = jobs.watch(&WatchParams::default(), &old.to_string()).await.unwrap().boxed();
    assert_eq!(within(&mut stream, 1).await, ["modified a"]);
    api.store().compact();
    let Err(kube::Error::Api(status)) = jobs.watch(&WatchParams::default(), &old.to_string()).await.map(drop) else {
        panic!("a watch from a compacted version began")
    };
    assert_eq!(status.code, 410);
    api.store().interrupt(None, Interruption::Gone);
    assert_eq!(within(&mut stream, 1).await, ["error 410", "end"]);
}

#[tokio::test(start_paused = true)]
async fn watches_fall_silent_and_break_as_they_are_made_to() {
    let (api, jobs) = world();
    let other: Kube<SyncJob> = Kube::namespaced(api.client(1), "apps");
    let open = async |jobs: &Kube<SyncJob>| jobs.watch(&WatchParams::default(), "0").await.unwrap().boxed();
    let (mut silent, mut heard) = (open(&jobs).await, open(&other).await);
    api.cut_off(0, true);
    api.create(&key("a"), &spec());
    assert_eq!(within(&mut silent, 1000).await, Vec::<String>::new());
    assert_eq!(within(&mut heard, 1).await[0], "added a");
    api.store().interrupt(None, Interruption::Lost);
    // The client takes a broken connection for the end of the watch.
    assert_eq!(
        (within(&mut silent, 1).await, within(&mut heard, 1).await),
        (vec!["end".to_owned()], vec!["end".to_owned()])
    );
}

#[tokio::test(start_paused = true)]
async fn a_lagging_watch_shows_each_change_later() {
    let choice = |site, of, took| Choice { site, of, took };
    // No fault on the way, a lag, half of the longest, and no latency.
    let draws = [
        choice(Site::ApiWatch, 8, 0),
        choice(Site::ApiWatch, 5, 1),
        choice(Site::ApiWatch, 16, 7),
        choice(Site::Latency, 8, 0),
    ];
    let api = Api::new(clock(), Schedule::recorded(&draws, Mix::everywhere(1, 1000)));
    let jobs: Kube<SyncJob> = Kube::namespaced(api.client(0), "apps");
    let mut stream = jobs.watch(&WatchParams::default(), "1").await.unwrap().boxed();
    api.create(&key("a"), &spec());
    assert_eq!(within(&mut stream, 9).await, Vec::<String>::new());
    api.create(&key("b"), &spec());
    assert_eq!(within(&mut stream, 2).await, ["added a"]);
    assert_eq!(within(&mut stream, 9).await, ["added b"]);
}

#[tokio::test(start_paused = true)]
async fn after_a_restored_backup_a_watch_from_the_future_shows_nothing_until_then() {
    let (api, jobs) = world();
    api.create(&key("a"), &spec());
    let snapshot = api.store().snapshot();
    api.touch(&key("a"));
    let future = api.store().number;
    api.store().restore(&snapshot);
    let mut stream = jobs.watch(&WatchParams::default(), &future.to_string()).await.unwrap().boxed();
    api.create(&key("b"), &spec());
    assert_eq!(within(&mut stream, 1).await, Vec::<String>::new(), "its version was used before");
    api.create(&key("c"), &spec());
    assert_eq!(within(&mut stream, 1).await, ["added c"]);
}

#[tokio::test(start_paused = true)]
async fn the_watch_of_kube_runtime_lists_watches_and_lists_again() {
    let (api, jobs) = world();
    api.create(&key("a"), &spec());
    for config in [watcher::Config::default(), watcher::Config::default().streaming_lists()] {
        let mut stream = watcher(jobs.clone(), config).boxed();
        let mut next = async || match stream.next().await.unwrap() {
            Ok(Event::Init) => "init".to_owned(),
            Ok(Event::InitApply(object)) => format!("first {}", object.name_any()),
            Ok(Event::InitDone) => "done".to_owned(),
            Ok(Event::Apply(object)) => format!("apply {}", object.name_any()),
            Ok(Event::Delete(object)) => format!("delete {}", object.name_any()),
            Err(_) => "error".to_owned(),
        };
        assert_eq!([next().await, next().await, next().await], ["init", "first a", "done"]);
        api.create(&key("b"), &spec());
        assert_eq!(next().await, "apply b");
        api.delete(&key("b"));
        assert_eq!(next().await, "delete b");
        api.store().interrupt(None, Interruption::Gone);
        assert_eq!([next().await, next().await, next().await], ["error", "init", "first a"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_store_of_the_product_follows() {
    let (api, _) = world();
    let watches = entrain::cluster::watch::sync_jobs(&api.client(0), &entrain::cluster::Namespaces::default());
    let stores = entrain::cluster::watch::Stores::of(&watches);
    let [watch] = <[_; 1]>::try_from(watches).ok().unwrap();
    let ((seen, mut shown), (unreadable, _reported)) = (unbounded_channel(), unbounded_channel());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(watch.run(seen, unreadable));
    api.create(&key("a"), &spec());
    assert!(matches!(shown.recv().await.unwrap(), Seen::Listed(object) if object.metadata.generation == Some(1)));
    api.patch(&key("a"), &json!({"spec": {"state": "Paused"}}));
    assert!(matches!(shown.recv().await.unwrap(), Seen::Changed(object) if object.metadata.generation == Some(2)));
    assert_eq!(stores.state()[0].metadata.generation, Some(2));
}
