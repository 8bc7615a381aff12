//! The key of fingerprints and the versions of Secrets on a real API server, with the rights that the chart gives.

use entrain::cluster::fingerprint::{FingerprintKey, Fingerprints, NAME};
use entrain::cluster::{Error, secrets};
use futures::future::join_all;
use serde_json::{Value, json};

use super::client::{operator, token};
use super::plane::{ChartPlane, shared};
use super::rights::install;

fn secret(plane: &ChartPlane, namespace: &str, name: &str, data: &Value) {
    let secret = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace}, "stringData": data});
    plane.kubectl(&["apply", "-f", "-"], &secret.to_string()).unwrap();
}

fn delete(plane: &ChartPlane, namespace: &str, name: &str) {
    plane.kubectl(&["delete", "secret", name, "-n", namespace], "").unwrap();
}

/// What each of eight replicas that begin at once finds.
fn eight(plane: &ChartPlane, token: &str, namespace: &str) -> Vec<String> {
    plane.block_on(join_all((0..8).map(async |_| {
        let (client, _) = operator(plane, token).await;
        FingerprintKey::of(&client, namespace).await.unwrap().tag(&["x"])
    })))
}

#[test]
fn replicas_that_make_the_key_at_once_end_with_one_and_a_key_that_was_deleted_is_made_once_more() {
    let (plane, here) = (shared(), "fingerprint");
    install(plane, here, &json!({}));
    let token = token(plane, here);
    let mut before = Vec::new();
    for round in 0..5 {
        let tags = eight(plane, &token, here);
        assert!(tags.iter().all(|tag| *tag == tags[0]), "round {round}: {tags:?}");
        assert_eq!(eight(plane, &token, here), tags, "the key changed although it was there");
        assert!(!before.contains(&tags[0]), "a key came back");
        before.push(tags[0].clone());
        let stored = plane.get("secret", here, NAME);
        assert_eq!((&stored["immutable"], stored["data"].as_object().unwrap().len()), (&json!(true), 1));
        delete(plane, here, NAME);
    }
}

#[test]
fn an_empty_secret_of_that_name_is_filled_in_and_a_key_that_is_none_is_left_alone() {
    let (plane, here) = (shared(), "fingerprint-found");
    install(plane, here, &json!({}));
    let token = token(plane, here);
    secret(plane, here, NAME, &json!({"note": "made by hand"}));
    let tags = eight(plane, &token, here);
    assert!(tags.iter().all(|tag| *tag == tags[0]), "{tags:?}");
    delete(plane, here, NAME);
    secret(plane, here, NAME, &json!({"key": "too short"}));
    let refused = plane.block_on(async {
        let (client, _) = operator(plane, &token).await;
        FingerprintKey::of(&client, here).await.err().unwrap()
    });
    assert!(matches!(&refused, Error::Refused(text) if text.contains("delete the Secret")), "{refused:?}");
    assert!(!refused.to_string().contains("too short"), "{refused}");
}

#[test]
fn without_the_right_the_key_is_refused_and_it_is_read_once_and_only_when_it_is_needed() {
    let plane = shared();
    for (here, values) in [
        ("fingerprint-off", json!({"rbac": {"create": false}})),
        ("fingerprint-on", json!({"secrets": {"jobCredentials": false}})),
    ] {
        install(plane, here, &values);
        let token = token(plane, here);
        plane.block_on(async {
            let (client, log) = operator(plane, &token).await;
            let fingerprints = Fingerprints::new(client, here.to_owned());
            assert_eq!(log.all(), [], "{here}");
            let tags = join_all((0..4).map(async |_| fingerprints.key().await.map(|key| key.tag(&["x"])))).await;
            if here == "fingerprint-off" {
                assert!(tags.iter().all(|tag| matches!(tag, Err(Error::Refused(_)))), "{tags:?}");
                assert_eq!(log.all().len(), 4, "each tries once more: {:?}", log.all());
                return;
            }
            let first = tags[0].as_ref().unwrap();
            assert!(tags.iter().all(|tag| tag.as_ref().unwrap() == first), "{tags:?}");
            let asked: Vec<String> = log.all().into_iter().map(|asked| asked.method).collect();
            assert_eq!(asked, ["GET", "PATCH"]);
        });
    }
}

#[test]
fn the_version_of_a_secret_is_read_without_its_content_where_sync_jobs_are_and_not_elsewhere() {
    let (plane, here) = (shared(), "versions");
    for name in ["versions-team", "versions-other"] {
        plane.create_namespace(name, &json!({}));
        secret(plane, name, "box-scim", &json!({"token": "one"}));
    }
    install(plane, here, &json!({"watchNamespaces": ["versions-team"]}));
    let token = token(plane, here);
    let version = |namespace: &str, name: &str| {
        plane.block_on(async {
            let (client, log) = operator(plane, &token).await;
            let version = secrets::secret_version(&client, namespace, name).await;
            assert!(log.all().iter().all(super::client::Asked::is_metadata_only), "{:?}", log.all());
            version
        })
    };
    let first = version("versions-team", "box-scim").unwrap().unwrap();
    assert_eq!(version("versions-team", "box-scim").unwrap(), Some(first.clone()));
    secret(plane, "versions-team", "box-scim", &json!({"token": "two"}));
    let second = version("versions-team", "box-scim").unwrap().unwrap();
    assert!(second.uid == first.uid && second.resource_version != first.resource_version);
    delete(plane, "versions-team", "box-scim");
    assert_eq!(version("versions-team", "box-scim").unwrap(), None);
    secret(plane, "versions-team", "box-scim", &json!({"token": "two"}));
    assert_ne!(version("versions-team", "box-scim").unwrap().unwrap().uid, first.uid);
    for namespace in ["versions-other", here] {
        let refused = version(namespace, "box-scim").unwrap_err();
        assert!(matches!(refused, Error::Refused(_)), "{namespace}: {refused:?}");
    }
}
