//! One login, by the official `azure_identity` crate over our own transport.
//!
//! The transport reads a refusal before the crate does: the crate loses the AADSTS code whenever the error text holds an
//! escape. Each login uses a credential value of its own, so that the crate's cache and its lock stay out of the way.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{
    AsyncRawResponse, Body, ClientMethodOptions, ClientOptions, HttpClient, Request, RetryOptions, StatusCode,
};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions,
};
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::error::{Kind, capped};
use super::person::Person;
use super::token::LogIn;
use super::transport::{BODY_BYTES_MAX, Transport, header};
use super::{Credential, Endpoints, retry_after};

/// A token as it was issued.
pub(super) struct Issued {
    pub token: SecretString,
    pub life: Duration,
}

/// Why there is no token.
#[derive(Clone, Debug)]
pub(super) struct LoginError {
    pub kind: Kind,
    pub code: String,
    pub message: String,
    pub retry_after: Option<Duration>,
}

impl LoginError {
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self { kind: Kind::LoginUnavailable, code: String::new(), message: message.into(), retry_after: None }
    }
}

/// What one login left that its credential cannot carry: a refusal that was read before the crate could see it, or the
/// life of the token in the service's own words, which need no clock.
#[derive(Debug, Default)]
pub(super) struct Left {
    pub refusal: Option<LoginError>,
    life: Option<Duration>,
}

/// Where it goes.
pub(super) type Leftover = Arc<Mutex<Left>>;

/// Logs in with this credential, once each time it is called.
pub(super) fn with(transport: Arc<dyn Transport>, endpoints: Endpoints, credential: Credential) -> LogIn {
    let parts = Arc::new((transport, endpoints, credential));
    Box::new(move || {
        let parts = parts.clone();
        Box::pin(async move { login(&parts.0, &parts.1, &parts.2).await })
    })
}

async fn login(
    transport: &Arc<dyn Transport>,
    endpoints: &Endpoints,
    credential: &Credential,
) -> Result<Issued, LoginError> {
    let leftover = Leftover::default();
    let answer = match token_credential(credential, endpoints, transport, &leftover) {
        Ok(credential) => credential.get_token(&[&endpoints.scope()], None).await,
        Err(error) => Err(error),
    };
    let left = std::mem::take(&mut *leftover.lock().unwrap_or_else(PoisonError::into_inner));
    if let Some(refusal) = left.refusal {
        return Err(refusal);
    }
    // The crate's own text may quote a body; only the kind of its error is repeated.
    let token = answer
        .map_err(|error| LoginError::unavailable(format!("the login could not be carried out ({})", error.kind())))?;
    let life = left.life.unwrap_or_else(|| {
        // A tool prints an instant of the clock of this machine.
        let seconds = token.expires_on.unix_timestamp() - jiff::Timestamp::now().as_second();
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    });
    Ok(Issued { token: token.token.secret().to_owned().into(), life })
}

fn token_credential(
    credential: &Credential,
    endpoints: &Endpoints,
    transport: &Arc<dyn Transport>,
    leftover: &Leftover,
) -> azure_core::Result<Arc<dyn TokenCredential>> {
    let transport = LoginTransport { transport: transport.clone(), leftover: leftover.clone() };
    let mut cloud = CustomConfiguration::default();
    endpoints.login.as_str().clone_into(&mut cloud.authority_host);
    let client_options = ClientOptions {
        transport: Some(azure_core::http::Transport::new(Arc::new(transport))),
        retry: RetryOptions::none(),
        cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
        ..ClientOptions::default()
    };
    Ok(match credential {
        Credential::ClientSecret { tenant_id, client_id, secret } => {
            let secret = Secret::new(secret.expose_secret().to_owned());
            let options = ClientSecretCredentialOptions { client_options };
            ClientSecretCredential::new(tenant_id, client_id.clone(), secret, Some(options))?
        }
        Credential::WorkloadIdentity { tenant_id, client_id, token_file } => {
            let options = ClientAssertionCredentialOptions { client_options };
            let assertion = TokenFile { path: token_file.clone(), leftover: leftover.clone() };
            ClientAssertionCredential::new(tenant_id.clone(), client_id.clone(), assertion, Some(options))?
        }
        Credential::Person { tenant_id } => {
            Arc::new(Person { tenant_id: tenant_id.clone(), leftover: leftover.clone() })
        }
    })
}

/// The projected token, read again for every login because Kubernetes renews it.
#[derive(Debug)]
struct TokenFile {
    path: PathBuf,
    /// Where the reason goes if there is no token in the file.
    leftover: Leftover,
}

#[async_trait::async_trait]
impl ClientAssertion for TokenFile {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let text = tokio::fs::read_to_string(&self.path).await.unwrap_or_default();
        if text.trim().is_empty() {
            self.leftover.lock().unwrap_or_else(PoisonError::into_inner).refusal = Some(no_token_file());
            return Err(azure_core::Error::with_message(ErrorKind::Io, "there is no token in the file"));
        }
        Ok(text.trim().to_owned())
    }
}

struct LoginTransport {
    transport: Arc<dyn Transport>,
    leftover: Leftover,
}

impl fmt::Debug for LoginTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginTransport")
    }
}

#[async_trait::async_trait]
impl HttpClient for LoginTransport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        match self.send(request).await {
            Ok(body) => Ok(AsyncRawResponse::from_bytes(StatusCode::Ok, Headers::default(), body)),
            Err(error) => {
                self.leftover.lock().unwrap_or_else(PoisonError::into_inner).refusal = Some(error);
                Err(azure_core::Error::with_message(ErrorKind::Other, "refused"))
            }
        }
    }
}

impl LoginTransport {
    async fn send(&self, request: &Request) -> Result<Bytes, LoginError> {
        let Body::Bytes(body) = request.body() else {
            return Err(LoginError::unavailable("the login request has no plain body"));
        };
        let request = http::Request::post(request.url().as_str())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(body.clone())
            .map_err(|_| LoginError::unavailable("the login request cannot be put into HTTP"))?;
        let answer = self.transport.exchange(request, BODY_BYTES_MAX).await;
        let answer = answer.map_err(|error| LoginError::unavailable(capped(&error.to_string())))?;
        let status = answer.status().as_u16();
        let retry_after =
            header(&answer, "retry-after").and_then(|wait| retry_after::parse(wait, header(&answer, "date")));
        let body = answer.into_body();
        if status == 200
            && let Ok(granted) = serde_json::from_slice::<Value>(&body)
            && granted["access_token"].is_string()
        {
            let life = granted["expires_in"].as_u64().map(Duration::from_secs);
            self.leftover.lock().unwrap_or_else(PoisonError::into_inner).life = life;
            return Ok(body);
        }
        Err(refused(status, &body, retry_after))
    }
}

fn no_token_file() -> LoginError {
    LoginError {
        kind: Kind::LoginRefused { aadsts: None, lasting: true },
        ..LoginError::unavailable(
            "the file that AZURE_FEDERATED_TOKEN_FILE names is not there or is empty: azure-workload-identity puts it into pods; check its webhook and create the pod again",
        )
    }
}

/// Codes of the login service that pass by themselves (`reference-error-codes` of the identity platform).
const PASSING: &[u32] = &[90033, 90006, 90012, 90024, 90090, 50033, 90055, 90041, 50087];
/// The service found a client in a loop and wants it to rest (`reference-error-codes`).
const LOOP_DETECTED: u32 = 50196;
const LOOP_REST: Duration = Duration::from_secs(300);
/// Values of `error` that mean trouble of the service itself (RFC 6749, 4.1.2.1), whatever code stands next to them.
const PASSING_ERRORS: &[&str] = &["temporarily_unavailable", "server_error"];
/// Values of `error` that mean that the request will be refused until somebody changes something (RFC 6749, 5.2, and
/// the identity platform's `invalid_resource` and `interaction_required`).
const LASTING_ERRORS: &[&str] = &[
    "invalid_client",
    "unauthorized_client",
    "invalid_request",
    "invalid_grant",
    "invalid_scope",
    "invalid_resource",
    "unsupported_grant_type",
    "access_denied",
    "interaction_required",
];
/// Another answer than a 429 is not believed when it asks for a longer wait.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// What an answer without a token means: by `error` and the status, and by the code where it is known. A code that is
/// not known decides nothing.
fn refused(status: u16, body: &[u8], retry_after: Option<Duration>) -> LoginError {
    let body = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let text = body["error_description"].as_str().unwrap_or_default();
    let oauth = body["error"].as_str().unwrap_or_default();
    let aadsts = body["error_codes"][0].as_u64().and_then(|code| u32::try_from(code).ok()).or_else(|| code_in(text));
    let passing = status == 429
        || status >= 500
        || PASSING_ERRORS.contains(&oauth)
        || aadsts.is_some_and(|code| PASSING.contains(&code));
    let lasting = LASTING_ERRORS.contains(&oauth);
    let kind = if !passing && (lasting || (400..500).contains(&status)) {
        Kind::LoginRefused { aadsts, lasting }
    } else {
        Kind::LoginUnavailable
    };
    let code = aadsts.map_or_else(|| capped(oauth), |code| format!("AADSTS{code}"));
    let first_line = text.lines().next().unwrap_or_default();
    let words = first_line.split_once(": ").map_or(first_line, |(_, words)| words);
    let message = if words.is_empty() { format!("the login service answered {status}") } else { capped(words) };
    let mut retry_after = retry_after.map(|wait| if status == 429 { wait } else { wait.min(WAIT_MAX) });
    if aadsts == Some(LOOP_DETECTED) {
        retry_after = retry_after.max(Some(LOOP_REST));
    }
    LoginError { kind, code, message, retry_after }
}

pub(super) fn code_in(text: &str) -> Option<u32> {
    let digits: String = text.split("AADSTS").nth(1)?.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_code_whatever_its_text_holds() {
        let body = br#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. It\u0027s \"wrong\".\r\nTrace ID: 1\r\n","error_codes":[7000215]}"#;
        let error = refused(401, body, None);
        assert_eq!(error.kind, Kind::LoginRefused { aadsts: Some(7_000_215), lasting: true });
        assert_eq!(error.code, "AADSTS7000215");
        assert!(error.message.starts_with("Invalid client secret") && !error.message.contains("Trace"));
        let without_codes =
            br#"{"error":"invalid_client","error_description":"AADSTS700016: No such application.\r\n"}"#;
        assert_eq!(refused(400, without_codes, None).code, "AADSTS700016");
    }

    #[test]
    fn what_passes_is_told_from_what_lasts() {
        assert_eq!(refused(429, b"Too Many Requests", Some(Duration::from_secs(60))).kind, Kind::LoginUnavailable);
        assert_eq!(refused(503, b"<html>", None).kind, Kind::LoginUnavailable);
        assert_eq!(
            refused(400, br#"{"error":"temporarily_unavailable","error_codes":[90033]}"#, None).kind,
            Kind::LoginUnavailable
        );
        for (error, code) in [("server_error", 999_999), ("temporarily_unavailable", 700_016)] {
            let body = serde_json::json!({"error": error, "error_codes": [code]}).to_string();
            assert_eq!(refused(400, body.as_bytes(), None).kind, Kind::LoginUnavailable, "{error}");
        }
        for code in PASSING {
            let body = serde_json::json!({"error": "invalid_request", "error_codes": [code]}).to_string();
            assert_eq!(refused(400, body.as_bytes(), None).kind, Kind::LoginUnavailable, "{code}");
        }
        let proxy = refused(403, b"<html>secret page</html>", None);
        assert_eq!(proxy.kind, Kind::LoginRefused { aadsts: None, lasting: false });
        assert!(!proxy.message.contains("secret"));
    }

    #[test]
    fn a_code_that_is_not_known_is_judged_by_the_error_and_the_status() {
        let of = |status, error: &str| {
            let body = serde_json::json!({"error": error, "error_codes": [999_999]}).to_string();
            refused(status, body.as_bytes(), None).kind
        };
        let aadsts = Some(999_999);
        assert_eq!(of(400, "invalid_client"), Kind::LoginRefused { aadsts, lasting: true });
        assert_eq!(of(400, "something_new"), Kind::LoginRefused { aadsts, lasting: false });
        assert_eq!(of(500, "invalid_client"), Kind::LoginUnavailable);
        assert_eq!(of(200, "something_new"), Kind::LoginUnavailable);
    }

    #[test]
    fn a_wait_is_believed_as_far_as_the_answer_can_be() {
        let hour = Some(Duration::from_secs(3600));
        assert_eq!(refused(429, b"Too Many Requests", hour).retry_after, hour);
        assert_eq!(refused(503, b"", hour).retry_after, Some(WAIT_MAX));
        let looping = br#"{"error":"invalid_request","error_codes":[50196]}"#;
        assert_eq!(refused(400, looping, Some(Duration::from_secs(1))).retry_after, Some(LOOP_REST));
    }
}
