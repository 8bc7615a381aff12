//! The watch over Secrets on a real API server, with the rights that the chart gives.

use std::collections::HashSet;
use std::time::Duration;

use entrain::cluster::Namespaces;
use entrain::cluster::watch::secrets::{SecretName, secrets};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep, timeout};

use super::client::{Asked, Log, operator, token};
use super::plane::{ChartPlane, shared};
use super::rights::install;

const TEAM: &str = "rotation-team";
const OTHER: &str = "rotation-other";

/// What is done to a Secret, by kubectl as its owner.
fn act(plane: &'static ChartPlane, namespace: &'static str, arguments: &'static [&'static str]) {
    plane.kubectl(&[&["-n", namespace], arguments].concat(), "").unwrap();
}

async fn next(shown: &mut UnboundedReceiver<HashSet<SecretName>>) -> Vec<String> {
    let names = timeout(Duration::from_secs(20), shown.recv()).await.expect("a change is shown").unwrap();
    names.into_iter().map(|SecretName { namespace, name }| format!("{namespace}/{name}")).collect()
}

async fn until_watching(log: &Log) {
    timeout(Duration::from_secs(20), async {
        while !log.all().iter().any(|asked| asked.path.contains("watch=true")) {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the watch begins");
}

#[test]
fn changes_of_secrets_are_shown_in_watched_namespaces_only_and_no_content_is_asked_for() {
    let plane = shared();
    for namespace in [TEAM, OTHER] {
        plane.create_namespace(namespace, &json!({}));
        act(plane, namespace, &["create", "secret", "generic", "old", "--from-literal=a=1"]);
    }
    install(plane, "rotation", &json!({"secrets": {"watch": true}, "watchNamespaces": [TEAM]}));
    let token = token(plane, "rotation");
    plane.block_on(async {
        let (client, log) = operator(plane, &token).await;
        let (changed, mut shown) = unbounded_channel();
        let mut watches = secrets(&client, &Namespaces::new(&[TEAM.to_owned()]));
        assert_eq!((watches.len(), log.all()), (1, vec![]));
        let watching = tokio::spawn(watches.remove(0).run(changed));
        until_watching(&log).await;
        let steps: [(&'static str, &'static [&'static str]); 5] = [
            ("created", &["create", "secret", "generic", "box-scim", "--from-literal=token=one"]),
            ("changed", &["patch", "secret", "box-scim", "-p", r#"{"stringData":{"token":"two"}}"#]),
            ("deleted", &["delete", "secret", "box-scim"]),
            ("created again", &["create", "secret", "generic", "box-scim", "--from-literal=token=one"]),
            ("deleted again", &["delete", "secret", "box-scim"]),
        ];
        for (what, arguments) in steps {
            tokio::task::spawn_blocking(move || {
                act(plane, OTHER, arguments);
                act(plane, TEAM, arguments);
            })
            .await
            .unwrap();
            assert_eq!(next(&mut shown).await, [format!("{TEAM}/box-scim")], "{what}");
        }
        assert!(shown.try_recv().is_err(), "more was shown than what was done");
        assert!(!watching.is_finished());
        watching.abort();
        let path = format!("/api/v1/namespaces/{TEAM}/secrets?");
        assert!(log.all().len() >= 2 && log.all().iter().all(|asked| asked.path.starts_with(&path)), "{:?}", log.all());
        assert!(log.all().iter().all(Asked::is_metadata_only), "{:?}", log.all());
    });
}
