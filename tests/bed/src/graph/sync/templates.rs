//! The templates that a service principal offers (CONTRACT §2.4, §3.7).

use serde_json::{Value, json};
use uuid::Uuid;

use super::catalog::{self, Field, Template};
use super::{gate, schema};
use crate::graph::http::call::{Answered, Call};
use crate::graph::http::reply::Reply;
use crate::graph::model::clock::seconds;
use crate::graph::model::settings::TemplateSchemas;

pub fn list(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let inline = call.settings().template_schemas != TemplateSchemas::Never;
    let items = visible(call)?.iter().map(|id| shown(call, id, inline)).collect::<Result<_, _>>()?;
    let parent = parent(call);
    call.collection(&format!("{parent}/synchronization/templates"), items)
}

pub fn get(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let id = known(call)?;
    let inline = call.settings().template_schemas == TemplateSchemas::Always;
    let body = shown(call, &id, inline)?;
    let parent = parent(call);
    Ok(Reply::ok(call.entity(&format!("{parent}/synchronization/templates/$entity"), body)))
}

/// What is left out is erased.
pub fn update(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let id = known(call)?;
    let body = call.json()?;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let template = Template {
        description: text("description"),
        factory_tag: text("factoryTag"),
        ..catalog::template(call.tenant()?, &id)
    };
    call.tenant()?.templates.insert(id.clone(), template);
    if body["schema"].is_object() {
        call.principal()?.edited_schemas.insert(id.clone(), body["schema"].clone().into());
    }
    call.commit(None, json!({"templateId": id}));
    Ok(Reply::no_content())
}

/// The template of this route, spelt as it is offered.
pub fn known(call: &mut Call<'_>) -> Result<String, Reply> {
    let wanted = call.param("tpl").to_owned();
    let found = visible(call)?.into_iter().find(|id| *id == wanted);
    found.ok_or_else(|| Reply::error(404, "ResourceNotFound", "The synchronization template does not exist."))
}

/// Nothing for a while after the service principal came to be.
fn visible(call: &mut Call<'_>) -> Result<Vec<String>, Reply> {
    let (quiet, now) = (seconds(call.settings().templates_empty_seconds), call.now());
    let principal = call.principal()?;
    let young = principal.created.is_some_and(|created| now.duration_since(created) < quiet);
    Ok(if young { Vec::new() } else { principal.templates.clone() })
}

fn parent(call: &mut Call<'_>) -> String {
    match call.param("app") {
        "" => format!("servicePrincipals('{}')", call.principal_id()),
        app => format!("applications('{app}')"),
    }
}

fn shown(call: &mut Call<'_>, id: &str, inline: bool) -> Result<Value, Reply> {
    let beta = call.request.segments.first().is_some_and(|version| version == "beta");
    let (sp, parent) = (call.principal_id(), parent(call));
    let tenant = call.tenant()?;
    let (template, schema) = (catalog::template(tenant, id), schema::of_template(tenant, &sp, id));
    let first = call.principal()?.templates.first().is_some_and(|first| first == id);
    let mut body = json!({
        "id": id, "applicationId": gallery_id(id), "default": first, "description": template.description,
        "discoverable": true, "factoryTag": template.factory_tag, "metadata": metadata(id, &template, beta),
    });
    if inline {
        let context = call.context(&format!("{parent}/synchronization/templates('{id}')/schema/$entity"));
        body["schema@odata.context"] = context.into();
        body["schema"] = schema::owned_by(&schema, &format!("{id}.{NO_TENANT}"));
    }
    Ok(body)
}

/// Where the id of a schema within a list has the tenant's.
const NO_TENANT: &str = "00000000000000000000000000000000";

/// The id of the entry in the gallery; the one that was printed, and others made of the template's id.
fn gallery_id(id: &str) -> String {
    match id {
        "aWSSingleSignon" => "21ed01d2-ec13-4e9e-86c1-cd546719ebc4".to_owned(),
        _ => Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("gallery {id}").as_bytes()).to_string(),
    }
}

/// Keys are in camel case on beta, and one may come twice.
fn metadata(id: &str, template: &Template, beta: bool) -> Value {
    let field = |field: &Field| serde_json::to_value(field).unwrap_or_default();
    let fields: Vec<Value> = template.configuration_fields.iter().map(field).collect();
    let pairs = [
        ("ConfigurationFields", Value::Array(fields).to_string()),
        ("IsOAuthEnabled", if template.oauth { "True" } else { "False" }.to_owned()),
        ("IsSynchronizationAgentRequired", "False".to_owned()),
        ("GalleryApplicationIdentifier", gallery_id(id)),
        ("GalleryApplicationKey", id.to_owned()),
        ("IsSynchronizationInPreview", "false".to_owned()),
        ("IsSynchronizationInPreview", "true".to_owned()),
    ];
    let key = |name: &str| {
        let mut letters = name.chars();
        match letters.next() {
            Some(first) if beta => format!("{}{}", first.to_lowercase(), letters.as_str()),
            _ => name.to_owned(),
        }
    };
    pairs.iter().map(|(name, value)| json!({"key": key(name), "value": value})).collect()
}
