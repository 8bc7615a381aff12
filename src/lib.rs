//! Entrain makes Microsoft Entra ID provisioning jobs Kubernetes resources.
//!
//! The layers, and what each may know: imports point one way, `cli → reconcile → {plan, cluster, graph, metrics}`,
//! `metrics → {api, graph}`, `plan → api`, `overlay → api`, `cluster → api`, `graph → nothing`; `tests/it/tidy` checks it.
//! Each file opens with its purpose.

pub mod api;
pub mod args;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod connect;
pub mod graph;
pub mod metrics;
pub mod operator;
pub mod overlay;
pub mod plan;
pub mod reconcile;
pub mod serve;
pub mod telemetry;
