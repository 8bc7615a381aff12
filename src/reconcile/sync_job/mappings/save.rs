//! Requests that change a schema. What is sent is read, merged and kept in one step, and is what was decided on.

use super::compare::{Documents, compare};
use super::kept::{Earlier, Next};
use super::look::{Wished, warn};
use crate::graph::{Error, Processed};
use crate::plan::mappings::{Compared, Released};
use crate::plan::{Fact, Remember, Trouble, TroubleKind};
use crate::reconcile::sync_job::scene::{Learnt, Scene};
use crate::reconcile::trouble::graph_trouble;

/// Saves the schema with the wish in it, if that still changes exactly what was decided on.
pub(in crate::reconcile::sync_job) async fn save(job: &str, confirmation: &str, scene: &Scene<'_>) -> Learnt {
    let _turn = scene.context.schemas.acquire().await;
    match prepared(job, confirmation, scene).await {
        Ok((revision, lines, documents)) => sent(job, revision, lines, &documents, scene).await,
        Err(trouble) => Fact::Trouble(trouble).into(),
    }
}

type Prepared = (String, Vec<String>, Documents);

async fn prepared(job: &str, confirmation: &str, scene: &Scene<'_>) -> Result<Prepared, Trouble> {
    let earlier = Earlier::read(job, scene).await?;
    let wished = Wished::of(scene, &earlier);
    let reader = scene.graph().reader();
    let answer = compare(&wished.question(job, &reader, &earlier, scene)).await;
    let mut answer = answer.map_err(|error| graph_trouble(&error))?;
    warn(&mut answer.comparison, &earlier);
    let (Compared::Differs(difference), Some(documents)) = (answer.comparison.outcome, answer.merged) else {
        return Err(changed());
    };
    if difference.confirmation != confirmation {
        return Err(changed());
    }
    let next = Next {
        mappings: &wished.mappings,
        memory: &documents.merged.memory,
        previous: documents.before.as_ref(),
        schema: &documents.live,
    };
    let revision = earlier.keep(job, next, scene).await?;
    Ok((revision, difference.lines, documents))
}

async fn sent(job: &str, revision: String, lines: Vec<String>, documents: &Documents, scene: &Scene<'_>) -> Learnt {
    let (graph, service_principal) = (scene.graph(), scene.service_principal());
    let answer = graph.save_schema(service_principal, job, &documents.merged.document, &|| scene.may_send()).await;
    match answer {
        Ok(()) => {
            let saved = Remember::SchemaSaved { revision: revision.clone() };
            Learnt::and(Fact::SchemaSaved { revision, lines }, [saved])
        }
        Err(error) if is_refusal(&error) => Fact::SchemaRefused(graph_trouble(&error)).into(),
        Err(error) => Fact::Trouble(graph_trouble(&error)).into(),
    }
}

fn is_refusal(error: &Error) -> bool {
    let refused = matches!(graph_trouble(error).kind, TroubleKind::Rejected | TroubleKind::Conflict);
    error.processed == Processed::No && refused
}

/// Gives back what this SyncJob changed, before the job is let go of. Only what may pass is tried again: a deletion ends.
pub(in crate::reconcile::sync_job) async fn release(job: &str, scene: &Scene<'_>) -> Learnt {
    let _turn = scene.context.schemas.acquire().await;
    match given_back(job, scene).await {
        Ok(released) => Fact::MappingsReleased(released).into(),
        Err(trouble) if passes(&trouble) => Fact::Trouble(trouble).into(),
        Err(trouble) => Fact::MappingsReleased(Released::Kept(trouble.detail)).into(),
    }
}

fn passes(trouble: &Trouble) -> bool {
    match trouble.kind {
        TroubleKind::Rejected
        | TroubleKind::Conflict
        | TroubleKind::NotFound
        | TroubleKind::Forbidden
        | TroubleKind::Unauthorized
        | TroubleKind::ClusterRefused => false,
        TroubleKind::Throttled
        | TroubleKind::GraphUnavailable
        | TroubleKind::LoginUnavailable
        | TroubleKind::LoginRefused
        | TroubleKind::TokenRejected
        | TroubleKind::Busy
        | TroubleKind::ObjectChanged
        | TroubleKind::ClusterUnavailable
        | TroubleKind::Barred(_) => true,
    }
}

async fn given_back(job: &str, scene: &Scene<'_>) -> Result<Released, Trouble> {
    let earlier = Earlier::read(job, scene).await?;
    let wished = Wished::nothing(&earlier);
    let reader = scene.graph().reader();
    let answer = compare(&wished.question(job, &reader, &earlier, scene)).await;
    let answer = answer.map_err(|error| graph_trouble(&error))?;
    let (Compared::Differs(difference), Some(documents)) = (answer.comparison.outcome, answer.merged) else {
        return Ok(Released::Kept("The schema of the job does not fit what is known of it.".to_owned()));
    };
    if difference.lines.is_empty() {
        return Ok(Released::Restored(Vec::new()));
    }
    if !difference.risks.is_empty() {
        let risks = difference.risks.join("; ");
        return Ok(Released::Kept(format!(
            "The mappings stay as they are, because to restore them can deprovision people: {risks}."
        )));
    }
    let answer = scene
        .graph()
        .save_schema(scene.service_principal(), job, &documents.merged.document, &|| scene.may_send())
        .await;
    answer.map_err(|error| graph_trouble(&error))?;
    Ok(Released::Restored(difference.lines))
}

fn changed() -> Trouble {
    Trouble {
        kind: TroubleKind::ObjectChanged,
        detail: "While the pass was under way, the schema of the job or what is kept of it changed; nothing was sent."
            .to_owned(),
        trace: None,
        retry_after: None,
    }
}
