//! Requests that change a schema. What is sent is read, merged and kept in one step, and is what was decided on.

use std::time::Duration;

use super::compare::{Documents, compare};
use super::kept::{Earlier, Next};
use super::look::{Wished, changed, warn};
use crate::graph::{Error, Processed};
use crate::plan::mappings::{Compared, Difference, Released};
use crate::plan::{Fact, Guard, Remember, Trouble, TroubleKind};
use crate::reconcile::sync_job::scene::{Learnt, Scene};
use crate::reconcile::trouble::graph_trouble;

/// Saves the schema with the wish in it, if that still changes exactly what was decided on.
pub(in crate::reconcile::sync_job) async fn save(job: &str, confirmation: &str, scene: &Scene<'_>) -> Learnt {
    let _turn = scene.context.schemas.acquire().await;
    let learnt = match prepared(job, confirmation, scene).await {
        Ok(prepared) => sent(job, prepared, scene).await,
        Err(trouble) => Err(trouble),
    };
    learnt.unwrap_or_else(|trouble| Fact::Trouble(trouble).into())
}

/// What is about to be sent.
struct Prepared {
    earlier: Earlier,
    wished: Wished,
    lines: Vec<String>,
    documents: Documents,
}

impl Prepared {
    async fn keep(&self, job: &str, scene: &Scene<'_>) -> Result<String, Trouble> {
        let next = Next {
            mappings: &self.wished.mappings,
            memory: &self.documents.merged.memory,
            previous: self.documents.before.as_ref(),
            schema: &self.documents.live,
        };
        self.earlier.keep(job, next, scene).await
    }
}

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
    if difference.confirmation != confirmation && !scene.lacks(Guard::SecondLook) {
        return Err(changed());
    }
    Ok(Prepared { earlier, wished, lines: difference.lines, documents })
}

async fn sent(job: &str, prepared: Prepared, scene: &Scene<'_>) -> Result<Learnt, Trouble> {
    let (graph, service_principal) = (scene.graph(), scene.service_principal());
    let first = if scene.lacks(Guard::MemoryFirst) { None } else { Some(prepared.keep(job, scene).await?) };
    let document = &prepared.documents.merged.document;
    Ok(match graph.save_schema(service_principal, job, document, &|| scene.may_send()).await {
        Ok(()) => {
            let revision = match first {
                Some(revision) => revision,
                None => prepared.keep(job, scene).await?,
            };
            let saved = Remember::SchemaSaved { revision: revision.clone() };
            Learnt::and(Fact::SchemaSaved { revision, lines: prepared.lines }, [saved])
        }
        Err(error) => {
            let trouble = graph_trouble(&error);
            let fact = if is_refusal(&error) { Fact::SchemaRefused(trouble) } else { Fact::Trouble(trouble) };
            let unused = first.filter(|_| error.processed == Processed::No);
            Learnt::and(
                fact,
                unused.map(|revision| Remember::SchemaWithoutEffect { revision }).into_iter().collect::<Vec<_>>(),
            )
        }
    })
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
    let mut answer = answer.map_err(|error| graph_trouble(&error))?;
    warn(&mut answer.comparison, &earlier);
    let (Compared::Differs(difference), Some(documents)) = (answer.comparison.outcome, answer.merged) else {
        return Ok(Released::Kept("The schema of the job does not fit what is known of it.".to_owned()));
    };
    let window = scene.context.settings.settle_window;
    let accepted = scene.world.mappings.saved.as_ref().map(|(_, age)| *age).filter(|_| difference.lets_go);
    let sent = earlier.tried.or(accepted);
    if let Some(left) = sent.and_then(|age| window.checked_sub(age)).filter(|left| !left.is_zero()) {
        return Err(under_way(left));
    }
    let Difference { lines, left, risks, .. } = difference;
    if lines.is_empty() {
        return Ok(Released::Restored { lines, left });
    }
    if !risks.is_empty() {
        let risks = risks.join("; ");
        return Ok(Released::Kept(format!(
            "The mappings stay as they are, because to restore them can deprovision people: {risks}."
        )));
    }
    let answer = scene
        .graph()
        .save_schema(scene.service_principal(), job, &documents.merged.document, &|| scene.may_send())
        .await;
    answer.map_err(|error| graph_trouble(&error))?;
    Ok(Released::Restored { lines, left })
}

/// A save that is carried out, or shows, after everything was given back would stay for good.
fn under_way(left: Duration) -> Trouble {
    Trouble {
        kind: TroubleKind::Busy,
        detail:
            "An earlier save of the mappings does not show yet, or got no clear answer and may still be carried out."
                .to_owned(),
        trace: None,
        retry_after: Some(left),
    }
}
