//! What the metrics of the queue and of the loop have in common.

/// The value of the label `controller`, and the name of the queue.
pub(super) const CONTROLLER: &str = "syncjob";
/// Seconds; from controller-runtime's buckets, those that differ for this controller.
pub(super) const SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0];
