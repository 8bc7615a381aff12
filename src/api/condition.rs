//! The condition types and the closed list of reasons. Each reason is written here once and documented for people.

/// Types of `status.conditions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionType {
    /// The one summary: the job is as declared.
    Ready,
    /// Work is under way or will be repeated by itself. Present only when True (kstatus).
    Reconciling,
    /// Nothing will change until a person acts. Present only when True (kstatus).
    Stalled,
    /// What the service says of the job: no quarantine, no cycles that fail, no second job beside it.
    Healthy,
    /// The operator does nothing, as declared. Present only when True.
    Suspended,
}

impl ConditionType {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::Healthy => "Healthy",
            Self::Suspended => "Suspended",
        }
    }
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Why a condition has its status. The list is closed: a machine may match on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[doc = $doc])+ $name,)+ }

        impl Reason {
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// What the reason means, as printed in the documentation.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+),)+ }
            }
        }
    };
}

reasons! {
    /// The job exists and the service runs it.
    Running,
    /// The job exists and is paused, as declared.
    Paused,
    /// Somebody paused the job outside of this SyncJob; it is left that way.
    PausedOutOfBand,
    /// Somebody started the job outside of this SyncJob; it is left that way.
    StartedOutOfBand,
    /// The service disabled the job, which it does after four weeks of quarantine.
    DisabledByService,
    /// The job is being created.
    Creating,
    /// A job that was there already is being adopted.
    Adopting,
    /// There is no job that could be adopted, and none may be created.
    NothingToAdopt,
    /// A request to create the job may or may not have been carried out; the operator is looking.
    CreateOutcomeUnknown,
    /// The job was asked to start and Graph does not show it as scheduled yet.
    Starting,
    /// The job was asked to pause and Graph still shows it as scheduled.
    Pausing,
    /// Graph does not show the job yet, or not any more; too early to conclude.
    JobNotVisible,
    /// The job is gone from Entra ID although nobody deleted this SyncJob.
    JobMissing,
    /// The service put the job in quarantine.
    Quarantined,
    /// Whole cycles of the job fail, one after the other.
    CyclesFailing,
    /// The service principal has another job of the same template, which no SyncJob holds.
    SecondJobPresent,
    /// The service reports no trouble with the job.
    InService,
    /// Mode Observe: the job is there and is shown as it is.
    Observed,
    /// Mode Observe: there is no job to show.
    NothingToObserve,
    /// Mode Plan: Manage would change something; see status.plan.
    ChangesPlanned,
    /// Mode Plan: Manage would change nothing.
    NothingToChange,
    /// Mode Suspended: the operator does nothing.
    Suspended,
    /// Microsoft Graph asked to slow down.
    Throttled,
    /// Microsoft Graph could not be reached or answered with an error of its own.
    GraphUnavailable,
    /// The login service could not be reached or answered with an error of its own.
    LoginUnavailable,
    /// The login service refused the operator's credentials.
    CredentialsRejected,
    /// Graph refused a fresh token.
    TokenRejected,
    /// The operator's application lacks a Graph permission, or does not own the service principal.
    PermissionMissing,
    /// No service principal has this object id.
    ServicePrincipalNotFound,
    /// The service principal exists, but Graph does not answer for its provisioning.
    ProvisioningNotReady,
    /// The service principal does not offer this template.
    TemplateNotOffered,
    /// The service principal offers no template yet.
    TemplatesNotReady,
    /// Graph refused to create the job.
    CreateRefused,
    /// Graph refused a change to the job.
    RequestRefused,
    /// The service principal already has a job of this template, which this SyncJob did not create.
    AlreadyExists,
    /// Another SyncJob owns, or is creating, the job of this template and service principal.
    Conflict,
    /// Several jobs could be this SyncJob's; the operator does not guess.
    Ambiguous,
    /// The service principal has more jobs than can be told apart safely.
    TooManyJobs,
    /// The spec cannot be acted on.
    InvalidSpec,
    /// The job is being deleted.
    Deleting,
    /// The object changed while it was being worked on; the work begins anew.
    Interrupted,
    /// The Kubernetes API did not accept a write of the operator.
    ClusterUnavailable,
}
