//! What a tenant holds. The JSON of these types is what the control API's PUT calls and a seed file say.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::job::{Job, Schema};
use super::settings::Settings;
use super::target::Target;
use crate::graph::control::given_job::GivenJob;
use crate::graph::control::given_schema::GivenSchema;
use crate::graph::sync::catalog::Template;

/// The state to start with: the bodies of the control API's PUT calls, by tenant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Seed {
    pub tenants: BTreeMap<String, Tenant>,
}

/// In JSON the settings stand beside the collections.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Tenant {
    pub settings: Settings,
    /// By appId.
    pub applications: BTreeMap<String, Application>,
    /// By object id.
    pub service_principals: BTreeMap<String, ServicePrincipal>,
    /// Templates beside the built-in ones, or in their place.
    pub templates: BTreeMap<String, Template>,
    /// Directory roles of users, by object id.
    pub users: BTreeMap<String, User>,
}

impl TryFrom<Map<String, Value>> for Tenant {
    type Error = serde_json::Error;

    fn try_from(mut body: Map<String, Value>) -> Result<Self, Self::Error> {
        fn taken<T: Default + serde::de::DeserializeOwned>(
            body: &mut Map<String, Value>,
            name: &str,
        ) -> serde_json::Result<T> {
            body.remove(name).map_or_else(|| Ok(T::default()), serde_json::from_value)
        }
        Ok(Self {
            applications: taken(&mut body, "applications")?,
            service_principals: taken(&mut body, "servicePrincipals")?,
            templates: taken(&mut body, "templates")?,
            users: taken(&mut body, "users")?,
            settings: serde_json::from_value(Value::Object(body))?,
        })
    }
}

/// An app registration, and the service principal that signs in with its credentials.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Application {
    /// Object id; made from the appId where absent.
    pub id: Option<String>,
    pub display_name: String,
    pub secrets: Vec<ClientSecret>,
    pub certificates: Vec<Certificate>,
    pub federated_credentials: Vec<FederatedCredential>,
    /// Application permissions, as they appear in the token.
    pub roles: Vec<String>,
    /// `false`: registered, but without a service principal in this tenant.
    pub service_principal: bool,
    /// Public clients may not present a credential.
    pub public_client: bool,
    pub disabled: bool,
}

impl Default for Application {
    fn default() -> Self {
        Self {
            id: None,
            display_name: String::new(),
            secrets: Vec::new(),
            certificates: Vec::new(),
            federated_credentials: Vec::new(),
            roles: Vec::new(),
            service_principal: true,
            public_client: false,
            disabled: false,
        }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClientSecret {
    pub value: String,
    pub revoked: bool,
    pub expired: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Certificate {
    /// The certificate in PEM, without its key.
    pub pem: String,
    pub revoked: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FederatedCredential {
    pub issuer: String,
    pub subject: String,
    pub audience: String,
    /// The issuer's public RSA keys as a JWKS; with them the signature is verified too.
    pub jwks: Option<Value>,
    /// When it came to be; long ago where absent.
    pub created: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct User {
    /// Directory roles, by name or template id.
    pub roles: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServicePrincipal {
    pub app_id: String,
    pub display_name: String,
    /// Ids of the templates that it offers.
    pub templates: Vec<String>,
    /// Object ids of its owners.
    pub owners: Vec<String>,
    /// Secrets as the secrets route stores them.
    pub secrets: Vec<Secret>,
    /// The sets before, with the time that each was replaced, for replicas that are behind.
    #[serde(skip)]
    pub replaced_secrets: Vec<(Timestamp, Vec<Secret>)>,
    pub target: Target,
    /// Mappings use custom security attributes, so that the schema needs a further permission.
    pub custom_security_attributes: bool,
    /// When it came to be; long ago where absent.
    pub created: Option<Timestamp>,
    /// Soft-deleted since.
    pub deleted: Option<Timestamp>,
    #[serde(skip)]
    pub restored: Option<Timestamp>,
    /// Jobs to begin with, by id: the bodies of the control API's PUT calls.
    #[serde(rename = "jobs")]
    pub given_jobs: BTreeMap<String, GivenJob>,
    #[serde(skip)]
    pub jobs: Vec<Job>,
    /// What its templates have in place of the simulator's schema, by the template's id.
    pub template_schemas: BTreeMap<String, GivenSchema>,
    /// Schemas of templates that were edited, by the template's id.
    #[serde(skip)]
    pub edited_schemas: BTreeMap<String, Schema>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Secret {
    pub key: String,
    pub value: String,
}

/// Older sets than these are forgotten; no lag spans that many changes in a test.
const REPLACED_SECRETS_MAX: usize = 64;

impl ServicePrincipal {
    /// Saves the set of secrets; lagging replicas show the one before for a while.
    pub fn save_secrets(&mut self, at: Timestamp, secrets: Vec<Secret>) {
        let before = std::mem::replace(&mut self.secrets, secrets);
        self.replaced_secrets.push((at, before));
        if self.replaced_secrets.len() > REPLACED_SECRETS_MAX {
            self.replaced_secrets.remove(0);
        }
    }

    /// The set that a replica shows which is this far behind.
    pub fn secrets_seen(&self, now: Timestamp, lag: SignedDuration) -> &[Secret] {
        let unseen = |(replaced, _): &&(Timestamp, Vec<Secret>)| now.duration_since(*replaced) < lag;
        self.replaced_secrets.iter().find(unseen).map_or(&self.secrets, |(_, before)| before)
    }

    /// Ends a soft delete. What was due meanwhile did not happen: it is due now.
    pub fn restore(&mut self, now: Timestamp) {
        self.deleted = None;
        self.restored = Some(now);
        for job in &mut self.jobs {
            job.running = None;
            job.next_cycle = job.is_active().then(|| job.next_cycle.map_or(now, |due| due.max(now)));
        }
    }
}

impl Tenant {
    /// The object id of the principal that signs in as this application.
    pub fn principal_of(&self, app_id: &str) -> String {
        let explicit = self.service_principals.iter().find(|(_, found)| found.app_id == app_id);
        explicit.map_or_else(|| derived(app_id, "servicePrincipal"), |(id, _)| id.clone())
    }

    /// The object id of the registration with this appId.
    pub fn application_id(&self, app_id: &str) -> String {
        let own = self.applications.get(app_id).and_then(|app| app.id.clone());
        own.unwrap_or_else(|| derived(app_id, "application"))
    }

    /// The service principal of the registration with this object id.
    pub fn principal_of_application(&self, id: &str) -> Option<String> {
        let found = self.service_principals.iter().find(|(_, found)| self.application_id(&found.app_id) == id);
        found.map(|(id, _)| id.clone())
    }

    /// The service principal, deleted or not, by its object id or as `appId=…`.
    pub fn find(&self, id: &str) -> Option<(&String, &ServicePrincipal)> {
        match id.strip_prefix("appId=") {
            Some(app_id) => self.service_principals.iter().find(|(_, found)| found.app_id == app_id),
            None => self.service_principals.get_key_value(id),
        }
    }
}

/// Ids that are not given are made from the appId, so that they stay the same.
fn derived(app_id: &str, kind: &str) -> String {
    let namespace = if kind == "servicePrincipal" { Uuid::NAMESPACE_OID } else { Uuid::NAMESPACE_URL };
    Uuid::new_v5(&namespace, app_id.as_bytes()).to_string()
}
