//! The client over a transport without a socket, in virtual time.

mod breaker;
mod fake;
mod transport;
