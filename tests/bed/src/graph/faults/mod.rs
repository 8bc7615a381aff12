//! Faults that a test switches on: which calls they meet, and what becomes of those.

pub mod mangle;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use mangle::Mangle;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    #[serde(default)]
    pub id: String,
    /// An operation, or `*`.
    pub operation: String,
    pub service_principal_id: Option<String>,
    pub tenant_id: Option<String>,
    pub caller_app_id: Option<String>,
    /// Matching calls that pass before the fault begins.
    #[serde(default)]
    pub skip: u32,
    /// Calls that it meets; without a number until it is cleared.
    pub times: Option<u32>,
    pub action: Action,
}

/// `commit` carries the request out before the fault shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Action {
    /// Answers with this instead; `body` replaces the error envelope, and is no JSON unless it looks like it.
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
    /// Carries the request out later, in real time, and by up to the jitter more or less than named.
    Delay {
        millis: u64,
        #[serde(default)]
        jitter_millis: u64,
    },
    /// Cuts the connection and carries the request out later, in real time.
    LateCommit { millis: u64 },
    /// Sends the body in pieces with a pause after each, in real time.
    SlowBody { chunk_bytes: usize, millis: u64 },
    /// Cuts the connection after so many bytes of the body.
    CutBody { after_bytes: usize },
    /// Pads the answer with white space to this size.
    HugeBody { bytes: usize },
    /// A small compressed body that unpacks to this size.
    CompressedBody { bytes: usize },
    /// Answers with a redirect.
    Redirect {
        location: String,
        #[serde(default = "found")]
        status: u16,
    },
    /// Adds a link to a next page at this address.
    ForeignNextLink { url: String },
    /// Adds a link to the same page.
    NextLinkLoop {},
    /// Login refuses with this AADSTS code.
    Aadsts { code: u32 },
    /// The plain-text 429 of the token endpoint.
    PlainTooManyRequests {
        #[serde(default = "minute")]
        retry_after_seconds: u64,
    },
    /// Changes the body.
    Mangle(Mangle),
}

fn found() -> u16 {
    302
}

fn minute() -> u64 {
    60
}

/// What a fault looks at to know whether it is meant.
pub struct Target<'a> {
    pub operation: &'a str,
    pub service_principal: Option<&'a str>,
    pub tenant: Option<&'a str>,
    pub caller: Option<&'a str>,
}

impl Fault {
    fn meets(&self, target: &Target<'_>) -> bool {
        let same =
            |wanted: &Option<String>, is: Option<&str>| wanted.as_deref().is_none_or(|wanted| Some(wanted) == is);
        (self.operation == target.operation || self.operation == "*")
            && same(&self.service_principal_id, target.service_principal)
            && same(&self.tenant_id, target.tenant)
            && same(&self.caller_app_id, target.caller)
            && self.times != Some(0)
    }
}

/// The fault that this call meets, if any; counts it down.
pub fn take(faults: &mut Vec<Fault>, target: &Target<'_>) -> Option<Fault> {
    let index = faults.iter().position(|fault| fault.meets(target))?;
    let fault = &mut faults[index];
    if fault.skip > 0 {
        fault.skip -= 1;
        return None;
    }
    let taken = fault.clone();
    if let Some(times) = &mut fault.times {
        *times -= 1;
        if *times == 0 {
            faults.remove(index);
        }
    }
    Some(taken)
}
