//! The certificate that `/metrics` is served with: from files, followed when they change, or made at the start.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{Context, Digest, SHA256};
use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// How often the files are looked at. Whoever renews a certificate does so days before it ends.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);

/// Why there is no certificate. The text names what to mend, and nothing of the key.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("the file '{path}' cannot be read: {error}", path = path.display())]
    File { path: PathBuf, error: std::io::Error },
    #[error("'{certificate}' and '{key}' are not a certificate and its key as PEM: {why}", certificate = .files.certificate.display(), key = .files.key.display())]
    Pair { files: Files, why: String },
    #[error("a certificate could not be made: {0}")]
    SelfSigned(String),
}

/// Paths of a chain and of the key of its first certificate, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// A certificate in use, and where its successor comes from.
pub struct Certificate {
    pub(super) config: RustlsConfig,
    source: Option<Source>,
}

struct Source {
    files: Files,
    /// Of the pair in use; `None` until the files hold one.
    digest: Option<Digest>,
}

impl Certificate {
    /// One for `names` that nobody vouches for; it is another one after a restart.
    pub fn self_signed(names: Vec<String>) -> Result<Self, CertificateError> {
        let failed = |error: &dyn std::fmt::Display| CertificateError::SelfSigned(error.to_string());
        let made = rcgen::generate_simple_self_signed(names).map_err(|error| failed(&error))?;
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into();
        let config = server_config(vec![made.cert.der().clone()], key).map_err(|error| failed(&error))?;
        Ok(Self { config: RustlsConfig::from_config(Arc::new(config)), source: None })
    }

    /// That of the files. As long as they hold no pair, which the log then says, one as `self_signed` makes it: a reader who
    /// verifies gets nothing, and SyncJobs are worked on all the same.
    pub async fn from_files(files: Files, names: Vec<String>) -> Result<Self, CertificateError> {
        match read(&files).await {
            Ok((config, digest)) => {
                let source = Source { files, digest: Some(digest) };
                Ok(Self { config: RustlsConfig::from_config(Arc::new(config)), source: Some(source) })
            }
            Err(_) => Ok(Self { source: Some(Source { files, digest: None }), ..Self::self_signed(names)? }),
        }
    }

    /// Puts each new pair of the files to use; connections that are open keep the old one. Never returns.
    pub(super) async fn follow(self) {
        let Some(Source { files, mut digest }) = self.source else { return std::future::pending().await };
        let (mut ticks, mut told) = (tokio::time::interval(LOOK_INTERVAL), None);
        loop {
            ticks.tick().await;
            match read(&files).await.map_err(|error| error.to_string()) {
                Ok((_, found)) if digest.is_some_and(|digest| digest.as_ref() == found.as_ref()) => told = None,
                Ok((config, found)) => {
                    (digest, told) = (Some(found), None);
                    self.config.reload_from_config(Arc::new(config));
                    tracing::info!(certificate = %files.certificate.display(), "metrics are served with a new certificate");
                }
                // Two files are not always changed at once; the next look may find a pair.
                Err(error) if told.as_ref() == Some(&error) => {}
                Err(error) => {
                    tracing::warn!(error, "the certificate for metrics was not taken; the one in use stays");
                    told = Some(error);
                }
            }
        }
    }
}

async fn read(files: &Files) -> Result<(ServerConfig, Digest), CertificateError> {
    let content = async |path: &PathBuf| {
        tokio::fs::read(path).await.map_err(|error| CertificateError::File { path: path.clone(), error })
    };
    let (certificate, key) = (content(&files.certificate).await?, content(&files.key).await?);
    let mut digest = Context::new(&SHA256);
    digest.update(&certificate);
    digest.update(&key);
    let config = parse(&certificate, &key).map_err(|why| CertificateError::Pair { files: files.clone(), why })?;
    Ok((config, digest.finish()))
}

fn parse(certificate: &[u8], key: &[u8]) -> Result<ServerConfig, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
    let chain = chain.map_err(|_| "the certificate is not PEM")?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| "the key is not PEM")?;
    server_config(chain, key).map_err(|error| error.to_string())
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = versions.with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_only_taken_with_its_own_key() {
        let [one, two] = ["one", "two"].map(|name| rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap());
        let (certificate, key) = (one.cert.pem(), one.signing_key.serialize_pem());
        assert!(parse(certificate.as_bytes(), key.as_bytes()).is_ok());
        for (certificate, key) in
            [(certificate.as_str(), two.signing_key.serialize_pem().as_str()), (&certificate, "no key"), ("", &key)]
        {
            assert!(parse(certificate.as_bytes(), key.as_bytes()).is_err());
        }
    }
}
