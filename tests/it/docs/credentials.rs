//! The examples of the page about credentials and settings, applied as they stand there: what is typed and what kubectl prints
//! is in `docs/transcripts`, and `UPDATE=1` writes it.

use std::fmt::Write as _;

use regex::Regex;
use serde_json::{Value, json};

use super::{read, repository, split};
use crate::stack::read::{condition, is_ready};
use crate::stack::rig::Rig;

const CONDITIONS: &str = "jsonpath={range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{\"\\n\"}{end}";
const KEYS: &str = "jsonpath={range .status.credentials.keys[*]}{.key} {.fingerprint}{\"\\n\"}{end}";

/// The YAML block of the page in which this SyncJob stands with its credentials; the last one, which is among the examples.
fn example(name: &str) -> (String, Value) {
    let blocks = split(&read(&repository().join("docs/credentials.md"))).1;
    let documents = |text: &str| serde_saphyr::from_multiple::<Value>(text).unwrap();
    let sync_job =
        |text: &str| documents(text).into_iter().find(|it| it["kind"] == "SyncJob" && it["metadata"]["name"] == name);
    let of_it = blocks.into_iter().filter(|(language, _)| language == "yaml").map(|(_, text)| text);
    of_it.filter_map(|text| sync_job(&text).map(|object| (text, object))).next_back().unwrap()
}

struct Example {
    rig: Rig,
    name: &'static str,
    principal: String,
    text: String,
}

impl Example {
    /// The page's manifest is applied, and the target accepts what is in its Secret.
    async fn begin(name: &'static str, accepts: &Value) -> Self {
        let (manifest, object) = example(name);
        let spec = &object["spec"];
        let principal = spec["servicePrincipalId"].as_str().unwrap().to_owned();
        let mut rig = Rig::idle().await;
        let application = format!("0a1b2c3d-{}", &principal[9..]);
        let offered = json!({"appId": application, "displayName": name, "templates": [spec["templateId"]]});
        rig.control.put_service_principal(&rig.demo.tenant_id, &principal, &offered).await.unwrap();
        rig.control.put_target(&rig.demo.tenant_id, &principal, &json!({"accepts": accepts})).await.unwrap();
        rig.start_operator_with(&["--operator-namespace=entrain-system"]);
        let file = rig.file(&format!("{name}.yaml"), &manifest).display().to_string();
        let mut example = Self { rig, name, principal, text: "```console\n".to_owned() };
        example.kubectl(&["apply", "-f", &file]).await;
        example.text = example.text.replace(&file, &format!("{name}.yaml"));
        let sync_job = format!("syncjob/{name}");
        example.kubectl(&["wait", "--for=condition=Ready", &sync_job, "--timeout=2m"]).await;
        example.show(CONDITIONS).await;
        example
    }

    async fn kubectl(&mut self, arguments: &[&str]) {
        let printed = self.rig.kubectl(arguments).await;
        let quoted = |part: &&str| if part.contains([' ', '{']) { format!("'{part}'") } else { (*part).to_owned() };
        let typed: Vec<String> = arguments.iter().map(quoted).collect();
        writeln!(self.text, "$ kubectl {}\n{}", typed.join(" "), printed.trim_end()).unwrap();
    }

    async fn show(&mut self, what: &str) {
        self.kubectl(&["get", "syncjob", self.name, "-o", what]).await;
    }

    /// What is in the set by now.
    async fn value(&self, key: &str) -> Option<String> {
        let set = self.rig.control.secrets(&self.rig.demo.tenant_id, &self.principal).await.unwrap();
        let pair = set["value"].as_array().unwrap().iter().find(|pair| pair["key"] == key).cloned()?;
        pair["value"].as_str().map(str::to_owned)
    }

    async fn values(&self, expected: &[(&str, &str)]) {
        for (key, value) in expected {
            assert_eq!(self.value(key).await.as_deref(), Some(*value), "{key}");
        }
    }

    fn compare(self, file: &str) {
        let text = Regex::new("hmac-[0-9a-f]{32}").unwrap().replace_all(&self.text, "hmac-…").into_owned() + "```\n";
        let path = repository().join("docs/transcripts").join(file);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), text, "UPDATE=1 rewrites {file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scim_with_a_bearer_token() {
    let mut page = Example::begin("wiki", &json!({"SecretToken": "5c1m-bearer-t0ken"})).await;
    page.show(KEYS).await;
    page.values(&[("SecretToken", "5c1m-bearer-t0ken"), ("SyncAll", "false")]).await;
    let rotated = json!({"stringData": {"token": "mistyped"}}).to_string();
    page.kubectl(&["patch", "secret", "wiki-scim", "--type=merge", "-p", &rotated]).await;
    // Otherwise it is read at the next poll.
    page.kubectl(&["annotate", "syncjob", "wiki", "entrain.dev/reconcile-requested-at=rotated"]).await;
    page.rig
        .until("wiki", "is rejected", |it| condition(it, "CredentialsValid")["status"] == "False" && is_ready(it))
        .await;
    page.show(CONDITIONS).await;
    page.compare("credentials-scim.md");
}

#[tokio::test(flavor = "multi_thread")]
async fn scim_with_oauth_client_credentials() {
    let page = Example::begin("helpdesk", &json!({"Oauth2ClientSecret": "0auth-client-s3cret"})).await;
    page.values(&[("Oauth2ClientSecret", "0auth-client-s3cret"), ("Oauth2ClientId", "entra-provisioning")]).await;
    page.compare("credentials-oauth.md");
}

#[tokio::test(flavor = "multi_thread")]
async fn cross_tenant_synchronization() {
    let page = Example::begin("fabrikam", &json!({})).await;
    page.values(&[("CompanyId", "1f6a0c3e-8b57-4d29-9e14-c7d3b2a58f60"), ("AuthenticationType", "SyncPolicy")]).await;
    let notifications: Value = serde_json::from_str(&page.value("SyncNotificationSettings").await.unwrap()).unwrap();
    assert_eq!(notifications["DeleteThresholdValue"], 500);
    page.compare("credentials-cross-tenant.md");
}

#[tokio::test(flavor = "multi_thread")]
async fn cloud_sync() {
    let page = Example::begin("cloud-sync", &json!({})).await;
    page.values(&[("Domain", "{\"domain\":\"ad.example.test\"}")]).await;
    page.compare("credentials-cloud-sync.md");
}
