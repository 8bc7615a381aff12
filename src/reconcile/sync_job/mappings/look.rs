//! Steps that read a schema.

use super::compare::compare;
use super::kept::Earlier;
use super::question::Question;
use crate::api::{Mappings, OutOfBandPolicy, Scope};
use crate::graph::Reader;
use crate::overlay::Drift;
use crate::plan::mappings::{Compared, Comparison, Wish};
use crate::plan::{Fact, Guard, Trouble, TroubleKind};
use crate::reconcile::sync_job::scene::Scene;
use crate::reconcile::trouble::graph_trouble;

/// Reads the schema of the job, and compares it with the wish.
pub(in crate::reconcile::sync_job) async fn look(scene: &Scene<'_>) -> Fact {
    let shown = || scene.world.subject(scene.desired).map(|job| job.id.clone());
    // The plan asks for the schema of the recorded job, or of the one that mode Manage would adopt.
    let Some(job) = scene.world.job_id.clone().or_else(shown) else { return Fact::Trouble(changed()) };
    match compared(&job, scene).await {
        Ok(comparison) => Fact::SchemaRead(comparison),
        Err(trouble) => Fact::Trouble(trouble),
    }
}

async fn compared(job: &str, scene: &Scene<'_>) -> Result<Comparison, Trouble> {
    let _turn = scene.context.schemas.acquire().await;
    let earlier = Earlier::read(job, scene).await?;
    let wished = Wished::of(scene, &earlier);
    let reader = scene.graph().reader();
    let answer = compare(&wished.question(job, &reader, &earlier, scene)).await;
    let answer = answer.map_err(|error| graph_trouble(&error))?;
    let mut comparison = answer.comparison;
    warn(&mut comparison, &earlier);
    let in_place = matches!(&comparison.outcome, Compared::Differs(found) if found.is_in_place());
    comparison.carried_out = earlier.unanswered.filter(|_| in_place || answer.shown);
    comparison.tried = earlier.tried;
    Ok(comparison)
}

const LOST: &str = "the ControllerRevision that holds what was there before is gone";

/// What was there before is not known any more: what is there now would be taken for it, and nothing of it comes back.
pub(super) fn warn(comparison: &mut Comparison, earlier: &Earlier) {
    let declares = comparison.wish != Wish::nothing().hash;
    let Compared::Differs(difference) = &mut comparison.outcome else { return };
    match (earlier.lost, declares, difference.lines.is_empty()) {
        (true, true, false) => difference.risks.push(LOST.to_owned()),
        (true, false, _) => difference.left.push(format!("all of them, because {LOST}")),
        (true, true, true) | (false, ..) => {}
    }
}

pub(super) fn changed() -> Trouble {
    Trouble {
        kind: TroubleKind::ObjectChanged,
        detail: "While the pass was under way, the schema of the job or what is kept of it changed; nothing was sent."
            .to_owned(),
        trace: None,
        retry_after: None,
    }
}

/// The wish of a pass.
pub(super) struct Wished {
    pub mappings: std::sync::Arc<Mappings>,
    hash: String,
}

impl Wished {
    /// Where nothing is declared any more, what was declared last says what becomes of it.
    pub fn of(scene: &Scene<'_>, earlier: &Earlier) -> Self {
        match &scene.desired.mappings {
            Some(wish) => Self { mappings: wish.mappings.clone(), hash: wish.hash.clone() },
            None => Self::nothing(earlier),
        }
    }

    pub fn nothing(earlier: &Earlier) -> Self {
        let mappings = Mappings { on_release: earlier.on_release, ..Mappings::default() };
        Self { mappings: mappings.into(), hash: Wish::nothing().hash }
    }

    pub fn question<'a>(
        &'a self,
        job: &'a str,
        reader: &'a Reader,
        earlier: &'a Earlier,
        scene: &'a Scene<'_>,
    ) -> Question<'a> {
        Question {
            reader,
            service_principal: scene.service_principal(),
            job,
            mappings: &self.mappings,
            hash: &self.hash,
            everyone: scene.desired.content.settings.scope == Some(Scope::All),
            drift: match scene.desired.out_of_band {
                OutOfBandPolicy::Respect if scene.lacks(Guard::DriftRespected) => Drift::Correct,
                OutOfBandPolicy::Respect => Drift::Respect,
                OutOfBandPolicy::Correct => Drift::Correct,
            },
            memory: earlier.memory.as_ref(),
            desk: scene.desk,
        }
    }
}
