//! What is known: what the cluster and Graph said, and how long ago. Built by `observe`, grown by facts.

use std::time::Duration;

use super::desired::Desired;
use super::step::Fact;
use super::trouble::Trouble;

/// A job as Graph listed it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ObservedJob {
    pub id: String,
    pub template_id: Option<String>,
    /// Graph's status code, for display and for quarantine.
    pub code: Option<String>,
    /// Graph's schedule state; only "Active" means that cycles run.
    pub schedule_state: Option<String>,
    pub interval: Option<String>,
}

impl ObservedJob {
    pub fn scheduled(&self) -> bool {
        self.schedule_state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case("Active"))
    }

    pub fn quarantined(&self) -> bool {
        self.code.as_deref().is_some_and(|code| code.eq_ignore_ascii_case("Quarantine"))
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
    pub origin: IntentOrigin,
    /// Since this process first saw the intent, on a monotonic clock.
    pub age: Duration,
}

/// What is known about one SyncJob and its job.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub deletion_requested: bool,
    pub finalizer: bool,
    pub intent: Option<IntentView>,
    pub job_id: Option<String>,
    /// Since `job_id` was recorded.
    pub bound_for: Duration,
    pub rivals: Rivals,
    /// All jobs of the service principal, if they were listed in this pass.
    pub jobs: Option<Vec<ObservedJob>>,
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
    /// Since this process last sent a start or a pause that was accepted.
    pub run_requested: Option<Duration>,
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
            bound_for: Duration::ZERO,
            rivals: Rivals::Cached(Vec::new()),
            jobs: None,
            absences: 0,
            not_found: false,
            service_principal_exists: None,
            templates: None,
            created: None,
            surplus: None,
            job_deleted: false,
            run_requested: None,
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
                self.jobs = Some(jobs);
            }
            Fact::NotFound => {
                self.not_found = true;
                self.absences = self.absences.saturating_add(1);
            }
            Fact::ServicePrincipalLookedUp { exists } => self.service_principal_exists = Some(exists),
            Fact::TemplatesListed(templates) => self.templates = Some(templates),
            Fact::IntentRecorded { baseline } => {
                self.rivals = Rivals::Cached(self.rivals.known().to_vec());
                self.intent = Some(IntentView { baseline, origin: IntentOrigin::Recorded, age: Duration::ZERO });
            }
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
            Fact::JobBound { id } => {
                self.job_id = Some(id);
                self.bound_for = Duration::ZERO;
                self.intent = None;
                self.absences = 0;
                if let Some(job) = self.created.take() {
                    self.jobs.get_or_insert_default().push(job);
                }
            }
            Fact::BindLost { id } => {
                self.surplus = Some(id);
                self.created = None;
            }
            Fact::SurplusDeleted => self.surplus = None,
            Fact::RunStateRequested => self.run_requested = Some(Duration::ZERO),
            Fact::JobDeleted => self.job_deleted = true,
            Fact::Trouble(trouble) => self.trouble = Some(trouble),
        }
        self
    }

    /// The job that this SyncJob is bound to, if the list of this pass shows it.
    pub fn bound_job(&self) -> Option<&ObservedJob> {
        let id = self.job_id.as_ref()?;
        self.jobs.as_ref()?.iter().find(|job| &job.id == id)
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
