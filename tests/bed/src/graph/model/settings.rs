//! The settings of a tenant, most of which are switches between what CONTRACT.md leaves open.

use serde::{Deserialize, Serialize};
use smart_default::SmartDefault;

pub use super::switches::*;

/// Everything that can be set per tenant. Durations are virtual time. An unknown name or value is refused.
#[derive(Clone, Debug, SmartDefault, Serialize, Deserialize)]
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
    #[default(Accepts::Accepted)]
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
    #[default(40 * 60)]
    pub restore_delay_seconds: u64,
    /// Whether `servicePrincipals(appId='…')/synchronization` works.
    pub addressing_by_app_id: Accepts,
    pub unverified_routes: UnverifiedRoutes,
    pub unknown_secret_keys: Accepts,
    pub secret_mask: SecretMask,
    pub masked_keys: MaskedKeys,
    pub empty_secret_set: EmptySecretSet,
    pub mask_written_back: MaskWrittenBack,
    pub left_out_secrets: LeftOutSecrets,
    pub secret_key_case: SecretKeyCase,
    pub duplicate_secret_keys: DuplicateSecretKeys,
    /// Whether the value of a secret may be a number or a Boolean.
    pub non_text_secrets: Accepts,
    pub notifications_read_back: NotificationSettings,
    pub put_secrets: PutSecrets,
    /// How long a replica shows the set of secrets before.
    pub secrets_lag_millis: u64,
    /// How many bytes the values may have together; 1,024 in the US government clouds where absent, else no limit.
    pub secrets_limit_bytes: Option<u64>,
    pub read_secrets: ReadSecrets,
    pub validation_status: ValidationStatus,
    pub validate_without_job: ValidateWithoutJob,
    pub outage_in_cycles: OutageInCycles,
    pub oauth_access_token: OauthAccessToken,
    pub inbound_without_notifications: InboundWithoutNotifications,
    pub sync_all_absent: SyncAllAbsent,
    pub sync_all_widens: SyncAllWidens,
    pub schema_reset_status: SchemaResetStatus,
    pub template_schemas: TemplateSchemas,
    /// How long a replica shows the schema of a job as it was before a change.
    pub schema_lag_millis: u64,
    pub schema_versions: SchemaVersions,
    pub directory_versions: DirectoryVersions,
    pub flow_types: FlowTypes,
    pub schema_order: SchemaOrder,
    pub absent_members: AbsentMembers,
    pub invented_members: InventedMembers,
    pub expressions: Expressions,
    pub refused_schema: RefusedSchema,
    pub read_only_rules: ReadOnlyRules,
    pub duplicate_mappings: DuplicateMappings,
    pub repeated_parameters: RepeatedParameters,
    /// Whether expressions may use functions that the simulator does not know.
    #[default(Accepts::Accepted)]
    pub unknown_functions: Accepts,
    pub parse_expression: ParseExpression,
    pub missing_test_property: MissingTestProperty,
    pub on_demand_key: OnDemandKey,
    pub on_demand_while_running: OnDemandWhileRunning,
    /// Entries in one page of a collection; 0 is no limit.
    #[default(100)]
    pub page_size: usize,
    /// Whether a skip token that the simulator did not make leads to the first page.
    #[default(Accepts::Accepted)]
    pub foreign_skip_tokens: Accepts,
    #[default(300)]
    pub cycle_start_delay_seconds: u64,
    #[default(20 * 60)]
    pub initial_cycle_seconds: u64,
    #[default(60)]
    pub incremental_cycle_seconds: u64,
    pub running_cycle: RunningCycle,
    pub running_cycle_end: RunningCycleEnd,
    pub last_successful: LastSuccessful,
    pub quarantine_retries: QuarantineRetries,
    pub deletion_guard: DeletionGuard,
    pub deletion_guard_reach: DeletionGuardReach,
    /// The number of deletions from which on the guard holds them back where nobody named one.
    #[default(500)]
    pub delete_threshold_default: u64,
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
    #[default(3600)]
    pub token_lifetime_seconds: i64,
    /// `expires_in` as a string, which some versions of login send.
    pub expires_in_as_text: bool,
    /// Whether a revoked token of a client that can handle it is answered with a claims challenge.
    pub claims_challenges: bool,
}
