//! What a tenant's status says: whether the login works, what the token permits, and what to correct.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::presented::Presented;
use super::refusal;
use super::wish::Wish;
use crate::api::tenant::{LoginStatus, Permissions, TenantStatus};
use crate::api::{ConditionType, Reason};
use crate::plan::common::conditions::{Maker, find};
use crate::plan::common::trouble::Trouble;

/// A certificate is reported this long before it expires: cert-manager renews earlier, people need the time.
pub const EXPIRY_AHEAD: SignedDuration = SignedDuration::from_hours(14 * 24);
/// A login that was obtained again is reported at most this often, so that a renewal alone writes nothing.
const OBTAINED_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// So many roles are listed; a token of an application with more is cut.
const ROLES_MAX: usize = 64;

/// Either of these lets the operator write jobs.
const WRITERS: [&str; 2] = ["Synchronization.ReadWrite.All", "Application.ReadWrite.OwnedBy"];
/// Any of these lets it look up service principals.
const READERS: [&str; 5] = [
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Application.ReadWrite.OwnedBy",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// What came of the login.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// No login was needed.
    NotAsked,
    LoggedIn {
        /// The tenant that the token is for, if it says so.
        tenant: Option<String>,
        roles: Vec<String>,
        obtained: Timestamp,
    },
    /// `code` is the login service's, or that of the place where the credential is read.
    Failed { trouble: Trouble, code: String },
}

/// A tenant at the end of a pass.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// Or why the spec cannot be acted on.
    pub wish: Result<&'a Wish, &'a str>,
    pub generation: i64,
    pub deletion_requested: bool,
    /// How many SyncJobs name the tenant.
    pub users: usize,
    pub outcome: &'a Outcome,
    pub presented: Option<&'a Presented>,
}

/// Computes the status at the end of a pass.
pub fn report(old: &TenantStatus, end: &End<'_>, now: Timestamp) -> TenantStatus {
    let maker = Maker { old: &old.conditions, generation: end.generation, now };
    TenantStatus {
        observed_generation: Some(end.generation),
        conditions: conditions(maker, end, now),
        login: login(old.login.as_ref(), end),
        permissions: permissions(old.permissions.as_ref(), end.outcome),
    }
}

fn conditions(maker: Maker<'_>, end: &End<'_>, now: Timestamp) -> Vec<Condition> {
    let wish = match end.wish {
        Ok(wish) => wish,
        Err(fault) => {
            let message = format!("{fault}.");
            return [ConditionType::Ready, ConditionType::Stalled]
                .map(|kind| {
                    let status = if kind == ConditionType::Ready { "False" } else { "True" };
                    maker.make(kind, status, Reason::InvalidSpec, &message)
                })
                .into();
        }
    };
    let mut conditions = ready(maker, wish, end, now);
    if end.deletion_requested {
        conditions.retain(|condition| condition.type_ == ConditionType::Ready.name());
        let users = if end.users == 1 { "1 SyncJob names".to_owned() } else { format!("{} SyncJobs name", end.users) };
        let message =
            format!("{users} this tenant. The login is kept until none does, so that their jobs can be deleted.");
        conditions.push(maker.make(ConditionType::Reconciling, "True", Reason::Deleting, &message));
    }
    if wish.suspended {
        let message = "Nothing is sent to this tenant, as declared. To go on, remove `spec.mode`.";
        conditions.push(maker.make(ConditionType::Suspended, "True", Reason::Suspended, message));
    }
    conditions.extend(granted(maker, end.outcome));
    conditions
}

fn ready(maker: Maker<'_>, wish: &Wish, end: &End<'_>, now: Timestamp) -> Vec<Condition> {
    let kept = |kind: ConditionType| find(maker.old, kind).cloned();
    let ready = |status: &str, reason: Reason, message: &str| maker.make(ConditionType::Ready, status, reason, message);
    match end.outcome {
        Outcome::NotAsked => {
            let message = "No login was tried yet.";
            vec![kept(ConditionType::Ready).unwrap_or_else(|| ready("Unknown", Reason::Suspended, message))]
        }
        Outcome::LoggedIn { tenant: Some(tenant), .. } if *tenant != wish.tenant_id => {
            let message = format!(
                "The login leads to tenant '{tenant}', and `spec.tenantId` is '{}'. Nothing is asked or sent. Name the tenant that the identity belongs to, or use another credential.",
                wish.tenant_id
            );
            [(ConditionType::Ready, "False"), (ConditionType::Stalled, "True")]
                .map(|(kind, status)| maker.make(kind, status, Reason::TenantMismatch, &message))
                .into()
        }
        Outcome::LoggedIn { .. } => {
            let not_after = end.presented.and_then(|presented| presented.not_after);
            let expiring = not_after.filter(|at| at.duration_since(now) <= EXPIRY_AHEAD);
            vec![expiring.map_or_else(
                || ready("True", Reason::LoggedIn, "The login succeeded."),
                |at| {
                    let message = format!(
                        "The login succeeded; the certificate expires at {}. Renew it before: register the new certificate on the application, then replace the Secret.",
                        to_the_second(at)
                    );
                    ready("True", Reason::CertificateExpiring, &message)
                },
            )]
        }
        Outcome::Failed { trouble, code } => failed(maker, wish, end, trouble, code),
    }
}

fn failed(maker: Maker<'_>, wish: &Wish, end: &End<'_>, trouble: &Trouble, code: &str) -> Vec<Condition> {
    let reason = refusal::reason(code, end.presented, trouble);
    let remedy = refusal::remedy(reason, wish, end.presented);
    let message = format!("{} {remedy}", trouble.detail);
    if !trouble.is_refusal() {
        // What was true before still counts.
        let ready = find(maker.old, ConditionType::Ready).filter(|ready| ready.status != "Unknown").cloned();
        let ready = ready.unwrap_or_else(|| maker.make(ConditionType::Ready, "Unknown", reason, &message));
        return vec![ready, maker.make(ConditionType::Reconciling, "True", reason, &message)];
    }
    // A federated credential takes minutes to be known everywhere.
    let passing = reason == Reason::FederatedCredentialMissing;
    let second = if passing { ConditionType::Reconciling } else { ConditionType::Stalled };
    vec![maker.make(ConditionType::Ready, "False", reason, &message), maker.make(second, "True", reason, &message)]
}

/// `None` where no token was seen, and the condition before is kept with the roles before.
fn granted(maker: Maker<'_>, outcome: &Outcome) -> Option<Condition> {
    let make = |status: &str, reason: Reason, message: &str| {
        Some(maker.make(ConditionType::PermissionsGranted, status, reason, message))
    };
    let Outcome::LoggedIn { roles, .. } = outcome else {
        return find(maker.old, ConditionType::PermissionsGranted).cloned();
    };
    if roles.is_empty() {
        let message = "The token lists no application permission. Grant the application Synchronization.ReadWrite.All and Application.Read.All with admin consent; a new grant shows in the next token.";
        return make("False", Reason::RolesMissing, message);
    }
    let missing = missing(roles);
    if missing.is_empty() {
        return make("True", Reason::RolesGranted, "The token permits all that the operator does.");
    }
    let message = format!(
        "The token lacks {}. Without Synchronization.ReadWrite.All (or Application.ReadWrite.OwnedBy and ownership of the service principals) only modes Observe and Plan work; without Application.Read.All the operator cannot tell a service principal that is gone from one that does not answer. Grant them with admin consent; a new grant shows in the next token.",
        missing.join(", ")
    );
    make("False", Reason::RolesMissing, &message)
}

fn missing(roles: &[String]) -> Vec<String> {
    let holds = |names: &[&str]| roles.iter().any(|role| names.contains(&role.as_str()));
    let mut missing = Vec::new();
    if !holds(&WRITERS) {
        missing.push(WRITERS[0].to_owned());
    }
    if !holds(&READERS) {
        missing.push(READERS[0].to_owned());
    }
    missing
}

fn permissions(old: Option<&Permissions>, outcome: &Outcome) -> Option<Permissions> {
    match outcome {
        Outcome::LoggedIn { roles, .. } => {
            let granted = roles.iter().take(ROLES_MAX).cloned().collect();
            Some(Permissions { granted, missing: missing(roles) })
        }
        Outcome::NotAsked | Outcome::Failed { .. } => old.cloned(),
    }
}

fn login(old: Option<&LoginStatus>, end: &End<'_>) -> Option<LoginStatus> {
    let Ok(wish) = end.wish else { return old.cloned() };
    // Without a credential nothing is presented; which one it would be is known all the same.
    let named = Presented {
        kind: Some(wish.login.kind()),
        client_id: wish.login.client_id().map(str::to_owned),
        ..Presented::default()
    };
    let presented = end.presented.unwrap_or(&named);
    let before = old.and_then(|old| old.last_obtained_time.as_ref());
    let last_obtained_time = match end.outcome {
        Outcome::LoggedIn { obtained, .. } => {
            let lately = |before: &&Time| obtained.duration_since(before.0) < OBTAINED_EVERY;
            Some(before.filter(lately).cloned().unwrap_or_else(|| Time(truncated(*obtained))))
        }
        Outcome::NotAsked | Outcome::Failed { .. } => before.cloned(),
    };
    Some(LoginStatus {
        kind: presented.kind,
        client_id: presented.client_id.clone(),
        issuer: presented.issuer.clone(),
        subject: presented.subject.clone(),
        audience: presented.audience.clone(),
        last_obtained_time,
        not_after_time: presented.not_after.map(|at| Time(truncated(at))),
    })
}

fn truncated(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn to_the_second(at: Timestamp) -> String {
    truncated(at).to_string()
}

#[cfg(test)]
mod tests;
