//! Attribute mappings that differ from the template.

use reqwest::{Certificate, Method};
use serde_json::{Value, json};

use super::super::Review;
use super::{BOX_JOB, documents, named};

const PERSON: &str = "c0ffee00-1d2e-4f3a-8b4c-5d6e7f809102";

impl Review {
    /// Asks Graph as an administrator, as the portal does.
    async fn as_administrator(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let user = format!("tenants/{}/users/{PERSON}", self.demo.tenant_id);
        let roles = json!({"roles": ["Application Administrator"]});
        self.control.raw("PUT", &user, Some(&roles)).await.unwrap();
        let wanted = json!({"scopes": ["Synchronization.ReadWrite.All"]});
        let token = self.control.raw("POST", &format!("{user}/token"), Some(&wanted)).await.unwrap();
        let ready = self.simulator.ready();
        let ca = Certificate::from_pem(&std::fs::read(&ready.ca).unwrap()).unwrap();
        let http = reqwest::Client::builder().tls_certs_merge([ca]).no_proxy().build().unwrap();
        let request = http.request(method, format!("{}/v1.0/{path}", ready.url.trim_end_matches('/')));
        let request = request.bearer_auth(token["access_token"].as_str().unwrap());
        let answer = body.into_iter().fold(request, reqwest::RequestBuilder::json).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default()
    }
}

/// The first attribute mapping of the first object mapping.
fn first(schema: &mut Value) -> &mut Value {
    &mut schema["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][0]
}

#[tokio::test]
async fn what_differs_from_the_template_is_written_and_nothing_else() {
    let review = Review::begin().await;
    let box_ = review.demo.service_principal_id.clone();
    review.job(&box_, BOX_JOB, "Active").await;
    let arguments = ["--service-principal", &box_, "--mappings"];
    let same = review.import(&arguments).await;
    let object = named(&documents(&same.out), "box");
    assert_eq!((same.code, &object["spec"]["mappings"]), (0, &Value::Null), "{}{}", same.out, same.err);
    assert_eq!((review.arrived("getSchema").await, review.arrived("getTemplateSchema").await), (1, 1));

    let path = format!("servicePrincipals/{box_}/synchronization/jobs/{BOX_JOB}/schema");
    let mut schema = review.as_administrator(Method::GET, &path, None).await;
    first(&mut schema)["defaultValue"] = "nobody".into();
    let target = first(&mut schema)["targetAttributeName"].clone();
    review.as_administrator(Method::PUT, &path, Some(&schema)).await;
    let changed = review.import(&arguments).await;
    let mappings = named(&documents(&changed.out), "box")["spec"]["mappings"].clone();
    let objects = mappings["objectMappings"].as_array().unwrap();
    let expected = json!([{"targetAttributeName": target, "defaultValue": "nobody"}]);
    assert_eq!((changed.code, objects.len(), &objects[0]["attributeMappings"]), (0, 1, &expected), "{}", changed.out);

    let without = review.import(&arguments[..2]).await;
    assert_eq!(named(&documents(&without.out), "box")["spec"]["mappings"], Value::Null);
}

#[tokio::test]
async fn a_schema_that_may_not_be_read_leaves_the_job_without_mappings() {
    let review = Review::begin().await;
    let box_ = review.demo.service_principal_id.clone();
    review.job(&box_, BOX_JOB, "Active").await;
    let refusal = json!({"respond": {"status": 403, "code": "Authorization_RequestDenied", "message": "No."}});
    review.fault("getSchema", refusal).await;
    let run = review.import(&["--service-principal", &box_, "--mappings"]).await;
    assert_eq!((run.code, documents(&run.out).len()), (2, 1), "{}", run.err);
    assert!(run.out.contains("# Mappings are left out: they could not be read."), "{}", run.out);
    assert!(run.err.contains("'Box'") && run.err.contains("Graph answered 403"), "{}", run.err);
}
