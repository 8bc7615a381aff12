//! The metadata service of a machine, which issues the tokens of managed identities: where it is asked, and what its
//! refusals mean (`managed-identities-azure-resources/how-to-use-vm-token`).

use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::super::error::capped;
use super::refusal::{LoginError, Service, code_in};

const UNAVAILABLE: &str = "ImdsUnavailable";
const AMBIGUOUS: &str = "ImdsIdentityAmbiguous";
const NOT_FOUND: &str = "ImdsIdentityNotFound";

/// Where the crate sends its request. The environment of App Service would make it send the request elsewhere.
const PLACE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// The address of a request of the crate below our own root of the service.
pub(super) fn address(url: &Url, root: &Url) -> Result<Url, LoginError> {
    let mut place = url.clone();
    place.set_query(None);
    if place.as_str() != PLACE {
        let message = "the environment of this process names another identity service than that of a virtual machine";
        return Err(LoginError::unasked(UNAVAILABLE, message.to_owned()));
    }
    let mut address = root.clone();
    address.set_path(place.path());
    address.set_query(url.query());
    Ok(address)
}

/// There was no answer. It shows nothing about the login service, and is asked again soon.
pub(super) fn unanswered(why: &str) -> LoginError {
    let why = capped(why);
    let message = format!(
        "the metadata service of this machine does not answer ({why}); managed identities exist on machines of Azure only"
    );
    let service = Service::NotAsked;
    LoginError { code: UNAVAILABLE.to_owned(), service, ..LoginError::unavailable(message) }
}

/// What an answer without a token means. 404, 410, 429 and 5xx pass: the service is being updated or overloaded.
pub(super) fn refused(status: u16, body: &[u8], retry_after: Option<Duration>) -> LoginError {
    let body = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let text = body["error_description"].as_str().unwrap_or_default();
    let words = if text.is_empty() { format!("the metadata service answered {status}") } else { capped(text) };
    if !(400..500).contains(&status) || [404, 410, 429].contains(&status) {
        return LoginError { code: UNAVAILABLE.to_owned(), retry_after, ..LoginError::unavailable(words) };
    }
    let lower = text.to_lowercase();
    let code = if lower.contains("multiple user assigned identities") {
        AMBIGUOUS.to_owned()
    } else if lower.contains("identity not found") {
        NOT_FOUND.to_owned()
    } else {
        let named = body["error"].as_str().filter(|error| !error.is_empty()).unwrap_or(UNAVAILABLE);
        code_in(text).map_or_else(|| capped(named), |code| format!("AADSTS{code}"))
    };
    LoginError { code, ..LoginError::refused(words) }
}

#[cfg(test)]
mod tests {
    use super::super::super::error::Kind;
    use super::*;

    fn of(status: u16, error: &str, text: &str) -> (Kind, String) {
        let body = serde_json::json!({"error": error, "error_description": text}).to_string();
        let error = refused(status, body.as_bytes(), None);
        (error.kind, error.code)
    }

    #[test]
    fn what_passes_is_kept_apart_from_what_somebody_must_change() {
        for status in [404, 410, 429, 500, 503, 200, 302] {
            assert_eq!(of(status, "", ""), (Kind::LoginUnavailable, UNAVAILABLE.to_owned()), "{status}");
        }
        let refusals = [
            ("invalid_request", "Multiple user assigned identities exist, please specify the clientId", AMBIGUOUS),
            ("invalid_request", "Identity not found", NOT_FOUND),
            ("invalid_resource", "AADSTS500011: The resource principal was not found.", "AADSTS500011"),
            ("bad_request_102", "Required metadata header not specified", "bad_request_102"),
        ];
        for (error, text, code) in refusals {
            assert_eq!(of(400, error, text), (Kind::LoginRefused, code.to_owned()), "{text}");
        }
        assert_eq!(refused(403, b"<html>", None).code, UNAVAILABLE);
    }

    #[test]
    fn only_the_service_of_a_virtual_machine_is_asked() {
        let root = Url::parse("https://localhost:1/").unwrap();
        let url = |text: &str| address(&Url::parse(text).unwrap(), &root);
        let known = url(&format!("{PLACE}?api-version=1&resource=a%20b")).unwrap();
        assert_eq!(known.as_str(), "https://localhost:1/metadata/identity/oauth2/token?api-version=1&resource=a%20b");
        for other in ["http://127.0.0.1:41/msi/token?a=b", "http://169.254.169.254/metadata/instance"] {
            assert_eq!(url(other).unwrap_err().code, UNAVAILABLE, "{other}");
        }
    }
}
