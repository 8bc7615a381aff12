//! Client assertions: a certificate's signature, a federated token (CONTRACT §8.2, §8.3).

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, PublicKeyData};
use serde_json::{Value, json};

use super::support::{APP, Answer, Bed, TENANT};

/// A certificate with its key.
struct Signer {
    pem: String,
    der: Vec<u8>,
    key: RsaKeyPair,
}

impl Signer {
    fn new() -> Self {
        Self::valid(2020, 2049)
    }

    /// From the beginning of a year to that of another.
    fn valid(from: i32, to: i32) -> Self {
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let mut params = CertificateParams::new(vec!["entrain".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(to, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        let der = certificate.der().to_vec();
        assert!(!key.der_bytes().is_empty());
        Self { pem: certificate.pem(), der, key: RsaKeyPair::from_pkcs8(&key.serialize_der()).unwrap() }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let algorithm: &dyn RsaEncoding = if header["alg"] == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(algorithm, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        format!("{text}.{}", BASE64.encode(signature))
    }

    fn header(&self) -> Value {
        json!({"alg": "PS256", "typ": "JWT", "x5t#S256": BASE64.encode(digest(&SHA256, &self.der))})
    }
}

async fn now(bed: &Bed) -> i64 {
    let clock = bed.control.raw("GET", "clock", None).await.unwrap();
    clock["now"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second()
}

async fn own_claims(bed: &Bed, id: &str) -> Value {
    let now = now(bed).await;
    json!({"aud": format!("{}/{TENANT}/oauth2/v2.0/token", bed.url), "iss": APP, "sub": APP, "jti": id, "nbf": now, "exp": now + 600})
}

async fn present(bed: &Bed, assertion: &str) -> Answer {
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    bed.login(TENANT, &[("client_id", APP), ("client_assertion_type", kind), ("client_assertion", assertion)]).await
}

fn code(answer: &Answer) -> u64 {
    answer.json()["error_codes"][0].as_u64().unwrap_or_default()
}

async fn with_certificate() -> (Bed, Signer) {
    let (bed, signer) = (Bed::new().await, Signer::new());
    let app = json!({"certificates": [{"pem": signer.pem}]});
    bed.control.put_application(TENANT, APP, &app).await.unwrap();
    (bed, signer)
}

#[tokio::test]
async fn a_registered_certificate_signs_in_in_both_forms() {
    let (bed, signer) = with_certificate().await;
    let answer = present(&bed, &signer.sign(&signer.header(), &own_claims(&bed, "1").await)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let older =
        json!({"alg": "RS256", "typ": "JWT", "x5t": BASE64.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &signer.der))});
    assert_eq!(present(&bed, &signer.sign(&older, &own_claims(&bed, "2").await)).await.status, 200);
    bed.control.revoke_secrets(TENANT, APP).await.unwrap();
    assert_eq!(code(&present(&bed, &signer.sign(&older, &own_claims(&bed, "3").await)).await), 700_027);
}

#[tokio::test]
async fn an_assertion_is_verified_in_every_part() {
    let (bed, signer) = with_certificate().await;
    let good = own_claims(&bed, "1").await;
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        signer.sign(&signer.header(), &claims)
    };
    let now = now(&bed).await;
    assert_eq!(code(&present(&bed, &with("aud", json!("https://other.example.test"))).await), 50013);
    assert_eq!(code(&present(&bed, &with("sub", json!("other"))).await), 50048);
    assert_eq!(code(&present(&bed, &with("iss", json!("other"))).await), 50048);
    assert_eq!(code(&present(&bed, &with("exp", json!(now - 3600))).await), 700_024);
    assert_eq!(code(&present(&bed, &with("nbf", json!(now + 3600))).await), 700_024);
    assert_eq!(code(&present(&bed, &with("jti", json!(null))).await), 50013);
    let stranger = Signer::new();
    assert_eq!(code(&present(&bed, &stranger.sign(&stranger.header(), &good)).await), 700_027, "another thumbprint");
    assert_eq!(code(&present(&bed, &stranger.sign(&signer.header(), &good)).await), 700_027, "another signature");
    assert_eq!(code(&present(&bed, "nonsense").await), 50013);
    let assertion = with("jti", json!("once"));
    assert_eq!(present(&bed, &assertion).await.status, 200);
    assert_eq!(code(&present(&bed, &assertion).await), 50013, "presented before");
}

#[tokio::test]
async fn a_certificate_outside_of_its_dates_is_refused_and_during_a_rotation_two_sign() {
    let bed = Bed::new().await;
    let (past, future, old, new) = (Signer::valid(2020, 2021), Signer::valid(2048, 2049), Signer::new(), Signer::new());
    let pems: Vec<Value> = [&past, &future, &old, &new].map(|signer| json!({"pem": signer.pem})).into();
    bed.control.put_application(TENANT, APP, &json!({"certificates": pems})).await.unwrap();
    for (number, (signer, status)) in [(&past, 401), (&future, 401), (&old, 200), (&new, 200)].into_iter().enumerate() {
        let claims = own_claims(&bed, &number.to_string()).await;
        let answer = present(&bed, &signer.sign(&signer.header(), &claims)).await;
        assert_eq!(answer.status, status, "{number}: {}", answer.text);
        if status == 401 {
            assert_eq!(code(&answer), 700_027);
        }
    }
}

/// What a token of Kubernetes says; without keys the simulator compares the claims only.
async fn projected(bed: &Bed, audience: &str) -> String {
    let claims = json!({"iss": "https://issuer.example.test/", "sub": "system:serviceaccount:a:b", "aud": [audience], "exp": now(bed).await + 3600});
    Signer::new().sign(&json!({"alg": "RS256"}), &claims)
}

#[tokio::test]
async fn a_federated_token_is_for_the_cloud_of_the_tenant() {
    let clouds = [("global", ""), ("usGov", "USGov"), ("usGovDod", "USGov"), ("china", "China")];
    for (cloud, suffix) in clouds {
        let bed = Bed::with(json!({"cloud": cloud})).await;
        // Even a credential that was made with the audience of another cloud does not help.
        let credentials: Vec<Value> = ["", "USGov", "China"]
            .map(|suffix| json!({"issuer": "https://issuer.example.test/", "subject": "system:serviceaccount:a:b", "audience": format!("api://AzureADTokenExchange{suffix}")}))
            .into();
        bed.control.put_application(TENANT, APP, &json!({"federatedCredentials": credentials})).await.unwrap();
        for presented in ["", "USGov", "China"] {
            let answer = present(&bed, &projected(&bed, &format!("api://AzureADTokenExchange{presented}")).await).await;
            let expected = if presented == suffix { 200 } else { 401 };
            assert_eq!(answer.status, expected, "{presented} in {cloud}: {}", answer.text);
            if expected == 401 {
                assert_eq!(code(&answer), 700_212);
            }
        }
    }
}

#[tokio::test]
async fn a_new_federated_credential_is_refused_for_a_while_now_and_then_or_always() {
    for (position, first) in [("flapping", [0, 70021, 0, 70021]), ("refused", [70021; 4])] {
        let bed = Bed::with(json!({"newFederatedCredential": position, "newFederatedCredentialSeconds": 300})).await;
        let created = jiff::Timestamp::from_second(now(&bed).await).unwrap().to_string();
        let credential = json!({"issuer": "https://issuer.example.test/", "subject": "system:serviceaccount:a:b", "audience": "api://AzureADTokenExchange", "created": created});
        bed.control.put_application(TENANT, APP, &json!({"federatedCredentials": [credential]})).await.unwrap();
        let token = projected(&bed, "api://AzureADTokenExchange").await;
        let ask = async || {
            let answer = present(&bed, &token).await;
            if answer.status == 200 { 0 } else { code(&answer) }
        };
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(ask().await);
        }
        seen.sort_unstable();
        let mut expected = first;
        expected.sort_unstable();
        assert_eq!(seen, expected, "{position}");
        bed.advance(301).await;
        assert_eq!((ask().await, ask().await), (0, 0), "{position}");
    }
}

#[tokio::test]
async fn a_federated_token_must_match_to_the_letter() {
    let (bed, signer) = (Bed::new().await, Signer::new());
    let (issuer, subject) = ("https://issuer.example.test/", "system:serviceaccount:a:b");
    let components: aws_lc_rs::rsa::PublicKey = rsa_public(&signer);
    let jwks = json!({"keys": [{
        "kid": "k", "kty": "RSA",
        "n": BASE64.encode(components.modulus().big_endian_without_leading_zero()),
        "e": BASE64.encode(components.exponent().big_endian_without_leading_zero()),
    }]});
    let credential =
        json!({"issuer": issuer, "subject": subject, "audience": "api://AzureADTokenExchange", "jwks": jwks});
    bed.control.put_application(TENANT, APP, &json!({"federatedCredentials": [credential]})).await.unwrap();
    let expires = now(&bed).await + 3600;
    let good = json!({"iss": issuer, "sub": subject, "aud": ["api://AzureADTokenExchange"], "exp": expires});
    let header = json!({"alg": "RS256", "kid": "k"});
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        signer.sign(&header, &claims)
    };
    assert_eq!(present(&bed, &signer.sign(&header, &good)).await.status, 200);
    assert_eq!(present(&bed, &signer.sign(&header, &good)).await.status, 200, "it may be used again");
    assert_eq!(code(&present(&bed, &with("iss", json!("https://issuer.example.test"))).await), 700_211);
    assert_eq!(code(&present(&bed, &with("sub", json!("system:serviceaccount:a:c"))).await), 700_213);
    assert_eq!(code(&present(&bed, &with("sub", json!("system:serviceaccount:A:b"))).await), 7_002_138);
    assert_eq!(code(&present(&bed, &with("aud", json!("api://Other"))).await), 700_212);
    assert_eq!(code(&present(&bed, &with("exp", json!(expires - 7200))).await), 700_024);
    assert_eq!(code(&present(&bed, &Signer::new().sign(&header, &good)).await), 50013);
    assert_eq!(code(&present(&bed, &signer.sign(&json!({"alg": "PS256", "kid": "k"}), &good)).await), 50013);
}

fn rsa_public(signer: &Signer) -> aws_lc_rs::rsa::PublicKey {
    use aws_lc_rs::signature::KeyPair;
    signer.key.public_key().clone()
}
