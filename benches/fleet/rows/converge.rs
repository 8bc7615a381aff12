//! B1 and B2: from the start of the operator, with the SyncJobs there already, until all of them are ready.

use std::collections::BTreeSet;

use tokio::time::{Duration, sleep};

use super::{fleet, float, sizes};
use crate::bare::{Ceiling, Script};
use crate::counts::ApiCounts;
use crate::fleet::Fleet;
use crate::options::Options;
use crate::page::{Figure, Outcome};
use crate::process;
use crate::stage::Stage;

/// What the page of the crossplane provider's sizing says for 500 jobs: seconds, requests a job, MiB.
const PEER: (f64, f64, f64) = (200.0, 41.0, 600.0);
/// The flags `--concurrency` and `--graph-in-flight-max` as they are by default.
const WORKERS: f64 = 16.0;
/// Events and last reports come a moment after the condition.
const AFTERMATH: Duration = Duration::from_secs(3);

struct Run {
    seconds: f64,
    /// Until the first job was made, and the last.
    first: f64,
    last: f64,
    api: ApiCounts,
    requests: f64,
    changes: f64,
    /// Lists of jobs, and in how many service principals.
    lists: f64,
    principals: f64,
    templates: f64,
    doubled: f64,
    resident: f64,
    peak: f64,
    /// Seconds of processor time: operator, API server, simulator.
    cpu: [f64; 3],
    ceiling: Option<Ceiling>,
}

async fn converge(fleet: Fleet, slow: Option<(u64, u64)>, bare: bool) -> Run {
    let stage = Stage::start(fleet).await;
    stage.apply().await;
    if let Some((millis, jitter)) = slow {
        stage.graph.slow(millis, jitter).await;
    }
    let mut watch = stage.watch();
    let (api, server) = (stage.api().await, stage.plane_pid("kube-apiserver"));
    let before = [process::cpu(server), process::cpu(stage.graph.pid())];
    let mut operator = stage.start_operator();
    let (began, started, all) = (operator.started, process::epoch(), fleet.sync_jobs);
    let ready = watch.until("converging", &mut operator, |counts| counts.ready == all).await;
    let cpu =
        [process::cpu(operator.pid()), process::cpu(server) - before[0], process::cpu(stage.graph.pid()) - before[1]];
    sleep(AFTERMATH).await;
    let api = stage.api().await.since(&api);
    let asked = stage.graph.asked().await;
    let count = |operation: &str| float(asked.iter().filter(|call| call.operation == operation).count());
    let made = asked.iter().filter(|call| call.operation == "createJob").map(|call| call.at - started);
    let listed: BTreeSet<&str> =
        asked.iter().filter(|call| call.operation == "listJobs").map(|call| call.principal.as_str()).collect();
    let mut run = Run {
        seconds: (ready - began).as_secs_f64(),
        first: made.clone().fold(f64::INFINITY, f64::min),
        last: made.fold(0.0, f64::max),
        requests: float(asked.len()),
        changes: float(asked.iter().filter(|call| call.method != "GET").count()),
        lists: count("listJobs"),
        principals: float(listed.len()),
        templates: count("listTemplates"),
        doubled: float(stage.graph.doubled().await),
        resident: process::resident(operator.pid()),
        peak: process::peak(operator.pid()),
        cpu,
        ceiling: None,
        api,
    };
    eprintln!("  {} SyncJobs ready in {:.1} s", fleet.sync_jobs, run.seconds);
    operator.stop().await;
    if bare {
        let script = Script::of(&stage, &run.api, &asked, stage.list().await).await;
        drop((watch, stage));
        run.ceiling = Some(script.play(slow).await);
    }
    run
}

async fn repeat(options: &Options, fleet: Fleet, slow: Option<(u64, u64)>, bare: bool) -> Vec<Run> {
    let (mut runs, mut took) = (Vec::new(), Vec::new());
    while options.another(&took) {
        let run = converge(fleet, slow, bare).await;
        took.push(run.seconds);
        runs.push(run);
    }
    runs
}

fn of(runs: &[Run], figure: impl Fn(&Run) -> f64) -> Vec<f64> {
    runs.iter().map(figure).collect()
}

fn ratio(runs: &[Run]) -> Vec<f64> {
    of(runs, |run| run.seconds / run.ceiling.map_or(f64::NAN, |ceiling| ceiling.seconds))
}

/// What repeats and latencies have in common.
fn figures(fleet: Fleet, runs: &[Run], what: &str, goals: [&str; 2]) -> Vec<Figure> {
    let each = |count: f64| count / float(fleet.sync_jobs);
    let name = |figure: &str| format!("{what}: {figure}");
    vec![
        Figure::new(&name("until all are Ready"), "s", goals[0], of(runs, |run| run.seconds)),
        Figure::new(&name("until Graph is asked for the first job"), "s", "", of(runs, |run| run.first)),
        Figure::new(&name("and for the last"), "s", "", of(runs, |run| run.last)),
        Figure::new(
            &name("bare client that makes the same calls"),
            "s",
            "",
            of(runs, |run| run.ceiling.map_or(f64::NAN, |ceiling| ceiling.seconds)),
        ),
        Figure::new(
            &name("SyncJobs that it works on at the same time, the best of 4, 16 and 64"),
            "",
            "",
            of(runs, |run| run.ceiling.map_or(f64::NAN, |ceiling| float(ceiling.concurrency))),
        ),
        Figure::new(&name("ratio to it"), "", goals[1], ratio(runs)),
        Figure::new(&name("writes to each SyncJob"), "", "≤ 4", of(runs, |run| each(run.api.sync_job_writes()))),
        Figure::new(
            &name("lists of rivals for each SyncJob"),
            "",
            "0",
            of(runs, |run| each(run.api.of("LIST syncjobs"))),
        ),
        Figure::new(&name("Graph requests for each SyncJob"), "", "≤ 4", of(runs, |run| each(run.requests))),
        Figure::new(&name("of which change something"), "", "2", of(runs, |run| each(run.changes))),
        Figure::new(
            &name("lists of jobs for each service principal"),
            "",
            "1",
            of(runs, |run| run.lists / run.principals),
        ),
        Figure::new(
            &name("lists of templates for each service principal"),
            "",
            "",
            of(runs, |run| run.templates / run.principals),
        ),
        Figure::new(&name("jobs made twice"), "", "0", of(runs, |run| run.doubled)),
    ]
}

fn costs(fleet: Fleet, runs: &[Run], what: &str) -> Vec<Figure> {
    let millis = |seconds: f64| seconds * 1000.0 / float(fleet.sync_jobs);
    let name = |figure: &str| format!("{what}: {figure}");
    vec![
        Figure::new(&name("operator, processor time for each SyncJob"), "ms", "", of(runs, |run| millis(run.cpu[0]))),
        Figure::new(&name("API server, the same"), "ms", "", of(runs, |run| millis(run.cpu[1]))),
        Figure::new(
            &name("API server under the bare client, the same"),
            "ms",
            "",
            of(runs, |run| millis(run.ceiling.map_or(f64::NAN, |ceiling| ceiling.server))),
        ),
        Figure::new(&name("simulator, the same"), "ms", "", of(runs, |run| millis(run.cpu[2]))),
        Figure::new(&name("operator resident at the end"), "MiB", "", of(runs, |run| run.resident)),
        Figure::new(&name("operator resident at most"), "MiB", "", of(runs, |run| run.peak)),
    ]
}

fn writes(fleet: Fleet, runs: &[Run]) -> String {
    let last = runs.last().map(|run| run.api.shown(fleet.sync_jobs)).unwrap_or_default();
    format!("API writes for each SyncJob, by verb and resource: {last}.")
}

pub async fn many(options: &Options) -> Outcome {
    let fleet = fleet(options);
    let quick = repeat(options, fleet, None, true).await;
    eprintln!("  and with a Graph that takes 150 ± 50 ms");
    let slow = repeat(options, fleet, Some((150, 50)), true).await;
    let mut all = figures(fleet, &quick, "0 ms", ["", "≤ 1.1"]);
    all.extend(costs(fleet, &quick, "0 ms"));
    all.extend(figures(fleet, &slow, "150 ± 50 ms", ["", ""]));
    let limit = of(&slow, |run| run.seconds / (run.requests * 0.15 / WORKERS));
    all.push(Figure::new("150 ± 50 ms: ratio to calls × latency ÷ 16 workers", "", "≤ 1.3", limit));
    all.extend(costs(fleet, &slow, "150 ± 50 ms"));
    let sizes = sizes(fleet, quick.len());
    Outcome { row: "B1", sizes, figures: all, notes: vec![writes(fleet, &quick)] }
}

pub async fn few(options: &Options) -> Outcome {
    let mut fleet = fleet(&Options { sync_jobs: options.sync_jobs.min(500), ..options.clone() });
    let runs = repeat(options, fleet, None, true).await;
    let (seconds, requests, memory) = PEER;
    let mut all = figures(fleet, &runs, "many tenants", ["≤ 4 s at 500", ""]);
    all.extend(costs(fleet, &runs, "many tenants"));
    let count = float(fleet.sync_jobs);
    all.push(Figure::new("peer's time ÷ ours", "", "", of(&runs, |run| seconds * count / 500.0 / run.seconds)));
    all.push(Figure::new("peer's requests ÷ ours", "", "", of(&runs, |run| requests * count / run.requests)));
    all.push(Figure::new("peer's memory ÷ ours, at most", "", "≥ 15", of(&runs, |run| memory / run.peak)));
    let note = writes(fleet, &runs);
    let repeats = runs.len();
    fleet.tenants = 1;
    eprintln!("  and in one tenant");
    let one = converge(fleet, None, false).await;
    all.push(Figure::one("one tenant: until all are Ready", "s", "", one.seconds));
    let least = (one.changes - 30.0).max(0.0) / 20.0;
    all.push(Figure::one("one tenant: writes ÷ 20 a second, which Graph documents", "s", "", least));
    fleet.tenants = options.tenants.min(fleet.principals());
    Outcome { row: "B2", sizes: sizes(fleet, repeats), figures: all, notes: vec![note] }
}
