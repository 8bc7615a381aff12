//! What is known: what the cluster and Graph showed, and how long ago. Built by `observe`, grown by facts.

mod fold;
pub mod observe;

use std::time::Duration;

use crate::api::{Answers, JobOrigin, Mode, RunState};
use crate::plan::common::trouble::Trouble;
use crate::plan::sync_job::desired::{Adoption, Desired};
use crate::plan::sync_job::mappings;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::running::requests::Requests;
use crate::plan::sync_job::secrets::View;

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
    /// A recent request.
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

/// A SyncJob for the same service principal and another template that has an intent or a job.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sibling {
    /// `namespace/name`, for messages.
    pub name: String,
    /// `None` while only its intent stands.
    pub job_id: Option<String>,
}

/// What is known of rivals. Only what holds every write before our own intent may allow a create.
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
    /// Since this process first saw the record of a job, where somebody else has taken that record away.
    pub record_lost: Option<Duration>,
    /// The tenant that the operator logs in to, once that is known.
    pub tenant: Option<String>,
    /// The tenant that the job or the intent was recorded for; `None` where an older version recorded it.
    pub recorded_tenant: Option<String>,
    /// Whether a list has shown the recorded job.
    pub seen: bool,
    /// Whether the recorded job has shown a history.
    pub lived: bool,
    /// Since lists of an existing service principal have lacked the recorded job.
    pub missing_for: Option<Duration>,
    /// The service principal was gone after the job had been recorded, and the job has not been seen since.
    pub service_principal_lost: bool,
    pub rivals: Rivals,
    /// As up to date as `rivals`.
    pub siblings: Vec<Sibling>,
    /// All jobs of the service principal, if they were listed in this pass.
    pub jobs: Option<Vec<ObservedJob>>,
    /// Whether the recorded job stands in `jobs` by the word of its create answer only.
    pub from_answer: bool,
    /// Whether that list is one that was answered a moment before this pass.
    pub jobs_recalled: bool,
    /// Lists in a row, over several passes, that did not show what was looked for.
    pub absences: u32,
    /// Since the first of these lists.
    pub absent_for: Duration,
    /// Graph answered 404 for the list of jobs.
    pub not_found: bool,
    /// Graph answered 404 to the deletion of the job.
    pub delete_not_found: bool,
    /// Since this process, or one before it, may have sent a deletion whose outcome nobody knows.
    pub delete_unknown_for: Option<Duration>,
    /// Whether the CRD of SyncJobs is being deleted, and every SyncJob with it.
    pub definition_going: Option<bool>,
    /// Whether the namespace of the SyncJob is being deleted, and everything in it.
    pub namespace_terminating: Option<bool>,
    /// For how long there has been no login, over several passes.
    pub no_login_for: Duration,
    pub service_principal_exists: Option<bool>,
    pub templates: Option<Vec<String>>,
    /// The answer to the create request of this pass, not yet bound.
    pub created: Option<ObservedJob>,
    pub job_deleted: bool,
    pub run: Option<RunView>,
    /// What people ask for by annotation.
    pub requests: Requests,
    /// What became of those that were answered.
    pub answers: Answers,
    /// Nobody has written down yet that this SyncJob was looked at: what it asks for may be of an earlier life.
    pub unseen: bool,
    /// Whether the restart that was recorded in this pass has still to be sent.
    pub restart_due: bool,
    /// Credentials and settings of the service principal.
    pub secrets: View,
    /// The part of the job's schema that this SyncJob owns.
    pub mappings: mappings::View,
    pub trouble: Option<Trouble>,
    /// Why the create request of this pass was refused.
    pub refusal: Option<Trouble>,
    /// Passes in a row that ended in trouble.
    pub failures: u32,
    /// Those of them that were about the deletion of the SyncJob.
    pub failures_in_deletion: u32,
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
            record_lost: None,
            tenant: None,
            recorded_tenant: None,
            seen: false,
            lived: false,
            missing_for: None,
            service_principal_lost: false,
            rivals: Rivals::Cached(Vec::new()),
            siblings: Vec::new(),
            jobs: None,
            from_answer: false,
            jobs_recalled: false,
            absences: 0,
            absent_for: Duration::ZERO,
            not_found: false,
            delete_not_found: false,
            delete_unknown_for: None,
            definition_going: None,
            namespace_terminating: None,
            no_login_for: Duration::ZERO,
            service_principal_exists: None,
            templates: None,
            created: None,
            job_deleted: false,
            run: None,
            requests: Requests::default(),
            answers: Answers::default(),
            unseen: false,
            restart_due: false,
            secrets: View::default(),
            mappings: mappings::View::default(),
            trouble: None,
            refusal: None,
            failures: 0,
            failures_in_deletion: 0,
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
        let mut made = jobs.iter().filter(|job| job.made_from(&desired.template));
        made.next().filter(|_| made.next().is_none())
    }

    /// Whether everything was as declared when it was last looked at, and nobody asks for a look right now. A look that
    /// failed is not made good by what was seen before it.
    pub fn at_rest(&self, desired: &Desired) -> bool {
        let reached = self.run.is_some_and(|run| run.reached && run.state == desired.run_state);
        reached && self.failures == 0 && self.absences == 0 && !self.look_is_due()
    }

    /// Whether somebody asks for a look that has not been taken.
    pub(in crate::plan) fn look_is_due(&self) -> bool {
        self.requests.reconcile.is_some() && self.requests.reconcile != self.answers.last_handled_reconcile
    }

    /// The world as mode Manage would find it: it would have put its finalizer on the object.
    pub(in crate::plan) fn as_managed(&self) -> Self {
        Self { finalizer: true, ..self.clone() }
    }

    /// Jobs of our template other than the recorded one, which no other SyncJob is known to hold.
    pub fn second_jobs<'a>(&'a self, desired: &'a Desired) -> impl Iterator<Item = &'a ObservedJob> {
        let own = self.job_id.as_deref();
        let second = move |job: &&ObservedJob| own.is_some_and(|own| own != job.id) && !job.held_by_other;
        self.jobs.iter().flatten().filter(second).filter(|job| job.made_from(&desired.template))
    }

    /// Jobs that the outstanding intent may have made: of our template, not there before, nobody else's, and without a life
    /// of their own, since a job is started only after its id was recorded.
    pub fn candidates<'a>(&'a self, desired: &'a Desired) -> impl Iterator<Item = &'a ObservedJob> {
        self.newcomers().filter(|job| job.made_from(&desired.template) && !job.lives())
    }

    /// Jobs that appeared after the baseline was taken and that no other SyncJob is known to hold.
    pub fn newcomers(&self) -> impl Iterator<Item = &ObservedJob> {
        let baseline = self.intent.as_ref().map_or(&[][..], |intent| &intent.baseline);
        self.jobs.iter().flatten().filter(move |job| !baseline.contains(&job.id) && !self.is_held(&job.id))
    }

    /// Whether another SyncJob holds the job, of whatever template.
    pub(in crate::plan) fn is_held(&self, id: &str) -> bool {
        let rivals = self.rivals.known().iter().filter_map(|rival| rival.job_id.as_deref());
        rivals.chain(self.siblings.iter().filter_map(|sibling| sibling.job_id.as_deref())).any(|held| held == id)
    }

    /// Whether the list of this pass shows the recorded job.
    pub fn seen_in_list(&self) -> bool {
        self.bound_job().is_some() && !self.from_answer
    }
}
