//! The connected application: what it makes of credentials, what it says then, and what a cycle finds there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::job::Trouble;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Target {
    pub verdict: Verdict,
    /// Where given, a target that answers accepts exactly these values of these keys, and rejects any others.
    pub accepts: BTreeMap<String, Values>,
    /// In place of the connector's code for credentials that fail.
    pub error: Option<Trouble>,
    /// The same for a test only.
    pub test_error: Option<Trouble>,
    /// The status that it answers with, in place of the verdict's.
    pub status: Option<u16>,
    /// How long it takes to answer a test, in virtual time; half a minute where it hangs, and no time else.
    pub seconds: Option<u64>,
    /// A text in everything that it answers.
    pub canary: String,
    /// Whether what it answers repeats the `Authorization` header that it was sent.
    pub echoes: bool,
    /// Entries that an initial cycle exports: those that are assigned.
    pub entries: u64,
    /// The same where everybody is in scope; as many where absent.
    pub everybody: Option<u64>,
    /// Groups, which have a count of their own in what is synchronized.
    pub groups: u64,
    /// Entries that every later cycle finds changed.
    pub changes: u64,
    /// Entries that fail in every cycle and wait for the next; the cycle succeeds nevertheless.
    pub escrows: u64,
    /// An initial cycle drops its entries in error, and the service pauses the job after it.
    pub escrows_pruned: bool,
    /// Deletions that wait for the next cycle.
    pub pending_deletes: u64,
}

impl Default for Target {
    fn default() -> Self {
        Self {
            verdict: Verdict::Accepted,
            accepts: BTreeMap::new(),
            error: None,
            test_error: None,
            status: None,
            seconds: None,
            canary: String::new(),
            echoes: true,
            entries: 14,
            everybody: None,
            groups: 0,
            changes: 0,
            escrows: 0,
            escrows_pruned: false,
            pending_deletes: 0,
        }
    }
}

/// A value, or several of which each is good, as while a secret is rotated.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Values {
    One(String),
    Several(Vec<String>),
}

impl Values {
    pub fn has(&self, value: &str) -> bool {
        match self {
            Self::One(good) => good == value,
            Self::Several(good) => good.iter().any(|good| good == value),
        }
    }
}

/// What comes of a connection to the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    #[default]
    Accepted,
    /// It answers 401.
    Rejected,
    /// It answers 403.
    Forbidden,
    /// It answers 404: the address is wrong, or it lacks what a test probes.
    NotFound,
    /// It answers 500.
    ServerError,
    /// It answers 429.
    Throttled,
    /// It does not answer.
    Hangs,
    /// Its name does not resolve.
    Unresolvable,
    /// It refuses the connection.
    Unreachable,
    /// The OAuth settings do not lead to a token.
    OauthUnset,
    /// It answers, but breaks the protocol.
    Incompatible,
}

impl Verdict {
    /// Whether the target looks at the credentials at all.
    pub fn judges(self) -> bool {
        match self {
            Self::Accepted | Self::Rejected | Self::Forbidden => true,
            Self::NotFound
            | Self::ServerError
            | Self::Throttled
            | Self::Hangs
            | Self::Unresolvable
            | Self::Unreachable
            | Self::OauthUnset
            | Self::Incompatible => false,
        }
    }

    /// The status of its answer, if there is one.
    pub fn status(self) -> Option<u16> {
        match self {
            Self::Accepted | Self::Incompatible => Some(200),
            Self::Rejected => Some(401),
            Self::Forbidden => Some(403),
            Self::NotFound => Some(404),
            Self::ServerError => Some(500),
            Self::Throttled => Some(429),
            Self::Hangs | Self::Unresolvable | Self::Unreachable | Self::OauthUnset => None,
        }
    }

    /// How it is named in the control API and the ledger.
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }
}
