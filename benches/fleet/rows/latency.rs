//! B7: from an accepted edit until Graph is asked for what it wants, against when a bare watch shows it.

use std::collections::BTreeMap;

use serde_json::json;
use tokio::time::{Duration, MissedTickBehavior, interval, sleep};

use super::{fleet, float, quantile, sizes};
use crate::fleet::Fleet;
use crate::options::Options;
use crate::page::{Figure, Outcome};
use crate::process::{epoch, progress};
use crate::stage::Stage;
use crate::watch::Watch;

/// The shortest that a SyncJob may name.
const POLL: u32 = 60;
const EDITS_PER_SECOND: u64 = 10;
/// The tenant that is throttled in the third scene, and not edited in any.
const THROTTLED: usize = 0;

/// Milliseconds after the edit was accepted: the bare watch, and the call to Graph.
struct Scene {
    watch: Vec<f64>,
    call: Vec<f64>,
}

/// Pauses a SyncJob after the other; `turn` chooses others than the scenes before.
async fn scene(stage: &Stage, watch: &Watch, turn: usize, seconds: u64) -> Scene {
    stage.graph.forget().await;
    let mut tick = interval(Duration::from_millis(1000 / EDITS_PER_SECOND));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let fleet = stage.fleet;
    let free = |number: &usize| fleet.tenants == 1 || fleet.tenant_of(number / fleet.per_principal) != THROTTLED;
    let third = fleet.sync_jobs / 3;
    let numbers: Vec<usize> = (turn * third..(turn + 1) * third).filter(free).collect();
    let wanted = usize::try_from(EDITS_PER_SECOND * seconds).unwrap().min(numbers.len());
    let mut edited = BTreeMap::new();
    for place in 0..wanted {
        tick.tick().await;
        // Spread over the service principals, so that edits do not share what they look at.
        let number = numbers[place * (numbers.len() / wanted)];
        let generation = stage.edit(&Fleet::name(number), &json!({"state": "Paused"})).await;
        edited.insert(number, (generation, epoch()));
    }
    sleep(Duration::from_secs(3)).await;
    let asked = stage.graph.asked().await;
    let mut scene = Scene { watch: Vec::new(), call: Vec::new() };
    for (number, (generation, accepted)) in edited {
        let (principal, template) = fleet.place(number);
        let call = asked
            .iter()
            .find(|call| call.operation == "pauseJob" && call.principal == principal && call.path.contains(&template));
        let seen = watch.seen(&Fleet::name(number), generation);
        let millis = |at: Option<f64>| at.map_or(f64::INFINITY, |at| (at - accepted) * 1000.0);
        scene.watch.push(millis(seen));
        scene.call.push(millis(call.map(|call| call.at)));
    }
    scene
}

fn figures(name: &str, allowed: u32, scene: &Scene) -> [Figure; 4] {
    let one = |what: &str, goal: &str, value: f64| Figure::one(&format!("{name}: {what}"), "ms", goal, value);
    let (watch, call) = (quantile(&scene.watch, 0.99), quantile(&scene.call, 0.99));
    [
        one("bare watch, 99th percentile", "", watch),
        one("Graph is asked, median", "", quantile(&scene.call, 0.5)),
        one("Graph is asked, 99th percentile", "", call),
        one("the latter less the bare watch", &format!("≤ {allowed}"), call - watch),
    ]
}

pub async fn row(options: &Options) -> Outcome {
    let fleet = Fleet { poll_seconds: Some(POLL), ..fleet(options) };
    let (stage, mut operator, watch) = Stage::settled(fleet).await;
    let seconds = options.seconds.min(30);
    // Without polls: those of the next minute are still to come, and the operator forgets none.
    progress("everything comes to rest", 10).await;
    let rest = scene(&stage, &watch, 0, seconds.min(20)).await;
    eprintln!("  while polls are due");
    progress("polls become due", u64::from(POLL)).await;
    let polls = scene(&stage, &watch, 1, seconds).await;
    eprintln!("  while another tenant is throttled");
    let refused = json!({"respond": {"status": 429, "code": "TooManyRequests", "headers": {"retry-after": "2"}}});
    let fault = json!({"operation": "*", "tenantId": Fleet::tenant_id(THROTTLED), "action": refused});
    stage.graph.control.put_fault(&fault).await.unwrap();
    let throttled = scene(&stage, &watch, 2, seconds).await;
    operator.lives();
    operator.stop().await;
    let mut all = Vec::new();
    all.extend(figures("at rest", 10, &rest));
    all.extend(figures("polls due", 50, &polls));
    all.extend(figures("another tenant throttled", 50, &throttled));
    let count = rest.call.len() + polls.call.len() + throttled.call.len();
    let due = float(fleet.principals()) / f64::from(POLL);
    let note = format!(
        "{count} edits, {EDITS_PER_SECOND} a second; while polls are due, {due:.0} service principals are listed a second. The throttled tenant answers 429 with `Retry-After: 2`; the edits are in the others."
    );
    Outcome { row: "B7", sizes: sizes(fleet, 1), figures: all, notes: vec![note] }
}
