//! One comparison: the schema is read, expressions are parsed by the service, the overlay is merged, tests are evaluated.

use serde_json::Value;

use super::desk::Desk;
use super::trial;
use crate::api::Mappings;
use crate::graph::{Error, ParseRequest, Reader};
use crate::overlay::{self, Drift, FindingKind, Memory, Merged, Overlay, Parsed};
use crate::plan::mappings::{Compared, Comparison, Difference, Fault};

/// The texts of a schema can depend on what the first ones came to; more rounds bring nothing.
const ROUNDS: usize = 3;

/// What is compared with what.
pub(crate) struct Question<'a> {
    pub reader: &'a Reader,
    pub service_principal: &'a str,
    pub job: &'a str,
    pub mappings: &'a Mappings,
    /// Names the wish in what is learnt.
    pub hash: &'a str,
    /// Whether all users and groups are in scope, and not those only that are assigned.
    pub everyone: bool,
    pub drift: Drift,
    /// What may have been applied last: the first that fits what is there, and the last one if none does.
    pub memories: &'a [Option<Memory>],
    pub desk: &'a Desk,
}

/// What a comparison came to, and the documents, where there is something to save.
pub(crate) struct Answer {
    pub comparison: Comparison,
    pub merged: Option<Documents>,
}

pub(crate) struct Documents {
    pub live: Value,
    pub merged: Merged,
    /// The memory that the schema was compared with.
    pub before: Option<Memory>,
}

pub(crate) async fn compare(question: &Question<'_>) -> Result<Answer, Error> {
    let live = question.reader.read_schema(question.service_principal, question.job).await?;
    question.desk.forget_refusals();
    let answer =
        |outcome, merged| Answer { comparison: Comparison { wish: question.hash.to_owned(), outcome, tried: None }, merged };
    let mut found = None;
    for memory in question.memories {
        let (wish, memory, drift) = (question.mappings, memory.as_ref(), question.drift);
        let overlay = Overlay { wish, memory, drift, everyone: question.everyone };
        parse(question, &live, &overlay).await?;
        let merged = overlay::merge(&overlay, &live, &question.desk.known());
        let fits = merged.as_ref().map_or(true, is_as_left);
        found = Some((merged, memory));
        if fits {
            break;
        }
    }
    let Some((merged, memory)) = found else { return Ok(answer(Compared::Differs(Difference::default()), None)) };
    let merged = match merged {
        Ok(merged) => merged,
        Err(findings) => return Ok(answer(faulty(&findings), None)),
    };
    let failures = trial::failures(question).await?;
    if !failures.is_empty() {
        return Ok(answer(Compared::TestsFailed(failures), None));
    }
    let difference = difference(&merged);
    Ok(answer(Compared::Differs(difference), Some(Documents { live, merged, before: memory.cloned() })))
}

/// Whether what was applied is what is there.
fn is_as_left(merged: &Merged) -> bool {
    merged.drifted.is_empty() && merged.left.is_empty() && !merged.corrects_only
}

/// Has the service parse what is not known yet.
async fn parse(question: &Question<'_>, live: &Value, overlay: &Overlay<'_>) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let known = question.desk.known();
        let unknown = overlay::expressions(overlay, live, &known);
        if unknown.is_empty() {
            return Ok(());
        }
        for text in unknown {
            let parsed = parsed(question, &text).await?;
            question.desk.learn(&text, parsed);
        }
    }
    Ok(())
}

async fn parsed(question: &Question<'_>, text: &str) -> Result<Parsed, Error> {
    let request = ParseRequest { expression: text, target: None, given: None };
    match question.reader.parse_expression(question.service_principal, question.job, request).await {
        Ok(answer) => Ok(match (answer.parsing_succeeded, answer.parsed_expression, answer.error) {
            (Some(true) | None, Some(source), _) => Parsed::Source(source),
            (_, _, Some((code, message))) => Parsed::Refused(format!("{code} {message}").trim().to_owned()),
            (_, _, None) => Parsed::Refused("The service gives no reason.".to_owned()),
        }),
        Err(error) if error.is_unknown_route() => Ok(Parsed::NotOffered),
        Err(error) => Err(error),
    }
}

fn faulty(findings: &[overlay::Finding]) -> Compared {
    let fault = |finding: &overlay::Finding| match finding.kind {
        FindingKind::Invalid => Fault::Invalid,
        FindingKind::Ambiguous => Fault::Ambiguous,
        FindingKind::ReadOnly => Fault::ReadOnly,
    };
    let worst = findings.iter().map(fault).min().unwrap_or(Fault::Invalid);
    Compared::Faulty(worst, findings.iter().map(|finding| finding.message.clone()).collect())
}

fn difference(merged: &Merged) -> Difference {
    let texts = |lines: &[overlay::Line]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
    Difference {
        lines: texts(&merged.changes),
        drifted: texts(&merged.drifted),
        left: texts(&merged.left),
        risks: merged.risks.iter().map(ToString::to_string).collect(),
        confirmation: overlay::confirmation(&merged.changes),
        owned: merged.owned,
        corrects: merged.corrects_only,
    }
}
