//! Every metric as the table of metrics says.

use entrain::metrics::{METRICS, Spec};
use regex::Regex;

#[test]
fn the_names_follow_the_conventions_of_prometheus() {
    let prefixes = ["entrain_", "controller_runtime_", "workqueue_", "rest_client_", "leader_election_"];
    let word = Regex::new("^[a-z]+(_[a-z]+)*$").unwrap();
    let other_units = ["milliseconds", "ms", "minutes", "hours", "days", "kilobytes", "percent"];
    for Spec { name, kind, labels, .. } in METRICS {
        assert!(prefixes.iter().any(|prefix| name.starts_with(prefix)) && word.is_match(name), "{name}");
        assert_eq!(name.ends_with("_total"), kind.as_str() == "counter", "{name}");
        assert_eq!(name.ends_with("_info"), kind.as_str() == "info", "{name}");
        assert!(kind.as_str() != "histogram" || name.ends_with("_seconds"), "{name} does not say its unit");
        assert!(!name.split('_').any(|word| other_units.contains(&word)), "{name} is not in a base unit");
        assert!(labels.iter().all(|label| word.is_match(label)), "{name}: {labels:?}");
    }
}
