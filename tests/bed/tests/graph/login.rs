//! Login: tokens, the three kinds of credentials, AADSTS errors, challenges (CONTRACT §8, §6.4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::permissions::claims;
use super::support::{APP, Answer, Bed, SECRET, TENANT};

/// Status, `error` and the AADSTS code.
fn refusal(answer: &Answer) -> (u16, String, u64) {
    let body = answer.json();
    let code = body["error_codes"][0].as_u64().unwrap();
    let description = body["error_description"].as_str().unwrap();
    assert!(
        description.starts_with(&format!("AADSTS{code}: ")) && description.contains("\r\nTrace ID: "),
        "{description}"
    );
    (answer.status, body["error"].as_str().unwrap().to_owned(), code)
}

async fn put_app(bed: &Bed, app: Value) {
    bed.control.put_application(TENANT, APP, &app).await.unwrap();
}

#[tokio::test]
async fn a_token_can_be_read_and_names_the_caller() {
    let bed = Bed::new().await;
    let payload = claims(&bed.token);
    assert_eq!((&payload["tid"], &payload["appid"], &payload["aud"]), (&json!(TENANT), &json!(APP), &json!(bed.url)));
    assert_eq!(payload["roles"], json!(["Synchronization.ReadWrite.All", "Application.ReadWrite.All"]));
    assert!(payload["oid"].is_string() && payload["exp"].is_i64());
    put_app(&bed, json!({"secrets": [{"value": SECRET}]})).await;
    let answer = bed.login(TENANT, &[("client_id", APP), ("client_secret", SECRET)]).await.json();
    assert!(claims(answer["access_token"].as_str().unwrap()).get("roles").is_none(), "nothing was granted");
    assert_eq!(answer["token_type"], "Bearer");
}

#[tokio::test]
async fn each_wrong_request_has_its_aadsts_code() {
    let bed = Bed::new().await;
    let expired = json!({"secrets": [{"value": "old", "expired": true}, {"value": SECRET}]});
    put_app(&bed, expired).await;
    bed.control.put_application(TENANT, "public", &json!({"publicClient": true})).await.unwrap();
    bed.control.put_application(TENANT, "homeless", &json!({"servicePrincipal": false})).await.unwrap();
    bed.control.put_application(TENANT, "disabled", &json!({"disabled": true})).await.unwrap();
    let good = [("client_id", APP), ("client_secret", SECRET)];
    let with = |name: &'static str, value: &'static str| {
        let mut fields = good.to_vec();
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value));
        fields
    };
    for (tenant, fields, expected) in [
        (TENANT, with("client_secret", "wrong"), (401, "invalid_client", 7_000_215)),
        (TENANT, with("client_secret", "old"), (401, "invalid_client", 7_000_222)),
        (TENANT, vec![("client_id", APP)], (401, "invalid_client", 7_000_218)),
        (TENANT, with("client_id", "nobody"), (400, "unauthorized_client", 700_016)),
        (TENANT, with("client_id", "public"), (401, "invalid_client", 700_025)),
        (TENANT, with("client_id", "homeless"), (401, "invalid_client", 7_000_229)),
        (TENANT, with("client_id", "disabled"), (401, "unauthorized_client", 7_000_112)),
        (TENANT, with("scope", "https://other.example.test/.default"), (400, "invalid_resource", 500_011)),
        (TENANT, with("scope", "User.Read"), (400, "invalid_scope", 1_002_012)),
        (TENANT, with("grant_type", ""), (400, "invalid_request", 900_144)),
        ("nowhere", good.to_vec(), (400, "invalid_request", 90002)),
        ("common", good.to_vec(), (400, "invalid_request", 900_023)),
    ] {
        let (status, error, code) = refusal(&bed.login(tenant, &fields).await);
        assert_eq!((status, error.as_str(), code), expected, "{fields:?}");
    }
}

#[tokio::test]
async fn a_tenant_is_also_known_by_its_domain() {
    let bed = Bed::with(json!({"domains": ["example.test"]})).await;
    let answer = bed.login("example.test", &[("client_id", APP), ("client_secret", SECRET)]).await;
    assert_eq!(claims(answer.json()["access_token"].as_str().unwrap())["tid"], TENANT);
}

#[tokio::test]
async fn tokens_that_are_missing_garbled_expired_or_for_another_cloud_are_refused() {
    let bed = Bed::with(json!({"tokenLifetimeSeconds": 600, "expiresInAsText": true})).await;
    let answer = bed.login(TENANT, &[("client_id", APP), ("client_secret", SECRET)]).await.json();
    assert_eq!(answer["expires_in"], "600");
    let wanted = json!({"audience": "https://graph.microsoft.us"});
    let foreign =
        bed.control.raw("POST", &format!("tenants/{TENANT}/applications/{APP}/token"), Some(&wanted)).await.unwrap();
    let forged = format!("{}x", bed.token);
    assert_eq!(bed.call("GET", "servicePrincipals", None).await.status, 200);
    bed.advance(600).await;
    for token in ["", "a.b.c", &forged, foreign["access_token"].as_str().unwrap(), &bed.token] {
        let answer = bed.send("GET", "/v1.0/servicePrincipals", None, token, &[]).await.unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (401, "InvalidAuthenticationToken"));
    }
}

#[tokio::test]
async fn every_aadsts_code_can_be_injected() {
    let bed = Bed::new().await;
    for (code, status) in [(53003, 400), (90033, 503), (7_000_222, 401), (50196, 400)] {
        bed.fault("token", json!({"aadsts": {"code": code}})).await;
        let answer = bed.login(TENANT, &[("client_id", APP), ("client_secret", SECRET)]).await;
        let (seen, _, named) = refusal(&answer);
        assert_eq!((seen, named), (status, code));
    }
    let unknown = json!({"operation": "token", "action": {"aadsts": {"code": 1}}});
    assert!(bed.control.put_fault(&unknown).await.is_err());
}

#[tokio::test]
async fn a_throttled_login_answers_in_plain_text() {
    let bed = Bed::new().await;
    bed.fault("token", json!({"plainTooManyRequests": {}})).await;
    let answer = bed.login(TENANT, &[("client_id", APP), ("client_secret", SECRET)]).await;
    assert_eq!((answer.status, answer.text.as_str(), answer.header("retry-after")), (429, "Too Many Requests", "60"));
    assert!(answer.header("content-type").starts_with("text/plain"));
}

#[tokio::test]
async fn a_revoked_token_is_challenged_if_the_client_can_handle_it() {
    let mut bed = Bed::with(json!({"claimsChallenges": true})).await;
    let capable = [
        ("client_id", APP),
        ("client_secret", SECRET),
        ("claims", r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#),
    ];
    let token = bed.login(TENANT, &capable).await.json()["access_token"].as_str().unwrap().to_owned();
    bed.control.revoke_tokens().await.unwrap();
    assert_eq!(bed.call("GET", "servicePrincipals", None).await.header("www-authenticate"), r#"Bearer realm="""#);
    bed.token = token;
    let answer = bed.call("GET", "servicePrincipals", None).await;
    let header = answer.header("www-authenticate");
    assert_eq!(answer.status, 401);
    assert!(header.contains(r#"error="insufficient_claims""#), "{header}");
    let claims = header.split("claims=\"").nth(1).unwrap().trim_end_matches('"');
    let claims: Value = serde_json::from_slice(&STANDARD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["access_token"]["nbf"]["essential"], true);
    bed.token = bed.login(TENANT, &capable).await.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(bed.call("GET", "servicePrincipals", None).await.status, 200);
}

#[tokio::test]
async fn discovery_and_metadata_say_where_login_is() {
    let bed = Bed::new().await;
    let get = async |path: &str| bed.send("GET", path, None, "", &[]).await.unwrap();
    let openid = get(&format!("/{TENANT}/v2.0/.well-known/openid-configuration")).await.json();
    assert_eq!(openid["token_endpoint"], format!("{}/{TENANT}/oauth2/v2.0/token", bed.url));
    assert_eq!(get("/nowhere/v2.0/.well-known/openid-configuration").await.json()["error"], "invalid_tenant");
    let metadata = get("/metadata/endpoints?api-version=2022-09-01").await.json();
    assert_eq!(metadata["microsoftGraphResourceId"], bed.url);
    assert_eq!(metadata["authentication"]["loginEndpoint"], bed.url);
}

#[tokio::test]
async fn a_managed_identity_gets_numbers_as_strings() {
    let bed = Bed::new().await;
    let path = format!("/metadata/identity/oauth2/token?api-version=2018-02-01&resource={}&client_id={APP}", bed.url);
    let without = bed.send("GET", &path, None, "", &[]).await.unwrap();
    assert_eq!((without.status, &without.json()["error"]), (400, &json!("bad_request_102")));
    let answer = bed.send("GET", &path, None, "", &[("metadata", "true")]).await.unwrap().json();
    assert!(answer["expires_in"].is_string() && answer["expires_on"].is_string(), "{answer}");
    assert_eq!(claims(answer["access_token"].as_str().unwrap())["appid"], APP);
    let wrong = path.replace(&bed.url, "https://other.example.test");
    let refused = bed.send("GET", &wrong, None, "", &[("metadata", "true")]).await.unwrap();
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_resource")));
}

#[tokio::test]
async fn the_metadata_service_of_a_machine_speaks_plain_http_and_knows_nothing_else() {
    let simulator = bed::graph::Simulator::start(bed::graph::Options::default()).await.unwrap();
    let (ready, http) = (simulator.ready(), reqwest::Client::builder().no_proxy().build().unwrap());
    let path = format!("{}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={}", ready.imds, ready.url);
    let answer = http.get(path).header("metadata", "true").send().await.unwrap();
    assert!(ready.imds.starts_with("http://") && answer.status() == 200, "{}", answer.status());
    for path in ["/v1.0/servicePrincipals", "/control/clock", "/metadata/endpoints"] {
        assert_eq!(http.get(format!("{}{path}", ready.imds)).send().await.unwrap().status(), 404, "{path}");
    }
}

#[tokio::test]
async fn a_machine_with_several_identities_wants_to_know_which() {
    let bed = Bed::new().await;
    let path = format!("/metadata/identity/oauth2/token?api-version=2018-02-01&resource={}", bed.url);
    let ask = async |query: &str| {
        let answer = bed.send("GET", &format!("{path}{query}"), None, "", &[("metadata", "true")]).await.unwrap();
        let token = answer.json()["access_token"].as_str().map(|token| claims(token)["appid"].clone());
        (answer.status, token.unwrap_or_default(), answer.json()["error_description"].to_string())
    };
    assert_eq!(ask("").await.1, APP, "the only one there is");
    let other = "33333333-0000-4000-8000-000000000001";
    bed.control.put_application(TENANT, other, &json!({})).await.unwrap();
    let (status, _, text) = ask("").await;
    assert!(status == 400 && text.contains("Multiple user assigned identities"), "{text}");
    assert_eq!(ask(&format!("&client_id={other}")).await.1, other);
    let registered = json!([
        {"tenantId": TENANT, "clientId": other, "objectId": "o", "resourceId": "/subscriptions/s/x"},
        {"tenantId": TENANT, "clientId": APP},
    ]);
    bed.control.put_managed_identities(&registered).await.unwrap();
    assert_eq!(ask("&object_id=o").await.1, other);
    assert_eq!(ask("&msi_res_id=/subscriptions/s/x").await.1, other);
    assert_eq!(ask("").await.0, 400);
    bed.control.put_managed_identities(&json!([{"tenantId": TENANT, "clientId": other}])).await.unwrap();
    assert_eq!(ask("").await.1, other);
    assert!(ask(&format!("&client_id={APP}")).await.2.contains("Identity not found"));
}
