//! Applications and service principals: read, filtered, soft-deleted and restored (CONTRACT §4.7 to §4.9, §5.1).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::http::call::{Answered, Call};
use super::http::reply::Reply;
use super::http::route::Line;
use super::model::tenant::{Application, ServicePrincipal, Tenant};
use super::permissions::Access::{DirectoryRead, DirectoryWrite};

#[rustfmt::skip]
pub const ROUTES: &[Line] = &[
    ("GET", "servicePrincipals", "listServicePrincipals", DirectoryRead, list_principals),
    ("GET", "servicePrincipals/{sp}", "getServicePrincipal", DirectoryRead, get_principal),
    ("DELETE", "servicePrincipals/{sp}", "deleteServicePrincipal", DirectoryWrite, delete_principal),
    ("GET", "servicePrincipals/{sp}/owners", "listOwners", DirectoryRead, list_owners),
    ("GET", "applications", "listApplications", DirectoryRead, list_applications),
    ("GET", "applications/{id}", "getApplication", DirectoryRead, get_application),
    ("POST", "applicationTemplates/{id}/instantiate", "instantiate", DirectoryWrite, instantiate),
    ("GET", "directory/deletedItems/microsoft.graph.servicePrincipal", "listDeleted", DirectoryRead, list_deleted),
    ("GET", "directory/deletedItems/{sp}", "getDeleted", DirectoryRead, get_deleted),
    ("DELETE", "directory/deletedItems/{sp}", "purge", DirectoryWrite, purge),
    ("POST", "directory/deletedItems/{sp}/restore", "restore", DirectoryWrite, restore),
];

fn principal(id: &str, found: &ServicePrincipal) -> Value {
    json!({
        "id": id, "appId": found.app_id, "displayName": found.display_name, "accountEnabled": true,
        "servicePrincipalType": "Application", "deletedDateTime": found.deleted.map(super::model::clock::text),
    })
}

/// Those that were put, and one for each application that signs in.
fn principals(tenant: &Tenant) -> Vec<Value> {
    let put = tenant.service_principals.iter().filter(|(_, found)| found.deleted.is_none());
    let mut all: Vec<Value> = put.map(|(id, found)| principal(id, found)).collect();
    for (app_id, app) in tenant.applications.iter().filter(|(_, app)| app.service_principal) {
        if !tenant.service_principals.values().any(|found| found.app_id == *app_id) {
            let shown = ServicePrincipal {
                app_id: app_id.clone(),
                display_name: app.display_name.clone(),
                ..ServicePrincipal::default()
            };
            all.push(principal(&tenant.principal_of(app_id), &shown));
        }
    }
    all
}

fn applications(tenant: &Tenant) -> Vec<Value> {
    let shown =
        |app_id: &str, name: &str| json!({"id": tenant.application_id(app_id), "appId": app_id, "displayName": name});
    let mut all: Vec<Value> =
        tenant.applications.iter().map(|(app_id, app)| shown(app_id, &app.display_name)).collect();
    for found in tenant.service_principals.values() {
        if !tenant.applications.contains_key(&found.app_id) {
            all.push(shown(&found.app_id, &found.display_name));
        }
    }
    all
}

fn list_principals(call: &mut Call<'_>) -> Answered {
    let all = principals(call.tenant()?);
    answer(call, "servicePrincipals", all)
}

fn list_applications(call: &mut Call<'_>) -> Answered {
    let all = applications(call.tenant()?);
    answer(call, "applications", all)
}

fn list_deleted(call: &mut Call<'_>) -> Answered {
    let deleted = call.tenant()?.service_principals.iter().filter(|(_, found)| found.deleted.is_some());
    let all = deleted.map(|(id, found)| principal(id, found)).collect();
    answer(call, "directoryObjects", all)
}

fn list_owners(call: &mut Call<'_>) -> Answered {
    let owners = call.principal()?.owners.clone();
    call.collection("directoryObjects", owners.iter().map(|id| json!({"id": id})).collect())
}

fn get_principal(call: &mut Call<'_>) -> Answered {
    let wanted = call.param("sp").to_owned();
    let by_app = wanted.strip_prefix("appId=").map(str::to_owned);
    let all = principals(call.tenant()?);
    let found =
        all.into_iter().find(|known| by_app.as_ref().map_or(known["id"] == wanted, |app| known["appId"] == *app));
    single(call, "servicePrincipals", found, &wanted)
}

fn get_application(call: &mut Call<'_>) -> Answered {
    let wanted = call.param("id").to_owned();
    let by_app = wanted.strip_prefix("appId=").map(str::to_owned);
    let all = applications(call.tenant()?);
    let found =
        all.into_iter().find(|known| by_app.as_ref().map_or(known["id"] == wanted, |app| known["appId"] == *app));
    single(call, "applications", found, &wanted)
}

fn get_deleted(call: &mut Call<'_>) -> Answered {
    let wanted = call.param("sp").to_owned();
    let found = call.tenant()?.service_principals.get(&wanted).filter(|found| found.deleted.is_some());
    let found = found.map(|found| principal(&wanted, found));
    single(call, "directoryObjects", found, &wanted)
}

fn single(call: &Call<'_>, context: &str, found: Option<Value>, wanted: &str) -> Answered {
    let found = found.ok_or_else(|| Reply::object_not_found(wanted))?;
    let shown = select(found, call.request.query("$select"));
    Ok(Reply::ok(call.entity(&format!("{context}/$entity"), shown)))
}

/// A collection as the query wants it.
fn answer(call: &Call<'_>, context: &str, all: Vec<Value>) -> Answered {
    let kept = match call.request.query("$filter") {
        None => all,
        Some(filter) => {
            let (name, value) = equality(filter).ok_or_else(|| {
                Reply::error(400, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified.")
            })?;
            all.into_iter().filter(|known| known[&name] == value).collect()
        }
    };
    let shown = kept.into_iter().map(|known| select(known, call.request.query("$select"))).collect();
    call.collection(context, shown)
}

/// `property eq 'value'`, with quotes doubled inside.
pub fn equality(filter: &str) -> Option<(String, String)> {
    let (name, value) = filter.split_once(" eq ")?;
    let inner = value.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    let plain = inner.replace("''", "\u{0}");
    (!plain.contains('\'')).then(|| (name.trim().to_owned(), plain.replace('\u{0}', "'")))
}

fn select(entity: Value, select: Option<&str>) -> Value {
    let (Some(select), Value::Object(members)) = (select, &entity) else { return entity };
    let wanted: Vec<&str> = select.split(',').map(str::trim).collect();
    let kept: Map<String, Value> = members
        .iter()
        .filter(|(name, _)| wanted.contains(&name.as_str()))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect();
    Value::Object(kept)
}

/// Soft: it can come back within 30 days.
fn delete_principal(call: &mut Call<'_>) -> Answered {
    let now = call.now();
    call.principal()?.deleted = Some(now);
    call.commit(None, Value::Null);
    Ok(Reply::no_content())
}

fn deleted(call: &mut Call<'_>) -> Result<String, Reply> {
    let wanted = call.param("sp").to_owned();
    let known = call.tenant()?.service_principals.get(&wanted).is_some_and(|found| found.deleted.is_some());
    if known { Ok(wanted) } else { Err(Reply::object_not_found(&wanted)) }
}

fn restore(call: &mut Call<'_>) -> Answered {
    let (id, now) = (deleted(call)?, call.now());
    if let Some(found) = call.tenant()?.service_principals.get_mut(&id) {
        found.restore(now);
    }
    call.commit(None, Value::Null);
    let body = principal(&id, call.principal()?);
    Ok(Reply::ok(call.entity("directoryObjects/$entity", body)))
}

fn purge(call: &mut Call<'_>) -> Answered {
    let id = deleted(call)?;
    call.commit(None, Value::Null);
    call.tenant()?.service_principals.remove(&id);
    Ok(Reply::no_content())
}

/// Templates by the id of their gallery entry.
#[rustfmt::skip]
const GALLERY: [(&str, &str); 6] = [
    ("8adf8e6e-67b2-4cf2-a259-e3dc5476c621", "scim"), ("01303a13-8322-4e06-bee5-80d612907131", "gsuite"),
    ("8b1025e4-1dd2-430b-a150-2ef79cd700f5", "aws"), ("518e5f48-1fc8-4c48-9387-9fdf28b0dfe7", "Azure2Azure"),
    ("1a4721b3-e57f-4451-ae87-ef078703ec94", "AD2AADProvisioning"), ("40d8f01e-b0d7-4b4f-938b-05190712e598", "API2AAD"),
];

/// Makes an application and its service principal from a gallery entry.
fn instantiate(call: &mut Call<'_>) -> Answered {
    let wanted = call.param("id").to_owned();
    let found = GALLERY.iter().find(|(id, _)| *id == wanted).map(|(_, template)| (*template).to_owned());
    let template = found.ok_or_else(|| Reply::object_not_found(&wanted))?;
    let name = call.json()?["displayName"].as_str().unwrap_or_default().to_owned();
    let (id, app_id, now) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string(), call.now());
    let made = ServicePrincipal {
        app_id: app_id.clone(),
        display_name: name.clone(),
        templates: vec![template],
        owners: vec![call.caller.object_id.clone()],
        created: Some(now),
        ..ServicePrincipal::default()
    };
    let shown = principal(&id, &made);
    let tenant = call.tenant()?;
    tenant.applications.insert(app_id.clone(), Application { display_name: name.clone(), ..Application::default() });
    tenant.service_principals.insert(id.clone(), made);
    let application = json!({"id": tenant.application_id(&app_id), "appId": app_id, "displayName": name});
    call.params.push(("sp", id));
    call.commit(None, Value::Null);
    Ok(Reply::json(201, json!({"application": application, "servicePrincipal": shown})))
}
