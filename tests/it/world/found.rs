//! What the search found in the product, each with the schedule that showed it.

use super::controls::{ANYWHERE, Part};
use super::graph::{Duplicate, Ids};
use super::run::run;
use super::schedule::Site;
use super::search::seeded;
use entrain::plan::Settings;

#[test]
fn a_record_that_is_removed_leads_to_no_second_job_as_long_as_the_process_lives() {
    let unseen = Part {
        scenes: &["status removed"],
        world: Some((Ids::Random, Duplicate::Second)),
        sites: &[Site::Replica],
        kinds: &[(Site::Replica, 2)],
    };
    for seed in 1..40 {
        let (setup, schedule) = unseen.drawn(seed);
        let outcome = run(setup, &schedule);
        assert!(outcome.violations.is_empty() && outcome.jobs == 1, "{seed}: {} jobs", outcome.jobs);
    }
}

#[test]
fn what_was_found_is_not_found_again() {
    // A stale list showed the run state of the job that had the id before, and the new job was never started; a watch that
    // lagged showed an operator a SyncJob that another one had let go of, and its DELETE hit the successor's job.
    let deletion = Part { scenes: &["deletion", "succession"], sites: &[Site::Replica], ..ANYWHERE };
    let lagging = Part {
        scenes: &["two operators"],
        world: Some((Ids::ByApplication, Duplicate::Conflict)),
        sites: &[Site::ApiWatch],
        kinds: &[(Site::ApiWatch, 1)],
    };
    for (part, seed) in [(deletion, 502), (lagging, 19)] {
        let (setup, schedule) = part.drawn(seed);
        let outcome = run(setup, &schedule);
        assert!(outcome.violations.is_empty(), "{seed}: {:?}\n{}", outcome.violations, outcome.story);
    }
}

/// The answer to the write of the job's id showed an edit that the watch did not show yet.
#[test]
fn a_job_is_not_started_with_the_settings_from_before_an_edit() {
    let (setup, schedule) = seeded(2505, Settings::default());
    let outcome = run(setup, &schedule);
    assert!(outcome.violations.is_empty(), "{:?}\n{}", outcome.violations, outcome.story);
}
