//! What `kubectl describe` shows in the ten most telling states, compared with describe.golden.md. What differs from run
//! to run is replaced by one made-up value of its kind, and Events are sorted by reason.

use std::fmt::Write;

use regex::Regex;
use serde_json::{Value, json};

use super::{BOX, Rig};
use crate::stack::plane::repository;
use crate::stack::read::{condition, is_ready, job_id, manifest, ready};

const GOLDEN: &str = "tests/it/life/describe.golden.md";
const INTRO: &str = "# What `kubectl describe` shows\n\nTen states of a SyncJob and what to do about each. A test of the whole stack compares this file (`UPDATE=1 cargo test describe` rewrites it);
ids and times are made up.\n";

/// Name, reason to wait for, the Events that belong to it, and what the page says.
const STATES: [(&str, &str, &[&str], &str); 10] = [
    (
        "running",
        "Running",
        &["JobCreated", "JobStarted", "Running"],
        "As declared. `Healthy` says what the service reports; `Run` when the start was asked for and when Graph showed it.",
    ),
    (
        "twin",
        "Conflict",
        &["Conflict"],
        "A second SyncJob for the same service principal and template. It names the one that has the job, touches nothing, and takes over when that one goes.",
    ),
    (
        "exists",
        "AlreadyExists",
        &["AlreadyExists"],
        "Somebody made a job of this template before. It is reported but not touched until `adoption` permits taking it over.",
    ),
    (
        "template",
        "TemplateNotOffered",
        &["TemplateNotOffered"],
        "A wrong `templateId`. The message lists the ones that are offered.",
    ),
    (
        "quarantined",
        "Quarantined",
        &["JobCreated", "JobStarted", "Running", "Quarantined"],
        "The service put the job in quarantine. `Quarantine` says why, since when, when it tries again and when it will give up.",
    ),
    (
        "paused",
        "PausedOutOfBand",
        &["JobCreated", "JobStarted", "Running", "PausedOutOfBand"],
        "A person paused the job in the portal. That is respected and reported.",
    ),
    (
        "missing",
        "JobMissing",
        &["JobCreated", "JobStarted", "Running", "JobMissing"],
        "The job was deleted in the portal. Nothing is created in its place unless `missingJobPolicy` says so.",
    ),
    ("planned", "ChangesPlanned", &["ChangesPlanned"], "Mode Verdict: what Manage would do, and nothing done."),
    (
        "unknown",
        "CreateOutcomeUnknown",
        &["CreateOutcomeUnknown"],
        "The answer to the create request was lost. The intent stays in status, the jobs are watched, and no second request is sent before it is certain that the first had no effect.",
    ),
    (
        "rejected",
        "CredentialsRejected",
        &["CredentialsRejected"],
        "The login service refuses the operator's secret. It recovers by itself when the secret is right again.",
    ),
];

fn service_principal(name: &str) -> String {
    let number = STATES.iter().position(|(state, ..)| *state == name).unwrap();
    format!("5e0000{number:02}-1f2e-4a3b-9c4d-5e6f70818293")
}

fn of_state(name: &str, more: &[&str]) -> String {
    let owner = if name == "twin" { "running" } else { name };
    manifest(name, &service_principal(owner), if name == "template" { "BoxOutDeltas" } else { BOX }, more)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_golden_file_of_ten_telling_states_is_what_kubectl_describe_shows() {
    let mut rig = Rig::idle().await;
    rig.start_operator_with(&[
        "--settle-window-seconds=600",
        "--missing-grace-seconds=0",
        "--stalled-grace-seconds=600",
    ]);
    let mut page = INTRO.to_owned();
    prepare(&rig).await;
    for (name, ..) in &STATES[..9] {
        rig.apply(&of_state(name, if *name == "planned" { &["mode: Plan"] } else { &[] })).await;
        if ["running", "quarantined", "paused", "missing"].contains(name) {
            let object = rig
                .until(name, "is ready", |object| {
                    is_ready(object) && object["status"]["run"]["reachedTime"].is_string()
                })
                .await;
            disturb(&rig, name, job_id(&object).unwrap()).await;
            rig.nudge(name).await;
        }
    }
    for state in &STATES[..9] {
        write_state(&mut rig, state, &mut page).await;
    }
    rig.control.revoke_secrets(&rig.demo.tenant_id, &rig.demo.client_id).await.unwrap();
    rig.control.revoke_tokens().await.unwrap();
    rig.apply(&of_state("rejected", &[])).await;
    write_state(&mut rig, &STATES[9], &mut page).await;
    compare(&page);
}

async fn prepare(rig: &Rig) {
    for (name, ..) in STATES {
        let body = json!({"appId": "5e000000-0000-4000-8000-000000000000", "displayName": name, "templates": [BOX, "scim"],
            "secrets": [{"key": "SecretToken", "value": "x"}]});
        rig.control.put_service_principal(&rig.demo.tenant_id, &service_principal(name), &body).await.unwrap();
    }
    let foreign = json!({"templateId": BOX, "scheduleState": "Active", "code": "Active"});
    let id = format!("{BOX}.7f0c2b1e5c1d4d0a9a530d6f4b8a2e11.{}", uuid::Uuid::new_v4());
    rig.control.put_job(&rig.demo.tenant_id, &service_principal("exists"), &id, &foreign).await.unwrap();
    let lost = json!({"operation": "createJob", "servicePrincipalId": service_principal("unknown"), "times": 1, "action": {"drop": {}}});
    rig.control.put_fault(&lost).await.unwrap();
}

async fn disturb(rig: &Rig, name: &str, job: &str) {
    let (tenant, sp) = (rig.demo.tenant_id.as_str(), service_principal(name));
    match name {
        "quarantined" => {
            let error = json!({"code": "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable", "message": "", "tenantActionable": true});
            let body = json!({"reason": "EncounteredQuarantineException", "error": error});
            rig.control.quarantine_job(tenant, &sp, job, &body).await.unwrap();
        }
        "paused" => {
            let body = json!({"scheduleState": "Paused", "code": "Paused"});
            rig.control.put_job(tenant, &sp, job, &body).await.unwrap();
        }
        "missing" => rig.control.delete_job(tenant, &sp, job).await.unwrap(),
        _ => {}
    }
}

async fn write_state(rig: &mut Rig, (name, reason, events, says): &(&str, &str, &[&str], &str), page: &mut String) {
    let told = |object: &Value| {
        ready(object, "True", reason)
            || ready(object, "False", reason)
            || condition(object, "Reconciling")["reason"] == *reason
    };
    rig.until(name, &format!("says {reason}"), told).await;
    for _ in 0..300 {
        let text = rig.kubectl(&["describe", "syncjob", name]).await;
        if events.iter().all(|event| text.contains(&format!(" {event} "))) {
            return write!(
                page,
                "\n## {reason}\n\n{says}\n\n```text\n$ kubectl describe syncjob {name}\n{}\n```\n",
                settled(&text)
            )
            .unwrap();
        }
    }
    panic!("not all of {events:?} were written for {name}");
}

/// The same text in every run.
fn settled(text: &str) -> String {
    let rules = [
        (
            r"[0-9a-f]{32}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
            "7f0c2b1e5c1d4d0a9a530d6f4b8a2e11.5b9a1c44-0e2f-4a6b-b1d7-93c2f0e8a655",
        ),
        (r"(?m)^(  UID: +).*$", "${1}0d5c1c3e-6f0b-4c53-9f52-8a4f3f1f7a10"),
        (r"(Nonce: +)[0-9a-f-]{36}", "${1}b7a1f4c2-90b3-4d6f-8a27-35e0d1c2b4a6"),
        (r"(Last Handled Reconcile: +|reconcile-requested-at: +)[0-9a-f-]{36}", "${1}2026-11-25-1"),
        (
            r"(request-id )[0-9a-f-]{36}, [^)]*GMT",
            "${1}6f5c2a10-4d3e-4b7a-9c11-2f8e7d6c5b4a, Wed, 25 Nov 2026 10:00:00 GMT",
        ),
        (r"(?m)^(  Resource Version: +).*$", "${1}1234"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-11-25T10:00:00Z"),
        (r"it-[0-9a-f]{12}", "identity"),
        (r"(?m)^(  (?:Normal|Warning) +\S+ +)\S+( +entrain)", "${1}1s${2}"),
        (r"(?m) +$", ""),
    ];
    let mut text = text.trim_end().to_owned();
    for (pattern, replacement) in rules {
        text = Regex::new(pattern).unwrap().replace_all(&text, replacement).into_owned();
    }
    let Some((head, events)) = text.split_once("  ----") else { return text };
    let (rule, events) = events.split_once('\n').unwrap();
    let mut events: Vec<String> =
        events.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    events.sort();
    let squeeze = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let (before, titles) = head.trim_end().rsplit_once('\n').unwrap();
    let _ = rule;
    format!("{before}\n  {}\n  {}", squeeze(titles), events.join("\n  "))
}

fn compare(page: &str) {
    let path = repository().join(GOLDEN);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, page).unwrap();
    }
    let shipped = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = page.lines().zip(shipped.lines()).find(|(now, then)| now != then);
    assert!(shipped == page, "{GOLDEN} is stale, first at {differs:?}: UPDATE=1 cargo test describe");
}
