//! The ten edits that people make, for each fixture where they fit, with all that they change of the schema.

use serde_json::{Value, json};

use super::stand::{CROSS_TENANT, Fixture, SALESFORCE, SCIM};

/// One edit.
pub struct Edit {
    pub fixture: Fixture,
    /// Its number among the ten.
    pub number: u32,
    pub mappings: Value,
    /// How many values the SyncJob owns by it.
    pub owned: u32,
    /// What it changes; `~` is the object mapping.
    pub changes: Vec<String>,
}

pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const STUDENT: &str = "urn:ietf:params:scim:schemas:extension:fint:2.0:User:studentNumber";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const SOFT_DELETE: &str = r#"Switch([IsSoftDeleted], , "False", "True", "True", "False")"#;
const ROLES: &str = "AssertiveAppRoleAssignmentsComplex([appRoleAssignments])";

/// The edits of one fixture.
struct Table {
    fixture: Fixture,
    place: &'static str,
    target: &'static str,
    edits: Vec<Edit>,
}

impl Table {
    fn new(fixture: Fixture, rule: &'static str, target: &'static str) -> Self {
        Self { fixture, place: rule, target, edits: Vec::new() }
    }

    /// An edit of the object mapping of users, whose other members are these.
    fn users(self, number: u32, owned: u32, mut members: Value, changes: &[&str]) -> Self {
        (members["sourceObjectName"], members["targetObjectName"]) = (json!("User"), json!(self.target));
        self.edit(number, owned, json!({"objectMappings": [members]}), changes)
    }

    /// An edit of attribute mappings of users.
    fn attributes(self, number: u32, owned: u32, attributes: &Value, changes: &[&str]) -> Self {
        self.users(number, owned, json!({"attributeMappings": attributes}), changes)
    }

    fn edit(mut self, number: u32, owned: u32, mappings: Value, changes: &[&str]) -> Self {
        let place = format!("{} / User → {}", self.place, self.target);
        let mut changes: Vec<String> = changes.iter().map(|change| change.replace('~', &place)).collect();
        changes.sort();
        self.edits.push(Edit { fixture: self.fixture, number, mappings, owned, changes });
        self
    }
}

/// All of them.
pub fn edits() -> Vec<Edit> {
    [salesforce(), cross_tenant(), scim()].into_iter().flat_map(|table| table.edits).collect()
}

fn domain() -> Value {
    let clause =
        json!({"attribute": "userPrincipalName", "operator": "REGEX MATCH", "values": [".*@contoso\\.example"]});
    json!({"groups": [{"name": "domain", "clauses": [clause]}]})
}

const DOMAIN: &str = r#"[{"clauses":[{"operatorName":"REGEX MATCH","sourceOperandName":"userPrincipalName","targetOperand":{"values":[".*@contoso\\.example"]}}],"name":"domain"}]"#;

/// Without groups, which it does not provision.
fn salesforce() -> Table {
    let definition = json!({"side": "Target", "name": "StudentNumber__c", "type": "String"});
    let student = json!({"targetAttributeName": "StudentNumber__c", "expression": "[extensionAttribute9]"});
    Table::new(SALESFORCE, "USER_OUTBOUND_USER", "User")
        .attributes(1, 1, &json!([{"targetAttributeName": "Alias", "expression": "[mailNickname]"}]), &[
            "~ / Alias / source: Mid([userPrincipalName], 1, 8) → [mailNickname]",
        ])
        .attributes(
            2,
            2,
            &json!([{"targetAttributeName": "Email", "matchingPriority": 1}, {"targetAttributeName": "Username", "matchingPriority": 2}]),
            &["~ / Email / matchingPriority: 0 → 1", "~ / Username / matchingPriority: 1 → 2"],
        )
        .users(3, 3, json!({"attributeDefinitions": [definition], "attributeMappings": [student]}), &[
            "+ ~ / StudentNumber__c: [extensionAttribute9]",
            "+ crm.example / User / StudentNumber__c: \"String\"",
        ])
        .attributes(4, 1, &json!([{"targetAttributeName": "UserPermissionsMarketingUser", "state": "Absent"}]), &[
            "- ~ / UserPermissionsMarketingUser: none",
        ])
        .attributes(
            6,
            2,
            &json!([
                {"targetAttributeName": "TimeZoneSidKey", "expression": "\"Europe/Vienna\""},
                {"targetAttributeName": "LanguageLocaleKey", "defaultValue": "de"},
            ]),
            &[
                "~ / TimeZoneSidKey / source: none → \"Europe/Vienna\"",
                "~ / LanguageLocaleKey / defaultValue: \"en_US\" → \"de\"",
            ],
        )
        .attributes(7, 2, &json!([{"targetAttributeName": "UserRole", "expression": ROLES}]), &[&format!("+ ~ / UserRole: {ROLES}")])
        .attributes(8, 1, &json!([{"targetAttributeName": "IsActive", "expression": SOFT_DELETE}]), &[
            &format!("~ / IsActive / source: Not([IsSoftDeleted]) → {SOFT_DELETE}"),
        ])
        .users(9, 1, json!({"scope": domain()}), &[&format!("~ / groups: [] → {DOMAIN}")])
        .users(
            10,
            2,
            json!({"flowTypes": ["Add", "Update"], "attributeMappings": [{"targetAttributeName": "FirstName", "flowType": "ObjectAddOnly"}]}),
            &["~ / flowTypes: \"Add, Update, Delete\" → \"Add, Update\"", "~ / FirstName / flowType: \"Always\" → \"ObjectAddOnly\""],
        )
}

/// Without groups and roles, and with directories that cannot be added to.
fn cross_tenant() -> Table {
    const SALES: &str = r#"[{"clauses":[{"operatorName":"EQUALS","sourceOperandName":"department","targetOperand":{"values":["Sales"]}},{"operatorName":"IS NOT NULL","sourceOperandName":"mail","targetOperand":{"values":[]}}],"name":"Members of sales"}]"#;
    Table::new(CROSS_TENANT, "USER_INBOUND_USER", "User")
        .attributes(1, 1, &json!([{"targetAttributeName": "mail", "expression": "[userPrincipalName]"}]), &[
            "~ / mail / source: Coalesce([mail], [userPrincipalName]) → [userPrincipalName]",
        ])
        .attributes(
            2,
            2,
            &json!([
                {"targetAttributeName": "userPrincipalName", "matchingPriority": 1},
                {"targetAttributeName": "alternativeSecurityIds", "matchingPriority": 2},
            ]),
            &["~ / userPrincipalName / matchingPriority: 0 → 1", "~ / alternativeSecurityIds / matchingPriority: 1 → 2"],
        )
        .attributes(4, 1, &json!([{"targetAttributeName": "showInAddressList", "state": "Absent"}]), &[
            "- ~ / showInAddressList: \"True\"",
        ])
        .attributes(
            6,
            2,
            &json!([
                {"targetAttributeName": "userType", "expression": "\"Guest\""},
                {"targetAttributeName": "preferredLanguage", "defaultValue": "en"},
            ]),
            &[
                "~ / userType / source: \"Member\" → \"Guest\"",
                "~ / preferredLanguage / defaultValue: null → \"en\"",
            ],
        )
        .attributes(8, 1, &json!([{"targetAttributeName": "accountEnabled", "expression": SOFT_DELETE}]), &[&format!(
            "~ / accountEnabled / source: IIF(IsPresent([accountEnabled]), [accountEnabled], Not([IsSoftDeleted])) → {SOFT_DELETE}"
        )])
        .users(9, 1, json!({"scope": domain()}), &[&format!("~ / groups: {SALES} → {DOMAIN}")])
        .edit(
            9,
            2,
            json!({
                "containerFilter": {"includedContainers": ["OU=People,DC=contoso,DC=example"]},
                "groupFilter": {"includedGroups": ["CN=Sales,DC=contoso,DC=example"]},
            }),
            &[
                r#"USER_INBOUND_USER / containerFilter: [] → ["OU=People,DC=contoso,DC=example"]"#,
                r#"USER_INBOUND_USER / groupFilter: [] → ["CN=Sales,DC=contoso,DC=example"]"#,
            ],
        )
        .users(
            10,
            2,
            json!({"flowTypes": ["Add", "Update"], "attributeMappings": [{"targetAttributeName": "displayName", "flowType": "ObjectAddOnly"}]}),
            &["~ / flowTypes: \"Add, Update, Delete\" → \"Add, Update\"", "~ / displayName / flowType: \"Always\" → \"ObjectAddOnly\""],
        )
}

fn scim() -> Table {
    let number = format!("{ENTERPRISE}:employeeNumber");
    let definition = json!({"side": "Target", "name": STUDENT, "type": "String"});
    let student = json!({"targetAttributeName": STUDENT, "expression": "[extensionAttribute9]"});
    let groups = json!({"sourceObjectName": "Group", "targetObjectName": GROUP, "enabled": false});
    Table::new(SCIM, "USERGROUP_OUTBOUND_USERGROUP", ENTERPRISE)
        .attributes(1, 1, &json!([{"targetAttributeName": "externalId", "expression": "[objectId]"}]), &[
            "~ / externalId / source: [mailNickname] → [objectId]",
        ])
        .attributes(
            2,
            3,
            &json!([
                {"targetAttributeName": number, "expression": "[employeeId]", "matchingPriority": 1},
                {"targetAttributeName": "userName", "matchingPriority": 2},
            ]),
            &[&format!("~ / {number} / matchingPriority: 0 → 1"), "~ / userName / matchingPriority: 1 → 2"],
        )
        .users(3, 3, json!({"attributeDefinitions": [definition], "attributeMappings": [student]}), &[
            &format!("+ ~ / {STUDENT}: [extensionAttribute9]"),
            &format!("+ customappsso / {ENTERPRISE} / {STUDENT}: \"String\""),
        ])
        .attributes(4, 1, &json!([{"targetAttributeName": "title", "state": "Absent"}]), &["- ~ / title: [jobTitle]"])
        .edit(5, 1, json!({"objectMappings": [groups]}), &[&format!(
            "USERGROUP_OUTBOUND_USERGROUP / Group → {GROUP} / enabled: true → false"
        )])
        .attributes(
            6,
            4,
            &json!([
                {"targetAttributeName": "userType", "expression": "\"Member\""},
                {"targetAttributeName": "locale", "expression": "[preferredLanguage]", "defaultValue": "en"},
            ]),
            &[
                "+ ~ / userType: \"Member\"",
                "~ / locale / source: Replace([preferredLanguage], \"-\", , , \"_\", , ) → [preferredLanguage]",
                "~ / locale / defaultValue: \"en_US\" → \"en\"",
            ],
        )
        .attributes(7, 1, &json!([{"targetAttributeName": "roles", "expression": ROLES}]), &[
            &format!("~ / roles / source: SingleAppRoleAssignment([appRoleAssignments]) → {ROLES}"),
        ])
        .attributes(8, 1, &json!([{"targetAttributeName": "active", "expression": "Not([IsSoftDeleted])"}]), &[&format!(
            "~ / active / source: {SOFT_DELETE} → Not([IsSoftDeleted])"
        )])
        .users(9, 1, json!({"scope": domain()}), &[&format!("~ / groups: [] → {DOMAIN}")])
        .users(
            10,
            2,
            json!({"flowTypes": ["Add", "Update"], "attributeMappings": [{"targetAttributeName": "displayName", "flowType": "ObjectAddOnly"}]}),
            &["~ / flowTypes: \"Add, Update, Delete\" → \"Add, Update\"", "~ / displayName / flowType: \"Always\" → \"ObjectAddOnly\""],
        )
}
