//! The file for kube-state-metrics: each of its paths leads somewhere in an object that the operator has written.

use serde_json::Value;

use crate::stack::plane::repository;

/// One object for each state that the documentation tells of.
const OBJECTS: &str = "argocd/resource_customizations/entrain.dev/SyncJob/testdata";

type Path = Vec<String>;

fn path(value: &Value) -> Path {
    value.as_array().unwrap().iter().map(|part| part.as_str().unwrap().to_owned()).collect()
}

fn at<'a>(object: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, part| value.get(part)).filter(|value| !value.is_null())
}

/// Where the values of a metric and of its labels are: the path to what each sample is made from, and those below it.
fn paths(metric: &Value) -> (Path, Vec<Path>) {
    let kind = metric["each"]["type"].as_str().unwrap();
    let each = &metric["each"][kind.to_lowercase()];
    let root = each.get("path").map(path).unwrap_or_default();
    let labels = each.get("labelsFromPath").and_then(Value::as_object).into_iter().flatten();
    let values = each.get("valueFrom").into_iter().chain(labels.map(|(_, label)| label));
    let below: Vec<Path> = values.map(path).collect();
    assert!(!below.is_empty(), "{metric:#}");
    (root, below)
}

/// Whether some sample of the metric in this object has a value at that path.
fn leads_somewhere(object: &Value, root: &[String], below: &[String]) -> bool {
    let several = |value: &'_ Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    at(object, root).is_some_and(|value| several(value).iter().any(|sample| at(sample, below).is_some()))
}

#[test]
fn every_path_of_the_file_for_kube_state_metrics_leads_somewhere() {
    let file = repository().join("config/kube-state-metrics/custom-resource-state.yaml");
    let config: Value = serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let objects: Vec<Value> = std::fs::read_dir(repository().join(OBJECTS))
        .unwrap()
        .map(|file| serde_saphyr::from_str(&std::fs::read_to_string(file.unwrap().path()).unwrap()).unwrap())
        .collect();
    assert!(!objects.is_empty());
    let resource = &config["spec"]["resources"][0];
    for label in resource["labelsFromPath"].as_object().unwrap().values() {
        assert!(objects.iter().all(|object| at(object, &path(label)).is_some()), "{label}");
    }
    let (metrics, mut seen) = (resource["metrics"].as_array().unwrap(), 0);
    for metric in metrics {
        let (root, below) = paths(metric);
        for leaf in below {
            let found = objects.iter().any(|object| leads_somewhere(object, &root, &leaf));
            assert!(found, "{}: {root:?} {leaf:?} is in no status that the operator writes", metric["name"]);
            seen += 1;
        }
    }
    assert!(seen >= metrics.len());
}
