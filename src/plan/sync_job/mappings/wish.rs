//! The mappings that are declared.

use std::sync::Arc;

use crate::api::{Mappings, Scope, SyncJobSpec};

/// The mappings that are declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub mappings: Arc<Mappings>,
    /// Of the mappings and of the scope, which forbids some functions.
    pub hash: String,
}

impl Wish {
    pub fn parse(spec: &SyncJobSpec) -> Option<Self> {
        let everyone = spec.scope == Some(Scope::All);
        spec.mappings.as_ref().map(|mappings| Self::new(mappings.clone(), everyone))
    }

    /// Nothing is declared any more: what was there before comes back.
    pub fn nothing() -> Self {
        Self::new(Mappings::default(), false)
    }

    fn new(mappings: Mappings, everyone: bool) -> Self {
        let hash = crate::overlay::wish_hash(&mappings);
        let hash = if everyone { format!("{hash}-all") } else { hash };
        Self { hash, mappings: Arc::new(mappings) }
    }
}
