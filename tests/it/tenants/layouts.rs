//! The three layouts of the guide, as a person sees them: what is typed and what kubectl prints stands in `docs/transcripts`,
//! and `UPDATE=1` writes it. Names of namespaces and ages are made up.

use std::fmt::Write;

use regex::Regex;
use serde_json::{Value, json};

use super::stand::{SECRET, Stand, client_secret};
use crate::life::BOX;
use crate::stack::plane::repository;
use crate::stack::read::{manifest, ready};

const COLUMNS: &str = "custom-columns=NAME:.metadata.name,READY:.status.conditions[?(@.type==\"Ready\")].status,REASON:.status.conditions[?(@.type==\"Ready\")].reason";

struct Transcript {
    text: String,
    /// What stands for what.
    names: Vec<(String, &'static str)>,
}

impl Transcript {
    fn new(names: &[(&str, &'static str)]) -> Self {
        let names = names.iter().map(|(own, shown)| ((*own).to_owned(), *shown)).collect();
        Self { text: "```console\n".to_owned(), names }
    }

    /// Runs kubectl and writes down what it printed.
    async fn kubectl(&mut self, stand: &Stand, namespace: &str, arguments: &[&str]) {
        let output = stand.rig.kubectl_in(namespace, arguments).await;
        let typed: Vec<String> = arguments
            .iter()
            .map(|part| if part.contains([' ', '*', '[']) { format!("'{part}'") } else { (*part).to_owned() })
            .collect();
        let (typed, printed) = (typed.join(" "), output.trim_end());
        writeln!(self.text, "$ kubectl --namespace {namespace} {typed}\n{printed}").unwrap();
    }

    fn compare(mut self, file: &str) {
        self.text += "```\n";
        for (own, shown) in &self.names {
            self.text = self.text.replace(own, shown);
        }
        // An age is a column of its own, at the end of its line or in the midst of it.
        let aged = Regex::new(r"(?m)(\s)\d+s\b").unwrap();
        self.text = aged.replace_all(&self.text, "${1}9s").into_owned();
        let path = repository().join("docs/transcripts").join(file);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &self.text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), self.text, "UPDATE=1 rewrites {file}");
    }
}

async fn sync_job(stand: &Stand, namespace: &str, principal: usize, more: &[&str]) {
    let id = format!("5e0000{principal:02}-1f2e-4a3b-9c4d-5e6f70818293");
    let body = json!({"appId": format!("5e0000{principal:02}-0000-4000-8000-000000000000"), "displayName": "Box", "templates": [BOX]});
    stand.rig.control.put_service_principal(&stand.rig.demo.tenant_id, &id, &body).await.unwrap();
    stand.rig.apply_in(namespace, &manifest("box", &id, BOX, more)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tenant_for_all() {
    let mut stand = Stand::both_in(&["--operator-login=false"], 1).await;
    let (identity, other) = (stand.rig.namespace.clone(), stand.rig.others[0].clone());
    let grant = json!({"allowedNamespaces": [{"namespaces": [identity]}]});
    stand.cluster_tenant("default", &json!({"operatorIdentity": {}}), &grant).await;
    for (number, namespace) in [&identity, &other].into_iter().enumerate() {
        sync_job(&stand, namespace, number, &[]).await;
    }
    stand.rig.until_in(&identity, "box", "runs", |object| ready(object, "True", "Running")).await;
    stand.rig.until_in(&other, "box", "is barred", |object| ready(object, "False", "TenantNotAllowed")).await;
    let mut page = Transcript::new(&[(&identity, "identity"), (&other, "sandbox")]);
    page.kubectl(&stand, &identity, &["get", "clusterentratenant", "default"]).await;
    page.kubectl(&stand, &identity, &["get", "syncjobs", "-o", COLUMNS]).await;
    page.kubectl(&stand, &other, &["get", "syncjobs", "-o", COLUMNS]).await;
    let message = "jsonpath={.status.conditions[?(@.type==\"Ready\")].message}";
    page.kubectl(&stand, &other, &["get", "syncjob", "box", "-o", message]).await;
    page.compare("one-tenant.md");
    stand.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_per_team() {
    let mut stand = Stand::namespaced_in(1).await;
    let (sales, people) = (stand.rig.namespace.clone(), stand.rig.others[0].clone());
    stand.application(&json!({"secrets": [{"value": SECRET}]})).await;
    let tenant = json!({"apiVersion": "entrain.dev/v1alpha1", "kind": "EntraTenant", "metadata": {"name": "contoso"},
        "spec": {"tenantId": stand.rig.demo.tenant_id, "credential": client_secret()}});
    for (number, (namespace, secret)) in [(&sales, SECRET), (&people, "expired-or-mistyped")].into_iter().enumerate() {
        stand.secret(namespace, "login", "clientSecret", secret).await;
        stand.rig.apply_in(namespace, &tenant.to_string()).await;
        sync_job(&stand, namespace, number, &["tenantRef: {name: contoso}"]).await;
    }
    stand.rig.until_in(&sales, "box", "runs", |object| ready(object, "True", "Running")).await;
    stand.rig.until_in(&people, "box", "is refused", |object| ready(object, "False", "CredentialsRejected")).await;
    let path = format!("/apis/entrain.dev/v1alpha1/namespaces/{people}/entratenants/contoso");
    stand.until(&path, "is refused", |it| ready(it, "False", "ClientSecretWrong")).await;
    let mut page = Transcript::new(&[(&sales, "sales"), (&people, "people")]);
    page.kubectl(&stand, &sales, &["get", "entratenants"]).await;
    page.kubectl(&stand, &people, &["get", "entratenants"]).await;
    page.kubectl(&stand, &sales, &["get", "syncjobs", "-o", COLUMNS]).await;
    page.kubectl(&stand, &people, &["get", "syncjobs", "-o", COLUMNS]).await;
    page.compare("tenant-per-team.md");
}

#[tokio::test(flavor = "multi_thread")]
async fn teams_that_only_look() {
    let mut stand = Stand::both_in(&["--operator-login=false"], 1).await;
    let (identity, helpdesk) = (stand.rig.namespace.clone(), stand.rig.others[0].clone());
    stand.application(&json!({"secrets": [{"value": SECRET}]})).await;
    let home = stand.home.clone();
    stand.secret(&home, "login", "clientSecret", SECRET).await;
    let grants: Value = json!([{"namespaces": [identity]}, {"namespaces": [helpdesk], "modes": ["Observe", "Plan"]}]);
    // As long as the name that the page shows, which other tests have.
    let name = format!("c{}", &uuid::Uuid::new_v4().simple().to_string()[..6]);
    stand.cluster_tenant(&name, &client_secret(), &json!({"allowedNamespaces": grants})).await;
    let reference = format!("tenantRef: {{kind: ClusterEntraTenant, name: {name}}}");
    sync_job(&stand, &identity, 0, &[&reference]).await;
    stand.rig.until_in(&identity, "box", "runs", |object| ready(object, "True", "Running")).await;
    sync_job(&stand, &helpdesk, 1, &[&reference]).await;
    stand.rig.until_in(&helpdesk, "box", "is barred", |object| ready(object, "False", "TenantNotAllowed")).await;
    let mut page = Transcript::new(&[(&identity, "identity"), (&helpdesk, "helpdesk"), (&name, "contoso")]);
    page.kubectl(&stand, &helpdesk, &["get", "syncjobs", "-o", COLUMNS]).await;
    let observe = json!({"spec": {"mode": "Observe", "adoption": null}}).to_string();
    page.kubectl(&stand, &helpdesk, &["patch", "syncjob", "box", "--type=merge", "-p", &observe]).await;
    stand.rig.until_in(&helpdesk, "box", "looks", |object| ready(object, "False", "NothingToObserve")).await;
    page.kubectl(&stand, &helpdesk, &["get", "syncjobs", "-o", COLUMNS]).await;
    page.compare("look-only.md");
    stand.leave().await;
}
