//! The certificate that `/metrics` is served with: self-signed, or from files that are followed when they change.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;

/// How often the files are read. A certificate is renewed days before it expires.
const READ_INTERVAL: Duration = Duration::from_secs(10);
/// The library offers HTTP/2 too, to which the limits of `limited` do not apply.
const PROTOCOL: &[u8] = b"http/1.1";

/// Why there is no certificate. The text names what to fix, and nothing of the key.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("the file '{path}' cannot be read: {error}", path = path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("'{certificate}' and '{key}' are not a certificate and its key as PEM: {error}", certificate = .files.certificate.display(), key = .files.key.display())]
    Pair { files: Files, error: io::Error },
    #[error("cannot generate a self-signed certificate: {0}")]
    SelfSigned(io::Error),
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
    /// The pair in use; `None` until the files hold one.
    used: Option<Pair>,
}

/// A certificate with its chain, and its key, as PEM. It is never printed.
#[derive(Clone, PartialEq, Eq)]
struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Certificate {
    /// A self-signed certificate for `names`, regenerated at each start.
    pub async fn self_signed(names: Vec<String>) -> Result<Self, CertificateError> {
        let made = rcgen::generate_simple_self_signed(names)
            .map_err(|error| CertificateError::SelfSigned(io::Error::other(error)))?;
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let pair = Pair { certificate: certificate.into_bytes(), key: key.into_bytes() };
        let config = pair.config().await.map_err(CertificateError::SelfSigned)?;
        Ok(Self { config, source: None })
    }

    /// The certificate in the files. As long as they hold no valid pair, which `follow` logs, a self-signed one: only
    /// readers who verify it are refused, and SyncJobs are reconciled all the same.
    pub async fn from_files(files: Files, names: Vec<String>) -> Result<Self, CertificateError> {
        match read(&files).await {
            Ok((pair, config)) => Ok(Self { config, source: Some(Source { files, used: Some(pair) }) }),
            Err(_) => Ok(Self { source: Some(Source { files, used: None }), ..Self::self_signed(names).await? }),
        }
    }

    /// Puts each new pair in the files to use; connections that are open keep the old one. Never returns.
    pub(super) async fn follow(self) {
        let Some(Source { files, mut used }) = self.source else { return std::future::pending().await };
        let (mut ticks, mut reported) = (tokio::time::interval(READ_INTERVAL), None);
        loop {
            ticks.tick().await;
            match read(&files).await.map_err(|error| error.to_string()) {
                Ok((found, _)) if used.as_ref() == Some(&found) => reported = None,
                Ok((found, config)) => {
                    (used, reported) = (Some(found), None);
                    self.config.reload_from_config(config.get_inner());
                    tracing::info!(certificate = %files.certificate.display(), "metrics are served with a new certificate");
                }
                // The two files are not always replaced at once; the next read may find a pair.
                Err(error) if reported.as_ref() == Some(&error) => {}
                Err(error) => {
                    tracing::warn!(error, "the new certificate for metrics was not taken; the one in use stays");
                    reported = Some(error);
                }
            }
        }
    }
}

impl Pair {
    async fn config(&self) -> io::Result<RustlsConfig> {
        let config = RustlsConfig::from_pem(self.certificate.clone(), self.key.clone()).await?;
        let mut limited = (*config.get_inner()).clone();
        limited.alpn_protocols = vec![PROTOCOL.to_vec()];
        config.reload_from_config(Arc::new(limited));
        Ok(config)
    }
}

async fn read(files: &Files) -> Result<(Pair, RustlsConfig), CertificateError> {
    let content = async |path: &PathBuf| {
        tokio::fs::read(path).await.map_err(|error| CertificateError::File { path: path.clone(), error })
    };
    let pair = Pair { certificate: content(&files.certificate).await?, key: content(&files.key).await? };
    let config = pair.config().await.map_err(|error| CertificateError::Pair { files: files.clone(), error })?;
    Ok((pair, config))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parsed(certificate: &str, key: &str) -> io::Result<RustlsConfig> {
        Pair { certificate: certificate.into(), key: key.into() }.config().await
    }

    #[tokio::test]
    async fn a_certificate_is_only_taken_with_its_own_key() {
        let [one, two] = ["one", "two"].map(|name| rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap());
        let (certificate, key) = (one.cert.pem(), one.signing_key.serialize_pem());
        assert!(parsed(&certificate, &key).await.is_ok());
        for (certificate, key) in
            [(certificate.as_str(), two.signing_key.serialize_pem().as_str()), (&certificate, "no key"), ("", &key)]
        {
            assert!(parsed(certificate, key).await.is_err());
        }
    }

    #[tokio::test]
    async fn http_2_is_not_offered() {
        let config = Certificate::self_signed(vec!["localhost".to_owned()]).await.unwrap().config.get_inner();
        assert_eq!(config.alpn_protocols, [PROTOCOL]);
    }

    #[tokio::test]
    async fn an_error_quotes_nothing_of_the_key() {
        let pair = rcgen::generate_simple_self_signed(vec!["one".to_owned()]).unwrap();
        let broken = pair.signing_key.serialize_pem().replace('\n', "\ncanary!");
        let error = parsed(&pair.cert.pem(), &broken).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}
