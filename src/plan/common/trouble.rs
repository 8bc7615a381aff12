//! What went wrong, in words that neither client shares, and what people can do about it.

use std::time::Duration;

use crate::api::Reason;
use crate::plan::common::settings::Settings;
use crate::plan::common::standing::Standing;
use crate::plan::common::wake::Wake;

/// Why an object has no login at all. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Barrier {
    /// The tenant that it names does not exist, or it names none and there is no other login.
    NotFound,
    /// The tenant is not for it.
    NotAllowed,
    /// The tenant's mode is Suspended.
    Suspended,
    /// The tenant cannot be used: its spec cannot be acted on, or its login leads to another tenant.
    NotReady,
}

/// The kinds that lead to different conduct.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TroubleKind {
    /// 429, or a gate that an earlier 429 shut.
    Throttled,
    /// 5xx, timeouts, broken connections, answers that do not parse.
    GraphUnavailable,
    LoginUnavailable,
    /// The login service refused the credentials.
    LoginRefused,
    /// 401 for a token that had just been issued.
    TokenRejected,
    /// 401 without a reason, which is how these endpoints report that a permission or the ownership is missing.
    Unauthorized,
    /// 403.
    Forbidden,
    /// The Kubernetes API refused: a right is missing, or a policy says no.
    ClusterRefused,
    NotFound,
    Conflict,
    /// Any other 4xx.
    Rejected,
    /// As many requests to Graph as the operator allows itself were in flight for a long time; none was sent.
    Busy,
    /// The object changed while it was worked on.
    ObjectChanged,
    /// The Kubernetes API failed.
    ClusterUnavailable,
    /// There is no login.
    Barred(Barrier),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Trouble {
    pub kind: TroubleKind,
    /// What was done and what the other side answered: its code and a capped message; safe to show, and the same for the
    /// same failure.
    pub detail: String,
    /// Request id and date of this one failure.
    pub trace: Option<String>,
    /// When the other side wants to be asked again.
    pub retry_after: Option<Duration>,
}

impl Trouble {
    /// The detail with its trace.
    pub fn detail_with_trace(&self) -> String {
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
            | TroubleKind::ClusterRefused
            | TroubleKind::Barred(_) => false,
        }
    }

    /// Whether the login service, or the place that holds the credential, refused for good.
    pub(in crate::plan) fn is_refusal(&self) -> bool {
        self.kind == TroubleKind::LoginRefused
    }

    /// Whether there was no token, so that Graph was not asked.
    pub(in crate::plan) fn without_login(&self) -> bool {
        match self.kind {
            TroubleKind::LoginUnavailable | TroubleKind::LoginRefused | TroubleKind::Barred(_) => true,
            TroubleKind::Throttled
            | TroubleKind::GraphUnavailable
            | TroubleKind::TokenRejected
            | TroubleKind::Unauthorized
            | TroubleKind::Forbidden
            | TroubleKind::ClusterRefused
            | TroubleKind::NotFound
            | TroubleKind::Conflict
            | TroubleKind::Rejected
            | TroubleKind::Busy
            | TroubleKind::ObjectChanged
            | TroubleKind::ClusterUnavailable => false,
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
            TroubleKind::Barred(Barrier::NotFound) => Reason::TenantNotFound,
            TroubleKind::Barred(Barrier::NotAllowed) => Reason::TenantNotAllowed,
            TroubleKind::Barred(Barrier::Suspended) => Reason::TenantSuspended,
            TroubleKind::Barred(Barrier::NotReady) => Reason::TenantNotReady,
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
            | TroubleKind::ClusterRefused
            | TroubleKind::Barred(Barrier::NotFound | Barrier::NotReady) => Standing::Blocked,
            TroubleKind::Barred(Barrier::NotAllowed) => Standing::Stuck,
            TroubleKind::Barred(Barrier::Suspended) => Standing::Suspended,
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
                "Check the credential of the tenant that this SyncJob uses: the status of its EntraTenant or ClusterEntraTenant says what to correct. Without one it is the operator's own login: check its tenant id, client id and client secret (or federated credential), and restart it after a change of its environment. It recovers by itself once Entra ID accepts the login."
            }
            TroubleKind::TokenRejected => {
                "Graph does not accept the operator's tokens: check the cloud, the clock and conditional access policies."
            }
            TroubleKind::Unauthorized | TroubleKind::Forbidden => {
                "Grant the operator's application Synchronization.ReadWrite.All with admin consent, or Application.ReadWrite.OwnedBy and ownership of the service principal; it recovers by itself."
            }
            TroubleKind::NotFound => "Check that provisioning is available for this service principal.",
            TroubleKind::Conflict | TroubleKind::Rejected => {
                "Read Graph's answer in this message; the request is repeated slowly."
            }
            TroubleKind::Busy => {
                "Nothing to do if it passes: the operator's own limit of requests in flight was reached. If it lasts, raise `--graph-in-flight-max`."
            }
            TroubleKind::ObjectChanged => "Nothing to do: the work begins again.",
            TroubleKind::ClusterRefused => {
                "Give the operator the rights of its chart, or change the admission policy that refuses it. Where the namespace is being deleted, its RoleBinding may have gone first: see the page on removing a watched namespace."
            }
            TroubleKind::Barred(Barrier::NotFound) => {
                "Name a tenant that exists in `spec.tenantRef`, or create it; the work begins when it is there."
            }
            TroubleKind::Barred(Barrier::NotAllowed) => {
                "Ask those who own the ClusterEntraTenant for a grant in its `allowedNamespaces`, or name another tenant. A job that exists is kept as it is, and nothing is asked or sent for it."
            }
            TroubleKind::Barred(Barrier::Suspended) => {
                "Nothing to do: the tenant's `spec.mode` is Suspended. The work goes on when that is removed."
            }
            TroubleKind::Barred(Barrier::NotReady) => {
                "Correct the tenant: its status says what is wrong. The work begins when it is ready."
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
            // The labels of a namespace are not watched.
            TroubleKind::Barred(Barrier::NotAllowed) => Wake::not_before(settings.slow_retry),
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
            | TroubleKind::ClusterRefused
            | TroubleKind::Barred(Barrier::NotFound | Barrier::NotReady | Barrier::Suspended) => {
                Wake::After(Wake::backoff(failures).delay().max(settings.slow_retry))
            }
        }
    }
}

pub(in crate::plan) fn traced(text: &str, trace: Option<&str>) -> String {
    trace.map_or_else(|| text.to_owned(), |trace| format!("{text} ({trace})"))
}
