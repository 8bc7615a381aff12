//! What it costs to merge an overlay into a large schema, as ratios to parsing the document, which is done once for each look in
//! any case. Nothing is asserted.

// A bench ends where it cannot go on.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::hint::black_box;
use std::time::Duration;

use entrain::api::Mappings;
use entrain::overlay::{Drift, Expressions, Overlay, merge};
use serde_json::{Value, json};
use tokio::time::Instant;

const REPEATS: usize = 5;
const ROUNDS: u32 = 20;

fn main() {
    println!(
        "{REPEATS} repeats of {ROUNDS} rounds; min / median / max of the time of one round, and the ratio of the medians"
    );
    for name in bed::graph::fixtures::NAMES {
        let text = serde_json::to_string(&bed::graph::fixtures::schema(name).unwrap()).unwrap();
        let live: Value = serde_json::from_str(&text).unwrap();
        let wish = overlay_of(&live, 30);
        let known = Expressions::default();
        let overlay = Overlay { wish: &wish, memory: None, drift: Drift::Respect, everyone: false };
        let first = merge(&overlay, &live, &known).unwrap();
        let again = Overlay { memory: Some(&first.memory), ..overlay };
        let parsed = times(|| drop(black_box(serde_json::from_str::<Value>(black_box(&text)).unwrap())));
        let changes = times(|| drop(black_box(merge(&overlay, black_box(&live), &known).unwrap())));
        let rest = times(|| drop(black_box(merge(&again, black_box(&first.document), &known).unwrap())));
        println!("{name}: {} KB, {} values owned, {} lines", text.len() / 1000, first.owned, first.changes.len());
        show("parse", &parsed, &parsed);
        show("merge with changes", &changes, &parsed);
        show("merge without", &rest, &parsed);
    }
}

/// Other sources for the first attribute mappings of the first object mapping that is enabled.
fn overlay_of(schema: &Value, count: usize) -> Mappings {
    let objects = schema["synchronizationRules"][0]["objectMappings"].as_array().unwrap();
    let objects = objects.iter().find(|one| one["enabled"] == json!(true)).unwrap();
    let entries = objects["attributeMappings"].as_array().unwrap().iter().take(count);
    let mappings: Vec<Value> = entries
        .map(|entry| json!({"targetAttributeName": entry["targetAttributeName"], "expression": "\"made up\""}))
        .collect();
    let names =
        json!({"sourceObjectName": objects["sourceObjectName"], "targetObjectName": objects["targetObjectName"]});
    let mut object = names;
    object["attributeMappings"] = json!(mappings);
    serde_json::from_value(json!({"objectMappings": [object]})).unwrap()
}

fn times(mut round: impl FnMut()) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..REPEATS)
        .map(|_| {
            let began = Instant::now();
            (0..ROUNDS).for_each(|_| round());
            began.elapsed() / ROUNDS
        })
        .collect();
    times.sort_unstable();
    times
}

fn show(what: &str, times: &[Duration], to: &[Duration]) {
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    let (least, median, most) = (millis(times[0]), millis(times[REPEATS / 2]), millis(times[REPEATS - 1]));
    let ratio = median / millis(to[REPEATS / 2]);
    println!("  {what:<20} {least:8.3} / {median:8.3} / {most:8.3} ms   {ratio:6.2} x parse");
}
