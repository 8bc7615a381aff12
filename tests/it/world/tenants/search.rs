//! The search over the scenes of tenants, as that over all others.

use entrain::plan::Settings;

use super::super::graph::WORLDS;
use super::super::run::{Setup, run};
use super::super::schedule::Schedule;
use super::super::search;
use super::scenes::TENANT_SCENES;

/// How many schedules a normal test runs.
const SCHEDULES: u64 = 1000;

/// What a seed stands for: scene, world and schedule.
fn seeded(seed: u64, settings: Settings) -> (Setup, Schedule) {
    let mut rng = fastrand::Rng::with_seed(!seed);
    let scene = &TENANT_SCENES[rng.usize(..TENANT_SCENES.len())];
    // What ids are made of is the business of the other search: the likeliest world is drawn most of the time.
    let world = if rng.bool() { WORLDS[0] } else { WORLDS[rng.usize(..WORLDS.len())] };
    (Setup { scene, world, settings, blind: false }, Schedule::seeded(seed))
}

#[test]
fn what_was_found_is_not_found_again() {
    // Between the fence before the step and the request was a read of the SyncJob, in which the watch showed that the grant
    // was gone: a DELETE left all the same.
    for seed in [20, 421] {
        let (setup, schedule) = seeded(seed, Settings::default());
        let outcome = run(setup, &schedule);
        assert!(outcome.violations.is_empty(), "{seed}: {:?}\n{}", outcome.violations, outcome.story);
    }
}

#[test]
fn search_over_tenants_finds_nothing() {
    search::finds_nothing(seeded, "world::tenants", SCHEDULES);
}
