//! The schemas of jobs: replaced as a whole, kept in the service's own form, stamped, and shown late (CONTRACT §3.8). Every
//! version is kept for the judges, with what each request sent and what each read showed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::By;
use super::answer::{self, Response};
use super::expressions;
use super::template::{READ_ONLY, template};

/// What somebody does to a schema.
pub type Edit = fn(&mut Value);

/// The schema of a job from a moment on.
#[derive(Clone, Debug)]
pub struct Stored {
    pub at: Duration,
    pub by: By,
    /// What the request was named by; empty where people act.
    pub request: String,
    pub schema: Arc<Value>,
    /// No replica shows it earlier.
    shown_from: Duration,
}

/// A schema in a request of an operator.
#[derive(Clone, Debug)]
pub struct Sent {
    pub at: Duration,
    pub by: By,
    /// The job, by the number of its life.
    pub job: usize,
    pub request: String,
    pub schema: Value,
}

/// Which version a read showed.
#[derive(Clone, Debug)]
pub struct Look {
    pub at: Duration,
    pub by: By,
    pub job: usize,
    pub schema: Arc<Value>,
}

#[derive(Default)]
pub struct Schemas {
    versions: BTreeMap<usize, Vec<Stored>>,
    pub sent: Vec<Sent>,
    pub looks: Vec<Look>,
    /// What somebody may do between two reads.
    pub prepared: Option<Edit>,
    /// Every save is refused.
    pub refuses: bool,
    stamps: u64,
}

impl Schemas {
    /// Every version of the schema of a job, the oldest first: that of its template.
    pub fn versions(&self, job: usize) -> &[Stored] {
        self.versions.get(&job).map_or(&[], Vec::as_slice)
    }

    /// The schema that is stored.
    pub fn now(&self, job: usize) -> Option<&Stored> {
        self.versions(job).last()
    }

    /// A job has the schema of its template from its creation on.
    pub fn begin(&mut self, job: usize, created: Duration) {
        let first = || Stored {
            at: created,
            by: By::Person,
            request: String::new(),
            schema: template().into(),
            shown_from: created,
        };
        self.versions.entry(job).or_insert_with(|| vec![first()]);
    }

    /// Somebody changes a schema in the portal, which knows all of it.
    pub fn edit(&mut self, job: usize, edit: Edit, now: Duration) {
        let Some(stored) = self.now(job) else { return };
        let mut schema = Value::clone(&stored.schema);
        edit(&mut schema);
        let stored = Stored {
            at: now,
            by: By::Person,
            request: String::new(),
            schema: Arc::new(self.in_form(schema)),
            shown_from: now,
        };
        self.versions.entry(job).or_default().push(stored);
    }

    /// What a replica shows that lags like this.
    pub fn read(&mut self, job: usize, by: By, now: Duration, lag: Duration) -> Response {
        let versions = self.versions(job);
        let mut shown = versions.iter().rev().filter(|stored| stored.at + lag <= now && stored.shown_from <= now);
        let Some(stored) = shown.next().or(versions.first()) else { return answer::error(404, "ResourceNotFound", "") };
        let schema = stored.schema.clone();
        let body = schema.to_string();
        self.looks.push(Look { at: now, by, job, schema });
        answer::json(200, body)
    }

    /// Replaces the schema, unless it changes what nobody may change, or holds what cannot be parsed.
    pub fn put(
        &mut self,
        job: usize,
        body: &Bytes,
        (by, request): (By, &str),
        now: Duration,
        unseen: Duration,
    ) -> Response {
        let schema: Value = serde_json::from_slice(body).unwrap_or_default();
        let kept = |schema: &Value| rule(schema, READ_ONLY).map(|rule| rule["objectMappings"].clone());
        let stored = self.now(job).and_then(|stored| kept(&stored.schema));
        let refused = self.refuses || kept(&schema) != stored || !sources(&schema).all(expressions::is_known);
        if refused {
            return answer::error(400, "SchemaInvalid", &format!("The schema was refused. {}", answer::CANARY));
        }
        let (request, shown_from) = (request.to_owned(), now + unseen);
        let stored = Stored { at: now, by, request, schema: Arc::new(self.in_form(schema)), shown_from };
        self.versions.entry(job).or_default().push(stored);
        answer::no_content()
    }

    /// As the service keeps it: stamped, sorted, and with expressions and flow types as it writes them.
    fn in_form(&mut self, mut schema: Value) -> Value {
        self.stamps += 1;
        let stamp = Value::from(format!("Date:{}", self.stamps));
        schema["version"] = stamp.clone();
        for directory in schema["directories"].as_array_mut().into_iter().flatten() {
            directory["version"] = stamp.clone();
        }
        let rules = schema["synchronizationRules"].as_array_mut().into_iter().flatten();
        for objects in rules.flat_map(|rule| rule["objectMappings"].as_array_mut().into_iter().flatten()) {
            let mut flows: Vec<&str> =
                objects["flowTypes"].as_str().unwrap_or_default().split(',').map(str::trim).collect();
            flows.sort_unstable();
            let flows = flows.join(", ");
            objects["flowTypes"] = Value::from(flows);
            if objects["scope"]["groups"].as_array().is_some_and(Vec::is_empty) {
                objects["scope"] = Value::Null;
            }
            let Some(mappings) = objects["attributeMappings"].as_array_mut() else { continue };
            mappings.sort_by_key(|mapping| mapping["targetAttributeName"].to_string());
            for mapping in mappings {
                in_form(mapping);
            }
        }
        schema
    }
}

fn in_form(mapping: &mut Value) {
    if let Some(text) = mapping["source"]["expression"].as_str() {
        mapping["source"] = expressions::source(text);
    }
    let defaults =
        json!({"flowType": "Always", "flowBehavior": "FlowWhenChanged", "matchingPriority": 0, "defaultValue": null});
    for (name, value) in defaults.as_object().into_iter().flatten() {
        if mapping[name].is_null() {
            mapping[name] = value.clone();
        }
    }
}

pub fn rule<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema["synchronizationRules"].as_array()?.iter().find(|rule| rule["name"] == name)
}

/// The expressions of a schema.
fn sources(schema: &Value) -> impl Iterator<Item = &str> {
    let rules = schema["synchronizationRules"].as_array().into_iter().flatten();
    let objects = rules.flat_map(|rule| rule["objectMappings"].as_array().into_iter().flatten());
    let mappings = objects.flat_map(|objects| objects["attributeMappings"].as_array().into_iter().flatten());
    mappings.filter_map(|mapping| mapping["source"]["expression"].as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn whole() -> Schemas {
        let mut schemas = Schemas::default();
        schemas.begin(0, Duration::ZERO);
        schemas
    }

    fn read(schemas: &mut Schemas, at: u32, lag: u32) -> Value {
        let answer = schemas.read(0, By::Operator(0), at * SECOND, lag * SECOND);
        serde_json::from_slice(answer.body()).unwrap()
    }

    fn put(schemas: &mut Schemas, schema: &Value, at: u32) -> u16 {
        let body = Bytes::from(schema.to_string());
        schemas.put(0, &body, (By::Operator(0), "r"), at * SECOND, 5 * SECOND).status().as_u16()
    }

    #[test]
    fn a_save_is_stamped_kept_in_form_and_shown_late() {
        let mut schemas = whole();
        let mut schema = read(&mut schemas, 1, 0);
        let mapping = &mut schema["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][0];
        mapping["source"] = json!({"expression": "tolower( [mail] )", "type": "Function", "name": "x"});
        assert_eq!(put(&mut schemas, &schema, 10), 204);
        assert_eq!(
            (read(&mut schemas, 14, 0)["version"].clone(), read(&mut schemas, 20, 11)["version"].clone()),
            (json!("v1.0"), json!("v1.0"))
        );
        let shown = read(&mut schemas, 15, 0);
        assert_eq!(shown["version"], "Date:1");
        assert!(sources(&shown).any(|text| text == "ToLower([mail])"));
    }

    #[test]
    fn what_nobody_may_change_and_what_cannot_be_parsed_is_refused() {
        let mut schemas = whole();
        let schema = read(&mut schemas, 1, 0);
        let mut changed = schema.clone();
        changed["synchronizationRules"][1]["objectMappings"][0]["enabled"] = json!(false);
        let mut unknown = schema.clone();
        unknown["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][0]["source"]["expression"] =
            json!("Nonsense([mail])");
        assert_eq!((put(&mut schemas, &changed, 2), put(&mut schemas, &unknown, 2)), (400, 400));
        assert_eq!((put(&mut schemas, &schema, 2), schemas.versions(0).len()), (204, 2));
    }
}
