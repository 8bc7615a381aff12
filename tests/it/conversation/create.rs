//! The create request: sent once, and each way to fail says whether a job may have come of it.

use std::time::Duration;

use entrain::graph::{Kind, Processed};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Talk, respond, respond_body};

const PATIENCE: Duration = Duration::from_secs(20);

/// The kind, whether the request may have had an effect, and how many jobs there are.
async fn outcome(talk: &Talk, action: Value) -> (Kind, Processed, usize) {
    // Every request that is carried out leaves a job of its own, so that effects can be counted.
    let countable = json!({"jobIds": "random", "duplicateCreate": "secondJob"});
    talk.control.put_tenant(&talk.demo.tenant_id, &countable).await.unwrap();
    talk.fault("createJob", 1, action).await;
    let before = (talk.arrived("createJob").await, talk.created().await);
    let error = talk.create().await.unwrap_err();
    assert_eq!(talk.arrived("createJob").await - before.0, 1, "{error}");
    (error.kind, error.processed, talk.created().await - before.1)
}

#[tokio::test]
async fn a_refusal_proves_that_nothing_was_created() {
    let talk = Talk::begin().await;
    for (status, code, kind) in [
        (400, "BadRequest", Kind::Rejected),
        (401, "UnknownError", Kind::Unauthorized),
        (403, "Authorization_RequestDenied", Kind::Forbidden),
        (404, "ResourceNotFound", Kind::NotFound),
        (409, "Conflict", Kind::Conflict),
    ] {
        assert_eq!(outcome(&talk, respond(status, code)).await, (kind, Processed::No, 0));
    }
}

#[tokio::test]
async fn an_answer_that_may_follow_an_effect_says_so() {
    let talk = Talk::begin().await;
    for (status, kind) in [(408, Kind::Unavailable), (424, Kind::Unavailable)] {
        assert_eq!(outcome(&talk, respond(status, "")).await, (kind, Processed::Unknown, 0));
    }
    for status in [500, 502, 503, 504] {
        let committed = json!({"respond": {"status": status, "commit": true}});
        assert_eq!(outcome(&talk, committed).await, (Kind::Unavailable, Processed::Unknown, 1));
    }
}

#[tokio::test]
async fn a_lost_answer_leaves_open_whether_there_is_a_job() {
    let talk = Talk::with(|options| options.call_timeout = Duration::from_millis(500)).await;
    talk.list().await.unwrap();
    for (commit, jobs) in [(false, 0), (true, 1)] {
        let dropped = json!({"drop": {"commit": commit}});
        assert_eq!(outcome(&talk, dropped).await, (Kind::Network, Processed::Unknown, jobs));
        let hanging = json!({"hang": {"commit": commit}});
        assert_eq!(outcome(&talk, hanging).await, (Kind::Network, Processed::Unknown, jobs));
    }
}

#[tokio::test]
async fn a_created_answer_that_cannot_be_read_leaves_it_open_too() {
    let talk = Talk::begin().await;
    let cut = json!({"cutBody": {"afterBytes": 10}});
    assert_eq!(outcome(&talk, cut).await, (Kind::Network, Processed::Unknown, 1));
    for mangle in ["truncatedJson", "html"] {
        assert_eq!(outcome(&talk, json!({"mangle": mangle})).await, (Kind::Malformed, Processed::Unknown, 1));
    }
    for body in ["", "{}", r#"{"id":7}"#] {
        assert_eq!(outcome(&talk, respond_body(201, body)).await, (Kind::Malformed, Processed::Unknown, 0));
    }
}

#[tokio::test]
async fn a_request_that_is_carried_out_late_was_unknown_before() {
    let talk = Talk::begin().await;
    let late = json!({"lateCommit": {"millis": 300}});
    assert_eq!(outcome(&talk, late).await, (Kind::Network, Processed::Unknown, 0));
    let committed = async { while talk.created().await == 0 {} };
    tokio::time::timeout(PATIENCE, committed).await.expect("the request is carried out in the end");
    assert_eq!(talk.list().await.unwrap(), 1);
}

#[tokio::test]
async fn a_redirect_of_the_create_request_is_not_followed() {
    let talk = Talk::begin().await;
    let location = format!("{}/v1.0/elsewhere", talk.simulator.ready().url);
    let redirected = json!({"redirect": {"location": location}});
    assert_eq!(outcome(&talk, redirected).await, (Kind::Refused, Processed::Unknown, 0));
    assert_eq!(talk.arrived("unknownRead").await + talk.arrived("unknownWrite").await, 0);
}

#[tokio::test]
async fn without_a_connection_nothing_can_have_been_created() {
    let Talk { simulator, client, demo, .. } = Talk::begin().await;
    client.list_jobs(&demo.service_principal_id).await.unwrap();
    drop(simulator);
    // Until the client has noticed that its old connection is gone, it may still try to write there.
    let noticed = async { while client.list_jobs(&demo.service_principal_id).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, noticed).await.expect("the client notices the end of the connection");
    let create = client.create_job(&demo.service_principal_id, &demo.template_id, Uuid::new_v4(), &|| true);
    let error = create.await.unwrap_err();
    assert_eq!((error.kind, error.processed), (Kind::Network, Processed::No), "{error}");
}

#[tokio::test]
async fn the_nonce_travels_as_client_request_id() {
    let talk = Talk::begin().await;
    let nonce = Uuid::new_v4();
    talk.client.create_job(talk.service_principal(), "boxoutdelta", nonce, &|| true).await.unwrap();
    let ledger = talk.control.ledger().await.unwrap();
    let entry = ledger["value"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(entry["clientRequestId"], nonce.to_string());
    assert_eq!(entry["templateId"], "BoxOutDelta");
}
