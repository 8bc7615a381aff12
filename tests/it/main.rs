//! The one integration binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conversation;
mod plan_properties;
mod protocol;
mod schema;
mod tidy;
