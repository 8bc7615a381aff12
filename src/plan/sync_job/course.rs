//! How far one part of the content of a job is: its credentials and settings, or its mappings.

use crate::api::Reason;
use crate::plan::common::standing::Standing;
use crate::plan::common::wake::Wake;
use crate::plan::sync_job::step::Verdict;

pub(in crate::plan) enum Course {
    Do(Verdict),
    /// The part is as declared, or nothing of it is declared.
    InPlace,
    /// It is not, and nothing can be done now.
    Held(Problem),
}

/// Why a part is not as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan) struct Problem {
    pub standing: Standing,
    pub reason: Reason,
    pub message: String,
    pub wake: Wake,
}
