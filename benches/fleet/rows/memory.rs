//! B4: what the operator holds, for each SyncJob and at most.

use futures::StreamExt;
use serde_json::json;
use tokio::time::{Duration, Instant, sleep};

use super::{fleet, float, sizes};
use crate::fleet::Fleet;
use crate::options::Options;
use crate::page::{Figure, Outcome};
use crate::process::{self, Operator};
use crate::proxy::Proxy;
use crate::stage::Stage;

/// What is left over of work is given back to the system within this time, or not at all.
const CALM: Duration = Duration::from_secs(8);
/// So many failed watches in a row that the list is read again, with the pauses in between.
const CUT_OFF: Duration = Duration::from_secs(50);
const EDITORS: usize = 16;

async fn calm(operator: &Operator) -> f64 {
    sleep(CALM).await;
    process::resident(operator.pid())
}

/// Waits until every tenant has a login.
async fn tenants(stage: &Stage, operator: &Operator) {
    sleep(Duration::from_secs(1)).await;
    let deadline = Instant::now() + Duration::from_secs(60);
    while operator.metric("entrain_tenant_ready", "").await < float(stage.fleet.tenants) {
        assert!(Instant::now() < deadline, "tenants without a login\n{}", operator.log_tail());
        sleep(Duration::from_millis(200)).await;
    }
}

/// Edits every SyncJob once.
async fn churn(stage: &Stage, seconds: u32) {
    let spec = json!({"pollIntervalSeconds": seconds});
    futures::stream::iter(0..stage.fleet.sync_jobs)
        .map(|number| {
            let spec = &spec;
            async move { stage.edit(&Fleet::name(number), spec).await }
        })
        .buffer_unordered(EDITORS)
        .for_each(async |_| {})
        .await;
}

/// The first process: empty, and after the fleet was made under it.
async fn first(stage: &Stage) -> [f64; 3] {
    let mut operator = stage.start_operator();
    tenants(stage, &operator).await;
    let base = calm(&operator).await;
    let (mut watch, all) = (stage.watch(), stage.fleet.sync_jobs);
    stage.apply().await;
    watch.until("the fleet settles", &mut operator, |counts| counts.ready == all).await;
    let made = calm(&operator).await;
    let peak = process::peak(operator.pid());
    operator.stop().await;
    [base, made, peak]
}

pub async fn row(options: &Options) -> Outcome {
    let fleet = fleet(options);
    let stage = Stage::start(fleet).await;
    let server = stage.plane_pid("kube-apiserver");
    let server_before = process::resident(server);
    let [base, made, made_peak] = first(&stage).await;
    let objects = stage.list().await;
    let bytes = float(objects.iter().map(|object| object.to_string().len()).sum()) / float(objects.len());
    drop(objects);

    let proxy = Proxy::start(&stage.plane.ready().server).await;
    let mut operator = stage.start_operator_at(&proxy.server);
    let rest = calm(&operator).await;
    let rest_peak = process::peak(operator.pid());
    let (mut watch, all) = (stage.watch(), fleet.sync_jobs);
    for seconds in [601, 602, 603] {
        eprintln!("  every SyncJob is edited");
        churn(&stage, seconds).await;
        watch.until("edits are taken up", &mut operator, |counts| counts.ready == all).await;
    }
    let churned = calm(&operator).await;
    process::forget_peak(operator.pid());
    let lists = stage.api().await;
    eprintln!("  the API server is gone for {} s", CUT_OFF.as_secs());
    proxy.shut();
    sleep(CUT_OFF).await;
    proxy.open();
    process::progress("the list is read again", 40).await;
    let lists = stage.api().await.since(&lists).of("LIST syncjobs");
    let relisted = process::resident(operator.pid());
    let relist_peak = process::peak(operator.pid());
    let server_after = process::resident(server);
    operator.stop().await;

    let each = |mebibytes: f64| mebibytes * 1024.0 / float(fleet.sync_jobs);
    let one = Figure::one;
    let figures = vec![
        one("operator without SyncJobs", "MiB", "≤ 20", base),
        one("after it made the fleet", "MiB", "", made),
        one("the same, for each SyncJob", "KiB", "", each(made - base)),
        one("at most, while it made the fleet", "MiB", "", made_peak),
        one("after a restart", "MiB", "", rest),
        one("the same, for each SyncJob", "KiB", "≤ 2", each(rest - base)),
        one("at most, at the initial list ÷ after it", "", "≤ 1.3", rest_peak / rest),
        one("after three edits of every SyncJob", "MiB", "", churned),
        one("after a forced list ÷ before", "", "", relisted / churned),
        one("at most, at the forced list ÷ before", "", "≤ 1.3", relist_peak / churned),
        one("pages of SyncJobs read for it", "", "", lists),
        one("JSON of one SyncJob, field managers included", "kB", "≤ 6", bytes / 1000.0),
        one("API server, for each SyncJob", "KiB", "", each(server_after - server_before)),
    ];
    Outcome { row: "B4", sizes: sizes(fleet, 1), figures, notes: Vec::new() }
}
