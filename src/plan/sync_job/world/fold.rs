//! How a world grows: each fact that a step taught is folded into it.

use std::time::Duration;

use crate::api::{JobOrigin, RestartResult, RunState};
use crate::plan::common::trouble::{Trouble, TroubleKind};
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::fact::Fact;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::running::requests;
use crate::plan::sync_job::world::{IntentOrigin, IntentView, Rival, Rivals, RunView, Sibling, World};

impl World {
    /// What a step taught us.
    #[must_use]
    pub fn with(mut self, fact: Fact, desired: &Desired) -> Self {
        match fact {
            Fact::FinalizerAdded => self.finalizer = true,
            Fact::FinalizerRemoved { .. } => self.finalizer = false,
            Fact::TenantKnown { id } => self.tenant = Some(id),
            Fact::TenantRecorded => self.recorded_tenant.clone_from(&self.tenant),
            Fact::JobsListed(jobs) => self.listed(jobs, desired),
            Fact::JobsRecalled(jobs) => {
                (self.jobs, self.jobs_recalled, self.from_answer) = (Some(jobs), true, false);
            }
            Fact::NotFound => {
                self.not_found = true;
                self.absences = self.absences.saturating_add(1);
            }
            Fact::ServicePrincipalLookedUp { exists } => self.service_principal_exists = Some(exists),
            Fact::DefinitionLookedUp { going } => self.definition_going = Some(going),
            Fact::NamespaceLookedUp { terminating } => self.namespace_terminating = Some(terminating),
            Fact::TemplatesListed(templates) => self.templates = Some(templates),
            Fact::IntentRecorded { baseline } => self.recorded(baseline, None),
            Fact::AdoptionRecorded { id } => self.recorded(Vec::new(), Some(id)),
            Fact::IntentCleared => self.cleared(),
            Fact::RivalsRead { rivals, siblings } => self.rivals_read(rivals, siblings),
            Fact::JobCreated(job) if self.is_somebodys(&job) => self.answered_with_existing(job),
            Fact::JobCreated(job) => self.created = Some(job),
            Fact::CreateRefused(trouble) => self.create_refused(trouble),
            Fact::CreateUnknown(trouble) => {
                self.mark_intent(IntentOrigin::Unknown);
                self.trouble = Some(trouble);
            }
            Fact::JobBound { id } => self.bound(id, JobOrigin::Created),
            Fact::JobAdopted { id } => self.bound(id, JobOrigin::Adopted),
            Fact::OriginRecorded { origin, .. } => {
                (self.origin, self.lived, self.run) = (Some(origin), false, None);
                self.mappings.forget();
            }
            Fact::JobForgotten { .. } => self.forgotten(),
            Fact::BindLost { .. } => self.bind_lost(),
            Fact::RunStateRequested { state, .. } => self.run = Some(RunView::asked(state)),
            Fact::RestartRecorded { token } => self.restart_recorded(&token),
            Fact::RestartAnswered { result, message } => self.restart_answered(result, message),
            Fact::JobDeleted { .. } => self.job_deleted = true,
            Fact::CredentialsRead(wanted) => self.secrets.wanted = Some(wanted),
            Fact::SecretsRead(live) => self.secrets.read(live),
            Fact::CredentialsTested { result, code } => self.secrets.test(result, code),
            Fact::SecretsSaved { own, settings } => self.secrets.save(&own, &settings, &desired.content),
            Fact::RestartedAfterChange { from_start, .. } => self.restarted(from_start),
            Fact::SchemaRead(comparison) => self.mappings.see(comparison),
            Fact::SchemaSaved { revision, .. } => self.mappings.save(revision),
            Fact::SchemaRefused(trouble) => self.mappings.refused = Some(trouble.detail_with_trace()),
            Fact::MappingsReleased(released) => self.mappings.released = Some(released),
            Fact::DeleteNotFound => self.delete_not_found = true,
            Fact::DeleteUnknown(trouble) => {
                (self.delete_unknown_for, self.trouble) = (Some(Duration::ZERO), Some(trouble));
            }
            Fact::Trouble(trouble) => self.trouble = Some(trouble),
        }
        self
    }

    fn listed(&mut self, jobs: Vec<ObservedJob>, desired: &Desired) {
        let seen = self.sought_is_in(&jobs, desired);
        if seen {
            (self.absences, self.absent_for) = (0, Duration::ZERO);
        } else {
            self.absences = self.absences.saturating_add(1);
        }
        (self.jobs, self.jobs_recalled, self.from_answer) = (Some(jobs), false, false);
    }

    /// A job that is to be taken over must be shown after its holders were read: one that a rival held may be deleted, and
    /// the rival gone, between the list and the read.
    fn rivals_read(&mut self, rivals: Vec<Rival>, siblings: Vec<Sibling>) {
        (self.rivals, self.siblings) = (Rivals::Read(rivals), siblings);
        let takes = |intent: &IntentView| intent.adopt.is_some() || intent.origin == IntentOrigin::Unknown;
        if self.intent.as_ref().is_some_and(takes) {
            self.jobs = None;
        }
    }

    fn recorded(&mut self, baseline: Vec<String>, adopt: Option<String>) {
        self.rivals = Rivals::Cached(self.rivals.known().to_vec());
        self.refusal = None;
        self.recorded_tenant.clone_from(&self.tenant);
        self.intent = Some(IntentView { baseline, adopt, origin: IntentOrigin::Recorded, age: Duration::ZERO });
    }

    /// A list that lacks the job which the list before it showed says nothing: no job is created on its word. The pass ends,
    /// and the next one looks again.
    fn cleared(&mut self) {
        let adopt = self.intent.take().and_then(|intent| intent.adopt);
        let lists = |id: &String| self.jobs.iter().flatten().any(|job| &job.id == id);
        if let Some(id) = adopt.filter(|id| self.jobs.is_some() && !lists(id)) {
            self.trouble = Some(Trouble {
                kind: TroubleKind::ObjectChanged,
                detail: format!("Graph showed job '{id}', which was to be adopted, and a moment later it did not."),
                trace: None,
                retry_after: None,
            });
        }
    }

    /// A job that a create request was answered with, and that was there before it. A rule of its own, because where ids
    /// follow from template and application, Graph may answer a second request with the first one's job.
    pub fn is_somebodys(&self, answer: &ObservedJob) -> bool {
        let known = self.intent.as_ref().is_some_and(|intent| intent.baseline.contains(&answer.id));
        known || answer.lives() || self.is_held(&answer.id)
    }

    fn answered_with_existing(&mut self, job: ObservedJob) {
        self.mark_intent(IntentOrigin::Refused);
        let jobs = self.jobs.get_or_insert_default();
        jobs.retain(|listed| listed.id != job.id);
        self.refusal = Some(Trouble {
            kind: TroubleKind::Conflict,
            detail: format!("Graph answered the creation with job '{}', which was there before.", job.id),
            trace: None,
            retry_after: None,
        });
        jobs.push(job);
    }

    /// A conflict says that somebody's job is there: what was listed before is out of date.
    fn create_refused(&mut self, trouble: Trouble) {
        self.mark_intent(IntentOrigin::Refused);
        if trouble.kind == TroubleKind::Conflict {
            self.jobs = None;
        }
        self.refusal = Some(trouble);
    }

    fn bound(&mut self, id: String, origin: JobOrigin) {
        (self.job_id, self.origin, self.bound_for) = (Some(id), Some(origin), Duration::ZERO);
        (self.intent, self.absences, self.absent_for) = (None, 0, Duration::ZERO);
        (self.seen, self.lived, self.missing_for) = (false, false, None);
        self.recorded_tenant.clone_from(&self.tenant);
        if let Some(job) = self.created.take() {
            let jobs = self.jobs.get_or_insert_default();
            if !jobs.iter().any(|listed| listed.id == job.id) {
                jobs.push(job);
                self.from_answer = true;
            }
        }
    }

    fn forgotten(&mut self) {
        (self.job_id, self.origin, self.run, self.absences) = (None, None, None, 0);
        (self.seen, self.lived, self.missing_for) = (false, false, None);
        self.mappings.forget();
    }

    /// What is known of the object is older than the loss of its intent, so nothing may be begun on it.
    fn bind_lost(&mut self) {
        (self.created, self.intent) = (None, None);
        self.trouble = Some(Trouble {
            kind: TroubleKind::ObjectChanged,
            detail: "The intent to create the job was withdrawn by somebody else.".to_owned(),
            trace: None,
            retry_after: None,
        });
    }

    fn restart_recorded(&mut self, token: &str) {
        self.answers = requests::recording(token, &self.answers);
        self.restart_due = true;
    }

    /// A restarted job is scheduled, and everything that was listed of it is out of date.
    fn restart_answered(&mut self, result: RestartResult, message: String) {
        if let Some(handled) = &mut self.answers.last_handled_restart {
            (handled.result, handled.message) = (result, message);
        }
        self.restart_due = false;
        if result == RestartResult::Accepted {
            self.restarted(true);
        }
    }

    fn restarted(&mut self, from_start: bool) {
        (self.run, self.jobs) = (Some(RunView::asked(RunState::Running)), None);
        self.lived &= !from_start;
        self.secrets.begun |= from_start;
    }

    fn sought_is_in(&self, jobs: &[ObservedJob], desired: &Desired) -> bool {
        match (&self.job_id, &self.intent) {
            (Some(id), _) => jobs.iter().any(|job| &job.id == id),
            (None, Some(intent)) => jobs.iter().any(|job| {
                let new = !intent.baseline.contains(&job.id) && !self.is_held(&job.id);
                new && job.made_from(&desired.template) && !job.lives()
            }),
            (None, None) => true,
        }
    }

    fn mark_intent(&mut self, origin: IntentOrigin) {
        if let Some(intent) = &mut self.intent {
            intent.origin = origin;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sync_job::desired::Adoption;
    use crate::plan::sync_job::ids::{ServicePrincipalId, TemplateId};
    use crate::plan::{
        Next, Pass, Settings,
        sync_job::Managed,
        sync_job::step::{Change, Look, Record, Step},
    };

    #[test]
    fn no_job_is_created_on_the_word_of_a_list_that_lacks_what_the_one_before_showed() {
        let principal = ServicePrincipalId::parse("2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f").unwrap();
        let desired =
            Desired { adoption: Adoption::IfExists, ..Desired::new(principal, TemplateId::parse("scim").unwrap()) };
        let job = ObservedJob { id: "scim.1".to_owned(), ..ObservedJob::default() };
        let mut lists = vec![vec![], vec![job]];
        let world = World { finalizer: true, tenant: Some("t".to_owned()), ..World::unobserved() };
        let settings = Settings::default();
        let mut pass = Pass::new(Managed { desired: &desired, settings: &settings }, world);
        while let Next::Do(step) = pass.next_step() {
            pass.learn(match step {
                Step::Look(Look::Jobs) => Fact::JobsListed(lists.pop().unwrap()),
                Step::Look(Look::Rivals) => Fact::RivalsRead { rivals: Vec::new(), siblings: Vec::new() },
                Step::Record(record @ (Record::Adoption { .. } | Record::ClearIntent)) => record.done(),
                other @ (Step::Look(_) | Step::Record(_) | Step::Change(_)) => panic!("{other:?}"),
            });
        }
        let created = pass.done().iter().any(|(step, _)| *step == Step::Change(Change::CreateJob));
        assert!(!created && pass.verdict().message.contains("a moment later it did not"), "{:?}", pass.verdict());
    }
}
