//! Requests of a `kube::Client`: what they ask for, what becomes of them on their way, and the answers.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::Method;
use kube::client::Body;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::super::By;
use super::super::schedule::Site;
use super::super::wire::{Answers, Fate, Refusal, Silence, carry, latency};
use super::Api;
use super::answer::{self, Reply, Response};
use super::store::{Key, Kind, Request, Store, Verb};
use super::watch::{Asked, Stream, Weather};
use super::writes::Refused;

const BUSY: Refusal = Refusal { status: 429, wait: Some(1) };
const BROKEN: Refusal = Refusal { status: 500, wait: None };
const AWAY: Refusal = Refusal { status: 503, wait: None };
const TIMED_OUT: Refusal = Refusal { status: 504, wait: None };
const READS: Answers = Answers { refusals: &[BUSY, BROKEN, AWAY, TIMED_OUT], after: &[] };
const WRITES: Answers = Answers { refusals: &[BUSY, BROKEN, AWAY], after: &[BROKEN, TIMED_OUT] };

/// The connection of one operator to the API server.
#[derive(Clone)]
pub struct Line {
    pub api: Api,
    pub by: By,
}

impl tower::Service<http::Request<Body>> for Line {
    type Response = Response;
    type Error = super::super::wire::Broke;
    type Future = BoxFuture<'static, Result<Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let line = self.clone();
        async move { line.carried(request).await }.boxed()
    }
}

impl Line {
    async fn carried(self, request: http::Request<Body>) -> Result<Response, super::super::wire::Broke> {
        let (head, body) = request.into_parts();
        let body = body.collect_bytes().await.unwrap_or_default();
        let asked = Call::parse(&head, body);
        let schedule = &self.api.schedule;
        let site = match asked.verb {
            Verb::Watch => Site::ApiWatch,
            Verb::List
            | Verb::Get
            | Verb::Definition
            | Verb::Secret
            | Verb::Namespace
            | Verb::ReadRevision
            | Verb::Unknown => Site::ApiRead,
            Verb::Create
            | Verb::Patch
            | Verb::PatchStatus
            | Verb::Delete
            | Verb::Event
            | Verb::Lease
            | Verb::WriteRevision => Site::ApiWrite,
        };
        let answers = if site == Site::ApiWrite { &WRITES } else { &READS };
        let fate = if self.api.is_cut_off(self.by) {
            Fate::RequestLost(Silence::Hangs)
        } else {
            Fate::draw(schedule, site, answers)
        };
        // A rival writes between the look of the operator and its own write.
        if asked.verb.writes() && fate == Fate::Answered && schedule.fault(Site::ApiWrite, 1) == 1 {
            asked.key.iter().for_each(|key| self.api.touch_of(asked.kind, key));
        }
        // Somebody rotates a Secret between two reads of one pass.
        if let (Verb::Secret, Fate::Answered, Some(key)) = (asked.verb, fate, &asked.key)
            && self.api.surroundings().is_prepared(key)
            && schedule.fault(Site::ApiRead, 1) == 1
        {
            self.api.rotate_secret(key);
        }
        if fate.is_deadly() {
            schedule.kill(self.by);
        }
        let weather = if asked.verb == Verb::Watch { Weather::draw(schedule) } else { Weather::fair() };
        let (times, api, by) = (latency(schedule), self.api.clone(), self.by);
        carry(fate, times, move || asked.execute(&api, by, weather), answer::refusal).await
    }
}

/// What a request asks for.
struct Call {
    kind: Kind,
    verb: Verb,
    key: Option<Key>,
    namespace: Option<String>,
    query: Vec<(String, String)>,
    method: Method,
    apply: bool,
    metadata_only: bool,
    body: Bytes,
}

impl Call {
    fn parse(head: &http::request::Parts, body: Bytes) -> Self {
        let path: Vec<&str> = head.uri.path().trim_matches('/').split('/').collect();
        let query: Vec<(String, String)> =
            form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let (kind, verb, namespace, name) = verb(&head.method, &path, &query);
        let apply = head.headers.get("content-type").is_some_and(|kind| kind == "application/apply-patch+yaml");
        let accepts = head.headers.get("accept").and_then(|accepts| accepts.to_str().ok()).unwrap_or_default();
        let metadata_only = accepts.contains("PartialObjectMetadata");
        let key = name.map(|name| Key::new(namespace.unwrap_or_default(), name));
        let namespace = namespace.map(str::to_owned);
        Self { kind, verb, key, namespace, query, method: head.method.clone(), apply, metadata_only, body }
    }

    fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Carries the request out and notes it.
    fn execute(&self, api: &Api, by: By, weather: Weather) -> Response {
        if let (Verb::Secret | Verb::Namespace, Some(key)) = (self.verb, &self.key) {
            return api.surroundings().read(self.verb, key, by, self.metadata_only);
        }
        let shared = api.shared(self.kind);
        let store = &mut *shared.lock();
        let response = match (self.verb, &self.key) {
            (Verb::Watch, _) => self.watch(shared, store, by, weather),
            (Verb::List, _) => self.list(store, by),
            (Verb::Event, _) => self.event(store, by),
            (Verb::Definition, _) => definition(store),
            (Verb::Lease, _) => self.lease(store),
            (Verb::ReadRevision | Verb::WriteRevision, _) => self.revision(api, store, by),
            (Verb::Create, _) => {
                let manager = self.query("fieldManager").unwrap_or("unknown");
                let namespace = self.namespace.as_deref().unwrap_or_default();
                written(store.create(namespace, self.json(), manager, by))
            }
            (Verb::Get, Some(key)) => written(store.objects.get(key).cloned().ok_or_else(|| Refused::not_found(key))),
            (Verb::Patch | Verb::PatchStatus, Some(key)) => self.patch(store, key, by),
            (Verb::Delete, Some(key)) => written(store.delete(key, by)),
            _ => answer::refused(&Refused::new(404, "NotFound", "the server could not find the requested resource")),
        };
        let at = store.clock.stamp();
        let status = if matches!(response.body(), Reply::Stream(_)) { 0 } else { response.status().as_u16() };
        store.requests.push(Request { at, by, verb: self.verb, key: self.key.clone(), status });
        response
    }

    fn patch(&self, store: &mut Store, key: &Key, by: By) -> Response {
        let manager = self.query("fieldManager").unwrap_or_default();
        let mut body = self.json();
        if store.blind && body["metadata"].is_object() {
            body["metadata"]["resourceVersion"] = Value::Null;
        }
        written(match (self.verb, self.apply) {
            (Verb::PatchStatus, true) => {
                let force = self.query("force") == Some("true");
                store.apply_status(key, &body, manager, force, by)
            }
            (Verb::Patch, false) => store.merge_patch(key, &body, manager, by),
            _ => Err(Refused::new(415, "UnsupportedMediaType", "this patch is not served here")),
        })
    }

    fn version(&self) -> Option<u64> {
        self.query("resourceVersion").and_then(|version| version.parse().ok())
    }

    fn list(&self, store: &mut Store, by: By) -> Response {
        // What is newer than everything, as after a restored backup, never comes.
        if self.version().is_some_and(|version| version > store.number) {
            return answer::refused(&Refused::new(504, "Timeout", "Too large resource version"));
        }
        let selector = self.query("fieldSelector").and_then(|selector| selector.split_once('='));
        let namespace = self.namespace.as_deref();
        let chosen: Vec<Arc<super::Version>> = store
            .objects
            .values()
            .filter(|object| {
                namespace.is_none_or(|namespace| namespace == object.key.namespace)
                    && selector.is_none_or(|(path, wanted)| selected(&object.value, path) == wanted)
            })
            .cloned()
            .collect();
        for object in &chosen {
            store.show(by, object, true);
        }
        answer::list(store.kind.name(), store.number, chosen.iter().map(AsRef::as_ref))
    }

    fn watch(&self, shared: &Arc<parking_lot::Mutex<Store>>, store: &mut Store, by: By, weather: Weather) -> Response {
        let is = |name| self.query(name) == Some("true");
        let asked = Asked {
            namespace: self.namespace.clone(),
            from: self.version(),
            initial: is("sendInitialEvents"),
            bookmarks: is("allowWatchBookmarks"),
            seconds: self.query("timeoutSeconds").and_then(|seconds| seconds.parse().ok()),
        };
        if asked.from.is_some_and(|from| from > 0 && from < store.compacted) && !asked.initial {
            return answer::refused(&Refused::new(410, "Expired", "too old resource version"));
        }
        let stream = Stream::open(shared, store, by, asked, weather);
        http::Response::new(Reply::Stream(Box::new(stream)))
    }

    fn event(&self, store: &mut Store, by: By) -> Response {
        let event = self.json();
        store.events.push((store.clock.stamp(), by, event));
        answer::whole(201, self.body.clone())
    }

    fn revision(&self, api: &Api, store: &Store, by: By) -> Response {
        let namespace = self.namespace.as_deref().unwrap_or_default();
        let key = self.key.clone().unwrap_or_else(|| Key::new(namespace, ""));
        let owners = store.objects.values().map(|object| object.uid.clone()).collect();
        let revisions = &mut *api.revisions();
        revisions.collect(&owners);
        revisions.answer(&self.method, &key, self.query("labelSelector"), self.json(), by)
    }

    /// Leases by compare-and-swap.
    fn lease(&self, store: &mut Store) -> Response {
        let mut lease = self.json();
        let name = lease["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let key = self.key.clone().unwrap_or_else(|| Key::new(self.namespace.as_deref().unwrap_or_default(), &name));
        let current = store.leases.get(&key).cloned();
        let same = |number: &u64| lease["metadata"]["resourceVersion"].as_str() == Some(number.to_string().as_str());
        match (&self.method, current) {
            (&Method::GET, Some((_, lease))) => return answer::json(200, &lease),
            (&Method::GET | &Method::PUT, None) => return answer::refused(&Refused::not_found(&key)),
            (&Method::POST, Some(_)) => return answer::refused(&Refused::new(409, "AlreadyExists", "it exists")),
            (&Method::PUT, Some((number, _))) if !same(&number) => {
                return answer::refused(&Refused::new(409, "Conflict", "the object has been modified"));
            }
            _ => {}
        }
        let number = store.next_number();
        lease["metadata"]["namespace"] = Value::from(key.namespace.clone());
        lease["metadata"]["resourceVersion"] = Value::from(number.to_string());
        store.leases.insert(key, (number, lease.clone()));
        answer::json(200, &lease)
    }
}

fn written(result: Result<Arc<super::Version>, Refused>) -> Response {
    match result {
        Ok(object) => answer::object(&object),
        Err(refused) => answer::refused(&refused),
    }
}

fn selected<'a>(object: &'a Value, path: &str) -> &'a str {
    path.split('.').fold(object, |value, member| &value[member]).as_str().unwrap_or_default()
}

fn definition(store: &Store) -> Response {
    let mut metadata = json!({"name": "syncjobs.entrain.dev"});
    if store.definition_going {
        metadata["deletionTimestamp"] = Value::from(store.date());
    }
    answer::json(200, &json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": metadata}))
}

/// The kind, the verb, the namespace and the name of a request.
fn verb<'a>(
    method: &Method,
    path: &[&'a str],
    query: &[(String, String)],
) -> (Kind, Verb, Option<&'a str>, Option<&'a str>) {
    let ours = |plural: &str| Kind::of_path(plural).unwrap_or(Kind::SyncJob);
    match path {
        ["apis", "entrain.dev", "v1alpha1", "namespaces", namespace, plural] => {
            (ours(plural), collection(method, query), Some(namespace), None)
        }
        ["apis", "entrain.dev", "v1alpha1", "namespaces", namespace, plural, name, below @ ..] => {
            (ours(plural), single(method, below), Some(namespace), Some(name))
        }
        ["apis", "entrain.dev", "v1alpha1", plural] => (ours(plural), collection(method, query), None, None),
        ["apis", "entrain.dev", "v1alpha1", plural, name, below @ ..] => {
            (ours(plural), single(method, below), None, Some(name))
        }
        ["api", "v1", "namespaces", name] => (Kind::SyncJob, Verb::Namespace, None, Some(name)),
        ["api", "v1", "namespaces", namespace, "secrets", name] => {
            (Kind::SyncJob, Verb::Secret, Some(namespace), Some(name))
        }
        ["apis", "events.k8s.io", "v1", "namespaces", namespace, "events", ..] => {
            (Kind::SyncJob, Verb::Event, Some(namespace), None)
        }
        ["apis", "coordination.k8s.io", "v1", "namespaces", namespace, "leases", name @ ..] => {
            (Kind::SyncJob, Verb::Lease, Some(namespace), name.first().copied())
        }
        ["api", "v1", "secrets"] => (Kind::Secret, collection(method, query), None, None),
        ["apis", "apps", "v1", "namespaces", namespace, "controllerrevisions", name @ ..] => {
            let verb = if method == Method::GET { Verb::ReadRevision } else { Verb::WriteRevision };
            (Kind::SyncJob, verb, Some(namespace), name.first().copied())
        }
        ["apis", "apiextensions.k8s.io", "v1", "customresourcedefinitions", "syncjobs.entrain.dev"] => {
            (Kind::SyncJob, Verb::Definition, None, None)
        }
        _ => (Kind::SyncJob, Verb::Unknown, None, None),
    }
}

fn collection(method: &Method, query: &[(String, String)]) -> Verb {
    match *method {
        Method::GET if query.iter().any(|(name, value)| name == "watch" && value == "true") => Verb::Watch,
        Method::GET => Verb::List,
        Method::POST => Verb::Create,
        _ => Verb::Unknown,
    }
}

fn single(method: &Method, below: &[&str]) -> Verb {
    match (method, below) {
        (&Method::GET, []) => Verb::Get,
        (&Method::PATCH, []) => Verb::Patch,
        (&Method::PATCH, ["status"]) => Verb::PatchStatus,
        (&Method::DELETE, []) => Verb::Delete,
        _ => Verb::Unknown,
    }
}
