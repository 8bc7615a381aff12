//! What people read of credentials: the condition CredentialsValid and `status.credentials`.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{difference, in_doubt, in_force, tags, words};
use crate::api::{
    CredentialTest, CredentialTestResult, CredentialValidation, CredentialsStatus, KeyFingerprint, Reason,
};
use crate::plan::common::settings::Settings;
use crate::plan::sync_job::course::{Course, Problem};
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::secrets::decide::course;
use crate::plan::sync_job::world::World;

const KEYS_MAX: usize = 64;

/// Status, reason and message of the condition; `None` where nothing new is known.
pub(in crate::plan) fn condition(
    desired: &Desired,
    world: &World,
    settings: &Settings,
) -> Option<(&'static str, Reason, String)> {
    let wanted = world.secrets.wanted.as_ref()?;
    if let Course::Held(Problem { reason, message, .. }) = course("", desired, world, settings)
        && reason != Reason::SavingCredentials
    {
        let status = if reason == Reason::CredentialsUntested { "Unknown" } else { "False" };
        return Some((status, reason, message));
    }
    world.secrets.live.as_ref()?;
    let Some(tested) = world.secrets.test_of(wanted) else {
        let skipped = desired.content.validation == CredentialValidation::Skip;
        let message = if skipped { words::UNTESTED } else { words::NOT_TESTED_YET };
        return Some(("Unknown", Reason::CredentialsUntested, message.to_owned()));
    };
    let status = match tested.result {
        CredentialTestResult::Accepted => "True",
        CredentialTestResult::Rejected | CredentialTestResult::Unreachable => "False",
        CredentialTestResult::NoAnswer | CredentialTestResult::Unclear => "Unknown",
    };
    let (reason, message) = words::test(tested);
    let saved = difference(&desired.content, &world.secrets).is_some_and(|difference| difference.is_none());
    let nonetheless = status == "False" && saved && desired.content.validation == CredentialValidation::Warn;
    let message = if nonetheless { format!("{message} {}", words::SAVED_NONETHELESS) } else { message };
    Some((status, reason, message))
}

/// What status says of the set at the end of a pass.
pub(in crate::plan) fn status(
    old: Option<&CredentialsStatus>,
    desired: &Desired,
    world: &World,
    now: Timestamp,
) -> Option<CredentialsStatus> {
    if !desired.content.is_any() {
        return None;
    }
    let view = &world.secrets;
    let (Some(wanted), Some(difference)) = (&view.wanted, difference(&desired.content, view)) else {
        return old.cloned();
    };
    let mut foreign = difference.foreign.clone();
    foreign.sort_unstable();
    foreign.truncate(KEYS_MAX);
    let fingerprint = |(key, tag): (String, super::Tag)| KeyFingerprint { key, fingerprint: tag.0 };
    let mut saved = if difference.is_none() { tags(&wanted.credentials) } else { view.known.clone() };
    // The next process has to save once more what this one is not sure of.
    if in_doubt(world) {
        saved.clear();
    } else if world.trouble.is_some() {
        saved.retain(|(key, _)| !difference.own.contains(key));
    }
    Some(CredentialsStatus {
        keys: saved.into_iter().map(fingerprint).collect(),
        foreign_keys: foreign,
        saved_time: if view.saved_now { Some(Time(now)) } else { old.and_then(|old| old.saved_time.clone()) },
        test: tested(old, world, now),
        scope_in_force: in_force(world.bound_job(), view),
    })
}

/// The test of this pass with its time; else what status says.
fn tested(old: Option<&CredentialsStatus>, world: &World, now: Timestamp) -> Option<CredentialTest> {
    let old = old.and_then(|old| old.test.clone());
    let Some(tested) = &world.secrets.tested else { return old };
    let made_now = tested.age.is_zero();
    let time = if made_now { Some(Time(now)) } else { old.as_ref().map(|test| test.time.clone()) };
    Some(CredentialTest {
        result: tested.result,
        code: tested.code.clone(),
        time: time.unwrap_or(Time(now)),
        fingerprint: tested.fingerprint.0.clone(),
    })
}
