//! B8: what a fleet costs at which nothing happens.

use std::collections::BTreeSet;

use super::{fleet, float, sizes};
use crate::counts::ApiCounts;
use crate::fleet::Fleet;
use crate::graph::Asked;
use crate::options::Options;
use crate::page::{Figure, Outcome};
use crate::process::{self, progress};
use crate::stage::Stage;

/// The shortest that a SyncJob may name.
const POLL: u32 = 60;

struct Minute {
    api: ApiCounts,
    asked: Vec<Asked>,
    /// Parts of one core: operator, API server.
    cpu: [f64; 2],
}

pub async fn row(options: &Options) -> Outcome {
    let fleet = Fleet { poll_seconds: Some(POLL), ..fleet(options) };
    let (stage, mut operator, watch) = Stage::settled(fleet).await;
    drop(watch);
    progress("everything comes to rest", u64::from(POLL) + 10).await;
    let server = stage.plane_pid("kube-apiserver");
    let used = || [process::cpu(operator.pid()), process::cpu(server)];
    let (mut minutes, mut took) = (Vec::new(), Vec::new());
    while options.another(&took) {
        stage.graph.forget().await;
        let (before, began) = (stage.api().await, used());
        progress("at rest", u64::from(POLL)).await;
        let now = used();
        let cpu = [0, 1].map(|one| (now[one] - began[one]) / f64::from(POLL));
        minutes.push(Minute { api: stage.api().await.since(&before), asked: stage.graph.asked().await, cpu });
        took.push(f64::from(POLL));
    }
    let resident = process::resident(operator.pid());
    operator.lives();
    operator.stop().await;
    let of = |figure: &dyn Fn(&Minute) -> f64| minutes.iter().map(figure).collect::<Vec<_>>();
    let principals = float(fleet.principals());
    let listed = |minute: &Minute| {
        let lists = minute.asked.iter().filter(|call| call.operation == "listJobs");
        lists.map(|call| call.principal.as_str()).collect::<BTreeSet<_>>().len()
    };
    let default = 600.0 / f64::from(POLL);
    let figures = vec![
        Figure::new(
            "Graph requests for each service principal and poll",
            "",
            "≤ 1",
            of(&|minute| float(minute.asked.len()) / principals),
        ),
        Figure::new(
            "part of the service principals that was listed",
            "",
            "1",
            of(&|minute| float(listed(minute)) / principals),
        ),
        Figure::new(
            "writes to the API in a poll",
            "",
            "0",
            of(&|minute| minute.api.writes().map(|(_, count)| count).sum()),
        ),
        Figure::new("operator, part of a core", "%", "", of(&|minute| minute.cpu[0] * 100.0)),
        Figure::new(
            "the same at the default of 600 s, were it all for polls",
            "%",
            "≤ 0.5",
            of(&|minute| minute.cpu[0] * 100.0 / default),
        ),
        Figure::new("API server, part of a core", "%", "", of(&|minute| minute.cpu[1] * 100.0)),
        Figure::one("operator resident", "MiB", "", resident),
    ];
    let last = minutes.last().map(|minute| minute.api.shown(1)).unwrap_or_default();
    let note =
        format!("Poll interval {POLL} s, no leader election. Writes in the last poll, by verb and resource: {last}.");
    Outcome { row: "B8", sizes: sizes(fleet, minutes.len()), figures, notes: vec![note] }
}
