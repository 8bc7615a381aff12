//! What happened to schemas, for people who look for a cause.

use std::time::Duration;

use super::super::graph::schemas::Schemas;
use super::values::{differing, meaning, values};

/// Every version with what it changed, and every read with the version that it showed.
pub fn story(service: &super::super::graph::Service) -> Vec<(Duration, String)> {
    let schemas: &Schemas = &service.schemas;
    let mut lines = Vec::new();
    for job in 0..service.tenant.jobs.len() {
        for pair in schemas.versions(job).windows(2) {
            let (before, after) = (values(&pair[0].schema), values(&pair[1].schema));
            let places = differing(&before, &after);
            let changes: Vec<String> = places
                .iter()
                .map(|place| {
                    format!("{place}: {} → {}", meaning(place, before.get(place)), meaning(place, after.get(place)))
                })
                .collect();
            let version = &pair[1].schema["version"];
            lines.push((
                pair[1].at,
                format!("            {:?} schema {job} {version} {}", pair[1].by, changes.join("; ")),
            ));
        }
    }
    for look in &schemas.looks {
        lines.push((look.at, format!("            {:?} sees schema {} {}", look.by, look.job, look.schema["version"])));
    }
    lines
}
