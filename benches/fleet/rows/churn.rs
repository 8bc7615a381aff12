//! B10: SyncJobs that come and go all the time.

use futures::StreamExt;
use tokio::time::{Duration, Instant, MissedTickBehavior, interval, sleep};

use super::{fleet, float, sizes};
use crate::fleet::Fleet;
use crate::options::Options;
use crate::page::{Figure, Outcome};
use crate::process;
use crate::stage::Stage;

/// How long each of them stays.
const STAYS_SECONDS: usize = 10;
/// How long the last may need to go.
const DRAIN: Duration = Duration::from_secs(400);
const PER_SECOND: usize = 200;
const CALLERS: usize = 32;

/// Makes and deletes at the wanted rate, or as fast as the API server takes it. Returns how long that took.
async fn come_and_go(stage: &Stage, count: usize) -> f64 {
    let began = Instant::now();
    let mut tick = interval(Duration::from_micros(1_000_000 / PER_SECOND as u64));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let stays = STAYS_SECONDS * PER_SECOND;
    let ticks = futures::stream::unfold(tick, |mut tick| async move {
        tick.tick().await;
        Some(((), tick))
    });
    let steps = ticks.enumerate().take(count + stays).map(|(number, ())| async move {
        if number % (10 * PER_SECOND) == 0 {
            eprintln!("  {number} of {} steps", count + stays);
        }
        if number < count {
            stage.create(std::iter::once(stage.fleet.newcomer(number))).await;
        }
        if number >= stays {
            stage.delete(&Fleet::newcomer_name(number - stays)).await;
        }
    });
    steps.buffer_unordered(CALLERS).for_each(async |()| {}).await;
    began.elapsed().as_secs_f64()
}

pub async fn row(options: &Options) -> Outcome {
    let fleet = fleet(&Options { sync_jobs: options.sync_jobs.min(1000), ..options.clone() });
    let (stage, mut operator, mut watch) = Stage::settled(fleet).await;
    sleep(Duration::from_secs(5)).await;
    let before = process::resident(operator.pid());
    let count = usize::try_from(options.seconds).unwrap() * PER_SECOND;
    stage.graph.forget().await;
    let took = come_and_go(&stage, count).await;
    let ended = Instant::now();
    let all = fleet.sync_jobs;
    while watch.now().known > all && ended.elapsed() < DRAIN {
        operator.lives();
        sleep(Duration::from_millis(200)).await;
        if ended.elapsed().as_millis() % 10_000 < 200 {
            eprintln!("  {} are still there", watch.now().known - all);
        }
    }
    let drained = ended.elapsed().as_secs_f64();
    let left = watch.now().known - all;
    let peak = process::peak(operator.pid());
    sleep(Duration::from_secs(8)).await;
    let after = process::resident(operator.pid());
    let done = async |operation: &str| float(stage.graph.control.effects(operation).await.unwrap().len());
    let (made, deleted) = (done("createJob").await, done("deleteJob").await);
    watch.until("the fleet is as it was", &mut operator, |counts| counts.known >= all).await;
    let reported = operator.metric("entrain_jobs_left_behind_total", "").await;
    operator.stop().await;
    let one = Figure::one;
    let figures = vec![
        one("SyncJobs made and deleted in a second", "", "200", float(count) / (took - float(STAYS_SECONDS)).max(1.0)),
        one("jobs made", "", "", made),
        one("jobs left in Graph", "", "0", made - deleted),
        one("of which the operator has reported", "", "", reported),
        one("SyncJobs left", "", "0", float(left)),
        one("from the last deletion until the last is gone", "s", "", drained),
        one("operator resident before", "MiB", "", before),
        one("operator resident at most", "MiB", "", peak),
        one("operator resident after", "MiB", "as before", after),
    ];
    let note = format!(
        "{count} SyncJobs were created in addition to the fleet, and each was deleted after {STAYS_SECONDS} s. Those that got no job were deleted before their turn came."
    );
    Outcome { row: "B10", sizes: sizes(fleet, 1), figures, notes: vec![note] }
}
