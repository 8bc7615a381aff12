//! Schemas, templates, secrets, credentials and on-demand provisioning (CONTRACT §2.3 to §2.7).

use serde_json::{Value, json};

use super::support::{Bed, SP, TENANT, state};

async fn application(bed: &Bed) -> String {
    let found =
        bed.call("GET", "applications?$filter=appId eq '6b5e1f3a-0000-4000-8000-000000000001'", None).await.json();
    found["value"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn templates_are_read_through_both_parents() {
    let bed = Bed::new().await;
    let app = application(&bed).await;
    let listed = bed.sync("GET", "templates", None).await.json();
    let ids: Vec<&str> =
        listed["value"].as_array().unwrap().iter().map(|found| found["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["scim", "BoxOutDelta"]);
    assert_eq!(listed["value"][0]["default"], true);
    let fields = &listed["value"][0]["metadata"][0];
    assert_eq!(fields["key"], "ConfigurationFields");
    let fields: Value = serde_json::from_str(fields["value"].as_str().unwrap()).unwrap();
    assert_eq!(fields, json!([{"name": "baseaddress"}, {"name": "secrettoken", "secret": true}]));
    let through_app = bed.call("GET", &format!("applications/{app}/synchronization/templates"), None).await.json();
    let bare = |mut list: Value| {
        for template in list["value"].as_array_mut().unwrap() {
            template.as_object_mut().unwrap().remove("schema@odata.context").expect("a list has the schemas");
        }
        list["value"].take()
    };
    assert_eq!(bare(through_app), bare(listed));
    let path = format!("/beta/servicePrincipals/{SP}/synchronization/templates/scim");
    let beta = bed.send("GET", &path, None, &bed.token, &[]).await.unwrap().json();
    assert_eq!(beta["metadata"][0]["key"], "configurationFields");
    assert_eq!(bed.sync("GET", "templates/nope", None).await.status, 404);
}

#[tokio::test]
async fn lists_of_templates_carry_schemas_as_the_switch_says() {
    let bed = Bed::new().await;
    bed.control.put_template_schema(TENANT, SP, "scim", &json!({"fixture": "scim-large"})).await.unwrap();
    for (switch, in_list, in_one) in [
        (json!({}), true, false),
        (json!({"templateSchemas": "always"}), true, true),
        (json!({"templateSchemas": "never"}), false, false),
    ] {
        bed.control.put_tenant(TENANT, &switch).await.unwrap();
        let list = bed.sync("GET", "templates", None).await;
        assert_eq!(list.text.len() > 400_000, in_list, "{switch}");
        let one = bed.sync("GET", "templates/scim", None).await.json();
        assert_eq!(one["schema"].is_object(), in_one, "{switch}");
        let listed = list.json()["value"][0].clone();
        assert_ne!(listed["applicationId"], "6b5e1f3a-0000-4000-8000-000000000001", "the gallery's, not the appId");
        if in_list {
            assert_eq!(listed["schema"]["id"], "scim.00000000000000000000000000000000");
            assert!(listed["schema@odata.context"].as_str().unwrap().ends_with("templates('scim')/schema/$entity"));
        }
        let keys: Vec<&Value> = listed["metadata"].as_array().unwrap().iter().map(|pair| &pair["key"]).collect();
        assert_eq!(keys.iter().filter(|key| **key == "IsSynchronizationInPreview").count(), 2);
    }
}

#[tokio::test]
async fn a_template_is_edited_under_the_application_only() {
    let bed = Bed::new().await;
    let app = application(&bed).await;
    let path = format!("applications/{app}/synchronization/templates/scim");
    assert_eq!(bed.call("PATCH", &path, Some(json!({"description": "mine"}))).await.status, 204);
    let template = bed.sync("GET", "templates/scim", None).await.json();
    assert_eq!(
        (&template["description"], &template["factoryTag"]),
        (&json!("mine"), &json!("")),
        "what is missing is erased"
    );
    let schema = json!({"synchronizationRules": [], "directories": []});
    assert_eq!(bed.sync("PUT", "templates/scim/schema", Some(schema.clone())).await.code(), "UnknownError");
    assert_eq!(bed.call("PUT", &format!("{path}/schema"), Some(schema)).await.status, 204);
    let id = bed.create("scim").await;
    let inherited = bed.sync("GET", &format!("jobs/{id}/schema"), None).await.json();
    assert_eq!((&inherited["synchronizationRules"], &inherited["id"]), (&json!([]), &json!(id)));
    assert_eq!(bed.call("DELETE", &format!("{path}/schema"), None).await.status, 204);
    let schema = bed.sync("GET", "templates/scim/schema", None).await.json();
    assert_eq!(schema["synchronizationRules"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_schema_is_replaced_as_a_whole_and_begins_the_job_anew() {
    let bed = Bed::new().await;
    let id = bed.running().await;
    let path = format!("jobs/{id}/schema");
    let mut schema = bed.sync("GET", &path, None).await.json();
    assert_eq!(schema["synchronizationRules"][0]["objectMappings"][0]["flowTypes"], "Add, Update, Delete");
    schema.as_object_mut().unwrap().remove("directories");
    assert_eq!(bed.sync("PUT", &path, Some(schema)).await.status, 204);
    let read = bed.sync("GET", &path, None).await.json();
    assert!(read.get("directories").is_none());
    let job = bed.job(&id).await;
    assert_eq!(state(&job), ("NotRun", "Active"));
    assert_eq!(job["status"]["steadyStateLastAchievedTime"], "0001-01-01T00:00:00Z");
    assert_eq!(bed.sync("DELETE", &path, None).await.status, 204);
    assert!(bed.sync("GET", &path, None).await.json()["directories"].is_array());
    bed.control.put_tenant(TENANT, &json!({"schemaResetStatus": "created"})).await.unwrap();
    assert_eq!(bed.sync("DELETE", &path, None).await.status, 201);
    assert_eq!(bed.sync("PUT", &path, Some(json!({}))).await.status, 400);
}

#[tokio::test]
async fn what_is_no_route_leaks_the_back_ends_error() {
    let bed = Bed::new().await;
    let id = bed.create("scim").await;
    for (method, path) in
        [("PATCH", format!("jobs/{id}/schema")), ("GET", "nope".to_owned()), ("PATCH", "secrets".to_owned())]
    {
        let answer = bed.sync(method, &path, Some(json!({}))).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "UnknownError"), "{method} {path}");
        let inner: Value = serde_json::from_str(answer.json()["error"]["message"].as_str().unwrap()).unwrap();
        assert!(
            inner["Message"].as_str().unwrap().starts_with("No HTTP resource was found that matches the request URI")
        );
    }
    assert_eq!(bed.sync("PATCH", &format!("jobs/{id}"), Some(json!({}))).await.code(), "UnknownError");
    bed.control.put_tenant(TENANT, &json!({"unverifiedRoutes": "noContent"})).await.unwrap();
    assert_eq!(bed.sync("PATCH", &format!("jobs/{id}"), Some(json!({}))).await.status, 204);
    assert_eq!(bed.sync("GET", "Ping()", None).await.status, 404, "beta only");
}

#[tokio::test]
async fn operators_functions_and_directories_have_their_shapes() {
    let mut bed = Bed::new().await;
    bed.put_app(&["Synchronization.ReadWrite.All", "Directory.ReadWrite.All"]).await;
    bed.sign_in().await;
    let id = bed.create("scim").await;
    let get = async |part: &str| bed.sync("GET", &format!("jobs/{id}/schema/{part}"), None).await.json();
    assert_eq!(get("filterOperators").await["value"][0]["arity"], "Binary");
    assert_eq!(get("functions").await["value"][1]["parameters"][0]["allowMultipleOccurrences"], false);
    let directories = get("directories").await;
    let target = directories["value"][1]["id"].as_str().unwrap();
    assert_eq!(get(&format!("directories/{target}")).await["name"], "customappsso");
    let discovered = bed.sync("POST", &format!("jobs/{id}/schema/directories/{target}/discover"), None).await.json();
    assert_eq!(discovered["objects"][0]["attributes"][0]["name"], "Id");
}

#[tokio::test]
async fn an_expression_is_parsed_and_tried() {
    let bed = Bed::new().await;
    let id = bed.create("scim").await;
    let body = json!({"expression": "Append([mail], \"x\")", "targetAttributeDefinition": null,
        "testInputObject": {"definition": null, "properties": [{"key": "mail", "value": "a@b.test"}]}});
    let answer = bed.sync("POST", &format!("jobs/{id}/schema/parseExpression"), Some(body)).await.json();
    assert_eq!((&answer["parsingSucceeded"], &answer["evaluationResult"]), (&json!(true), &json!(["a@b.testx"])));
    assert_eq!(answer["parsedExpression"]["parameters"][0]["value"]["type"], "Attribute");
    let broken =
        bed.sync("POST", "templates/scim/schema/parseExpression", Some(json!({"expression": "Append("}))).await.json();
    assert_eq!((&broken["parsingSucceeded"], broken["error"]["code"].is_string()), (&json!(false), true));
}

#[tokio::test]
async fn secrets_are_replaced_as_a_whole_and_read_back_masked() {
    let bed = Bed::new().await;
    let body = json!({"value": [
        {"key": "BaseAddress", "value": "https://a.test"}, {"key": "SecretToken", "value": "hidden"}, {"key": "SyncAll", "value": ""},
    ]});
    assert_eq!(bed.sync("PUT", "secrets", Some(body)).await.status, 204);
    let read = bed.sync("GET", "secrets", None).await.json();
    assert_eq!(
        read["value"],
        json!([{"key": "BaseAddress", "value": "https://a.test"}, {"key": "SecretToken", "value": "*"}])
    );
    let clear = bed.control.secrets(TENANT, SP).await.unwrap();
    assert_eq!(clear["value"][1]["value"], "hidden");
    let ledger = bed.control.ledger().await.unwrap();
    assert_eq!(ledger["value"][0]["detail"]["keys"], json!(["BaseAddress", "SecretToken"]));
    assert!(!ledger.to_string().contains("hidden"));
    for (mask, shown) in [("firstLetter", "h***"), ("empty", "")] {
        bed.control.put_tenant(TENANT, &json!({"secretMask": mask})).await.unwrap();
        assert_eq!(bed.sync("GET", "secrets", None).await.json()["value"][1]["value"], shown);
    }
}

#[tokio::test]
async fn secrets_in_another_shape_or_under_unknown_keys_are_refused() {
    let bed = Bed::new().await;
    assert_eq!(bed.sync("PUT", "secrets", Some(json!({"credentials": []}))).await.status, 400);
    let unknown = json!({"value": [{"key": "Nope", "value": "x"}]});
    assert_eq!(bed.sync("PUT", "secrets", Some(unknown.clone())).await.status, 400);
    assert_eq!(
        bed.control.secrets(TENANT, SP).await.unwrap()["value"].as_array().unwrap().len(),
        2,
        "the old ones stay"
    );
    bed.control.put_tenant(TENANT, &json!({"unknownSecretKeys": "accepted"})).await.unwrap();
    assert_eq!(bed.sync("PUT", "secrets", Some(unknown)).await.status, 204);
}

#[tokio::test]
async fn credentials_are_validated_in_both_forms_and_never_saved() {
    let bed = Bed::new().await;
    let target = json!({"accepts": {"SecretToken": "right"}});
    bed.control.raw("PUT", &format!("tenants/{TENANT}/servicePrincipals/{SP}/target"), Some(&target)).await.unwrap();
    let with = |token: &str| {
        json!({"templateId": "scim", "useSavedCredentials": false, "credentials": [
        {"key": "BaseAddress", "value": "https://a.test"}, {"key": "SecretToken", "value": token}]})
    };
    assert_eq!(bed.sync("POST", "jobs/validateCredentials", Some(with("right"))).await.status, 204);
    let wrong = bed.sync("POST", "jobs/validateCredentials", Some(with("wrong"))).await;
    assert_eq!((wrong.status, wrong.code().contains("Credential")), (400, true));
    let id = bed.create("scim").await;
    let saved =
        bed.sync("POST", &format!("jobs/{id}/validateCredentials"), Some(json!({"useSavedCredentials": true}))).await;
    assert_eq!(saved.status, 400, "t0ken is what is saved");
    assert_eq!(
        bed.sync("POST", "jobs/validateCredentials", Some(json!({"useSavedCredentials": true}))).await.status,
        400
    );
    assert_eq!(bed.control.secrets(TENANT, SP).await.unwrap()["value"][1]["value"], "t0ken");
}

#[tokio::test]
async fn whether_saved_credentials_are_tested_can_be_a_text() {
    let bed = Bed::new().await;
    let target = json!({"accepts": {"SecretToken": "right"}});
    bed.control.raw("PUT", &format!("tenants/{TENANT}/servicePrincipals/{SP}/target"), Some(&target)).await.unwrap();
    let given = json!([{"key": "BaseAddress", "value": "https://a.test"}, {"key": "SecretToken", "value": "right"}]);
    for (saved, status, code) in
        [(json!("false"), 204, ""), (json!("True"), 400, "Validation"), (json!(3), 400, "BadRequest")]
    {
        let body = json!({"templateId": "scim", "useSavedCredentials": saved, "credentials": given});
        let answer = bed.sync("POST", "jobs/validateCredentials", Some(body)).await;
        assert_eq!(answer.status, status, "{saved}");
        assert!(status == 204 || answer.code().contains(code), "{saved}: {}", answer.text);
    }
}

#[tokio::test]
async fn an_authorization_code_becomes_stored_tokens() {
    let bed = Bed::new().await;
    let body = json!({"credentials": [{"key": "Oauth2AuthorizationCode", "value": "c"}]});
    assert_eq!(bed.sync("POST", "acquireAccessToken", Some(body)).await.status, 204);
    let keys = bed.control.secrets(TENANT, SP).await.unwrap();
    assert!(keys.to_string().contains("Oauth2RefreshToken"), "{keys}");
}

#[tokio::test]
async fn one_object_is_provisioned_on_demand_with_json_inside_strings() {
    let bed = Bed::new().await;
    let id = bed.create("scim").await;
    let rule =
        bed.sync("GET", &format!("jobs/{id}/schema"), None).await.json()["synchronizationRules"][0]["id"].clone();
    let ask = async |rule: &Value| {
        let subjects = json!([{"objectId": "9d1f", "objectTypeName": "User"}]);
        let body = json!({"parameters": [{"ruleId": rule, "subjects": subjects}]});
        bed.sync("POST", &format!("jobs/{id}/provisionOnDemand"), Some(body)).await
    };
    let answer = ask(&rule).await.json();
    let key: Value = serde_json::from_str(answer["key"].as_str().unwrap()).unwrap();
    let items: Value = serde_json::from_str(answer["value"].as_str().unwrap()).unwrap();
    assert_eq!((&key["result"], &items[0]["sourceIdentity"]["id"]), (&json!("Success"), &json!("9d1f")));
    let wrong = ask(&json!("nope")).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (400, "RequestParameterInvalid"));
    bed.control.put_tenant(TENANT, &json!({"onDemandKey": "statusInfo"})).await.unwrap();
    assert!(ask(&rule).await.json()["key"].as_str().unwrap().ends_with("SyncFabric.StatusInfo"));
    bed.control
        .raw("PUT", &format!("tenants/{TENANT}/servicePrincipals/{SP}/secrets"), Some(&json!({"value": []})))
        .await
        .unwrap();
    assert_eq!(ask(&rule).await.code(), "CredentialsMissing");
}

#[tokio::test]
async fn bulk_uploads_are_for_inbound_jobs_in_scim() {
    let mut bed = Bed::new().await;
    bed.put_sp(json!({"templates": ["API2AAD"]})).await;
    bed.put_app(&["Synchronization.ReadWrite.All", "SynchronizationData-User.Upload"]).await;
    bed.sign_in().await;
    let id = bed.create("API2AAD").await;
    let path = format!("/v1.0/servicePrincipals/{SP}/synchronization/jobs/{id}/bulkUpload");
    let body =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [{"method": "POST"}]});
    let upload = async |kind: &str| {
        let request = bed.http.post(format!("{}{path}", bed.url)).bearer_auth(&bed.token).header("content-type", kind);
        request.body(body.to_string()).send().await.unwrap()
    };
    assert_eq!(upload("application/json").await.status(), 400);
    let accepted = upload("application/scim+json").await;
    assert_eq!(accepted.status(), 202);
    assert!(accepted.headers()["location"].to_str().unwrap().contains(&id));
}
