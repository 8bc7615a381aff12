//! Until there is a job: creation, adoption, and what stands in their way.

use entrain::graph::Operation;
use entrain::plan::TroubleKind;
use serde_json::json;

use super::{State, also_lasting, lasting, passed, state};
use crate::conditions::graph::{JOB, OTHER, create, job, rival, trouble};
use crate::conditions::story::Story;

pub(super) fn states() -> Vec<State> {
    let mut states = vec![
        state("never-seen", "Nobody has looked yet", Story::new()),
        state("starting", "Created, asked to start, not shown as scheduled yet", passed(Story::new())),
        state(
            "invalid-spec",
            "The spec cannot be acted on",
            passed(Story::with(json!({"templateId": "../BoxOutDelta"}))),
        ),
    ];
    states.extend(service_principal());
    states.extend(creation());
    states.extend(adoption());
    states.extend(also_lasting(
        "create-conflict",
        "Graph refuses because a job is there, and no list shows it",
        || {
            let mut story = Story::new();
            let said = "A job of this template exists already";
            story.graph.fails =
                Some((create, trouble(TroubleKind::Conflict, Operation::CreateJob, Some(409), "Conflict", said)));
            passed(story)
        },
    ));
    states
}

fn service_principal() -> Vec<State> {
    let mut states = vec![state("template-not-offered", "The template is not among those that are offered", {
        let mut story = Story::new();
        story.graph.templates = &["scim", "Slack"];
        passed(story)
    })];
    states.extend(also_lasting("templates-not-ready", "No template is offered yet", || {
        let mut story = Story::new();
        story.graph.templates = &[];
        passed(story)
    }));
    states.extend(also_lasting("service-principal-not-found", "There is no such service principal", || {
        let mut story = Story::new();
        (story.graph.hides_jobs, story.graph.service_principal) = (true, false);
        passed(story)
    }));
    states.extend(also_lasting("provisioning-not-ready", "Graph does not answer for its provisioning", || {
        let mut story = Story::new();
        story.graph.hides_jobs = true;
        passed(story)
    }));
    states
}

fn creation() -> Vec<State> {
    let mut states = Vec::from(also_lasting("create-refused", "Graph refuses to create the job", || {
        let mut story = Story::new();
        let said = "The template is not valid for this application";
        story.graph.fails =
            Some((create, trouble(TroubleKind::Rejected, Operation::CreateJob, Some(400), "BadRequest", said)));
        passed(story)
    }));
    let unknown = || {
        let mut story = Story::new();
        let said = "The service is temporarily unavailable";
        let trouble =
            trouble(TroubleKind::GraphUnavailable, Operation::CreateJob, Some(503), "ServiceUnavailable", said);
        story.graph.fails = Some((create, trouble));
        passed(story)
    };
    let appeared = |jobs: &[&str]| {
        let mut story = unknown();
        story.graph.jobs = jobs.iter().map(|id| job(id, "Disabled")).collect();
        story.wait(1);
        passed(story)
    };
    states.extend(vec![
        state("create-outcome-unknown", "The create request got no clear answer", unknown()),
        state("create-outcome-watched", "The same, a pass later", appeared(&[])),
        state("create-ambiguous", "The same, and two jobs appeared", appeared(&[JOB, OTHER])),
        state("conflict-creating", "Another SyncJob is creating the same job", {
            let mut story = Story::new();
            story.graph.rivals = vec![rival(None, true)];
            passed(story)
        }),
        state("conflict", "Another SyncJob owns the same job", {
            let mut story = Story::new();
            story.graph.rivals = vec![rival(Some(OTHER), true)];
            passed(story)
        }),
        state("too-many-jobs", "More jobs than can be distinguished", {
            let mut story = Story::new();
            story.graph.jobs = (0..201).map(|n| job(&format!("scim.{n}"), "Active")).collect();
            for job in &mut story.graph.jobs {
                job.template_id = Some("scim".to_owned());
            }
            passed(story)
        }),
    ]);
    states
}

fn adoption() -> Vec<State> {
    let facing = |policy: &str, jobs: &[&str]| {
        let mut story = Story::with(json!({"adoption": {"policy": policy}}));
        story.graph.jobs = jobs.iter().map(|id| job(id, "Active")).collect();
        passed(story)
    };
    let mut states =
        Vec::from(also_lasting("already-exists", "There is a job already, and none may be adopted", || {
            facing("Never", &[OTHER])
        }));
    states.extend(also_lasting("nothing-to-adopt", "There is no job to adopt, and none may be created", || {
        facing("Only", &[])
    }));
    states.extend([
        state("adoption-ambiguous", "There are two jobs that could be adopted", facing("IfExists", &[OTHER, JOB])),
        state("adopting", "Another SyncJob begins to adopt the same job", {
            let mut story = Story::with(json!({"adoption": {"policy": "Only"}}));
            story.graph.jobs = vec![job(OTHER, "Active")];
            story.graph.late_rival = Some(rival(None, false));
            passed(story)
        }),
        state("adopted", "Adopted, and found running", lasting(facing("IfExists", &[OTHER]))),
    ]);
    states
}
