//! Tenants: what their specs wish for, which SyncJobs may use them, and what their status says.

pub mod fence;
mod presented;
mod refusal;
pub mod report;
pub mod wish;

pub use fence::{Asked, Barred};
pub use presented::Presented;
pub use report::{End, Outcome, report};
pub use wish::{LogInWith, Wish};
