//! The dashboard in short form, `charts/entrain/files/dashboard.yaml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::chart::{chart, read};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    pub title: String,
    pub description: String,
    pub variables: Vec<Variable>,
    pub rows: Vec<Row>,
}

/// A choice at the top: several values, or all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    pub name: String,
    pub label: String,
    pub query: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub title: String,
    pub panels: Vec<Panel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    pub title: String,
    #[serde(rename = "type")]
    pub kind: Kind,
    /// In 24ths of a line.
    pub width: u8,
    /// One of Grafana's units.
    #[serde(default = "plain")]
    pub unit: String,
    pub decimals: Option<u8>,
    /// From which value on a stat is red.
    pub red_from: Option<u8>,
    #[serde(default)]
    pub stacked: bool,
    /// What the values of a state timeline mean.
    #[serde(default)]
    pub states: BTreeMap<String, String>,
    /// The fields that a table shows, and their titles.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// What a reader does with it.
    pub description: String,
    /// The alerts that watch the same.
    #[serde(default)]
    pub runbooks: Vec<String>,
    pub queries: Vec<Query>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Stat,
    StateTimeline,
    Table,
    #[serde(rename = "timeseries")]
    TimeSeries,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    pub expr: String,
    #[serde(default)]
    pub legend: String,
}

fn plain() -> String {
    "short".to_owned()
}

impl Kind {
    /// As Grafana calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stat => "stat",
            Self::StateTimeline => "state-timeline",
            Self::Table => "table",
            Self::TimeSeries => "timeseries",
        }
    }

    /// Whether it shows what is so now, and not how it came about.
    pub fn instant(self) -> bool {
        matches!(self, Self::Stat | Self::Table)
    }
}

pub fn dashboard() -> Dashboard {
    serde_saphyr::from_str(&read(&chart().join("files/dashboard.yaml"))).unwrap()
}
