//! The scenes: what is there at first, and what people do and when.

use std::time::Duration;

use serde_json::{Value, json};

use super::api::Key;
use super::content::CONTENT_SCENES;
use super::mappings::MAPPING_SCENES;
use super::schedule::{Schedule, Site};
use super::tenants::{Around, TENANT_SCENES};

/// The service principal of all scenes.
pub const PRINCIPAL: &str = "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f";
/// The templates that it offers.
pub const TEMPLATES: [&str; 2] = ["scim", "BoxOutDelta"];

/// What somebody does.
#[derive(Clone, Debug)]
pub enum Act {
    Create(Key, Value),
    Patch(Key, Value),
    Delete(Key),
    DeleteNamespace(&'static str),
    /// A restore of the cluster without status.
    RemoveStatus(Key),
    /// Storage is backed up.
    Backup,
    /// The backup takes the place of what is stored.
    Restore,
    /// In the portal, on the newest job of the first template.
    Start,
    Pause,
    /// The first operator's process ends and begins again.
    Reboot,
    /// The first operator loses its lease to the second, which waits as long as it must, and then works.
    Handover,
    /// Something around the SyncJobs: tenants, Secrets, namespaces, applications.
    Around(Around),
}

/// What a run is about.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is one thing that a run has or has not, and none excludes another"
)]
pub struct Scene {
    pub name: &'static str,
    /// A job of somebody else is there from the beginning, and runs.
    pub occupied: bool,
    /// Two operators work at once, each sure of its own lease.
    pub split: bool,
    /// The operators have leases.
    pub leased: bool,
    /// What people do leaves the watch silent for a while.
    pub slow: bool,
    /// The operator has no login of its own, and works with tenants.
    pub tenants: bool,
    /// SyncJobs declare credentials and settings.
    pub content: bool,
    /// The operators watch Secrets.
    pub watches_secrets: bool,
    /// SyncJobs declare mappings.
    pub mappings: bool,
    /// Earliest and latest second, and the act.
    pub acts: fn() -> Vec<(u64, u64, Act)>,
}

impl Scene {
    /// The acts in their order, at the times that the schedule draws.
    pub fn script(&self, schedule: &Schedule) -> Vec<(Duration, Act)> {
        let draw = |(from, to, act): (u64, u64, Act)| {
            let part = u64::from(schedule.pick(Site::Actor, 16));
            (Duration::from_millis(from * 1000 + (to - from) * 1000 * part / 16), act)
        };
        let mut script: Vec<(Duration, Act)> = (self.acts)().into_iter().map(draw).collect();
        script.sort_by_key(|(at, _)| *at);
        script
    }
}

pub fn key(name: &str) -> Key {
    Key::new("apps", name)
}

pub fn create(name: &str, more: &Value) -> Act {
    create_in("apps", name, more)
}

pub fn create_in(namespace: &str, name: &str, more: &Value) -> Act {
    let mut spec = json!({"servicePrincipalId": PRINCIPAL, "templateId": TEMPLATES[0]});
    for (member, value) in more.as_object().unwrap() {
        spec[member] = value.clone();
    }
    Act::Create(Key::new(namespace, name), spec)
}

pub fn edit(name: &str, member: &str, value: &str) -> Act {
    Act::Patch(key(name), json!({"spec": {member: value}}))
}

pub fn annotate(name: &str, annotation: &str, value: &str) -> Act {
    Act::Patch(key(name), json!({"metadata": {"annotations": {(format!("entrain.dev/{annotation}")): value}}}))
}

pub const PLAIN: Scene = Scene {
    name: "",
    occupied: false,
    split: false,
    leased: false,
    slow: false,
    tenants: false,
    content: false,
    watches_secrets: false,
    mappings: false,
    acts: Vec::new,
};

/// All scenes, the most likely ones first.
pub const SCENES: [Scene; 20] = [
    Scene { name: "one", acts: || vec![(0, 0, create("a", &json!({})))], ..PLAIN },
    Scene {
        name: "twins",
        acts: || vec![(0, 0, create("a", &json!({}))), (0, 2, create_in("more", "b", &json!({})))],
        ..PLAIN
    },
    Scene {
        name: "siblings",
        acts: || vec![(0, 0, create("a", &json!({}))), (0, 2, create("b", &json!({"templateId": TEMPLATES[1]})))],
        ..PLAIN
    },
    Scene {
        name: "deletion",
        acts: || {
            vec![
                (0, 0, create("a", &json!({}))),
                (1, 60, Act::Delete(key("a"))),
                (61, 400, create("a", &json!({}))),
                (61, 400, create("b", &json!({}))),
            ]
        },
        ..PLAIN
    },
    Scene {
        name: "late deletion",
        acts: || {
            vec![
                (0, 0, create("a", &json!({}))),
                (1000, 1060, Act::Delete(key("a"))),
                (1061, 1100, create("a", &json!({}))),
            ]
        },
        ..PLAIN
    },
    Scene {
        name: "succession",
        acts: || {
            vec![(0, 0, create("a", &json!({}))), (1, 30, create("b", &json!({}))), (31, 200, Act::Delete(key("a")))]
        },
        ..PLAIN
    },
    Scene {
        name: "namespace",
        acts: || {
            vec![
                (0, 0, create("a", &json!({}))),
                (0, 2, create("b", &json!({"templateId": TEMPLATES[1]}))),
                (3, 60, Act::DeleteNamespace("apps")),
                (61, 400, create_in("more", "c", &json!({}))),
            ]
        },
        ..PLAIN
    },
    Scene {
        name: "adoption",
        occupied: true,
        acts: || {
            vec![
                (0, 0, create("a", &json!({"adoption": {"policy": "IfExists"}}))),
                (0, 5, create("b", &json!({"adoption": {"policy": "Only"}}))),
                (60, 200, Act::Delete(key("a"))),
            ]
        },
        ..PLAIN
    },
    Scene {
        name: "occupied",
        occupied: true,
        acts: || vec![(0, 0, create("a", &json!({}))), (0, 5, create("b", &json!({})))],
        ..PLAIN
    },
    Scene {
        name: "restart asked for",
        acts: || {
            vec![
                (0, 0, create("a", &json!({}))),
                (10, 60, annotate("a", "restart-requested-at", "one")),
                (61, 200, annotate("a", "restart-requested-at", "two scope=Full")),
            ]
        },
        ..PLAIN
    },
    Scene {
        name: "status removed",
        acts: || vec![(0, 0, create("a", &json!({}))), (1, 60, Act::RemoveStatus(key("a")))],
        ..PLAIN
    },
    Scene {
        name: "storage restored",
        slow: true,
        acts: || {
            vec![
                (0, 0, create("a", &json!({}))),
                (0, 20, Act::Backup),
                (1, 30, edit("a", "state", "Paused")),
                (31, 90, Act::Restore),
            ]
        },
        ..PLAIN
    },
    Scene {
        name: "portal",
        acts: || {
            vec![
                (0, 0, create("a", &json!({"outOfBandPolicy": "Correct"}))),
                (10, 60, Act::Pause),
                (61, 200, Act::Start),
                (201, 300, Act::Pause),
                (3700, 3800, Act::Pause),
            ]
        },
        ..PLAIN
    },
    Scene {
        name: "edits",
        acts: || {
            vec![
                (0, 0, create("a", &json!({}))),
                (0, 60, edit("a", "state", "Paused")),
                (61, 200, edit("a", "state", "Running")),
                (61, 200, annotate("a", "reconcile-requested-at", "one")),
                (201, 300, edit("a", "deletionPolicy", "Retain")),
                (301, 400, Act::Delete(key("a"))),
            ]
        },
        ..PLAIN
    },
    Scene {
        name: "reboot",
        acts: || {
            vec![
                (0, 0, create("a", &json!({}))),
                (0, 2, Act::Reboot),
                (0, 20, Act::Reboot),
                (10, 60, Act::Delete(key("a"))),
                (10, 80, Act::Reboot),
                (61, 300, create("b", &json!({}))),
            ]
        },
        ..PLAIN
    },
    Scene {
        name: "handover",
        leased: true,
        acts: || {
            vec![
                (0, 0, create("a", &json!({}))),
                (0, 5, create("b", &json!({}))),
                (0, 40, Act::Handover),
                (5, 60, Act::Delete(key("a"))),
            ]
        },
        ..PLAIN
    },
    Scene {
        name: "two operators",
        split: true,
        acts: || {
            vec![(0, 0, create("a", &json!({}))), (0, 5, create("b", &json!({}))), (20, 200, Act::Delete(key("a")))]
        },
        ..PLAIN
    },
    Scene { name: "one for two operators", split: true, acts: || vec![(0, 0, create("a", &json!({})))], ..PLAIN },
    Scene {
        name: "suspended",
        acts: || {
            vec![
                (0, 0, create("a", &json!({}))),
                (10, 60, edit("a", "mode", "Suspended")),
                (61, 200, edit("a", "state", "Paused")),
                (201, 300, edit("a", "mode", "Manage")),
                (301, 400, edit("a", "mode", "Suspended")),
            ]
        },
        ..PLAIN
    },
    Scene {
        name: "successor",
        acts: || {
            vec![(0, 0, create("a", &json!({}))), (2, 5, Act::Delete(key("a"))), (33, 60, create("b", &json!({})))]
        },
        ..PLAIN
    },
];

/// For controls only: a job that a list shows is adopted, and the list lags. Where another process had deleted that job, nothing
/// prevents it, and a person has to put it right.
const STALE: [Scene; 2] = [
    Scene { name: "takeover", acts: takeover, ..PLAIN },
    Scene { name: "takeover by another operator", split: true, acts: takeover, ..PLAIN },
];

fn takeover() -> Vec<(u64, u64, Act)> {
    vec![
        (0, 0, create("a", &json!({}))),
        (10, 20, Act::Delete(key("a"))),
        (21, 60, create("b", &json!({"adoption": {"policy": "IfExists"}}))),
    ]
}

/// The scene of this name.
pub fn named(name: &str) -> &'static Scene {
    SCENES
        .iter()
        .chain(&STALE)
        .chain(&TENANT_SCENES)
        .chain(&CONTENT_SCENES)
        .chain(&MAPPING_SCENES)
        .find(|scene| scene.name == name)
        .unwrap()
}
