//! What a comparison is about.

use super::desk::Desk;
use crate::api::Mappings;
use crate::graph::Reader;
use crate::overlay::{Drift, Memory};

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
    /// What was applied, or may have been.
    pub memory: Option<&'a Memory>,
    pub desk: &'a Desk,
}
