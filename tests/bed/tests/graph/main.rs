//! The Graph simulator over its real socket, with a plain HTTP client: one test for each behaviour.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod assertions;
mod cycles;
mod directory;
mod expressions;
mod faults;
mod given_schemas;
mod identity;
mod jobs;
mod login;
mod permissions;
mod quarantine;
mod replicas;
mod schema;
mod schema_form;
mod scope;
mod secret_access;
mod secrets;
mod status;
mod support;
mod throttle;
mod validation;
