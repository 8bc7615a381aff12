//! One comparison: the schema is read, expressions are parsed by the service, the overlay is merged, tests are evaluated.

use serde_json::Value;

use super::question::Question;
use super::trial;
use crate::graph::{Error, ParseRequest};
use crate::overlay::{self, FindingKind, Memory, Merged, Overlay, Parsed};
use crate::plan::mappings::{Compared, Comparison, Difference, Fault};

/// The texts of a schema can depend on what the first ones came to; more rounds bring nothing.
const ROUNDS: usize = 3;

/// What a comparison came to, and the documents, where there is something to save.
pub(crate) struct Answer {
    pub comparison: Comparison,
    pub merged: Option<Documents>,
    /// Whether the schema shows that the last save was carried out.
    pub shown: bool,
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
    let (wish, memory, drift) = (question.mappings, question.memory, question.drift);
    let overlay = Overlay { wish, memory, drift, everyone: question.everyone };
    parse(question, &live, &overlay).await?;
    let known = question.desk.known();
    let shown = memory.is_some_and(|memory| memory.is_shown(&live, &known));
    let answer = |outcome, merged| Answer { comparison: Comparison::new(question.hash, outcome), merged, shown };
    let merged = overlay::merge(&overlay, &live, &known);
    let merged = match merged {
        Ok(merged) => merged,
        Err(findings) => return Ok(answer(faulty(&findings), None)),
    };
    let failures = trial::failures(question).await?;
    if !failures.is_empty() {
        return Ok(answer(Compared::TestsFailed(failures), None));
    }
    let difference = difference(&merged, memory);
    let documents = Documents { live, merged, before: memory.cloned() };
    Ok(answer(Compared::Differs(difference), Some(documents)))
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

fn difference(merged: &Merged, memory: Option<&Memory>) -> Difference {
    let texts = |lines: &[overlay::Line]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
    Difference {
        lines: texts(&merged.changes),
        drifted: texts(&merged.drifted),
        left: texts(&merged.left),
        risks: merged.risks.iter().map(ToString::to_string).collect(),
        confirmation: overlay::confirmation(&merged.changes),
        owned: merged.owned,
        corrects: merged.corrects_only,
        lets_go: merged.changes.is_empty() && memory.is_some_and(|memory| memory.len() > merged.owned),
    }
}
