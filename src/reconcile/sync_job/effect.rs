//! One step, carried out. Nothing is decided here: each step becomes calls, and their outcome one value.

use super::scene::{Learnt, Scene, unwritten};
use super::{change, look, record};
use crate::api::{MANAGER_REPORT, MappingsStatus, Report, SyncJob};
use crate::cluster;
use crate::cluster::object::Handle;
use crate::plan::{Change, Fact, Guard, Look, Record, Step, Trouble};
use crate::reconcile::context::Context;

pub(super) async fn carry_out(step: &Step, scene: &Scene<'_>, handle: &mut Handle<SyncJob>) -> Learnt {
    match step {
        Step::Look(look) => look::look(*look, scene, handle.object()).await.into(),
        Step::Record(record) => record::record(record, scene, handle).await,
        Step::Change(change) => {
            if matches!(change, Change::DeleteJob { .. })
                && !scene.lacks(Guard::FreshDelete)
                && let Err(error) = still_the_same(handle).await
            {
                return unwritten(&error, "reading the SyncJob before its job is deleted").into();
            }
            if matches!(change, Change::SaveMappings { .. })
                && scene.world.mappings.status.is_none()
                && let Err(error) = announce(handle).await
            {
                return unwritten(&error, "recording that mappings are saved").into();
            }
            change::change(change, scene).await
        }
    }
}

/// One step of an object that has no login: what needs none is carried out, and anything else ends in why there is none.
pub(super) async fn without_login(
    step: &Step,
    barred: &Trouble,
    handle: &mut Handle<SyncJob>,
    context: &Context,
) -> Fact {
    match step {
        Step::Look(Look::Definition) => look::definition(context).await,
        Step::Look(Look::Namespace) => look::namespace(handle.object(), context).await,
        Step::Record(Record::RemoveFinalizer { leaving }) => record::release(leaving, handle, context).await,
        Step::Look(
            Look::Tenant
            | Look::Jobs
            | Look::RecentJobs
            | Look::ServicePrincipal
            | Look::Templates
            | Look::Rivals
            | Look::Credentials
            | Look::Secrets
            | Look::Schema,
        )
        | Step::Change(_)
        | Step::Record(
            Record::AddFinalizer
            | Record::Tenant { .. }
            | Record::Intent { .. }
            | Record::Adoption { .. }
            | Record::ClearIntent
            | Record::BindJob { .. }
            | Record::AdoptJob { .. }
            | Record::Origin { .. }
            | Record::ForgetJob { .. }
            | Record::Restart { .. },
        ) => Fact::Trouble(barred.clone()),
    }
}

/// Has status say that this SyncJob may own something of the schema, before the first save is sent: without that, a save whose
/// answer is lost would be forgotten as soon as nothing is declared any more.
async fn announce(handle: &mut Handle<SyncJob>) -> Result<(), cluster::Error> {
    let old = handle.object().status.clone().unwrap_or_default().report;
    let report = Report { mappings: Some(MappingsStatus::default()), ..old };
    handle.apply_status(MANAGER_REPORT, &report).await
}

/// Whether the object that the decision was made on is still there, with the same record: another operator may have deleted
/// its job and let it go, while our watch lags, and the id may be a successor's by now.
async fn still_the_same(handle: &Handle<SyncJob>) -> Result<(), cluster::Error> {
    let mut current = handle.clone();
    current.reread().await?;
    let record = |object: &SyncJob| object.status.as_ref().and_then(|status| status.identity.job_id.clone());
    if record(current.object()) == record(handle.object()) { Ok(()) } else { Err(cluster::Error::Changed) }
}
