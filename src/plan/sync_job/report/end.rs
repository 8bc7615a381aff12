//! How a pass ended.

use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::fact::Fact;
use crate::plan::sync_job::step::{Step, Verdict};
use crate::plan::sync_job::world::World;

/// What a pass came to.
pub struct End<'a> {
    /// `None` if the spec cannot be acted on.
    pub desired: Option<&'a Desired>,
    pub world: &'a World,
    pub verdict: &'a Verdict,
    pub done: &'a [(Step, Fact)],
}
