//! The switches of a tenant: where CONTRACT.md leaves something open, its alternative is one of these values.

use serde::{Deserialize, Serialize};

/// An enum of switch positions; the first is the default.
macro_rules! switch {
    ($(#[$doc:meta])* $name:ident { $first:ident $(, $rest:ident)* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub enum $name {
            #[default]
            $first,
            $($rest,)*
        }
    };
}

switch! {
    /// How a missing permission looks below `/synchronization/`, to an application and to a person.
    MissingPermission { UnknownError401, Denied403 }
}
switch! {
    /// What a second create with the same template does. `secondJob` needs ids that differ, else it is a conflict.
    DuplicateCreate { Conflict, ReturnExisting, Replace, SecondJob }
}
switch! {
    /// How a template is refused that the service principal does not offer.
    WrongTemplate { BadRequest, UnknownError, NotFound }
}
switch! {
    /// The first status code of a job; `byCredentials` is `NotConfigured` until secrets were saved, then `Paused`.
    NewJob { Paused, ByCredentials, NotConfigured }
}
switch! {
    /// The interval that a job shows before its first start: the template's, or the longest there is.
    NewJobInterval { Template, Never }
}
switch! {
    /// How `lastExecution` looks while a cycle runs: with this state, or as the cycle before left it.
    RunningCycle { Failed, Succeeded, Hidden }
}
switch! {
    /// The end of an execution that has none yet.
    RunningCycleEnd { Never, Previous }
}
switch! {
    /// Whether `lastSuccessfulExecution` holds hardly more than its end.
    LastSuccessful { EndOnly, Whole }
}
switch! {
    /// When the first quarantine is looked at again; later waits are 6, 12 and 24 hours in both positions.
    QuarantineRetries { FiveMinutes, SixHours }
}
switch! {
    /// The form of a job id: `{template}.{tenant}.{appId}`, `{template}.{tenant}.{uuid}`, `{template}.{tenant}`, `{uuid}`.
    JobIds { ByApplication, Random, TwoSegments, Guid }
}
switch! {
    /// The schedule state that a pause leaves.
    PauseLeaves { Paused, Disabled }
}
switch! {
    /// When a pause shows while a cycle is in flight.
    PauseTakesEffect { AfterCycle, AtOnce }
}
switch! {
    /// What a start does when the connector needs secrets and none are saved.
    StartWithoutCredentials { RunsThenQuarantines, Refused }
}
switch! {
    /// What an action does that asks for what is already so.
    Repeated { Ignored, Refused }
}
switch! {
    /// What a start of a running job does; `stops` leaves it as a pause would.
    StartRunning { Ignored, Refused, Stops }
}
switch! {
    /// What a restart of a job does that never ran.
    RestartNeverStarted { Starts, Refused }
}
switch! {
    /// What happens to query options on jobs; `$filter=templateId eq '…'` is carried out unless they are refused.
    QueryOptions { Ignored, Refused }
}
switch! {
    /// How the synchronization routes answer while their service principal is soft-deleted.
    DeletedServicePrincipal { NotFound, UnknownError }
}
switch! {
    /// What synchronization routes answer just after the service principal came to be, for `newServicePrincipalSeconds`.
    NewServicePrincipal { NotFound, Unauthorized, Forbidden, Flapping }
}
switch! {
    /// Whether ownership of the service principal makes `Application.ReadWrite.OwnedBy` suffice.
    OwnedBy { Ownership, Refused }
}
switch! {
    /// Whether a switch position that the contract leaves open is in force.
    Accepts { Refused, Accepted }
}
switch! {
    /// `Retry-After` of a 429 that the simulator itself decides.
    RetryAfter { Seconds, None, Fractional, Date }
}
switch! {
    /// The size of the tenant's throttle buckets.
    Throttling { Off, Small, Medium, Large }
}
switch! {
    /// The body of a 429.
    ThrottledCode { TooManyRequests, UnknownError }
}
switch! {
    /// How secret values are read back.
    SecretMask { Star, FirstLetter, Empty }
}
switch! {
    /// The `key` of an on-demand result.
    OnDemandKey { Documented, StatusInfo }
}
switch! {
    /// What on-demand provisioning of an OAuth connector does while its job runs.
    OnDemandWhileRunning { Allowed, Refused }
}
switch! {
    /// The status of a successful create.
    CreateStatus { Created, Ok }
}
switch! {
    /// The status of a successful schema reset.
    SchemaResetStatus { NoContent, Created }
}
switch! {
    /// How routes answer that only the permission map names.
    UnverifiedRoutes { NotFound, NoContent }
}

switch! {
    /// When deletions are held back above a number: with `DeleteThresholdEnabled` in the notification settings, or unless
    /// they say that it is off.
    DeletionGuard { DeleteThresholdEnabled, UnlessDisabled }
}
switch! {
    /// The 404 of a job that is not there.
    MissingJob { ResourceNotFound, RequestResourceNotFound, UnknownError }
}
switch! {
    /// Whether a job that is paused in quarantine keeps the `quarantine` object.
    PausedQuarantine { Cleared, Kept }
}
switch! {
    /// What lists of jobs and templates answer where a service principal offers no template; other routes are refused.
    WithoutTemplates { UnknownError, EmptyLists }
}
switch! {
    /// What a person needs in addition to a directory role: any scope that reads or writes applications, or a Synchronization one.
    PersonScopes { RoleDecides, ScopeToo }
}
switch! {
    /// The national cloud that a tenant is in.
    Cloud { Global, UsGov, UsGovDod, China }
}
switch! {
    /// What login answers to a new federated credential, for `newFederatedCredentialSeconds`: every other request is
    /// refused, or all are.
    NewFederatedCredential { Flapping, Refused }
}

impl Cloud {
    /// The audience of a federated token that was made for this cloud.
    pub fn exchange_audience(self) -> &'static str {
        match self {
            Self::Global => "api://AzureADTokenExchange",
            Self::UsGov | Self::UsGovDod => "api://AzureADTokenExchangeUSGov",
            Self::China => "api://AzureADTokenExchangeChina",
        }
    }
}

impl JobIds {
    /// Whether two jobs of one template on one service principal get different ids.
    pub fn leave_room(self) -> bool {
        match self {
            Self::Random | Self::Guid => true,
            Self::ByApplication | Self::TwoSegments => false,
        }
    }
}

/// Everything that can be set per tenant. Durations are virtual time. An unknown name or value is refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// Verified domains, which login accepts in place of the tenant's id.
    pub domains: Vec<String>,
    pub cloud: Cloud,
    pub new_federated_credential: NewFederatedCredential,
    pub new_federated_credential_seconds: u64,
    /// How long a new or deleted job is seen by only some replicas, or by none.
    pub replication_lag_millis: u64,
    /// The same for the state of a job; `replicationLagMillis` where absent.
    pub status_lag_millis: Option<u64>,
    /// Whether every other request meets the lagging replica while the lag lasts; otherwise all of them do.
    pub flapping: bool,
    pub missing_permission: MissingPermission,
    pub owned_by: OwnedBy,
    /// Whether `Application.ReadWrite.All` and `Directory.ReadWrite.All` open the synchronization routes.
    pub broad_roles: Accepts,
    pub duplicate_create: DuplicateCreate,
    pub wrong_template: WrongTemplate,
    pub new_job: NewJob,
    pub new_job_interval: NewJobInterval,
    pub job_ids: JobIds,
    pub create_status: CreateStatus,
    /// Whether a new job is in no later answer, although its create succeeded.
    pub create_invisible: bool,
    pub pause_leaves: PauseLeaves,
    pub pause_takes_effect: PauseTakesEffect,
    pub start_without_credentials: StartWithoutCredentials,
    pub start_running: StartRunning,
    pub pause_paused: Repeated,
    pub restart_never_started: RestartNeverStarted,
    pub query_options_on_jobs: QueryOptions,
    pub service_principal_deleted: DeletedServicePrincipal,
    pub new_service_principal: NewServicePrincipal,
    pub new_service_principal_seconds: u64,
    /// How long after its creation a service principal lists no templates.
    pub templates_empty_seconds: u64,
    /// How long after a restore the jobs stay away, unless they are restarted.
    pub restore_delay_seconds: u64,
    /// Whether `servicePrincipals(appId='…')/synchronization` works.
    pub addressing_by_app_id: Accepts,
    pub unverified_routes: UnverifiedRoutes,
    pub unknown_secret_keys: Accepts,
    pub secret_mask: SecretMask,
    pub schema_reset_status: SchemaResetStatus,
    pub on_demand_key: OnDemandKey,
    pub on_demand_while_running: OnDemandWhileRunning,
    /// Entries in one page of a collection; 0 is no limit.
    pub page_size: usize,
    /// Whether a skip token that the simulator did not make leads to the first page.
    pub foreign_skip_tokens: Accepts,
    pub cycle_start_delay_seconds: u64,
    pub initial_cycle_seconds: u64,
    pub incremental_cycle_seconds: u64,
    pub running_cycle: RunningCycle,
    pub running_cycle_end: RunningCycleEnd,
    pub last_successful: LastSuccessful,
    pub quarantine_retries: QuarantineRetries,
    pub deletion_guard: DeletionGuard,
    pub missing_job: MissingJob,
    pub paused_quarantine: PausedQuarantine,
    pub without_templates: WithoutTemplates,
    pub person_scopes: PersonScopes,
    pub throttling: Throttling,
    /// In place of the resource units in 10 s that the size gives.
    pub resource_unit_limit: Option<u64>,
    /// In place of 3,000 writes in 150 s.
    pub write_limit: Option<u64>,
    /// In place of 130,000 requests of an application in 10 s, over all tenants.
    pub request_limit: Option<u64>,
    /// In place of 150,000 resource units of an application in 20 s, over all tenants.
    pub application_unit_limit: Option<u64>,
    /// In place of 70,000 writes of an application in 5 minutes, over all tenants.
    pub application_write_limit: Option<u64>,
    /// In place of 18,000 writes in a tenant in 5 minutes, over all applications.
    pub tenant_write_limit: Option<u64>,
    pub retry_after: RetryAfter,
    pub throttled_code: ThrottledCode,
    pub token_lifetime_seconds: i64,
    /// `expires_in` as a string, which some versions of login send.
    pub expires_in_as_text: bool,
    /// Whether a revoked token of a client that can handle it is answered with a claims challenge.
    pub claims_challenges: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            domains: Vec::new(),
            cloud: Cloud::default(),
            new_federated_credential: NewFederatedCredential::default(),
            new_federated_credential_seconds: 0,
            replication_lag_millis: 0,
            status_lag_millis: None,
            flapping: false,
            missing_permission: MissingPermission::default(),
            owned_by: OwnedBy::default(),
            broad_roles: Accepts::Accepted,
            duplicate_create: DuplicateCreate::default(),
            wrong_template: WrongTemplate::default(),
            new_job: NewJob::default(),
            new_job_interval: NewJobInterval::default(),
            job_ids: JobIds::default(),
            create_status: CreateStatus::default(),
            create_invisible: false,
            pause_leaves: PauseLeaves::default(),
            pause_takes_effect: PauseTakesEffect::default(),
            start_without_credentials: StartWithoutCredentials::default(),
            start_running: StartRunning::default(),
            pause_paused: Repeated::default(),
            restart_never_started: RestartNeverStarted::default(),
            query_options_on_jobs: QueryOptions::default(),
            service_principal_deleted: DeletedServicePrincipal::default(),
            new_service_principal: NewServicePrincipal::default(),
            new_service_principal_seconds: 0,
            templates_empty_seconds: 0,
            restore_delay_seconds: 40 * 60,
            addressing_by_app_id: Accepts::default(),
            unverified_routes: UnverifiedRoutes::default(),
            unknown_secret_keys: Accepts::default(),
            secret_mask: SecretMask::default(),
            schema_reset_status: SchemaResetStatus::default(),
            on_demand_key: OnDemandKey::default(),
            on_demand_while_running: OnDemandWhileRunning::default(),
            page_size: 100,
            foreign_skip_tokens: Accepts::Accepted,
            cycle_start_delay_seconds: 300,
            initial_cycle_seconds: 20 * 60,
            incremental_cycle_seconds: 60,
            running_cycle: RunningCycle::default(),
            running_cycle_end: RunningCycleEnd::default(),
            last_successful: LastSuccessful::default(),
            quarantine_retries: QuarantineRetries::default(),
            deletion_guard: DeletionGuard::default(),
            missing_job: MissingJob::default(),
            paused_quarantine: PausedQuarantine::default(),
            without_templates: WithoutTemplates::default(),
            person_scopes: PersonScopes::default(),
            throttling: Throttling::default(),
            resource_unit_limit: None,
            write_limit: None,
            request_limit: None,
            application_unit_limit: None,
            application_write_limit: None,
            tenant_write_limit: None,
            retry_after: RetryAfter::default(),
            throttled_code: ThrottledCode::default(),
            token_lifetime_seconds: 3600,
            expires_in_as_text: false,
            claims_challenges: false,
        }
    }
}
