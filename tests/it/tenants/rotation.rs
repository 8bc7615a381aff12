//! Credentials change while many SyncJobs run, and nobody restarts anything.

use serde_json::json;

use super::stand::{SECRET, Stand, client_secret};
use crate::life::BOX;
use crate::stack::read::{calls, is_ready, ready};
use crate::stack::rig::CROWDED;

const MANY: usize = 100;
const NEXT: &str = "canary-of-the-rotation~7R";

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_secret_costs_few_logins_and_its_successor_is_found_by_itself() {
    let _crowded = CROWDED.lock().await;
    let mut stand = Stand::namespaced().await;
    let namespace = stand.rig.namespace.clone();
    stand.application(&json!({"secrets": [{"value": SECRET}]})).await;
    stand.secret(&namespace, "login", "clientSecret", SECRET).await;
    stand.tenant("contoso", &client_secret()).await;
    stand.rig.create_crowd(MANY, &[BOX], &["tenantRef: {name: contoso}", "pollIntervalSeconds: 60"]).await;
    stand.rig.until_all("are ready", MANY, is_ready).await;
    assert_eq!(calls(&stand.rig.control, "token").await.len(), 1, "one login serves all");

    stand.application(&json!({"secrets": [{"value": NEXT}]})).await;
    stand.rig.control.revoke_tokens().await.unwrap();
    stand.rig.nudge("boxoutdelta-0").await;
    stand.rig.until("boxoutdelta-0", "is refused", |object| ready(object, "False", "CredentialsRejected")).await;
    let refused = calls(&stand.rig.control, "token").await.len();
    stand.rig.kubectl(&["annotate", "syncjob", "--all", "entrain.dev/reconcile-requested-at=now"]).await;
    stand.rig.until_all("are refused", MANY, |object| ready(object, "False", "CredentialsRejected")).await;
    let more = calls(&stand.rig.control, "token").await.len() - refused;
    assert!(more < MANY / 4, "a hundred SyncJobs share the refusal: {more} more logins");

    stand.secret(&namespace, "login", "clientSecret", NEXT).await;
    stand.until_tenant("contoso", "is logged in", |it| ready(it, "True", "LoggedIn")).await;
    stand.rig.until_all("run again", MANY, is_ready).await;
    assert_eq!(calls(&stand.rig.control, "createJob").await.len(), MANY, "and nothing was created twice");
}
