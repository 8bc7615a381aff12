//! The sweep: every request and every other decision of a scene, each with every fault that can happen there, one at a time:
//! before it is sent, sent and lost, carried out and lost, answered, late, refused, each with the process that goes on and
//! with one that dies.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use entrain::plan::Settings;
use parking_lot::Mutex;

use super::graph::{Duplicate, Ids};
use super::run::{Setup, run};
use super::scene::{SCENES, Scene};
use super::schedule::Schedule;
use super::search::described;

/// The likeliest world and the loosest.
const TWO_WORLDS: [(Ids, Duplicate); 2] = [(Ids::ByApplication, Duplicate::Conflict), (Ids::Random, Duplicate::Second)];
/// The scenes of the normal test; `SEARCH_SWEEP=all` takes all of them.
const MAIN: [&str; 5] = ["one", "twins", "siblings", "deletion", "restart asked for"];

fn setups() -> Vec<Setup> {
    let all = std::env::var("SEARCH_SWEEP").is_ok_and(|which| which == "all");
    let scenes = SCENES.iter().filter(|scene: &&Scene| all || MAIN.contains(&scene.name));
    let worlds = if all { &TWO_WORLDS[..] } else { &TWO_WORLDS[..1] };
    let setup = |scene, world| Setup { scene, world, settings: Settings::default(), blind: false };
    scenes.flat_map(|scene| worlds.iter().map(move |world| setup(scene, *world))).collect()
}

/// Every single fault of a setup, by the number of its decision and its kind.
fn faults(setup: Setup) -> Vec<(Setup, u32, u32)> {
    let none = Schedule::single(u32::MAX, 0);
    let outcome = run(setup, &none);
    assert!(outcome.violations.is_empty(), "{}", described("without a fault", setup, &none, &outcome));
    let numbered = (0..).zip(none.decisions());
    numbered.flat_map(|(at, (_, kinds))| (1..=kinds).map(move |took| (setup, at, took))).collect()
}

#[test]
fn every_single_fault_is_survived() {
    let began = Instant::now();
    let all: Vec<(Setup, u32, u32)> = setups().into_iter().flat_map(faults).collect();
    let (next, findings) = (AtomicUsize::new(0), Mutex::<Vec<String>>::default());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(&(setup, at, took)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let schedule = Schedule::single(at, took);
                    let outcome = run(setup, &schedule);
                    if !outcome.violations.is_empty() && findings.lock().len() < 5 {
                        findings.lock().push(described(&schedule.label(), setup, &schedule, &outcome));
                    }
                }
            });
        }
    });
    eprintln!("{} single faults in {:.1} s", all.len(), began.elapsed().as_secs_f64());
    let findings = findings.into_inner();
    for finding in &findings {
        eprintln!("{finding}");
    }
    assert!(findings.is_empty(), "{} faults broke a rule", findings.len());
}
