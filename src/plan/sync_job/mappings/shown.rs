//! What people read of mappings: the condition MappingsApplied and `status.mappings`.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::decide::{course, wish_hash};
use super::words::{in_place, short};
use super::{Compared, Difference};
use crate::api::{MappingsStatus, Reason};
use crate::plan::common::settings::Settings;
use crate::plan::common::standing::Standing;
use crate::plan::sync_job::course::Course;
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::world::World;

const CHANGED_MAX: usize = 16;

/// Status, reason and message of the condition; `None` where nothing new is known.
pub(in crate::plan) fn condition(
    desired: &Desired,
    world: &World,
    settings: &Settings,
) -> Option<(&'static str, Reason, String)> {
    let view = &world.mappings;
    match course("", desired, world, settings) {
        Course::Held(problem) => {
            let status = if problem.standing == Standing::Working { "Unknown" } else { "False" };
            Some((status, problem.reason, problem.message))
        }
        Course::InPlace => {
            let owned = match view.difference() {
                Some(difference) => difference.owned,
                None => view.status.as_ref().and_then(|status| usize::try_from(status.owned).ok())?,
            };
            let known = view.seen.is_some() || view.recalled.is_some() || view.checked.is_some();
            known.then(|| ("True", Reason::MappingsInPlace, in_place(owned)))
        }
        Course::Do(_) => None,
    }
}

/// What status says of the owned part at the end of a pass.
pub(in crate::plan) fn status(
    desired: &Desired,
    world: &World,
    settings: &Settings,
    now: Timestamp,
) -> Option<MappingsStatus> {
    let view = &world.mappings;
    world.job_id.as_ref()?;
    let wish = wish_hash(desired, view)?;
    let old = view.status.clone().unwrap_or_default();
    let saved_time = match &view.saved {
        Some((time, age)) => Some(time.clone().unwrap_or(Time(now.saturating_sub(*age).unwrap_or(now)))),
        None => old.saved_time.clone(),
    };
    let revision = view.revision.clone();
    let seen = view.seen.as_ref().filter(|seen| seen.wish == wish);
    let Some(Compared::Differs(difference)) = seen.map(|seen| &seen.outcome) else {
        let checked = view.checked.as_ref().filter(|(checked, _)| seen.is_none() && *checked == wish);
        // What was shown of the schema before it was saved is out of date.
        let mut shown =
            if view.saved_now { MappingsStatus { owned: old.owned, ..MappingsStatus::default() } } else { old.clone() };
        // A report with what a look came to may not have been written.
        if let Some((recalled, _)) = view.recalled.as_ref().filter(|(recalled, _)| recalled.wish == wish)
            && let Compared::Differs(difference) = &recalled.outcome
        {
            (shown.changed_out_of_band, shown.confirm) = (drifted(difference), confirm(difference));
        }
        return Some(MappingsStatus {
            checked_time: old.checked_time.filter(|_| checked.is_some()),
            checked_hash: checked.map(|(hash, _)| hash.clone()),
            saved_time,
            revision,
            ..shown
        });
    };
    // What is let go of and was saved just now may be there after all.
    let unsure = difference.lets_go && view.lags(Duration::ZERO, settings);
    let as_declared = difference.lines.is_empty() && difference.drifted.is_empty() && !unsure;
    if as_declared && difference.owned == 0 && desired.mappings.is_none() {
        return None;
    }
    Some(MappingsStatus {
        owned: i32::try_from(difference.owned).unwrap_or(i32::MAX),
        checked_time: as_declared.then_some(Time(now)),
        checked_hash: as_declared.then_some(wish),
        saved_time,
        revision,
        changed_out_of_band: drifted(difference),
        confirm: confirm(difference),
    })
}

fn drifted(difference: &Difference) -> Vec<String> {
    difference.drifted.iter().take(CHANGED_MAX).map(|line| short(line).to_owned()).collect()
}

/// What a person confirms this change with, if it needs that.
fn confirm(difference: &Difference) -> Option<String> {
    let needed = !difference.lines.is_empty() && !difference.risks.is_empty();
    needed.then(|| difference.confirmation.clone())
}
