//! Who asks Graph from the command line: an application or a person.

use crate::args::{Caller, Connection};
use crate::connect::{self, ConnectError};
use crate::graph::{Credential, Error, Kind, Options, Reader};

/// The environment decides who calls, unless the flag does. `adjust` is what a command needs otherwise than usual.
pub(super) fn connect(
    connection: &Connection,
    caller: Option<Caller>,
    adjust: impl FnOnce(Options) -> Options,
) -> Result<(Reader, Caller), ConnectError> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let secret = variable("AZURE_CLIENT_SECRET").or_else(|| variable("AZURE_FEDERATED_TOKEN_FILE"));
    let caller = caller.unwrap_or(if secret.is_some() { Caller::Application } else { Caller::Person });
    let credential = match caller {
        Caller::Application => Credential::from_environment(variable)?,
        Caller::Person => Credential::Person { tenant_id: variable("AZURE_TENANT_ID") },
    };
    Ok((Reader::new(adjust(connect::options(connection)?), credential)?, caller))
}

/// Whether it is the login that failed: it would not succeed for the next question either.
pub(super) fn is_about_login(error: &Error) -> bool {
    matches!(error.kind, Kind::LoginRefused | Kind::LoginUnavailable | Kind::TokenRejected)
}

/// What to do about a login that failed.
pub(super) fn login_remedy(caller: Caller) -> &'static str {
    match caller {
        Caller::Person => {
            "Log in with `az login --allow-no-subscriptions` or `azd auth login`, and set AZURE_TENANT_ID if it is not your own tenant; or name an application with AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE."
        }
        Caller::Application => {
            "Check AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET (or the federated credential) and --cloud."
        }
    }
}
