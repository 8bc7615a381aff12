//! Provisioning one object now (CONTRACT §2.6); the answer is JSON inside strings.

use serde::Deserialize;
use serde_json::{Value, json};

use super::catalog;
use super::{gate, schema, target};
use crate::graph::http::call::{Answered, Call};
use crate::graph::http::reply::Reply;
use crate::graph::model::settings::{OnDemandKey, OnDemandWhileRunning};

const MEMBERS_MAX: usize = 5;

#[derive(Deserialize)]
struct Asked {
    parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameter {
    rule_id: Option<String>,
    #[serde(default)]
    subjects: Vec<Subject>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subject {
    object_id: String,
    object_type_name: String,
    links: Option<Links>,
}

#[derive(Deserialize)]
struct Links {
    #[serde(default)]
    members: Vec<Value>,
}

pub fn provision(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let asked: Asked = call.body()?;
    let job = call.job()?.clone();
    let template = catalog::template(call.tenant()?, &job.template_id);
    let rules = schema::effective(call)?["synchronizationRules"].clone();
    check(&asked, &rules, &job.id)?;
    let settings = call.settings();
    if template.oauth && job.is_active() && settings.on_demand_while_running == OnDemandWhileRunning::Refused {
        return Err(Reply::bad_request("The job must be stopped before provisioning on demand."));
    }
    let principal = call.principal()?;
    if let Some(cause) = target::cause(&template, &principal.target, &principal.secrets, &settings) {
        let trouble = target::in_cycle(&template, &principal.target, cause, &settings);
        return Err(Reply::error(400, &trouble.code, &trouble.message));
    }
    let subjects: Vec<String> = asked
        .parameters
        .iter()
        .flat_map(|parameter| &parameter.subjects)
        .map(|found| found.object_id.clone())
        .collect();
    let items: Vec<Value> = subjects.iter().map(|id| item(id)).collect();
    let key = match settings.on_demand_key {
        OnDemandKey::Documented => {
            json!({"result": "Success", "details": {"errorCode": "", "errorMessage": ""}}).to_string()
        }
        OnDemandKey::StatusInfo => {
            "Microsoft.Identity.Health.CPP.Common.DataContracts.SyncFabric.StatusInfo".to_owned()
        }
    };
    call.commit(Some(&job), json!({"subjects": subjects}));
    Ok(Reply::ok(json!({
        // The back end's host, which is no Graph address.
        "@odata.context": "https://syncfabric.example.test/$metadata#microsoft.graph.stringKeyStringValuePair",
        "key": key, "value": Value::Array(items).to_string(),
    })))
}

fn check(asked: &Asked, rules: &Value, job: &str) -> Result<(), Reply> {
    if asked.parameters.is_empty() || asked.parameters.iter().any(|parameter| parameter.subjects.is_empty()) {
        return Err(Reply::bad_request("Subjects are missing."));
    }
    for parameter in &asked.parameters {
        let wanted = parameter.rule_id.clone().unwrap_or_default();
        if !rules.as_array().into_iter().flatten().any(|rule| rule["id"] == wanted) {
            let text = format!("Job '{job}' does not contain the rule '{wanted}'.");
            return Err(Reply::error(400, "RequestParameterInvalid", &text));
        }
    }
    let subjects = || asked.parameters.iter().flat_map(|parameter| &parameter.subjects);
    let groups = subjects().filter(|subject| subject.object_type_name == "Group").count();
    let members = subjects().filter_map(|subject| subject.links.as_ref()).map(|links| links.members.len()).max();
    if groups > 1 || members > Some(MEMBERS_MAX) {
        return Err(Reply::bad_request("One group at a time, with at most 5 members."));
    }
    Ok(())
}

fn item(id: &str) -> Value {
    let step = |name: &str| json!({"name": name, "type": name, "status": "Success", "description": "", "details": {}});
    let steps: Vec<Value> = ["EntryImport", "EntrySynchronizationScoping", "EntryExportAdd"].map(step).to_vec();
    json!({
        "sourceIdentity": {"id": id, "identityType": "User"}, "targetIdentity": {"id": id, "identityType": "User"},
        "statusInfo": {"status": "Success"},
        "provisioningSteps": steps,
    })
}
