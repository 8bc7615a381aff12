//! The search over the scenes of tenants, as that over all others.

use entrain::plan::Settings;

use super::super::graph::WORLDS;
use super::super::run::Setup;
use super::super::schedule::Schedule;
use super::super::search::{number, search_of};
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
fn search_over_tenants_finds_nothing() {
    let (first, count) = (number("SEARCH_SEED", 1), number("SEARCH_SCHEDULES", SCHEDULES));
    let found = search_of(seeded, "world::tenants", first, count, Settings::default());
    eprintln!(
        "{} schedules from seed {first} in {:.1} s: {} states at rest, {} paths",
        found.schedules, found.seconds, found.states, found.paths
    );
    for (_, finding) in &found.findings {
        eprintln!("{finding}");
    }
    assert!(found.findings.is_empty(), "{} schedules broke a rule", found.findings.len());
}
