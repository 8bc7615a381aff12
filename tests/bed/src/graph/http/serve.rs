//! The socket: TLS with a CA of its own, connections served by hand so that one can be cut without an answer.

use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request as HttpRequest, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use parking_lot::Mutex;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::deliver::{Outcome, handle};
use super::reply::Reply;
use super::request::Request;
use crate::graph::model::Model;
use crate::graph::model::clock::Clock;
use crate::graph::{Options, Ready, Shared, Simulator, StartError, control, demo};

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Long enough for bytes to leave before a connection is cut.
const FLUSH: Duration = Duration::from_millis(20);

pub async fn start(options: Options) -> Result<Simulator, StartError> {
    let listener = TcpListener::bind(options.listen).await.map_err(StartError::Listen)?;
    let port = listener.local_addr().map_err(StartError::Listen)?.port();
    let (config, ca) = certificates().map_err(|error| StartError::Certificate(error.to_string()))?;
    let (dir, temporary) = if let Some(dir) = options.dir {
        (dir, None)
    } else {
        let dir = tempfile::tempdir().map_err(StartError::Listen)?;
        (dir.path().to_path_buf(), Some(dir))
    };
    std::fs::create_dir_all(&dir).map_err(StartError::Listen)?;
    let ca_file = dir.join("graph-ca.pem");
    std::fs::write(&ca_file, ca).map_err(StartError::Listen)?;
    let url = format!("https://localhost:{port}");
    let (seed, demo) = if let Some(seed) = options.seed {
        (seed, None)
    } else {
        let (seed, demo) = demo::tenant();
        (seed, Some(demo))
    };
    let shared: Shared = Arc::new(Mutex::new(Model::new(url.clone(), control::plant(seed, Clock::default().now()))));
    let machine = TcpListener::bind((options.listen.ip(), 0)).await.map_err(StartError::Listen)?;
    let imds = format!("http://{}", machine.local_addr().map_err(StartError::Listen)?);
    let tls = accept(listener, TlsAcceptor::from(Arc::new(config)), shared.clone());
    let server = tokio::spawn(async move {
        tokio::join!(tls, accept_plain(machine, shared));
    });
    let ready = Ready { login: url.clone(), imds, control: format!("{url}/control"), ca: ca_file, demo, url };
    Ok(Simulator { ready, server, _dir: temporary })
}

/// A CA, and a server configuration with a certificate of it for localhost.
fn certificates() -> Result<(ServerConfig, String), Box<dyn std::error::Error>> {
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(rcgen::DnType::CommonName, "Graph simulator");
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names)?.signed_by(&key, &ca)?;
    let key = PrivateKeyDer::try_from(key.serialize_der())?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((config, ca.pem()))
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, shared: Shared) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        // Small answers must not wait for acknowledgements of earlier segments. A connection that is gone shows below.
        let _ = socket.set_nodelay(true);
        let (acceptor, shared) = (acceptor.clone(), shared.clone());
        connections.spawn(async move {
            let Ok(socket) = acceptor.accept(socket).await else { return };
            let service = service_fn(|request| {
                let shared = shared.clone();
                async move { answer(&shared, request).await }
            });
            // An error here is a client that went away, or a connection that we cut on purpose.
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// The metadata service of a machine has an address of its own, speaks plain HTTP, and knows no other route.
async fn accept_plain(listener: TcpListener, shared: Shared) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let shared = shared.clone();
        connections.spawn(async move {
            let service = service_fn(|request: HttpRequest<Incoming>| {
                let shared = shared.clone();
                async move {
                    if request.uri().path().starts_with("/metadata/identity/") {
                        return answer(&shared, request).await;
                    }
                    respond(
                        &Reply::json(404, serde_json::json!({"error": "Not found"})),
                        Vec::new(),
                        Duration::ZERO,
                        false,
                    )
                }
            });
            // An error here is a client that went away, or a connection that we cut on purpose.
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(shared: &Shared, request: HttpRequest<Incoming>) -> io::Result<Response<Body>> {
    let request = Request::read(request).await?;
    if request.segments.first().is_some_and(|first| first == "control") {
        let reply = control::handle(shared, &request).with("content-type", "application/json");
        let bytes = reply.bytes();
        return respond(&reply, vec![bytes], Duration::ZERO, false);
    }
    match handle(shared, request).await {
        Outcome::Answer(reply) => {
            let bytes = reply.bytes();
            respond(&reply, vec![bytes], Duration::ZERO, false)
        }
        Outcome::Raw { reply, bytes } => respond(&reply, vec![bytes], Duration::ZERO, false),
        Outcome::Pieces { reply, pieces, pause, cut } => respond(&reply, pieces, pause, cut),
        Outcome::Cut => Err(io::Error::other("cut on purpose")),
    }
}

/// A body of unknown length, as Graph sends it; a `cut` one never ends.
fn respond(reply: &Reply, pieces: Vec<Vec<u8>>, pause: Duration, cut: bool) -> io::Result<Response<Body>> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let pieces: Vec<Vec<u8>> = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
    if pieces.is_empty() && !cut {
        let empty = Full::new(Bytes::new()).map_err(|never: Infallible| match never {}).boxed_unsync();
        return response.body(empty).map_err(io::Error::other);
    }
    let end = cut.then(|| Err(io::Error::other("cut on purpose")));
    let frames = pieces.into_iter().map(|piece| Ok(Frame::data(Bytes::from(piece)))).chain(end);
    let stream = futures::stream::iter(frames).then(move |frame| async move {
        // Also before the break: what was sent must have left when the connection ends.
        if !pause.is_zero() || frame.is_err() {
            tokio::time::sleep(pause.max(FLUSH)).await;
        }
        frame
    });
    response.body(StreamBody::new(stream.boxed()).boxed_unsync()).map_err(io::Error::other)
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    // Writing to memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
