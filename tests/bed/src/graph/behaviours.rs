//! What the simulator does and how sure we are of it: one table, which the control API prints and the README repeats.

use serde::Serialize;

/// How a behaviour is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Mark {
    /// The vendor's documentation says so.
    Documented,
    /// Somebody met it: an issue, a script, another client.
    Observed,
    /// Nobody knows. There is a switch for the alternative.
    Guessed,
}

use Mark::{Documented, Guessed, Observed};

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Behaviour {
    pub what: &'static str,
    pub mark: Mark,
    /// Section and source tag of CONTRACT.md.
    pub source: &'static str,
    /// The settings of the tenant that change it.
    pub switches: &'static [&'static str],
}

const fn row(what: &'static str, mark: Mark, source: &'static str, switches: &'static [&'static str]) -> Behaviour {
    Behaviour { what, mark, source, switches }
}

#[rustfmt::skip]
pub const ALL: &[Behaviour] = &[
    // Login
    row("AADSTS errors: shape, codes, `error`", Documented, "§8.5 [entra:reference-error-codes]", &[]),
    row("AADSTS errors: HTTP status of each code", Observed, "§8.5", &[]),
    row("a token has no `roles` when nothing was granted", Documented, "§2.1 [entra:v2-oauth2-client-creds-grant-flow]", &[]),
    row("lifetime of a token; `expires_in` as number or string", Documented, "§8.1 [entra:configurable-token-lifetimes]", &["tokenLifetimeSeconds", "expiresInAsText"]),
    row("a tenant is named by id or verified domain", Documented, "§8.1", &["domains"]),
    row("certificate assertion: thumbprint, signature, aud, iss, sub, exp", Documented, "§8.2 [entra:certificate-credentials]", &[]),
    row("an assertion that is presented twice is refused (AADSTS50013)", Guessed, "§12.12", &[]),
    row("federated token: issuer, subject and audience to the letter; RS256 only", Documented, "§8.3 [entra:workload-identity-federation-considerations]", &[]),
    row("federated token for another cloud is refused (AADSTS700212)", Documented, "§8.3 [entra:workload-identity-federation-config-app-trust-managed-identity]", &["cloud"]),
    row("a new federated credential is refused with AADSTS70021, at times even after a success", Documented, "§8.3 [entra:workload-identity-federation-considerations]", &["newFederatedCredentialSeconds"]),
    row("how a new federated credential is refused: every other time, or always", Guessed, "§8.3", &["newFederatedCredential"]),
    row("claims challenge for a revoked token of a capable client", Documented, "§6.4 [entra:claims-challenge]", &["claimsChallenges"]),
    row("managed identity: plain HTTP on an address of its own, numbers as strings, `bad_request_102`; several and none named is 400", Documented, "§8.4 [entra:how-to-use-vm-token]", &[]),
    row("429 of the token endpoint in plain text (by fault)", Observed, "§8.5 [iss:AzureAD/microsoft-authentication-library-for-dotnet#2855]", &[]),
    // Permissions
    row("permission classes; users need a directory role", Documented, "§2.1 [perm] [api:*]", &[]),
    row("with the role a general read scope is enough to read", Observed, "§2.1 [iss:microsoft/zerotrustassessment#1382]", &["personScopes"]),
    row("with the role a general write scope is enough to write", Guessed, "§2.1, §13.24", &["personScopes"]),
    row("a missing permission is 401 `UnknownError` with an empty message, to people too", Observed, "§6.3 [iss:microsoftgraph/microsoft-graph-docs-contrib#8800] [iss:microsoft/zerotrustassessment#1382]", &["missingPermission"]),
    row("OwnedBy counts for owners of the service principal", Observed, "§2.1 [iss:microsoftgraph/microsoft-graph-docs#21813]", &["ownedBy"]),
    row("`Application.ReadWrite.All` and `Directory.ReadWrite.All` open the routes", Observed, "§2.1 [tf]", &["broadRoles"]),
    // Jobs
    row("job id `{template}.{tenant}.{appId}`", Observed, "§4.1 [con:application-provisioning-configure-api]", &["jobIds"]),
    row("a job that is made again has the id of the one before, and no history", Guessed, "§4.1, §13.20", &["jobIds"]),
    row("a create answers 201", Documented, "§2.2 [api:synchronization-synchronization-post-jobs]", &["createStatus"]),
    row("a new job is `Paused`, with schedule `Disabled`, before any secret is saved", Documented, "§4.2 [con:application-provisioning-configure-api]", &["newJob"]),
    row("a new job shows the interval of its template", Documented, "§3.3, §4.2 [entra:cross-tenant-synchronization-configure-graph]", &["newJobInterval"]),
    row("a second create with the same template is 409 `Conflict`", Guessed, "§4.6, §13.1", &["duplicateCreate"]),
    row("a create can succeed and its job be in no later answer", Observed, "§4.6 [iss:MicrosoftDocs/azure-docs#116171]", &["createInvisible"]),
    row("a ghost (by control call) blocks its template and is not deleted", Observed, "§4.6", &[]),
    row("a delete of a ghost answers 500; whether reads show it (by control call)", Guessed, "§4.6, §13.18", &[]),
    row("a template that is not offered is 400 `BadRequest`", Guessed, "§4.9", &["wrongTemplate"]),
    row("`AD2AADProvisioning` is echoed as `ADDCInPassthrough`", Documented, "§3.2 [entra:how-to-inbound-synch-ms-graph]", &[]),
    row("a started job shows a default-filled execution until a cycle has ended", Documented, "§4.2 [entra:application-provisioning-configuration-api]", &[]),
    row("a cycle in flight is an execution without an end, whose state says nothing", Observed, "§4.2 [field]", &["runningCycle"]),
    row("whether that end is zero or the one before", Guessed, "§4.2", &["runningCycleEnd"]),
    row("`progress` is filled during the initial cycle", Documented, "§4.2 [res:synchronization-synchronizationprogress]", &[]),
    row("`lastSuccessfulExecution` has an end, no beginning and one count", Observed, "§4.2 [entra:how-to-inbound-synch-ms-graph]", &["lastSuccessful"]),
    row("a cycle succeeds although entries wait for another attempt", Observed, "§4.2 [entra:how-to-inbound-synch-ms-graph]", &[]),
    row("the service pauses a job whose initial cycle dropped entries in error", Documented, "§4.3 [res:synchronization-synchronizationstatus]", &[]),
    row("start resumes and clears quarantine", Documented, "§4.3 [res:synchronization-synchronizationjob]", &[]),
    row("start of a running job, pause of a stopped one: 204, no change", Guessed, "§4.3, §13.3", &["startRunning", "pausePaused"]),
    row("a start of a running job can stop it", Documented, "§4.3 [api:synchronization-synchronizationjob-start]", &["startRunning"]),
    row("a pause in quarantine clears the `quarantine` object", Guessed, "§3.4, §13.22", &["pausedQuarantine"]),
    row("restart of a job that never ran starts it", Guessed, "§4.3, §13.3", &["restartNeverStarted"]),
    row("a cycle in flight runs to its end before a pause shows", Documented, "§4.3 [entra:known-issues]", &["pauseTakesEffect"]),
    row("a pause leaves the schedule `Paused`", Guessed, "§4.3", &["pauseLeaves"]),
    row("start without credentials runs, and ends in quarantine", Guessed, "§4.3, §13.4", &["startWithoutCredentials"]),
    row("reset scopes: comma-separated, in any case; none or an empty one is the portal's; `None` is a start", Documented, "§3.6 [res:synchronization-synchronizationjobrestartcriteria]", &[]),
    row("cycles every 20 or 40 minutes by template", Documented, "§4.5 [entra:how-provisioning-works]", &[]),
    row("when the first cycle begins, and how long cycles take", Guessed, "§4.5", &["cycleStartDelaySeconds", "initialCycleSeconds", "incrementalCycleSeconds"]),
    row("a change of the schema begins a live job anew", Documented, "§2.3 [entra:how-provisioning-works]", &[]),
    row("first quarantine: count 1, next attempt after 5 minutes", Documented, "§4.4 [con:application-provisioning-configure-api]", &["quarantineRetries"]),
    row("quarantine: retries thin out to 6, 12, 24 h, then daily; disabled after 28 days", Documented, "§4.4 [entra:application-provisioning-quarantine-status]", &["quarantineRetries"]),
    row("deletions from the threshold on quarantine with `TooManyDeletes`", Documented, "§3.9, §4.4 [entra:how-to-inbound-synch-ms-graph]", &[]),
    row("the deletion guard is off until the notification settings switch it on", Documented, "§3.9 [entra:accidental-deletions]", &["deletionGuard"]),
    row("its number: of the notification settings, else of the job's settings, else 500", Guessed, "§3.9, §13.19", &["deletionGuard", "deleteThresholdDefault"]),
    row("the guard counts entries that left with the scope", Guessed, "§3.9, §13.19", &["deletionGuardReach"]),
    row("`SyncAll` decides between everybody and those who are assigned; true to false takes effect after a restart", Documented, "§3.10 [entra:known-issues]", &[]),
    row("without `SyncAll` those are in scope who are assigned", Guessed, "§3.10, §13.31", &["syncAllAbsent"]),
    row("false to true takes effect in the next cycle", Guessed, "§3.10, §13.31", &["syncAllWidens"]),
    row("`SkipOutOfScopeDeletions` leaves entries in the target that left the scope, not across tenants", Documented, "§3.10 [entra:skip-out-of-scope-deletions]", &[]),
    row("an API-driven inbound job whose notification settings name nobody goes into quarantine; its code is a guess", Documented, "§4.4 [entra:inbound-provisioning-api-issues]", &["inboundWithoutNotifications"]),
    row("new secrets lift no quarantine; the next attempt, a start or a restart does", Documented, "§4.4 [entra:application-provisioning-quarantine-status]", &[]),
    row("a job's settings: one, two or nine by template", Documented, "§3.9 [entra:how-to-inbound-synch-ms-graph]", &[]),
    row("a missing job is 404 `ResourceNotFound`", Guessed, "§4.9, §13.16", &["missingJob"]),
    row("query options on jobs are ignored", Guessed, "§5.1, §13.7", &["queryOptionsOnJobs"]),
    row("`$filter=templateId eq '…'` on jobs works; paths are taken in any letter case", Observed, "§1, §5.1 [field]", &["queryOptionsOnJobs"]),
    row("routes that only the permission map names are unknown", Guessed, "§2.2, §13.8", &["unverifiedRoutes"]),
    row("unknown routes and PATCH of a schema: 404 `UnknownError` with JSON in the message", Observed, "§6.3 [iss:microsoftgraph/msgraph-sdk-python#820]", &[]),
    // Replication, service principals
    row("new, deleted and changed jobs are shown late, by some replicas", Observed, "§4.7 [tf]", &["replicationLagMillis", "statusLagMillis", "flapping"]),
    row("a new service principal lists no templates for a while", Observed, "§4.7 [field]", &["templatesEmptySeconds"]),
    row("a new service principal answers 404, 401, 403 or flaps", Observed, "§4.7 [field]", &["newServicePrincipal", "newServicePrincipalSeconds"]),
    row("the routes of a soft-deleted service principal answer 404 `Request_ResourceNotFound`", Guessed, "§4.9, §13.6", &["servicePrincipalDeleted"]),
    row("after a restore the jobs stay away for 40 minutes, or until a restart", Documented, "§4.9 [entra:delete-recover-faq]", &["restoreDelaySeconds"]),
    row("after 30 days a deleted service principal is gone for good, with its jobs", Documented, "§4.9 [entra:delete-recover-faq]", &[]),
    row("`servicePrincipals(appId='…')/synchronization` is no route", Guessed, "§1 [iss:microsoftgraph/msgraph-sdk-python#961] [api:synchronization-synchronizationjob-restart]", &["addressingByAppId"]),
    row("no templates at all, or an application's id: `UnknownError`", Observed, "§4.9 [iss:hashicorp/terraform-provider-azuread#1099]", &["withoutTemplates"]),
    // Schema, secrets, on demand
    row("lists of templates carry the schemas; `applicationId` is that of the gallery, and a key of `metadata` may come twice", Observed, "§3.7 [api:synchronization-synchronization-list-templates]", &["templateSchemas"]),
    row("a schema is replaced as a whole", Documented, "§2.3 [api:synchronization-synchronizationschema-update]", &[]),
    row("a change gives a schema a new `version`", Documented, "§3.8 [res:synchronization-synchronizationschema]", &[]),
    row("the new version names a date and an activity, and the directories get it too", Observed, "§3.8 [iss:microsoftgraph/msgraph-sdk-powershell#2643]", &["schemaVersions", "directoryVersions"]),
    row("collections of a schema have no order: the service sorts", Documented, "§3.8 [entra:how-to-inbound-synch-ms-graph]", &["schemaOrder"]),
    row("flow types come back with other spaces than they were sent with", Guessed, "§3.8, §13.32", &["flowTypes"]),
    row("members of a schema that were left out come back with their defaults", Guessed, "§3.8, §13.32", &["absentMembers"]),
    row("members of a schema that the service does not know are tolerated and dropped", Guessed, "§3.8, §13.32", &["inventedMembers"]),
    row("the source of a mapping comes back as the service parses its expression", Guessed, "§3.8, §13.32", &["expressions"]),
    row("two mappings to one attribute are both kept, and both come back", Documented, "§3.8 [entra:how-to-inbound-synch-ms-graph]", &["duplicateMappings"]),
    row("an unknown rule, an expression of more than 10,000 characters and one that cannot be parsed are refused; the status and body are a guess", Documented, "§3.8, §13.33 [entra:known-issues]", &["refusedSchema"]),
    row("a PUT that changes or leaves out a rule that is not editable is refused", Guessed, "§3.8, §13.33", &["readOnlyRules"]),
    row("a read shows the schema before a change for a while, by some replicas", Guessed, "§4.7, §13.32", &["schemaLagMillis", "flapping"]),
    row("`parseExpression` normalises, and leaves out parameters that were left out", Documented, "§3.11 [api:synchronization-synchronizationschema-parseexpression]", &[]),
    row("eight operators and 14 functions are listed", Documented, "§3.11 [api:synchronization-synchronizationschema-filteroperators] [api:synchronization-synchronizationschema-functions]", &[]),
    row("keys of repeated arguments and of what `=` compares", Guessed, "§3.11, §13.34", &["repeatedParameters"]),
    row("functions that are not listed are accepted, and those that the simulator does not know are not evaluated", Guessed, "§3.11, §13.34", &["unknownFunctions"]),
    row("expressions are parsed in every cloud but China's", Guessed, "§3.11, §13.34", &["parseExpression", "cloud"]),
    row("an attribute that the test object lacks is null", Guessed, "§3.11, §13.34", &["missingTestProperty"]),
    row("a reset of the schema answers 204", Documented, "§2.3 [api:synchronization-synchronizationschema-delete]", &["schemaResetStatus"]),
    row("secrets are replaced as a whole and survive the job", Documented, "§2.4 [entra:skip-out-of-scope-deletions]", &["leftOutSecrets"]),
    row("a secret with an empty value vanishes", Observed, "§2.4 [tf] [iss:microsoftgraph/msgraph-metadata#347]", &[]),
    row("`SyncNotificationSettings` cannot be emptied: 400 `UnknownError` with `InvalidNotificationSettings` in the message", Observed, "§3.10 [iss:microsoftgraph/msgraph-metadata#347]", &[]),
    row("`SyncNotificationSettings` comes back whole, in the service's order", Observed, "§3.10 [iss:MicrosoftDocs/entra-docs#2084]", &["notificationsReadBack"]),
    row("members of it that the service does not know are dropped", Guessed, "§3.10, §13.27", &["notificationsReadBack"]),
    row("`SecretToken` and `ClientSecret` are read back masked, as `*`", Observed, "§3.10 [iss:MicrosoftDocs/azure-docs#55184]", &["secretMask"]),
    row("so are the other keys whose names say that they are secret", Guessed, "§3.10, §13.10", &["maskedKeys"]),
    row("an unknown secret key is refused, and nothing of the set is kept", Observed, "§3.10 [field]", &["unknownSecretKeys"]),
    row("a secret key is taken in any letter case, and comes back as the list spells it", Guessed, "§3.10, §13.25", &["secretKeyCase"]),
    row("of two values for one key the last is kept", Guessed, "§13.25", &["duplicateSecretKeys"]),
    row("the value of a secret is text, and nothing else", Guessed, "§3.10, §13.25", &["nonTextSecrets"]),
    row("an empty list of secrets is refused", Guessed, "§3.10, §13.17", &["emptySecretSet"]),
    row("a `*` that is written back is stored as it is", Guessed, "§3.10, §13.17", &["maskWrittenBack"]),
    row("a PUT of secrets can be accepted and have no effect", Guessed, "§13.26", &["putSecrets"]),
    row("reads of secrets show an older set for a while, by some replicas", Observed, "§4.7 [tf]", &["secretsLagMillis", "flapping"]),
    row("1 KB for all secrets in the US government clouds; how it is counted and refused is open", Documented, "§3.10 [entra:known-issues]", &["cloud", "secretsLimitBytes"]),
    row("a read of secrets needs what a write needs", Guessed, "§2.1, §13.28", &["readSecrets"]),
    row("a test of credentials that fails is 400 with a code of the connector; a cycle has other codes", Observed, "§2.5 [con:application-provisioning-configure-api]", &[]),
    row("a test can fail with another status", Guessed, "§2.5, §13.29", &["validationStatus"]),
    row("the message of a test that fails repeats what the target answered (the target's text by control call)", Observed, "§2.5", &[]),
    row("codes of connectors other than SCIM and Salesforce (others by control call)", Guessed, "§2.5, §13.30", &[]),
    row("the code of a cycle whose target is down is that of bad credentials", Guessed, "§2.5, §13.30", &["outageInCycles"]),
    row("OAuth client credentials stand for a token, and need a first access token", Observed, "§3.10 [field]", &["oauthAccessToken"]),
    row("a test without a job needs what a write needs", Guessed, "§2.1, §13.28", &["validateWithoutJob"]),
    row("on-demand result: JSON inside strings, with one of two keys", Observed, "§2.6 [iss:manicminer/hamilton#203]", &["onDemandKey"]),
    row("on demand works while the job of an OAuth connector runs", Guessed, "§2.6 [entra:provision-on-demand]", &["onDemandWhileRunning"]),
    // Transport
    row("pages with opaque, absolute links", Documented, "§5.2 [con:paging]", &["pageSize"]),
    row("a skip token of somebody else's making leads to the first page", Guessed, "§5.2", &["foreignSkipTokens"]),
    row("batches: 20 parts, `dependsOn`, 424, a 429 for one part", Documented, "§5.3 [con:json-batching]", &[]),
    row("resource units and writes for each application and tenant", Documented, "§7.1 [con:throttling-limits]", &["throttling", "resourceUnitLimit", "writeLimit"]),
    row("an application's buckets over all tenants, and a tenant's over all applications", Documented, "§7.1 [con:throttling-limits]", &["requestLimit", "applicationUnitLimit", "applicationWriteLimit", "tenantWriteLimit"]),
    row("on demand 5 in 10 s, uploads 40 in 5 s and 6,000 in 24 h, always", Documented, "§2.6, §2.7 [api:synchronization-synchronizationjob-provisionondemand]", &[]),
    row("a batch costs what its parts cost", Documented, "§5.3 [con:json-batching]", &[]),
    row("synchronization counts as identity and access", Guessed, "§7.1, §13.9", &["resourceUnitLimit"]),
    row("`Retry-After` on a 429", Documented, "§7.3 [con:throttling]", &["retryAfter"]),
    row("the body of a 429", Observed, "§6.3 [con:throttling]", &["throttledCode"]),
];

impl Behaviour {
    /// A line of the README's table.
    pub fn line(&self) -> String {
        let mark = format!("{:?}", self.mark).to_lowercase();
        let switches: Vec<String> = self.switches.iter().map(|name| format!("`{name}`")).collect();
        format!("| {} | {mark} | {} | {} |", self.what, self.source, switches.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::graph::model::settings::Settings;

    #[test]
    fn every_switch_is_in_the_table_and_every_switch_of_the_table_exists() {
        let settings = serde_json::to_value(Settings::default()).unwrap();
        let known: BTreeSet<&str> = settings.as_object().unwrap().keys().map(String::as_str).collect();
        let named: BTreeSet<&str> = ALL.iter().flat_map(|row| row.switches).copied().collect();
        assert_eq!(named, known);
    }

    #[test]
    fn every_section_that_the_table_names_is_in_the_contract() {
        let contract = include_str!("../../CONTRACT.md");
        let is_there = |section: &str| match section.split_once('.') {
            Some(("12", item)) => contract.contains(&format!("\n{item}. ")),
            Some(("13", item)) => contract.contains(&format!("\n| {item} | ")),
            Some(_) => contract.contains(&format!("\n### {section} ")),
            None => contract.contains(&format!("\n## {section}. ")),
        };
        for row in ALL {
            for section in row.source.split('§').skip(1) {
                let section = section.split([',', ' ']).next().unwrap_or_default();
                assert!(is_there(section), "tests/bed/CONTRACT.md has no §{section}, which is named for: {}", row.what);
            }
        }
        assert!(!is_there("4.77") && !is_there("13.99"));
    }

    #[test]
    fn the_readme_repeats_the_table() {
        let readme = include_str!("../../README.md");
        let missing: Vec<String> = ALL.iter().map(Behaviour::line).filter(|line| !readme.contains(line)).collect();
        assert!(missing.is_empty(), "tests/bed/README.md lacks:\n{}", missing.join("\n"));
    }
}
