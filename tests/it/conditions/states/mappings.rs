//! Mappings: what is saved, what waits, what is not saved, and what becomes of them when they are not declared any more.

use entrain::api::CONFIRM;
use entrain::graph::Operation;
use entrain::plan::mappings::{Compared, Difference, Fault};
use entrain::plan::{Change, Step, TroubleKind};
use serde_json::{Value, json};

use super::{State, also_lasting, passed, state};
use crate::conditions::graph::{any_call, trouble};
use crate::conditions::story::Story;

const LINE: &str = "User → User, userName: [userPrincipalName] → [mail]";
const SCOPE: &str = "User → User, scope: (none) → sales: department EQUALS Sales";
const CONFIRMATION: &str = "9f3ac1d07b";

fn declared(over: Value) -> Story {
    let mapping = json!({"targetAttributeName": "userName", "expression": "[mail]"});
    let object = json!({"sourceObjectName": "User", "targetObjectName": "User", "attributeMappings": [mapping]});
    let mut story = Story::with(json!({"mappings": {"objectMappings": [object]}}));
    story.set(over);
    story.graph.schema = Some(differs(LINE));
    story
}

/// Mappings with another source, as somebody edits them.
fn other_mappings() -> Value {
    let mapping = json!({"targetAttributeName": "userName", "expression": "[employeeId]"});
    let object = json!({"sourceObjectName": "User", "targetObjectName": "User", "attributeMappings": [mapping]});
    json!({"mappings": {"objectMappings": [object]}})
}

fn difference(line: &str) -> Difference {
    Difference {
        lines: vec![line.to_owned()],
        confirmation: CONFIRMATION.to_owned(),
        owned: 1,
        ..Difference::default()
    }
}

fn differs(line: &str) -> Compared {
    Compared::Differs(difference(line))
}

fn in_place() -> Compared {
    Compared::Differs(Difference { owned: 1, ..Difference::default() })
}

/// A filter that is new.
fn risky() -> Compared {
    let risks = vec!["User → User: fewer objects may be in scope".to_owned()];
    Compared::Differs(Difference { risks, ..difference(SCOPE) })
}

/// The mappings were saved and are shown, and the service schedules the job.
fn started(mut story: Story) -> Story {
    story.pass();
    story.wait(2);
    story.pass();
    story.graph.shows("Active");
    story.wait(2);
    passed(story)
}

/// What is seen when something happened to a job that ran, longer than a save has to wait for the one before.
fn running_until(over: Value, change: impl FnOnce(&mut Story)) -> Story {
    let mut story = started(declared(over));
    story.wait(20);
    change(&mut story);
    passed(story)
}

/// The same with the first edit.
fn edited_until(over: Value, schema: Compared) -> Story {
    running_until(over, |story| {
        story.edit(other_mappings());
        story.graph.schema = Some(schema);
    })
}

/// The first look at the schema of a new job.
fn first(schema: Compared) -> Story {
    let mut story = declared(json!({}));
    story.graph.schema = Some(schema);
    passed(story)
}

fn faulty(fault: Fault, message: &str) -> Compared {
    Compared::Faulty(fault, vec![message.to_owned()])
}

pub(super) fn states() -> Vec<State> {
    [saved(), held_back(), wrong(), changed_by_others(), refused(), not_declared_any_more()]
        .into_iter()
        .flatten()
        .collect()
}

fn saved() -> Vec<State> {
    vec![
        state(
            "mappings-saving",
            "Saved a moment ago; the job starts when Graph shows them",
            passed(declared(json!({}))),
        ),
        state("mappings-in-place", "Saved, and shown", started(declared(json!({})))),
        state("mappings-found", "The schema was as declared before", {
            let mut story = first(in_place());
            story.graph.shows("Active");
            story.wait(2);
            passed(story)
        }),
        state("mappings-edited", "Edited while the job runs", edited_until(json!({}), differs(LINE))),
        state("mappings-planned", "Plan: Manage would save them", {
            running_until(json!({}), |story| {
                story.edit(json!({"mode": "Plan"}));
                story.edit(other_mappings());
                story.graph.schema = Some(differs(LINE));
            })
        }),
    ]
}

/// What waits, and what a person has to allow.
fn held_back() -> Vec<State> {
    vec![
        state("mappings-pending", "Edited again within ten minutes", {
            let mut story = started(declared(json!({})));
            story.edit(other_mappings());
            story.graph.schema = Some(differs(LINE));
            passed(story)
        }),
        state("mappings-pending-over", "Edited again within ten minutes, when they are over", {
            let mut story = started(declared(json!({})));
            story.edit(other_mappings());
            story.graph.schema = Some(differs(LINE));
            story.pass();
            story.wait(10);
            passed(story)
        }),
        state("risky-change", "A filter is new, and no delete threshold is set", edited_until(json!({}), risky())),
        state("risky-change-planned", "The same in mode Plan", {
            running_until(json!({}), |story| {
                story.edit(json!({"mode": "Plan"}));
                story.edit(other_mappings());
                story.graph.schema = Some(risky());
            })
        }),
        state("risky-change-confirmed", "The same, and somebody confirms exactly this change", {
            let mut story = edited_until(json!({}), risky());
            story.annotations.insert(CONFIRM.to_owned(), CONFIRMATION.to_owned());
            story.wait(2);
            passed(story)
        }),
        state("risky-change-with-another-confirmation", "The same, and somebody has confirmed another change", {
            let mut story = edited_until(json!({}), risky());
            story.annotations.insert(CONFIRM.to_owned(), "1c22d0e9a4".to_owned());
            story.wait(2);
            passed(story)
        }),
        state("risky-change-with-a-threshold", "A filter is new, with a delete threshold", {
            edited_until(json!({"deleteThreshold": 500}), risky())
        }),
    ]
}

/// What no save can do.
fn wrong() -> Vec<State> {
    let typo = "User → User, userNme: User has no attribute 'userNme'. The nearest: 'userName'. Correct the name, or add it to `attributeDefinitions`.";
    let double = "User → User: the schema has 2 such object mappings, in the rules 'USER_OUTBOUND', 'USER_INBOUND'. Set `ruleName` to one of them.";
    let locked = "User → User: the rule USER_OUTBOUND is read-only in Entra ID. Take the object mapping out.";
    let failed = "The test 'contractors' failed: 'displayName' comes to [\"Anna\"], and [\"EXT Anna\"] is expected.";
    vec![
        state("mapping-invalid", "An attribute that there is not; a new job", first(faulty(Fault::Invalid, typo))),
        state("mapping-invalid-later", "The same while the job runs", {
            edited_until(json!({}), faulty(Fault::Invalid, typo))
        }),
        state("mapping-ambiguous", "Two rules have the object mapping", first(faulty(Fault::Ambiguous, double))),
        state("rule-read-only", "The rule is read-only", first(faulty(Fault::ReadOnly, locked))),
        state("mapping-test-failed", "A test fails", {
            edited_until(json!({}), Compared::TestsFailed(vec![failed.to_owned()]))
        }),
        state("mapping-corrected", "A name that was wrong is corrected", {
            let mut story = first(faulty(Fault::Invalid, typo));
            story.edit(other_mappings());
            story.graph.schema = Some(differs(LINE));
            story.wait(10);
            started(story)
        }),
    ]
}

/// What somebody changed in the portal.
fn changed_by_others() -> Vec<State> {
    let changed = || "User → User, userName: [mail] → [userPrincipalName]".to_owned();
    let respected = || Compared::Differs(Difference { drifted: vec![changed()], owned: 1, ..Difference::default() });
    let to_correct = || Compared::Differs(Difference { corrects: true, ..difference(LINE) });
    let seen = |policy: &str, schema: Compared, minutes: i64| {
        running_until(json!({"outOfBandPolicy": policy}), |story| {
            story.graph.schema = Some(schema);
            story.wait(minutes);
        })
    };
    let six_hours = 6 * 60;
    vec![
        state(
            "mappings-changed",
            "Somebody changed one; outOfBandPolicy Respect",
            seen("Respect", respected(), six_hours),
        ),
        state(
            "mappings-reverted",
            "Somebody changed one; outOfBandPolicy Correct",
            seen("Correct", to_correct(), six_hours),
        ),
        state("mappings-changed-again", "Somebody changed it again within an hour; outOfBandPolicy Correct", {
            let mut story = seen("Correct", to_correct(), six_hours);
            story.graph.schema = Some(to_correct());
            story.wait(30);
            passed(story)
        }),
    ]
}

fn refused() -> Vec<State> {
    let states = also_lasting("mappings-refused", "Graph refuses to save them", || {
        let mut story = declared(json!({}));
        let kind = TroubleKind::Rejected;
        let answer = trouble(kind, Operation::SaveSchema, Some(400), "SchemaInvalid", "The schema is not valid.");
        story.graph.fails = Some((saves, answer));
        passed(story)
    });
    Vec::from(states)
}

fn saves(step: &Step) -> bool {
    matches!(step, Step::Change(Change::SaveMappings { .. }))
}

/// What was there before comes back.
fn not_declared_any_more() -> Vec<State> {
    let given_back = || differs("User → User, userName: [mail] → [userPrincipalName]");
    vec![
        state("mappings-taken-out", "Taken out of the spec: what was there before is saved", {
            running_until(json!({}), |story| {
                story.edit(json!({"mappings": null}));
                story.graph.schema = Some(given_back());
            })
        }),
        state("mappings-given-back", "The same, and shown", {
            let mut story = running_until(json!({}), |story| {
                story.edit(json!({"mappings": null}));
                story.graph.schema = Some(given_back());
            });
            story.graph.schema = Some(Compared::Differs(Difference::default()));
            story.wait(10);
            passed(story)
        }),
        state("mappings-restoring", "Deleted with Retain, and Graph fails while they are restored", {
            running_until(json!({"deletionPolicy": "Retain"}), |story| {
                let kind = TroubleKind::GraphUnavailable;
                let answer = trouble(kind, Operation::ReadSchema, Some(503), "ServiceUnavailable", "Try again later.");
                story.graph.fails = Some((any_call, answer));
                story.delete();
            })
        }),
        state("mappings-not-restored", "The same for more than eight passes: the job is let go of", {
            let mut story = running_until(json!({"deletionPolicy": "Retain"}), |story| {
                let kind = TroubleKind::GraphUnavailable;
                let answer = trouble(kind, Operation::ReadSchema, Some(503), "ServiceUnavailable", "Try again later.");
                story.graph.fails = Some((any_call, answer));
                story.delete();
            });
            for _ in 0..8 {
                story.wait(10);
                story.pass();
            }
            story
        }),
    ]
}
