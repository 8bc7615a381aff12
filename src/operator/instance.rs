//! The name by which this pod is known to others.

/// The pod's name, which is its host name.
pub(super) fn instance() -> String {
    std::env::var("HOSTNAME").unwrap_or_else(|_| "entrain".to_owned())
}
