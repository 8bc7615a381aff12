//! The scenes of credentials and settings: Secrets that rotate, come late and come back, SyncJobs that share a service
//! principal, people at work in the portal, and operators that take over from each other.

use serde_json::{Value, json};

use super::super::api::Key;
use super::super::scene::{Act, PLAIN, Scene, TEMPLATES, create, create_in, edit, key};
use super::super::tenants::Around;

type Timed = (u64, u64, Act);
/// What a Secret holds.
type Pairs = &'static [(&'static str, &'static str)];

const FIRST: Pairs = &[("token", "canary-token-1")];
const SECOND: Pairs = &[("token", "canary-token-2")];
const THIRD: Pairs = &[("token", "canary-token-3")];

fn around(from: u64, to: u64, around: Around) -> Timed {
    (from, to, Act::Around(around))
}

/// The Secret that the SyncJobs of a namespace name.
fn secret(from: u64, to: u64, content: Option<Pairs>) -> Timed {
    around(from, to, Around::Content(key("box"), content))
}

fn rotation(from: u64, content: Pairs) -> Timed {
    around(from, from, Around::Rotation(key("box"), content))
}

fn portal(from: u64, to: u64, changes: &'static [(&'static str, Option<&'static str>)]) -> Timed {
    around(from, to, Around::Portal(changes))
}

fn from_secret(key: &str) -> Value {
    json!({"key": key, "valueFrom": {"secretKeyRef": {"name": "box", "key": "token"}}})
}

fn address(host: &str) -> Value {
    json!({"key": "BaseAddress", "value": format!("https://{host}.example.test/scim")})
}

fn content() -> Value {
    json!({"credentials": [address("one"), from_secret("SecretToken")], "scope": "Assigned", "deleteThreshold": 100})
}

fn with(more: &Value) -> Value {
    let mut content = content();
    content.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    content
}

fn patch(from: u64, to: u64, name: &str, spec: &Value) -> Timed {
    (from, to, Act::Patch(key(name), json!({"spec": spec})))
}

/// One SyncJob, whose Secret is rotated twice: at some time, and possibly within a pass.
fn rotated() -> Vec<Timed> {
    vec![
        secret(0, 0, Some(FIRST)),
        rotation(0, SECOND),
        (0, 0, create("a", &content())),
        secret(1, 60, Some(THIRD)),
        patch(2, 90, "a", &json!({"deleteThreshold": 0})),
    ]
}

/// Two SyncJobs that declare the same, in two namespaces with a Secret each.
fn shared() -> Vec<Timed> {
    let theirs = Key::new("more", "box");
    let spec = with(&json!({"templateId": TEMPLATES[1]}));
    vec![
        secret(0, 0, Some(FIRST)),
        around(0, 0, Around::Content(theirs, Some(FIRST))),
        (0, 0, create("a", &content())),
        (0, 40, create_in("more", "b", &spec)),
    ]
}

const CONTENT: Scene = Scene { content: true, ..PLAIN };

/// All scenes with credentials and settings.
pub const CONTENT_SCENES: [Scene; 17] = [
    Scene { name: "credentials", acts: rotated, ..CONTENT },
    Scene {
        name: "a Secret that comes late",
        acts: || {
            vec![
                (0, 0, create("a", &content())),
                secret(5, 100, Some(&[("other", "canary-other")])),
                secret(101, 300, Some(FIRST)),
                secret(301, 600, Some(&[("token", "*")])),
                secret(700, 900, Some(SECOND)),
            ]
        },
        ..CONTENT
    },
    Scene {
        name: "a Secret that comes back",
        acts: || {
            vec![
                secret(0, 0, Some(FIRST)),
                (0, 0, create("a", &content())),
                secret(1, 60, None),
                secret(61, 300, Some(SECOND)),
                secret(301, 301, None),
                secret(301, 301, Some(THIRD)),
            ]
        },
        ..CONTENT
    },
    Scene {
        name: "credentials that agree",
        acts: || {
            let mut acts = shared();
            acts.extend([secret(60, 200, Some(SECOND))]);
            acts.push(around(60, 200, Around::Content(Key::new("more", "box"), Some(SECOND))));
            acts
        },
        ..CONTENT
    },
    Scene {
        name: "credentials that differ",
        acts: || {
            let mut acts = shared();
            acts.push(patch(60, 200, "a", &json!({"deleteThreshold": 5})));
            acts.push(secret(60, 200, Some(SECOND)));
            acts.push(around(900, 1500, Around::Content(Key::new("more", "box"), Some(SECOND))));
            acts.push((900, 1500, Act::Patch(Key::new("more", "b"), json!({"spec": {"deleteThreshold": 5}}))));
            acts
        },
        ..CONTENT
    },
    Scene {
        name: "credentials that stay apart",
        acts: || {
            let mut acts = shared();
            acts.push(patch(0, 200, "a", &json!({"deleteThreshold": 5})));
            acts.extend([secret(60, 900, Some(SECOND)), secret(1000, 1300, Some(THIRD))]);
            acts
        },
        ..CONTENT
    },
    Scene {
        name: "the portal",
        acts: || {
            vec![
                portal(0, 0, &[("UserName", Some("canary-user")), (NOTIFICATIONS, Some(SETTINGS))]),
                secret(0, 0, Some(FIRST)),
                (0, 0, create("a", &content())),
                portal(10, 300, &[("UserName", Some("canary-person")), ("Domain", Some("canary-domain"))]),
                portal(10, 400, &[("BaseAddress", Some("canary-address")), ("SyncAll", Some("True"))]),
                secret(20, 600, Some(SECOND)),
                portal(601, 900, &[("UserName", None), ("SecretToken", Some("canary-of-the-portal"))]),
            ]
        },
        ..CONTENT
    },
    Scene {
        name: "a key that cannot be read",
        acts: || {
            vec![
                secret(0, 0, Some(FIRST)),
                (0, 0, create("a", &content())),
                portal(0, 300, &[("Password", Some("canary-password"))]),
                patch(5, 305, "a", &json!({"deleteThreshold": 7})),
                patch(30, 330, "a", &json!({"deleteThreshold": 8})),
                secret(0, 600, Some(SECOND)),
                patch(601, 900, "a", &json!({"deleteThreshold": 5})),
                portal(2000, 2400, &[("Password", None)]),
            ]
        },
        ..CONTENT
    },
    Scene {
        name: "a key that is not declared any more",
        acts: || {
            vec![
                secret(0, 0, Some(FIRST)),
                (0, 0, create("a", &content())),
                patch(1, 200, "a", &json!({"credentials": [address("two")]})),
                patch(400, 900, "a", &json!({"credentials": [address("two"), from_secret("SecretToken")]})),
            ]
        },
        ..CONTENT
    },
    Scene {
        name: "handover of credentials",
        leased: true,
        acts: || {
            let mut acts = rotated();
            acts.extend([(0, 60, Act::Handover), (100, 400, edit("a", "outOfScopeDeletions", "Skip"))]);
            acts
        },
        ..CONTENT
    },
    Scene { name: "two operators with credentials", split: true, acts: rotated, ..CONTENT },
    Scene {
        name: "reboot with credentials",
        acts: || {
            let mut acts = rotated();
            acts.extend([(0, 60, Act::Reboot), (10, 120, Act::Reboot)]);
            acts
        },
        ..CONTENT
    },
    Scene {
        name: "notifications",
        acts: || {
            let to = |recipients: &[&str]| json!({"notifications": {"recipients": recipients}});
            vec![
                portal(0, 0, &[(NOTIFICATIONS, Some(SETTINGS))]),
                secret(0, 0, Some(FIRST)),
                (0, 0, create("a", &with(&to(&["one@example.test"])))),
                patch(10, 300, "a", &to(&["one@example.test", "two@example.test"])),
                portal(10, 600, &[(NOTIFICATIONS, Some(SETTINGS))]),
                patch(601, 900, "a", &to(&[])),
                patch(901, 1500, "a", &json!({"notifications": null})),
            ]
        },
        ..CONTENT
    },
    Scene { name: "watched Secrets", watches_secrets: true, acts: rotated, ..CONTENT },
    Scene {
        name: "one of two goes",
        acts: || {
            let theirs = || Key::new("more", "box");
            let mut acts = shared();
            acts.extend([secret(60, 100, Some(SECOND)), around(60, 100, Around::Content(theirs(), Some(SECOND)))]);
            acts.extend([(60, 200, Act::Delete(key("a"))), secret(61, 220, Some(THIRD))]);
            acts.push(around(61, 220, Around::Content(theirs(), Some(THIRD))));
            acts
        },
        ..CONTENT
    },
    Scene {
        name: "credentials that must pass",
        acts: || {
            vec![
                around(0, 0, Around::Target(&["canary-token-2"])),
                secret(0, 0, Some(FIRST)),
                rotation(0, SECOND),
                (0, 0, create("a", &with(&json!({"credentialValidation": "Require"})))),
                secret(60, 700, Some(SECOND)),
                around(720, 900, Around::Target(&["canary-token-3"])),
                secret(720, 1200, Some(THIRD)),
            ]
        },
        ..CONTENT
    },
    Scene {
        name: "credentials that are refused",
        acts: || {
            let unknown = json!({"key": "Nonsense", "value": "x"});
            let spec = with(&json!({"scope": "All", "restartAfterChange": "Automatic", "credentials": [unknown]}));
            vec![
                secret(0, 0, Some(FIRST)),
                (0, 0, create("a", &spec)),
                patch(60, 300, "a", &json!({"credentials": [address("one"), from_secret("SecretToken")]})),
                (600, 900, edit("a", "scope", "Assigned")),
            ]
        },
        ..CONTENT
    },
];

const NOTIFICATIONS: &str = super::super::graph::secrets::NOTIFICATIONS;
/// A person has notifications and the guard as the service shows them.
const SETTINGS: &str = r#"{"Enabled":true,"DeleteThresholdEnabled":true,"HumanResourcesLookaheadQueryEnabled":false,"Recipients":"canary-mail@example.test","DeleteThresholdValue":500}"#;
