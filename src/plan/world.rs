//! What is known: what the cluster and Graph said, and how long ago. Built by `observe`, grown by facts.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::desired::{Adoption, Desired};
use super::requests::{Answers, Requests, look_is_due};
use super::step::Fact;
use super::trouble::{Trouble, TroubleKind};
use crate::api::{EntryCount, Execution, HandledRestart, JobOrigin, Mode, QuarantineStatus, RestartResult, RunState};

/// A job as Graph listed it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedJob {
    pub id: String,
    pub template_id: Option<String>,
    /// Graph's status code, for display and for quarantine.
    pub code: Option<String>,
    /// Graph's schedule state; only "Active" means that cycles run.
    pub schedule_state: Option<String>,
    pub interval: Option<String>,
    /// What is only shown.
    pub shown: Box<Shown>,
    /// Whether another SyncJob holds it, as far as the watch knows.
    pub held_by_other: bool,
}

/// The parts of a job on which nothing is decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    pub last_execution: Option<Execution>,
    pub last_success_time: Option<Time>,
    pub successive_failure_count: i64,
    pub steady_state_since_time: Option<Time>,
    pub entries: Vec<EntryCount>,
    pub troubleshooting_url: Option<String>,
    pub quarantine: Option<QuarantineStatus>,
}

/// Two jobs that differ only in what is shown may share a hash.
impl Hash for ObservedJob {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.id, &self.template_id, &self.code, &self.schedule_state, self.held_by_other).hash(state);
    }
}

impl ObservedJob {
    pub fn scheduled(&self) -> bool {
        self.schedule_state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case("Active"))
    }

    pub fn quarantined(&self) -> bool {
        self.code.as_deref().is_some_and(|code| code.eq_ignore_ascii_case("Quarantine"))
    }

    pub fn run_state(&self) -> RunState {
        if self.scheduled() { RunState::Running } else { RunState::Paused }
    }
}

/// The run state that was last asked for, or found to be as declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunView {
    pub state: RunState,
    /// Since Graph accepted the request; `None` if the job was found that way.
    pub asked: Option<Duration>,
    /// Whether Graph has shown it since.
    pub reached: bool,
}

impl RunView {
    /// A request of a moment ago.
    pub fn asked(state: RunState) -> Self {
        Self { state, asked: Some(Duration::ZERO), reached: false }
    }
}

/// Another SyncJob for the same service principal and template that has an intent or a job.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rival {
    /// `namespace/name`, for messages.
    pub name: String,
    pub job_id: Option<String>,
    /// Whether the rival comes before this SyncJob in the order (creation time, uid) that all of them agree on.
    pub precedes: bool,
}

/// What is known of rivals. Only an uncached read made after our own intent was written may allow a create.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Rivals {
    /// From the watch cache: good enough to stay away, never to go ahead.
    Cached(Vec<Rival>),
    /// Read from the API server after the intent of this pass was recorded.
    Read(Vec<Rival>),
}

impl Rivals {
    pub fn known(&self) -> &[Rival] {
        match self {
            Self::Cached(rivals) | Self::Read(rivals) => rivals,
        }
    }
}

/// How an intent relates to this pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntentOrigin {
    /// Written in this pass; its request has not been sent.
    Recorded,
    /// Written earlier by this process, which knows that it never sent the request.
    Unsent,
    /// The request was sent and provably not carried out.
    Refused,
    /// Anything else: the request may have been, or may yet be, carried out.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IntentView {
    pub baseline: Vec<String>,
    /// The job to be adopted; `None` when one is to be created.
    pub adopt: Option<String>,
    pub origin: IntentOrigin,
    /// Since this process first saw the intent, on a monotonic clock.
    pub age: Duration,
}

/// What is known about one SyncJob and its job.
#[expect(clippy::struct_excessive_bools, reason = "each is one thing learnt, and none excludes another")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub deletion_requested: bool,
    pub finalizer: bool,
    pub intent: Option<IntentView>,
    pub job_id: Option<String>,
    pub origin: Option<JobOrigin>,
    /// Since `job_id` was recorded.
    pub bound_for: Duration,
    /// The service principal was gone after the job had been recorded, and the job has not been seen since.
    pub service_principal_lost: bool,
    pub rivals: Rivals,
    /// All jobs of the service principal, if they were listed in this pass.
    pub jobs: Option<Vec<ObservedJob>>,
    /// Whether that list is one that was answered a moment before this pass.
    pub jobs_recalled: bool,
    /// Lists in a row, over several passes, that did not show what was looked for.
    pub absences: u32,
    /// Graph answered 404 for the list of jobs or for the job to be deleted.
    pub not_found: bool,
    pub service_principal_exists: Option<bool>,
    pub templates: Option<Vec<String>>,
    /// The answer to the create request of this pass, not yet bound.
    pub created: Option<ObservedJob>,
    /// A job of ours that this SyncJob can no longer hold.
    pub surplus: Option<String>,
    pub job_deleted: bool,
    pub run: Option<RunView>,
    /// What people ask for by annotation.
    pub requests: Requests,
    pub handled_reconcile: Option<String>,
    pub handled_restart: Option<HandledRestart>,
    /// The restart tokens that were answered, the newest first.
    pub handled_restarts: Vec<String>,
    /// Nobody has written down yet that this SyncJob was looked at: what it asks for may be of an earlier life.
    pub unseen: bool,
    /// Whether the restart that was recorded in this pass has still to be sent.
    pub restart_due: bool,
    pub trouble: Option<Trouble>,
    /// Why the create request of this pass was refused.
    pub refusal: Option<Trouble>,
    /// Passes in a row that ended in trouble.
    pub failures: u32,
}

impl World {
    /// A world in which nothing has been asked yet.
    pub fn unobserved() -> Self {
        Self {
            deletion_requested: false,
            finalizer: false,
            intent: None,
            job_id: None,
            origin: None,
            bound_for: Duration::ZERO,
            service_principal_lost: false,
            rivals: Rivals::Cached(Vec::new()),
            jobs: None,
            jobs_recalled: false,
            absences: 0,
            not_found: false,
            service_principal_exists: None,
            templates: None,
            created: None,
            surplus: None,
            job_deleted: false,
            run: None,
            requests: Requests::default(),
            handled_reconcile: None,
            handled_restart: None,
            handled_restarts: Vec::new(),
            unseen: false,
            restart_due: false,
            trouble: None,
            refusal: None,
            failures: 0,
        }
    }

    /// What a step taught us.
    #[must_use]
    pub fn with(mut self, fact: Fact, desired: &Desired) -> Self {
        match fact {
            Fact::FinalizerAdded => self.finalizer = true,
            Fact::FinalizerRemoved => self.finalizer = false,
            Fact::JobsListed(jobs) => {
                let seen = self.sought_is_in(&jobs, desired);
                self.absences = if seen { 0 } else { self.absences.saturating_add(1) };
                (self.jobs, self.jobs_recalled) = (Some(jobs), false);
            }
            Fact::JobsRecalled(jobs) => (self.jobs, self.jobs_recalled) = (Some(jobs), true),
            Fact::NotFound => {
                self.not_found = true;
                self.absences = self.absences.saturating_add(1);
            }
            Fact::ServicePrincipalLookedUp { exists } => self.service_principal_exists = Some(exists),
            Fact::TemplatesListed(templates) => self.templates = Some(templates),
            Fact::IntentRecorded { baseline } => self.recorded(baseline, None),
            Fact::AdoptionRecorded { id } => self.recorded(Vec::new(), Some(id)),
            Fact::IntentCleared => self.intent = None,
            Fact::RivalsRead(rivals) => self.rivals = Rivals::Read(rivals),
            Fact::JobCreated(job) => self.created = Some(job),
            Fact::CreateRefused(trouble) => {
                self.mark_intent(IntentOrigin::Refused);
                self.refusal = Some(trouble);
            }
            Fact::CreateUnknown(trouble) => {
                self.mark_intent(IntentOrigin::Unknown);
                self.trouble = Some(trouble);
            }
            Fact::JobBound { id } => self.bound(id, JobOrigin::Created),
            Fact::JobAdopted { id } => self.bound(id, JobOrigin::Adopted),
            Fact::JobForgotten => (self.job_id, self.origin, self.run, self.absences) = (None, None, None, 0),
            Fact::BindLost { id } => {
                self.surplus = Some(id);
                self.created = None;
                self.intent = None;
            }
            Fact::SurplusDeleted => self.surplus_deleted(),
            Fact::RunStateRequested => self.run = Some(RunView::asked(desired.run_state)),
            Fact::RestartRecorded { token } => self.restart_recorded(&token),
            Fact::RestartAnswered { result, message } => self.restart_answered(result, message),
            Fact::JobDeleted => self.job_deleted = true,
            Fact::Trouble(trouble) => self.trouble = Some(trouble),
        }
        self
    }

    fn recorded(&mut self, baseline: Vec<String>, adopt: Option<String>) {
        self.rivals = Rivals::Cached(self.rivals.known().to_vec());
        self.intent = Some(IntentView { baseline, adopt, origin: IntentOrigin::Recorded, age: Duration::ZERO });
    }

    fn bound(&mut self, id: String, origin: JobOrigin) {
        (self.job_id, self.origin, self.bound_for) = (Some(id), Some(origin), Duration::ZERO);
        (self.intent, self.absences) = (None, 0);
        if let Some(job) = self.created.take() {
            self.jobs.get_or_insert_default().push(job);
        }
    }

    /// What is known of the object is older than the loss of its intent, so nothing may be begun on it.
    fn surplus_deleted(&mut self) {
        self.surplus = None;
        self.trouble = Some(Trouble {
            kind: TroubleKind::ObjectChanged,
            detail: "The intent to create the job was withdrawn by somebody else.".to_owned(),
            trace: None,
            retry_after: None,
        });
    }

    fn restart_recorded(&mut self, token: &str) {
        let answers = Answers::recording(token, self);
        (self.handled_restart, self.handled_restarts) = (answers.last_handled_restart, answers.handled_restarts);
        self.restart_due = true;
    }

    /// A restarted job is scheduled, and everything that was listed of it is out of date.
    fn restart_answered(&mut self, result: RestartResult, message: String) {
        if let Some(handled) = &mut self.handled_restart {
            (handled.result, handled.message) = (result, message);
        }
        self.restart_due = false;
        if result == RestartResult::Accepted {
            (self.run, self.jobs) = (Some(RunView::asked(RunState::Running)), None);
        }
    }

    /// The job that this SyncJob is bound to, if the list of this pass shows it.
    pub fn bound_job(&self) -> Option<&ObservedJob> {
        let id = self.job_id.as_ref()?;
        self.jobs.as_ref()?.iter().find(|job| &job.id == id)
    }

    /// The job that is shown: the recorded one or, where nothing is recorded in the mode, the one that is meant.
    pub fn subject(&self, desired: &Desired) -> Option<&ObservedJob> {
        if self.job_id.is_some() || desired.mode == Mode::Manage { self.bound_job() } else { self.meant(desired) }
    }

    /// The job that the wish means as long as none is recorded: the one that it names, or the only one of its template.
    pub fn meant(&self, desired: &Desired) -> Option<&ObservedJob> {
        let jobs = self.jobs.as_deref().unwrap_or_default();
        if let Adoption::Named(id) = &desired.adoption {
            return jobs.iter().find(|job| &job.id == id);
        }
        let mut made = jobs.iter().filter(|job| desired.template.made(job));
        made.next().filter(|_| made.next().is_none())
    }

    /// Whether everything was as declared when it was last looked at, and nobody asks for a look right now. A look that
    /// failed is not made good by what was seen before it.
    pub fn at_rest(&self, desired: &Desired) -> bool {
        let reached = self.run.is_some_and(|run| run.reached && run.state == desired.run_state);
        reached && self.failures == 0 && self.absences == 0 && !look_is_due(self)
    }

    /// Jobs of our template beside the recorded one, which no other SyncJob is known to hold.
    pub fn second_jobs<'a>(&'a self, desired: &'a Desired) -> impl Iterator<Item = &'a ObservedJob> {
        let own = self.job_id.as_deref();
        let beside = move |job: &&ObservedJob| own.is_some_and(|own| own != job.id) && !job.held_by_other;
        self.jobs.iter().flatten().filter(beside).filter(|job| desired.template.made(job))
    }

    /// Jobs that the outstanding intent may have made: of our template, not there before, and nobody else's.
    pub fn candidates<'a>(&'a self, desired: &'a Desired) -> impl Iterator<Item = &'a ObservedJob> {
        self.newcomers().filter(|job| desired.template.made(job))
    }

    /// Jobs that appeared after the baseline was taken and that no other SyncJob is known to hold.
    pub fn newcomers(&self) -> impl Iterator<Item = &ObservedJob> {
        let baseline = self.intent.as_ref().map_or(&[][..], |intent| &intent.baseline);
        self.jobs.iter().flatten().filter(move |job| !baseline.contains(&job.id) && !self.held_by_rival(&job.id))
    }

    pub(super) fn held_by_rival(&self, id: &str) -> bool {
        self.rivals.known().iter().any(|rival| rival.job_id.as_deref() == Some(id))
    }

    fn sought_is_in(&self, jobs: &[ObservedJob], desired: &Desired) -> bool {
        match (&self.job_id, &self.intent) {
            (Some(id), _) => jobs.iter().any(|job| &job.id == id),
            (None, Some(intent)) => jobs.iter().any(|job| {
                desired.template.made(job) && !intent.baseline.contains(&job.id) && !self.held_by_rival(&job.id)
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
