//! Tests of credentials, which Graph answers when the target has: one that hangs or fails does not hurt other calls.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::super::{
    Availability, Client, Error, Kind, LoginResult, Observer, Operation, Processed, Seen, Shortage, Shut, TestOutcome,
    Tested,
};
use super::fake::{Fake, Reply, pass};

const SECOND: Duration = Duration::from_secs(1);

async fn test(client: &Client) -> Result<TestOutcome, Error> {
    client.test_credentials("sp", "job", Tested::Saved, &|| true).await
}

async fn list(client: &Client) -> Result<(), Error> {
    client.list_jobs("sp").await.map(drop)
}

/// A client that has a token, and a target behind Graph.
async fn with_target(reply: Reply) -> (Arc<Fake>, Client) {
    let fake = Fake::new();
    fake.target(reply);
    let client = fake.client();
    list(&client).await.unwrap();
    (fake, client)
}

/// The breaker has tripped, and its wait is over.
async fn tripped(fake: &Fake, client: &Client) {
    fake.graph(Reply::Hangs);
    join_all((0..5).map(|_| list(client))).await;
    pass(300 * SECOND).await;
    assert_eq!(client.availability(), Availability::Probe);
}

#[tokio::test(start_paused = true)]
async fn a_test_has_a_time_of_its_own() {
    let (_fake, client) = with_target(Reply::Hangs).await;
    let began = Instant::now();
    assert_eq!(test(&client).await.unwrap(), TestOutcome::NoAnswer);
    assert_eq!(began.elapsed(), 40 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn targets_that_do_not_answer_do_not_trip_the_breaker() {
    for reply in [Reply::Hangs, Reply::NoAnswer, Reply::body(504, ""), Reply::body(500, "<html>")] {
        let (_fake, client) = with_target(reply.clone()).await;
        for _ in 0..20 {
            assert_eq!(test(&client).await.unwrap(), TestOutcome::NoAnswer);
        }
        assert_eq!(client.availability(), Availability::Open, "{reply:?}");
        list(&client).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_does_not_answer_does_not_hide_that_graph_does_not() {
    for target in [Reply::Hangs, Reply::body(504, "")] {
        let (fake, client) = with_target(target.clone()).await;
        fake.graph(Reply::Hangs);
        for _ in 0..5 {
            assert_eq!(client.availability(), Availability::Open);
            list(&client).await.unwrap_err();
            let _ = test(&client).await;
        }
        assert!(client.availability() != Availability::Open, "{target:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_graph_that_is_not_reached_counts_for_a_test_too_and_is_an_error() {
    let (_fake, client) = with_target(Reply::Unsent).await;
    for _ in 0..5 {
        let error = test(&client).await.unwrap_err();
        assert_eq!((error.kind, error.processed), (Kind::Network, Processed::No));
    }
    assert!(matches!(client.availability(), Availability::Shut { .. }));
}

#[tokio::test(start_paused = true)]
async fn an_unavailable_target_shuts_nothing_and_a_throttling_graph_everything() {
    let (fake, client) = with_target(Reply::with(503, "retry-after", "60")).await;
    assert_eq!(test(&client).await.unwrap(), TestOutcome::NoAnswer);
    assert_eq!(client.availability(), Availability::Open);
    fake.target(Reply::with(429, "retry-after", "60"));
    let error = test(&client).await.unwrap_err();
    assert_eq!((error.kind, error.retry_at), (Kind::Throttled, Some(Instant::now() + 60 * SECOND)));
    assert!(matches!(client.availability(), Availability::Shut { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_test_is_no_probe_and_its_answer_opens_for_all() {
    let (fake, client) = with_target(Reply::Hangs).await;
    tripped(&fake, &client).await;
    let (began, arrived) = (Instant::now(), fake.calls());
    let error = test(&client).await.unwrap_err();
    assert_eq!((error.kind, error.retry_at), (Kind::Network, Some(Instant::now() + SECOND)));
    assert_eq!((began.elapsed(), fake.calls(), client.availability()), (Duration::ZERO, arrived, Availability::Probe));

    fake.graph(Reply::empty_list());
    list(&client).await.unwrap();
    fake.target(Reply::After(5 * SECOND, Box::new(Reply::body(400, r#"{"error":{"code":"CredentialsMissing"}}"#))));
    fake.graph(Reply::NoAnswer);
    let (tested, ()) = tokio::join!(test(&client), async {
        for _ in 0..5 {
            list(&client).await.unwrap_err();
        }
        assert!(client.availability() != Availability::Open);
    });
    assert_eq!(tested.unwrap(), TestOutcome::Rejected { code: "CredentialsMissing".to_owned() });
    assert_eq!(client.availability(), Availability::Open);
}

#[tokio::test(start_paused = true)]
async fn tests_that_hang_leave_most_slots_to_others_and_wait_for_each_other() {
    let (fake, client) = with_target(Reply::Hangs).await;
    fake.graph(Reply::After(SECOND, Box::new(Reply::empty_list())));
    let began = Instant::now();
    let tests = join_all((0..20).map(|_| test(&client)));
    let others = async {
        pass(SECOND / 10).await;
        assert_eq!(fake.calls(), 1 + 4);
        let answers = join_all((0..24).map(|_| list(&client))).await;
        assert!(answers.iter().all(Result::is_ok));
        began.elapsed()
    };
    let (tested, others) = tokio::join!(tests, others);
    assert!(others < 3 * SECOND, "two rounds of twelve: {others:?}");
    let (hung, late): (Vec<_>, Vec<_>) = tested.into_iter().partition(Result::is_ok);
    assert_eq!((hung.len(), late.len()), (4, 16));
    for error in late.into_iter().map(Result::unwrap_err) {
        assert_eq!((error.kind, error.processed), (Kind::Busy, Processed::No));
        assert_eq!(
            error.message,
            "waited 30 s for one of the 4 requests in flight that wait for a target; nothing was sent"
        );
    }
    fake.target(Reply::body(204, ""));
    assert_eq!(test(&client).await.unwrap(), TestOutcome::Accepted, "what they held is free again");
}

#[tokio::test(start_paused = true)]
async fn a_client_of_one_slot_tests_as_well() {
    let fake = Fake::new();
    fake.target(Reply::body(204, ""));
    let client = fake.client_with(|options| options.in_flight_max = 1);
    assert_eq!(test(&client).await.unwrap(), TestOutcome::Accepted);
}

/// The classes of calls.
#[derive(Debug, Default)]
struct Classes(Mutex<Vec<(Operation, &'static str)>>);

impl Observer for Classes {
    fn call(&self, seen: &Seen) {
        self.0.lock().push((seen.operation, seen.class));
    }
    fn login(&self, _: LoginResult) {}
    fn shut(&self, _: Instant, _: Shut) {}
    fn opened(&self) {}
    fn waited(&self, _: Shortage, _: Duration) {}
    fn rates(&self, _: f64, _: f64) {}
}

#[tokio::test(start_paused = true)]
async fn the_failure_of_a_target_is_counted_apart_from_those_of_graph() {
    let (fake, classes) = (Fake::new(), Arc::new(Classes::default()));
    let client = fake.client_with(|options| options.observer = classes.clone());
    let replies = [Reply::Hangs, Reply::NoAnswer, Reply::body(503, ""), Reply::Unsent, Reply::body(404, "")];
    for reply in replies {
        fake.graph(reply);
        let _ = test(&client).await;
        list(&client).await.unwrap_err();
    }
    let classes = classes.0.lock();
    let of = |operation| classes.iter().filter(move |seen| seen.0 == operation).map(|seen| seen.1).collect::<Vec<_>>();
    assert_eq!(of(Operation::TestCredentials), ["Target", "Target", "Target", "Network", "NotFound"]);
    assert_eq!(of(Operation::ListJobs), ["Network", "Network", "Unavailable", "Network", "NotFound"]);
}
