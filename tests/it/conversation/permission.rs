//! The permission to send a write: asked when all waiting is over, and again before a repetition.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use entrain::graph::{Error, Kind, MaySend, Processed};
use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Talk, respond};

impl Talk {
    async fn create_if(&self, may_send: MaySend<'_>) -> Error {
        let nonce = Uuid::new_v4();
        let create = self.client.create_job(self.service_principal(), &self.demo.template_id, nonce, may_send);
        create.await.unwrap_err()
    }
}

#[tokio::test]
async fn a_write_that_may_not_be_sent_any_more_does_not_leave() {
    let talk = Talk::begin().await;
    let job = talk.create().await.unwrap();
    let (client, sp) = (&talk.client, talk.service_principal());
    let outcomes = [
        client.create_job(sp, &talk.demo.template_id, Uuid::new_v4(), &|| false).await.map(drop),
        client.start_job(sp, &job, &|| false).await,
        client.pause_job(sp, &job, &|| false).await,
        client.restart_job(sp, &job, None, &|| false).await,
        client.delete_job(sp, &job, &|| false).await,
    ];
    for outcome in outcomes {
        let error = outcome.unwrap_err();
        assert_eq!((error.kind, error.processed), (Kind::Withheld, Processed::No), "{error}");
        assert_eq!(error.message, "the permission to send had ended");
    }
    for (operation, times) in [("createJob", 1), ("startJob", 0), ("pauseJob", 0), ("restartJob", 0), ("deleteJob", 0)]
    {
        assert_eq!(talk.arrived(operation).await, times, "{operation}");
    }
}

#[tokio::test]
async fn a_permission_that_ends_during_the_login_is_noticed() {
    let talk = Talk::begin().await;
    talk.fault("token", 1, json!({"delay": {"millis": 400}})).await;
    let end = Instant::now() + Duration::from_millis(200);
    let error = talk.create_if(&|| Instant::now() < end).await;
    assert_eq!((error.kind, error.processed), (Kind::Withheld, Processed::No), "{error}");
    assert_eq!((talk.arrived("token").await, talk.arrived("createJob").await), (1, 0));
}

#[tokio::test]
async fn the_permission_is_asked_again_before_the_repetition_with_another_token() {
    let talk = Talk::begin().await;
    talk.fault("createJob", 1, respond(401, "InvalidAuthenticationToken")).await;
    let asked = AtomicUsize::new(0);
    let error = talk.create_if(&|| asked.fetch_add(1, Ordering::SeqCst) == 0).await;
    assert_eq!((error.kind, error.processed), (Kind::Withheld, Processed::No), "{error}");
    assert_eq!((asked.into_inner(), talk.arrived("createJob").await), (2, 1));
}
