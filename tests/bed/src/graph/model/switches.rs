//! The positions of the switches: where CONTRACT.md leaves something open, its alternative is one of these values.

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

switch! {
    /// Which secrets are read back masked: every key whose value is a secret by its name, or only those that somebody saw.
    MaskedKeys { SecretLike, ObservedOnly }
}
switch! {
    /// What a PUT of secrets does whose `value` is an empty list.
    EmptySecretSet { Refused, Clears, Ignored }
}
switch! {
    /// What becomes of a `*` that is written back for a masked key.
    MaskWrittenBack { Stored, Refused }
}
switch! {
    /// What becomes of a saved secret that a PUT does not name.
    LeftOutSecrets { Vanish, Stay }
}
switch! {
    /// How a key in another letter case is taken: as the key of the list, as it was sent, or not at all.
    SecretKeyCase { Canonical, AsSent, Refused }
}
switch! {
    /// What two values for one key do.
    DuplicateSecretKeys { LastWins, Refused }
}
switch! {
    /// How `SyncNotificationSettings` comes back: all members that the service knows, these and the unknown ones, or the
    /// text that was sent.
    NotificationSettings { Whole, WholeAndUnknown, AsSent }
}
switch! {
    /// Whether a PUT of secrets that was accepted has an effect.
    PutSecrets { Kept, Lost }
}
switch! {
    /// The permission class of a read of secrets, which the permission map does not name.
    ReadSecrets { AsWrite, AsRead }
}
switch! {
    /// The status of a test of credentials that fails; `target` is that of the target's answer, where there is one.
    ValidationStatus { BadRequest, NotFound, ServerError, Target }
}
switch! {
    /// The permission class of a test of credentials before there is a job, which the permission map does not name;
    /// `writeAll` takes no ownership for it.
    ValidateWithoutJob { AsWrite, WriteAll }
}
switch! {
    /// The code of a cycle whose target is down: it cannot be reached, hangs, or answers 429 or 5xx.
    OutageInCycles { InvalidCredentials, ServiceIncompatible }
}
switch! {
    /// Whether OAuth client credentials need a first access token among the secrets.
    OauthAccessToken { Seeded, Fetched }
}
switch! {
    /// Who is in scope where `SyncAll` is not among the secrets.
    SyncAllAbsent { Assigned, Everybody }
}
switch! {
    /// When a `SyncAll` that became true takes effect; one that became false waits for a restart.
    SyncAllWidens { NextCycle, AfterRestart }
}
switch! {
    /// Whether the guard counts entries that left because the scope became smaller.
    DeletionGuardReach { ScopeToo, DeletionsOnly }
}
switch! {
    /// What a job of an API-driven inbound application does whose notification settings name nobody.
    InboundWithoutNotifications { Quarantines, Runs }
}
switch! {
    /// The form of a schema's `version` after a change: a date and an activity, a GUID, or a number that grows.
    SchemaVersions { Dated, Guid, Numbered }
}
switch! {
    /// Whether a change gives the directories of a schema the new version, too.
    DirectoryVersions { Stamped, Kept }
}
switch! {
    /// How flow types come back: with a space after each comma, without one, or as they were sent.
    FlowTypes { Spaced, Compact, AsSent }
}
switch! {
    /// The order of a schema's collections: by name, as it was sent, or another one in every answer.
    SchemaOrder { Sorted, AsSent, Shuffled }
}
switch! {
    /// Whether members of a schema that were left out come back with their defaults, those that are null are left out,
    /// or both come back as they were sent.
    AbsentMembers { Filled, Dropped, AsSent }
}
switch! {
    /// What becomes of members of a schema that the service does not know.
    InventedMembers { Dropped, Kept, Refused }
}
switch! {
    /// Whether the sources of mappings come back as the service parses their expressions.
    Expressions { Normalised, AsSent }
}
switch! {
    /// How a schema is refused.
    RefusedSchema { BadRequest, UnknownError, ServerError }
}
switch! {
    /// What a PUT of a schema does that changes a rule which is not editable; `ignored` leaves the rule as it was.
    ReadOnlyRules { Refused, Ignored, Accepted }
}
switch! {
    /// What two mappings of one object mapping to the same target attribute do.
    DuplicateMappings { Kept, Refused }
}
switch! {
    /// The keys of an argument that may come several times: always the same, or with a number.
    RepeatedParameters { SameKey, Numbered }
}
switch! {
    /// Whether there is a route that parses expressions; `byCloud` means everywhere but in China.
    ParseExpression { ByCloud, Present, Missing }
}
switch! {
    /// What an attribute comes to that the test object does not have.
    MissingTestProperty { Null, Fails }
}
switch! {
    /// Which answers about templates carry their schemas.
    TemplateSchemas { Lists, Always, Never }
}
