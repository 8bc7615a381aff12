//! Keys and certificates of one plane; they live and die with it.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256, date_time_ymd,
};

/// Names that the server is reached by, from outside and, were there pods, from inside.
const SERVER_NAMES: [&str; 4] = ["localhost", "127.0.0.1", "10.0.0.1", "kubernetes.default.svc"];

/// All values are PEM.
pub(super) struct Keys {
    pub(super) ca: String,
    pub(super) server_certificate: String,
    pub(super) server_key: String,
    pub(super) service_account_key: String,
    pub(super) service_account_public_key: String,
}

impl Keys {
    pub(super) fn generate() -> Result<Self, rcgen::Error> {
        let ca_key = KeyPair::generate()?;
        let ca_params = ca_params()?;
        let ca = ca_params.self_signed(&ca_key)?.pem();
        let server_key = KeyPair::generate()?;
        let server_certificate = server_params()?.signed_by(&server_key, &Issuer::new(ca_params, ca_key))?.pem();
        let service_account = KeyPair::generate_for(&PKCS_RSA_SHA256)?;
        Ok(Self {
            ca,
            server_certificate,
            server_key: server_key.serialize_pem(),
            service_account_key: service_account.serialize_pem(),
            service_account_public_key: service_account.public_key_pem(),
        })
    }
}

fn ca_params() -> Result<CertificateParams, rcgen::Error> {
    let mut params = named("entrain bed CA", &[])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

fn server_params() -> Result<CertificateParams, rcgen::Error> {
    let mut params = named("kube-apiserver", &SERVER_NAMES)?;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

/// The dates are fixed and wide, so that a wrong clock is no reason for a failed test.
fn named(name: &str, alternatives: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(alternatives.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    Ok(params)
}
