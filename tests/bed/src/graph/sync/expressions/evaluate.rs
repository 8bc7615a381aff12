//! What an expression comes to for a test object. A value is a list of texts; none at all stands for null.

use super::Expression;

/// The values of a property of the test object.
pub type Input<'a> = dyn Fn(&str) -> Result<Vec<String>, String> + 'a;

type Values = Vec<String>;

/// The value for a test object; functions that are not known here parse but have no value.
pub fn evaluate(expression: &Expression, input: &Input<'_>) -> Result<Values, String> {
    match expression {
        Expression::Attribute(name) => input(name),
        Expression::Constant(text) => Ok(vec![text.replace("\\\"", "\"").replace("\\\\", "\\")]),
        Expression::Omitted => Ok(Vec::new()),
        Expression::Comparison { operator, sides } => {
            let (left, right) = (evaluate(&sides[0], input)?, evaluate(&sides[1], input)?);
            match *operator {
                "=" => Ok(truth(left == right)),
                "<>" => Ok(truth(left != right)),
                other => Err(format!("The operator '{other}' cannot be evaluated.")),
            }
        }
        Expression::Function { name, arguments } => {
            let values = arguments.iter().map(|argument| evaluate(argument, input)).collect::<Result<Vec<_>, _>>()?;
            apply(name, arguments, &values, input)
        }
    }
}

fn truth(value: bool) -> Values {
    vec![if value { "True" } else { "False" }.to_owned()]
}

fn is_true(values: &[String]) -> bool {
    values.first().is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn is_empty(values: &[String]) -> bool {
    values.iter().all(String::is_empty)
}

fn first(values: &[String]) -> &str {
    values.first().map(String::as_str).unwrap_or_default()
}

fn number(values: &[String]) -> Result<usize, String> {
    first(values).trim().parse().map_err(|_| format!("'{}' is not a number.", first(values)))
}

/// Does it to each value, so that null stays null.
fn each(values: &[String], change: impl Fn(&str) -> String) -> Values {
    values.iter().map(|value| change(value)).collect()
}

fn apply(name: &str, arguments: &[Expression], values: &[Values], input: &Input<'_>) -> Result<Values, String> {
    match (name, values) {
        ("Append", [source, suffix]) => Ok(each(source, |value| format!("{value}{}", first(suffix)))),
        ("Prepend", [source, prefix]) => Ok(each(source, |value| format!("{}{value}", first(prefix)))),
        ("Join", [separator, sources @ ..]) => {
            let parts: Vec<&str> = sources.iter().flatten().map(String::as_str).collect();
            Ok(vec![parts.join(first(separator))])
        }
        ("Mid", [source, start, length]) => {
            let (start, length) = (number(start)?, number(length)?);
            if start == 0 {
                return Err("The first character has the number 1.".to_owned());
            }
            Ok(each(source, |value| value.chars().skip(start - 1).take(length).collect()))
        }
        ("Left", [source, length]) => {
            let length = number(length)?;
            Ok(each(source, |value| value.chars().take(length).collect()))
        }
        ("StripSpaces", [source]) => Ok(each(source, |value| value.replace(' ', ""))),
        ("Trim", [source]) => Ok(each(source, |value| value.trim().to_owned())),
        ("ToLower", [source, ..]) => Ok(each(source, str::to_lowercase)),
        ("ToUpper", [source, ..]) => Ok(each(source, str::to_uppercase)),
        ("Split", [source, delimiter]) => {
            Ok(source.iter().flat_map(|value| value.split(first(delimiter))).map(str::to_owned).collect())
        }
        ("Replace", [source, ..]) => replace(source, arguments, values, input),
        ("Switch", [source, default, cases @ ..]) => {
            let found = cases.chunks_exact(2).find(|case| case[0] == *source);
            Ok(found.map_or_else(|| default.clone(), |case| case[1].clone()))
        }
        ("DefaultDomain", []) => Ok(vec!["example.test".to_owned()]),
        _ => choose(name, values),
    }
}

/// Functions of truth values, and those that choose among values.
fn choose(name: &str, values: &[Values]) -> Result<Values, String> {
    match (name, values) {
        ("IIF", [condition, yes, no]) => Ok(if is_true(condition) { yes.clone() } else { no.clone() }),
        ("Not", [source]) => Ok(truth(!is_true(source))),
        ("IsPresent", [source]) => Ok(truth(!is_empty(source))),
        ("IsNullOrEmpty", [source]) => Ok(truth(is_empty(source))),
        ("IsNull" | "IsNothing", [source]) => Ok(truth(source.is_empty())),
        ("IsString", [source]) => Ok(truth(!source.is_empty())),
        ("CBool", [source]) => Ok(truth(is_true(source) || number(source).is_ok_and(|found| found != 0))),
        ("BitAnd", [one, two]) => Ok(vec![(number(one)? & number(two)?).to_string()]),
        ("Coalesce", sources) => Ok(sources.iter().find(|values| !is_empty(values)).cloned().unwrap_or_default()),
        ("Count", [source]) => Ok(vec![source.len().to_string()]),
        ("Item", [source, index]) => {
            let index = number(index)?;
            Ok(index.checked_sub(1).and_then(|index| source.get(index)).cloned().into_iter().collect())
        }
        ("RemoveDuplicates", [source]) => {
            let kept = source.iter().enumerate().filter(|(at, value)| !source[..*at].contains(value));
            Ok(kept.map(|(_, value)| value.clone()).collect())
        }
        ("SingleAppRoleAssignment", [source]) if source.len() > 1 => {
            Err("There is more than one assignment of an app role.".to_owned())
        }
        ("SingleAppRoleAssignment" | "AppRoleAssignments", [source]) => Ok(source.clone()),
        _ => Err(format!("The function '{name}' cannot be evaluated with these arguments.")),
    }
}

/// The forms without a regular expression: another text, the text of another attribute, or the source within a template.
fn replace(
    source: &[String],
    arguments: &[Expression],
    values: &[Values],
    input: &Input<'_>,
) -> Result<Values, String> {
    let given = |index: usize| values.get(index).filter(|_| arguments[index] != Expression::Omitted);
    let (find, replacement, attribute, template) = (given(1), given(4), given(5), given(6));
    if given(2).is_some() || given(3).is_some() {
        return Err("Regular expressions cannot be evaluated.".to_owned());
    }
    let Some(find) = find.filter(|find| !first(find).is_empty()) else {
        return Err("The function 'Replace' cannot be evaluated with these arguments.".to_owned());
    };
    let find = first(find);
    if let Some(template) = template {
        return Ok(each(source, |value| first(template).replace(find, value)));
    }
    let new = match (replacement, attribute) {
        (Some(replacement), _) => first(replacement).to_owned(),
        (None, Some(attribute)) => first(&input(first(attribute))?).to_owned(),
        (None, None) => String::new(),
    };
    Ok(each(source, |value| value.replace(find, &new)))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn value(text: &str) -> Result<Values, String> {
        let input = |name: &str| match name {
            "mail" => Ok(vec!["a b@c.test".to_owned()]),
            "addresses" => Ok(vec!["x".to_owned(), "y".to_owned(), "x".to_owned()]),
            "enabled" => Ok(vec!["true".to_owned()]),
            "empty" => Ok(vec![String::new()]),
            "null" => Ok(Vec::new()),
            other => Err(format!("no '{other}'")),
        };
        evaluate(&parse(text)?, &input)
    }

    #[test]
    fn functions_come_to_their_values() {
        for (text, expected) in [
            (r#"ToUpper(Append([mail], "x"))"#, "A B@C.TESTX"),
            (r#"Prepend([mail], "x")"#, "xa b@c.test"),
            (r#"Join("-", [mail], [null], [addresses])"#, "a b@c.test-x-y-x"),
            ("Mid([mail], 3, 3)", "b@c"),
            ("StripSpaces([mail])", "ab@c.test"),
            (r#"ToLower("ABC")"#, "abc"),
            (r#"Item(Split([mail], "@"), 2)"#, "c.test"),
            (r#"Replace([mail], "@", , , "_", , )"#, "a b_c.test"),
            (r#"Replace([mail], "@c.test", , , , , )"#, "a b"),
            (r#"Replace([mail], " b@c.test", , , , "enabled", )"#, "atrue"),
            (r#"Replace([enabled], "%", , , , , "is %")"#, "is true"),
            ("Not([enabled])", "False"),
            (r#"Switch([enabled], "d", "false", "1", "true", "2")"#, "2"),
            (r#"Switch([mail], "d", "false", "1")"#, "d"),
            (r#"IIF(IsPresent([empty]), "yes", "no")"#, "no"),
            (r#"IIF(BitAnd("6", 2)="2", "yes", "no")"#, "yes"),
            (r#"IIF([enabled]<>"true", "yes", "no")"#, "no"),
            ("IsNullOrEmpty([empty])", "True"),
            ("IsNothing([empty])", "False"),
            ("IsNull([null])", "True"),
            (r#"Coalesce([null], [empty], "z")"#, "z"),
            ("Count([addresses])", "3"),
            ("SingleAppRoleAssignment([enabled])", "true"),
        ] {
            assert_eq!(value(text), Ok(vec![expected.to_owned()]), "{text}");
        }
        assert_eq!(value("RemoveDuplicates([addresses])").unwrap(), ["x", "y"]);
        assert_eq!(value("Append([null], \"x\")"), Ok(Vec::new()));
        assert_eq!(value(r#"Switch([mail], , "a", "b")"#), Ok(Vec::new()), "no case and no default");
    }

    #[test]
    fn what_cannot_be_evaluated_has_a_reason() {
        for text in [
            "SingleAppRoleAssignment([addresses])",
            "Mid([mail], 0, 3)",
            "Fancy([mail])",
            r#"Replace([mail], , "(?<S>@.*)", "S", "", , )"#,
            "[other]",
            "[mail]>\"a\"",
        ] {
            assert!(value(text).is_err(), "{text}");
        }
    }
}
