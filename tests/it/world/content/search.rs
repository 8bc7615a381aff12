//! The search over the scenes of credentials and settings, as that over all others.

use entrain::plan::Settings;

use super::super::controls::{ANYWHERE, LATE, Part};
use super::super::graph::WORLDS;
use super::super::run::{Setup, run, run_logged};
use super::super::schedule::{Mix, Schedule, Site};
use super::super::search::{self, described};
use super::scenes::CONTENT_SCENES;

/// How many schedules a normal test runs.
const SCHEDULES: u64 = 1000;

/// What a seed stands for: scene, world and schedule.
fn seeded(seed: u64, settings: Settings) -> (Setup, Schedule) {
    let mut rng = fastrand::Rng::with_seed(!seed);
    let scene = &CONTENT_SCENES[rng.usize(..CONTENT_SCENES.len())];
    // What ids are made of is the business of the other search: the likeliest world is drawn most of the time.
    let world = if rng.bool() { WORLDS[0] } else { WORLDS[rng.usize(..WORLDS.len())] };
    let setup = Setup { scene, world, settings, blind: false };
    // A save that is carried out late meets a rotation or another operator too rarely where all kinds of faults are drawn.
    let late = Mix { kinds: vec![(Site::GraphAction, LATE)], ..Mix::everywhere(rng.u32(1..=6), 500) };
    let schedule = match rng.u8(..6) {
        2 => Schedule::mixed(seed, Mix { sites: vec![Site::Replica], ..Mix::everywhere(12, 500) }),
        0 => Schedule::mixed(seed, Mix { sites: vec![Site::GraphAction], ..late }),
        1 => Schedule::mixed(seed, Mix { sites: vec![Site::GraphAction, Site::Actor], ..late }),
        _ => Schedule::seeded(seed),
    };
    (setup, schedule)
}

#[test]
fn every_scene_ends_well_without_a_fault() {
    for scene in &CONTENT_SCENES {
        let setup = Setup { scene, world: WORLDS[0], settings: Settings::default(), blind: false };
        let outcome = run(setup, &Schedule::quiet());
        assert!(outcome.violations.is_empty(), "{}: {:?}\n{}", scene.name, outcome.violations, outcome.story);
    }
}

/// Runs the first schedules of a part.
fn finds_nothing(part: &Part) {
    for seed in 1..=200 {
        let (setup, schedule) = part.drawn(seed);
        let outcome = run(setup, &schedule);
        let text = || described(&format!("seed {seed}"), setup, &schedule, &outcome);
        assert!(outcome.violations.is_empty(), "{}", text());
    }
}

/// A save that was carried out late was taken for somebody else's, and for an hour nothing was saved; a new process
/// did not know that an earlier save might be.
#[test]
fn a_late_save_is_saved_over() {
    finds_nothing(&Part {
        scenes: &[
            "credentials",
            "handover of credentials",
            "two operators with credentials",
            "reboot with credentials",
        ],
        sites: &[Site::GraphAction],
        kinds: &[(Site::GraphAction, LATE)],
        ..ANYWHERE
    });
}

/// A restart whose answer was lost was sent again until one was answered.
#[test]
fn a_restart_for_a_change_is_sent_once() {
    finds_nothing(&Part {
        scenes: &["credentials that are refused"],
        sites: &[Site::GraphAction],
        kinds: &[(Site::GraphAction, LATE)],
        ..ANYWHERE
    });
}

/// A read that lags does not show a key that the read before it showed.
#[test]
fn a_key_that_one_read_does_not_show_is_not_lost() {
    finds_nothing(&Part { scenes: &["a key that cannot be read"], sites: &[Site::Replica], ..ANYWHERE });
}

#[test]
fn no_value_is_logged() {
    for seed in 1..=60 {
        let (setup, schedule) = seeded(seed, Settings::default());
        let (_, log) = run_logged(setup, &schedule);
        let leaked = log.lines().find(|line| line.contains("canary-"));
        assert!(leaked.is_none() && log.contains("SaveSecrets"), "seed {seed}: {leaked:?}");
    }
}

#[test]
fn search_over_credentials_finds_nothing() {
    search::finds_nothing(seeded, "world::content", SCHEDULES);
}
