//! The person who is logged in on this machine, through the Azure CLI or else the Azure Developer CLI.
//!
//! The crate's `DeveloperToolsCredential` has the same order, but takes no tenant. The text of a tool's refusal is kept;
//! what it printed as an answer is not, because that may hold a token.

use std::error::Error as _;
use std::sync::Arc;

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential, AzureDeveloperCliCredentialOptions,
};

use super::super::error::capped;
use super::refusal::{LoginError, code_in};

const TOOL_CHARS_MAX: usize = 120;

#[derive(Debug)]
pub(super) struct Person {
    pub tenant_id: Option<String>,
}

#[async_trait::async_trait]
impl TokenCredential for Person {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let mut failures = Vec::new();
        for (tool, credential) in self.tools() {
            let answer = match credential {
                Ok(credential) => credential.get_token(scopes, options.clone()).await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(token) => return Ok(token),
                Err(error) => failures.push((tool, words(&error))),
            }
        }
        Err(azure_core::Error::new(ErrorKind::Credential, refusal(&failures)))
    }
}

impl Person {
    fn tools(&self) -> [(&'static str, azure_core::Result<Arc<dyn TokenCredential>>); 2] {
        let az = AzureCliCredentialOptions { tenant_id: self.tenant_id.clone(), ..Default::default() };
        let azd = AzureDeveloperCliCredentialOptions { tenant_id: self.tenant_id.clone(), ..Default::default() };
        [
            ("az", AzureCliCredential::new(Some(az)).map(|credential| credential as Arc<dyn TokenCredential>)),
            (
                "azd",
                AzureDeveloperCliCredential::new(Some(azd)).map(|credential| credential as Arc<dyn TokenCredential>),
            ),
        ]
    }
}

/// The text of a tool's error. The crate wraps the error of the tool into one of its own; an error of another kind is about the
/// tool's answer.
fn words(error: &azure_core::Error) -> String {
    let inner = error.source().and_then(|source| source.downcast_ref::<azure_core::Error>()).unwrap_or(error);
    match inner.kind() {
        ErrorKind::Credential => capped(&inner.to_string()),
        _ => "its answer cannot be read".to_owned(),
    }
}

/// A tool that is not installed is mentioned only if the other is not either.
fn refusal(failures: &[(&str, String)]) -> LoginError {
    let answered: Vec<&(&str, String)> =
        failures.iter().filter(|(_, words)| !words.contains("not found on PATH")).collect();
    let aadsts = answered.iter().find_map(|(_, words)| code_in(words));
    let message = if answered.is_empty() {
        "neither the Azure CLI (az) nor the Azure Developer CLI (azd) is installed".to_owned()
    } else {
        let quoted = |(tool, words): &&(&str, String)| {
            format!("{tool} answered: {}", words.chars().take(TOOL_CHARS_MAX).collect::<String>().trim_end())
        };
        answered.iter().map(quoted).collect::<Vec<_>>().join("; ")
    };
    let code = aadsts.map(|code| format!("AADSTS{code}")).unwrap_or_default();
    LoginError { code, ..LoginError::refused(message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_THERE: &str = "azd not found on PATH";

    #[test]
    fn a_refusal_is_that_of_the_tool_that_is_there() {
        let error = refusal(&[
            ("az", "ERROR: AADSTS700082: The refresh token has expired due to inactivity.".to_owned()),
            ("azd", NOT_THERE.to_owned()),
        ]);
        assert_eq!(error.code, "AADSTS700082");
        assert!(error.message.starts_with("az answered: ERROR") && !error.message.contains("azd"), "{}", error.message);
        let nobody = refusal(&[("az", "az not found on PATH".to_owned()), ("azd", NOT_THERE.to_owned())]);
        assert!(nobody.message.contains("neither") && nobody.code.is_empty());
    }

    #[test]
    fn what_a_tool_printed_as_its_answer_is_not_repeated() {
        let unreadable = azure_core::Error::with_message(ErrorKind::DataConversion, "unexpected 'canary'");
        let wrapped = azure_core::Error::with_error(ErrorKind::Credential, unreadable, "failed. unexpected 'canary'");
        assert_eq!(words(&wrapped), "its answer cannot be read");
    }
}
