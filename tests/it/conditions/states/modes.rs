//! The modes that change nothing, and the end.

use entrain::graph::Operation;
use entrain::plan::TroubleKind;
use serde_json::json;

use super::{State, also_lasting, lasting, passed, running, running_until, state};
use crate::conditions::graph::{JOB, OTHER, any_call, job, trouble};
use crate::conditions::story::Story;

fn facing(mode: &str, jobs: &[&str]) -> Story {
    let mut story = Story::with(json!({"mode": mode}));
    story.graph.jobs = jobs.iter().map(|id| job(id, "Active")).collect();
    passed(story)
}

pub(super) fn states() -> Vec<State> {
    let mut states = vec![
        state("observed", "Observe: there is a job", facing("Observe", &[OTHER])),
        state("observed-ambiguous", "Observe: there are two", facing("Observe", &[JOB, OTHER])),
        state("observed-in-quarantine", "Observe: it is in quarantine", {
            let mut story = facing("Observe", &[OTHER]);
            story.graph.quarantine("TooManyDeletes");
            lasting(story)
        }),
    ];
    states.extend(also_lasting("nothing-to-observe", "Observe: there is no job", || facing("Observe", &[])));
    states.extend(vec![
        state("changes-planned", "Plan: Manage would do something", facing("Plan", &[])),
        state("nothing-to-change", "Plan: Manage would do nothing", {
            running_until(|story| story.edit(json!({"mode": "Plan"})))
        }),
        state("plan-already-exists", "Plan: Manage would refuse", facing("Plan", &[OTHER])),
        state("suspended", "Suspended from the beginning", passed(Story::with(json!({"mode": "Suspended"})))),
        state("suspended-after-ready", "Suspended, and ran before", suspended(running())),
        state("suspended-after-stalled", "Suspended, and was in quarantine before", {
            suspended(running_until(|story| story.graph.quarantine("TooManyDeletes")))
        }),
        state("resumed", "No longer Suspended, and nobody has looked yet", {
            let mut story = suspended(running());
            story.edit(json!({"mode": "Manage"}));
            story
        }),
    ]);
    states
}

fn suspended(mut story: Story) -> Story {
    story.edit(json!({"mode": "Suspended"}));
    passed(story)
}

pub(super) fn deletion() -> Vec<State> {
    let delete = |kind, status, code| {
        running_until(|story| {
            story.delete();
            story.graph.fails = Some((any_call, trouble(kind, Operation::DeleteJob, status, code, "")));
        })
    };
    let throttled = delete(TroubleKind::Throttled, Some(429), "TooManyRequests");
    let revoked = || delete(TroubleKind::LoginRefused, None, "AADSTS7000222");
    let mut states = vec![
        state("deleting", "Deleted, and nobody has looked yet", {
            let mut story = running();
            story.delete();
            story
        }),
        state("deleting-young", "Graph does not show the job that is to be deleted, and it is young", {
            let mut story = passed(Story::new());
            story.delete();
            story.graph.hides_jobs = true;
            passed(story)
        }),
        state("deleting-throttled", "429 while the job is to be deleted", throttled),
    ];
    states.extend(also_lasting(
        "deleting-credentials-revoked",
        "The operator's login was revoked before the deletion",
        revoked,
    ));
    states
}
