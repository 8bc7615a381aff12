//! Passes over tenants.

mod handle;
pub(super) mod pass;
