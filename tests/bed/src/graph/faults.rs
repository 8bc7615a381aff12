//! Faults that a test switches on: which calls they meet, and what becomes of those.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    #[serde(default)]
    pub id: String,
    /// An operation, or `*`.
    pub operation: String,
    pub service_principal_id: Option<String>,
    /// Matching calls that pass before the fault begins.
    #[serde(default)]
    pub skip: u32,
    /// Calls that it meets; without a number until it is cleared.
    pub times: Option<u32>,
    pub action: Action,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Action {
    /// Answers with this instead, after the effect if `commit`.
    Respond {
        status: u16,
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
        #[serde(default)]
        headers: Map<String, Value>,
        body: Option<String>,
        #[serde(default)]
        commit: bool,
    },
    /// Cuts the connection without an answer.
    Drop {
        #[serde(default)]
        commit: bool,
    },
    /// Never answers.
    Hang {
        #[serde(default)]
        commit: bool,
    },
    /// Answers later.
    Delay {
        millis: u64,
    },
    /// Cuts the connection and carries the request out later.
    LateCommit {
        millis: u64,
    },
    /// Answers with a redirect.
    Redirect {
        location: String,
    },
    /// Adds a link to a next page at this address.
    ForeignNextLink {
        url: String,
    },
    /// Cuts the body short.
    CutBody {
        after_bytes: usize,
    },
    Mangle(Mangle),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Mangle {
    UnknownEnums,
    ExtraFields,
    EmptyStatus,
    TruncatedJson,
    Html,
}

/// The action for this call, if a fault meets it; counts the fault down.
pub fn take(faults: &mut Vec<Fault>, operation: &str, service_principal: Option<&str>) -> Option<Action> {
    let meets = |fault: &Fault| {
        (fault.operation == operation || fault.operation == "*")
            && fault.service_principal_id.as_deref().is_none_or(|wanted| Some(wanted) == service_principal)
            && fault.times != Some(0)
    };
    let index = faults.iter().position(meets)?;
    let fault = &mut faults[index];
    if fault.skip > 0 {
        fault.skip -= 1;
        return None;
    }
    let action = fault.action.clone();
    if let Some(times) = &mut fault.times {
        *times -= 1;
        if *times == 0 {
            faults.remove(index);
        }
    }
    Some(action)
}
