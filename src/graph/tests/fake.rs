//! A transport that answers as a test says and keeps what it was given.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use url::Url;

use super::super::{Client, Cloud, Credential, Endpoints, Limits, Options, Transport, TransportError};

pub const LOGIN_HOST: &str = "login.example.test";
const TENANT: &str = "11111111-2222-3333-4444-555555555555";

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Reply {
    Answer { status: u16, headers: Vec<(&'static str, String)>, body: String },
    Unsent,
    NoAnswer,
    Hangs,
    After(Duration, Box<Reply>),
}

impl Reply {
    pub fn empty_list() -> Self {
        Self::body(200, r#"{"value":[]}"#)
    }

    pub fn token() -> Self {
        Self::body(200, r#"{"token_type":"Bearer","expires_in":3600,"access_token":"canary-token"}"#)
    }

    pub fn body(status: u16, body: &str) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.to_owned() }
    }

    pub fn with(status: u16, header: &'static str, value: &str) -> Self {
        Self::Answer { status, headers: vec![(header, value.to_owned())], body: String::new() }
    }
}

/// A request that arrived.
pub struct Arrived {
    pub login: bool,
    pub head: String,
    /// What it says of how urgent it is.
    pub priority: String,
    pub body: Bytes,
}

/// What the login and Graph answer from now on, and what arrived so far.
pub struct Fake {
    login: Mutex<Reply>,
    graph: Mutex<Reply>,
    /// The same for tests of credentials, if they are answered otherwise.
    target: Mutex<Option<Reply>>,
    pub arrived: Mutex<Vec<Arrived>>,
}

impl Fake {
    pub fn new() -> Arc<Self> {
        let (login, graph) = (Mutex::new(Reply::token()), Mutex::new(Reply::empty_list()));
        Arc::new(Self { login, graph, target: Mutex::default(), arrived: Mutex::default() })
    }

    pub fn graph(&self, reply: Reply) {
        *self.graph.lock() = reply;
    }

    pub fn target(&self, reply: Reply) {
        *self.target.lock() = Some(reply);
    }

    pub fn login(&self, reply: Reply) {
        *self.login.lock() = reply;
    }

    /// How many requests arrived at Graph.
    pub fn calls(&self) -> usize {
        self.arrived.lock().iter().filter(|arrived| !arrived.login).count()
    }

    pub fn logins(&self) -> usize {
        self.arrived.lock().iter().filter(|arrived| arrived.login).count()
    }

    pub fn client(self: &Arc<Self>) -> Client {
        self.client_with(|_| {})
    }

    pub fn client_with(self: &Arc<Self>, tune: impl FnOnce(&mut Options)) -> Client {
        let mut options = options();
        tune(&mut options);
        let limits = options.own_limits();
        self.client_with_limits(options, limits)
    }

    /// A client whose limits others may share.
    pub fn client_of(self: &Arc<Self>, limits: Limits) -> Client {
        self.client_with_limits(options(), limits)
    }

    fn client_with_limits(self: &Arc<Self>, options: Options, limits: Limits) -> Client {
        let credential = Credential::ClientSecret {
            tenant_id: TENANT.to_owned(),
            client_id: TENANT.to_owned(),
            secret: String::from("canary-secret").into(),
        };
        Client::with_transport(options, Arc::new(credential), Some(TENANT.to_owned()), self.clone(), limits)
    }
}

/// The usual ones, at the hosts of the fake.
pub fn options() -> Options {
    let url = |host: &str| Some(Url::parse(&format!("https://{host}/")).unwrap());
    Options::new(Endpoints::new(Cloud::Global, url("graph.example.test"), url(LOGIN_HOST)).unwrap())
}

impl Transport for Fake {
    fn exchange(
        &self,
        request: http::Request<Bytes>,
        _: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        let login = request.uri().host() == Some(LOGIN_HOST);
        let head = format!("{} {}", request.method(), request.uri());
        let priority = request.headers().get("x-ms-throttle-priority").map(|it| it.to_str().unwrap().to_owned());
        let target =
            request.uri().path().ends_with("/validateCredentials").then(|| self.target.lock().clone()).flatten();
        let priority = priority.unwrap_or_default();
        self.arrived.lock().push(Arrived { login, head, priority, body: request.into_body() });
        let reply = target.unwrap_or_else(|| if login { &self.login } else { &self.graph }.lock().clone());
        carry(reply).boxed()
    }
}

async fn carry(reply: Reply) -> Result<http::Response<Bytes>, TransportError> {
    match reply {
        Reply::Answer { status, headers, body } => {
            let answer = http::Response::builder().status(status);
            let answer = headers.into_iter().fold(answer, |answer, (name, value)| answer.header(name, value));
            Ok(answer.body(body.into()).unwrap())
        }
        Reply::Unsent => Err(TransportError::Unsent("connection refused".to_owned())),
        Reply::NoAnswer => Err(TransportError::NoAnswer("connection reset".to_owned())),
        Reply::Hangs => std::future::pending().await,
        Reply::After(time, reply) => {
            pass(time).await;
            Box::pin(carry(*reply)).await
        }
    }
}

/// Lets time pass, and everything happen that is due in it.
pub async fn pass(time: Duration) {
    assert!(tokio::time::timeout(time, std::future::pending::<()>()).await.is_err());
}
