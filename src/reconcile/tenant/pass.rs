//! One pass over one tenant: log in if there is no usable token, report, and keep the finalizer while SyncJobs name it.

use std::time::Duration;

use super::handle::TenantHandle;
use crate::api::ConditionType;
use crate::api::tenant::TenantStatus;
use crate::cluster::watch::tenants::{StoredTenant, TenantName};
use crate::cluster::{self};
use crate::graph;
use crate::plan::tenant::{End, Outcome, Presented, Wish, report};
use crate::plan::{TroubleKind, Wake};
use crate::reconcile::context::Context;
use crate::reconcile::ended::Ended;
use crate::reconcile::tenants::Known;
use crate::reconcile::trouble::graph_trouble;

/// How often a tenant is looked at while nothing changes. Its token is renewed by those who use it.
const POLL: Duration = Duration::from_secs(600);
/// How long the passes wait for a refused write.
const REFUSED: Duration = Duration::from_secs(30);

pub(in crate::reconcile) async fn run(name: &TenantName, context: &Context) -> Ended {
    let Some(known) = context.tenants.known(name) else {
        context.tenants.forget(name);
        return Ended::well(Wake::OnChange);
    };
    let client = context.client.clone();
    let mut handle = match &known.stored {
        StoredTenant::Namespaced(tenant) => TenantHandle::namespaced(client, tenant.clone()),
        StoredTenant::Cluster(tenant) => TenantHandle::cluster(client, tenant.clone()),
        StoredTenant::Unreadable { fault, .. } => {
            tracing::warn!(tenant = %name, fault, "a tenant cannot be read; its SyncJobs wait");
            return Ended::well(Wake::After(POLL));
        }
    };
    let users = users(name, context);
    let deletion_requested = known.stored.metadata().deletion_timestamp.is_some();
    match finalizer(&mut handle, users, deletion_requested).await {
        Ok(gone) if gone => return Ended::well(Wake::OnChange),
        Ok(_) | Err(cluster::Error::Changed | cluster::Error::Gone) => {}
        Err(error @ (cluster::Error::Refused(_) | cluster::Error::Unavailable(_))) => {
            tracing::warn!(tenant = %name, %error, "the finalizer of a tenant could not be written");
            return Ended::badly(Wake::After(REFUSED));
        }
    }
    let (outcome, presented) = log_in(name, &known, context).await;
    let end = End {
        wish: known.wish.as_ref().map_err(String::as_str),
        generation: known.stored.metadata().generation.unwrap_or_default(),
        deletion_requested,
        users,
        outcome: &outcome,
        presented: presented.as_ref(),
    };
    let old = handle.status();
    let status = report(&old, &end, context.clock.now().wall);
    let written = publish(name, &old, &status, &mut handle, context).await;
    let freed = is_ready(&status) && !is_ready(&old);
    let ended = Ended { freed: freed.then(|| name.clone()), ..ended(&outcome, deletion_requested) };
    if written { ended } else { Ended { failed: true, wake: ended.wake.sooner(Wake::After(REFUSED)), ..ended } }
}

/// How many SyncJobs name the tenant.
fn users(name: &TenantName, context: &Context) -> usize {
    let names = |object: &&std::sync::Arc<crate::api::SyncJob>| context.tenants.name_of(object).as_ref() == Some(name);
    context.stores.state().iter().filter(names).count()
}

/// Answers whether the tenant was let go.
async fn finalizer(handle: &mut TenantHandle, users: usize, deletion_requested: bool) -> Result<bool, cluster::Error> {
    match (handle.has_finalizer(), users > 0, deletion_requested) {
        (false, true, false) => handle.add_finalizer().await.map(|()| false),
        (true, false, _) => handle.remove_finalizer().await.map(|()| deletion_requested),
        (true, true, _) | (false, false, false) => Ok(false),
        // Nothing of ours keeps it.
        (false, _, true) => Ok(true),
    }
}

async fn log_in(name: &TenantName, known: &Known, context: &Context) -> (Outcome, Option<Presented>) {
    let (Ok(wish), Some(client)) = (&known.wish, context.tenants.client(name, known)) else {
        return (Outcome::NotAsked, None);
    };
    if wish.suspended {
        return (Outcome::NotAsked, None);
    }
    let outcome = match client.log_in().await {
        Ok(login) => Outcome::LoggedIn { tenant: login.tenant, roles: login.roles, obtained: login.obtained },
        Err(error) => Outcome::Failed { trouble: graph_trouble(&error), code: error.code },
    };
    (outcome, client.presented().map(|presented| shown(presented, wish)))
}

fn shown(presented: graph::Presented, wish: &Wish) -> Presented {
    Presented {
        kind: Some(wish.login.kind()),
        client_id: presented.client_id,
        issuer: presented.issuer,
        subject: presented.subject,
        audience: presented.audience,
        not_after: presented.not_after,
    }
}

fn ended(outcome: &Outcome, deletion_requested: bool) -> Ended {
    match outcome {
        // What uses it goes soon.
        Outcome::NotAsked | Outcome::LoggedIn { .. } if deletion_requested => Ended::well(Wake::backoff(4)),
        Outcome::NotAsked | Outcome::LoggedIn { .. } => Ended::well(Wake::After(POLL)),
        Outcome::Failed { trouble, .. } => {
            let retry = trouble.retry_after.map_or(Wake::backoff(4), Wake::not_before);
            let passing = trouble.kind != TroubleKind::LoginRefused;
            if passing { Ended::badly(retry) } else { Ended::well(retry) }
        }
    }
}

/// Answers whether status says what it should.
async fn publish(
    name: &TenantName,
    old: &TenantStatus,
    status: &TenantStatus,
    handle: &mut TenantHandle,
    context: &Context,
) -> bool {
    if status.says(old) {
        return true;
    }
    match handle.describe(status).await {
        Ok(()) => {
            announce(name, old, status, handle, context);
            true
        }
        // The watch shows what changed.
        Err(cluster::Error::Changed | cluster::Error::Gone) => true,
        Err(error @ (cluster::Error::Refused(_) | cluster::Error::Unavailable(_))) => {
            tracing::warn!(tenant = %name, %error, "the status of a tenant could not be written");
            false
        }
    }
}

/// An Event for each change of how the login stands.
fn announce(name: &TenantName, old: &TenantStatus, status: &TenantStatus, handle: &TenantHandle, context: &Context) {
    let Some((is, reason, message)) = ready(status) else { return };
    if ready(old).is_some_and(|(was, because, _)| (was, because) == (is, reason)) {
        return;
    }
    if is == "False" {
        tracing::warn!(tenant = %name, reason, message, "a tenant cannot be logged in to");
    } else {
        tracing::info!(tenant = %name, reason, message, "the login of a tenant changed");
    }
    handle.send(&context.events, is != "True", reason, message);
}

/// Status, reason and message of `Ready`.
fn ready(status: &TenantStatus) -> Option<(&str, &str, &str)> {
    let ready = status.conditions.iter().find(|condition| condition.type_ == ConditionType::Ready.name())?;
    Some((&ready.status, &ready.reason, &ready.message))
}

fn is_ready(status: &TenantStatus) -> bool {
    ready(status).is_some_and(|(is, _, _)| is == "True")
}
