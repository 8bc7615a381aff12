//! Login and calls go through one transport, and tokio's time alone decides how long anything takes.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::super::{Client, Error, Kind, Processed};
use super::fake::{Fake, Reply, pass};

const MINUTE: Duration = Duration::from_secs(60);

async fn create(client: &Client) -> Error {
    client.create_job("sp", "scim", Uuid::nil(), &|| true).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn login_and_calls_share_the_transport_and_nothing_else_is_needed() {
    let fake = Fake::new();
    let client = fake.client();
    assert_eq!(client.list_jobs("a/b").await.unwrap(), []);
    let heads: Vec<String> = fake.arrived.lock().iter().map(|arrived| arrived.head.clone()).collect();
    assert_eq!(
        heads,
        [
            "POST https://login.example.test/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token",
            "GET https://graph.example.test/v1.0/servicePrincipals/a%2Fb/synchronization/jobs",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_lives_as_long_as_the_answer_says_by_tokio_s_time() {
    let fake = Fake::new();
    let client = fake.client();
    client.list_jobs("sp").await.unwrap();
    pass(50 * MINUTE).await;
    client.list_jobs("sp").await.unwrap();
    assert_eq!(fake.logins(), 1, "the earliest renewal is at 85 % of an hour");
    pass(5 * MINUTE).await;
    client.list_jobs("sp").await.unwrap();
    pass(MINUTE).await;
    assert_eq!(fake.logins(), 2, "the latest is at 90 %");
}

#[tokio::test(start_paused = true)]
async fn each_way_to_get_no_answer_says_whether_the_request_may_have_been_carried_out() {
    let fake = Fake::new();
    let client = fake.client();
    for (reply, processed) in
        [(Reply::Unsent, Processed::No), (Reply::NoAnswer, Processed::Unknown), (Reply::Hangs, Processed::Unknown)]
    {
        fake.graph(reply.clone());
        let began = Instant::now();
        let error = create(&client).await;
        assert_eq!((error.kind, error.processed), (Kind::Network, processed), "{reply:?}");
        let limit = if matches!(reply, Reply::Hangs) { 30 } else { 0 };
        assert_eq!(began.elapsed(), Duration::from_secs(limit), "{reply:?}");
    }
    assert_eq!(fake.calls(), 3, "nothing is repeated");
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_graph_names_is_counted_in_tokio_s_time() {
    let fake = Fake::new();
    let client = fake.client();
    fake.graph(Reply::with(429, "retry-after", "60"));
    assert_eq!(create(&client).await.retry_at, Some(Instant::now() + MINUTE));
    fake.graph(Reply::empty_list());
    pass(MINUTE.saturating_sub(Duration::from_secs(1))).await;
    assert_eq!(client.list_jobs("sp").await.unwrap_err().kind, Kind::Throttled);
    pass(Duration::from_secs(1)).await;
    client.list_jobs("sp").await.unwrap();
    assert_eq!(fake.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_wait_until_a_date_without_a_date_of_the_answer_is_our_own() {
    let fake = Fake::new();
    let client = fake.client();
    fake.graph(Reply::with(429, "retry-after", "Tue, 24 Nov 2099 10:00:00 GMT"));
    let until = create(&client).await.retry_at.unwrap();
    assert!(until <= Instant::now() + Duration::from_secs(1), "the first wait of our own is a second at most");
}

#[tokio::test(start_paused = true)]
async fn a_login_that_hangs_is_given_up_before_anything_is_sent_to_graph() {
    let fake = Fake::new();
    let client = fake.client();
    fake.login(Reply::Hangs);
    let began = Instant::now();
    let error = create(&client).await;
    assert_eq!((error.kind, error.processed), (Kind::LoginUnavailable, Processed::No));
    assert_eq!((began.elapsed(), fake.calls()), (Duration::from_secs(10), 0));
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_keeps_its_code_and_is_cached() {
    let fake = Fake::new();
    let client = fake.client();
    let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: It\u0027s \"wrong\".","error_codes":[7000215]}"#;
    fake.login(Reply::body(401, body));
    let again = create(&client).await.retry_at.unwrap() - Instant::now();
    assert!((MINUTE..=MINUTE.mul_f64(1.1)).contains(&again), "a minute and jitter: {again:?}");
    for _ in 0..3 {
        let error = create(&client).await;
        assert_eq!((error.kind, error.code.as_str()), (Kind::LoginRefused, "AADSTS7000215"), "{error}");
        assert_eq!(error.retry_at, Some(Instant::now() + again));
    }
    assert_eq!((fake.logins(), fake.calls()), (1, 0));
}
