//! The dashboard as Grafana's JSON.

use serde_json::{Map, Value, json};

use super::source::{Dashboard, Kind, Panel, Query, Variable};

/// Of the JSON; Grafana brings an older one up to its own when it reads it.
const SCHEMA_VERSION: u8 = 39;
const RUNBOOKS: &str = "https://github.com/entrain-dev/entrain/blob/main/docs/runbooks.md";
const LINE: u8 = 24;
const ROW_HEIGHT: u32 = 1;
const PANEL_HEIGHT: u32 = 8;

pub fn model(source: &Dashboard) -> Value {
    let choice = json!({"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"});
    let variables: Vec<Value> = std::iter::once(choice).chain(source.variables.iter().map(variable)).collect();
    json!({
        "uid": "entrain",
        "title": source.title,
        "description": source.description,
        "tags": ["entrain"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": true,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "templating": {"list": variables},
        "links": [{"type": "link", "icon": "doc", "title": "Runbooks", "url": RUNBOOKS, "targetBlank": true}],
        "panels": panels(source),
    })
}

fn data_source() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

fn variable(variable: &Variable) -> Value {
    json!({
        "name": variable.name,
        "label": variable.label,
        "type": "query",
        "datasource": data_source(),
        "definition": variable.query,
        "query": {"query": variable.query, "refId": variable.name},
        // Values that come and go are asked for whenever the time range is.
        "refresh": 2,
        "sort": 1,
        "multi": true,
        "includeAll": true,
        // All of them by one pattern: thousands of names would not fit into a request.
        "allValue": ".+",
        "current": {"selected": true, "text": ["All"], "value": ["$__all"]},
    })
}

fn panels(source: &Dashboard) -> Vec<Value> {
    let (mut panels, mut id, mut y) = (Vec::new(), 0_u32, 0_u32);
    for row in &source.rows {
        id += 1;
        let place = json!({"x": 0, "y": y, "w": LINE, "h": ROW_HEIGHT});
        let head =
            json!({"id": id, "type": "row", "title": row.title, "collapsed": false, "gridPos": place, "panels": []});
        panels.push(head);
        y += ROW_HEIGHT;
        let mut x = 0;
        for source in &row.panels {
            if x + source.width > LINE {
                (x, y) = (0, y + PANEL_HEIGHT);
            }
            id += 1;
            let mut made = panel(source);
            made["id"] = json!(id);
            made["gridPos"] = json!({"x": x, "y": y, "w": source.width, "h": PANEL_HEIGHT});
            panels.push(made);
            x += source.width;
        }
        y += PANEL_HEIGHT;
    }
    panels
}

fn panel(panel: &Panel) -> Value {
    let links = panel.runbooks.iter().map(|alert| {
        let url = format!("{RUNBOOKS}#{}", alert.to_lowercase());
        json!({"title": format!("Runbook {alert}"), "url": url, "targetBlank": true})
    });
    let targets = panel.queries.iter().zip('A'..).map(|(query, id)| target(panel.kind, query, id));
    let mut value = json!({
        "type": panel.kind.name(),
        "title": panel.title,
        "description": panel.description,
        "datasource": data_source(),
        "links": links.collect::<Vec<_>>(),
        "targets": targets.collect::<Vec<_>>(),
        "fieldConfig": {"defaults": field(panel), "overrides": []},
        "options": options(panel),
    });
    if panel.kind == Kind::Table {
        value["transformations"] = transformations(panel);
    }
    value
}

fn target(kind: Kind, query: &Query, id: char) -> Value {
    json!({
        "refId": id,
        "datasource": data_source(),
        "expr": query.expr,
        "legendFormat": query.legend,
        "format": if kind == Kind::Table { "table" } else { "time_series" },
        "instant": kind.instant(),
        "range": !kind.instant(),
    })
}

fn field(panel: &Panel) -> Value {
    let mut field = json!({"unit": panel.unit});
    if let Some(decimals) = panel.decimals {
        field["decimals"] = json!(decimals);
    }
    if let Some(value) = panel.red_from {
        let steps = json!([{"color": "green", "value": null}, {"color": "red", "value": value}]);
        field["thresholds"] = json!({"mode": "absolute", "steps": steps});
    }
    if !panel.states.is_empty() {
        let texts = panel.states.iter().map(|(value, text)| (value.clone(), json!({"text": text})));
        field["mappings"] = json!([{"type": "value", "options": texts.collect::<Map<_, _>>()}]);
    }
    match panel.kind {
        Kind::TimeSeries if panel.stacked => {
            field["custom"] = json!({"fillOpacity": 30, "showPoints": "never", "stacking": {"mode": "normal"}});
        }
        Kind::TimeSeries => field["custom"] = json!({"fillOpacity": 0, "showPoints": "never"}),
        Kind::StateTimeline => field["custom"] = json!({"fillOpacity": 70, "lineWidth": 0}),
        Kind::Stat | Kind::Table => {}
    }
    field
}

fn options(panel: &Panel) -> Value {
    // A single number with a legend would lose it otherwise.
    let named = panel.queries.iter().any(|query| !query.legend.is_empty());
    let text = if named { "value_and_name" } else { "value" };
    let below = json!({"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": true});
    match panel.kind {
        Kind::Stat => json!({
            "colorMode": "value", "graphMode": "none", "textMode": text, "reduceOptions": {"calcs": ["lastNotNull"]},
        }),
        Kind::StateTimeline => json!({"legend": below, "mergeValues": true, "showValue": "auto"}),
        Kind::Table => json!({"showHeader": true}),
        Kind::TimeSeries => json!({"legend": below, "tooltip": {"mode": "multi", "sort": "desc"}}),
    }
}

/// One line for each set of labels, and of the fields only those that have a title.
fn transformations(panel: &Panel) -> Value {
    let values = match panel.queries.len() {
        1 => vec!["Value".to_owned()],
        count => ('A'..).take(count).map(|id| format!("Value #{id}")).collect(),
    };
    let hidden = std::iter::once("Time".to_owned()).chain(values).filter(|field| !panel.columns.contains_key(field));
    let hidden: Map<String, Value> = hidden.map(|field| (field, json!(true))).collect();
    json!([
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": hidden, "renameByName": panel.columns}},
    ])
}
