//! The socket: TLS with a CA of its own, connections served by hand so that one can be cut without an answer.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request as HttpRequest, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::calls::{Outcome, Request, handle};
use super::model::{Application, ClientSecret, Model, Seed, ServicePrincipal, Tenant};
use super::{Demo, Options, Ready, Shared, Simulator, StartError, control};

type Body = BoxBody<Bytes, io::Error>;

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
    let (seed, demo) = match options.seed {
        Some(seed) => (seed, None),
        None => demo(),
    };
    let shared: Shared = Arc::new(Mutex::new(Model::new(url.clone(), seed)));
    let server = tokio::spawn(accept(listener, TlsAcceptor::from(Arc::new(config)), shared));
    let ready = Ready { login: url.clone(), control: format!("{url}/control"), ca: ca_file, demo, url };
    Ok(Simulator { ready, server, _dir: temporary })
}

/// A tenant with an application and a few service principals.
fn demo() -> (Seed, Option<Demo>) {
    let demo = Demo {
        tenant_id: "7f0c2b1e-5c1d-4d0a-9a53-0d6f4b8a2e11".to_owned(),
        client_id: "0b8e4c53-6d0a-4f0e-9f52-8a4f3f1f7a10".to_owned(),
        client_secret: uuid::Uuid::new_v4().to_string(),
        service_principal_id: "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f".to_owned(),
        template_id: "BoxOutDelta".to_owned(),
    };
    let app = Application {
        display_name: "entrain".to_owned(),
        secrets: vec![ClientSecret { value: demo.client_secret.clone(), ..ClientSecret::default() }],
        roles: vec!["Synchronization.ReadWrite.All".to_owned(), "Application.Read.All".to_owned()],
        ..Application::default()
    };
    let offered = |name: &str| ServicePrincipal {
        app_id: uuid::Uuid::new_v4().to_string(),
        display_name: name.to_owned(),
        templates: vec!["BoxOutDelta".to_owned(), "scim".to_owned()],
        ..ServicePrincipal::default()
    };
    let tenant = Tenant {
        applications: BTreeMap::from([(demo.client_id.clone(), app)]),
        service_principals: BTreeMap::from([
            (demo.service_principal_id.clone(), offered("Box")),
            ("7c1e4a52-90b3-4d6f-8a27-35e0d1c2b4a6".to_owned(), offered("Wiki")),
            ("a4d1c0de-1f2e-4a3b-9c4d-5e6f70818293".to_owned(), offered("Chat")),
        ]),
        ..Tenant::default()
    };
    (Seed { tenants: BTreeMap::from([(demo.tenant_id.clone(), tenant)]) }, Some(demo))
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

async fn answer(shared: &Shared, request: HttpRequest<Incoming>) -> io::Result<Response<Body>> {
    let request = read(request).await?;
    if request.segments.first().is_some_and(|first| first == "control") {
        let (status, body) = control::handle(shared, &request);
        return response(status, &[], body.to_string().into_bytes());
    }
    match handle(shared, request).await {
        Outcome::Answer { status, headers, body } => response(status, &headers, body),
        Outcome::CutBody { status, body } => {
            let frames = [Ok(Frame::data(Bytes::from(body))), Err(io::Error::other("cut on purpose"))];
            let stream = StreamBody::new(futures::stream::iter(frames));
            Response::builder().status(status).body(BodyExt::boxed(stream)).map_err(io::Error::other)
        }
        Outcome::Cut => Err(io::Error::other("cut on purpose")),
    }
}

async fn read(request: HttpRequest<Incoming>) -> io::Result<Request> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes().to_vec();
    let header =
        |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let decode = |segment: &str| {
        url::form_urlencoded::parse(format!("x={}", segment.replace('+', "%2B")).as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    Ok(Request {
        method: parts.method.clone(),
        segments: parts.uri.path().split('/').filter(|segment| !segment.is_empty()).map(decode).collect(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        authorization: header("authorization"),
        client_request_id: header("client-request-id"),
        body,
    })
}

fn response(status: u16, headers: &[(String, String)], body: Vec<u8>) -> io::Result<Response<Body>> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    let body = Full::new(Bytes::from(body)).map_err(|never: Infallible| match never {}).boxed();
    response.body(body).map_err(io::Error::other)
}
