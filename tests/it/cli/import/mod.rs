//! `entrain import`: the tenant is read, manifests are written, and what is applied changes nothing.

mod files;
mod life;
mod manifest;
mod mappings;
mod tenant;
mod trouble;

use serde_json::{Value, json};

use super::{Review, Run, run};

/// Of the service principal that `Demo` names.
const BOX_JOB: &str = "BoxOutDelta.7f0c2b1e5c1d4d0a9a530d6f4b8a2e11.5b9a1c44-0e2f-4a6b-b1d7-93c2f0e8a655";

impl Review {
    async fn import(&self, arguments: &[&str]) -> Run {
        run(self.with_login(self.entrain("import", arguments))).await
    }

    /// A service principal: its id ends in this number.
    async fn principal(&self, number: usize, body: &Value) -> String {
        let id = principal_id(number);
        let mut whole = json!({"appId": format!("d0000000-0000-4000-8000-{number:012}"),
            "displayName": format!("App {number}"), "templates": ["scim", "BoxOutDelta"]});
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        self.control.put_service_principal(&self.demo.tenant_id, &id, &whole).await.unwrap();
        id
    }

    /// The application has these permissions from now on.
    async fn grant(&self, roles: &[&str]) {
        let application =
            json!({"displayName": "entrain", "secrets": [{"value": self.demo.client_secret}], "roles": roles});
        self.control.put_application(&self.demo.tenant_id, &self.demo.client_id, &application).await.unwrap();
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(file)).unwrap()
    }

    /// Names of the files of a directory.
    fn files(&self, dir: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.path().join(dir)).unwrap();
        let mut files: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        files
    }

    /// `entrain plan` over what was imported has nothing to do.
    async fn nothing_would_change(&self, path: &str, unchanged: usize) {
        let run = self.plan(&["-f", path]).await;
        let expected = format!("Plan: no changes, {unchanged} unchanged.\n");
        assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, expected.as_str(), ""));
    }
}

fn principal_id(number: usize) -> String {
    format!("c0000000-0000-4000-8000-{number:012}")
}

/// The objects of a YAML stream.
fn documents(yaml: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"))
}

fn named(documents: &[Value], name: &str) -> Value {
    let found = documents.iter().find(|object| object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {documents:#?}")).clone()
}
