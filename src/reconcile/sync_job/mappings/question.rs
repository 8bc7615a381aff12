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
    /// What may have been applied last: the first that fits what is there, and the last one if none does.
    pub memories: &'a [Option<Memory>],
    pub desk: &'a Desk,
}
