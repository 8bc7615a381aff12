//! The two clients' words in the plan's words.

use tokio::time::Instant;

use crate::cluster;
use crate::graph;
use crate::plan::{ObservedJob, Trouble, TroubleKind};

pub(super) fn observed(job: graph::Job) -> ObservedJob {
    let (code, status_interval) = (job.status.and_then(|status| status.code), job.schedule);
    let (state, interval) = status_interval.map_or((None, None), |schedule| (schedule.state, schedule.interval));
    ObservedJob { id: job.id, template_id: job.template_id, code, schedule_state: state, interval }
}

pub(super) fn graph_trouble(error: &graph::Error) -> Trouble {
    use graph::Kind;
    let kind = match error.kind {
        Kind::Throttled => TroubleKind::Throttled,
        Kind::Unavailable | Kind::Network | Kind::Malformed | Kind::Refused => TroubleKind::GraphUnavailable,
        Kind::TokenRejected => TroubleKind::TokenRejected,
        Kind::Unauthorized => TroubleKind::Unauthorized,
        Kind::Forbidden => TroubleKind::Forbidden,
        Kind::NotFound => TroubleKind::NotFound,
        Kind::Conflict => TroubleKind::Conflict,
        Kind::Rejected => TroubleKind::Rejected,
        Kind::LoginRefused { .. } => TroubleKind::LoginRefused,
        Kind::LoginUnavailable => TroubleKind::LoginUnavailable,
    };
    let retry_after = error.retry_at.map(|at| at.saturating_duration_since(Instant::now()));
    Trouble { kind, detail: error.to_string(), retry_after }
}

pub(super) fn cluster_trouble(error: &cluster::Error, doing: &str) -> Trouble {
    let kind = match error {
        cluster::Error::Changed | cluster::Error::Gone => TroubleKind::ObjectChanged,
        cluster::Error::Unavailable(_) => TroubleKind::ClusterUnavailable,
    };
    Trouble { kind, detail: format!("While {doing}: {error}."), retry_after: None }
}
