//! The examples of the page about mappings, applied as they stand there: what is typed and what kubectl prints is in
//! `docs/transcripts`, and `UPDATE=1` writes it.

use std::fmt::Write as _;

use regex::Regex;
use serde_json::{Value, json};

use super::{read, repository, split};
use crate::stack::read::{condition, is_ready, says};
use crate::stack::rig::Rig;

const TEMPLATE: &str = "scim";
const EDITS: [&str; 10] =
    ["source", "matching", "custom", "removed", "groups", "constants", "roles", "active", "scope", "never-delete"];
const APPLIED: &str =
    "jsonpath={range .status.conditions[?(@.type==\"MappingsApplied\")]}{.status} {.reason}: {.message}{\"\\n\"}{end}";
const PLAN: &str = "jsonpath={range .status.plan[*]}{.action}: {.message}{\"\\n\"}{end}";

/// The blocks of the page that begin with a comment that names them.
fn example(name: &str) -> Value {
    let blocks = split(&read(&repository().join("docs/mappings.md"))).1;
    let named = |text: &String| text.lines().next() == Some(&format!("# {name}"));
    let text = blocks.into_iter().filter(|(language, _)| language == "yaml").map(|(_, text)| text).find(named);
    serde_saphyr::from_str(&text.unwrap_or_else(|| panic!("the page has no example '{name}'"))).unwrap()
}

/// All examples in one cluster and one tenant, each a SyncJob of its own.
struct Page {
    rig: Rig,
    principals: u32,
    text: String,
}

impl Page {
    async fn begin() -> Self {
        let mut rig = Rig::idle().await;
        rig.start_operator_with(&["--operator-namespace=entrain-system"]);
        Self { rig, principals: 0, text: String::new() }
    }

    async fn kubectl(&mut self, arguments: &[&str]) -> String {
        let printed = self.rig.kubectl(arguments).await;
        let quoted = |part: &&str| if part.contains([' ', '{']) { format!("'{part}'") } else { (*part).to_owned() };
        let typed: Vec<String> = arguments.iter().map(quoted).collect();
        writeln!(self.text, "$ kubectl {}\n{}", typed.join(" "), printed.trim_end()).unwrap();
        printed
    }

    /// Applies an example as the `mappings` of a SyncJob that adopts nothing, in a service principal of its own.
    async fn apply(&mut self, name: &str, example: &str, spec: Value) {
        self.principals += 1;
        let id = |first: &str| format!("{first}-0000-4000-8000-{:012}", self.principals);
        let (principal, application, tenant) = (id("c0000000"), id("d0000000"), self.rig.demo.tenant_id.clone());
        let offered = json!({"appId": application, "displayName": name, "templates": [TEMPLATE]});
        self.rig.control.put_service_principal(&tenant, &principal, &offered).await.unwrap();
        let schema = json!({"fixture": "scim-large"});
        self.rig.control.put_template_schema(&tenant, &principal, TEMPLATE, &schema).await.unwrap();
        let mut object = json!({"apiVersion": "entrain.dev/v1alpha1", "kind": "SyncJob", "metadata": {"name": name},
            "spec": {"servicePrincipalId": principal, "templateId": TEMPLATE, "mappings": self::example(example)}});
        object["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        let file = self.rig.file(&format!("{name}.yaml"), &object.to_string()).display().to_string();
        "```console\n".clone_into(&mut self.text);
        self.kubectl(&["apply", "-f", &file]).await;
        self.text = self.text.replace(&file, &format!("{name}.yaml"));
    }

    async fn is_applied(&mut self, name: &str) {
        self.kubectl(&["wait", "--for=condition=MappingsApplied", &format!("syncjob/{name}"), "--timeout=2m"]).await;
    }

    async fn show(&mut self, name: &str, what: &str) -> String {
        self.kubectl(&["get", "syncjob", name, "-o", what]).await
    }

    /// What was saved, as its Event has it; Events are sent a moment later.
    async fn saved(&mut self, name: &str) {
        let selector = format!("reason=MappingsSaved,involvedObject.name={name}");
        let arguments = ["get", "events", "--field-selector", &selector, "-o", "jsonpath={.items[*].message}"];
        let mut patience = 100;
        while self.rig.kubectl(&arguments).await.is_empty() {
            patience -= 1;
            assert!(patience > 0, "no Event for {name}");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        self.kubectl(&arguments).await;
    }

    fn compare(&mut self, name: &str) {
        let text = Regex::new("[0-9a-f]{10}").unwrap().replace_all(&self.text, "3f2a9c71d0").into_owned() + "```\n";
        let (file, path) = (format!("mappings-{name}.md"), repository().join("docs/transcripts"));
        let path = path.join(&file);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), text, "UPDATE=1 rewrites {file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ten_edits_and_the_other_examples_of_the_page_about_mappings_are_as_printed() {
    let mut page = Page::begin().await;
    for name in EDITS {
        page.apply(name, name, json!({"deleteThreshold": 500})).await;
        page.is_applied(name).await;
        page.saved(name).await;
        page.compare(name);
    }
    page.apply("tested", "tested", json!({})).await;
    page.rig.until("tested", "fails its test", |it| says(it, "MappingsApplied", "False", "MappingTestFailed")).await;
    page.show("tested", APPLIED).await;
    page.compare("tested");
    guard(&mut page).await;
    page.apply("planned", "constants", json!({"mode": "Manage", "mappings": null})).await;
    page.rig.until("planned", "runs", is_ready).await;
    page.rig.edit("planned", &json!({"mode": "Plan", "mappings": example("constants")})).await;
    page.text = "```console\n".to_owned();
    page.rig.until("planned", "has a plan", |it| says(it, "Ready", "True", "ChangesPlanned")).await;
    page.show("planned", PLAN).await;
    page.compare("plan");
}

async fn guard(page: &mut Page) {
    page.apply("guarded", "matching", json!({})).await;
    let object = page.rig.until("guarded", "is held", |it| says(it, "MappingsApplied", "False", "RiskyChange")).await;
    page.show("guarded", APPLIED).await;
    let confirm = page.show("guarded", "jsonpath={.status.mappings.confirm}").await;
    assert!(condition(&object, "Ready")["message"].as_str().unwrap().contains(&confirm), "{object:#}");
    page.kubectl(&["annotate", "syncjob", "guarded", &format!("entrain.dev/confirm={confirm}")]).await;
    page.is_applied("guarded").await;
    page.saved("guarded").await;
    page.compare("guard");
}
