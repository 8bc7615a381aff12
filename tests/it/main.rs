//! The one integration binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admission;
mod alerts;
mod argo;
mod chart;
mod cli;
mod conditions;
mod conversation;
mod dashboard;
mod docs;
mod life;
mod ops;
mod properties;
mod protocol;
mod schema;
mod stack;
mod tidy;
mod world;
