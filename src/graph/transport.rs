//! One connection pool for Graph and login: no redirects, no plain HTTP, no repetition, no body without end.

use std::time::Duration;

use reqwest::{Certificate, Response, redirect, retry};

/// The largest answer: schemas of thousands of lines stay below it.
pub(super) const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes the client, trusting the system's authorities and those given as PEM.
pub(super) fn client(ca_pem: Option<&[u8]>) -> Result<reqwest::Client, reqwest::Error> {
    let extra = ca_pem.map(Certificate::from_pem_bundle).transpose()?.unwrap_or_default();
    reqwest::Client::builder()
        .user_agent(concat!("entrain/", env!("CARGO_PKG_VERSION")))
        .https_only(true)
        .redirect(redirect::Policy::none())
        // The queue repeats what may be repeated; a create must not be sent twice behind its back.
        .retry(retry::never())
        .connect_timeout(CONNECT_TIMEOUT)
        .tls_certs_merge(extra)
        .build()
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("the answer broke off")]
    BrokeOff,
    #[error("the answer is larger than {} MiB", BODY_BYTES_MAX / (1024 * 1024))]
    TooLarge,
}

/// Reads a body up to the limit.
pub(super) async fn read(mut response: Response) -> Result<Vec<u8>, ReadError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| ReadError::BrokeOff)? {
        if body.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(ReadError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why a request got no answer, without its URL.
pub(super) fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    super::error::capped(&text)
}
