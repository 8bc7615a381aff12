//! What the operator keeps in the cluster, on a real API server and with the operator's rights.

pub mod revisions;
