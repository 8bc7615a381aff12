//! Whether the job runs as declared, and what people ask of it.

pub mod requests;
pub(in crate::plan) mod run_state;
mod token;
