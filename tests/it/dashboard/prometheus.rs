//! A Prometheus that scrapes one operator, and what it is asked.

use std::path::PathBuf;

use bed::child::{Child, Spec};
use bed::tools::{self, Tool};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use crate::ops::free_address;

const INTERVAL: &str = "1s";
/// Four scrapes, as Grafana has it.
pub const RATE_INTERVAL: &str = "4s";
const API: &str = "/api/v1/";

/// Dropped, it ends and its data goes, in this order.
pub struct Prometheus {
    process: Child,
    data: TempDir,
    base: Url,
    http: reqwest::Client,
    began: Timestamp,
}

impl Prometheus {
    /// Scrapes the operator at this address as `job`, and evaluates these rules, a map with `groups`.
    pub async fn start(job: &str, address: &str, rules: &Value) -> Self {
        let program = tokio::task::spawn_blocking(|| tools::ensure(Tool::Prometheus).unwrap()).await.unwrap();
        let data = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &Value| {
            let path = data.path().join(name);
            std::fs::write(&path, content.to_string()).unwrap();
            path
        };
        let config = json!({
            "global": {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL, "evaluation_interval": INTERVAL},
            "rule_files": [file("rules.yaml", rules)],
            "scrape_configs": [{
                "job_name": job,
                "honor_labels": true,
                "static_configs": [{"targets": [address]}],
            }],
        });
        let listens = free_address();
        let args = vec![
            format!("--config.file={}", file("prometheus.yaml", &config).display()),
            format!("--storage.tsdb.path={}", data.path().join("tsdb").display()),
            format!("--web.listen-address={listens}"),
        ];
        let process = Child::spawn(Spec { program, args, log: data.path().join("log"), ..Spec::default() }).unwrap();
        let base = Url::parse(&format!("http://{listens}{API}")).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { process, data, base, http, began: Timestamp::now() }
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub fn data(&self) -> PathBuf {
        self.data.path().to_owned()
    }

    /// The data of an answer, or why there is none.
    pub async fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let mut url = self.base.join(path).unwrap();
        url.query_pairs_mut().extend_pairs(parameters);
        let answer = self.http.get(url).send().await.map_err(|error| error.to_string())?;
        let body: Value = answer.json().await.map_err(|error| error.to_string())?;
        if body["status"] == "success" { Ok(body["data"].clone()) } else { Err(body["error"].to_string()) }
    }

    /// The numbers that a query gives: now, or at every second since this Prometheus was started.
    pub async fn numbers(&self, expr: &str, instant: bool) -> Result<Vec<f64>, String> {
        let (start, end) = self.span();
        let answer = if instant {
            self.ask("query", &[("query", expr)]).await?
        } else {
            self.ask("query_range", &[("query", expr), ("start", &start), ("end", &end), ("step", INTERVAL)]).await?
        };
        let series = answer["result"].as_array().unwrap().iter();
        let points = series.flat_map(|series| match &series["values"] {
            Value::Array(points) => points.clone(),
            _ => vec![series["value"].clone()],
        });
        Ok(points.map(|point| point[1].as_str().unwrap().parse().unwrap()).collect())
    }

    /// The values of a label of the series that a selector chose so far.
    pub async fn values(&self, selector: &str, label: &str) -> Result<Vec<String>, String> {
        let (start, end) = self.span();
        let parameters = [("match[]", selector), ("start", start.as_str()), ("end", end.as_str())];
        let answer = self.ask(&format!("label/{label}/values"), &parameters).await?;
        Ok(answer.as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect())
    }

    /// Whether a selector has chosen any series so far.
    pub async fn has_seen(&self, selector: &str) -> Result<bool, String> {
        let (start, end) = self.span();
        let parameters = [("match[]", selector), ("start", start.as_str()), ("end", end.as_str())];
        Ok(self.ask("series", &parameters).await?.as_array().is_some_and(|series| !series.is_empty()))
    }

    /// The selectors of an expression, without ranges and offsets.
    pub async fn selectors(&self, expr: &str) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        collect(&self.ask("parse_query", &[("query", expr)]).await?, &mut found);
        Ok(found)
    }

    fn span(&self) -> (String, String) {
        (self.began.to_string(), Timestamp::now().to_string())
    }
}

fn collect(node: &Value, found: &mut Vec<String>) {
    match node {
        Value::Array(nodes) => nodes.iter().for_each(|node| collect(node, found)),
        Value::Object(members) => {
            if let Some(Value::Array(matchers)) = members.get("matchers") {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let matchers = matchers
                    .iter()
                    .map(|matcher| format!("{}{}{}", text(&matcher["name"]), text(&matcher["type"]), matcher["value"]));
                found.push(format!("{{{}}}", matchers.collect::<Vec<_>>().join(", ")));
            }
            members.values().for_each(|node| collect(node, found));
        }
        _ => {}
    }
}
