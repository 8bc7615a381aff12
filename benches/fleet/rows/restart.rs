//! B3: a restart of the operator over a fleet that is ready; and newcomers and edits while its polls are due.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::json;
use tokio::time::{Duration, MissedTickBehavior, interval, sleep};

use super::{fleet, float, quantile, sizes};
use crate::counts::ApiCounts;
use crate::fleet::Fleet;
use crate::graph::Asked;
use crate::options::Options;
use crate::page::{Figure, Outcome};
use crate::process::{self, epoch, progress};
use crate::stage::Stage;

/// The shortest that a SyncJob may name.
const POLL: u32 = 60;
const EDITS_PER_SECOND: u64 = 50;
const LOAD_SECONDS: u64 = 10;
const NEWCOMERS_PER_SECOND: u64 = 5;
/// In how many parts of the interval lists are counted.
const PARTS: usize = 12;

struct Restart {
    api: ApiCounts,
    changes: f64,
    lists: BTreeMap<String, usize>,
    /// The fullest part of the interval against an even spread.
    crowding: f64,
    cpu: f64,
    peak: f64,
}

async fn restart(stage: &Stage) -> Restart {
    stage.graph.forget().await;
    let before = stage.api().await;
    let began = epoch();
    let operator = stage.start_operator();
    progress("the restarted operator at work", u64::from(POLL) + 5).await;
    let api = stage.api().await.since(&before);
    let asked = stage.graph.asked().await;
    let mut lists = BTreeMap::<String, usize>::new();
    let mut parts = [0_usize; PARTS];
    for call in asked.iter().filter(|call| call.operation == "listJobs") {
        *lists.entry(call.principal.clone()).or_default() += 1;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a minute")]
        let part = ((call.at - began) / f64::from(POLL) * float(PARTS)) as usize;
        parts[part.min(PARTS - 1)] += 1;
    }
    let even = float(parts.iter().sum()) / float(PARTS);
    let outcome = Restart {
        api,
        changes: float(asked.iter().filter(|call| call.method != "GET").count()),
        crowding: float(parts.into_iter().max().unwrap_or_default()) / even,
        lists,
        cpu: process::cpu(operator.pid()),
        peak: process::peak(operator.pid()),
    };
    operator.stop().await;
    outcome
}

/// Newcomers and edits in the first poll interval after a restart: how long after its creation each newcomer reached Graph.
async fn load(stage: &Stage) -> (Vec<f64>, ApiCounts, Vec<Asked>) {
    stage.graph.forget().await;
    let before = stage.api().await;
    let operator = stage.start_operator();
    sleep(Duration::from_secs(3)).await;
    let edits = async {
        let mut tick = interval(Duration::from_millis(1000 / EDITS_PER_SECOND));
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut pending = Vec::new();
        for number in 0..usize::try_from(EDITS_PER_SECOND * LOAD_SECONDS).unwrap() {
            tick.tick().await;
            let (name, spec) =
                (Fleet::name(number * 7919 % stage.fleet.sync_jobs), json!({"pollIntervalSeconds": POLL + 1}));
            pending.push(async move { stage.edit(&name, &spec).await });
        }
        join_all(pending).await.len()
    };
    let newcomers = async {
        let mut tick = interval(Duration::from_millis(1000 / NEWCOMERS_PER_SECOND));
        let mut made = Vec::new();
        for number in 0..usize::try_from(NEWCOMERS_PER_SECOND * LOAD_SECONDS).unwrap() {
            tick.tick().await;
            let began = epoch();
            stage.create(std::iter::once(stage.fleet.newcomer(number))).await;
            made.push((Fleet::principal_id(stage.fleet.newcomer_principal(number)), began));
        }
        made
    };
    let (_, made) = tokio::join!(edits, newcomers);
    sleep(Duration::from_secs(5)).await;
    let (api, asked) = (stage.api().await.since(&before), stage.graph.asked().await);
    let reached = |(principal, began): &(String, f64)| {
        let call = asked.iter().find(|call| call.operation == "createJob" && call.principal == *principal);
        call.map_or(f64::INFINITY, |call| call.at - began)
    };
    let times = made.iter().map(reached).collect();
    operator.stop().await;
    (times, api, asked)
}

pub async fn row(options: &Options) -> Outcome {
    let fleet = Fleet { poll_seconds: Some(POLL), ..fleet(options) };
    let (stage, operator, watch) = Stage::settled(fleet).await;
    drop(watch);
    sleep(Duration::from_secs(5)).await;
    operator.stop().await;
    let (mut runs, mut took) = (Vec::new(), Vec::new());
    while options.another(&took) {
        runs.push(restart(&stage).await);
        took.push(f64::from(POLL));
    }
    eprintln!("  newcomers and edits after a restart");
    let (times, api, asked) = load(&stage).await;
    let of = |figure: &dyn Fn(&Restart) -> f64| runs.iter().map(figure).collect::<Vec<_>>();
    let principals = float(fleet.principals());
    let listed = |run: &Restart| float(run.lists.values().sum()) / principals;
    let edits = float(usize::try_from(EDITS_PER_SECOND * LOAD_SECONDS).unwrap());
    let writes = api.sync_job_writes() - edits - float(times.len());
    let figures = vec![
        Figure::new("writes to the API", "", "0", of(&|run| run.api.writes().map(|(_, count)| count).sum())),
        Figure::new("requests that change something in Graph", "", "0", of(&|run| run.changes)),
        Figure::new("lists of jobs for each service principal, in one poll", "", "≤ 1", of(&listed)),
        Figure::new(
            "most lists of one service principal",
            "",
            "",
            of(&|run| float(run.lists.values().copied().max().unwrap_or_default())),
        ),
        Figure::new("fullest twelfth of the interval ÷ an even spread", "", "", of(&|run| run.crowding)),
        Figure::new("processor time of the operator, start and one poll", "s", "", of(&|run| run.cpu)),
        Figure::new("operator resident at most", "MiB", "", of(&|run| run.peak)),
        Figure::one("newcomer: from its creation until Graph is asked, median", "s", "", quantile(&times, 0.5)),
        Figure::one("newcomer: the same, 99th percentile", "s", "≤ 1", quantile(&times, 0.99)),
        Figure::one("writes of the operator for each edit and newcomer", "", "", writes / (edits + float(times.len()))),
        Figure::one("Graph requests meanwhile", "", "", float(asked.len())),
    ];
    let note = format!(
        "Poll interval {POLL} s; {EDITS_PER_SECOND} edits and {NEWCOMERS_PER_SECOND} newcomers a second for {LOAD_SECONDS} s."
    );
    let wrote = runs.last().map(|run| run.api.shown(1)).unwrap_or_default();
    let wrote = format!("Writes after the last restart, by verb and resource: {wrote}.");
    Outcome { row: "B3", sizes: sizes(fleet, runs.len()), figures, notes: vec![note, wrote] }
}
