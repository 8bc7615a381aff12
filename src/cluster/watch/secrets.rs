//! The watch over Secrets, for those who want a rotation to be noticed within seconds. It asks for metadata only, so that
//! no content of a Secret that nobody named comes into this process.

use std::collections::{HashMap, HashSet};

use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::Event;
use kube::{Api, Client, ResourceExt};
use tokio::sync::mpsc::UnboundedSender;

use super::follow::{Heard, follow};
use crate::cluster::Namespaces;
use crate::cluster::secrets::SecretVersion;

/// Names a Secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName {
    pub namespace: String,
    pub name: String,
}

/// The kind under which the client asks for metadata and never for more.
type Metadata = PartialObjectMeta<Secret>;

/// One watch. Nothing is asked before it runs.
pub struct SecretWatch {
    api: Api<Metadata>,
}

/// The watches over the Secrets of the watched namespaces.
pub fn secrets(client: &Client, namespaces: &Namespaces) -> Vec<SecretWatch> {
    namespaces.apis(client).into_iter().map(|api| SecretWatch { api }).collect()
}

impl SecretWatch {
    /// Watches for ever, and sends which Secrets came, went or changed, together where one list shows it. What the first list
    /// shows is not sent: at a start every SyncJob gets a pass.
    pub async fn run(self, changed: UnboundedSender<HashSet<SecretName>>) {
        let mut keeper = Keeper { known: HashMap::new(), listing: None, complete: false, changed };
        follow(self.api, Heard::default(), move |event| keeper.show(event)).await;
    }
}

/// Keeps the version of each Secret, and nothing else of it.
struct Keeper {
    known: HashMap<SecretName, SecretVersion>,
    /// What the list in progress shows.
    listing: Option<HashMap<SecretName, SecretVersion>>,
    /// Whether there was a list before.
    complete: bool,
    changed: UnboundedSender<HashSet<SecretName>>,
}

impl Keeper {
    fn show(&mut self, event: Event<Metadata>) {
        match event {
            Event::Init => self.listing = Some(HashMap::new()),
            Event::InitApply(secret) => {
                if let Some(listing) = &mut self.listing {
                    listing.insert(name(&secret), SecretVersion::of(&secret.metadata));
                }
            }
            Event::InitDone => self.listed(),
            Event::Apply(secret) => {
                let (name, version) = (name(&secret), SecretVersion::of(&secret.metadata));
                if self.known.insert(name.clone(), version.clone()) != Some(version) {
                    self.announce(HashSet::from([name]));
                }
            }
            Event::Delete(secret) => {
                let name = name(&secret);
                self.known.remove(&name);
                self.announce(HashSet::from([name]));
            }
        }
    }

    fn listed(&mut self) {
        let new = self.listing.take().unwrap_or_default();
        let differs = |name: &&SecretName| self.known.get(*name) != new.get(*name);
        let changed: HashSet<SecretName> = new.keys().chain(self.known.keys()).filter(differs).cloned().collect();
        self.known = new;
        if self.complete && !changed.is_empty() {
            self.announce(changed);
        }
        self.complete = true;
    }

    fn announce(&self, changed: HashSet<SecretName>) {
        // An error means that the loop has ended.
        let _ = self.changed.send(changed);
    }
}

fn name(secret: &Metadata) -> SecretName {
    SecretName { namespace: secret.namespace().unwrap_or_default(), name: secret.name_any() }
}

#[cfg(test)]
mod tests {
    use kube::api::ObjectMeta;
    use kube::core::PartialObjectMetaExt;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;

    fn keeper() -> (Keeper, UnboundedReceiver<HashSet<SecretName>>) {
        let (changed, shown) = unbounded_channel();
        (Keeper { known: HashMap::new(), listing: None, complete: false, changed }, shown)
    }

    fn secret(name: &str, uid: &str, version: &str) -> Metadata {
        let text = |text: &str| Some(text.to_owned());
        let metadata = ObjectMeta {
            namespace: text("apps"),
            name: text(name),
            uid: text(uid),
            resource_version: text(version),
            ..ObjectMeta::default()
        };
        metadata.into_response_partial()
    }

    fn list(keeper: &mut Keeper, secrets: &[(&str, &str, &str)]) {
        keeper.show(Event::Init);
        for (name, uid, version) in secrets {
            keeper.show(Event::InitApply(secret(name, uid, version)));
        }
        keeper.show(Event::InitDone);
    }

    fn names(shown: &mut UnboundedReceiver<HashSet<SecretName>>) -> Option<Vec<String>> {
        let mut names: Vec<String> = shown.try_recv().ok()?.into_iter().map(|name| name.name).collect();
        names.sort();
        Some(names)
    }

    #[test]
    fn a_later_list_shows_at_once_what_changed_while_nobody_watched_and_the_first_shows_nothing() {
        let (mut keeper, mut shown) = keeper();
        list(&mut keeper, &[("same", "1", "10"), ("edited", "2", "10"), ("replaced", "3", "10"), ("gone", "4", "10")]);
        assert_eq!(names(&mut shown), None);
        list(&mut keeper, &[("same", "1", "10"), ("edited", "2", "11"), ("replaced", "5", "10"), ("new", "6", "12")]);
        assert_eq!(names(&mut shown).unwrap(), ["edited", "gone", "new", "replaced"]);
        list(&mut keeper, &[("same", "1", "10"), ("edited", "2", "11"), ("replaced", "5", "10"), ("new", "6", "12")]);
        assert_eq!(names(&mut shown), None);
    }

    #[test]
    fn an_event_shows_its_secret_and_a_state_that_is_known_shows_nothing() {
        let (mut keeper, mut shown) = keeper();
        list(&mut keeper, &[("token", "1", "10")]);
        keeper.show(Event::Apply(secret("token", "1", "10")));
        assert_eq!(names(&mut shown), None);
        for event in [Event::Apply(secret("token", "1", "11")), Event::Delete(secret("token", "1", "12"))] {
            keeper.show(event);
            assert_eq!(names(&mut shown).unwrap(), ["token"]);
        }
        keeper.show(Event::Apply(secret("token", "2", "13")));
        assert_eq!(names(&mut shown).unwrap(), ["token"]);
        list(&mut keeper, &[("token", "2", "13")]);
        assert_eq!(names(&mut shown), None, "what an event showed is known");
    }
}
