//! Who may do what (CONTRACT §2.1): application permissions, ownership, and users with directory roles.

use super::http::reply::Reply;
use super::model::settings::{Accepts, MissingPermission, OwnedBy, PersonScopes, ReadSecrets};
use super::model::{Caller, Delegated, Model};

/// The permission class of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// No token at all: login itself.
    Open,
    /// Any valid token.
    Token,
    DirectoryRead,
    DirectoryWrite,
    /// R
    Read,
    /// W
    Write,
    /// Of secrets, which the permission map does not name.
    ReadSecrets,
    /// W*: ownership is not enough.
    WriteAll,
    /// D
    Discover,
    /// U
    Upload,
}

const APPLICATION_ADMINISTRATOR: &str = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3";
const CLOUD_APPLICATION_ADMINISTRATOR: &str = "158c047a-c907-4556-b7ef-446551a6b5f7";
const HYBRID_IDENTITY_ADMINISTRATOR: &str = "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2";
const OWNED_BY: &str = "Application.ReadWrite.OwnedBy";

/// The template id of a directory role that is given by name or id.
pub fn directory_role(name: &str) -> String {
    match name {
        "Application Administrator" => APPLICATION_ADMINISTRATOR,
        "Cloud Application Administrator" => CLOUD_APPLICATION_ADMINISTRATOR,
        "Hybrid Identity Administrator" => HYBRID_IDENTITY_ADMINISTRATOR,
        other => other,
    }
    .to_owned()
}

/// Refuses as the tenant is set to.
pub fn check(model: &Model, caller: &Caller, access: Access, service_principal: Option<&str>) -> Result<(), Reply> {
    let access = match (access, model.settings(&caller.tenant_id).read_secrets) {
        (Access::ReadSecrets, ReadSecrets::AsWrite) => Access::Write,
        (Access::ReadSecrets, ReadSecrets::AsRead) => Access::Read,
        (named, _) => named,
    };
    let allowed = match &caller.delegated {
        Some(user) => user_may(user, access, model.settings(&caller.tenant_id).person_scopes),
        None => application_may(model, caller, access, service_principal),
    };
    let synchronization = !matches!(access, Access::DirectoryRead | Access::DirectoryWrite);
    if allowed {
        Ok(())
    } else if synchronization {
        Err(missing(model.settings(&caller.tenant_id).missing_permission))
    } else {
        Err(denied())
    }
}

fn missing(how: MissingPermission) -> Reply {
    match how {
        MissingPermission::UnknownError401 => Reply::error(401, "UnknownError", ""),
        MissingPermission::Denied403 => denied(),
    }
}

fn denied() -> Reply {
    Reply::error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

fn user_may(user: &Delegated, access: Access, needs: PersonScopes) -> bool {
    let scope = |wanted: &[&str]| user.scopes.iter().any(|scope| wanted.contains(&scope.as_str()));
    let administrator = user.directory_roles.iter().any(|role| {
        [APPLICATION_ADMINISTRATOR, CLOUD_APPLICATION_ADMINISTRATOR, HYBRID_IDENTITY_ADMINISTRATOR]
            .contains(&role.as_str())
    });
    let writes = scope(&["Application.ReadWrite.All", "Directory.ReadWrite.All"]);
    let reads = writes || scope(&["Application.Read.All", "Directory.Read.All"]);
    let role_decides = needs == PersonScopes::RoleDecides;
    let synchronizes = scope(&["Synchronization.ReadWrite.All"]);
    match access {
        Access::Open | Access::Token => true,
        Access::DirectoryRead => reads,
        Access::DirectoryWrite => administrator && writes,
        Access::Read | Access::ReadSecrets => {
            administrator && (synchronizes || scope(&["Synchronization.Read.All"]) || (role_decides && reads))
        }
        Access::Write | Access::WriteAll => administrator && (synchronizes || (role_decides && writes)),
        Access::Discover => administrator && scope(&["Directory.ReadWrite.All"]),
        Access::Upload => scope(&["SynchronizationData-User.Upload"]),
    }
}

fn application_may(model: &Model, caller: &Caller, access: Access, service_principal: Option<&str>) -> bool {
    let settings = model.settings(&caller.tenant_id);
    let any = |wanted: &[&str]| caller.roles.iter().any(|role| wanted.contains(&role.as_str()));
    let owns = service_principal.is_some_and(|id| owner(model, caller, id));
    let owned = any(&[OWNED_BY]) && owns;
    let owned_jobs = owned && settings.owned_by == OwnedBy::Ownership;
    let broad =
        settings.broad_roles == Accepts::Accepted && any(&["Application.ReadWrite.All", "Directory.ReadWrite.All"]);
    match access {
        Access::Open | Access::Token => true,
        Access::DirectoryRead => {
            // A caller with OwnedBy sees the directory, but changes only what it owns.
            any(&[
                "Application.Read.All",
                "Application.ReadWrite.All",
                "Directory.Read.All",
                "Directory.ReadWrite.All",
                OWNED_BY,
            ])
        }
        Access::DirectoryWrite => any(&["Application.ReadWrite.All", "Directory.ReadWrite.All"]) || owned,
        Access::Read | Access::ReadSecrets => {
            owned_jobs || broad || any(&["Synchronization.Read.All", "Synchronization.ReadWrite.All"])
        }
        Access::Write => owned_jobs || broad || any(&["Synchronization.ReadWrite.All"]),
        Access::WriteAll => any(&["Synchronization.ReadWrite.All"]),
        Access::Discover => owned_jobs || any(&["Directory.ReadWrite.All"]),
        Access::Upload => {
            any(&["SynchronizationData-User.Upload"]) || (any(&["SynchronizationData-User.Upload.OwnedBy"]) && owns)
        }
    }
}

/// Ownership counts at the service principal, not at the application.
fn owner(model: &Model, caller: &Caller, service_principal: &str) -> bool {
    let tenant = model.tenants.get(&caller.tenant_id);
    let found = tenant.and_then(|tenant| tenant.find(service_principal));
    found.is_some_and(|(_, found)| found.owners.contains(&caller.object_id))
}

/// Schemas whose mappings use custom security attributes need a further permission.
pub fn check_custom_attributes(model: &Model, caller: &Caller, write: bool) -> Result<(), Reply> {
    let granted = caller.delegated.as_ref().map_or(&caller.roles, |user| &user.scopes);
    let has = |name: &str| granted.iter().any(|known| known == name);
    let enough = has("CustomSecAttributeProvisioning.ReadWrite.All")
        || (!write && has("CustomSecAttributeProvisioning.Read.All"));
    if enough { Ok(()) } else { Err(missing(model.settings(&caller.tenant_id).missing_permission)) }
}
