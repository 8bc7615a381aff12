//! The dry run: `decide`, folded with the fact that each step is expected to end in.

use super::decide::{Plan, manage};
use super::desired::Desired;
use super::modes::preview_world;
use super::observed::ObservedJob;
use super::settings::Settings;
use super::step::{Fact, Step};
use super::world::World;
use crate::api::{ChangeAction, JobOrigin, PlannedChange, RestartResult};

/// More steps than the longest way through `decide` has.
const STEPS_MAX: usize = 16;
/// Stands for the id that only Graph can choose.
const NEW_JOB: &str = "(new)";

/// What would be done in Graph, in this order, and how things would stand then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    pub changes: Vec<PlannedChange>,
    pub end: Plan,
}

/// Folds until nothing is left to do, or until something would have to be asked that only Graph knows by then.
pub fn preview(desired: &Desired, world: &World, settings: &Settings) -> Preview {
    let mut world = preview_world(world);
    let mut changes = Vec::new();
    for _ in 0..STEPS_MAX {
        let plan = manage(desired, &world, settings);
        let expected = plan.step.as_ref().and_then(|step| Some((step, expected(step, desired, &world)?)));
        let Some((step, fact)) = expected else { return Preview { changes, end: plan } };
        changes.extend(change(step, desired));
        world = world.with(fact, desired);
    }
    Preview { changes, end: manage(desired, &world, settings) }
}

/// The fact that a step ends in when all goes well; `None` if only asking can tell.
fn expected(step: &Step, desired: &Desired, world: &World) -> Option<Fact> {
    Some(match step {
        Step::LookUpTenant
        | Step::ListJobs
        | Step::RecallJobs
        | Step::LookUpServicePrincipal
        | Step::LookUpDefinition
        | Step::ListTemplates => return None,
        Step::AddFinalizer => Fact::FinalizerAdded,
        Step::RecordIntent { baseline } => Fact::IntentRecorded { baseline: baseline.clone() },
        Step::RecordAdoption { id } => Fact::AdoptionRecorded { id: id.clone() },
        Step::ReadRivals => {
            Fact::RivalsRead { rivals: world.rivals.known().to_vec(), siblings: world.siblings.clone() }
        }
        Step::CreateJob => Fact::JobCreated(ObservedJob {
            id: NEW_JOB.to_owned(),
            template_id: Some(desired.template.as_str().to_owned()),
            schedule_state: Some("Disabled".to_owned()),
            ..ObservedJob::default()
        }),
        Step::ClearIntent => Fact::IntentCleared,
        Step::BindJob { id } => Fact::JobBound { id: id.clone() },
        Step::AdoptJob { id } => Fact::JobAdopted { id: id.clone() },
        Step::RecordTenant { .. } => Fact::TenantRecorded,
        Step::RecordOrigin { origin, .. } => Fact::OriginRecorded { origin: *origin },
        Step::ForgetJob { .. } => Fact::JobForgotten,
        Step::StartJob { .. } | Step::PauseJob { .. } => Fact::RunStateRequested,
        Step::RecordRestart { token } => Fact::RestartRecorded { token: token.clone() },
        Step::RestartJob { .. } => Fact::RestartAnswered { result: RestartResult::Accepted, message: String::new() },
        Step::DeleteJob { .. } => Fact::JobDeleted,
        Step::RemoveFinalizer { .. } => Fact::FinalizerRemoved,
    })
}

/// The steps that people care about.
fn change(step: &Step, desired: &Desired) -> Option<PlannedChange> {
    let template = desired.template.as_str();
    let (action, message) = match step {
        Step::CreateJob => (ChangeAction::CreateJob, format!("Create a job from template '{template}'.")),
        Step::AdoptJob { id } => (ChangeAction::AdoptJob, format!("Adopt job '{id}'.")),
        Step::ForgetJob { id } => (ChangeAction::ForgetJob, format!("Give up job '{id}', which is gone.")),
        Step::StartJob { id } => (ChangeAction::StartJob, format!("Start job '{id}'.")),
        Step::PauseJob { id } => (ChangeAction::PauseJob, format!("Pause job '{id}'.")),
        Step::RestartJob { id, scope } => {
            let scope = scope.as_deref().unwrap_or("the portal's");
            (ChangeAction::RestartJob, format!("Restart job '{id}' with scope {scope}."))
        }
        Step::DeleteJob { id } => (ChangeAction::DeleteJob, format!("Delete job '{id}'.")),
        Step::RecordOrigin { id, origin: JobOrigin::Adopted } => {
            (ChangeAction::AdoptJob, format!("Adopt job '{id}', which was set up once more."))
        }
        Step::AddFinalizer
        | Step::LookUpTenant
        | Step::RecordTenant { .. }
        | Step::ListJobs
        | Step::RecallJobs
        | Step::LookUpServicePrincipal
        | Step::LookUpDefinition
        | Step::ListTemplates
        | Step::RecordIntent { .. }
        | Step::RecordAdoption { .. }
        | Step::ReadRivals
        | Step::ClearIntent
        | Step::BindJob { .. }
        | Step::RecordOrigin { .. }
        | Step::RecordRestart { .. }
        | Step::RemoveFinalizer { .. } => return None,
    };
    Some(PlannedChange { action, message })
}
