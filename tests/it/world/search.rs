//! The search: many schedules, each from its seed, over every scene and every world of ids.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use entrain::plan::Settings;
use parking_lot::Mutex;

use super::content::CONTENT_SCENES;
use super::graph::WORLDS;
use super::mappings::MAPPING_SCENES;
use super::run::{Outcome, Setup, run};
use super::scene::{SCENES, Scene};
use super::schedule::Schedule;

/// How many schedules a normal test runs.
const SCHEDULES: u64 = 4000;
/// More findings than this tell nothing new.
const FINDINGS_MAX: usize = 3;
/// A long search reports its progress after every so many schedules.
const REPORTED: u64 = 5000;

/// What a seed stands for: scene, world and schedule.
pub fn seeded(seed: u64, settings: Settings) -> (Setup, Schedule) {
    let mut rng = fastrand::Rng::with_seed(!seed);
    let setup = Setup {
        scene: match rng.u8(..5) {
            0 => of(&CONTENT_SCENES, &mut rng),
            1 => of(&MAPPING_SCENES, &mut rng),
            _ => of(&SCENES, &mut rng),
        },
        world: WORLDS[rng.usize(..WORLDS.len())],
        settings,
        blind: false,
    };
    (setup, Schedule::seeded(seed))
}

fn of(scenes: &'static [Scene], rng: &mut fastrand::Rng) -> &'static Scene {
    &scenes[rng.usize(..scenes.len())]
}

/// What a search found.
#[derive(Default)]
pub struct Found {
    pub schedules: u64,
    pub seconds: f64,
    pub states: usize,
    pub paths: usize,
    /// How many paths and states the last tenth of the schedules saw first.
    pub late: (usize, usize),
    pub findings: Vec<(u64, String)>,
}

#[derive(Default)]
struct Tally {
    states: HashSet<u64>,
    paths: HashSet<u64>,
    late: (usize, usize),
    findings: Vec<(u64, String)>,
}

/// What seeds stand for.
pub type Seeded = fn(u64, Settings) -> (Setup, Schedule);

/// Runs the schedules of these seeds on all processors; the test that repeats a run is of this name.
pub fn search_of(seeded: Seeded, test: &str, first: u64, count: u64, settings: Settings) -> Found {
    let (began, next, tally) = (Instant::now(), AtomicU64::new(0), Mutex::<Tally>::default());
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count || tally.lock().findings.len() >= FINDINGS_MAX {
                        return;
                    }
                    if number > 0 && number % REPORTED == 0 {
                        eprintln!("{number} of {count} schedules in {:.0} s", began.elapsed().as_secs_f64());
                    }
                    let (setup, schedule) = seeded(first + number, settings);
                    let outcome = run(setup, &schedule);
                    let tally = &mut *tally.lock();
                    let new = (tally.states.insert(outcome.rest), tally.paths.insert(outcome.path));
                    if number >= count - count / 10 {
                        tally.late.0 += usize::from(new.0);
                        tally.late.1 += usize::from(new.1);
                    }
                    if !outcome.violations.is_empty() {
                        let seed = first + number;
                        let label = format!("again by: SEARCH_SEED={seed} SEARCH_SCHEDULES=1 cargo test --test it -- {test} --nocapture; seed {seed}");
                        tally.findings.push((seed, described(&label, setup, &schedule, &outcome)));
                    }
                }
            });
        }
    });
    let Tally { states, paths, late, mut findings } = tally.into_inner();
    findings.sort();
    let schedules = next.into_inner().min(count);
    let (states, paths) = (states.len(), paths.len());
    Found { schedules, seconds: began.elapsed().as_secs_f64(), states, paths, late, findings }
}

/// All that is needed to look for a cause.
pub fn described(label: &str, setup: Setup, schedule: &Schedule, outcome: &Outcome) -> String {
    let mut text =
        format!("{label}, scene '{}', world {:?}\nfaults: {:?}\n", setup.scene.name, setup.world, schedule.faults());
    for violation in &outcome.violations {
        let _ = writeln!(text, "{} at {:.3}: {}", violation.rule, violation.at.as_secs_f64(), violation.what);
    }
    text.push_str(&outcome.story);
    text
}

/// A number from the environment.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Searches the schedules that the environment names, or so many from the first seed on, and fails with what it finds.
pub fn finds_nothing(seeded: Seeded, test: &str, otherwise: u64) {
    let (first, count) = (number("SEARCH_SEED", 1), number("SEARCH_SCHEDULES", otherwise));
    let found = search_of(seeded, test, first, count, Settings::default());
    eprintln!(
        "{} schedules from seed {first} in {:.1} s: {} states at rest, {} paths; the last tenth saw {} and {} of them first",
        found.schedules, found.seconds, found.states, found.paths, found.late.0, found.late.1
    );
    for (_, finding) in &found.findings {
        eprintln!("{finding}");
    }
    assert!(found.findings.is_empty(), "{} schedules broke a rule", found.findings.len());
}

#[test]
fn search_finds_nothing() {
    finds_nothing(seeded, "world::search::search", SCHEDULES);
}

#[test]
fn every_schedule_is_reproducible() {
    for seed in 0..60 {
        let again = || {
            let (setup, schedule) = seeded(seed, Settings::default());
            let outcome = run(setup, &schedule);
            (outcome.rest, outcome.path, outcome.rules(), schedule.taken())
        };
        assert_eq!(again(), again(), "seed {seed}");
    }
}
