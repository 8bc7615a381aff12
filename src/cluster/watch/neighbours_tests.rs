//! What is shown of the SyncJobs of one service principal, and from which moment.

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;

use super::*;

const PRINCIPAL: &str = "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f";
const OTHER: &str = "11111111-3b41-4c7e-8f52-6a1b0c9d8e7f";
const WITHIN: Duration = Duration::from_secs(1);

struct Bench {
    keeper: Keeper,
    stores: Stores,
    _seen: UnboundedReceiver<Seen>,
}

impl Bench {
    /// A watch whose first list shows nothing.
    fn new() -> Self {
        let (store, writer) = reflector::store();
        let shown =
            Shown { store, shelf: Shelf::default(), neighbours: Neighbours::default(), heard: Heard::default() };
        let (seen, receiver) = unbounded_channel();
        let sorter = Sorter::new(shown.shelf.clone(), unbounded_channel().0);
        let stores = Stores(vec![shown.clone()]);
        let keeper = Keeper { writer, sorter, shown, listing: Vec::new(), complete: false, seen };
        let mut bench = Self { keeper, stores, _seen: receiver };
        bench.list(&[]);
        bench
    }

    fn list(&mut self, objects: &[Value]) {
        self.keeper.show(Event::Init);
        for object in objects {
            self.keeper.show(Event::InitApply(stored(object)));
        }
        self.keeper.show(Event::InitDone);
    }

    fn apply(&mut self, object: &Value) {
        self.keeper.show(Event::Apply(stored(object)));
    }

    fn names(&self, principal: &str) -> Vec<String> {
        let mut names: Vec<String> =
            self.stores.of_service_principal(principal).iter().map(|one| one.name_any()).collect();
        names.sort();
        names
    }

    async fn once(&self, nonce: &str) -> Option<Vec<String>> {
        let ours = |object: &SyncJob| nonce_of(object).as_deref() == Some(nonce);
        let found = self.stores.of_service_principal_once(PRINCIPAL, ours, WITHIN).await?;
        let mut names: Vec<String> = found.iter().map(|one| one.name_any()).collect();
        names.sort();
        Some(names)
    }
}

fn nonce_of(object: &SyncJob) -> Option<String> {
    Some(object.status.as_ref()?.identity.intent.as_ref()?.nonce.clone())
}

fn stored(object: &Value) -> Stored {
    serde_json::from_value(object.clone()).unwrap()
}

fn object(name: &str, principal: &str, version: u64) -> Value {
    json!({"apiVersion": "entrain.dev/v1alpha1", "kind": "SyncJob",
        "metadata": {"name": name, "namespace": "apps", "uid": name, "resourceVersion": version.to_string()},
        "spec": {"servicePrincipalId": principal, "templateId": "scim"}})
}

fn intended(name: &str, version: u64) -> Value {
    let mut object = object(name, PRINCIPAL, version);
    object["status"] =
        json!({"intent": {"nonce": format!("of {name}"), "recordedTime": "2026-11-27T10:00:00Z", "baseline": []}});
    object
}

#[test]
fn those_of_a_service_principal_are_found_however_its_id_is_written() {
    let mut bench = Bench::new();
    bench.list(&[object("a", PRINCIPAL, 1), object("b", &PRINCIPAL.to_uppercase(), 2), object("c", OTHER, 3)]);
    bench.apply(&object("d", &format!("/servicePrincipals/{PRINCIPAL}"), 4));
    assert_eq!(bench.names(PRINCIPAL), ["a", "b", "d"]);
    assert_eq!(bench.names(OTHER), ["c"]);
    // Deleted and applied again between two events.
    bench.apply(&object("a", OTHER, 5));
    assert_eq!(
        (bench.names(PRINCIPAL), bench.names(OTHER)),
        (vec!["b".into(), "d".into()], vec!["a".into(), "c".into()])
    );
    bench.keeper.show(Event::Delete(stored(&object("b", PRINCIPAL, 6))));
    assert_eq!(bench.names(PRINCIPAL), ["d"]);
    bench.list(&[object("c", OTHER, 3)]);
    assert_eq!((bench.names(PRINCIPAL), bench.names(OTHER)), (Vec::<String>::new(), vec!["c".into()]));
}

#[test]
fn an_object_that_cannot_be_read_is_among_them_once() {
    let mut bench = Bench::new();
    bench.apply(&object("a", PRINCIPAL, 1));
    let mut unreadable = object("a", PRINCIPAL, 2);
    unreadable["spec"]["mode"] = json!(7);
    bench.apply(&unreadable);
    assert_eq!(bench.names(PRINCIPAL), ["a"]);
    bench.apply(&object("a", PRINCIPAL, 3));
    assert_eq!(bench.names(PRINCIPAL), ["a"]);
    bench.list(&[unreadable]);
    assert_eq!(bench.names(PRINCIPAL), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn what_shows_a_write_shows_every_earlier_one() {
    let mut bench = Bench::new();
    let began = Instant::now();
    assert_eq!(bench.once("of b").await, None);
    assert_eq!(began.elapsed(), WITHIN, "it is waited for");
    bench.apply(&intended("a", 10));
    assert_eq!(bench.once("of b").await, None);
    let (stores, later) = (bench.stores.clone(), Instant::now());
    let waiting = tokio::spawn(async move {
        let ours = |object: &SyncJob| nonce_of(object).as_deref() == Some("of b");
        stores.of_service_principal_once(PRINCIPAL, ours, WITHIN).await.map(|found| found.len())
    });
    tokio::time::sleep(WITHIN / 2).await;
    bench.apply(&intended("b", 11));
    assert_eq!(waiting.await.unwrap(), Some(2));
    assert_eq!(later.elapsed(), WITHIN / 2, "it is not waited for longer");
    assert_eq!(bench.once("of b").await, Some(vec!["a".into(), "b".into()]));
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_may_have_gaps_vouches_for_nothing_until_the_next_list() {
    let mut bench = Bench::new();
    bench.list(&[intended("a", 20)]);
    let newest = bench.stores.newest();
    bench.stores.answered(newest, &stored(&intended("b", 21)).into_sync_job());
    assert!(bench.once("of a").await.is_some());
    // The storage was restored: the answer to a write is older than what was shown before it.
    bench.stores.answered(newest, &stored(&intended("b", 12)).into_sync_job());
    assert_eq!(bench.once("of a").await, None);
    bench.list(&[intended("a", 12)]);
    assert!(bench.once("of a").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn several_watches_vouch_for_nothing() {
    let (mut one, other) = (Bench::new(), Bench::new());
    one.apply(&intended("a", 1));
    one.stores.0.extend(other.stores.0.iter().cloned());
    assert_eq!(one.once("of a").await, None);
    assert_eq!(one.names(PRINCIPAL), ["a"]);
}
