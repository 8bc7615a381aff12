//! The gate: after a 429 no call of this client leaves before the instant that Graph named.

use std::time::{Duration, SystemTime};

use entrain::graph::{Availability, Kind, Processed};
use tokio::time::Instant;

use super::{Talk, respond, respond_with};

/// Throttles one call, checks that nothing leaves until the instant named and that the next one then does.
async fn waits(talk: &Talk, header: Option<&str>) -> Duration {
    let action = header.map_or_else(|| respond(429, "TooManyRequests"), |wait| respond_with(429, "retry-after", wait));
    talk.fault("listJobs", 1, action).await;
    let before = Instant::now();
    let error = talk.list().await.unwrap_err();
    let until = error.retry_at.unwrap();
    assert_eq!((error.kind, error.status, error.processed), (Kind::Throttled, Some(429), Processed::No), "{error}");
    assert_eq!(talk.client.availability(), Availability::Shut { until });

    let arrived = talk.arrived("listJobs").await;
    let templates = talk.client.clone().list_templates(talk.service_principal()).await.unwrap_err();
    let refused = talk.create().await.unwrap_err();
    assert!(Instant::now() < until, "the machine is too slow for this wait");
    assert_eq!((templates.kind, templates.status, templates.retry_at), (Kind::Throttled, None, Some(until)));
    assert_eq!((refused.kind, refused.processed), (Kind::Throttled, Processed::No));
    assert_eq!((talk.arrived("listJobs").await, talk.arrived("listTemplates").await), (arrived, 0));
    assert_eq!(talk.arrived("createJob").await, 0);

    tokio::time::sleep_until(until).await;
    assert_eq!(talk.client.availability(), Availability::Open);
    talk.list().await.unwrap();
    until.duration_since(before)
}

#[tokio::test]
async fn seconds_and_fractions_are_waited_for() {
    let talk = Talk::begin().await;
    assert!(waits(&talk, Some("1")).await >= Duration::from_secs(1));
    assert!(waits(&talk, Some("0.75")).await >= Duration::from_millis(750));
}

#[tokio::test]
async fn a_date_is_waited_for() {
    let talk = Talk::begin().await;
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3));
    let waited = waits(&talk, Some(&date)).await;
    assert!(waited >= Duration::from_millis(1900) && waited <= Duration::from_millis(3500), "{waited:?}");
}

#[tokio::test]
async fn without_a_word_or_with_a_senseless_one_the_wait_is_our_own_and_grows() {
    let talk = Talk::begin().await;
    let first = waits(&talk, None).await;
    assert!(first >= Duration::from_millis(500), "{first:?}");
    talk.fault("listJobs", 2, respond_with(429, "retry-after", "soon")).await;
    let one = talk.list().await.unwrap_err().retry_at.unwrap();
    tokio::time::sleep_until(one).await;
    let two = talk.list().await.unwrap_err().retry_at.unwrap();
    assert!(two.duration_since(one) >= Duration::from_secs(1), "the second wait is 1 to 2 s");
}

#[tokio::test]
async fn an_unavailable_graph_that_names_an_instant_closes_the_gate_and_one_that_does_not_leaves_it_open() {
    let talk = Talk::begin().await;
    talk.fault("listJobs", 1, respond(503, "ServiceUnavailable")).await;
    assert_eq!(talk.list().await.unwrap_err().retry_at, None);
    talk.list().await.unwrap();

    talk.fault("listJobs", 1, respond_with(503, "retry-after", "1")).await;
    let error = talk.list().await.unwrap_err();
    assert_eq!(error.kind, Kind::Unavailable);
    assert_eq!(talk.list().await.unwrap_err().kind, Kind::Throttled);
    tokio::time::sleep_until(error.retry_at.unwrap()).await;
    talk.list().await.unwrap();
}

#[tokio::test]
async fn a_wait_that_one_request_is_asked_for_holds_no_other() {
    let talk = Talk::begin().await;
    for status in [408, 423, 424, 500, 502, 504] {
        talk.fault("listJobs", 1, respond_with(status, "retry-after", "60")).await;
        let error = talk.list().await.unwrap_err();
        assert!(error.retry_at.is_some_and(|at| at > Instant::now() + Duration::from_secs(30)), "{error:?}");
        assert_eq!(talk.client.availability(), Availability::Open, "{status}");
        talk.list().await.unwrap();
    }
}

#[tokio::test]
async fn an_unavailable_graph_holds_the_gate_for_five_minutes_at_most_and_a_throttling_one_for_an_hour() {
    for (status, minutes) in [(503, 5), (429, 60)] {
        let talk = Talk::begin().await;
        talk.fault("listJobs", 1, respond_with(status, "retry-after", "100000")).await;
        talk.list().await.unwrap_err();
        let Availability::Shut { until } = talk.client.availability() else {
            panic!("the gate is open after {status}")
        };
        let left = until - Instant::now();
        let most = Duration::from_secs(60 * minutes);
        assert!(left <= most && left > most / 2, "{status}: {left:?}");
    }
}
