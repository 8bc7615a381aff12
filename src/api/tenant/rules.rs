//! Admission rules that both kinds of tenant share.

use kube::core::{Reason, Rule};

pub fn name() -> Rule {
    Rule::new("size(self.metadata.name) <= 63")
        .message("metadata.name must be no longer than 63 characters, so that names derived from it stay valid")
}

pub fn tenant_id() -> Rule {
    Rule::new("self.tenantId.matches('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')")
        .message("`tenantId` must be the id of the Entra tenant, a GUID such as '2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f' (not a domain name)")
        .field_path(".tenantId")
}

/// Another spelling of the same id is no change.
pub fn tenant_id_stays() -> Rule {
    Rule::new("self.tenantId.lowerAscii() == oldSelf.tenantId.lowerAscii()")
        .message("`tenantId` must not change: the jobs of the SyncJobs that name this object belong to that tenant. Create a second object for the other tenant")
        .reason(Reason::FieldValueForbidden)
        .field_path(".tenantId")
}

/// To leave `cloud` out is to say Global.
pub fn cloud_stays() -> Rule {
    Rule::new("(has(self.cloud) ? self.cloud : 'Global') == (has(oldSelf.cloud) ? oldSelf.cloud : 'Global')")
        .message("`cloud` must not change: a tenant belongs to one cloud. Create a second object for the other cloud")
        .reason(Reason::FieldValueForbidden)
        .field_path(".cloud")
}

pub fn one_of_three() -> Rule {
    Rule::new("[has(self.credential.workloadIdentity), has(self.credential.clientSecret), has(self.credential.certificate)].exists_one(member, member)")
        .message("`credential` must have exactly one of `workloadIdentity`, `clientSecret` and `certificate`")
        .field_path(".credential")
}

pub fn one_of_five() -> Rule {
    Rule::new("[has(self.credential.workloadIdentity), has(self.credential.clientSecret), has(self.credential.certificate), has(self.credential.operatorIdentity), has(self.credential.managedIdentity)].exists_one(member, member)")
        .message("`credential` must have exactly one of `workloadIdentity`, `clientSecret`, `certificate`, `operatorIdentity` and `managedIdentity`")
        .field_path(".credential")
}
