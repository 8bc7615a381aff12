//! SyncJobs that are refused, and what may not change in them.

use entrain::plan::ids::{ServicePrincipalId, TemplateId};
use reqwest::Method;
use serde_json::{Value, json};

use super::{GUID, OTHER_GUID, admin, dry_run, object, sync_job_content, sync_job_mappings, try_all, verdict};

const COLLECTION: &str = "/apis/entrain.dev/v1alpha1/namespaces/default/syncjobs";

/// A manifest that is fine but for what is laid over its spec; a null takes a field away.
fn manifest(name: &str, over: &Value) -> Value {
    object("SyncJob", name, json!({"servicePrincipalId": GUID, "templateId": "BoxOutDelta"}), over)
}

/// What is laid over a good spec, and what the refusal must say.
fn refused() -> Vec<(Value, &'static str)> {
    let id = "spec.servicePrincipalId: Invalid value: `servicePrincipalId` must be the object id of the service principal, a GUID such as";
    let template = "spec.templateId: Invalid value: `templateId` must be a template id such as 'BoxOutDelta' or 'scim'";
    let adopt = |policy: &str, id: &str| json!({"adoption": {"policy": policy, "jobId": id}});
    let job = "`adoption.jobId` must be the id of a job as Graph shows it";
    vec![
        (json!({"servicePrincipalId": "box"}), id),
        (json!({"servicePrincipalId": format!("{GUID}0")}), id),
        (json!({"servicePrincipalId": format!("/applications/{GUID}")}), id),
        (json!({"servicePrincipalId": format!("/servicePrincipals/{GUID}/..")}), id),
        (json!({"servicePrincipalId": "2d6f9f0a_3b41_4c7e_8f52_6a1b0c9d8e7f"}), id),
        (json!({"servicePrincipalId": null}), "spec.servicePrincipalId: Required value"),
        (json!({"templateId": "Box/Out"}), template),
        (json!({"templateId": "a..b"}), template),
        (json!({"templateId": "scim?"}), template),
        (json!({"templateId": "scim#1"}), template),
        (json!({"templateId": "100%25"}), template),
        (json!({"templateId": ".scim"}), template),
        (json!({"templateId": "x".repeat(129)}), "spec.templateId: Too long: may not be more than 128 bytes"),
        (json!({"templateId": null}), "spec.templateId: Required value"),
        (
            json!({"state": "Started"}),
            "spec.state: Unsupported value: \"Started\": supported values: \"Running\", \"Paused\"",
        ),
        (
            json!({"mode": "manage"}),
            "spec.mode: Unsupported value: \"manage\": supported values: \"Manage\", \"Observe\", \"Plan\", \"Suspended\"",
        ),
        (
            json!({"deletionPolicy": "Orphan"}),
            "spec.deletionPolicy: Unsupported value: \"Orphan\": supported values: \"Delete\", \"Retain\"",
        ),
        (json!({"outOfBandPolicy": "Fight"}), "spec.outOfBandPolicy: Unsupported value"),
        (json!({"missingJobPolicy": "Create"}), "spec.missingJobPolicy: Unsupported value"),
        (
            json!({"pollIntervalSeconds": 59}),
            "spec.pollIntervalSeconds: Invalid value: 59: spec.pollIntervalSeconds in body should be greater than or equal to 60",
        ),
        (json!({"pollIntervalSeconds": 86_401}), "should be less than or equal to 86400"),
        (json!({"adoption": {}}), "spec.adoption.policy: Required value"),
        (json!({"adoption": {"policy": "Always"}}), "spec.adoption.policy: Unsupported value"),
        (
            adopt("Never", "BoxOutDelta.1"),
            "spec.adoption.jobId: Forbidden: `adoption.jobId` must come with policy 'IfExists' or 'Only': with 'Never' no job is adopted",
        ),
        (adopt("Only", "a/b"), job),
        (adopt("Only", "a..b"), job),
        (adopt("IfExists", "a?b"), job),
        (adopt("IfExists", "a b"), job),
        (
            json!({"missingJobPolicy": "Recreate", "adoption": {"policy": "Only"}}),
            "spec.missingJobPolicy: Forbidden: `missingJobPolicy` must not be 'Recreate' when adoption has policy 'Only' or names a job: then no job is ever created",
        ),
        (
            json!({"missingJobPolicy": "Recreate", "adoption": {"policy": "IfExists", "jobId": "BoxOutDelta.1"}}),
            "spec.missingJobPolicy: Forbidden",
        ),
        (json!({"retries": 3}), "unknown field \"spec.retries\""),
    ]
}

/// The same for the reference to a tenant.
fn refused_references() -> Vec<(Value, &'static str)> {
    vec![
        (json!({"tenantRef": {}}), "spec.tenantRef.name: Required value"),
        (
            json!({"tenantRef": {"name": "Contoso"}}),
            "spec.tenantRef.name: Invalid value: \"Contoso\": the name must be one that an object can have",
        ),
        (
            json!({"tenantRef": {"name": "identity/contoso"}}),
            "spec.tenantRef.name: Invalid value: \"identity/contoso\": the name must be one",
        ),
        (
            json!({"tenantRef": {"name": "n".repeat(64)}}),
            "spec.tenantRef.name: Too long: may not be more than 63 bytes",
        ),
        (
            json!({"tenantRef": {"name": "contoso", "kind": "Secret"}}),
            "spec.tenantRef.kind: Unsupported value: \"Secret\": supported values: \"EntraTenant\", \"ClusterEntraTenant\"",
        ),
        (
            json!({"tenantRef": {"name": "contoso", "namespace": "identity"}}),
            "unknown field \"spec.tenantRef.namespace\"",
        ),
    ]
}

fn all_refused() -> Vec<(Value, &'static str)> {
    [refused(), refused_references(), sync_job_content::refused(), sync_job_mappings::refused()].concat()
}

fn accepted() -> Vec<Value> {
    vec![
        json!({}),
        json!({"servicePrincipalId": format!("/servicePrincipals/{}", GUID.to_uppercase())}),
        json!({"templateId": "AAD2ADGroupProvisioning"}),
        json!({"templateId": "Azure2Azure_Preview.v2"}),
        json!({"state": "Paused", "mode": "Plan", "deletionPolicy": "Retain", "outOfBandPolicy": "Correct", "pollIntervalSeconds": 60}),
        json!({"adoption": {"policy": "Never"}}),
        json!({"adoption": {"policy": "Only", "jobId": "BoxOutDelta.7f0c2b1e5c1d4d0a9a530d6f4b8a2e11.5b9a1c44-0e2f-4a6b-b1d7-93c2f0e8a655"}}),
        json!({"adoption": {"policy": "IfExists"}, "missingJobPolicy": "Recreate"}),
        json!({"tenantRef": {"name": "contoso"}}),
        json!({"tenantRef": {"name": "contoso.example", "kind": "EntraTenant"}}),
        json!({"tenantRef": {"name": "contoso", "kind": "ClusterEntraTenant"}}),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_manifest_is_refused_with_its_sentence_and_every_good_one_accepted() {
    let admin = admin().await;
    let bad = all_refused().into_iter().map(|(over, sentence)| (manifest("bad", &over), sentence)).collect();
    let good = [accepted(), sync_job_content::accepted(), sync_job_mappings::accepted()].concat();
    let good = good.iter().map(|over| manifest("good", over)).collect();
    let mut wrong = try_all(&admin, COLLECTION, bad, good).await;
    let long = dry_run(&admin, COLLECTION, &manifest(&"n".repeat(64), &json!({}))).await.unwrap_err();
    if !long.contains("metadata.name must be no longer than 63 characters") {
        wrong.push(long);
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// A field that [`manifest`] sets, and another value that it must not get.
const IMMUTABLE: &[(&str, &str)] = &[("servicePrincipalId", OTHER_GUID), ("templateId", "scim")];

/// What a field is first, and whether it may then be the second. The parser has to agree, because it decides whether two
/// SyncJobs are for one job.
const RESPELT: &[(&str, &str, &str, bool)] = &[
    ("servicePrincipalId", GUID, "/servicePrincipals/2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f", true),
    ("servicePrincipalId", GUID, "2D6F9F0A-3B41-4C7E-8F52-6A1B0C9D8E7F", true),
    ("servicePrincipalId", "/servicePrincipals/2D6F9F0A-3B41-4C7E-8F52-6A1B0C9D8E7F", GUID, true),
    ("servicePrincipalId", GUID, "/servicePrincipals/7c1e4a52-90b3-4d6f-8a27-35e0d1c2b4a6", false),
    ("templateId", "scim", "SCIM", true),
    ("templateId", "AD2AADProvisioning", "ADDCInPassthrough", true),
    ("templateId", "addcinpassthrough", "AD2AADProvisioning", true),
    ("templateId", "AD2AADProvisioning", "AD2AADPasswordHash", false),
    ("templateId", "scim", "ADDCInPassthrough", false),
    ("templateId", "ADDCInPassthrough", "scim", false),
];

/// Whether the parser takes two values of a field for the same.
fn parser_agrees(field: &str, one: &str, other: &str) -> bool {
    if field == "templateId" {
        return TemplateId::parse(one).unwrap().same_as(other);
    }
    ServicePrincipalId::parse(one).unwrap() == ServicePrincipalId::parse(other).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_spelling_of_an_immutable_field_is_no_change_where_the_parser_sees_none() {
    let admin = admin().await;
    let path = format!("{COLLECTION}/respelt");
    for (field, first, second, same) in RESPELT {
        assert_eq!(parser_agrees(field, first, second), *same, "{field}: {first}, {second}");
        let created = admin.send(Method::POST, COLLECTION, Some(&manifest("respelt", &json!({*field: first})))).await;
        let mut object = created.unwrap().1;
        object["spec"][*field] = json!(second);
        let verdict = verdict(admin.send(Method::PUT, &path, Some(&object)).await.unwrap());
        assert_eq!(verdict.is_ok(), *same, "{field}: {first}, {second}: {verdict:?}");
        assert!(verdict.err().is_none_or(|message| message.contains(&format!("`{field}` must not change"))));
        admin.send(Method::DELETE, &path, None).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_change_does_not_and_what_may_does() {
    let admin = admin().await;
    let path = format!("{COLLECTION}/immutable");
    let mut object = admin.send(Method::POST, COLLECTION, Some(&manifest("immutable", &json!({})))).await.unwrap().1;
    for (field, value) in IMMUTABLE {
        let mut changed = object.clone();
        changed["spec"][field] = json!(value);
        let message = verdict(admin.send(Method::PUT, &path, Some(&changed)).await.unwrap()).unwrap_err();
        assert!(message.contains(&format!("spec.{field}: Forbidden: `{field}` must not change")), "{message}");
    }
    object["status"] = json!({"jobId": "BoxOutDelta.1", "observedGeneration": -1});
    object = admin.send(Method::PUT, &format!("{path}/status"), Some(&object)).await.unwrap().1;
    object["spec"]["adoption"] = json!({"policy": "IfExists", "jobId": "BoxOutDelta.2"});
    let message = verdict(admin.send(Method::PUT, &path, Some(&object)).await.unwrap()).unwrap_err();
    assert!(message.contains("spec.adoption.jobId: Forbidden: `adoption.jobId` must name the job"), "{message}");
    object["spec"]["adoption"]["jobId"] = json!("BoxOutDelta.1");
    object["spec"]["state"] = json!("Paused");
    verdict(admin.send(Method::PUT, &path, Some(&object)).await.unwrap()).unwrap();
    admin.send(Method::DELETE, &path, None).await.unwrap();
}

/// What the reference was when the job was recorded, and what it must not become.
const BOUND: &[(Option<&str>, Option<&str>, bool)] = &[
    (None, None, true),
    (None, Some("{\"name\":\"contoso\"}"), false),
    (Some("{\"name\":\"contoso\"}"), None, false),
    (Some("{\"name\":\"contoso\"}"), Some("{\"name\":\"fabrikam\"}"), false),
    (Some("{\"name\":\"contoso\"}"), Some("{\"name\":\"contoso\",\"kind\":\"ClusterEntraTenant\"}"), false),
    (Some("{\"name\":\"contoso\"}"), Some("{\"name\":\"contoso\",\"kind\":\"EntraTenant\"}"), true),
    (Some("{\"name\":\"contoso\",\"kind\":\"EntraTenant\"}"), Some("{\"name\":\"contoso\"}"), true),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_tenant_of_a_recorded_job_or_intent_must_not_change() {
    let admin = admin().await;
    let path = format!("{COLLECTION}/referring");
    let parsed = |text: Option<&str>| text.map_or(Value::Null, |text| serde_json::from_str(text).unwrap());
    let intent = json!({"nonce": GUID, "recordedTime": "2026-11-26T10:00:00Z", "baseline": []});
    let statuses = [(json!({}), false), (json!({"jobId": "BoxOutDelta.1"}), true), (json!({"intent": intent}), true)];
    for (before, after, same) in BOUND {
        for (status, bound) in &statuses {
            let mut first = json!({});
            if before.is_some() {
                first["tenantRef"] = parsed(*before);
            }
            let created = admin.send(Method::POST, COLLECTION, Some(&manifest("referring", &first))).await;
            let mut object = created.unwrap().1;
            object["status"] = status.clone();
            object = admin.send(Method::PUT, &format!("{path}/status"), Some(&object)).await.unwrap().1;
            super::lay(&mut object["spec"], &json!({"tenantRef": parsed(*after)}));
            let verdict = verdict(admin.send(Method::PUT, &path, Some(&object)).await.unwrap());
            assert_eq!(verdict.is_ok(), *same || !bound, "{before:?}, {after:?}, {status}: {verdict:?}");
            let sentence = "spec.tenantRef: Forbidden: `tenantRef` must not change once a job is recorded";
            assert!(verdict.clone().err().is_none_or(|message| message.contains(sentence)), "{verdict:?}");
            admin.send(Method::DELETE, &path, None).await.unwrap();
        }
    }
}

/// The sentences that these tests have seen.
pub fn seen() -> Vec<String> {
    let mut seen: Vec<String> = all_refused().into_iter().map(|(_, sentence)| sentence.to_owned()).collect();
    seen.extend(IMMUTABLE.iter().map(|(field, _)| format!("`{field}` must not change")));
    let others =
        ["metadata.name must be no longer than", "`adoption.jobId` must name the job", "`tenantRef` must not change"];
    seen.extend(others.map(str::to_owned));
    seen
}
