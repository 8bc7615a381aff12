//! Control calls below `tenants/{tenant}`: settings, applications, service principals, templates, users, tokens.

use hyper::Method;
use serde::Deserialize;
use serde_json::json;

use super::{Answered, Control, bad, done, missing, seed};
use crate::graph::http::reply::Reply;
use crate::graph::login::{application_grant, token};
use crate::graph::model::target::Target;
use crate::graph::model::tenant::{Application, Secret, ServicePrincipal, Tenant, User};
use crate::graph::model::{Delegated, Effect};
use crate::graph::permissions::directory_role;
use crate::graph::sync::catalog::Template;
use crate::graph::sync::secrets::{self, Pair};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    revoked: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Values<T> {
    value: Vec<T>,
}

/// What a token is to say that no login leads to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Wanted {
    app_id: String,
    roles: Option<Vec<String>>,
    scopes: Vec<String>,
    audience: Option<String>,
    lifetime_seconds: i64,
}

impl Default for Wanted {
    fn default() -> Self {
        let scopes = vec!["Synchronization.ReadWrite.All".to_owned()];
        Self { app_id: String::new(), roles: None, scopes, audience: None, lifetime_seconds: 3600 }
    }
}

impl Control<'_> {
    fn entry(&mut self, tenant: &str) -> &mut Tenant {
        self.model.tenants.entry(tenant.to_owned()).or_default()
    }

    pub(super) fn tenant(&mut self, method: &Method, tenant: &str, rest: &[&str]) -> Answered {
        match (method.as_str(), rest) {
            ("PUT", []) => self.put_tenant(tenant),
            ("GET", ["settings"]) => Ok(Reply::ok(json!(self.model.settings(tenant)))),
            ("DELETE", []) => {
                self.model.tenants.remove(tenant);
                Ok(done())
            }
            ("PUT", ["applications", id]) => {
                let app: Application = self.read()?;
                self.entry(tenant).applications.insert((*id).to_owned(), app);
                Ok(done())
            }
            ("DELETE", ["applications", id]) => {
                self.entry(tenant).applications.remove(*id);
                Ok(done())
            }
            ("PATCH", ["applications", id, "secrets"]) => {
                let Revocation { revoked } = self.read()?;
                let app = self.entry(tenant).applications.get_mut(*id).ok_or_else(|| missing("application"))?;
                app.secrets.iter_mut().for_each(|secret| secret.revoked = revoked);
                app.certificates.iter_mut().for_each(|certificate| certificate.revoked = revoked);
                Ok(done())
            }
            ("POST", ["applications", id, "token"]) => self.application_token(tenant, id),
            ("PUT", ["templates", id]) => {
                let template: Template = self.read()?;
                self.entry(tenant).templates.insert((*id).to_owned(), template);
                Ok(done())
            }
            ("PUT", ["users", id]) => {
                let user: User = self.read()?;
                self.entry(tenant).users.insert((*id).to_owned(), user);
                Ok(done())
            }
            ("POST", ["users", id, "token"]) => self.user_token(tenant, id),
            (_, ["servicePrincipals", id, rest @ ..]) => self.principal(method, tenant, id, rest),
            _ => Err(missing("control call")),
        }
    }

    /// The settings are replaced; what the tenant holds stays, and what the body holds is added.
    fn put_tenant(&mut self, tenant: &str) -> Answered {
        let mut given: Tenant = self.read()?;
        let now = self.model.now();
        let settings = given.settings.clone();
        given.service_principals.values_mut().for_each(|principal| seed::sow(principal, &settings, now));
        let known = self.entry(tenant);
        known.settings = given.settings;
        known.applications.append(&mut given.applications);
        known.service_principals.append(&mut given.service_principals);
        known.templates.append(&mut given.templates);
        known.users.append(&mut given.users);
        Ok(done())
    }

    fn application_token(&mut self, tenant: &str, client: &str) -> Answered {
        let wanted: Wanted = self.read()?;
        let mut grant = application_grant(self.model, tenant, client).ok_or_else(|| missing("application"))?;
        grant.roles = wanted.roles.unwrap_or(grant.roles);
        grant.audience = wanted.audience.unwrap_or(grant.audience);
        Ok(Reply::ok(json!({"access_token": token::issue(self.model, &grant, wanted.lifetime_seconds)})))
    }

    fn user_token(&mut self, tenant: &str, user: &str) -> Answered {
        let wanted: Wanted = self.read()?;
        let known = self.model.tenants.get(tenant).and_then(|tenant| tenant.users.get(user)).cloned();
        let roles = known.ok_or_else(|| missing("user"))?.roles;
        let grant = token::Grant {
            tenant: tenant.to_owned(),
            app_id: wanted.app_id,
            object_id: user.to_owned(),
            audience: wanted.audience.unwrap_or_else(|| self.model.origin.clone()),
            roles: Vec::new(),
            delegated: Some(Delegated {
                scopes: wanted.scopes,
                directory_roles: roles.iter().map(|role| directory_role(role)).collect(),
            }),
            handles_challenges: false,
        };
        Ok(Reply::ok(json!({"access_token": token::issue(self.model, &grant, wanted.lifetime_seconds)})))
    }

    fn principal(&mut self, method: &Method, tenant: &str, id: &str, rest: &[&str]) -> Answered {
        let now = self.model.now();
        match (method.as_str(), rest) {
            ("PUT", []) => self.put_principal(tenant, id),
            ("DELETE", []) => {
                self.known(tenant, id)?.deleted = Some(now);
                self.commit("deleteServicePrincipal", tenant, &Effect { service_principal: id, ..Effect::default() });
                Ok(done())
            }
            ("POST", ["restore"]) => {
                self.known(tenant, id)?.restore(now);
                self.commit("restore", tenant, &Effect { service_principal: id, ..Effect::default() });
                Ok(done())
            }
            ("PUT", ["owners"]) => {
                let owners: Values<String> = self.read()?;
                self.known(tenant, id)?.owners = owners.value;
                Ok(done())
            }
            ("PUT", ["target"]) => {
                let target: Target = self.read()?;
                self.known(tenant, id)?.target = target;
                Ok(done())
            }
            ("PATCH", ["target"]) => self.patch_target(tenant, id),
            ("GET", ["secrets"]) => Ok(Reply::ok(json!({"value": self.known(tenant, id)?.secrets}))),
            ("PUT", ["secrets"]) => {
                let secrets: Values<Secret> = self.read()?;
                let principal = self.known(tenant, id)?;
                principal.secrets = secrets.value;
                principal.replaced_secrets.clear();
                Ok(done())
            }
            ("PATCH", ["secrets"]) => self.change_secrets(tenant, id),
            (_, ["templates", template, "schema"]) => self.template_schema(method, tenant, id, template),
            (_, ["jobs", job, "schema"]) => self.job_schema(method, tenant, id, job),
            (_, ["jobs", rest @ ..]) => self.jobs(method, tenant, id, rest),
            _ => Err(missing("control call")),
        }
    }

    /// Somebody changes some of the secrets in the portal and leaves the others; an empty value takes one away.
    fn change_secrets(&mut self, tenant: &str, id: &str) -> Answered {
        let given: Values<Pair> = self.read()?;
        let (settings, now) = (self.model.settings(tenant), self.model.now());
        let refused = |refusal: Reply| bad(&refusal.body()["error"]["message"].to_string());
        let given = secrets::accepted(given.value, &settings).map_err(refused)?;
        let principal = self.known(tenant, id)?;
        let sent = secrets::keys(&given);
        let all = secrets::merged(&principal.secrets, given);
        let detail = json!({"keys": secrets::keys(&all), "sent": sent});
        principal.save_secrets(now, all);
        self.commit("putSecrets", tenant, &Effect { service_principal: id, detail, ..Effect::default() });
        Ok(done())
    }

    /// The members that are given change, and the others stay.
    fn patch_target(&mut self, tenant: &str, id: &str) -> Answered {
        let given = self.body.as_object().cloned().ok_or_else(|| bad("an object is expected"))?;
        let mut whole = json!(self.known(tenant, id)?.target);
        whole.as_object_mut().into_iter().for_each(|whole| whole.extend(given.clone()));
        let target = serde_json::from_value(whole).map_err(|error| bad(&error.to_string()))?;
        self.known(tenant, id)?.target = target;
        Ok(done())
    }

    /// A service principal, deleted or not.
    pub(super) fn known(&mut self, tenant: &str, id: &str) -> Result<&mut ServicePrincipal, Reply> {
        let found = self.model.tenants.get_mut(tenant).and_then(|tenant| tenant.service_principals.get_mut(id));
        found.ok_or_else(|| missing("service principal"))
    }

    /// Its jobs stay, and its secrets where the body names none.
    fn put_principal(&mut self, tenant: &str, id: &str) -> Answered {
        let mut given: ServicePrincipal = self.read()?;
        let now = self.model.now();
        if let Some(old) = self.entry(tenant).service_principals.remove(id) {
            given.jobs = old.jobs;
            given.edited_schemas = old.edited_schemas;
            if given.template_schemas.is_empty() {
                given.template_schemas = old.template_schemas;
            }
            if given.secrets.is_empty() {
                given.secrets = old.secrets;
            }
        }
        seed::sow(&mut given, &self.model.settings(tenant), now);
        self.entry(tenant).service_principals.insert(id.to_owned(), given);
        Ok(done())
    }
}
