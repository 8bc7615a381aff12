//! How many requests are in flight: what waits for its turn loses none of its own time, and does not wait for ever.

use std::time::Duration;

use entrain::graph::{Kind, Options, Processed};
use serde_json::json;

use super::Talk;

/// A client that sends one request at a time, logged in.
async fn one_at_a_time(tune: impl FnOnce(&mut Options)) -> Talk {
    let talk = Talk::with(|options| {
        options.in_flight_max = 1;
        tune(options);
    })
    .await;
    talk.list().await.unwrap();
    talk
}

#[tokio::test]
async fn the_time_of_a_call_begins_when_it_is_sent() {
    let talk = one_at_a_time(|options| options.call_timeout = Duration::from_millis(1500)).await;
    talk.lasting_fault("listJobs", json!({"delay": {"millis": 900}})).await;
    let answers = tokio::join!(talk.list(), talk.list());
    assert!(answers.0.is_ok() && answers.1.is_ok(), "{answers:?}");
}

#[tokio::test]
async fn a_call_whose_turn_does_not_come_says_so_and_was_not_sent() {
    let talk = one_at_a_time(|options| options.slot_timeout = Duration::from_millis(500)).await;
    talk.fault("listJobs", 1, json!({"delay": {"millis": 2500}})).await;
    let (first, second) = tokio::join!(talk.list(), talk.create());
    assert!(first.is_ok(), "{first:?}");
    let error = second.unwrap_err();
    assert_eq!((error.kind, error.processed), (Kind::Busy, Processed::No));
    assert_eq!(error.message, "waited 0.5 s for one of the 1 requests in flight; nothing was sent");
    assert_eq!(talk.arrived("createJob").await, 0);
    talk.create().await.unwrap();
}

#[tokio::test]
async fn a_call_that_waits_for_the_login_holds_no_turn() {
    let talk = Talk::with(|options| {
        (options.in_flight_max, options.slot_timeout) = (1, Duration::from_millis(200));
        options.login_timeout = Duration::from_millis(900);
    })
    .await;
    talk.fault("token", 1, json!({"hang": {}})).await;
    let (first, second) = tokio::join!(talk.list(), talk.list());
    for error in [first.unwrap_err(), second.unwrap_err()] {
        assert_eq!(error.kind, Kind::LoginUnavailable, "{error}");
    }
}
