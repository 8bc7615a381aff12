//! Tests of expressions, which the service evaluates.

use super::question::Question;
use crate::api::{MappingTest, Mappings};
use crate::graph::{Error, Given, GivenValue, ParseRequest, ParsedExpression};

/// How much of a value a message repeats, in bytes.
const SHOWN_MAX: usize = 200;

/// What the tests that fail came to, a sentence each. Those that passed for this wish are not evaluated again.
pub(super) async fn failures(question: &Question<'_>) -> Result<Vec<String>, Error> {
    let mut failures = Vec::new();
    if question.desk.has_passed(question.hash) {
        return Ok(failures);
    }
    for test in &question.mappings.tests {
        failures.extend(failure(test, question).await?.map(|why| format!("The test '{}' failed: {why}", test.name)));
    }
    if failures.is_empty() {
        question.desk.pass(question.hash);
    }
    Ok(failures)
}

async fn failure(test: &MappingTest, question: &Question<'_>) -> Result<Option<String>, Error> {
    let (object, expression) = match subject(test, question.mappings) {
        Ok(found) => found,
        Err(why) => return Ok(Some(why)),
    };
    let one = test.given.iter().map(|(name, value)| (name.clone(), GivenValue::Text(value.clone())));
    let many = test.given_collections.iter().map(|(name, values)| (name.clone(), GivenValue::Texts(values.clone())));
    let properties: Vec<(String, GivenValue)> = one.chain(many).collect();
    let given = Given { object: Some(object), properties: &properties };
    let request = ParseRequest { expression, target: None, given: Some(given) };
    match question.reader.parse_expression(question.service_principal, question.job, request).await {
        Ok(answer) => Ok(verdict(test, &answer)),
        Err(error) if error.is_unknown_route() => Ok(Some(
            "this cloud does not offer the evaluation of expressions. Take `tests` out of `spec.mappings`.".to_owned(),
        )),
        Err(error) => Err(error),
    }
}

/// The source object and the expression that a test is about.
fn subject<'a>(test: &MappingTest, mappings: &'a Mappings) -> Result<(&'a str, &'a str), String> {
    let wanted = |target: &str| test.target_object_name.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(target));
    let attribute = &test.target_attribute_name;
    let mut found =
        mappings.object_mappings.iter().filter(|objects| wanted(&objects.target_object_name)).flat_map(|objects| {
            let meant = objects.attribute_mappings.iter();
            let meant = meant.filter(|mapping| mapping.target_attribute_name.eq_ignore_ascii_case(attribute));
            meant.filter_map(|mapping| Some((objects.source_object_name.as_str(), mapping.expression.as_deref()?)))
        });
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(format!(
            "several object mappings list '{attribute}' with an expression. Set `targetObjectName` of the test."
        )),
        (None, _) => Err(format!("no attribute mapping of `spec.mappings` has an expression for '{attribute}'.")),
    }
}

fn verdict(test: &MappingTest, answer: &ParsedExpression) -> Option<String> {
    let failed = answer.parsing_succeeded == Some(false) || answer.evaluation_succeeded == Some(false);
    if failed {
        let why = answer.error.as_ref().map(|(code, message)| format!("{code} {message}"));
        let why = why.unwrap_or_else(|| "the service gives no reason".to_owned());
        return Some(format!("the service could not evaluate the expression: {}.", why.trim().trim_end_matches('.')));
    }
    (answer.evaluation_result != test.expect).then(|| {
        let (found, wanted) = (shown(&answer.evaluation_result), shown(&test.expect));
        format!("'{}' comes to {found}, and {wanted} is expected.", test.target_attribute_name)
    })
}

fn shown(values: &[String]) -> String {
    let text = format!("{values:?}");
    if text.len() <= SHOWN_MAX {
        return text;
    }
    format!("{}…", &text[..text.floor_char_boundary(SHOWN_MAX)])
}
