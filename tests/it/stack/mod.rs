//! The whole stack: a real API server, the operator as a process with its own ServiceAccount, and the Graph simulator.
//! One control plane serves all tests; each has a namespace, a tenant and an operator of its own.

pub mod audit;
mod conflict;
mod create;
mod lifecycle;
mod many;
pub mod plane;
mod process;
pub mod read;
mod refusal;
pub mod rig;
mod throttle;
