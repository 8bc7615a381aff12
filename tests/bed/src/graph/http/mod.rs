//! From socket to handler and back: TLS, requests, the table of routes, replies.

pub mod call;
pub mod deliver;
pub mod reply;
pub mod request;
pub mod route;
pub mod serve;
