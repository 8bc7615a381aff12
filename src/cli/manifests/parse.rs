//! One file: its documents, and the SyncJobs among them, read strictly. The API server drops an unknown field after a
//! warning that nobody reads; a review is the place to report it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::files::File;
use super::manifest::{Manifest, Manifests, Problem, Source, Tenant};
use crate::api::tenant::{ClusterEntraTenant, EntraTenant, TenantKind};
use crate::api::{GROUP, KINDS, SyncJob};
use crate::plan::Desired;
use crate::plan::tenant::Wish;

const VERSION: &str = "v1alpha1";
const NAME_CHARS_MAX: usize = 63;

pub(super) fn file(file: &File, manifests: &mut Manifests, problems: &mut Vec<Problem>) {
    let mut reader = Reader { manifests, problems };
    match documents(&file.text) {
        Ok(documents) => documents.into_iter().enumerate().for_each(|(index, document)| {
            let source = Source { file: file.name.clone(), document: index + 1, item: None };
            reader.document(document, &source);
        }),
        Err(what) => problems.push(Problem::File { file: file.name.clone(), what }),
    }
}

/// JSON is YAML. The message of an error quotes nothing: the next document may be a Secret.
fn documents(text: &str) -> Result<Vec<Value>, String> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
        let place = error.location().map(|at| format!(" in line {}, column {}", at.line(), at.column()));
        format!("the YAML cannot be read{}", place.unwrap_or_default())
    })
}

struct Reader<'a> {
    manifests: &'a mut Manifests,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn document(&mut self, document: Value, source: &Source) {
        let Value::Object(mut object) = document else { return };
        match object.remove("items") {
            Some(Value::Array(items)) if kind(&object).ends_with("List") => {
                for (index, item) in items.into_iter().enumerate() {
                    let Value::Object(mut item) = item else { continue };
                    inherit(&object, &mut item);
                    self.object(item, &Source { item: Some(index + 1), ..source.clone() });
                }
            }
            items => {
                object.extend(items.map(|items| ("items".to_owned(), items)));
                self.object(object, source);
            }
        }
    }

    fn object(&mut self, object: Map<String, Value>, source: &Source) {
        let (group, version) = text(&object, "apiVersion").split_once('/').unwrap_or_default();
        let name = kind(&object).to_owned();
        if group != GROUP || !KINDS.iter().any(|kind| kind.name == name) {
            return;
        }
        let read = if version == VERSION {
            self.of_kind(&name, object, source)
        } else {
            Err(vec![format!("apiVersion: '{version}' is not known; it must be '{GROUP}/{VERSION}'")])
        };
        let problems = read.err().into_iter().flatten();
        self.problems.extend(problems.map(|what| Problem::Document { at: source.clone(), what: printable(&what) }));
    }

    fn of_kind(&mut self, kind: &str, object: Map<String, Value>, source: &Source) -> Result<(), Vec<String>> {
        if kind == TenantKind::EntraTenant.name() {
            let tenant: EntraTenant = known(object)?;
            let wish = Wish::of_namespaced(&tenant.spec).map_err(|fault| vec![format!("spec: {fault}")])?;
            self.manifests.tenants.push(named(TenantKind::EntraTenant, tenant.metadata, wish));
        } else if kind == TenantKind::ClusterEntraTenant.name() {
            let tenant: ClusterEntraTenant = known(object)?;
            let wish = Wish::of_cluster(&tenant.spec).map_err(|fault| vec![format!("spec: {fault}")])?;
            self.manifests.tenants.push(named(TenantKind::ClusterEntraTenant, tenant.metadata, wish));
        } else {
            let (object, desired) = sync_job(object)?;
            if object.metadata.deletion_timestamp.is_none() {
                self.manifests.sync_jobs.push(Manifest { source: source.clone(), object, desired });
            }
        }
        Ok(())
    }
}

fn text<'a>(object: &'a Map<String, Value>, field: &str) -> &'a str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn kind(object: &Map<String, Value>) -> &str {
    text(object, "kind")
}

/// In a typed list as the API serves it, the items leave out kind and version.
fn inherit(list: &Map<String, Value>, item: &mut Map<String, Value>) {
    let of_item = kind(list).strip_suffix("List").filter(|kind| !kind.is_empty());
    if let (Some(of_item), false) = (of_item, item.contains_key("kind")) {
        item.insert("kind".to_owned(), Value::from(of_item));
        item.insert("apiVersion".to_owned(), Value::from(text(list, "apiVersion")));
    }
}

/// An object without unknown fields, or every reason why it is refused, each with its field.
fn known<K: DeserializeOwned>(mut object: Map<String, Value>) -> Result<K, Vec<String>> {
    object.retain(|field, _| field != "apiVersion" && field != "kind");
    let mut unknown = Vec::new();
    let object = strict(Value::Object(object), &mut unknown)?;
    if unknown.is_empty() { Ok(object) } else { Err(no_such_fields(unknown).collect()) }
}

fn named(kind: TenantKind, metadata: ObjectMeta, wish: Wish) -> Tenant {
    let name = metadata.name.unwrap_or_default();
    Tenant { kind, namespace: metadata.namespace, name, id: wish.tenant_id }
}

fn no_such_fields(unknown: Vec<String>) -> impl Iterator<Item = String> {
    unknown.into_iter().map(|field| format!("{field}: there is no such field"))
}

/// The object and its parsed spec, or every reason why it is refused, each with its field.
fn sync_job(mut object: Map<String, Value>) -> Result<(SyncJob, Desired), Vec<String>> {
    object.retain(|field, _| field != "apiVersion" && field != "kind");
    let mut unknown = Vec::new();
    let object: SyncJob = strict(Value::Object(object), &mut unknown)?;
    let refused = Desired::parse(&object.spec).map_err(|refusals| refusals.0);
    let mut problems: Vec<String> = no_such_fields(unknown).collect();
    problems.extend(name_problem(&object));
    match refused {
        Ok(desired) if problems.is_empty() => Ok((object, desired)),
        Ok(_) => Err(problems),
        Err(refusals) => Err(problems.into_iter().chain(refusals).collect()),
    }
}

/// Collects the unknown fields. Status is the operator's, and may be that of a newer version.
fn strict<K: DeserializeOwned>(value: Value, unknown: &mut Vec<String>) -> Result<K, Vec<String>> {
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(value, &mut track);
    let object: Result<K, serde_json::Error> = serde_ignored::deserialize(tracked, |path| {
        let path = path.to_string().replace(".?", "");
        if !path.starts_with("status.") {
            unknown.push(path);
        }
    });
    object.map_err(|error| {
        let path = track.path().to_string();
        let at = if path == "." { String::new() } else { format!("{path}: ") };
        vec![format!("{at}{error}")]
    })
}

fn name_problem(object: &SyncJob) -> Option<String> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let good = |name: &str| !name.is_empty() && name.len() <= NAME_CHARS_MAX && name.chars().all(inner);
    let (name, namespace) = (object.metadata.name.as_deref(), object.metadata.namespace.as_deref());
    if !name.is_some_and(good) {
        Some(format!(
            "metadata.name must be given: lower-case letters, digits, dashes and dots, no more than {NAME_CHARS_MAX}"
        ))
    } else if !namespace.is_none_or(good) {
        Some("metadata.namespace is not the name of a namespace".to_owned())
    } else {
        None
    }
}

/// Errors quote what they did not expect.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = "spec: {servicePrincipalId: 2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f, templateId: scim}";

    /// Names of the SyncJobs, and what is wrong.
    fn read(yaml: &str) -> (Vec<String>, Vec<String>) {
        let (mut manifests, mut problems) = (Manifests::default(), Vec::new());
        file(&File { name: "f".to_owned(), text: yaml.to_owned() }, &mut manifests, &mut problems);
        (
            manifests.sync_jobs.iter().map(Manifest::full_name).collect(),
            problems.iter().map(ToString::to_string).collect(),
        )
    }

    fn one(metadata: &str, spec: &str) -> String {
        format!("apiVersion: entrain.dev/v1alpha1\nkind: SyncJob\nmetadata: {metadata}\n{spec}\n")
    }

    #[test]
    fn sync_jobs_are_found_among_other_documents_and_in_lists() {
        let item = format!("{{apiVersion: entrain.dev/v1alpha1, kind: SyncJob, metadata: {{name: b}}, {SPEC}}}");
        let yaml = format!(
            "---\n# nothing\n---\napiVersion: v1\nkind: Secret\ndata: {{a: b}}\n---\n{}---\napiVersion: v1\nkind: List\nitems: [{item}, {{kind: ConfigMap}}]\n---\napiVersion: entrain.dev/v1alpha1\nkind: SyncJobList\nitems: [{{metadata: {{name: c}}, {SPEC}}}]\n---\napiVersion: other.dev/v1\nkind: SyncJob\n",
            one("{name: a, namespace: ns}", SPEC)
        );
        assert_eq!(read(&yaml), (vec!["ns/a".to_owned(), "b".to_owned(), "c".to_owned()], vec![]));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_document_and_field() {
        let spec = |more: &str| SPEC.replace('}', &format!(", {more}}}"));
        for (yaml, words) in [
            (one("{name: a}", &spec("tempalteId: x")), "f, document 1: spec.tempalteId: there is no such field"),
            (one("{name: a}", &spec("adoption: {policy: Only, jobID: x}")), "spec.adoption.jobID: there is no such"),
            (one("{name: a, label: {}}", SPEC), "metadata.label: there is no such field"),
            (one("{name: a}", &format!("{SPEC}\nsepc: {{}}")), "document 1: sepc: there is no such field"),
            (one("{name: a}", &spec("state: Runing")), "spec.state: unknown variant `Runing`, expected `Running` or"),
            (one("{name: a}", &spec("pollIntervalSeconds: soon")), "spec.pollIntervalSeconds: invalid type"),
            (one("{name: a}", "spec: {templateId: scim}"), "spec: missing field `servicePrincipalId`"),
            (one("{name: a}", "spec: {servicePrincipalId: x, templateId: z}"), "spec.servicePrincipalId must be the"),
            (one("{}", SPEC), "metadata.name must be given"),
            (one("{name: a}", SPEC).replace("v1alpha1", "v1"), "apiVersion: 'v1' is not known"),
            (one("{name: a}", &spec("templateId: x")), "f: the YAML cannot be read in line"),
            ("a: [canary".to_owned(), "f: the YAML cannot be read"),
        ] {
            let (found, problems) = read(&yaml);
            assert!(found.is_empty() && problems.len() == 1, "{yaml}: {problems:?}");
            assert!(problems[0].contains(words) && !problems[0].contains("canary"), "{}", problems[0]);
        }
    }

    #[test]
    fn a_tenant_is_found_for_the_sync_job_that_names_it_and_read_as_strictly() {
        let tenant = |kind: &str, metadata: &str, spec: &str| {
            format!(
                "apiVersion: entrain.dev/v1alpha1\nkind: {kind}\nmetadata: {metadata}\nspec: {{tenantId: 7F0C2B1E-5c1d-4d0a-9a53-0d6f4b8a2e11, {spec}}}\n"
            )
        };
        let certificate = "credential: {certificate: {clientId: x, secretName: tls}}";
        let job = one("{name: a, namespace: ns}", &SPEC.replace('}', ", tenantRef: {name: t}}"));
        let known = |tenant: String| {
            let (mut manifests, mut problems) = (Manifests::default(), Vec::new());
            let text = format!("{tenant}---\n{job}");
            file(&File { name: "f".to_owned(), text }, &mut manifests, &mut problems);
            assert!(problems.is_empty(), "{problems:?}");
            (manifests.tenants[0].is_of(&manifests.sync_jobs[0]), manifests.tenants[0].id.clone())
        };
        let id = "7f0c2b1e-5c1d-4d0a-9a53-0d6f4b8a2e11".to_owned();
        assert_eq!(known(tenant("EntraTenant", "{name: t, namespace: ns}", certificate)), (true, id.clone()));
        assert_eq!(known(tenant("EntraTenant", "{name: t, namespace: other}", certificate)), (false, id.clone()));
        assert_eq!(known(tenant("ClusterEntraTenant", "{name: t}", "credential: {operatorIdentity: {}}")), (false, id));
        for (wrong, words) in [
            (tenant("EntraTenant", "{name: t}", "credential: {}"), "spec: `credential` must have exactly one member"),
            (tenant("EntraTenant", "{name: t}", "credential: {operatorIdentity: {}}"), "operatorIdentity: there is no"),
            (tenant("EntraTenant", "{name: t}", &format!("{certificate}, graphUrl: x")), "spec.graphUrl: there is no"),
        ] {
            let problems = read(&wrong).1;
            assert!(problems.len() == 1 && problems[0].contains(words), "{problems:?}");
        }
    }

    #[test]
    fn what_the_cluster_adds_is_no_mistake_and_what_it_deletes_is_no_wish() {
        let status = "status: {jobId: x, conditions: [], fromANewerOperator: {a: 1}, observedGeneration: 3}";
        let metadata = "{name: a, generation: 3, uid: u, resourceVersion: '7', creationTimestamp: '2026-11-24T10:00:00Z', managedFields: [{manager: m, fieldsV1: {'f:spec': {}}}]}";
        assert_eq!(read(&one(metadata, &format!("{SPEC}\n{status}"))), (vec!["a".to_owned()], vec![]));
        let deleted = "{name: a, deletionTimestamp: '2026-11-24T10:00:00Z'}";
        assert_eq!(read(&one(deleted, SPEC)), (vec![], vec![]));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_text_is_read_or_refused_without_quoting_another_document(
            at in 0_usize..400, removed in 0_usize..40, text in "(\\PC|[\n\t\u{1b}:&*!|>'\"{}\\[\\]-]){0,12}"
        ) {
            let good = one("{name: a, namespace: ns}", SPEC);
            let mut yaml: Vec<char> =
                format!("{good}---\napiVersion: v1\nkind: Secret\nstringData: {{token: canary}}\n---\n{good}").chars().collect();
            let at = at.min(yaml.len());
            yaml.splice(at..(at + removed).min(yaml.len()), text.chars());
            let yaml: String = yaml.into_iter().collect();
            for problem in read(&yaml).1 {
                proptest::prop_assert!(!problem.contains("canary"), "{}: {}", yaml, problem);
                proptest::prop_assert!(!problem.contains(char::is_control), "{}: {}", yaml, problem);
            }
        }
    }
}
