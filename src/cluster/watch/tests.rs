//! The watch over an API server in memory that answers late, never, too old or with nothing, under a clock that tests move.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::pending;

use axum::body::{Body, Bytes};
use futures::channel::mpsc::{UnboundedSender as Frames, unbounded};
use http::{Request, Response};
use kube::client::Body as Asked;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, timeout};
use tower::service_fn;

use super::follow::{REBUILD_INTERVAL, SILENT_MAX};
use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// What the server does with one kind of request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Well,
    /// No answer, ever.
    Hangs,
    /// An HTTP status.
    Says(u16),
    /// The status as an event of the watch.
    Streams(u16),
    /// The answer ends where it begins.
    Ends,
}

/// A server that keeps objects, and streams for those who watch.
struct Server {
    objects: BTreeMap<String, Value>,
    version: u64,
    lists: Mood,
    watches: Mood,
    bookmarks: bool,
    /// Events reach nobody.
    deaf: bool,
    /// Watches do not end.
    held: bool,
    open: Vec<Frames<Result<Bytes, Infallible>>>,
    /// `list` and `watch`, and when.
    log: Vec<(&'static str, Instant)>,
}

#[derive(Clone)]
struct Api(Arc<Mutex<Server>>);

fn status(code: u16) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "no", "reason": "x", "code": code})
}

fn frame(kind: &str, object: &Value) -> Bytes {
    Bytes::from(format!("{}\n", json!({"type": kind, "object": object})))
}

fn answer(code: u16, body: Body) -> Response<Body> {
    Response::builder().status(code).header("content-type", "application/json").body(body).unwrap()
}

impl Api {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Server {
            objects: BTreeMap::new(),
            version: 100,
            lists: Mood::Well,
            watches: Mood::Well,
            bookmarks: true,
            deaf: false,
            held: false,
            open: Vec::new(),
            log: Vec::new(),
        })))
    }

    fn set(&self, change: impl FnOnce(&mut Server)) {
        change(&mut self.0.lock());
    }

    async fn respond(self, request: Request<Asked>) -> Result<Response<Body>, Infallible> {
        let watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
        let mood = {
            let mut server = self.0.lock();
            server.log.push((if watch { "watch" } else { "list" }, Instant::now()));
            if watch { server.watches } else { server.lists }
        };
        Ok(match mood {
            Mood::Hangs => pending().await,
            Mood::Says(code) => answer(code, Body::from(status(code).to_string())),
            Mood::Streams(code) => answer(200, Body::from(frame("ERROR", &status(code)))),
            Mood::Ends => answer(200, Body::empty()),
            Mood::Well if watch => answer(200, self.stream()),
            Mood::Well => answer(200, self.list()),
        })
    }

    fn list(&self) -> Body {
        let server = self.0.lock();
        let metadata = json!({"resourceVersion": server.version.to_string()});
        let items: Vec<&Value> = server.objects.values().collect();
        let list =
            json!({"kind": "SyncJobList", "apiVersion": "entrain.dev/v1alpha1", "metadata": metadata, "items": items});
        Body::from(list.to_string())
    }

    /// Ends after the two minutes that it is asked for; with a bookmark each minute.
    fn stream(&self) -> Body {
        let (frames, shown) = unbounded();
        self.0.lock().open.push(frames.clone());
        let api = self.clone();
        tokio::spawn(async move {
            for _ in 0..2 {
                rest(59 * SECOND).await;
                api.bookmark(&frames);
            }
            if !api.0.lock().held {
                frames.close_channel();
            }
        });
        Body::from_stream(shown)
    }

    fn bookmark(&self, frames: &Frames<Result<Bytes, Infallible>>) {
        let server = self.0.lock();
        if server.bookmarks {
            let metadata = json!({"resourceVersion": server.version.to_string(), "creationTimestamp": null});
            let bookmark = json!({"kind": "SyncJob", "apiVersion": "entrain.dev/v1alpha1", "metadata": metadata});
            let _ = frames.unbounded_send(Ok(frame("BOOKMARK", &bookmark)));
        }
    }

    /// Creates or changes an object.
    fn put(&self, name: &str, generation: u64, mode: &str) {
        let mut server = self.0.lock();
        server.version += 1;
        let version = server.version.to_string();
        let spec = json!({"servicePrincipalId": "x", "templateId": "scim", "mode": mode});
        let metadata = json!({"name": name, "namespace": "apps", "uid": name, "generation": generation, "resourceVersion": version});
        let object =
            json!({"kind": "SyncJob", "apiVersion": "entrain.dev/v1alpha1", "metadata": metadata, "spec": spec});
        let kind = if server.objects.insert(name.to_owned(), object.clone()).is_some() { "MODIFIED" } else { "ADDED" };
        server.tell(kind, &object);
    }

    fn delete(&self, name: &str) {
        let mut server = self.0.lock();
        server.version += 1;
        let mut object = server.objects.remove(name).unwrap();
        object["metadata"]["resourceVersion"] = json!(server.version.to_string());
        server.tell("DELETED", &object);
    }

    fn count(&self, kind: &str) -> usize {
        self.0.lock().log.iter().filter(|(what, _)| *what == kind).count()
    }
}

impl Server {
    fn tell(&mut self, kind: &str, object: &Value) {
        if !self.deaf {
            self.open.retain(|frames| frames.unbounded_send(Ok(frame(kind, object))).is_ok());
        }
    }
}

/// Lets time pass.
async fn rest(time: Duration) {
    let _ = timeout(time, pending::<()>()).await;
}

struct Watching {
    api: Api,
    stores: Stores,
    seen: UnboundedReceiver<Seen>,
    unreadable: UnboundedReceiver<Unreadable>,
    _task: tokio::task::JoinSet<()>,
}

fn watching(api: Api) -> Watching {
    let service = api.clone();
    let service = service_fn(move |request| service.clone().respond(request));
    let client = Client::new(service, "default");
    let mut watches = sync_jobs(&client, &Namespaces::default());
    let stores = Stores::of(&watches);
    let ((sender, seen), (told, unreadable)) = (unbounded_channel(), unbounded_channel());
    let mut task = tokio::task::JoinSet::new();
    task.spawn(watches.remove(0).run(sender, told));
    Watching { api, stores, seen, unreadable, _task: task }
}

impl Watching {
    /// What is seen next within a time, as a word and a name. The store shows the same.
    async fn next(&mut self, within: Duration) -> Option<String> {
        let seen = timeout(within, self.seen.recv()).await.ok()??;
        let (word, key) = match seen {
            Seen::Listed(object) => ("listed", ObjectRef::from_obj(&*object)),
            Seen::Created(object) => ("created", ObjectRef::from_obj(&*object)),
            Seen::Changed(object) => ("changed", ObjectRef::from_obj(&*object)),
            Seen::Gone(key) => ("gone", key),
        };
        assert_eq!(self.stores.get(&key).is_some(), word != "gone");
        Some(format!("{word} {}", key.name))
    }

    async fn expect(&mut self, what: &str, within: Duration) {
        let seen = self.next(within).await;
        assert_eq!(seen.as_deref(), Some(what), "{:?}", self.api.0.lock().log);
    }
}

#[tokio::test(start_paused = true)]
async fn what_matters_is_seen_once_and_the_store_shows_it() {
    let api = Api::new();
    api.put("a", 1, "Plan");
    let mut watching = watching(api.clone());
    watching.expect("listed a", SECOND).await;
    api.put("b", 1, "Plan");
    watching.expect("created b", SECOND).await;
    api.put("b", 1, "Plan");
    api.put("b", 2, "Manage");
    watching.expect("changed b", SECOND).await;
    api.delete("a");
    watching.expect("gone a", SECOND).await;
    assert_eq!(watching.next(3600 * SECOND).await, None, "at rest, silence");
    assert_eq!(api.count("list"), 1, "bookmarks say that the watch is alive");
    assert!(watching.stores.silence().unwrap() < 60 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_cannot_be_read_leaves_the_store_and_comes_back_as_changed() {
    let api = Api::new();
    api.put("a", 1, "Plan");
    let mut watching = watching(api.clone());
    watching.expect("listed a", SECOND).await;
    api.put("a", 2, "Freeze");
    watching.expect("gone a", SECOND).await;
    assert!(watching.unreadable.recv().await.unwrap().fault.contains("spec.mode"));
    assert_eq!(watching.stores.state().len(), 1, "a stand-in");
    api.put("a", 3, "Plan");
    watching.expect("changed a", SECOND).await;
    // The same over a list.
    api.put("a", 4, "Freeze");
    watching.expect("gone a", SECOND).await;
    api.set(|server| server.deaf = true);
    api.put("a", 5, "Plan");
    api.set(|server| (server.bookmarks, server.deaf) = (false, false));
    watching.expect("changed a", 2 * SILENT_MAX).await;
    assert_eq!(watching.stores.state().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_too_old_leads_to_a_list_however_the_api_server_says_it() {
    for mood in [Mood::Says(410), Mood::Streams(410)] {
        let api = Api::new();
        api.set(|server| server.watches = mood);
        let mut watching = watching(api.clone());
        rest(SECOND / 2).await;
        api.put("a", 1, "Plan");
        watching.expect("created a", 3 * SECOND).await;
        // And if it goes on saying so, it is not asked without a pause.
        rest(120 * SECOND).await;
        assert!((3..=9).contains(&api.count("list")), "{mood:?}: {} lists", api.count("list"));
        api.set(|server| server.watches = Mood::Well);
        rest(40 * SECOND).await;
        api.put("a", 2, "Plan");
        watching.expect("changed a", SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_or_a_watch_that_is_never_answered_is_asked_for_again() {
    let api = Api::new();
    api.set(|server| (server.lists, server.watches) = (Mood::Hangs, Mood::Hangs));
    let mut watching = watching(api.clone());
    rest(100 * SECOND).await;
    assert!((3..5).contains(&api.count("list")), "{}", api.count("list"));
    api.put("a", 1, "Plan");
    api.set(|server| server.lists = Mood::Well);
    watching.expect("listed a", 60 * SECOND).await;
    // Nobody watches yet; a list after some failed watches shows what happened meanwhile.
    api.put("a", 2, "Plan");
    watching.expect("changed a", 400 * SECOND).await;
    api.set(|server| server.watches = Mood::Well);
    rest(70 * SECOND).await;
    let lists = api.count("list");
    api.put("a", 3, "Plan");
    watching.expect("changed a", SECOND).await;
    assert_eq!(api.count("list"), lists);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_shows_nothing_is_not_believed_for_long() {
    for held in [false, true] {
        let api = Api::new();
        api.set(|server| server.held = held);
        let mut watching = watching(api.clone());
        rest(SECOND).await;
        api.set(|server| (server.bookmarks, server.deaf) = (false, true));
        api.put("a", 1, "Plan");
        assert_eq!(watching.next(SILENT_MAX - 60 * SECOND).await, None);
        assert!(watching.stores.silence().unwrap() >= SILENT_MAX - 60 * SECOND, "a metric shows it");
        watching.expect("created a", 60 * SECOND + 150 * SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_has_recovered_is_as_quick_after_its_next_failure_as_at_first() {
    let api = Api::new();
    api.set(|server| server.watches = Mood::Says(410));
    let mut watching = watching(api.clone());
    rest(200 * SECOND).await;
    api.set(|server| server.watches = Mood::Well);
    rest(200 * SECOND).await;
    api.set(|server| (server.watches, server.deaf) = (Mood::Says(410), true));
    let lists = api.count("list");
    while api.count("list") == lists {
        rest(SECOND).await;
    }
    api.put("a", 1, "Plan");
    watching.expect("created a", 3 * SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn a_list_is_read_again_after_some_hours_although_nothing_is_wrong() {
    let api = Api::new();
    let mut watching = watching(api.clone());
    rest(SECOND).await;
    // One event is lost; bookmarks go on.
    api.set(|server| server.deaf = true);
    api.put("a", 1, "Plan");
    assert_eq!(watching.next(REBUILD_INTERVAL - 60 * SECOND).await, None);
    watching.expect("created a", 240 * SECOND).await;
    assert_eq!(api.count("list"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_was_restored_is_noticed_and_every_object_that_went_back_is_looked_at() {
    let api = Api::new();
    for name in ["a", "b"] {
        api.put(name, 1, "Plan");
    }
    let mut watching = watching(api.clone());
    watching.expect("listed a", SECOND).await;
    watching.expect("listed b", SECOND).await;
    let snapshot = api.0.lock().objects.clone();
    // Our own status write, which is no change of the wish.
    api.put("a", 1, "Plan");
    rest(SECOND).await;
    api.set(|server| (server.objects, server.version) = (snapshot, 102));
    watching.expect("changed a", 130 * SECOND).await;
    assert_eq!(watching.next(60 * SECOND).await, None, "`b` is as it was");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_at_once_is_not_started_again_without_a_pause() {
    let api = Api::new();
    api.set(|server| server.watches = Mood::Ends);
    let _watching = watching(api.clone());
    rest(120 * SECOND).await;
    assert!((4..20).contains(&api.count("watch")), "{} watches", api.count("watch"));
    let refused = Api::new();
    refused.set(|server| server.watches = Mood::Says(504));
    let _watching = self::watching(refused.clone());
    rest(120 * SECOND).await;
    assert!((4..20).contains(&refused.count("watch")), "{} watches", refused.count("watch"));
    assert_eq!(refused.count("list"), 2, "after some refusals the list is read again");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_breaks_off_leaves_the_store_as_it_was() {
    let api = Api::new();
    api.put("a", 1, "Plan");
    let mut watching = watching(api.clone());
    watching.expect("listed a", SECOND).await;
    api.set(|server| (server.lists, server.watches, server.open) = (Mood::Says(500), Mood::Says(410), Vec::new()));
    rest(300 * SECOND).await;
    assert_eq!(watching.stores.state().len(), 1);
}
