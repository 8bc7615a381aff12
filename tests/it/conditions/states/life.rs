//! While there is a job: its run state, whose hand changed it, and what the service says of it.

use entrain::api::{RESTART_REQUESTED_AT, RESTART_SCOPE};
use serde_json::json;

use super::trouble::throttled;
use super::{State, lasting, passed, running, running_until, state};
use crate::conditions::graph::{JOB, OTHER, any_call, job};
use crate::conditions::story::Story;

/// Every reason that the documentation of Graph names, and one that it does not.
const QUARANTINES: &[(&str, &str)] = &[
    ("EncounteredBaseEscrowThreshold", "too many entries failed"),
    ("EncounteredTotalEscrowThreshold", "too many entries failed, references included"),
    ("EncounteredEscrowProportionThreshold", "too large a part of the entries failed"),
    ("EncounteredQuarantineException", "the target refuses the credentials"),
    ("QuarantinedOnDemand", "imposed by Microsoft"),
    ("TooManyDeletes", "more deletions than the threshold allows"),
    ("IngestionInterrupted", "the upload could not be processed"),
    ("Unknown", "no reason is given"),
];

fn paused() -> Story {
    let mut story = Story::with(json!({"state": "Paused"}));
    story.pass();
    story.wait(2);
    passed(story)
}

/// A job that ran and is declared Paused; the service does not show it yet.
fn pausing() -> Story {
    running_until(|story| story.edit(json!({"state": "Paused"})))
}

fn corrected() -> Story {
    let mut story = Story::with(json!({"outOfBandPolicy": "Correct"}));
    story.pass();
    story.graph.shows("Active");
    story.wait(2);
    let mut story = passed(story);
    story.wait(20);
    story.graph.shows("Paused");
    passed(story)
}

pub(super) fn states() -> Vec<State> {
    vec![
        state("running", "Running, as declared", running()),
        state("edited", "Running, and the spec was edited a moment ago", {
            let mut story = running();
            story.edit(json!({"state": "Paused"}));
            story
        }),
        state("pausing", "Declared Paused, and still shown as scheduled", pausing()),
        state("paused", "Paused, as declared", paused()),
        state("restart-refused", "The same, and a restart is asked for, which is refused", restart_refused()),
        state(
            "paused-out-of-band",
            "Somebody paused it; policy Respect",
            running_until(|story| story.graph.shows("Paused")),
        ),
        state("paused-out-of-band-again", "Somebody paused it again within the hour; policy Correct", corrected()),
        state("started-out-of-band", "Somebody started it; policy Respect", {
            let mut story = paused();
            story.graph.shows("Active");
            story.wait(20);
            passed(story)
        }),
        state("not-visible-yet", "Graph does not show a young job", {
            let mut story = passed(Story::new());
            story.graph.jobs.clear();
            story.wait(2);
            passed(story)
        }),
        state("not-visible", "One list does not show the job", running_until(|story| story.graph.jobs.clear())),
        state(
            "job-missing",
            "Several lists do not show the job: it is gone",
            gone(running_until(|story| {
                story.graph.jobs.clear();
            })),
        ),
        state("never-visible", "No list has shown the job since it was created", never_visible()),
        state("never-visible-for-long", "The same, for more than five minutes", lasting(never_visible())),
        state("missing-and-recreated-later", "Gone, and to be replaced once it has been missing for a day", {
            let mut story = running();
            story.edit(json!({"missingJobPolicy": "Recreate"}));
            story.graph.jobs.clear();
            story.wait(20);
            gone(passed(story))
        }),
        state("job-replaced", "Somebody set the job up once more under the same id", replaced()),
        state("run-state-unknown", "Graph does not say whether the job is scheduled", {
            running_until(|story| story.graph.job().schedule_state = None)
        }),
        state("escrows-pruned", "The service paused the job after its initial cycle", {
            running_until(|story| {
                story.graph.shows("Paused");
                story.graph.job().escrows_pruned = true;
            })
        }),
        state("tenant-mismatch", "The operator logs in to another tenant", {
            running_until(|story| story.graph.tenant = "11111111-2222-3333-4444-555555555555")
        }),
        state("service-principal-lost", "The service principal was deleted", lost()),
        state("service-principal-restored", "It was restored, and its jobs are not there yet", {
            let mut story = lost();
            (story.graph.hides_jobs, story.graph.service_principal) = (false, true);
            story.graph.jobs.clear();
            gone(story)
        }),
    ]
}

fn never_visible() -> Story {
    let mut story = passed(Story::new());
    story.graph.jobs.clear();
    story.wait(20);
    passed(story)
}

fn replaced() -> Story {
    let mut story = running();
    story.graph.has_run();
    story.wait(20);
    let mut story = passed(story);
    story.graph.jobs = vec![job(JOB, "Disabled")];
    story.wait(20);
    passed(story)
}

fn lost() -> Story {
    running_until(|story| (story.graph.hides_jobs, story.graph.service_principal) = (true, false))
}

fn gone(mut story: Story) -> Story {
    for _ in 0..3 {
        story.wait(1);
        story.pass();
    }
    story
}

fn restart_refused() -> Story {
    let mut story = paused();
    story.annotations.insert(RESTART_REQUESTED_AT.to_owned(), "2026-11-24T09:03:00Z".to_owned());
    story.annotations.insert(RESTART_SCOPE.to_owned(), "Watermark".to_owned());
    passed(story)
}

pub(super) fn service() -> Vec<State> {
    let mut states: Vec<State> = QUARANTINES
        .iter()
        .map(|(reason, words)| {
            let name = format!("quarantined-{}", reason.to_lowercase());
            state(&name, &format!("Quarantine: {words}"), running_until(|story| story.graph.quarantine(reason)))
        })
        .collect();
    states.extend(vec![
        state("disabled-by-service", "Disabled after a long quarantine", {
            running_until(|story| {
                story.graph.quarantine("EncounteredQuarantineException");
                story.graph.job().schedule_state = Some("Disabled".to_owned());
            })
        }),
        state("quarantined-throttled", "Quarantine, and a 429 since", {
            let mut story = running_until(|story| story.graph.quarantine("TooManyDeletes"));
            story.graph.fails = Some((any_call, throttled()));
            story.wait(20);
            passed(story)
        }),
        state("quarantined-and-paused", "In quarantine, and somebody paused it", {
            running_until(|story| {
                story.graph.quarantine("EncounteredQuarantineException");
                story.graph.shows("Paused");
            })
        }),
        state("paused-in-quarantine", "Paused, as declared, and in quarantine", {
            let mut story = paused();
            story.graph.quarantine("TooManyDeletes");
            story.wait(20);
            passed(story)
        }),
        state("quarantine-lifted", "Taken out of quarantine", {
            let mut story = running_until(|story| story.graph.quarantine("EncounteredQuarantineException"));
            story.graph.shows("Active");
            story.graph.job().shown.quarantine = None;
            story.wait(20);
            passed(story)
        }),
        state("cycles-failing", "Whole cycles fail", running_until(|story| story.graph.cycles_fail(3))),
        state("second-job", "A second job of the template appeared", {
            running_until(|story| story.graph.jobs.push(job(OTHER, "Active")))
        }),
    ]);
    states
}
