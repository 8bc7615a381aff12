//! The client over a transport without a socket, in virtual time.

mod fake;
mod transport;
