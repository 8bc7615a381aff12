//! Whether the job runs as declared, and what people ask of it.

pub(in crate::plan) mod quarantine;
pub mod requests;
pub mod restart;
pub(in crate::plan) mod run_state;
pub(in crate::plan) mod token;
