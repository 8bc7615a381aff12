//! Whether a text has the form that the resource asks for: what the API server would refuse is not written.

use crate::plan::ObservedJob;
use crate::plan::ids::TemplateId;

/// The template of a job as Graph names it, or else as its id does.
pub(super) fn template_of(job: &ObservedJob) -> Option<TemplateId> {
    let named = job.template_id.as_deref().and_then(TemplateId::parse);
    named.or_else(|| TemplateId::parse(job.id.split('.').next()?))
}

/// An id of a job or a template.
pub(super) fn is_id(text: &str, chars_max: usize) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let ends =
        text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.ends_with(|c: char| c.is_ascii_alphanumeric());
    ends && text.len() <= chars_max && text.chars().all(inner) && !text.contains("..")
}

/// A key of Graph's secrets.
pub(super) fn is_key(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric())
}

/// The value of a credential.
pub(super) fn is_value(text: &str) -> bool {
    (1..=4096).contains(&text.chars().count()) && text != "*"
}

/// One e-mail address.
pub(super) fn is_recipient(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && !part.contains(['@', ',', ';', ' ']);
    (3..=254).contains(&text.chars().count())
        && text.split_once('@').is_some_and(|(user, host)| part(user) && part(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_those_of_the_resource() {
        let id = |text: &str| is_id(text, 12);
        assert!(id("scim") && id("a.b_c-d.1") && id("1"));
        for wrong in ["", ".a", "a.", "a..b", "a/b", "a b", "ä", "a.b_c-d.1234567"] {
            assert!(!id(wrong), "{wrong}");
        }
        assert!(is_key("BaseAddress") && !is_key("1a") && !is_key("a_b") && !is_key("") && !is_key(&"a".repeat(65)));
        assert!(is_value("a") && !is_value("") && !is_value("*") && !is_value(&"a".repeat(4097)));
        assert!(is_recipient("a@b") && is_recipient("ops@example.com"));
        for wrong in ["a@", "@b", "a b@c", "a@b@c", "ab", &format!("a@{}", "b".repeat(253))] {
            assert!(!is_recipient(wrong), "{wrong}");
        }
    }
}
