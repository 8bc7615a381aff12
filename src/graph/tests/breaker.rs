//! The breaker: a Graph or a login service that gives no answer costs a few waits and then one probe at a time.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;
use uuid::Uuid;

use super::super::{Availability, Client, Error, Kind, Options, Priority, Processed};
use super::fake::{self, Fake, Reply, pass};

const SECOND: Duration = Duration::from_secs(1);

async fn list(client: &Client) -> Result<(), Error> {
    client.list_jobs("sp").await.map(drop)
}

/// A client that has a token, over a Graph that hangs, after this many calls one after the other.
async fn after_hangs(calls: usize) -> (Arc<Fake>, Client) {
    let fake = Fake::new();
    let client = fake.client();
    list(&client).await.unwrap();
    fake.graph(Reply::Hangs);
    for _ in 0..calls {
        assert_eq!(list(&client).await.unwrap_err().kind, Kind::Network);
    }
    (fake, client)
}

fn shut_until(client: &Client) -> Instant {
    let Availability::Shut { until } = client.availability() else { panic!("{:?}", client.availability()) };
    until
}

/// Waits until the client lets a probe through.
async fn probe_time(client: &Client) {
    tokio::time::sleep_until(shut_until(client)).await;
    assert_eq!(client.availability(), Availability::Probe);
}

#[tokio::test(start_paused = true)]
async fn five_calls_without_an_answer_shut_the_client_and_the_next_ones_cost_nothing() {
    let (fake, client) = after_hangs(4).await;
    assert_eq!(client.availability(), Availability::Open);
    let fifth = list(&client).await.unwrap_err();
    let until = shut_until(&client);
    assert_eq!(fifth.retry_at, Some(until));
    assert!(until > Instant::now() && until <= Instant::now() + SECOND, "the first wait is a second at most");

    let (began, arrived) = (Instant::now(), fake.calls());
    let held = client.create_job("sp", "scim", Uuid::nil(), &|| true).await.unwrap_err();
    assert_eq!((held.kind, held.processed, held.retry_at), (Kind::Network, Processed::No, Some(until)));
    assert_eq!(held.to_string(), "Creating the job failed: Graph gave no answer several times, and nothing was sent.");
    assert_eq!((began.elapsed(), fake.calls()), (Duration::ZERO, arrived));
}

#[tokio::test(start_paused = true)]
async fn connections_that_fail_count_like_answers_that_do_not_come() {
    let (fake, client) = after_hangs(2).await;
    fake.graph(Reply::Unsent);
    list(&client).await.unwrap_err();
    list(&client).await.unwrap_err();
    assert_eq!(client.availability(), Availability::Open);
    fake.graph(Reply::NoAnswer);
    list(&client).await.unwrap_err();
    shut_until(&client);
}

#[tokio::test(start_paused = true)]
async fn any_answer_between_starts_the_count_over() {
    let (fake, client) = after_hangs(4).await;
    for status in [500, 404] {
        fake.graph(Reply::body(status, ""));
        list(&client).await.unwrap_err();
        fake.graph(Reply::Hangs);
        for _ in 0..4 {
            list(&client).await.unwrap_err();
        }
        assert_eq!(client.availability(), Availability::Open, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn exactly_one_call_goes_as_the_probe_and_the_others_fail_at_once() {
    let (fake, client) = after_hangs(5).await;
    probe_time(&client).await;
    let (began, arrived) = (Instant::now(), fake.calls());
    let calls = (0..20).map(|_| async {
        let error = list(&client).await.unwrap_err();
        (error.kind, began.elapsed())
    });
    let (outcomes, ()) = tokio::join!(join_all(calls), async {
        pass(SECOND).await;
        assert!(shut_until(&client) > Instant::now(), "no second probe while the first is in flight");
    });
    assert_eq!(fake.calls() - arrived, 1);
    assert!(outcomes.iter().all(|(kind, _)| *kind == Kind::Network));
    assert_eq!(outcomes.iter().filter(|(_, took)| took.is_zero()).count(), 19);
}

#[tokio::test(start_paused = true)]
async fn the_wait_grows_with_each_probe_that_fails_up_to_five_minutes() {
    let (_fake, client) = after_hangs(5).await;
    let mut waits = Vec::new();
    for _ in 0..12 {
        probe_time(&client).await;
        list(&client).await.unwrap_err();
        waits.push((shut_until(&client) - Instant::now()).as_secs_f64());
    }
    for (wait, most) in waits.iter().zip([2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0, 300.0, 300.0]) {
        assert!(*wait <= most && *wait >= most / 2.0, "{wait} of {most}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_the_probe_opens_for_all_and_a_refusal_is_an_answer() {
    for (reply, kind) in [(Reply::empty_list(), None), (Reply::body(503, ""), Some(Kind::Unavailable))] {
        let (fake, client) = after_hangs(5).await;
        probe_time(&client).await;
        fake.graph(reply);
        assert_eq!(list(&client).await.err().map(|error| error.kind), kind);
        assert_eq!(client.availability(), Availability::Open);
        fake.graph(Reply::empty_list());
        assert!(join_all((0..10).map(|_| list(&client))).await.iter().all(Result::is_ok));
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_throttled_shuts_for_as_long_as_graph_asks() {
    let (fake, client) = after_hangs(5).await;
    probe_time(&client).await;
    fake.graph(Reply::with(429, "retry-after", "60"));
    list(&client).await.unwrap_err();
    assert_eq!(shut_until(&client), Instant::now() + 60 * SECOND);
    assert_eq!(list(&client).await.unwrap_err().kind, Kind::Throttled);
    pass(60 * SECOND).await;
    assert_eq!(client.availability(), Availability::Open);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_given_up_or_never_sent_leaves_the_probe_to_the_next_call() {
    let (fake, client) = after_hangs(5).await;
    probe_time(&client).await;
    assert!(tokio::time::timeout(SECOND, list(&client)).await.is_err());
    assert_eq!(client.availability(), Availability::Probe);
    let withheld = client.start_job("sp", "job", &|| false).await.unwrap_err();
    assert_eq!((withheld.kind, client.availability()), (Kind::Withheld, Availability::Probe));
    fake.graph(Reply::empty_list());
    list(&client).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_in_flight_when_the_breaker_tripped_does_not_lengthen_the_wait() {
    let (_fake, client) = after_hangs(0).await;
    let errors = join_all((0..16).map(|_| list(&client))).await;
    assert_eq!(errors.iter().filter(|answer| answer.as_ref().is_err_and(|error| error.retry_at.is_some())).count(), 1);
    assert!(shut_until(&client) <= Instant::now() + SECOND);
}

#[tokio::test(start_paused = true)]
async fn logins_that_hang_trip_the_breaker_once_each_and_are_shared() {
    let fake = Fake::new();
    let client = fake.client();
    fake.login(Reply::Hangs);
    for logins in 1..=5 {
        let began = Instant::now();
        let errors = join_all((0..10).map(|_| list(&client))).await;
        assert!(errors.iter().all(|answer| answer.as_ref().is_err_and(|error| error.kind == Kind::LoginUnavailable)));
        assert_eq!((began.elapsed(), fake.logins()), (10 * SECOND, logins), "all wait for the same login");
        pass(5 * SECOND).await;
    }
    assert_eq!(fake.calls(), 0);
    assert_eq!(client.availability(), Availability::Probe, "a wait of our own is no longer than the cached failure");

    let errors = join_all((0..10).map(|_| list(&client))).await;
    assert!(errors.iter().all(|answer| answer.as_ref().is_err_and(|error| error.kind == Kind::LoginUnavailable)));
    assert_eq!(fake.logins(), 6, "only the probe logs in");
    fake.login(Reply::token());
    probe_time(&client).await;
    list(&client).await.unwrap();
    assert_eq!(client.availability(), Availability::Open);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_hangs_once_does_not_shut_the_client() {
    let fake = Fake::new();
    let client = fake.client();
    fake.login(Reply::Hangs);
    let _ = join_all((0..10).map(|_| list(&client))).await;
    assert_eq!(client.availability(), Availability::Open);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_refused_after_it_hung_is_seen_by_all() {
    let (fake, client) = after_hangs(5).await;
    pass(3600 * SECOND).await;
    fake.login(Reply::body(401, r#"{"error":"invalid_client","error_codes":[7000222]}"#));
    for _ in 0..3 {
        let error = list(&client).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (Kind::LoginRefused, "AADSTS7000222"));
        assert_eq!(client.availability(), Availability::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_alone_does_not_show_that_graph_answers() {
    let (fake, client) = after_hangs(5).await;
    pass(3600 * SECOND).await;
    assert_eq!(client.availability(), Availability::Probe);
    assert!(tokio::time::timeout(SECOND, list(&client)).await.is_err());
    assert_eq!((fake.logins(), client.availability()), (2, Availability::Probe));
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_a_login_share_its_failure_even_if_it_is_not_cached() {
    let fake = Fake::new();
    let client = fake.client_with(|options| options.login_retry = Duration::ZERO);
    fake.login(Reply::body(401, r#"{"error":"invalid_client"}"#));
    let errors = join_all((0..10).map(|_| list(&client))).await;
    assert!(errors.iter().all(Result::is_err));
    assert_eq!(fake.logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_wait_of_a_call_has_an_end() {
    let fake = Fake::new();
    let client = fake.client_with(|options| options.in_flight_max = 1);
    list(&client).await.unwrap();
    fake.graph(Reply::Hangs);
    let began = Instant::now();
    let errors = join_all((0..4).map(|_| list(&client))).await;
    let mut kinds: Vec<Kind> = errors.into_iter().map(|answer| answer.unwrap_err().kind).collect();
    kinds.sort_by_key(|kind| kind.name());
    assert_eq!(kinds.iter().filter(|kind| **kind == Kind::Busy).count(), 2, "{kinds:?}");
    assert!(began.elapsed() <= 60 * SECOND, "30 s for the slot and 30 s for the request: {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_under_way_when_the_breaker_tripped_opens_at_once() {
    let (fake, client) = after_hangs(0).await;
    let hanging = join_all((0..5).map(|_| list(&client)));
    let late = async {
        pass(Duration::from_millis(200)).await;
        fake.graph(Reply::After(Duration::from_millis(29_900), Box::new(Reply::empty_list())));
        list(&client).await.unwrap();
        client.availability()
    };
    let (_, opened) = tokio::join!(hanging, late);
    assert_eq!(opened, Availability::Open);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waited_for_a_slot_does_not_pass_a_gate_that_was_shut_meanwhile() {
    let fake = Fake::new();
    let client = fake.client_with(|options| options.in_flight_max = 1);
    list(&client).await.unwrap();
    fake.graph(Reply::After(SECOND, Box::new(Reply::with(429, "retry-after", "60"))));
    let (first, second) = tokio::join!(list(&client), list(&client));
    assert_eq!((first.unwrap_err().status, second.unwrap_err().status), (Some(429), None));
    assert_eq!(fake.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_says_how_urgent_it_is() {
    let fake = Fake::new();
    let client = fake.client();
    for priority in [Priority::Deletion, Priority::Change, Priority::Poll] {
        list(&client.with_priority(priority)).await.unwrap();
    }
    list(&client).await.unwrap();
    let arrived = fake.arrived.lock();
    let priorities: Vec<&str> =
        arrived.iter().filter(|arrived| !arrived.login).map(|arrived| arrived.priority.as_str()).collect();
    assert_eq!(priorities, ["Normal", "Normal", "Low", "Normal"]);
}

#[tokio::test(start_paused = true)]
async fn clients_that_share_limits_share_the_gate_and_the_slots() {
    let fake = Fake::new();
    let limits = Options { in_flight_max: 1, ..fake::options() }.own_limits();
    let (one, two) = (fake.client_of(limits.clone()), fake.client_of(limits));
    list(&one).await.unwrap();
    list(&two).await.unwrap();
    fake.graph(Reply::After(SECOND, Box::new(Reply::with(429, "retry-after", "60"))));
    let (first, second) = tokio::join!(list(&one), list(&two));
    assert_eq!((first.unwrap_err().status, second.unwrap_err().status), (Some(429), None));
    assert_eq!(two.availability(), one.availability());
    assert_eq!(shut_until(&two), Instant::now() + 60 * SECOND);
}
