//! Entrain makes Microsoft Entra ID provisioning jobs Kubernetes resources.
//!
//! The layers, and what each may know. Imports point one way: `cli → reconcile → {plan, cluster, graph, metrics}`,
//! `metrics → {api, graph}`, `plan → api`, `cluster → api`, `graph → nothing`; a test reads the sources and says so.

/// What people write and read.
pub mod api;
/// The command line.
pub mod args;
/// The commands that need no cluster.
pub mod cli;
/// Kubernetes: how to read and write there; knows nothing of Graph.
pub mod clock;
pub mod cluster;
/// From flags to a client of Graph.
pub mod connect;
/// Microsoft Graph: how to ask; knows nothing of SyncJobs.
pub mod graph;
/// What is counted and measured.
pub mod metrics;
/// Wires the layers and runs the controller.
pub mod operator;
/// What to do: pure and total.
pub mod plan;
/// The loop: the only module that knows both sides.
pub mod reconcile;
/// Probes and metrics over HTTP.
pub mod serve;
/// Logs.
pub mod telemetry;
