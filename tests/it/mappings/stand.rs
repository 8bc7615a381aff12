//! What these tests stand on: a rig, and jobs that have the fixtures as their schemas.

use serde_json::{Value, json};

use super::changes::changes;
use crate::stack::read::{calls, condition, manifest};
use crate::stack::rig::Rig;

/// A fixture of the simulator, and a template that could have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixture {
    pub name: &'static str,
    pub template: &'static str,
}

pub const SALESFORCE: Fixture = Fixture { name: "salesforce-like", template: "salesforce" };
pub const CROSS_TENANT: Fixture = Fixture { name: "cross-tenant", template: "Azure2Azure" };
pub const SCIM: Fixture = Fixture { name: "scim-large", template: "scim" };

/// A job that was there before, and its SyncJob.
#[derive(Clone, Debug)]
pub struct Job {
    pub name: String,
    pub template: &'static str,
    pub principal: String,
    pub id: String,
    /// Its schema in the service's form, before anybody else touched it.
    pub before: Value,
}

/// A threshold is a setting like credentials, whose fingerprints take a key. It is where the rights of the operator put it.
pub const HOME: &str = "--operator-namespace=entrain-system";

pub struct Stand {
    pub rig: Rig,
    jobs: u32,
}

impl Stand {
    pub async fn begin() -> Self {
        let mut rig = Rig::idle().await;
        rig.start_operator_with(&[HOME]);
        Self { rig, jobs: 0 }
    }

    pub fn tenant(&self) -> String {
        self.rig.demo.tenant_id.clone()
    }

    /// A service principal of its own with a template that begins with the fixture.
    async fn principal(&mut self, fixture: Fixture) -> String {
        self.jobs += 1;
        let principal = format!("c0000000-0000-4000-8000-{:012}", self.jobs);
        let offered = json!({"appId": format!("d0000000-0000-4000-8000-{:012}", self.jobs), "displayName": "With mappings",
            "templates": [fixture.template]});
        self.rig.control.put_service_principal(&self.tenant(), &principal, &offered).await.unwrap();
        let schema = json!({"fixture": fixture.name});
        self.rig.control.put_template_schema(&self.tenant(), &principal, fixture.template, &schema).await.unwrap();
        principal
    }

    /// A job that runs with the fixture as its schema.
    pub async fn job(&mut self, name: &str, fixture: Fixture) -> Job {
        let principal = self.principal(fixture).await;
        let id = format!("{}.7f0c.{}", fixture.template, self.jobs);
        let running = json!({"templateId": fixture.template, "scheduleState": "Active", "code": "Active"});
        self.rig.control.put_job(&self.tenant(), &principal, &id, &running).await.unwrap();
        let mut job = Job { name: name.to_owned(), template: fixture.template, principal, id, before: Value::Null };
        // The service has its own form of what people give it.
        self.person(&job, |_| {}).await;
        job.before = self.schema(&job).await;
        job
    }

    /// A service principal without a job, for a SyncJob that creates it.
    pub async fn unborn(&mut self, name: &str, fixture: Fixture) -> Job {
        let principal = self.principal(fixture).await;
        let schema = Value::clone(&bed::graph::fixtures::schema(fixture.name).unwrap());
        Job { name: name.to_owned(), template: fixture.template, principal, id: String::new(), before: schema }
    }

    /// Applies a SyncJob that adopts the job.
    pub async fn apply(&self, job: &Job, mappings: &Value, more: &[&str]) {
        let mappings = format!("mappings: {mappings}");
        let members = [&["adoption: {policy: IfExists}", mappings.as_str()], more].concat();
        self.rig.apply(&manifest(&job.name, &job.principal, job.template, &members)).await;
    }

    pub async fn schema(&self, job: &Job) -> Value {
        self.rig.control.schema(&self.tenant(), &job.principal, &job.id).await.unwrap()
    }

    /// What of the schema is not as it was when the job was made.
    pub async fn changes(&self, job: &Job) -> Vec<String> {
        changes(&job.before, &self.schema(job).await)
    }

    /// A person changes the schema in the portal.
    pub async fn person(&self, job: &Job, change: impl FnOnce(&mut Value)) {
        let mut schema = self.schema(job).await;
        change(&mut schema);
        self.rig.control.put_schema(&self.tenant(), &job.principal, &job.id, &schema).await.unwrap();
    }

    /// How often the schema was saved, or was tried to be, through Graph.
    pub async fn puts(&self, job: &Job) -> usize {
        self.count("putSchema", job).await
    }

    pub async fn reads(&self, job: &Job) -> usize {
        self.count("getSchema", job).await
    }

    async fn count(&self, operation: &str, job: &Job) -> usize {
        let all = calls(&self.rig.control, operation).await;
        all.iter().filter(|call| call["servicePrincipalId"] == job.principal.as_str()).count()
    }

    /// Has something become of the calls of an operation for this job.
    pub async fn fault(&self, job: &Job, operation: &str, times: u32, action: Value) {
        let fault =
            json!({"operation": operation, "servicePrincipalId": job.principal, "times": times, "action": action});
        self.rig.control.put_fault(&fault).await.unwrap();
    }

    pub async fn until(&mut self, job: &Job, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        self.rig.until(&job.name, what, is).await
    }

    /// The SyncJob, once its mappings are in place for the generation that it has.
    pub async fn applied(&mut self, job: &Job) -> Value {
        self.until(job, "has its mappings in place", |it| applies(it, "True", "MappingsInPlace")).await
    }

    /// Has the operator look once more, and answers when it has.
    pub async fn look(&mut self, job: &Job) -> Value {
        self.rig.nudge(&job.name).await;
        let looked = |it: &Value| {
            it["status"]["lastHandledReconcile"] == it["metadata"]["annotations"]["entrain.dev/reconcile-requested-at"]
        };
        self.until(job, "was looked at", looked).await
    }

    /// Two hours later, for these jobs: another process of the operator finds the times in status to be so old.
    pub async fn later(&mut self, jobs: &[&Job]) {
        self.rig.kill_operator();
        for job in jobs {
            let old = self.rig.get(&job.name).await["status"]["mappings"]["savedTime"].clone();
            let old: jiff::Timestamp = old.as_str().unwrap().parse().unwrap();
            let old = old.checked_sub(jiff::SignedDuration::from_hours(2)).unwrap().to_string();
            let patch = json!({"status": {"mappings": {"savedTime": old}}}).to_string();
            let arguments = ["patch", "syncjob", &job.name, "--subresource=status", "--type=merge", "-p", &patch];
            self.rig.kubectl(&arguments).await;
        }
        self.rig.start_operator_with(&[HOME]);
    }

    /// The ControllerRevisions of this test's namespace.
    pub async fn revisions(&self) -> Vec<Value> {
        let path = format!("/apis/apps/v1/namespaces/{}/controllerrevisions", self.rig.namespace);
        self.rig.admin.get(&path).await.unwrap().1["items"].as_array().unwrap().clone()
    }
}

/// Status and reason of MappingsApplied, for the generation that the object has.
pub fn applies(object: &Value, status: &str, reason: &str) -> bool {
    crate::stack::read::says(object, "MappingsApplied", status, reason)
}

pub fn message(object: &Value) -> String {
    condition(object, "MappingsApplied")["message"].as_str().unwrap_or_default().to_owned()
}

/// An overlay with one object mapping from `User`.
pub fn users(target: &str, attributes: &Value) -> Value {
    json!({"objectMappings": [{"sourceObjectName": "User", "targetObjectName": target, "attributeMappings": attributes}]})
}

/// The attribute mapping of a schema, for a person's hand.
pub fn attribute<'a>(schema: &'a mut Value, object: &str, target: &str) -> &'a mut Value {
    let named = |all: &'a mut Value, name: &str, wanted: &str| {
        all.as_array_mut().unwrap().iter_mut().find(|item| item[name] == wanted).unwrap()
    };
    let rule = &mut schema["synchronizationRules"][0];
    let objects = rule["objectMappings"].as_array_mut().unwrap();
    let wanted = |item: &&mut Value| item["targetObjectName"] == object && item["sourceObjectName"] == "User";
    let object = objects.iter_mut().find(wanted).unwrap();
    named(&mut object["attributeMappings"], "targetAttributeName", target)
}

/// A source that is an attribute.
pub fn source(name: &str) -> Value {
    json!({"type": "Attribute", "name": name, "expression": format!("[{name}]"), "parameters": []})
}
