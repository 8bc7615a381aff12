//! Ids that a spec names, parsed.

/// Template ids that Graph stores under another name than the one it was given.
const TEMPLATE_ALIASES: &[(&str, &str)] = &[("AD2AADProvisioning", "ADDCInPassthrough")];

/// Object id of a service principal: a GUID in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServicePrincipalId(String);

impl ServicePrincipalId {
    /// Accepts a GUID in any case, alone or after `/servicePrincipals/`.
    pub fn parse(text: &str) -> Option<Self> {
        let id = text.strip_prefix("/servicePrincipals/").unwrap_or(text);
        let hyphenated = id.len() == uuid::fmt::Hyphenated::LENGTH;
        uuid::Uuid::try_parse(id).ok().filter(|_| hyphenated).map(|id| Self(id.hyphenated().to_string()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Id of a synchronization template, as written in the spec.
#[derive(Clone, Debug)]
pub struct TemplateId(String);

impl TemplateId {
    pub fn parse(text: &str) -> Option<Self> {
        let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let ends = text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric());
        (ends && text.len() <= 128 && text.chars().all(inner) && !text.contains("..")).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Graph compares template ids without regard to case, and may echo an alias.
    pub fn same_as(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
            || TEMPLATE_ALIASES.iter().any(|(sent, stored)| {
                (self.0.eq_ignore_ascii_case(sent) && other.eq_ignore_ascii_case(stored))
                    || (self.0.eq_ignore_ascii_case(stored) && other.eq_ignore_ascii_case(sent))
            })
    }
}
