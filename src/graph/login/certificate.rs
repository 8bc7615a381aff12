//! The assertion that an application signs with the key of its certificate
//! (`identity-platform/certificate-credentials`): PS256, named by the certificate's SHA-256 thumbprint, new for each login.
//!
//! What is wrong with the certificate is found before anything is sent. No text repeats a part of it.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair, RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;
use x509_parser::pem::Pem;

use super::refusal::LoginError;

const INVALID: &str = "CertificateInvalid";
const EXPIRED: &str = "CertificateExpired";
/// How long an assertion is good: the upper end of what the documentation asks for, so that clocks may differ.
const LIFE_SECS: i64 = 600;

/// The certificate of the application, without its chain.
struct Leaf {
    thumbprint: String,
    public_key: Vec<u8>,
    not_after: Timestamp,
}

/// When the certificate expires, if it can be read.
pub(super) fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    leaf(certificate).map(|leaf| leaf.not_after)
}

/// An assertion of this client for this token endpoint.
pub(super) fn assertion(
    (certificate, key): (&[u8], &SecretString),
    client_id: &str,
    endpoint: &str,
    now: Timestamp,
) -> Result<SecretString, LoginError> {
    let leaf = leaf(certificate).ok_or_else(|| invalid("tls.crt holds no certificate in PEM"))?;
    let key = rsa_key(key)?;
    if key.public_key().as_ref() != leaf.public_key {
        return Err(invalid("the key in tls.key does not belong to the first certificate in tls.crt"));
    }
    if leaf.not_after <= now {
        let message = format!("the certificate expired at {}; nothing was sent", leaf.not_after);
        return Err(LoginError::unasked(EXPIRED, message));
    }
    let (header, claims) = (header(&leaf), claims(client_id, endpoint, now.as_second()));
    sign(&key, &header, &claims).ok_or_else(|| invalid("the key in tls.key does not sign"))
}

fn header(leaf: &Leaf) -> Value {
    json!({"alg": "PS256", "typ": "JWT", "x5t#S256": leaf.thumbprint})
}

fn claims(client_id: &str, endpoint: &str, now: i64) -> Value {
    json!({
        "aud": endpoint, "iss": client_id, "sub": client_id, "jti": Uuid::new_v4().to_string(),
        "nbf": now, "iat": now, "exp": now + LIFE_SECS,
    })
}

fn sign(key: &RsaKeyPair, header: &Value, claims: &Value) -> Option<SecretString> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).ok()?;
    Some(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
}

fn leaf(certificate: &[u8]) -> Option<Leaf> {
    let pem = first(certificate, &["CERTIFICATE"])?;
    let parsed = pem.parse_x509().ok()?;
    Some(Leaf {
        thumbprint: URL_SAFE_NO_PAD.encode(digest(&SHA256, &pem.contents)),
        public_key: parsed.public_key().subject_public_key.data.to_vec(),
        not_after: Timestamp::from_second(parsed.validity().not_after.timestamp()).ok()?,
    })
}

/// PKCS#8, as most tools write it, or PKCS#1, as cert-manager does by default.
fn rsa_key(key: &SecretString) -> Result<RsaKeyPair, LoginError> {
    let labels = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"];
    let pem = first(key.expose_secret().as_bytes(), &labels).ok_or_else(|| invalid("tls.key holds no key in PEM"))?;
    let key = match pem.label.as_str() {
        "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&pem.contents).ok(),
        "RSA PRIVATE KEY" => RsaKeyPair::from_der(&pem.contents).ok(),
        _ => None,
    };
    key.ok_or_else(|| invalid("the key in tls.key is no unencrypted RSA key of 2048 to 8192 bits"))
}

/// The first part of a PEM text with one of these labels.
fn first(text: &[u8], labels: &[&str]) -> Option<Pem> {
    Pem::iter_from_buffer(text).filter_map(Result::ok).find(|pem| labels.contains(&pem.label.as_str()))
}

fn invalid(message: &str) -> LoginError {
    LoginError::unasked(INVALID, message.to_owned())
}

#[cfg(test)]
mod tests;
