//! Two SyncJobs on one service principal: one set for both.

use super::stand::{CREDENTIALS, Stand, TOKEN};
use crate::stack::read::{condition, is_ready, ready};

#[tokio::test(flavor = "multi_thread")]
async fn those_who_agree_share_the_set_and_of_those_who_differ_nobody_saves() {
    let mut stand = Stand::begin().await;
    stand.runs(&[]).await;
    stand.sync_job_named("other", "customappsso", &[CREDENTIALS]).await;
    stand.rig.until("other", "runs as well", is_ready).await;
    assert_eq!(stand.saves().await, 1, "the set was as both declare it");
    // Now they differ.
    stand.secret("second", "another-token").await;
    let differs = CREDENTIALS.replace("box-scim", "second");
    stand.sync_job_named("other", "customappsso", &[&differs]).await;
    let other = stand.rig.until("other", "is in conflict", |it| ready(it, "False", "CredentialsConflict")).await;
    let namespace = stand.rig.namespace.clone();
    let message = condition(&other, "Ready")["message"].as_str().unwrap().to_owned();
    assert!(message.contains(&format!("'{namespace}/box'")), "{message}");
    stand.rig.nudge("box").await;
    stand.until("is in conflict too", |it| ready(it, "False", "CredentialsConflict")).await;
    assert_eq!((stand.saves().await, stand.value("SecretToken").await.as_deref()), (1, Some(TOKEN)));
    stand.sync_job_named("other", "customappsso", &[]).await;
    stand.rig.nudge("box").await;
    stand.until("runs again", is_ready).await;
}
