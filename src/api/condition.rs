//! The condition types and the closed list of reasons. Each reason is written here once, with what it means
//! and what people do about it.

/// Types of `status.conditions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionType {
    /// The one summary: the job is as declared.
    Ready,
    /// Work is in progress or will be retried. Present only when True (kstatus).
    Reconciling,
    /// Nothing will change until a person acts. Present only when True (kstatus).
    Stalled,
    /// What the service says of the job: no quarantine, no cycles that fail, no second job next to it.
    Healthy,
    /// The operator does nothing, as declared. Present only when True.
    Suspended,
    /// The declared credentials of the connector are saved and the target accepts them, as far as the service's test shows.
    /// Present only where `spec.credentials` declares some.
    CredentialsValid,
    /// The declared mappings are in the schema of the job. Present only where `spec.mappings` declares some.
    MappingsApplied,
    /// The application of a tenant has the permissions in Graph that the operator needs.
    PermissionsGranted,
}

impl ConditionType {
    pub const ALL: [Self; 8] = [
        Self::Ready,
        Self::Reconciling,
        Self::Stalled,
        Self::Healthy,
        Self::CredentialsValid,
        Self::MappingsApplied,
        Self::Suspended,
        Self::PermissionsGranted,
    ];
    /// Those that a SyncJob can have.
    pub const SYNC_JOB: [Self; 7] = [
        Self::Ready,
        Self::Reconciling,
        Self::Stalled,
        Self::Healthy,
        Self::CredentialsValid,
        Self::MappingsApplied,
        Self::Suspended,
    ];
    /// Those that a tenant can have, of either kind.
    pub const TENANT: [Self; 5] =
        [Self::Ready, Self::Reconciling, Self::Stalled, Self::Suspended, Self::PermissionsGranted];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::Healthy => "Healthy",
            Self::CredentialsValid => "CredentialsValid",
            Self::MappingsApplied => "MappingsApplied",
            Self::Suspended => "Suspended",
            Self::PermissionsGranted => "PermissionsGranted",
        }
    }
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident: $remedy:literal,)+) => {
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

            /// What people do about it, in general; the message of a condition knows the case.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)+ }
            }
        }
    };
}

reasons! {
    /// The job exists and the service runs it.
    Running: "Nothing to do.",
    /// The job exists and is paused, as declared.
    Paused: "Nothing to do. To run it, set `spec.state` to Running.",
    /// Somebody paused the job outside of this SyncJob; it is left that way.
    PausedOutOfBand: "Start it in the portal, set `spec.state` to Paused, or set `spec.outOfBandPolicy` to Correct.",
    /// Somebody started the job outside of this SyncJob; it is left that way.
    StartedOutOfBand: "Pause it in the portal, set `spec.state` to Running, or set `spec.outOfBandPolicy` to Correct.",
    /// The service paused the job after its initial cycle, because it had dropped records of entries that failed.
    EscrowsPruned: "Fix what the failing entries have in common (provisioning logs of the application); then ask for a restart.",
    /// Graph does not say whether the job is scheduled; nothing is concluded and nothing is sent.
    RunStateUnknown: "Nothing to do if it passes. If it lasts, look at the job in the portal.",
    /// Somebody deleted the job and set it up once more under the same id: its history is gone, and so may be its mappings.
    JobReplaced: "Check the job in Entra ID. Set `adoption.policy` to IfExists to go on with it, or delete this SyncJob; the job then stays.",
    /// The recorded job belongs to another tenant than the one that the operator logs in to.
    TenantMismatch: "Let the operator log in to the tenant in `status.tenantId`, or let go of the job with `spec.deletionPolicy: Retain` and delete this SyncJob.",
    /// There is no tenant of this kind and name.
    TenantNotFound: "Apply the tenant that `spec.tenantRef` names, or correct the reference. An EntraTenant is looked for in the SyncJob's own namespace only.",
    /// The tenant does not allow this namespace, this service principal or this mode. The job is kept; nothing is read or written for it.
    TenantNotAllowed: "Let the owner of the ClusterEntraTenant add a grant to `spec.allowedNamespaces`, or name another tenant.",
    /// The tenant is suspended: nothing is sent to it.
    TenantSuspended: "Nothing to do. To go on, remove `spec.mode` of the tenant.",
    /// The operator cannot log in to the tenant.
    TenantNotReady: "Look at the condition Ready of the tenant that the message names.",
    /// The service disabled the job, which it does after four weeks of quarantine.
    DisabledByService: "Solve what the message names, then ask for a restart.",
    /// The job is being created.
    Creating: "Wait.",
    /// A job that was there already is being adopted.
    Adopting: "Wait.",
    /// There is no job that could be adopted, and none may be created.
    NothingToAdopt: "Correct or leave out `adoption.jobId`, make the job in Entra ID, or set `adoption.policy` to IfExists.",
    /// A request to create the job may or may not have been carried out; the operator is looking.
    CreateOutcomeUnknown: "Wait for the settle window, three minutes by default. Do not create the job by hand meanwhile.",
    /// The job was asked to start and Graph does not show it as scheduled yet.
    Starting: "Wait. Graph may take a minute or two to show it.",
    /// The job was asked to pause and Graph still shows it as scheduled.
    Pausing: "Wait. A cycle in flight runs to its end first.",
    /// Graph does not show the job yet, or not any more; too early to conclude.
    JobNotVisible: "Wait. It is asked again before anything is concluded. A job that was created and is never shown is not replaced: look for it in the portal, or delete this SyncJob.",
    /// The job is gone from Entra ID although nobody deleted this SyncJob.
    JobMissing: "Set `spec.missingJobPolicy` to Recreate to have a new job once this one has been missing for a day, or delete this SyncJob and apply it again. After a restored service principal, wait up to a day first.",
    /// The service put the job in quarantine.
    Quarantined: "Do what the message says for the service's reason; then ask for a restart, or wait for the service's next attempt.",
    /// Whole cycles of the job fail, one after the other.
    CyclesFailing: "Look at the provisioning logs of the application before the service puts the job in quarantine.",
    /// The service principal has another job of the same template, which no SyncJob holds.
    SecondJobPresent: "Delete the job that nobody needs in Entra ID: two jobs may provision the same accounts.",
    /// The service reports no trouble with the job.
    InService: "Nothing to do.",
    /// The credentials and settings are being read, tested or saved.
    SavingCredentials: "Wait.",
    /// The target accepts the credentials.
    CredentialsAccepted: "Nothing to do.",
    /// The target rejected the credentials in the service's test. This is not about the login of the operator.
    CredentialsRejectedByTarget: "Correct the values in the Secrets that `spec.credentials` names; they are read again at each poll.",
    /// The service could not reach the target in its test, or did not understand its answer.
    TargetUnreachable: "Check the address, DNS, the firewall and the certificate of the target. If the target works and lacks what the test asks for, set `spec.credentialValidation` to Skip.",
    /// The credentials were not tested, or the test gave no clear answer.
    CredentialsUntested: "Nothing to do where `spec.credentialValidation` is Skip. Otherwise check that the target is up; the test is repeated.",
    /// The service principal has credentials that are not declared and that Graph does not show: to save the set would lose them.
    CredentialsIncomplete: "Add the keys that the message names to `spec.credentials`.",
    /// Several SyncJobs of one service principal declare different credentials or settings. None of them is saved.
    CredentialsConflict: "Declare the same credentials and settings in all SyncJobs of the service principal, or in one only.",
    /// Graph shows other credentials or settings than those that were saved less than an hour ago.
    CredentialsNotKept: "Find out who else manages this application. The set is saved again at most once an hour.",
    /// The schema of the job is being read, compared or saved.
    SavingMappings: "Wait.",
    /// The schema of the job has everything that `spec.mappings` declares.
    MappingsInPlace: "Nothing to do.",
    /// The schema was saved less than ten minutes ago; each save has the service evaluate all accounts again, so that the next one waits.
    MappingsPending: "Wait.",
    /// `spec.mappings` names something that the schema of the job does not have, or says something that cannot be right. Nothing of it is saved.
    MappingInvalid: "Correct the entry that the message names.",
    /// `spec.mappings` names something that the schema of the job has more than once.
    MappingAmbiguous: "Set `spec.mappings.ruleName`, or remove the double in Entra ID.",
    /// The synchronization rule is read-only in Entra ID.
    RuleReadOnly: "Take the object mapping out of `spec.mappings`.",
    /// A test of `spec.mappings.tests` failed. Nothing is saved.
    MappingTestFailed: "Correct the expression or the test that the message names.",
    /// The change can deprovision people: nothing is saved without a delete threshold or a confirmation.
    RiskyChange: "Set `spec.deleteThreshold`, or confirm this one change with the annotation `entrain.dev/confirm` and the value of `status.mappings.confirm`.",
    /// Somebody changed mappings of this SyncJob outside of it; they are left that way.
    MappingsChangedOutOfBand: "Change them back in the portal, take them out of `spec.mappings`, or set `spec.outOfBandPolicy` to Correct.",
    /// Graph refused to save the schema.
    MappingsRefused: "Read Graph's answer in the message. The request is repeated slowly.",
    /// A change of settings takes effect only when the job begins from the start.
    RestartNeeded: "Ask for a restart with `entrain.dev/restart-requested-at`, or set `spec.restartAfterChange` to Automatic.",
    /// Mode Observe: the job is there and is shown as it is.
    Observed: "Nothing to do.",
    /// Mode Observe: there is no job to show.
    NothingToObserve: "Make the job in Entra ID, correct `adoption.jobId`, or set `spec.mode` to Manage.",
    /// Mode Plan: Manage would change something; see status.plan.
    ChangesPlanned: "Read `status.plan`; set `spec.mode` to Manage to have it done.",
    /// Mode Plan: Manage would change nothing.
    NothingToChange: "Nothing to do.",
    /// Mode Suspended: the operator does nothing.
    Suspended: "Nothing to do. To go on, remove `spec.mode`.",
    /// Microsoft Graph asked to slow down.
    Throttled: "Nothing to do: the request is repeated when Graph allows it.",
    /// Microsoft Graph could not be reached or answered with an error of its own.
    GraphUnavailable: "Nothing to do if it passes. If it lasts, check the operator's network path to Graph.",
    /// The login service could not be reached or answered with an error of its own.
    LoginUnavailable: "Nothing to do if it passes. If it lasts, check the operator's network path to the login service.",
    /// The login service refused the operator's credentials.
    CredentialsRejected: "Correct what the status of the EntraTenant or ClusterEntraTenant names. For the operator's own login check its tenant id, client id and client secret or federated credential, and restart it after a change of its environment. It recovers without a restart once Entra ID accepts the login.",
    /// Graph refused a fresh token.
    TokenRejected: "Check the cloud, the clock of the node and conditional access policies for workload identities.",
    /// The operator's application lacks a Graph permission, or does not own the service principal.
    PermissionMissing: "Grant Synchronization.ReadWrite.All with admin consent, or Application.ReadWrite.OwnedBy and ownership of the service principal. It recovers by itself.",
    /// No service principal has this object id.
    ServicePrincipalNotFound: "Use the object id of the enterprise application, or restore it. A new one may take minutes to appear.",
    /// The service principal exists, but Graph does not answer for its provisioning.
    ProvisioningNotReady: "Wait some minutes after the application was made. If it lasts, check that the application supports provisioning.",
    /// The service principal does not offer this template.
    TemplateNotOffered: "The message lists what is offered. Delete this SyncJob and apply it with one of these.",
    /// The service principal offers no template yet.
    TemplatesNotReady: "Wait some minutes after the application was made. If it lasts, check that the application supports provisioning.",
    /// Graph refused to create the job.
    CreateRefused: "Read Graph's answer in the message. The request is repeated slowly.",
    /// Graph refused a change to the job.
    RequestRefused: "Read Graph's answer in the message. The request is repeated slowly.",
    /// The service principal already has a job of this template, which this SyncJob did not create.
    AlreadyExists: "Set `adoption.policy` to IfExists or Only to take the job, or delete it in Entra ID to have a new one.",
    /// Another SyncJob owns, or is creating, the job of this template and service principal.
    Conflict: "Delete one of the two SyncJobs. The other takes over by itself.",
    /// Several jobs could be this SyncJob's; the operator does not guess.
    Ambiguous: "Delete the jobs that nobody needs in Entra ID; for an adoption, or in mode Observe, name the one that is meant in `adoption.jobId`.",
    /// The service principal has more jobs than can be distinguished safely.
    TooManyJobs: "Delete the jobs that are no longer needed in Entra ID.",
    /// The spec cannot be acted on.
    InvalidSpec: "Correct the field that the message names.",
    /// The job is being deleted.
    Deleting: "Wait. To let go of the job without deleting it, set `spec.deletionPolicy` to Retain.",
    /// The object changed while it was being worked on; the work starts again.
    Interrupted: "Nothing to do.",
    /// The Kubernetes API did not accept a write of the operator.
    ClusterUnavailable: "If it lasts, check the operator's access to the Kubernetes API: network and RBAC.",
    /// The operator can log in to the tenant.
    LoggedIn: "Nothing to do.",
    /// The certificate ceases to be valid within 14 days.
    CertificateExpiring: "Renew the certificate, register the new one with the application next to the old one, then replace the Secret's content.",
    /// The certificate is not valid any more.
    CertificateExpired: "Renew the certificate, register it with the application, and replace the Secret's content. It is read again within minutes.",
    /// The Secret holds no certificate and key that belong together.
    CertificateInvalid: "Put the certificate (the leaf first) into `tls.crt` and its RSA key into `tls.key`, both as PEM, as cert-manager does.",
    /// There is no Secret of this name.
    SecretNotFound: "Make the Secret: in the namespace of the SyncJob or EntraTenant, in the operator's namespace for a ClusterEntraTenant.",
    /// The Secret does not have this key.
    SecretKeyMissing: "Add the key to the Secret, or name the right one in the reference.",
    /// The value in the Secret cannot be a credential.
    SecretInvalid: "Correct the value. A client secret is one line of printable characters; it is the secret's value, not its id.",
    /// There is no ServiceAccount of this name where the tenant's credentials are.
    ServiceAccountNotFound: "Make the ServiceAccount: in the namespace of an EntraTenant, in the operator's namespace for a ClusterEntraTenant.",
    /// The operator may not request a token for this ServiceAccount.
    TokenRequestForbidden: "Use the ServiceAccount `entrain-workload`, or apply the Role that the message shows.",
    /// Neither the tenant nor the ServiceAccount says which client id to log in with.
    ClientIdMissing: "Set `workloadIdentity.clientId`, or the annotation `azure.workload.identity/client-id` of the ServiceAccount.",
    /// The tenant and the ServiceAccount name different client ids.
    ClientIdMismatch: "Let `workloadIdentity.clientId` and the annotation `azure.workload.identity/client-id` of the ServiceAccount agree, or leave one of them out.",
    /// The login service does not accept the client secret.
    ClientSecretWrong: "Put the value of a valid client secret of the application into the Secret (the value, not its id). It is read again within minutes.",
    /// The client secret has expired.
    ClientSecretExpired: "Make a new client secret for the application and put its value into the Secret. It is read again within minutes.",
    /// The login service does not know the certificate.
    CertificateNotRegistered: "Upload the certificate to the application (Certificates & secrets). It is asked again within minutes.",
    /// The application has no federated credential for this issuer and subject, or Entra ID does not know it everywhere yet.
    FederatedCredentialMissing: "Add a federated credential with issuer, subject and audience of `status.login` to the application. A new one may take ten minutes to be known everywhere.",
    /// The federated credential has another audience than the token.
    FederatedAudienceMismatch: "Set the audience of the federated credential to the one in `status.login.audience`.",
    /// The tenant has no application with this client id.
    ApplicationNotFound: "Correct the client id or `tenantId`. A multi-tenant application needs admin consent in this tenant first.",
    /// The login service does not know the tenant in this cloud.
    TenantIdUnknown: "Correct `tenantId` or `cloud`. Both are immutable: delete this object and apply it again.",
    /// The machine offers no managed identity, or does not answer.
    ManagedIdentityUnavailable: "Assign the identity to the machine that the operator runs on, and let the operator reach 169.254.169.254.",
    /// The machine has several managed identities, and none is named.
    ManagedIdentityAmbiguous: "Name the identity that is meant in `managedIdentity.clientId`.",
    /// The application has the permissions that the operator needs.
    RolesGranted: "Nothing to do.",
    /// The application lacks permissions that the operator needs.
    RolesMissing: "Grant the permissions in `status.permissions.missing` to the application, with admin consent. A new token, within the hour, shows them.",
    /// The login gives no sign of the application's permissions.
    RolesUnknown: "Nothing to do. Without a login, or with a person's login, the permissions show when Graph is used.",
}

impl Reason {
    /// Those that only a tenant can have, of either kind.
    pub const TENANT: &[Self] = &[
        Self::LoggedIn,
        Self::CertificateExpiring,
        Self::CertificateExpired,
        Self::CertificateInvalid,
        Self::ServiceAccountNotFound,
        Self::TokenRequestForbidden,
        Self::ClientIdMissing,
        Self::ClientIdMismatch,
        Self::ClientSecretWrong,
        Self::ClientSecretExpired,
        Self::CertificateNotRegistered,
        Self::FederatedCredentialMissing,
        Self::FederatedAudienceMismatch,
        Self::ApplicationNotFound,
        Self::TenantIdUnknown,
        Self::ManagedIdentityUnavailable,
        Self::ManagedIdentityAmbiguous,
        Self::RolesGranted,
        Self::RolesMissing,
        Self::RolesUnknown,
    ];
}
