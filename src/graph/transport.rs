//! How a request reaches its host and the whole answer comes back: the only place of `graph` that has sockets.
//!
//! The product's transport is one connection pool for Graph and login: no redirects, no repetition, no answer without
//! end, and plain HTTP to the metadata service of this machine only.

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use reqwest::{Certificate, redirect, retry};
use url::{Origin, Url};

/// The largest answer: schemas of thousands of lines stay below it.
pub(super) const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Carries requests. Each request is sent at most once, to the host that it names, and an answer is returned as it came,
/// redirects included. The caller limits the time: it drops the future.
pub trait Transport: Send + Sync {
    /// One request and its whole answer, whose body may have `body_max` bytes.
    fn exchange(
        &self,
        request: http::Request<Bytes>,
        body_max: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>>;
}

/// Why there is no whole answer. No text holds a part of a body or of an address.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No byte of the request left.
    #[error("{0}")]
    Unsent(String),
    /// The request may have been carried out.
    #[error("{0}")]
    NoAnswer(String),
    /// The answer began with this head and has no whole body.
    #[error("{why}")]
    NoBody { head: Box<http::Response<()>>, why: BodyError },
}

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("the answer broke off")]
    BrokeOff,
    #[error("the answer is larger than {} MiB", BODY_BYTES_MAX / (1024 * 1024))]
    TooLarge,
}

/// The transport of the product.
pub(super) struct Https {
    client: reqwest::Client,
    /// For the metadata service of this machine alone: without a proxy, and also over plain HTTP, which is all that the
    /// real one speaks.
    direct: reqwest::Client,
    imds: Origin,
}

impl Https {
    /// Trusts the system's authorities and those given as PEM.
    pub fn new(ca_pem: Option<&[u8]>, imds: &Url) -> Result<Self, reqwest::Error> {
        let extra = ca_pem.map(Certificate::from_pem_bundle).transpose()?.unwrap_or_default();
        let builder = || {
            reqwest::Client::builder()
                .user_agent(concat!("entrain/", env!("CARGO_PKG_VERSION")))
                .redirect(redirect::Policy::none())
                // The queue repeats what may be repeated; a create must not be sent twice behind its back.
                .retry(retry::never())
                .connect_timeout(CONNECT_TIMEOUT)
                .tls_certs_merge(extra.clone())
        };
        let (client, direct) = (builder().https_only(true).build()?, builder().no_proxy().build()?);
        Ok(Self { client, direct, imds: imds.origin() })
    }

    async fn carry(
        &self,
        request: http::Request<Bytes>,
        body_max: usize,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let request = reqwest::Request::try_from(request).map_err(|error| TransportError::Unsent(describe(error)))?;
        let client = if request.url().origin() == self.imds { &self.direct } else { &self.client };
        let answer = client.execute(request).await.map_err(|error| {
            let unsent = error.is_connect() || error.is_builder();
            let text = describe(error);
            if unsent { TransportError::Unsent(text) } else { TransportError::NoAnswer(text) }
        })?;
        let mut head = http::Response::new(());
        *head.status_mut() = answer.status();
        *head.headers_mut() = answer.headers().clone();
        match read(answer, body_max).await {
            Ok(body) => Ok(head.map(|()| body.into())),
            Err(why) => Err(TransportError::NoBody { head: Box::new(head), why }),
        }
    }
}

impl Transport for Https {
    fn exchange(
        &self,
        request: http::Request<Bytes>,
        body_max: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(self.carry(request, body_max))
    }
}

async fn read(mut answer: reqwest::Response, body_max: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_| BodyError::BrokeOff)? {
        if body.len() + chunk.len() > body_max {
            return Err(BodyError::TooLarge);
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

/// The text of a header, if it is one.
pub(super) fn header<'a, T>(answer: &'a http::Response<T>, name: &str) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}
