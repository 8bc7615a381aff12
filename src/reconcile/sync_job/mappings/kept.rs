//! What is kept between two saves of a schema, in ControllerRevisions: the document from before, and what was applied.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{Mappings, OnRelease};
use crate::cluster::revisions::{self, Kept};
use crate::overlay::Memory;
use crate::plan::{Guard, Trouble, TroubleKind};
use crate::reconcile::sync_job::scene::Scene;
use crate::reconcile::trouble::cluster_trouble;

const READING: &str = "reading what is kept of the job's schema, a ControllerRevision";
const KEEPING: &str = "keeping the job's schema in a ControllerRevision before it is changed";

/// The content of a revision.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    /// Id of the job.
    job: String,
    /// What becomes of the mappings when they are not declared any more.
    on_release: Option<OnRelease>,
    /// What was about to be applied.
    memory: Memory,
    /// What was applied before.
    previous: Option<Memory>,
    /// The whole schema before it was saved; for people, who can PUT it.
    schema: Value,
}

/// What is known of earlier saves.
pub(super) struct Earlier {
    /// What may have been applied last, the likeliest first.
    pub memories: Vec<Option<Memory>>,
    pub on_release: Option<OnRelease>,
    /// Whether status names a revision that is not there any more.
    pub lost: bool,
    /// How long ago a save was sent of which status does not say that it was accepted.
    pub tried: Option<Duration>,
    number: i64,
}

impl Earlier {
    /// A revision that status does not name is one whose save was not seen to be accepted: it may have been carried out or
    /// not, and which of the two shows in the schema.
    pub async fn read(job: &str, scene: &Scene<'_>) -> Result<Self, Trouble> {
        let newest = revisions::newest(&scene.context.client, scene.decided_on).await;
        let newest = newest.map_err(|error| cluster_trouble(&error, READING))?;
        let accepted = scene.world.mappings.revision.as_deref();
        let Some(Kept { name, revision, created, content }) = newest else {
            return Ok(Self {
                memories: vec![None],
                on_release: None,
                lost: accepted.is_some(),
                tried: None,
                number: 0,
            });
        };
        let content: Content = serde_json::from_value(content).map_err(|error| unreadable(&name, &error))?;
        let now = scene.context.clock.now();
        let known = accepted == Some(name.as_str()) || content.job != job || scene.lacks(Guard::TriedCounts);
        let tried = created.filter(|_| !known).map(|created| now.since_stored(created));
        let memory = match accepted {
            _ if content.job != job => None,
            Some(accepted) if accepted == name => Some(content.memory.accepted()),
            Some(_) | None => Some(content.memory.with_those_of(content.previous)),
        };
        let memories = vec![memory];
        Ok(Self { memories, on_release: content.on_release, lost: false, tried, number: revision })
    }

    /// The save that a revision was kept for had no effect.
    pub async fn forget(revision: &str, scene: &Scene<'_>) {
        revisions::forget(&scene.context.client, scene.decided_on, revision).await;
    }

    /// Keeps what a save is about to change, and returns the name of the revision.
    pub async fn keep(&self, job: &str, next: Next<'_>, scene: &Scene<'_>) -> Result<String, Trouble> {
        let content = json!({
            "job": job,
            "onRelease": next.mappings.on_release,
            "memory": next.memory,
            "previous": next.previous,
            "schema": next.schema,
        });
        let kept = revisions::keep(&scene.context.client, scene.decided_on, self.number + 1, &content).await;
        kept.map_err(|error| cluster_trouble(&error, KEEPING))
    }
}

/// What is about to be applied.
pub(super) struct Next<'a> {
    pub mappings: &'a Mappings,
    pub memory: &'a Memory,
    pub previous: Option<&'a Memory>,
    pub schema: &'a Value,
}

fn unreadable(name: &str, error: &serde_json::Error) -> Trouble {
    let at = format!("line {}, column {}", error.line(), error.column());
    Trouble {
        kind: TroubleKind::ClusterUnavailable,
        detail: format!(
            "The ControllerRevision '{name}' holds what this version cannot read ({at}), so that it is not known what the mappings were before. Use the version that wrote it, or delete it to go on without."
        ),
        trace: None,
        retry_after: None,
    }
}
