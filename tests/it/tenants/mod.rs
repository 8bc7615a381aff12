//! Tenants on the whole stack: credentials from real Secrets and from the real API server's TokenRequest, fences, rotation,
//! and namespaces that die. One control plane serves all tests; those with cluster-wide tenants take turns, because every
//! operator that serves them sees them all.

mod canary;
mod ceilings;
mod clouds;
mod cluster;
mod credentials;
mod fences;
mod layouts;
mod leaving;
mod material;
mod propagation;
mod rotation;
mod stand;
