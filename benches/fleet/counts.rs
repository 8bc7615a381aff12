//! What the API server was asked, as it counts that itself.

use std::collections::BTreeMap;

/// Requests by verb and resource, as in `APPLY syncjobs/status`.
#[derive(Clone, Debug, Default)]
pub struct ApiCounts(BTreeMap<String, f64>);

impl ApiCounts {
    /// From the text of the API server's metrics.
    pub fn read(text: &str) -> Self {
        let mut all = BTreeMap::new();
        for line in text.lines().filter(|line| line.starts_with("apiserver_request_total{")) {
            let label = |name: &str| {
                let (_, rest) = line.split_once(&format!("{name}=\"")).unwrap_or_default();
                rest.split('"').next().unwrap_or_default().to_owned()
            };
            let value = line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok()).unwrap_or_default();
            // `resource` is also the end of `subresource`, so that the comma before it counts.
            let (resource, sub) = (label(",resource"), label("subresource"));
            let target = if sub.is_empty() { resource } else { format!("{resource}/{sub}") };
            *all.entry(format!("{} {target}", label(",verb"))).or_default() += value;
        }
        Self(all)
    }

    /// What came since then.
    pub fn since(&self, before: &Self) -> Self {
        let grown = |(name, count): (&String, &f64)| {
            let more = count - before.0.get(name).unwrap_or(&0.0);
            (more > 0.0).then(|| (name.clone(), more))
        };
        Self(self.0.iter().filter_map(grown).collect())
    }

    pub fn of(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or_default()
    }

    /// Writes of any kind, those of reviews and tokens aside, which change nothing, and of leases: the operator has none here, and
    /// the API server renews its own.
    pub fn writes(&self) -> impl Iterator<Item = (&str, f64)> {
        const VERBS: [&str; 6] = ["APPLY ", "PATCH ", "POST ", "PUT ", "DELETE ", "DELETECOLLECTION "];
        let is_write = |name: &str| VERBS.iter().any(|verb| name.starts_with(verb));
        let changes = |name: &str| !["reviews", "/token", " leases"].iter().any(|end| name.ends_with(end));
        self.0
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
            .filter(move |(name, _)| is_write(name) && changes(name))
    }

    /// Writes to SyncJobs and their status.
    pub fn sync_job_writes(&self) -> f64 {
        self.writes().filter(|(name, _)| name.contains("syncjobs")).map(|(_, count)| count).sum()
    }

    /// All writes, as a person reads them.
    pub fn shown(&self, per: usize) -> String {
        #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
        let part = |count: f64| count / per.max(1) as f64;
        let all: Vec<String> = self
            .writes()
            .filter(|(_, count)| *count > 0.0)
            .map(|(name, count)| format!("{name} {:.2}", part(count)))
            .collect();
        if all.is_empty() { "none".to_owned() } else { all.join(", ") }
    }
}
