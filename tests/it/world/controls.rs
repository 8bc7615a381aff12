//! The negative controls: each guard is taken away, and the search has to notice within a bounded number of schedules. The
//! same schedule finds nothing where the guard is in place.

use std::time::{Duration, Instant};

use entrain::plan::{Guard, Settings, Without};

use super::graph::{Duplicate, Ids, WORLDS};
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
    /// The settle window, in seconds. Where it is short, answers take longer than it, as those of a process do that was stopped.
    settle: u64,
    /// Where the search looks.
    part: Part,
}

/// A part of the search.
pub struct Part {
    /// The scenes.
    pub scenes: &'static [&'static str],
    /// The world of ids; all, if there is none.
    pub world: Option<(Ids, Duplicate)>,
    /// Where things go wrong; as the seed has it, if there are none.
    pub sites: &'static [Site],
    /// The only kinds of faults there.
    pub kinds: &'static [(Site, u32)],
}

pub const ANYWHERE: Part = Part { scenes: &[], world: None, sites: &[], kinds: &[] };

/// The kinds of faults by which an answer takes long, by which a request is carried out late, and by which a token is not
/// accepted.
const SLOW: u32 = 5;
pub const LATE: u32 = 8;
const REVOKED: u32 = 15;
/// A watch that shows everything late, so that a pass lists the rivals.
const LAGGING: u32 = 1;
/// The kind of lag by which no replica shows what was done.
const UNSEEN: u32 = 2;
/// No more schedules than this for one guard.
const SCHEDULES: u64 = 1000;

const ROW: Control = Control { missing: Missing::SettleWindow, guard: "", settle: 180, part: ANYWHERE };

const CONTROLS: [Control; 26] = [
    Control {
        missing: Missing::Of(Guard::FreshDelete),
        guard: "the object is read before its job is deleted",
        part: Part {
            scenes: &["two operators"],
            world: Some((Ids::ByApplication, Duplicate::Conflict)),
            sites: &[Site::ApiWatch],
            kinds: &[(Site::ApiWatch, 1)],
        },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::Intent),
        guard: "intent before create",
        part: Part { scenes: &["one"], ..ANYWHERE },
        ..ROW
    },
    Control {
        missing: Missing::CompareAndSwap,
        guard: "compare-and-swap",
        part: Part { scenes: &["two operators"], ..ANYWHERE },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::RivalsReread),
        guard: "rivals read as of the own intent",
        part: Part { scenes: &["twins", "two operators"], ..ANYWHERE },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::ListAfterRivals),
        guard: "list after rivals",
        part: Part { scenes: &["takeover by another operator"], sites: &[Site::Replica], ..ANYWHERE },
        ..ROW
    },
    Control {
        missing: Missing::SettleWindow,
        guard: "settle window",
        part: Part { scenes: &["one", "twins"], sites: &[Site::GraphCreate, Site::Replica], ..ANYWHERE },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::SendWithin),
        guard: "sent within 15 s",
        part: Part {
            scenes: &["one"],
            sites: &[Site::ApiWatch, Site::ApiRead, Site::Login, Site::GraphCreate],
            kinds: &[
                (Site::ApiWatch, LAGGING),
                (Site::ApiRead, SLOW),
                (Site::Login, SLOW),
                (Site::GraphCreate, REVOKED),
            ],
            ..ANYWHERE
        },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::Nonce),
        guard: "nonce checked before the id is recorded",
        settle: 5,
        part: Part {
            scenes: &["one for two operators"],
            world: Some((Ids::Random, Duplicate::Replace)),
            sites: &[Site::GraphCreate, Site::Replica],
            kinds: &[(Site::GraphCreate, SLOW), (Site::Replica, UNSEEN)],
        },
    },
    Control {
        missing: Missing::Of(Guard::Somebodys),
        guard: "a 201 may be somebody's job",
        part: Part { scenes: &["occupied", "twins"], sites: &[Site::Replica, Site::GraphRead], ..ANYWHERE },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::Tombstones),
        guard: "tombstones",
        part: Part { scenes: &["takeover"], sites: &[Site::Replica], kinds: &[(Site::Replica, UNSEEN)], ..ANYWHERE },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::LateDelete),
        guard: "no DELETE outlives its SyncJob",
        part: Part {
            scenes: &["successor"],
            sites: &[Site::GraphDelete],
            kinds: &[(Site::GraphDelete, LATE)],
            ..ANYWHERE
        },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::SeveralLooks),
        guard: "several looks before letting go",
        part: Part { scenes: &["late deletion"], sites: &[Site::Hidden], ..ANYWHERE },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::Fence),
        guard: "fence",
        part: Part { scenes: &["handover"], ..ANYWHERE },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::TenantFence),
        guard: "the grant of a tenant before each write",
        part: Part { scenes: &["fence by spec"], ..ANYWHERE },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::TenantFence),
        guard: "the labels of a namespace before each write",
        part: Part { scenes: &["fence by label"], ..ANYWHERE },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::RestartRecord),
        guard: "a restart is recorded before it is sent",
        part: Part { scenes: &["restart asked for"], ..ANYWHERE },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::AnswerKept),
        guard: "an answer is kept until it is written",
        part: Part { scenes: &["restart asked for"], sites: &[Site::ApiWrite], ..ANYWHERE },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::UnwrittenRetried),
        guard: "what is not written is tried again",
        part: Part { scenes: &["suspended"], sites: &[Site::ApiWrite], ..ANYWHERE },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::ForeignKeys),
        guard: "what cannot be read is not lost",
        part: Part { scenes: &["a key that cannot be read"], ..ANYWHERE },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::SavedAgain),
        guard: "credentials are saved once more after a lost answer",
        part: Part {
            scenes: &["credentials"],
            sites: &[Site::GraphAction],
            kinds: &[(Site::GraphAction, LATE)],
            ..ANYWHERE
        },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::RiskyMappings),
        guard: "what can deprovision people is confirmed",
        part: Part { scenes: &["a risky scope"], ..ANYWHERE },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::MemoryFirst),
        guard: "a schema is kept before it is saved",
        part: Part {
            scenes: &["mappings that are let go of", "mappings that are not declared any more"],
            sites: &[Site::GraphAction],
            ..ANYWHERE
        },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::TriedCounts),
        guard: "a save whose answer was lost counts as one",
        part: Part {
            scenes: &["mappings", "mappings that stay"],
            sites: &[Site::GraphAction],
            kinds: &[(Site::GraphAction, LATE)],
            ..ANYWHERE
        },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::SecondLook),
        guard: "a schema is saved as it was decided",
        part: Part {
            scenes: &["a risky scope between two reads", "mappings between two reads"],
            sites: &[Site::GraphRead],
            kinds: &[(Site::GraphRead, 1)],
            ..ANYWHERE
        },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::DriftRespected),
        guard: "what a person changed in a schema stays",
        part: Part { scenes: &["mappings and the portal"], ..ANYWHERE },
        ..ROW
    },
    Control {
        missing: Missing::Of(Guard::Finalizer),
        guard: "finalizer before create",
        part: Part { scenes: &["deletion"], ..ANYWHERE },
        ..ROW
    },
];

impl Part {
    /// What a seed stands for.
    pub fn drawn(&self, seed: u64) -> (Setup, Schedule) {
        let mut rng = fastrand::Rng::with_seed(!seed);
        let scene = match self.scenes {
            [] => &SCENES[rng.usize(..SCENES.len())],
            some => named(some[rng.usize(..some.len())]),
        };
        let world = WORLDS[rng.usize(..WORLDS.len())];
        let setup = Setup { scene, world: self.world.unwrap_or(world), settings: Settings::default(), blind: false };
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
}

impl Control {
    fn drawn(&self, seed: u64) -> (Setup, Schedule) {
        let (setup, schedule) = self.part.drawn(seed);
        let settings = Settings { settle_window: Duration::from_secs(self.settle), ..setup.settings };
        (Setup { settings, ..setup }, schedule)
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
        for seed in 1..=SCHEDULES {
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
        Err(format!("not within {SCHEDULES} schedules"))
    }
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "without debug assertions no guard can be taken away")]
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
