//! The negative controls: each guard is taken away, and the search has to notice within a bounded number of schedules. The
//! same schedule finds nothing where the guard is in place.

use std::time::{Duration, Instant};

use entrain::plan::{Guard, Settings, Without};

use super::graph::WORLDS;
use super::run::{Setup, run};
use super::scene::{SCENES, named};
use super::schedule::{Mix, Schedule, Site};

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
}

/// No more schedules than this.
const SCHEDULES: u64 = 6000;

const CONTROLS: [Control; 16] = [
    Control { missing: Missing::Of(Guard::Intent), guard: "intent before create", scenes: &["one"], sites: &[] },
    Control { missing: Missing::CompareAndSwap, guard: "compare-and-swap", scenes: &["two operators"], sites: &[] },
    Control {
        missing: Missing::Of(Guard::RivalsReread),
        guard: "rivals read uncached",
        scenes: &["twins", "two operators"],
        sites: &[],
    },
    Control {
        missing: Missing::Of(Guard::ListAfterRivals),
        guard: "list after rivals",
        scenes: &["adoption", "succession", "two operators"],
        sites: &[],
    },
    Control {
        missing: Missing::SettleWindow,
        guard: "settle window",
        scenes: &["one", "twins"],
        sites: &[Site::GraphCreate, Site::Replica],
    },
    Control {
        missing: Missing::Of(Guard::SendWithin),
        guard: "sent within 15 s",
        scenes: &["one"],
        sites: &[Site::ApiRead, Site::Login, Site::Actor],
    },
    Control {
        missing: Missing::Of(Guard::Nonce),
        guard: "nonce checked before the id is recorded",
        scenes: &["status removed", "two operators", "twins"],
        sites: &[],
    },
    Control {
        missing: Missing::Of(Guard::Somebodys),
        guard: "a 201 may be somebody's job",
        scenes: &["occupied", "twins"],
        sites: &[Site::Replica, Site::GraphRead],
    },
    Control {
        missing: Missing::Of(Guard::Tombstones),
        guard: "tombstones",
        scenes: &["deletion", "succession"],
        sites: &[Site::Replica],
    },
    Control {
        missing: Missing::Of(Guard::LateDelete),
        guard: "no DELETE outlives its SyncJob",
        scenes: &["deletion", "late deletion", "succession"],
        sites: &[Site::GraphDelete],
    },
    Control {
        missing: Missing::Of(Guard::SeveralLooks),
        guard: "several looks before letting go",
        scenes: &["late deletion", "namespace"],
        sites: &[Site::Replica],
    },
    Control { missing: Missing::Of(Guard::Fence), guard: "fence", scenes: &["handover"], sites: &[] },
    Control {
        missing: Missing::Of(Guard::RestartRecord),
        guard: "a restart is recorded before it is sent",
        scenes: &["restart asked for"],
        sites: &[],
    },
    Control {
        missing: Missing::Of(Guard::AnswerKept),
        guard: "an answer is kept until it is written",
        scenes: &["restart asked for"],
        sites: &[Site::ApiWrite],
    },
    Control {
        missing: Missing::Of(Guard::UnwrittenRetried),
        guard: "what is not written is tried again",
        scenes: &["one", "edits"],
        sites: &[Site::ApiWrite],
    },
    Control {
        missing: Missing::Of(Guard::Finalizer),
        guard: "finalizer before create",
        scenes: &["deletion", "edits"],
        sites: &[],
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
                let per_mille = [30, 100, 300][rng.usize(..3)];
                Schedule::mixed(seed, Mix { sites: sites.to_vec(), ..Mix::everywhere(rng.u32(1..=6), per_mille) })
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
    fn caught(&self, most: u64) -> Option<(u64, Vec<&'static str>)> {
        (1..=most).find_map(|seed| {
            let (setup, schedule) = self.drawn(seed);
            let rules = run(self.worse(setup), &schedule).rules();
            (!rules.is_empty()).then_some((seed, rules))
        })
    }
}

#[test]
fn every_guard_that_is_taken_away_is_missed() {
    let only = std::env::var("SEARCH_CONTROL").unwrap_or_default();
    let chosen: Vec<&Control> = CONTROLS.iter().filter(|control| control.guard.contains(&only)).collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let missed = parking_lot::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(control) = chosen.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let began = Instant::now();
                    let caught = control.caught(SCHEDULES);
                    let seconds = began.elapsed().as_secs_f64();
                    match caught {
                        Some((seed, rules)) => {
                            eprintln!("| {} | {seed} | {} | {seconds:.1} s", control.guard, rules.join(", "));
                            let (setup, schedule) = control.drawn(seed);
                            let intact = run(setup, &schedule);
                            if !intact.violations.is_empty() {
                                missed.lock().push(format!("{} breaks {:?} as it is", control.guard, intact.rules()));
                            }
                        }
                        None => {
                            eprintln!("| {} | not in {SCHEDULES} | {seconds:.1} s", control.guard);
                            missed.lock().push(control.guard.to_owned());
                        }
                    }
                }
            });
        }
    });
    assert!(missed.lock().is_empty(), "{:?}", missed.lock());
}
