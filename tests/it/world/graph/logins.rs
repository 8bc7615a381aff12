//! Logins: which secrets are in force for an application, and whose token a request carries.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use url::form_urlencoded;

use super::super::By;
use super::answer::{self, Response};
use super::service::{TENANT, header};

const TOKEN_SECONDS: u64 = 3600;
/// The code of a client secret that is not in force.
const WRONG_SECRET: u32 = 7_000_215;

/// What was presented at a login.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoggedIn {
    pub tenant: String,
    pub application: String,
    pub secret: String,
}

/// A token that was issued.
struct Token {
    by: By,
    until: Duration,
    login: Arc<LoggedIn>,
    withdrawn: bool,
}

#[derive(Default)]
pub struct Logins {
    /// The secrets in force by application. While there is no application, every login is accepted.
    applications: BTreeMap<String, Vec<String>>,
    tokens: HashMap<String, Token>,
}

impl Logins {
    /// These secrets are in force for an application from now on, and no others.
    pub fn accept(&mut self, application: &str, secrets: &[&str]) {
        self.applications.insert(application.to_owned(), secrets.iter().map(|&secret| secret.to_owned()).collect());
    }

    pub fn accepts(&self, application: &str, secret: &str) -> bool {
        let secrets = self.applications.get(application);
        self.applications.is_empty() || secrets.is_some_and(|secrets| secrets.iter().any(|known| known == secret))
    }

    /// Withdraws every token that was issued, or those of an application.
    pub fn withdraw(&mut self, application: Option<&str>) {
        let chosen = |token: &&mut Token| application.is_none_or(|named| named == token.login.application);
        self.tokens.values_mut().filter(chosen).for_each(|token| token.withdrawn = true);
    }

    pub fn log_in(&mut self, request: &http::Request<Bytes>, by: By, now: Duration) -> Response {
        let login = self.presented(request);
        if !self.accepts(&login.application, &login.secret) {
            return answer::login_error(401, "invalid_client", WRONG_SECRET);
        }
        let number = u64::try_from(self.tokens.len()).unwrap();
        let (token, response) = answer::token(&login.tenant, &login.application, number, TOKEN_SECONDS);
        let until = now + Duration::from_secs(TOKEN_SECONDS);
        self.tokens.insert(token, Token { by, until, login: Arc::new(login), withdrawn: false });
        response
    }

    /// The login behind a token that is good now.
    pub fn good(&self, request: &http::Request<Bytes>, by: By, now: Duration) -> Option<Arc<LoggedIn>> {
        let token = self.tokens.get(bearer(request))?;
        (token.by == by && now < token.until && !token.withdrawn).then(|| token.login.clone())
    }

    /// Whose token a request carries, good or not; for a login, what it presents.
    pub fn of(&self, request: &http::Request<Bytes>) -> Option<Arc<LoggedIn>> {
        if request.uri().path().ends_with("/token") {
            return Some(Arc::new(self.presented(request)));
        }
        self.tokens.get(bearer(request)).map(|token| token.login.clone())
    }

    fn presented(&self, request: &http::Request<Bytes>) -> LoggedIn {
        let form: HashMap<String, String> = form_urlencoded::parse(request.body()).into_owned().collect();
        let member = |name: &str| form.get(name).cloned().unwrap_or_default();
        let named = request.uri().path().trim_start_matches('/').split('/').next().unwrap_or_default();
        let tenant = if self.applications.is_empty() { TENANT } else { named }.to_owned();
        LoggedIn { tenant, application: member("client_id"), secret: member("client_secret") }
    }
}

fn bearer(request: &http::Request<Bytes>) -> &str {
    header(request, "authorization").strip_prefix("Bearer ").unwrap_or_default()
}
