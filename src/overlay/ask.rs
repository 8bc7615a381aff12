//! Which expressions the service must parse before a wish can be merged.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document::{find as find_subject, member, text};
use super::expression::{Expressions, Forms, LENGTH_MAX, Parsed, local, reads};
use super::memory::Memory;
use super::merged::Overlay;
use super::names::Hit;
use super::objects::{find, rules_of};
use super::path::Member;
use crate::api::sync_job::AttributeMapping;

/// The texts that the service must parse and that are not known yet. To be asked again with what it answered, until there is
/// none, which is so after two rounds. Where the schema has what is wished for, nothing needs to be parsed.
pub fn expressions(overlay: &Overlay<'_>, live: &Value, known: &Expressions) -> Vec<String> {
    let nothing = Memory::default();
    let memory = overlay.memory.unwrap_or(&nothing);
    let asking = Asking { known, forms: Forms::new(known, &memory.forms) };
    let mut texts = BTreeSet::new();
    for objects in &overlay.wish.object_mappings {
        let rules = rules_of(live, overlay.wish).unwrap_or_default();
        let Ok(found) = find(live, &rules, objects) else { continue };
        for entry in &objects.attribute_mappings {
            let there = match found.entries.find(&entry.target_attribute_name) {
                Hit::One((_, there)) => member(there, Member::Source),
                Hit::None | Hit::Several(_) => None,
            };
            texts.extend(asking.about(entry, there));
        }
    }
    let sources = memory.owned.iter().filter(|(path, _)| path.member == Member::Source);
    for (path, owned) in sources {
        let there = find_subject(live, &path.subject).and_then(|whole| member(whole, path.member));
        texts.extend(asking.whether_same(there, owned.applied.as_ref()));
    }
    texts.into_iter().collect()
}

struct Asking<'a> {
    known: &'a Expressions,
    forms: Forms,
}

impl Asking<'_> {
    /// The wish first; what is there only once the wish's normal form is known and is another text.
    fn about(&self, entry: &AttributeMapping, there: Option<&Value>) -> Option<String> {
        let wanted = entry.expression.as_ref().filter(|text| text.chars().count() <= LENGTH_MAX)?;
        if local(wanted).is_some() || reads(there, wanted) {
            return None;
        }
        let remembered = self.forms.of(wanted);
        if remembered.is_some() && self.forms.same(remembered.as_ref(), there) {
            return None;
        }
        match self.known.0.get(wanted) {
            None => Some(wanted.clone()),
            Some(Parsed::Source(normal)) => self.whether_same(there, Some(normal)),
            Some(Parsed::Refused(_) | Parsed::NotOffered) => None,
        }
    }

    /// The text of what is there, if only the service can say whether it is the same as a normal form.
    fn whether_same(&self, there: Option<&Value>, normal: Option<&Value>) -> Option<String> {
        let text = text(there?, "expression");
        let other = !text.is_empty() && local(text).is_none() && !self.forms.same(there, normal);
        (other && !self.known.0.contains_key(text)).then(|| text.to_owned())
    }
}
