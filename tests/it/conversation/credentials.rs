//! Every kind of credential, right, wrong, expired, not known yet and replaced: what our client makes of each with a
//! simulator that verifies it.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entrain::graph::{Client, Error, Kind, Material, NoMaterial, PresentedKind, Processed, Source};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};
use url::Url;

use super::{Talk, options, respond};

const AUDIENCE: &str = "api://AzureADTokenExchange";
const ISSUER: &str = "https://issuer.example.test/";
const SUBJECT: &str = "system:serviceaccount:entrain-system:entrain";
const ROLE: &str = "Synchronization.ReadWrite.All";

/// A source whose content a test exchanges. What is put last comes with the next read but one.
#[derive(Debug)]
struct Shelf(Mutex<(Material, Option<Material>)>);

impl Source for Shelf {
    fn read(&self) -> BoxFuture<'_, Result<Material, NoMaterial>> {
        let mut held = self.0.lock();
        let now = held.0.clone();
        if let Some(next) = held.1.take() {
            held.0 = next;
        }
        Box::pin(async { Ok(now) })
    }
}

/// An application of the simulator, and a client whose credential a test exchanges. Refused logins are forgotten at once.
struct Desk {
    talk: Talk,
    shelf: Arc<Shelf>,
    client: Client,
}

impl Desk {
    async fn new(material: impl FnOnce(&str) -> Material) -> Self {
        let talk = Talk::begin().await;
        let shelf = Arc::new(Shelf(Mutex::new((material(&talk.demo.client_id), None))));
        let mut options = options(&talk.simulator);
        options.endpoints.imds = Url::parse(&talk.simulator.ready().imds).unwrap();
        options.login_retry = Duration::ZERO;
        let client = Client::new(options, shelf.clone(), Some(talk.demo.tenant_id.clone())).unwrap();
        Self { talk, shelf, client }
    }

    async fn register(&self, field: &str, credentials: Value) {
        let app = json!({field: credentials, "roles": [ROLE]});
        self.talk.control.put_application(&self.talk.demo.tenant_id, &self.talk.demo.client_id, &app).await.unwrap();
    }

    async fn settings(&self, settings: Value) {
        self.talk.control.put_tenant(&self.talk.demo.tenant_id, &settings).await.unwrap();
    }

    fn put(&self, material: impl FnOnce(&str) -> Material) {
        self.shelf.0.lock().0 = material(&self.talk.demo.client_id);
    }

    /// What is there now was replaced by the time it is refused.
    fn put_after_next_read(&self, material: impl FnOnce(&str) -> Material) {
        self.shelf.0.lock().1 = Some(material(&self.talk.demo.client_id));
    }

    /// A token that Graph accepts.
    async fn right(&self) {
        let login = self.client.log_in().await.unwrap();
        assert_eq!(login.tenant.as_deref(), Some(self.talk.demo.tenant_id.as_str()));
        assert_eq!(login.roles, [ROLE]);
        self.client.list_jobs(self.talk.service_principal()).await.unwrap();
    }

    async fn refused(&self) -> String {
        let error = self.error().await;
        assert_eq!(error.kind, Kind::LoginRefused, "{error}");
        error.code
    }

    async fn error(&self) -> Error {
        self.client.log_in().await.unwrap_err()
    }

    /// Makes the next call log in again.
    async fn revoke_token(&self) {
        self.talk.control.revoke_tokens().await.unwrap();
    }
}

fn secret(secret: &str) -> impl FnOnce(&str) -> Material + use<> {
    let secret = secret.to_owned().into();
    |client_id| Material::ClientSecret { client_id: client_id.to_owned(), secret }
}

#[tokio::test]
async fn a_client_secret() {
    let desk = Desk::new(secret("wrong")).await;
    desk.register("secrets", json!([{"value": "old", "expired": true}, {"value": "right"}])).await;
    assert_eq!(desk.refused().await, "AADSTS7000215");
    desk.put(secret("old"));
    assert_eq!(desk.refused().await, "AADSTS7000222");
    desk.put(secret("right"));
    desk.right().await;
    assert_eq!(desk.client.presented().unwrap().kind, PresentedKind::ClientSecret);

    desk.register("secrets", json!([{"value": "next"}])).await;
    desk.put_after_next_read(secret("next"));
    desk.revoke_token().await;
    let before = desk.talk.arrived("token").await;
    desk.right().await;
    assert_eq!(desk.talk.arrived("token").await - before, 2, "the refused one, and the one that replaced it");

    desk.put(secret("later"));
    desk.revoke_token().await;
    let error = desk.client.list_jobs(desk.talk.service_principal()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (Kind::LoginRefused, "AADSTS7000215"), "not known yet");
    desk.register("secrets", json!([{"value": "later"}])).await;
    desk.right().await;
}

/// An issuer of tokens as Kubernetes projects them.
struct Issuer(RsaKeyPair);

impl Issuer {
    fn new() -> Self {
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        Self(RsaKeyPair::from_pkcs8(&key.serialize_der()).unwrap())
    }

    fn jwks(&self) -> Value {
        use aws_lc_rs::signature::KeyPair;
        let (key, number) = (self.0.public_key(), |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes));
        let (n, e) = (key.modulus(), key.exponent());
        let n = number(n.big_endian_without_leading_zero());
        json!({"keys": [{"kty": "RSA", "n": n, "e": number(e.big_endian_without_leading_zero())}]})
    }

    fn token(&self, changes: &Value) -> impl FnOnce(&str) -> Material + use<> {
        let mut claims = json!({"iss": ISSUER, "sub": SUBJECT, "aud": [AUDIENCE], "exp": 4_102_444_800_u64});
        for (name, value) in changes.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&json!({"alg": "RS256"})), part(&claims));
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        let token = format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)).into();
        |client_id| Material::Assertion { client_id: client_id.to_owned(), token }
    }

    fn credential(&self, created: Option<jiff::Timestamp>) -> Value {
        json!([{"issuer": ISSUER, "subject": SUBJECT, "audience": AUDIENCE, "jwks": self.jwks(), "created": created}])
    }
}

#[tokio::test]
async fn a_workload_identity() {
    let issuer = Issuer::new();
    let desk = Desk::new(issuer.token(&json!({}))).await;
    desk.register("federatedCredentials", issuer.credential(None)).await;
    desk.right().await;
    let presented = desk.client.presented().unwrap();
    assert_eq!(presented.kind, PresentedKind::WorkloadIdentity);
    let of_token = [presented.issuer.as_deref(), presented.subject.as_deref(), presented.audience.as_deref()];
    assert_eq!(of_token, [Some(ISSUER), Some(SUBJECT), Some(AUDIENCE)]);

    for (changes, code) in [
        (json!({"iss": "https://issuer.example.test"}), "AADSTS700211"),
        (json!({"sub": "system:serviceaccount:a:b"}), "AADSTS700213"),
        (json!({"sub": SUBJECT.to_uppercase()}), "AADSTS700213"),
        (json!({"aud": ["api://AzureADTokenExchangeChina"]}), "AADSTS700212"),
        (json!({"exp": 1_700_000_000_u64}), "AADSTS700024"),
    ] {
        desk.put(issuer.token(&changes));
        desk.revoke_token().await;
        let error = desk.client.list_jobs(desk.talk.service_principal()).await.unwrap_err();
        let expected = if changes["sub"] == SUBJECT.to_uppercase() { "AADSTS7002138" } else { code };
        assert_eq!((error.kind, error.code.as_str()), (Kind::LoginRefused, expected), "{changes}: {error}");
    }
    desk.put(Issuer::new().token(&json!({})));
    assert_eq!(desk.refused().await, "AADSTS50013", "signed with another key");
    desk.settings(json!({"cloud": "usGov"})).await;
    desk.put(issuer.token(&json!({})));
    assert_eq!(desk.refused().await, "AADSTS700212", "a token for another cloud");
}

#[tokio::test]
async fn a_workload_identity_whose_token_is_stale_is_read_again_at_once() {
    let issuer = Issuer::new();
    let desk = Desk::new(issuer.token(&json!({"exp": 1_700_000_000_u64}))).await;
    desk.register("federatedCredentials", issuer.credential(None)).await;
    desk.put_after_next_read(issuer.token(&json!({})));
    desk.right().await;
    assert_eq!(desk.talk.arrived("token").await, 2);
}

#[tokio::test]
async fn a_federated_credential_that_is_not_known_yet() {
    for (position, at_once) in [("refused", false), ("flapping", true)] {
        let issuer = Issuer::new();
        let desk = Desk::new(issuer.token(&json!({}))).await;
        desk.settings(json!({"newFederatedCredential": position, "newFederatedCredentialSeconds": 300})).await;
        let created = Some(jiff::Timestamp::now());
        desk.register("federatedCredentials", issuer.credential(created)).await;
        assert_eq!(desk.refused().await, "AADSTS70021");
        if !at_once {
            assert_eq!(desk.refused().await, "AADSTS70021");
            desk.talk.control.advance_clock(301).await.unwrap();
        }
        desk.right().await;
    }
}

/// A certificate with its key.
#[derive(Clone)]
struct Pair {
    certificate: String,
    key: String,
}

impl Pair {
    fn until(year: i32) -> Self {
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(year, 1, 1));
        Self { certificate: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
    }

    fn material(&self) -> impl FnOnce(&str) -> Material + use<> {
        let (certificate, key) = (self.certificate.clone().into_bytes(), self.key.clone().into());
        |client_id| Material::Certificate { client_id: client_id.to_owned(), certificate, key }
    }
}

#[tokio::test]
async fn a_certificate() {
    let (right, next, expired) = (Pair::until(2049), Pair::until(2049), Pair::until(2021));
    let mixed = Pair { key: next.key.clone(), ..right.clone() };
    let desk = Desk::new(mixed.material()).await;
    desk.register("certificates", json!([{"pem": right.certificate}, {"pem": expired.certificate}])).await;
    assert_eq!(desk.refused().await, "CertificateInvalid");
    desk.put(expired.material());
    assert_eq!(desk.refused().await, "CertificateExpired");
    let presented = desk.client.presented().unwrap();
    assert_eq!(presented.kind, PresentedKind::Certificate);
    assert_eq!(presented.not_after, Some("2021-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(desk.talk.arrived("token").await, 0, "neither was sent");

    desk.put(next.material());
    assert_eq!(desk.refused().await, "AADSTS700027", "not registered yet");
    desk.register("certificates", json!([{"pem": right.certificate}, {"pem": next.certificate}])).await;
    desk.right().await;
    desk.put(right.material());
    desk.revoke_token().await;
    desk.right().await;

    desk.register("certificates", json!([{"pem": next.certificate}])).await;
    desk.put_after_next_read(next.material());
    desk.revoke_token().await;
    desk.client.list_jobs(desk.talk.service_principal()).await.unwrap();
}

fn machine(client_id: Option<&str>) -> impl FnOnce(&str) -> Material + use<> {
    let client_id = client_id.map(str::to_owned);
    |_| Material::ManagedIdentity { client_id }
}

#[tokio::test]
async fn a_managed_identity() {
    let desk = Desk::new(machine(None)).await;
    desk.register("secrets", json!([])).await;
    desk.right().await;
    let presented = desk.client.presented().unwrap();
    assert_eq!((presented.kind, presented.client_id), (PresentedKind::ManagedIdentity, None));
    assert_eq!(desk.talk.arrived("token").await, 0, "the login service is not asked");

    let (tenant, own) = (desk.talk.demo.tenant_id.clone(), desk.talk.demo.client_id.clone());
    let other = "33333333-0000-4000-8000-000000000001";
    desk.talk.control.put_application(&tenant, other, &json!({"roles": [ROLE]})).await.unwrap();
    let identity = |client: &str| json!({"tenantId": tenant, "clientId": client});
    desk.talk.control.put_managed_identities(&json!([identity(&own), identity(other)])).await.unwrap();
    desk.revoke_token().await;
    let error = desk.client.list_jobs(desk.talk.service_principal()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (Kind::LoginRefused, "ImdsIdentityAmbiguous"), "{error}");
    desk.put(machine(Some(other)));
    desk.right().await;

    desk.put(machine(Some("44444444-0000-4000-8000-000000000001")));
    desk.revoke_token().await;
    let error = desk.client.list_jobs(desk.talk.service_principal()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (Kind::LoginRefused, "ImdsIdentityNotFound"), "{error}");
    desk.put_after_next_read(machine(Some(&own)));
    desk.right().await;
}

#[tokio::test]
async fn a_machine_in_trouble_passes() {
    for status in [404, 410, 429, 503] {
        let desk = Desk::new(machine(None)).await;
        desk.register("secrets", json!([])).await;
        desk.talk.fault("managedIdentityToken", 1, respond(status, "x")).await;
        let error = desk.error().await;
        assert_eq!((error.kind, error.code.as_str()), (Kind::LoginUnavailable, "ImdsUnavailable"), "{status}: {error}");
        tokio::time::sleep_until(error.retry_at.unwrap()).await;
        desk.right().await;
    }
}

#[tokio::test]
async fn plain_http_goes_to_the_metadata_service_only() {
    let talk = Talk::begin().await;
    let secret = Arc::new(Shelf(Mutex::new((secret("right")(&talk.demo.client_id), None))));
    let mut options = options(&talk.simulator);
    options.endpoints.graph = Url::parse(&talk.simulator.ready().imds).unwrap();
    let client = Client::new(options.clone(), secret.clone(), Some(talk.demo.tenant_id.clone())).unwrap();
    let token = json!({"access_token": "canary", "expires_in": 3600}).to_string();
    talk.fault("token", 1, super::respond_body(200, &token)).await;
    let error = client.list_jobs(talk.service_principal()).await.unwrap_err();
    assert_eq!((error.kind, error.processed), (Kind::Network, Processed::No), "no token leaves over it: {error}");

    options.endpoints.imds = options.endpoints.graph.clone();
    let client = Client::new(options, secret, Some(talk.demo.tenant_id.clone())).unwrap();
    talk.fault("token", 1, super::respond_body(200, &token)).await;
    let error = client.list_jobs(talk.service_principal()).await.unwrap_err();
    assert_eq!(error.status, Some(404), "the service itself would have been reached: {error}");
}
