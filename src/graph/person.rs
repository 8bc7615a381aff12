//! The person who is logged in on this machine, through the Azure CLI or else the Azure Developer CLI.
//!
//! The crate's `DeveloperToolsCredential` has the same order, but cannot be told a tenant. What a tool said of a refusal
//! is kept; what it printed as an answer is not, because that may hold a token.

use std::error::Error as _;
use std::sync::{Arc, PoisonError};

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential, AzureDeveloperCliCredentialOptions,
};

use super::error::{Kind, capped};
use super::login::{Leftover, LoginError, code_in};

const TOOL_CHARS_MAX: usize = 120;

#[derive(Debug)]
pub(super) struct Person {
    pub tenant_id: Option<String>,
    /// Where the reason goes if neither tool has a token.
    pub leftover: Leftover,
}

#[async_trait::async_trait]
impl TokenCredential for Person {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let mut said = Vec::new();
        for (tool, credential) in self.tools() {
            let answer = match credential {
                Ok(credential) => credential.get_token(scopes, options.clone()).await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(token) => return Ok(token),
                Err(error) => said.push((tool, words(&error))),
            }
        }
        self.leftover.lock().unwrap_or_else(PoisonError::into_inner).refusal = Some(refusal(&said));
        Err(azure_core::Error::with_message(ErrorKind::Credential, "nobody is logged in"))
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

/// What a tool said. The crate wraps the error of the tool into one of its own; an error of another kind is about the
/// tool's answer.
fn words(error: &azure_core::Error) -> String {
    let inner = error.source().and_then(|source| source.downcast_ref::<azure_core::Error>()).unwrap_or(error);
    match inner.kind() {
        ErrorKind::Credential => capped(&inner.to_string()),
        _ => "its answer cannot be read".to_owned(),
    }
}

/// A tool that is not there is only mentioned if the other is not there either.
fn refusal(said: &[(&str, String)]) -> LoginError {
    let answered: Vec<&(&str, String)> =
        said.iter().filter(|(_, words)| !words.contains("not found on PATH")).collect();
    let aadsts = answered.iter().find_map(|(_, words)| code_in(words));
    let message = if answered.is_empty() {
        "neither the Azure CLI (az) nor the Azure Developer CLI (azd) is installed".to_owned()
    } else {
        let quoted = |(tool, words): &&(&str, String)| {
            format!("{tool} said: {}", words.chars().take(TOOL_CHARS_MAX).collect::<String>().trim_end())
        };
        answered.iter().map(quoted).collect::<Vec<_>>().join("; ")
    };
    LoginError {
        kind: Kind::LoginRefused { aadsts, lasting: true },
        code: aadsts.map(|code| format!("AADSTS{code}")).unwrap_or_default(),
        message,
        retry_after: None,
    }
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
        assert!(error.message.starts_with("az said: ERROR") && !error.message.contains("azd"), "{}", error.message);
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
