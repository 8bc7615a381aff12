//! Which namespaces are ours to work in.

use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Resource};

/// The watched namespaces: those named, or all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespaces(Vec<String>);

impl Namespaces {
    /// The namespaces of these names, each counted once; all of the cluster if there is no name.
    pub fn new(names: &[String]) -> Self {
        let mut names: Vec<String> =
            names.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        names.sort_unstable();
        names.dedup();
        Self(names)
    }

    /// Each SyncJob that is ours is reached by exactly one of these.
    pub(super) fn apis<K>(&self, client: &Client) -> Vec<Api<K>>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        if self.0.is_empty() {
            return vec![Api::all(client.clone())];
        }
        self.0.iter().map(|name| Api::namespaced(client.clone(), name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_named_twice_is_watched_once_and_no_name_means_all() {
        let names = |names: &[&str]| Namespaces::new(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&["b", "a", " b"]), Namespaces(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(names(&["", " "]), Namespaces::default());
    }
}
