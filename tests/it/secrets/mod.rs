//! Credentials and settings of jobs on the whole stack: real Secrets, the operator as a process, and the set of secrets that
//! the simulator keeps for a service principal.

mod canary;
mod change;
mod conflict;
mod creation;
mod plan;
mod restart;
mod rotation;
mod stand;
mod validation;
