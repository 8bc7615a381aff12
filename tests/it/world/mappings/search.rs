//! The search over the scenes of mappings, as that over all others.

use entrain::plan::Settings;

use super::super::controls::LATE;
use super::super::graph::WORLDS;
use super::super::run::{Setup, run};
use super::super::schedule::{Mix, Schedule, Site};
use super::super::search;
use super::scenes::MAPPING_SCENES;

/// How many schedules a normal test runs.
const SCHEDULES: u64 = 600;

/// What a seed stands for: scene, world and schedule.
fn seeded(seed: u64, settings: Settings) -> (Setup, Schedule) {
    let mut rng = fastrand::Rng::with_seed(!seed);
    let scene = &MAPPING_SCENES[rng.usize(..MAPPING_SCENES.len())];
    let world = if rng.bool() { WORLDS[0] } else { WORLDS[rng.usize(..WORLDS.len())] };
    let setup = Setup { scene, world, settings, blind: false };
    let late = Mix { kinds: vec![(Site::GraphAction, LATE)], ..Mix::everywhere(rng.u32(1..=6), 500) };
    let schedule = match rng.u8(..6) {
        0 => Schedule::mixed(seed, Mix { sites: vec![Site::GraphAction], ..Mix::everywhere(6, 300) }),
        1 => Schedule::mixed(seed, Mix { sites: vec![Site::GraphAction, Site::Actor], ..late }),
        2 => Schedule::mixed(seed, Mix { sites: vec![Site::Replica, Site::GraphRead], ..Mix::everywhere(12, 300) }),
        _ => Schedule::seeded(seed),
    };
    (setup, schedule)
}

#[test]
fn every_scene_ends_well_without_a_fault() {
    for scene in &MAPPING_SCENES {
        let setup = Setup { scene, world: WORLDS[0], settings: Settings::default(), blind: false };
        let outcome = run(setup, &Schedule::quiet());
        assert!(outcome.violations.is_empty(), "{}: {:?}\n{}", scene.name, outcome.violations, outcome.story);
    }
}

#[test]
fn search_over_mappings_finds_nothing() {
    search::finds_nothing(seeded, "world::mappings", SCHEDULES);
}

/// What was saved and not shown yet when it was not declared any more stayed for good; a first save without an answer was
/// forgotten where its report could not be written; and a save that the schema once showed counted as one
/// that never was carried out, so that what a person changed after it came back instead of what was there first.
#[test]
fn what_was_found_is_not_found_again() {
    for seed in [24_158, 25_676, 25_938, 26_475, 28_977, 29_512, 29_698, 29_901, 30_060] {
        let (setup, schedule) = seeded(seed, Settings::default());
        let outcome = run(setup, &schedule);
        assert!(outcome.violations.is_empty(), "{seed}: {:?}\n{}", outcome.violations, outcome.story);
    }
}
