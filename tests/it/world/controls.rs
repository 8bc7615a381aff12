//! The negative controls: each guard is taken away, and the search has to notice within a bounded number of schedules. The
//! same schedule finds nothing where the guard is in place.

use std::time::{Duration, Instant};

use entrain::plan::{Guard, Settings, Without};

use super::graph::WORLDS;
use super::run::{Setup, run};
use super::scene::{SCENES, named};
use super::schedule::{Mix, Schedule, Site};
use super::search::described;

/// How a run is made worse.
#[derive(Clone, Copy, Debug)]
enum Missing {
    Of(Guard),
    /// The settle window is a second long.
    SettleWindow,
    /// Writes carry no version.
    CompareAndSwap,
}

/// One row of the table.
struct Control {
    missing: Missing,
    /// What the guard is for.
    guard: &'static str,
    /// The scenes in which it matters; all, if there are none.
    scenes: &'static [&'static str],
    /// Where things go wrong; as the seed has it, if there are none.
    sites: &'static [Site],
    /// Where the normal test begins, so that it need not take long; `SEARCH_CONTROLS=all` begins with the first seed.
    seed: u64,
    /// The only kinds of faults there.
    kinds: &'static [(Site, u32)],
}

/// No schedule within the bound of the normal test is known yet that notices these.
const OPEN: [&str; 6] = [
    "tombstones",
    "sent within 15 s",
    "nonce checked before the id is recorded",
    "no DELETE outlives its SyncJob",
    "several looks before letting go",
    "what is not written is tried again",
];

/// The kinds of faults by which an answer takes long, and by which a token is not accepted.
const SLOW: u32 = 5;
const REVOKED: u32 = 15;
/// No more schedules than this: in a normal test, and from the first seed on.
const SCHEDULES: u64 = 400;
const SCHEDULES_ALL: u64 = 8000;

const CONTROLS: [Control; 17] = [
    Control {
        missing: Missing::Of(Guard::FreshDelete),
        seed: 207,
        guard: "the object is read before its job is deleted",
        scenes: &["two operators"],
        sites: &[Site::ApiWatch],
        kinds: &[(Site::ApiWatch, 1)],
    },
    Control {
        missing: Missing::Of(Guard::Intent),
        seed: 1,
        guard: "intent before create",
        scenes: &["one"],
        sites: &[],
        kinds: &[],
    },
    Control {
        missing: Missing::CompareAndSwap,
        seed: 1,
        guard: "compare-and-swap",
        scenes: &["two operators"],
        sites: &[],
        kinds: &[],
    },
    Control {
        missing: Missing::Of(Guard::RivalsReread),
        seed: 147,
        guard: "rivals read uncached",
        scenes: &["twins", "two operators"],
        sites: &[],
        kinds: &[],
    },
    Control {
        missing: Missing::Of(Guard::ListAfterRivals),
        seed: 2677,
        guard: "list after rivals",
        scenes: &["adoption", "succession", "two operators"],
        sites: &[],
        kinds: &[],
    },
    Control {
        missing: Missing::SettleWindow,
        seed: 129,
        guard: "settle window",
        scenes: &["one", "twins"],
        sites: &[Site::GraphCreate, Site::Replica],
        kinds: &[],
    },
    Control {
        missing: Missing::Of(Guard::SendWithin),
        seed: 1,
        guard: "sent within 15 s",
        scenes: &["one"],
        sites: &[Site::ApiRead, Site::Login, Site::GraphCreate],
        kinds: &[(Site::ApiRead, SLOW), (Site::Login, SLOW), (Site::GraphCreate, REVOKED)],
    },
    Control {
        missing: Missing::Of(Guard::Nonce),
        seed: 1,
        guard: "nonce checked before the id is recorded",
        scenes: &["two operators"],
        sites: &[],
        kinds: &[],
    },
    Control {
        missing: Missing::Of(Guard::Somebodys),
        seed: 36,
        guard: "a 201 may be somebody's job",
        scenes: &["occupied", "twins"],
        sites: &[Site::Replica, Site::GraphRead],
        kinds: &[],
    },
    Control {
        missing: Missing::Of(Guard::Tombstones),
        seed: 1,
        guard: "tombstones",
        scenes: &["deletion", "succession"],
        sites: &[Site::Replica],
        kinds: &[],
    },
    Control {
        missing: Missing::Of(Guard::LateDelete),
        seed: 597,
        guard: "no DELETE outlives its SyncJob",
        scenes: &["deletion", "late deletion", "succession"],
        sites: &[Site::GraphDelete],
        kinds: &[],
    },
    Control {
        missing: Missing::Of(Guard::SeveralLooks),
        seed: 1547,
        guard: "several looks before letting go",
        scenes: &["late deletion", "namespace"],
        sites: &[Site::Replica],
        kinds: &[],
    },
    Control {
        missing: Missing::Of(Guard::Fence),
        seed: 2,
        guard: "fence",
        scenes: &["handover"],
        sites: &[],
        kinds: &[],
    },
    Control {
        missing: Missing::Of(Guard::RestartRecord),
        seed: 30,
        guard: "a restart is recorded before it is sent",
        scenes: &["restart asked for"],
        sites: &[],
        kinds: &[],
    },
    Control {
        missing: Missing::Of(Guard::AnswerKept),
        seed: 41,
        guard: "an answer is kept until it is written",
        scenes: &["restart asked for"],
        sites: &[Site::ApiWrite],
        kinds: &[],
    },
    Control {
        missing: Missing::Of(Guard::UnwrittenRetried),
        seed: 3107,
        guard: "what is not written is tried again",
        scenes: &["one", "edits"],
        sites: &[Site::ApiWrite],
        kinds: &[],
    },
    Control {
        missing: Missing::Of(Guard::Finalizer),
        seed: 98,
        guard: "finalizer before create",
        scenes: &["deletion", "edits"],
        sites: &[],
        kinds: &[],
    },
];

impl Control {
    fn drawn(&self, seed: u64) -> (Setup, Schedule) {
        let mut rng = fastrand::Rng::with_seed(!seed);
        let scene = match self.scenes {
            [] => &SCENES[rng.usize(..SCENES.len())],
            some => named(some[rng.usize(..some.len())]),
        };
        let setup =
            Setup { scene, world: WORLDS[rng.usize(..WORLDS.len())], settings: Settings::default(), blind: false };
        let schedule = match self.sites {
            [] => Schedule::seeded(seed),
            sites => {
                let per_mille = if self.kinds.is_empty() { [30, 100, 300][rng.usize(..3)] } else { 500 };
                let kinds = self.kinds.to_vec();
                Schedule::mixed(
                    seed,
                    Mix { sites: sites.to_vec(), kinds, ..Mix::everywhere(rng.u32(1..=6), per_mille) },
                )
            }
        };
        (setup, schedule)
    }

    fn worse(&self, setup: Setup) -> Setup {
        let settings = match self.missing {
            Missing::Of(guard) => Settings { without: Without::guard(guard), ..setup.settings },
            Missing::SettleWindow => Settings { settle_window: Duration::from_secs(1), ..setup.settings },
            Missing::CompareAndSwap => setup.settings,
        };
        Setup { settings, blind: matches!(self.missing, Missing::CompareAndSwap), ..setup }
    }

    /// The first schedule that notices, and the rules that are broken in it.
    fn caught(&self) -> Result<(u64, Vec<&'static str>), String> {
        let all = std::env::var("SEARCH_CONTROLS").is_ok_and(|which| which == "all");
        let (from, most) = if all { (1, SCHEDULES_ALL) } else { (self.seed, SCHEDULES) };
        for seed in from..from + most {
            let (setup, schedule) = self.drawn(seed);
            let rules = run(self.worse(setup), &schedule).rules();
            if rules.is_empty() {
                continue;
            }
            let (setup, schedule) = self.drawn(seed);
            let intact = run(setup, &schedule);
            return if intact.violations.is_empty() {
                Ok((seed, rules))
            } else {
                Err(described("with its guard in place", setup, &schedule, &intact))
            };
        }
        Err(format!("not within {most} schedules from seed {from}"))
    }
}

/// The schedule of a control, with its guard in place.
pub fn drawn(guard: &str, seed: u64) -> (Setup, Schedule) {
    CONTROLS.iter().find(|control| control.guard == guard).unwrap().drawn(seed)
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "without debug assertions no guard can be taken away")]
fn every_guard_that_is_taken_away_is_missed() {
    let only = std::env::var("SEARCH_CONTROL").unwrap_or_default();
    let all = std::env::var("SEARCH_CONTROLS").is_ok_and(|which| which == "all");
    let chosen: Vec<&Control> = CONTROLS
        .iter()
        .filter(|control| control.guard.contains(&only) && (all || !OPEN.contains(&control.guard)))
        .collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let missed = parking_lot::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(control) = chosen.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let began = Instant::now();
                    let caught = control.caught();
                    let seconds = began.elapsed().as_secs_f64();
                    match caught {
                        Ok((seed, rules)) => {
                            eprintln!("| {} | {seed} | {} | {seconds:.1} s", control.guard, rules.join(", "));
                        }
                        Err(why) => {
                            eprintln!("| {} | {why} | {seconds:.1} s", control.guard);
                            missed.lock().push(control.guard);
                        }
                    }
                }
            });
        }
    });
    assert!(missed.lock().is_empty(), "{:?}", missed.lock());
}
