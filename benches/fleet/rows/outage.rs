//! B11: the API server is gone for a while, and comes back.

use serde_json::json;
use tokio::time::{Duration, Instant, sleep};

use super::{fleet, sizes};
use crate::fleet::Fleet;
use crate::options::Options;
use crate::page::{Figure, Outcome};
use crate::process::{self, Operator, progress};
use crate::proxy::Proxy;
use crate::stage::Stage;

/// Below this part of a core for so many looks in a row, the operator is quiet.
const QUIET: f64 = 0.05;
const LOOKS: usize = 10;
const LOOK: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(180);

/// Seconds from then until the quiet began.
async fn until_quiet(operator: &Operator, since: Instant) -> f64 {
    let (began, mut before, mut quiet) = (Instant::now(), process::cpu(operator.pid()), 0);
    while quiet < LOOKS && began.elapsed() < PATIENCE {
        sleep(LOOK).await;
        let now = process::cpu(operator.pid());
        quiet = if (now - before) / LOOK.as_secs_f64() < QUIET { quiet + 1 } else { 0 };
        before = now;
    }
    since.elapsed().saturating_sub(LOOK * u32::try_from(quiet).unwrap()).as_secs_f64()
}

/// Edits one SyncJob and waits until it is ready again: the operator sees changes.
async fn reaction(stage: &Stage) -> f64 {
    let began = Instant::now();
    let name = Fleet::name(0);
    let generation = stage.edit(&name, &json!({"pollIntervalSeconds": 603})).await;
    while began.elapsed() < PATIENCE {
        let path = format!("{}/{name}", crate::stage::sync_jobs());
        if stage.admin.get(&path).await.unwrap().1["status"]["observedGeneration"] == generation {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    began.elapsed().as_secs_f64()
}

pub async fn row(options: &Options) -> Outcome {
    let fleet = fleet(options);
    let (stage, operator, watch) = Stage::settled(fleet).await;
    drop(watch);
    operator.stop().await;
    let proxy = Proxy::start(&stage.plane.ready().server).await;
    let mut operator = stage.start_operator_at(&proxy.server);
    let began = Instant::now();
    let list = stage.list().await;
    let bare = began.elapsed().as_secs_f64();
    drop(list);
    until_quiet(&operator, began).await;
    process::forget_peak(operator.pid());
    let rest = process::resident(operator.pid());
    let before = stage.api().await;
    let used = process::cpu(operator.pid());
    proxy.shut();
    progress("the API server is gone", options.seconds).await;
    let meanwhile = (process::cpu(operator.pid()) - used) / f64::from(u32::try_from(options.seconds).unwrap());
    proxy.open();
    let back = Instant::now();
    // Before it has connected again it is quiet as well, so that the reaction comes first.
    let reacted = reaction(&stage).await;
    let quiet = until_quiet(&operator, back).await;
    let api = stage.api().await.since(&before);
    operator.lives();
    let peak = process::peak(operator.pid());
    operator.stop().await;
    let one = Figure::one;
    let figures = vec![
        one("operator while the API server is gone, part of a core", "%", "", meanwhile * 100.0),
        one("from its return until the operator takes up an edit", "s", "", reacted),
        one("from its return until the operator is quiet", "s", "", quiet),
        one("a bare list of the fleet", "s", "", bare),
        one("pages of SyncJobs read", "", "≤ 3 lists", api.of("LIST syncjobs")),
        one("writes to SyncJobs, the edit included", "", "2", api.sync_job_writes()),
        one("operator resident before", "MiB", "", rest),
        one("operator resident at most", "MiB", "", peak),
    ];
    let note = format!("Gone for {} s: connections end, and new ones are refused.", options.seconds);
    Outcome { row: "B11", sizes: sizes(fleet, 1), figures, notes: vec![note] }
}
