//! The token in use: one login for all, renewed once when Graph calls it invalid, kept when a permission is missing.

use std::time::Duration;

use entrain::graph::{Kind, Processed};
use futures::future::join_all;

use super::{Talk, respond};

#[tokio::test]
async fn many_calls_at_once_share_one_login() {
    let talk = Talk::begin().await;
    let answers = join_all((0..20).map(|_| talk.list())).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(talk.arrived("token").await, 1);
}

#[tokio::test]
async fn an_expired_token_costs_one_login_and_the_call_succeeds() {
    let talk = Talk::with(|options| options.login_retry = Duration::ZERO).await;
    talk.list().await.unwrap();
    talk.control.revoke_tokens().await.unwrap();
    talk.create().await.unwrap();
    assert_eq!((talk.arrived("token").await, talk.created().await), (2, 1));

    talk.control.revoke_tokens().await.unwrap();
    let answers = join_all((0..10).map(|_| talk.list())).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(talk.arrived("token").await, 3, "those that met the old token share the new one");
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_is_trouble_after_one_more_login() {
    let talk = Talk::begin().await;
    talk.lasting_fault("createJob", respond(401, "InvalidAuthenticationToken")).await;
    let error = talk.create().await.unwrap_err();
    assert_eq!((error.kind, error.processed), (Kind::TokenRejected, Processed::No), "{error}");
    assert_eq!((talk.arrived("token").await, talk.arrived("createJob").await), (2, 2));

    let remembered = talk.create().await.unwrap_err();
    assert_eq!((remembered.kind, remembered.to_string()), (Kind::TokenRejected, error.to_string()));
    assert!(remembered.retry_at.is_some());
    assert_eq!((talk.arrived("token").await, talk.arrived("createJob").await), (2, 2), "the rejection is remembered");
}

#[tokio::test]
async fn a_missing_permission_costs_no_login_while_the_token_is_young() {
    let talk = Talk::begin().await;
    let roles = serde_json::json!({"roles": [], "secrets": [{"value": talk.demo.client_secret}]});
    talk.control.put_application(&talk.demo.tenant_id, &talk.demo.client_id, &roles).await.unwrap();
    for _ in 0..3 {
        let error = talk.list().await.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (Kind::Unauthorized, "UnknownError"), "{error}");
    }
    assert_eq!(talk.arrived("token").await, 1);
}

#[tokio::test]
async fn a_tenant_that_says_403_is_understood_as_well() {
    let talk = Talk::begin().await;
    let mode = serde_json::json!({"missingPermission": "denied403"});
    talk.control.put_tenant(&talk.demo.tenant_id, &mode).await.unwrap();
    let roles =
        serde_json::json!({"roles": ["Synchronization.Read.All"], "secrets": [{"value": talk.demo.client_secret}]});
    talk.control.put_application(&talk.demo.tenant_id, &talk.demo.client_id, &roles).await.unwrap();
    talk.list().await.unwrap();
    assert_eq!(talk.create().await.unwrap_err().kind, Kind::Forbidden);
}
