//! The one place where it is decided what to do, by mode. Total, a step at a time.

use crate::api::Mode;
use crate::plan::common::settings::Settings;
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::manage::manage;
use crate::plan::sync_job::modes;
use crate::plan::sync_job::step::Verdict;
use crate::plan::sync_job::world::World;

/// Names the next step for what is known. Total: every world has an answer.
pub fn decide(desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    match desired.mode {
        Mode::Manage => manage(desired, world, settings),
        Mode::Observe | Mode::Plan | Mode::Suspended => modes::decide(desired, world, settings),
    }
}
