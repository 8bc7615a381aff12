//! The tenant that a simulator without a seed holds: an application, and service principals to try things with.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::Demo;
use super::model::tenant::{Application, ClientSecret, Secret, Seed, ServicePrincipal, Tenant};

pub fn tenant() -> (Seed, Demo) {
    let demo = Demo {
        tenant_id: "7f0c2b1e-5c1d-4d0a-9a53-0d6f4b8a2e11".to_owned(),
        client_id: "0b8e4c53-6d0a-4f0e-9f52-8a4f3f1f7a10".to_owned(),
        client_secret: Uuid::new_v4().to_string(),
        service_principal_id: "2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f".to_owned(),
        template_id: "BoxOutDelta".to_owned(),
    };
    let app = Application {
        display_name: "entrain".to_owned(),
        secrets: vec![ClientSecret { value: demo.client_secret.clone(), ..ClientSecret::default() }],
        roles: vec!["Synchronization.ReadWrite.All".to_owned(), "Application.Read.All".to_owned()],
        ..Application::default()
    };
    let principals = [
        (demo.service_principal_id.as_str(), "Box"),
        ("7c1e4a52-90b3-4d6f-8a27-35e0d1c2b4a6", "Wiki"),
        ("a4d1c0de-1f2e-4a3b-9c4d-5e6f70818293", "Chat"),
    ];
    let tenant = Tenant {
        applications: BTreeMap::from([(demo.client_id.clone(), app)]),
        service_principals: principals.iter().map(|(id, name)| ((*id).to_owned(), connected(name))).collect(),
        ..Tenant::default()
    };
    (Seed { tenants: BTreeMap::from([(demo.tenant_id.clone(), tenant)]) }, demo)
}

/// With secrets, so that its jobs run and do not end in quarantine.
fn connected(name: &str) -> ServicePrincipal {
    let secret = |key: &str, value: String| Secret { key: key.to_owned(), value };
    ServicePrincipal {
        app_id: Uuid::new_v5(&Uuid::NAMESPACE_DNS, name.as_bytes()).to_string(),
        display_name: name.to_owned(),
        templates: vec!["BoxOutDelta".to_owned(), "scim".to_owned()],
        secrets: vec![
            secret("BaseAddress", format!("https://{}.example.test/scim", name.to_lowercase())),
            secret("SecretToken", Uuid::new_v4().to_string()),
        ],
        ..ServicePrincipal::default()
    }
}
