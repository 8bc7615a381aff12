//! Certificates as cert-manager and openssl write them, and what is wrong with others.

use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use rcgen::{CertificateParams, KeyPair as Key, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData};

use super::super::super::error::Kind;
use super::super::refusal::Service;
use super::*;

const ENDPOINT: &str = "https://login.example.test/tenant/oauth2/v2.0/token";

/// A certificate that is good from 2020 to 2030, and its key in PKCS#8.
struct Pair {
    certificate: String,
    key: SecretString,
    public: Vec<u8>,
    der: Vec<u8>,
}

fn pair() -> Pair {
    let key = Key::generate_for(&PKCS_RSA_SHA256).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2030, 1, 1));
    let certificate = params.self_signed(&key).unwrap();
    let (public, der) = (key.der_bytes().to_vec(), certificate.der().to_vec());
    Pair { certificate: certificate.pem(), key: key.serialize_pem().into(), public, der }
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-11-26T12:00:00Z")
}

fn made(certificate: &str, key: &SecretString, now: Timestamp) -> Result<SecretString, LoginError> {
    assertion((certificate.as_bytes(), key), "client", ENDPOINT, now)
}

fn read(token: &SecretString) -> (Value, Value) {
    let part = |n| {
        let part = token.expose_secret().split('.').nth(n).unwrap();
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    (part(0), part(1))
}

#[test]
fn an_assertion_is_signed_and_says_what_the_documentation_asks_for() {
    let pair = pair();
    let token = made(&pair.certificate, &pair.key, now()).unwrap();
    let (header, claims) = read(&token);
    let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, &pair.der));
    assert_eq!(header, json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint}));
    assert_eq!(
        (&claims["aud"], &claims["iss"], &claims["sub"]),
        (&json!(ENDPOINT), &json!("client"), &json!("client"))
    );
    let life = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap();
    assert!((300..=600).contains(&life), "{life}");
    assert_eq!(claims["iat"], now().as_second());
    let (text, signature) = token.expose_secret().rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, &pair.public);
    public.verify(text.as_bytes(), &signature).unwrap();
    let (_, again) = read(&made(&pair.certificate, &pair.key, now()).unwrap());
    assert_ne!(claims["jti"], again["jti"], "each has an id of its own");
}

#[test]
fn a_key_in_pkcs_1_and_a_chain_behind_the_certificate_are_read() {
    let (pair, authority) = (pair(), pair());
    let pkcs1 = pkcs1(&pair.key);
    let chain = format!("{}{}", pair.certificate, authority.certificate);
    made(&chain, &pkcs1, now()).unwrap();
    let reversed = format!("{}{}", authority.certificate, pair.certificate);
    let error = made(&reversed, &pkcs1, now()).unwrap_err();
    assert!(error.code == INVALID && error.message.contains("first certificate"), "{error}");
}

/// PKCS#8 of RSA is a head of 26 bytes with the PKCS#1 structure behind it.
fn pkcs1(pkcs8: &SecretString) -> SecretString {
    use base64::engine::general_purpose::STANDARD;
    let pem = first(pkcs8.expose_secret().as_bytes(), &["PRIVATE KEY"]).unwrap();
    let text = STANDARD.encode(&pem.contents[26..]);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let (begin, end) = ("-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----");
    format!("{begin}\n{}\n{end}\n", lines.join("\n")).into()
}

#[test]
fn an_expired_certificate_is_refused_before_it_is_sent() {
    let pair = pair();
    assert!(made(&pair.certificate, &pair.key, at("2029-12-31T23:59:59Z")).is_ok());
    for time in ["2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z"] {
        let error = made(&pair.certificate, &pair.key, at(time)).unwrap_err();
        assert_eq!((error.kind, error.code.as_str(), error.service), (Kind::LoginRefused, EXPIRED, Service::NotAsked));
        assert!(error.message.contains("2030-01-01T00:00:00Z"), "{error}");
    }
    assert_eq!(not_after(pair.certificate.as_bytes()), Some(at("2030-01-01T00:00:00Z")));
    assert_eq!(not_after(b"nothing"), None);
}

#[test]
fn what_cannot_be_used_is_named_and_nothing_of_it_is_repeated() {
    let (pair, other) = (pair(), pair());
    let elliptic: SecretString = Key::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem().into();
    let text = |text: &str| SecretString::from(text.to_owned());
    let broken = "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n";
    let empty = "-----BEGIN CERTIFICATE-----\nY2FuYXJ5\n-----END CERTIFICATE-----\n";
    for (certificate, key, words) in [
        ("canary", &pair.key, "tls.crt holds no certificate"),
        (empty, &pair.key, "tls.crt holds no certificate"),
        (&pair.certificate, &text("canary"), "tls.key holds no key"),
        (&pair.certificate, &text(""), "tls.key holds no key"),
        (&pair.certificate, &text(broken), "no unencrypted RSA key"),
        (&pair.certificate, &elliptic, "no unencrypted RSA key"),
        (&pair.certificate, &other.key, "does not belong"),
    ] {
        let error = made(certificate, key, now()).unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (Kind::LoginRefused, INVALID), "{words}");
        assert!(error.message.contains(words) && !error.message.contains("canary"), "{error}");
    }
}
