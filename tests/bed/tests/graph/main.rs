//! The Graph simulator over its real socket, with a plain HTTP client: one test for each behaviour.

mod jobs;
mod support;
