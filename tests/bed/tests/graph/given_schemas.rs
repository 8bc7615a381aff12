//! Schemas that a seed or a control call gives, and what a person does to them in the portal (README, the control API).

use serde_json::{Value, json};

use super::support::{Bed, SP, TENANT, state};

fn rule(schema: &Value) -> &str {
    schema["synchronizationRules"][0]["name"].as_str().unwrap()
}

async fn read(bed: &Bed, id: &str) -> Value {
    bed.sync("GET", &format!("jobs/{id}/schema"), None).await.json()
}

#[tokio::test]
async fn a_seed_gives_schemas_to_templates_and_jobs() {
    let seed = json!({"tenants": {TENANT: {
        "tokenLifetimeSeconds": 100_000,
        "applications": {super::support::APP: {"secrets": [{"value": super::support::SECRET}], "roles": ["Synchronization.ReadWrite.All"]}},
        "servicePrincipals": {SP: {
            "appId": "6b5e1f3a-0000-4000-8000-000000000001", "templates": ["scim", "SfOutDelta", "Azure2Azure"],
            "templateSchemas": {"scim": {"fixture": "scim-large"}, "SfOutDelta": {"fixture": "salesforce-like"}},
            "jobs": {"Azure2Azure.t.a": {"schema": {"fixture": "cross-tenant"}}},
        }},
    }}});
    let mut bed = Bed::start(Some(serde_json::from_value(seed).unwrap())).await;
    bed.sign_in().await;
    let (large, crm) = (bed.create("scim").await, bed.create("SfOutDelta").await);
    let schema = read(&bed, &large).await;
    assert_eq!((rule(&schema), &schema["id"]), ("USERGROUP_OUTBOUND_USERGROUP", &json!(large)));
    assert!(schema.to_string().len() > 400_000);
    let schema = read(&bed, &crm).await;
    assert_eq!((rule(&schema), schema.get("id")), ("USER_OUTBOUND_USER", None), "a schema without an id gets none");
    assert_eq!(rule(&read(&bed, "Azure2Azure.t.a").await), "USER_INBOUND_USER");
    let template = bed.sync("GET", "templates/SfOutDelta/schema", None).await.json();
    assert_eq!(template["synchronizationRules"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_control_call_gives_a_template_a_schema_and_takes_it_back() {
    let bed = Bed::new().await;
    let id = bed.create("scim").await;
    let before = read(&bed, &id).await;
    bed.control.put_template_schema(TENANT, SP, "scim", &json!({"fixture": "cross-tenant"})).await.unwrap();
    assert_eq!(rule(&read(&bed, &id).await), "USER_INBOUND_USER", "jobs without a schema of their own follow");
    let path = format!("tenants/{TENANT}/servicePrincipals/{SP}/templates/scim/schema");
    let whole = bed.control.raw("GET", &path, None).await.unwrap();
    assert_eq!((rule(&whole), &whole["id"]), ("USER_INBOUND_USER", &json!("scim")));
    bed.control.raw("DELETE", &path, None).await.unwrap();
    assert_eq!(read(&bed, &id).await, before);
    let names = bed.control.raw("GET", "fixtures", None).await.unwrap();
    assert_eq!(names["value"], json!(bed::graph::fixtures::NAMES));
    assert_eq!(rule(&bed.control.raw("GET", "fixtures/salesforce-like", None).await.unwrap()), "USER_OUTBOUND_USER");
    for wrong in [json!({"fixture": "nope"}), json!({}), json!({"synchronizationRules": 3})] {
        assert!(bed.control.put_template_schema(TENANT, SP, "scim", &wrong).await.is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn a_control_call_gives_a_job_a_schema_as_it_is() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    let fixture = Value::clone(&bed::graph::fixtures::schema("scim-large").unwrap());
    bed.control.put_job(TENANT, SP, &id, &json!({"schema": fixture})).await.unwrap();
    let mut shown = read(&bed, &id).await;
    assert_eq!(bed.control.schema(TENANT, SP, &id).await.unwrap()["version"], "6.0");
    shown.as_object_mut().unwrap().remove("@odata.context");
    shown["id"] = fixture["id"].clone();
    assert_eq!(shown, fixture, "not versioned, not sorted");
    assert_eq!(state(&bed.job(&id).await), ("Active", "Active"), "and the job goes on");
}

#[tokio::test]
async fn a_person_changes_the_schema_of_a_job_as_the_service_takes_it() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    let mut schema = bed.control.schema(TENANT, SP, &id).await.unwrap();
    let before = schema["version"].clone();
    schema["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][0]["source"] =
        json!({"type": "Attribute", "name": "mail", "expression": "[mail]"});
    bed.control.put_schema(TENANT, SP, &id, &schema).await.unwrap();
    let calls = bed.control.raw("GET", "calls?operation=getSchema", None).await.unwrap();
    assert_eq!(calls["value"], json!([]), "no traffic of Graph");
    assert_eq!(state(&bed.job(&id).await), ("NotRun", "Active"), "the cycle begins as an initial one");
    let read = read(&bed, &id).await;
    assert_ne!(read["version"], before);
    assert!(read.to_string().contains("\"expression\":\"[mail]\""));
    let effects = bed.control.effects("putSchema").await.unwrap();
    assert_eq!((effects.len(), &effects[0]["callerAppId"]), (1, &json!("portal")));
    schema["synchronizationRules"][0]["id"] = json!("8b7e5f0a-0000-4000-8000-000000000000");
    let refused = bed.control.put_schema(TENANT, SP, &id, &schema).await.unwrap_err();
    assert!(refused.to_string().contains("does not exist"), "{refused}");
    let path = format!("tenants/{TENANT}/servicePrincipals/{SP}/jobs/{id}/schema");
    bed.control.raw("DELETE", &path, None).await.unwrap();
    assert_eq!(bed.control.schema(TENANT, SP, &id).await.unwrap()["version"], before);
}
