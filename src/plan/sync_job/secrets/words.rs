//! Messages about credentials and settings. They name keys and codes, never values, and nothing of what a target answered.

use super::{Gap, Tested};
use crate::api::{CredentialTestResult, Reason};
use crate::plan::common::standing::Standing;
use crate::plan::common::words::quoted;

pub(super) const SAVING: &str = "Saving the credentials and settings.";
pub(super) const SAVING_AGAIN: &str =
    "Saving the credentials and settings once more, because the answer to an earlier request was lost.";
pub(super) const TESTING: &str = "Testing the credentials against the target.";
pub(super) const SAVED_NOT_SHOWN: &str =
    "Graph accepted the credentials and settings and does not show them everywhere yet.";
pub(super) const NOT_SAVED: &str =
    "They are not saved, because `spec.credentialValidation` is Require. The test is repeated at each poll.";
pub(super) const SAVED_NONETHELESS: &str = "They are saved, because `spec.credentialValidation` is Warn.";
pub(super) const UNTESTED: &str = "The credentials are not tested, because `spec.credentialValidation` is Skip.";
pub(super) const NOT_TESTED_YET: &str = "The credentials were not tested yet.";
pub(super) const NOT_STARTED: &str =
    "The job is not started, because `spec.credentialValidation` is Require. The test is repeated at each poll.";

pub(super) fn gap(key: &str, gap: &Gap) -> String {
    let wanted = format!("`spec.credentials` takes the value of {key} from");
    match gap {
        Gap::NoSecret { secret } => format!(
            "There is no Secret '{secret}' in the namespace of this SyncJob; {wanted} it. Nothing is saved until the Secret is there."
        ),
        Gap::NoKey { secret, key: of_secret } => format!(
            "The Secret '{secret}' has no key '{of_secret}'; {wanted} it. Nothing is saved until the key is there."
        ),
        Gap::Invalid { secret, key: of_secret, why } => format!(
            "The key '{of_secret}' of the Secret '{secret}' {why}; {wanted} it. Nothing is saved until it is corrected."
        ),
    }
}

pub(super) fn conflict(others: &[String]) -> String {
    let others = quoted(others.iter().map(String::as_str));
    format!(
        "The service principal has one set of credentials and settings, and other SyncJobs declare another one: {others}. None of them saves anything. Declare the same in all of them, or in one only."
    )
}

pub(super) fn incomplete(masked: &[String]) -> String {
    let keys = quoted(masked.iter().map(String::as_str));
    format!(
        "The service principal has credentials that are not declared and that Graph does not show: {keys}. A save replaces the whole set and would delete them, so nothing is saved. Add them to `spec.credentials`."
    )
}

pub(super) fn vanished(key: &str) -> String {
    format!(
        "Graph showed the credential '{key}' a moment ago, without its value, and does not show it now. To save the set could delete it, so nothing is saved before that is certain."
    )
}

pub(super) fn not_kept(names: &[&str]) -> String {
    let names = quoted(names.iter().copied());
    format!(
        "Less than an hour after they were saved, Graph shows other values or none: {names}. Somebody else changes them, or the service did not keep them. They are saved again at most once an hour; find out who else manages this application."
    )
}

/// How things stand after a test whose success is required: a target that was not reached may be back soon.
pub(super) fn standing(tested: &Tested) -> Standing {
    match tested.result {
        CredentialTestResult::Accepted | CredentialTestResult::Rejected => Standing::Stuck,
        CredentialTestResult::Unreachable | CredentialTestResult::NoAnswer | CredentialTestResult::Unclear => {
            Standing::Blocked
        }
    }
}

/// What a test came to, as reason and sentence.
pub(super) fn test(tested: &Tested) -> (Reason, String) {
    let code = tested.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
    match tested.result {
        CredentialTestResult::Accepted => {
            (Reason::CredentialsAccepted, "The target accepted the credentials in the service's test.".to_owned())
        }
        CredentialTestResult::Rejected => (
            Reason::CredentialsRejectedByTarget,
            format!(
                "The target rejected the credentials in the service's test{code}. Check the value of each key of `spec.credentials`, and that the account behind them may provision."
            ),
        ),
        CredentialTestResult::Unreachable => (
            Reason::TargetUnreachable,
            format!(
                "The service could not reach the target in its test, or did not understand its answer{code}. Check BaseAddress, DNS, the firewall and the certificate of the target. Targets that lack discovery end points fail this test although they work."
            ),
        ),
        CredentialTestResult::NoAnswer => (
            Reason::CredentialsUntested,
            "The service's test of the credentials gave no answer in time: the target probably does not answer. Check that it is up and reachable from the Internet.".to_owned(),
        ),
        CredentialTestResult::Unclear => (
            Reason::CredentialsUntested,
            format!("The service's test of the credentials ended with an answer that is not known here{code}. Test the connection in the portal."),
        ),
    }
}
