//! What went wrong, in words that neither client shares, and what people are told to do about it.

use std::time::Duration;

use crate::api::Reason;
use crate::plan::common::settings::Settings;
use crate::plan::common::standing::Standing;
use crate::plan::common::wake::Wake;

/// The kinds that lead to different conduct.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TroubleKind {
    /// 429, or a gate that an earlier 429 closed.
    Throttled,
    /// 5xx, timeouts, broken connections, answers that do not parse.
    GraphUnavailable,
    LoginUnavailable,
    /// The login service refused the credentials.
    LoginRefused,
    /// 401 for a token that had just been issued.
    TokenRejected,
    /// 401 without a reason, the way these endpoints tell that a permission or the ownership is missing.
    Unauthorized,
    /// 403.
    Forbidden,
    NotFound,
    Conflict,
    /// Any other 4xx.
    Rejected,
    /// As many requests to Graph as the operator allows itself were in flight for a long time; none was sent.
    Busy,
    /// The object changed under our hands.
    ObjectChanged,
    /// The Kubernetes API failed.
    ClusterUnavailable,
    /// The Kubernetes API refused: a right is missing, or a policy says no.
    ClusterRefused,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Trouble {
    pub kind: TroubleKind,
    /// What was done and what the other side said: its code and a capped message; safe to show, and the same for the
    /// same failure.
    pub detail: String,
    /// Request id and date of this one failure.
    pub trace: Option<String>,
    /// When the other side wants to be asked again.
    pub retry_after: Option<Duration>,
}

impl Trouble {
    /// The detail with its trace.
    pub fn told(&self) -> String {
        traced(&self.detail, self.trace.as_deref())
    }

    /// Whether Graph answered, so that what it was asked may have been carried out.
    pub(in crate::plan) fn may_have_been_answered(&self) -> bool {
        match self.kind {
            TroubleKind::GraphUnavailable | TroubleKind::Conflict | TroubleKind::Rejected => true,
            TroubleKind::Throttled
            | TroubleKind::LoginUnavailable
            | TroubleKind::LoginRefused
            | TroubleKind::TokenRejected
            | TroubleKind::Unauthorized
            | TroubleKind::Forbidden
            | TroubleKind::NotFound
            | TroubleKind::Busy
            | TroubleKind::ObjectChanged
            | TroubleKind::ClusterUnavailable
            | TroubleKind::ClusterRefused => false,
        }
    }

    pub(in crate::plan) fn reason(&self) -> Reason {
        match self.kind {
            TroubleKind::Throttled => Reason::Throttled,
            TroubleKind::GraphUnavailable => Reason::GraphUnavailable,
            TroubleKind::LoginUnavailable => Reason::LoginUnavailable,
            TroubleKind::LoginRefused => Reason::CredentialsRejected,
            TroubleKind::TokenRejected => Reason::TokenRejected,
            TroubleKind::Unauthorized | TroubleKind::Forbidden => Reason::PermissionMissing,
            TroubleKind::NotFound => Reason::ProvisioningNotReady,
            TroubleKind::Conflict | TroubleKind::Rejected => Reason::RequestRefused,
            TroubleKind::Busy | TroubleKind::ObjectChanged => Reason::Interrupted,
            TroubleKind::ClusterUnavailable | TroubleKind::ClusterRefused => Reason::ClusterUnavailable,
        }
    }

    /// Whether the trouble passes by itself, may do so, or needs a person.
    pub(in crate::plan) fn standing(&self) -> Standing {
        match self.kind {
            TroubleKind::Throttled
            | TroubleKind::GraphUnavailable
            | TroubleKind::LoginUnavailable
            | TroubleKind::Busy
            | TroubleKind::ObjectChanged
            | TroubleKind::ClusterUnavailable => Standing::Passing,
            TroubleKind::LoginRefused
            | TroubleKind::TokenRejected
            | TroubleKind::Unauthorized
            | TroubleKind::Forbidden
            | TroubleKind::NotFound
            | TroubleKind::Conflict
            | TroubleKind::Rejected
            | TroubleKind::ClusterRefused => Standing::Blocked,
        }
    }

    /// What a person can do about it.
    pub(in crate::plan) fn remedy(&self) -> &'static str {
        match self.kind {
            TroubleKind::Throttled => "Nothing to do: the request is repeated when Graph allows it.",
            TroubleKind::GraphUnavailable | TroubleKind::LoginUnavailable => {
                "Nothing to do if it passes: the request is repeated. If it lasts, check the network path of the operator."
            }
            TroubleKind::LoginRefused => {
                "Check the operator's tenant id, client id and client secret (or federated credential); it recovers by itself once Entra ID accepts them. A client secret is read when the operator starts: restart it after a change."
            }
            TroubleKind::TokenRejected => {
                "Graph does not accept the operator's tokens: check the cloud, the clock and conditional access policies."
            }
            TroubleKind::Unauthorized | TroubleKind::Forbidden => {
                "Grant the operator's application Synchronization.ReadWrite.All with admin consent, or Application.ReadWrite.OwnedBy and ownership of the service principal; it recovers by itself."
            }
            TroubleKind::NotFound => "Check that provisioning is available for this service principal.",
            TroubleKind::Conflict | TroubleKind::Rejected => "Look at what Graph said; the request is repeated slowly.",
            TroubleKind::Busy => {
                "Nothing to do if it passes: the operator's own limit of requests in flight was reached. If it lasts, raise `--graph-in-flight-max`."
            }
            TroubleKind::ObjectChanged => "Nothing to do: the work begins again.",
            TroubleKind::ClusterRefused => {
                "Give the operator the rights of its chart, or change the admission policy that refuses it. Where the namespace is being deleted, its RoleBinding may have gone first: see the page on removing a watched namespace."
            }
            TroubleKind::ClusterUnavailable => {
                "If it lasts, check the operator's access to the Kubernetes API (network, RBAC)."
            }
        }
    }

    pub(in crate::plan) fn wake(&self, failures: u32, settings: &Settings) -> Wake {
        if let Some(after) = self.retry_after {
            return Wake::not_before(after);
        }
        match self.kind {
            TroubleKind::ObjectChanged
            | TroubleKind::Throttled
            | TroubleKind::GraphUnavailable
            | TroubleKind::LoginUnavailable
            | TroubleKind::Busy
            | TroubleKind::ClusterUnavailable
            | TroubleKind::NotFound
            | TroubleKind::Conflict => Wake::backoff(failures),
            TroubleKind::LoginRefused
            | TroubleKind::TokenRejected
            | TroubleKind::Unauthorized
            | TroubleKind::Forbidden
            | TroubleKind::Rejected
            | TroubleKind::ClusterRefused => Wake::After(Wake::backoff(failures).delay().max(settings.slow_retry)),
        }
    }
}

pub(in crate::plan) fn traced(text: &str, trace: Option<&str>) -> String {
    trace.map_or_else(|| text.to_owned(), |trace| format!("{text} ({trace})"))
}
