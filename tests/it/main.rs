//! The one integration binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod chart;
mod conversation;
mod properties;
mod protocol;
mod schema;
mod tidy;
