//! The dashboard of the chart: what it is made from, what it must have, and, with the alerts, whether a real Prometheus
//! that scrapes a real operator has something for all of it.

pub mod live;
mod model;
mod prometheus;
mod source;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use self::model::model;
use self::source::{Panel, dashboard};
use crate::alerts;
use crate::chart::generated::fresh;
use crate::chart::{chart, objects, only, read};

const FILE: &str = "files/dashboard.json";

#[test]
fn the_json_is_made_from_its_source() {
    let text = serde_json::to_string_pretty(&model(&dashboard())).unwrap() + "\n";
    fresh(&chart().join(FILE), &text);
}

#[test]
fn each_panel_has_a_title_of_its_own_and_says_what_to_do_with_it() {
    let dashboard = dashboard();
    let panels: Vec<&Panel> = dashboard.rows.iter().flat_map(|row| &row.panels).collect();
    let titles: BTreeSet<&str> = panels.iter().map(|panel| panel.title.as_str()).collect();
    assert_eq!(titles.len(), panels.len());
    for panel in panels {
        assert!(panel.description.ends_with('.') && panel.description.len() > 40, "{}", panel.title);
        assert!(panel.kind == source::Kind::Table || panel.columns.is_empty(), "{}", panel.title);
        let several = panel.queries.len() > 1 && panel.kind != source::Kind::Table;
        assert!(!several || panel.queries.iter().all(|query| !query.legend.is_empty()), "{}", panel.title);
    }
}

#[test]
fn each_alert_has_a_panel_that_leads_to_its_runbook() {
    let dashboard = dashboard();
    let named: BTreeSet<&str> = dashboard
        .rows
        .iter()
        .flat_map(|row| &row.panels)
        .flat_map(|panel| &panel.runbooks)
        .map(String::as_str)
        .collect();
    let alerts = alerts::alerts();
    assert_eq!(named, alerts.iter().map(alerts::name).collect(), "the anchors are those of the alerts");
}

#[test]
fn every_query_asks_the_source_and_the_operator_that_were_chosen() {
    let text = read(&chart().join(FILE));
    let model: Value = serde_json::from_str(&text).unwrap();
    let sources = text.matches("\"datasource\": {").count();
    assert!(
        sources > 0 && text.matches("\"uid\": \"${datasource}\"").count() == sources,
        "a data source that is fixed"
    );
    for panel in model["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expr = target["expr"].as_str().unwrap();
            assert_eq!(expr.matches('{').count(), expr.matches("{job=~\"$job\"").count(), "{expr}");
        }
    }
}

#[test]
fn the_chart_gives_it_to_grafana_as_it_is() {
    let values = |more: Value| json!({"dashboard": more});
    assert!(objects(&[], &json!({})).unwrap().iter().all(|object| object["kind"] != "ConfigMap"), "only on request");
    let rendered = objects(&[], &values(json!({"enabled": true}))).unwrap();
    let map = only(&rendered, "ConfigMap");
    assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
    assert_eq!(map["metadata"]["namespace"], "entrain-system");
    assert_eq!(map["data"]["entrain.json"], read(&chart().join(FILE)).trim_end());
    let elsewhere = json!({
        "enabled": true, "namespace": "monitoring",
        "labels": {"grafana_dashboard": null, "dashboards": "yes"}, "annotations": {"grafana_folder": "Identity"},
    });
    let rendered = objects(&[], &values(elsewhere)).unwrap();
    let metadata = &only(&rendered, "ConfigMap")["metadata"];
    assert!(metadata["labels"]["grafana_dashboard"].is_null() && metadata["labels"]["dashboards"] == "yes");
    assert_eq!(
        (&metadata["namespace"], &metadata["annotations"]),
        (&json!("monitoring"), &json!({"grafana_folder": "Identity"}))
    );
}
