//! The lease that the operator holds while it works, and its metric.

use std::sync::Arc;
use std::time::Duration;

use super::instance::instance;
use crate::args::Election;
use crate::cluster::lease::{self, Elector, Fence};
use crate::metrics::Metrics;

/// A lease, or none if the operator runs alone.
pub(super) struct Leadership {
    elector: Option<(Elector, String)>,
    metrics: Arc<Metrics>,
}

impl Leadership {
    pub(super) fn new(client: &kube::Client, config: Option<lease::Config>, metrics: Arc<Metrics>) -> Self {
        let elector = config.map(|config| {
            metrics.leads(&config.name, false);
            let name = config.name.clone();
            (Elector::new(client.clone(), config), name)
        });
        Self { elector, metrics }
    }

    pub(super) fn fence(&self) -> Fence {
        self.elector.as_ref().map_or_else(Fence::open, |(elector, _)| elector.fence())
    }

    pub(super) async fn acquire(&mut self) {
        if let Some((elector, name)) = &mut self.elector {
            tracing::info!(lease = name.as_str(), "waiting for the lease");
            elector.acquire().await;
            self.metrics.leads(name, true);
            tracing::info!(lease = name.as_str(), "the lease is held");
        }
    }

    /// Returns when the lease is lost.
    pub(super) async fn keep(&mut self) {
        match &mut self.elector {
            Some((elector, name)) => {
                elector.keep().await;
                self.metrics.leads(name, false);
            }
            None => std::future::pending().await,
        }
    }

    pub(super) async fn release(&mut self) {
        if let Some((elector, name)) = &mut self.elector {
            elector.release().await;
            self.metrics.leads(name, false);
        }
    }
}

pub(super) fn lease_config(election: &Election, config: &kube::Config) -> lease::Config {
    lease::Config {
        namespace: election.leader_election_namespace.clone().unwrap_or_else(|| config.default_namespace.clone()),
        name: election.leader_election_id.clone(),
        identity: format!("{}_{}", instance(), uuid::Uuid::new_v4()),
        duration: Duration::from_secs(election.lease_duration_seconds),
        renew_deadline: Duration::from_secs(election.lease_renew_deadline_seconds),
        retry: Duration::from_secs(election.lease_retry_seconds),
    }
}
