//! The alert rules of the chart: each is complete, has a runbook, and is asked by promtool when it fires and when not.

use std::collections::BTreeSet;
use std::process::Command;

use bed::tools::{self, Tool};
use serde_json::{Value, json};

use crate::chart::{chart, documents, objects, only, read, repository, run};

const CASES: &str = "tests/it/alerts/tests.yaml";
const RUNBOOKS: &str = "https://github.com/entrain-dev/entrain/blob/main/docs/runbooks.md#";

fn rules(groups: &Value) -> Vec<Value> {
    let groups = groups["groups"].as_array().unwrap().iter();
    groups.flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

pub fn alerts() -> Vec<Value> {
    rules(&documents(&read(&chart().join("files/alerts.yaml")))[0])
}

pub fn name(rule: &Value) -> &str {
    rule["alert"].as_str().unwrap()
}

#[test]
fn promtool_sees_each_alert_fire_and_stay_silent() {
    let mut promtool = Command::new(tools::ensure(Tool::Promtool).unwrap());
    let said = run(promtool.args(["test", "rules"]).arg(repository().join(CASES)), "");
    assert!(said.is_ok(), "{}", said.unwrap_err());
}

#[test]
fn each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() {
    let cases = documents(&read(&repository().join(CASES))).remove(0)["tests"].clone();
    for rule in alerts() {
        let of = |kind: &str, samples: usize| {
            let start = format!("{} {kind}: ", name(&rule));
            cases.as_array().unwrap().iter().any(|case| {
                let asked = &case["promql_expr_test"][0];
                let named = format!("alertname=\"{}\"", name(&rule));
                case["name"].as_str().unwrap().starts_with(&start)
                    && asked["expr"].as_str().unwrap().contains(&named)
                    && asked["exp_samples"].as_array().unwrap().len() == samples
            })
        };
        assert!(of("fires", 1) && of("is silent", 0), "{}", name(&rule));
    }
}

#[test]
fn each_alert_says_how_bad_it_is_and_where_its_runbook_stands() {
    let page = read(&repository().join("docs/runbooks.md"));
    let sections: Vec<&str> = page.split("\n## ").skip(1).collect();
    let titles: BTreeSet<&str> = sections.iter().map(|section| section.lines().next().unwrap()).collect();
    let alerts = alerts();
    assert_eq!(titles, alerts.iter().map(name).collect(), "a runbook for each alert and no other");
    for rule in &alerts {
        let annotations = &rule["annotations"];
        assert!(["warning", "critical"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{rule}");
        assert!(annotations["summary"].is_string() && annotations["description"].is_string(), "{rule}");
        assert_eq!(annotations["runbook_url"], format!("{RUNBOOKS}{}", name(rule).to_lowercase()));
    }
    for section in sections {
        let parts: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("### ")).collect();
        assert_eq!(parts, ["Meaning", "Impact", "Diagnosis", "Mitigation"], "{section}");
        assert!(section.contains("```sh\nkubectl "), "{section}");
    }
}

#[test]
fn the_chart_renders_them_as_they_are_but_for_what_is_overridden() {
    let rendered = |overrides: Value| {
        let values = json!({"prometheusRule": {"enabled": true, "renderMode": "alwaysRender", "overrides": overrides}});
        rules(&only(&objects(&[], &values).unwrap(), "PrometheusRule")["spec"])
    };
    let mut expected = alerts();
    assert_eq!(rendered(json!({})), expected);
    expected.retain(|rule| name(rule) != "EntrainSyncJobQuarantined");
    let stalled = expected.iter_mut().find(|rule| name(rule) == "EntrainSyncJobStalled").unwrap();
    stalled["for"] = json!("2h");
    stalled["labels"]["severity"] = json!("page");
    let overrides = json!({
        "EntrainSyncJobQuarantined": {"disabled": true},
        "EntrainSyncJobStalled": {"severity": "page", "for": "2h"},
    });
    assert_eq!(rendered(overrides), expected);
}
