//! What is kept between two saves of a schema, in ControllerRevisions: the document from before, and what was applied.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::{Mappings, OnRelease};
use crate::cluster::revisions::{self, Kept};
use crate::overlay::Memory;
use crate::plan::{Guard, Trouble};
use crate::reconcile::sync_job::scene::Scene;
use crate::reconcile::trouble::cluster_trouble;

const READING: &str = "reading what is kept of the job's schema, a ControllerRevision";
const KEEPING: &str = "keeping the job's schema in a ControllerRevision before it is changed";

/// The content of a revision as it is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    /// Id of the job.
    job: &'a str,
    /// What becomes of the mappings when they are not declared any more.
    on_release: Option<OnRelease>,
    /// What was about to be applied.
    memory: &'a Memory,
    /// What was applied before.
    previous: Option<&'a Memory>,
    /// The whole schema before it was saved; for people, who can PUT it.
    schema: &'a Value,
}

/// The same as it is read: the schema stays where it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    job: String,
    on_release: Option<OnRelease>,
    memory: Memory,
    previous: Option<Memory>,
}

/// What is known of earlier saves.
pub(super) struct Earlier {
    /// What was applied, or may have been.
    pub memory: Option<Memory>,
    pub on_release: Option<OnRelease>,
    /// Whether status names a revision that is not there any more.
    pub lost: bool,
    /// The newest revision, as long as no answer said that its save was accepted.
    pub unanswered: Option<String>,
    /// How long ago its save was sent.
    pub tried: Option<Duration>,
    number: i64,
}

impl Earlier {
    /// A revision that status does not name is one whose save was not seen to be accepted: it may have been carried out or
    /// not, and which of the two shows in the schema.
    pub async fn read(job: &str, scene: &Scene<'_>) -> Result<Self, Trouble> {
        let newest = revisions::newest::<Content>(&scene.context.client, scene.decided_on).await;
        let newest = newest.map_err(|error| cluster_trouble(&error, READING))?;
        let accepted = scene.world.mappings.revision.as_deref();
        let Some(Kept { name, revision, created, content }) = newest else {
            let lost = accepted.is_some();
            return Ok(Self { memory: None, on_release: None, lost, unanswered: None, tried: None, number: 0 });
        };
        let mut earlier = Self {
            memory: None,
            on_release: content.on_release,
            lost: false,
            unanswered: None,
            tried: None,
            number: revision,
        };
        if content.job != job {
            return Ok(earlier);
        }
        if accepted == Some(name.as_str()) {
            earlier.memory = Some(content.memory.accepted());
            return Ok(earlier);
        }
        let now = scene.context.clock.now();
        // Another operator may have kept the same for a save of its own: it is not deleted, and used again.
        let without_effect = scene.world.mappings.without_effect.as_ref() == Some(&name);
        let created = created.filter(|_| !without_effect && !scene.lacks(Guard::TriedCounts));
        earlier.tried = created.map(|created| now.since_stored(created));
        earlier.number -= i64::from(without_effect);
        earlier.memory = Some(content.memory.with_those_of(content.previous));
        earlier.unanswered = Some(name);
        Ok(earlier)
    }

    /// Keeps what a save is about to change, and returns the name of the revision.
    pub async fn keep(&self, job: &str, next: Next<'_>, scene: &Scene<'_>) -> Result<String, Trouble> {
        let content = Written {
            job,
            on_release: next.mappings.on_release,
            memory: next.memory,
            previous: next.previous,
            schema: next.schema,
        };
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
