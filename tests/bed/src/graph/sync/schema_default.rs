//! The schema that a connector begins with where a test gives none: small, made up by us, with the rule ids and the forms
//! that are published (CONTRACT §3.8, §3.12).

use serde_json::{Value, json};
use uuid::Uuid;

use super::catalog::Template;
use crate::graph::fixtures::parts::{
    attributes, back_end, directory, hidden_mapping, mapping, metadata, object, object_mapping, rule,
};

const FLOWS: &str = "Add, Update, Delete";
const SOURCE: &str = "Microsoft Entra ID";
const USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

pub fn schema(id: &str, template_id: &str, template: &Template) -> Value {
    let scim = is_scim(template);
    let target = if template.target_directory == SOURCE {
        "Microsoft Entra ID (target tenant)"
    } else {
        template.target_directory.as_str()
    };
    let (user, group) = if scim { (USER, GROUP) } else { ("User", "Group") };
    let defaults = json!([back_end(user, &[("IsSoftDeleted", Some("False"), 0)]), back_end(group, &[])]).to_string();
    let meta = metadata(&[("defaultSourceObjectMappings", &defaults), ("supportsProvisionOnDemand", "true")]);
    let mut mappings = vec![object_mapping(
        "Provision Microsoft Entra ID Users",
        "User",
        user,
        FLOWS,
        &[
            mapping("userName", "[userPrincipalName]", None, 1),
            mapping("active", r#"Switch([IsSoftDeleted], , "False", "True", "True", "False")"#, None, 0),
            mapping("displayName", "[displayName]", None, 0),
            mapping("locale", "", Some("en-US"), 0),
        ],
    )];
    if scim {
        mappings.push(object_mapping(
            "Provision Microsoft Entra ID Groups",
            "Group",
            group,
            FLOWS,
            &[
                mapping("displayName", "[displayName]", None, 1),
                mapping("externalId", "[objectId]", None, 0),
                mapping("members", "[members]", None, 0),
            ],
        ));
    }
    mappings.push(hidden_mapping("Role", FLOWS, &[mapping("id", "", None, 1)]));
    let mut rule = rule(&rule_id(template_id, scim), &template.rule, [SOURCE, target], &meta, &mappings);
    rule["priority"] = u32::from(template.factory_tag != "AD2AAD").into();
    let people = "objectId|anchor userPrincipalName|required displayName mail mailNickname givenName surname \
        department jobTitle employeeId manager|ref|->User IsSoftDeleted|bool";
    let accounts = "id|anchor|readonly userName|required displayName active|bool externalId nickName title locale";
    let members = "objectId|anchor displayName|required mailNickname members|ref|many|->User";
    json!({
        "id": id, "version": "v1.2", "synchronizationRules": [rule],
        "directories": [
            directory(&directory_id(template_id, SOURCE), SOURCE, "v1.2", true, &[
                object("User", &[], &attributes(people)),
                object("Group", &[], &attributes(members)),
            ]),
            directory(&directory_id(template_id, target), target, "v1.2", false, &[
                object(user, &[], &attributes(accounts)),
                object(group, &[], &attributes("id|anchor|readonly displayName|required externalId members|ref|many")),
                object("Role", &[], &attributes("id|anchor value")),
            ]),
        ],
    })
}

fn is_scim(template: &Template) -> bool {
    ["CustomSCIM", "aWSSingleSignon", "aws", "gitHub"].contains(&template.factory_tag.as_str())
}

/// Those of the families that were printed are constants; the others are made of the template's id.
fn rule_id(template_id: &str, scim: bool) -> String {
    match template_id {
        _ if scim => "03f7d90d-bf71-41b1-bda6-aaf0ddbee5d8".to_owned(),
        "AD2AADProvisioning" | "ADDCInPassthrough" => "6c409270-f78a-4bc6-af23-7cf3ab6482fe".to_owned(),
        "SfOutDelta" | "SfSandboxOutDelta" => "4c5ecfa1-a072-4460-b1c3-4adde3479854".to_owned(),
        "Azure2Azure" => "df8df8d1-9e6e-40d3-b8df-09bbb402db7e".to_owned(),
        _ => Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("rule {template_id}").as_bytes()).to_string(),
    }
}

fn directory_id(template_id: &str, name: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("directory {template_id} {name}").as_bytes()).to_string()
}
