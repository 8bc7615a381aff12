//! The client over a transport without a socket, in virtual time.

mod breaker;
pub(crate) mod fake;
mod foreign;
mod limits;
mod schema;
mod secrets;
mod targets;
mod transport;
