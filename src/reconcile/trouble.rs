//! The failures of the two clients in the plan's words.

use tokio::time::Instant;

use crate::cluster;
use crate::graph;
use crate::plan::{Trouble, TroubleKind};

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
        Kind::LoginRefused => TroubleKind::LoginRefused,
        Kind::LoginUnavailable => TroubleKind::LoginUnavailable,
        Kind::Withheld => TroubleKind::ObjectChanged,
        Kind::Busy => TroubleKind::Busy,
    };
    let retry_after = error.retry_at.map(|at| at.saturating_duration_since(Instant::now()));
    Trouble { kind, detail: error.to_string(), trace: error.trace(), retry_after }
}

pub(super) fn cluster_trouble(error: &cluster::Error, doing: &str) -> Trouble {
    let kind = match error {
        cluster::Error::Changed | cluster::Error::Gone => TroubleKind::ObjectChanged,
        cluster::Error::Refused(_) => TroubleKind::ClusterRefused,
        cluster::Error::Unavailable(_) => TroubleKind::ClusterUnavailable,
    };
    Trouble { kind, detail: format!("While {doing}: {error}."), trace: None, retry_after: None }
}
