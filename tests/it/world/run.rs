//! One run: a scene under a schedule, played to its end, judged, and summed up in two numbers.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use entrain::cluster::lease::MARGIN;
use entrain::plan::Settings;
use parking_lot::Mutex;
use tracing::{Dispatch, Level};
use tracing_subscriber::fmt::MakeWriter;

use super::By;
use super::api::{Api, Kind};
use super::clock::Clock;
use super::content;
use super::graph::{Duplicate, Graph, Ids};
use super::invariants::{Bounds, Evidence, Violation};
use super::mappings;
use super::operator::Ends;
use super::play::Play;
use super::requests;
use super::scene::Scene;
use super::schedule::Schedule;
use super::tenants;

/// Nothing was written for this long, which is longer than the longest wait between two looks: all is at rest.
const REST: Duration = Duration::from_secs(12 * 60);
const STEP: Duration = Duration::from_secs(60);
/// So much of it is judged.
pub const QUIET: Duration = Duration::from_secs(11 * 60);
/// Without a fault everything is served within this time; with faults a watch may be silent before it is rebuilt.
const SERVED: Duration = Duration::from_secs(20);
const SERVED_LATE: Duration = Duration::from_secs(11 * 60);

/// What is played.
#[derive(Clone, Copy)]
pub struct Setup {
    pub scene: &'static Scene,
    pub world: (Ids, Duplicate),
    pub settings: Settings,
    /// The API server does not compare before it swaps.
    pub blind: bool,
}

/// What came of a run.
pub struct Outcome {
    pub violations: Vec<Violation>,
    /// How many jobs were ever made.
    pub jobs: usize,
    /// What is there in the end.
    pub rest: u64,
    /// What happened on the way.
    pub path: u64,
    pub story: String,
}

impl Outcome {
    /// The rules that did not hold.
    pub fn rules(&self) -> Vec<&'static str> {
        let mut rules: Vec<&'static str> = self.violations.iter().map(|violation| violation.rule).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }
}

/// Plays a scene to its end. Nothing in it depends on anything but the setup and the schedule.
pub fn run(setup: Setup, schedule: &Schedule) -> Outcome {
    let (dispatch, log, level) = LOG.with(Clone::clone);
    let mut outcome = played(setup, schedule, &dispatch);
    let logged = log.take();
    if let Some(line) = logged.lines().find(|line| line.contains("ERROR")) {
        let what = line.to_owned();
        outcome.violations.push(Violation { rule: "log", at: Duration::ZERO, what });
    }
    if level > Level::ERROR {
        outcome.story.push_str(&logged);
    }
    outcome
}

/// The same, with everything that the product and its libraries log.
pub fn run_logged(setup: Setup, schedule: &Schedule) -> (Outcome, String) {
    let (dispatch, log) = Log::at(Level::TRACE);
    let outcome = played(setup, schedule, &dispatch);
    (outcome, log.take())
}

fn played(setup: Setup, schedule: &Schedule, dispatch: &Dispatch) -> Outcome {
    // The jitter of the product.
    fastrand::seed(7);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    tracing::dispatcher::with_default(dispatch, || runtime.block_on(play(setup, schedule)))
}

async fn play(setup: Setup, schedule: &Schedule) -> Outcome {
    let clock = Clock::start("2026-11-26T10:00:00Z".parse().unwrap());
    let ends =
        Ends { api: Api::new(clock, schedule.clone()), graph: Graph::new(clock, schedule.clone(), setup.world), clock };
    ends.api.store().blind = setup.blind;
    let mut play = Play::new(ends, schedule.clone(), setup.settings, setup.scene);
    (0..if setup.scene.split { 2 } else { 1 }).for_each(|place| play.begin(place));
    play.perform().await;
    play.calm_down().await;
    let violations = until_rest(&mut play).await;
    let (rest, path) = (rest(&play, setup), path(&play));
    let story = if violations.is_empty() { String::new() } else { play.story() };
    for place in 0..play.places.len() {
        play.kill(place).await;
    }
    let jobs = play.ends.graph.service().tenant.jobs.len();
    Outcome { violations, jobs, rest, path, story }
}

/// Waits until nothing happens any more, and judges everything. What does not hold yet has time until all must have
/// converged.
async fn until_rest(play: &mut Play) -> Vec<Violation> {
    let calm = play.now();
    let faulty = play.scene.slow || !play.schedule.faults().is_empty();
    let usual = Bounds::default();
    // Besides the job, its credentials are read at each poll, and tested as long as they do not pass.
    let requests_per_hour = usual.requests_per_hour * if play.scene.content || play.scene.mappings { 2 } else { 1 };
    let bounds = Bounds { serve: if faulty { SERVED_LATE } else { SERVED }, requests_per_hour, ..usual };
    loop {
        play.pass(play.now() + STEP).await;
        let (now, over) = (play.now(), play.now() >= calm + bounds.converge + 2 * REST);
        let quiet = now.checked_sub(last_write(play).max(calm)).unwrap();
        if quiet < REST && !over {
            continue;
        }
        let converge = if over { bounds.converge } else { Duration::ZERO };
        let violations = judged(play, Bounds { converge, ..bounds }, calm);
        if violations.is_empty() || over {
            return violations;
        }
    }
}

fn judged(play: &Play, bounds: Bounds, calm: Duration) -> Vec<Violation> {
    let evidence = Evidence::of(&play.ends.api, &play.ends.graph, bounds, calm);
    let mut found = evidence.at_rest();
    found.extend(evidence.silent(play.now().saturating_sub(QUIET)));
    behind_the_fence(play, &evidence, &mut found);
    requests::judge(play, &evidence, &mut found);
    if play.scene.tenants {
        tenants::judge(play, &evidence, &mut found);
    }
    if play.scene.content {
        content::judge(&play.ends.api, &play.ends.graph, &evidence, &mut found);
    }
    if play.scene.watches_secrets {
        content::rotations_are_noticed(play, &evidence, &mut found);
    }
    if play.scene.mappings {
        mappings::judge(play, &evidence, &mut found);
    }
    if play.places.iter().flatten().any(super::operator::Process::has_ended) {
        found.push(Violation { rule: "ended", at: play.now(), what: "the loop has ended".to_owned() });
    }
    found
}

/// No write to Graph leaves without a lease that lasts for a while.
fn behind_the_fence(play: &Play, evidence: &Evidence, found: &mut Vec<Violation>) {
    let running = play.places.iter().flatten();
    let leases = running.filter_map(|process| Some((process.number, process.lease.as_ref()?)));
    for (number, lease) in leases.chain(play.leases.iter().map(|(number, lease)| (*number, lease))) {
        let of = evidence.ledger.calls.iter().filter(|call| call.by == By::Operator(number) && call.operation.writes());
        for call in of {
            let known = lease.record.iter().rev().find(|(since, _)| *since <= call.at);
            let held = known.and_then(|(_, until)| *until);
            if held.is_none_or(|until| until <= call.at + MARGIN) {
                let what = format!("{:?} of {} by {number}, whose lease ends at {held:?}", call.operation, call.about);
                found.push(Violation { rule: "fence", at: call.at, what });
            }
        }
    }
}

/// When something was last written anywhere.
fn last_write(play: &Play) -> Duration {
    let of = |kind| {
        let store = play.ends.api.of(kind);
        store.requests.iter().rev().find(|request| request.verb.writes()).map(|request| request.at)
    };
    let written = of(Kind::SyncJob).max(of(Kind::EntraTenant)).max(of(Kind::ClusterEntraTenant));
    let service = play.ends.graph.service();
    let sent = service.tenant.ledger.calls.iter().rev().find(|call| call.operation.writes()).map(|call| call.at);
    written.max(sent).unwrap_or_default()
}

/// The world at rest: what people and other programs would see.
fn rest(play: &Play, setup: Setup) -> u64 {
    let (store, service) = (play.ends.api.store(), play.ends.graph.service());
    let mut hasher = DefaultHasher::new();
    (setup.scene.name, format!("{:?}", setup.world)).hash(&mut hasher);
    for object in store.objects.values() {
        let status = &object.value["status"];
        (&object.key, object.is_deleting(), status["jobOrigin"].as_str(), reason(&object.value)).hash(&mut hasher);
        (status["jobId"].is_string(), status["intent"].is_object()).hash(&mut hasher);
        status["lastHandledRestart"]["result"].as_str().hash(&mut hasher);
    }
    for job in &service.tenant.jobs {
        (&job.template, job.by.is_operator(), job.is_there(), job.now()).hash(&mut hasher);
    }
    if setup.scene.content {
        service.sets.now(0).hash(&mut hasher);
    }
    if setup.scene.mappings {
        let stored = (0..service.tenant.jobs.len()).filter_map(|job| service.schemas.now(job));
        stored.for_each(|stored| mappings::digest(&stored.schema).hash(&mut hasher));
    }
    hasher.finish()
}

/// The effects and the writes in their order.
fn path(play: &Play) -> u64 {
    let (store, service) = (play.ends.api.store(), play.ends.graph.service());
    let mut hasher = DefaultHasher::new();
    for effect in &service.tenant.ledger.effects {
        (effect.did, effect.by, effect.job).hash(&mut hasher);
    }
    for write in &store.history {
        let status = &write.after.value["status"];
        (&write.after.key, write.by, reason(&write.after.value), status["jobId"].is_string()).hash(&mut hasher);
        (status["intent"].is_object(), write.after.is_deleting()).hash(&mut hasher);
    }
    for stored in service.sets.versions(0) {
        (stored.by, &stored.set).hash(&mut hasher);
    }
    for stored in (0..service.tenant.jobs.len()).flat_map(|job| service.schemas.versions(job)) {
        (stored.by, mappings::digest(&stored.schema)).hash(&mut hasher);
    }
    for call in service.tenant.ledger.calls.iter().filter(|call| call.operation.writes()) {
        (call.operation, call.by, call.heard).hash(&mut hasher);
    }
    hasher.finish()
}

fn reason(object: &serde_json::Value) -> Option<&str> {
    let conditions = object["status"]["conditions"].as_array()?;
    conditions.iter().find(|condition| condition["type"] == "Ready")?["reason"].as_str()
}

/// What the product logs. An error in the log is a defect.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Collects what is logged, at the level that `SEARCH_LOG` names.
    fn collecting() -> (Dispatch, Self, Level) {
        let level = std::env::var("SEARCH_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(Level::ERROR);
        let (dispatch, log) = Self::at(level);
        (dispatch, log, level)
    }

    fn at(level: Level) -> (Dispatch, Self) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt().with_max_level(level).with_ansi(false).with_writer(log.clone());
        (Dispatch::new(subscriber.finish()), log)
    }

    /// What was logged since it was last asked for.
    fn take(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *self.0.lock())).into_owned()
    }
}

thread_local! {
    // A new subscriber makes every place that logs ask again whether it is wanted, so there is one for each thread.
    static LOG: (Dispatch, Log, Level) = Log::collecting();
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
