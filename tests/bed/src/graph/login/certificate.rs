//! Certificates and keys that verify assertions: thumbprints, dates, RSA signatures.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::Value;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

/// A certificate that is registered on an application.
pub struct Registered {
    der: Vec<u8>,
    public_key: Vec<u8>,
    not_before: i64,
    not_after: i64,
}

/// `None` if it is no certificate.
pub fn read(pem: &str) -> Option<Registered> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?.to_vec();
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    let public_key = certificate.public_key().subject_public_key.data.to_vec();
    let validity = certificate.validity();
    let (not_before, not_after) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    Some(Registered { der, public_key, not_before, not_after })
}

impl Registered {
    /// Whether the header's thumbprint is this certificate's.
    pub fn is_named_by(&self, header: &Value) -> bool {
        let named = |name: &str, of: &'static aws_lc_rs::digest::Algorithm| {
            header[name].as_str().is_some_and(|thumbprint| thumbprint == BASE64.encode(digest(of, &self.der)))
        };
        named("x5t#S256", &SHA256) || named("x5t", &SHA1_FOR_LEGACY_USE_ONLY)
    }

    pub fn expired(&self, now: i64) -> bool {
        now < self.not_before || now > self.not_after
    }

    pub fn signed(&self, header: &Value, token: &str) -> bool {
        let Some((text, signature)) = split(token) else { return false };
        let Some(algorithm) = algorithm(header) else { return false };
        UnparsedPublicKey::new(algorithm, &self.public_key).verify(text.as_bytes(), &signature).is_ok()
    }
}

/// Whether a key of a JWKS made the signature; the key that the header names, if it names one.
pub fn signed_by_one_of(jwks: &Value, header: &Value, token: &str) -> bool {
    let (Some((text, signature)), Some(algorithm)) = (split(token), algorithm(header)) else { return false };
    let named = |key: &&Value| header["kid"].is_null() || header["kid"] == key["kid"];
    jwks["keys"].as_array().into_iter().flatten().filter(named).any(|key| {
        let number = |name: &str| BASE64.decode(key[name].as_str().unwrap_or_default()).unwrap_or_default();
        let key = RsaPublicKeyComponents { n: number("n"), e: number("e") };
        key.verify(algorithm, text.as_bytes(), &signature).is_ok()
    })
}

fn algorithm(header: &Value) -> Option<&'static RsaParameters> {
    match header["alg"].as_str()? {
        "PS256" => Some(&RSA_PSS_2048_8192_SHA256),
        "RS256" => Some(&RSA_PKCS1_2048_8192_SHA256),
        _ => None,
    }
}

fn split(token: &str) -> Option<(&str, Vec<u8>)> {
    let (text, signature) = token.rsplit_once('.')?;
    Some((text, BASE64.decode(signature).ok()?))
}
