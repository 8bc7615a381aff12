//! The dry run: `decide`, folded with the fact that each step is expected to end in.

use crate::api::{ChangeAction, JobOrigin, PlannedChange, Reason};
use crate::plan::common::pass::{Decider, Next, Pass};
use crate::plan::common::settings::Settings;
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::fact::Fact;
use crate::plan::sync_job::manage::manage;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::step::Verdict;
use crate::plan::sync_job::step::{Change, Look, Record, Step};
use crate::plan::sync_job::world::World;

/// Stands for the id that only Graph can choose.
const NEW_JOB: &str = "(new)";

/// What would be done in Graph, in this order, and how things would stand then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    pub changes: Vec<PlannedChange>,
    pub end: Verdict,
}

/// Decides as mode Manage does, whatever the mode.
struct AsManage<'a> {
    desired: &'a Desired,
    settings: &'a Settings,
}

impl Decider for AsManage<'_> {
    type World = World;
    type Step = Step;
    type Fact = Fact;

    fn decide(&self, world: &World) -> Verdict {
        manage(self.desired, world, self.settings)
    }

    fn learn(&self, world: World, fact: &Fact) -> World {
        world.with(fact.clone(), self.desired)
    }
}

/// Goes on until nothing is left to do, or until something would have to be asked that only Graph knows by then.
pub fn preview(desired: &Desired, world: &World, settings: &Settings) -> Preview {
    let mut pass = Pass::new(AsManage { desired, settings }, world.as_managed());
    let mut changes = Vec::new();
    // Before a job is adopted, the jobs are listed once more. They are expected to be those that were listed.
    let mut listed = world.jobs.clone().filter(|_| !world.jobs_recalled);
    // A job that is adopted has the schema that it was found with.
    let found = world.subject(desired).map(|job| job.id.clone()).filter(|_| world.job_id.is_none());
    let mut compared = world.mappings.seen.clone();
    while let Next::Do(step) = pass.next_step() {
        let adopted = found.is_some() && pass.world().job_id == found;
        let again = match step {
            Step::Look(Look::Jobs) => listed.take().map(Fact::JobsListed),
            Step::Look(Look::Schema) if adopted => compared.take().map(Fact::SchemaRead),
            Step::Look(_) | Step::Record(_) | Step::Change(_) => None,
        };
        let fact = again.or_else(|| expected(&step, desired, pass.world()));
        let Some(fact) = fact else { break };
        changes.extend(planned(&step, desired));
        pass.learn(fact);
    }
    // A change that waits for a confirmation is shown, so that people know what they would confirm.
    if pass.verdict().reason == Reason::RiskyChange
        && let Some(difference) = pass.world().mappings.difference()
    {
        changes.extend(in_the_schema(&difference.lines));
    }
    Preview { changes, end: pass.verdict().clone() }
}

fn planned(step: &Step, desired: &Desired) -> Vec<PlannedChange> {
    match step {
        Step::Change(Change::SaveMappings { lines, .. }) => in_the_schema(lines).collect(),
        Step::Look(_) | Step::Record(_) | Step::Change(_) => change(step, desired).into_iter().collect(),
    }
}

/// One entry for each value of the schema.
fn in_the_schema(lines: &[String]) -> impl Iterator<Item = PlannedChange> {
    lines.iter().map(|line| PlannedChange { action: ChangeAction::SaveMappings, message: line.clone() })
}

/// The fact that a step ends in when all goes well; `None` if only Graph can answer.
fn expected(step: &Step, desired: &Desired, world: &World) -> Option<Fact> {
    match step {
        Step::Look(Look::Rivals) => {
            Some(Fact::RivalsRead { rivals: world.rivals.known().to_vec(), siblings: world.siblings.clone() })
        }
        Step::Look(
            Look::Tenant
            | Look::Jobs
            | Look::RecentJobs
            | Look::ServicePrincipal
            | Look::Definition
            | Look::Namespace
            | Look::Templates
            | Look::Credentials
            | Look::Secrets
            | Look::Schema,
        ) => None,
        Step::Record(record) => Some(record.done()),
        // What is saved is shown a moment later, and nothing is left to change then.
        Step::Change(Change::SaveMappings { .. }) => world.mappings.saved_as_wished().map(Fact::SchemaRead),
        Step::Change(change) => Some(change.done(|| ObservedJob {
            id: NEW_JOB.to_owned(),
            template_id: Some(desired.template.as_str().to_owned()),
            schedule_state: Some("Disabled".to_owned()),
            ..ObservedJob::default()
        })),
    }
}

/// The steps that people care about.
fn change(step: &Step, desired: &Desired) -> Option<PlannedChange> {
    let (action, message) = match step {
        Step::Look(_) => return None,
        Step::Record(record) => in_the_record(record)?,
        Step::Change(change) => in_entra(change, desired)?,
    };
    Some(PlannedChange { action, message })
}

fn in_the_record(record: &Record) -> Option<(ChangeAction, String)> {
    match record {
        Record::AdoptJob { id } => Some((ChangeAction::AdoptJob, format!("Adopt job '{id}'."))),
        Record::Origin { id, origin: JobOrigin::Adopted } => {
            Some((ChangeAction::AdoptJob, format!("Adopt job '{id}', which was set up once more.")))
        }
        Record::ForgetJob { id } => Some((ChangeAction::ForgetJob, format!("Give up job '{id}', which is gone."))),
        Record::AddFinalizer
        | Record::Tenant { .. }
        | Record::Intent { .. }
        | Record::Adoption { .. }
        | Record::ClearIntent
        | Record::BindJob { .. }
        | Record::Origin { origin: JobOrigin::Created | JobOrigin::Replaced, .. }
        | Record::Restart { .. }
        | Record::RemoveFinalizer { .. } => None,
    }
}

fn in_entra(change: &Change, desired: &Desired) -> Option<(ChangeAction, String)> {
    let planned = match change {
        Change::CreateJob => {
            (ChangeAction::CreateJob, format!("Create a job from template '{}'.", desired.template.as_str()))
        }
        Change::StartJob { id } => (ChangeAction::StartJob, format!("Start job '{id}'.")),
        Change::PauseJob { id } => (ChangeAction::PauseJob, format!("Pause job '{id}'.")),
        Change::RestartJob { id, scope } => {
            let scope = scope
                .as_ref()
                .map_or_else(|| "the portal's default scope".to_owned(), |scope| format!("scope {scope}"));
            (ChangeAction::RestartJob, format!("Restart job '{id}' with {scope}."))
        }
        Change::SaveSecrets { own, settings } => {
            let settings = settings.iter().map(|(key, _)| key.name());
            let keys: Vec<&str> = own.iter().map(String::as_str).chain(settings).collect();
            (ChangeAction::SaveCredentials, format!("Save credentials and settings: {}.", keys.join(", ")))
        }
        Change::RestartAfterChange { id, .. } => {
            (ChangeAction::RestartJob, format!("Restart job '{id}', because its credentials or settings change."))
        }
        Change::TestCredentials { .. } | Change::SaveMappings { .. } => return None,
        Change::ReleaseMappings { id } => {
            (ChangeAction::SaveMappings, format!("Restore the mappings of job '{id}' that this SyncJob changed."))
        }
        Change::DeleteJob { id } => (ChangeAction::DeleteJob, format!("Delete job '{id}'.")),
    };
    Some(planned)
}
