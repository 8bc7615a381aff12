//! The set of secrets of a service principal: replaced as a whole, shown with masks, and shown late (CONTRACT §2.4, §2.5,
//! §3.9, §3.10). Every version is kept for the judges, with what each request sent and what each read showed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::super::By;
use super::answer::{self, Response};

/// Keys as they were sent, in their order.
pub type Set = BTreeMap<String, String>;

/// Keys whose values nobody is shown, with what stands in their place.
const MASKS: [(&str, &str); 3] = [("SecretToken", "*"), ("ClientSecret", ""), ("Password", "c***")];
/// All keys that the service knows, besides those.
const READABLE: [&str; 6] =
    ["BaseAddress", "UserName", "Domain", "SyncAll", "SkipOutOfScopeDeletions", "SyncNotificationSettings"];
pub const NOTIFICATIONS: &str = "SyncNotificationSettings";
/// What the target checks.
pub const TOKEN: &str = "SecretToken";

/// The set from a moment on.
#[derive(Clone, Debug)]
pub struct Stored {
    pub at: Duration,
    pub by: By,
    /// What the request was named by; empty where people act.
    pub request: String,
    pub set: Arc<Set>,
    /// No replica shows it earlier.
    shown_from: Duration,
}

/// A set in a request of an operator: to be saved, or to be tested.
#[derive(Clone, Debug)]
pub struct Sent {
    pub at: Duration,
    pub by: By,
    pub principal: usize,
    pub request: String,
    pub set: Set,
    pub test: bool,
}

/// Which version a read showed.
#[derive(Clone, Debug)]
pub struct Look {
    pub at: Duration,
    pub by: By,
    pub principal: usize,
    pub set: Arc<Set>,
}

/// What the target was tried with.
#[derive(Clone, Debug)]
pub struct Tested {
    pub at: Duration,
    pub set: Set,
    pub accepted: bool,
}

#[derive(Default)]
pub struct Sets {
    versions: BTreeMap<usize, Vec<Stored>>,
    pub sent: Vec<Sent>,
    pub looks: Vec<Look>,
    pub tests: Vec<Tested>,
    /// The tokens that the target takes; any, while there is none.
    pub accepted: Vec<String>,
}

/// Whether nobody is shown the value of this key.
pub fn is_masked(key: &str) -> bool {
    MASKS.iter().any(|(masked, _)| masked.eq_ignore_ascii_case(key))
}

/// Whether the service knows this key.
pub fn is_known(key: &str) -> bool {
    is_masked(key) || READABLE.iter().any(|known| known.eq_ignore_ascii_case(key))
}

/// The value of a key, in any case.
pub fn value<'a>(set: &'a Set, key: &str) -> Option<&'a str> {
    set.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
}

/// The pairs in the body of a request; `None` where it has none.
pub fn pairs(body: &[u8], member: &str) -> Option<Set> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = |pair: &Value, member: &str| pair[member].as_str().unwrap_or_default().to_owned();
    Some(body[member].as_array()?.iter().map(|pair| (text(pair, "key"), text(pair, "value"))).collect())
}

impl Sets {
    /// Every version of the set of a service principal, the oldest first.
    pub fn versions(&self, principal: usize) -> &[Stored] {
        self.versions.get(&principal).map_or(&[], Vec::as_slice)
    }

    /// What is stored.
    pub fn now(&self, principal: usize) -> Arc<Set> {
        self.versions(principal).last().map(|stored| stored.set.clone()).unwrap_or_default()
    }

    /// Somebody sets values in the portal, or takes keys out. The portal knows what nobody is shown.
    pub fn edit(&mut self, principal: usize, changes: &[(&str, Option<&str>)], now: Duration) {
        let mut set = Set::clone(&self.now(principal));
        for (key, value) in changes {
            set.retain(|known, _| !known.eq_ignore_ascii_case(key));
            if let Some(value) = value {
                set.insert((*key).to_owned(), (*value).to_owned());
            }
        }
        let (by, request) = (By::Person, String::new());
        let stored = Stored { at: now, by, request, set: Arc::new(set), shown_from: now };
        self.versions.entry(principal).or_default().push(stored);
    }

    /// What a replica shows that lags like this.
    pub fn list(&mut self, principal: usize, by: By, now: Duration, lag: Duration) -> Response {
        let mut versions = self.versions(principal).iter().rev();
        let shown = versions.find(|stored| stored.at + lag <= now && stored.shown_from <= now);
        let set = shown.map(|stored| stored.set.clone()).unwrap_or_default();
        let masked = |(key, value): (&String, &String)| {
            let mask = MASKS.iter().find(|(masked, _)| masked.eq_ignore_ascii_case(key)).map(|(_, mask)| *mask);
            json!({"key": key, "value": mask.unwrap_or(value)})
        };
        let value: Vec<Value> = set.iter().map(masked).collect();
        self.looks.push(Look { at: now, by, principal, set });
        answer::json(200, json!({"value": value}).to_string())
    }

    /// Replaces the set. A key that is not known refuses all, and what is empty vanishes.
    pub fn put(
        &mut self,
        principal: usize,
        body: &Bytes,
        (by, request): (By, &str),
        now: Duration,
        unseen: Duration,
    ) -> Response {
        let Some(sent) = pairs(body, "value") else { return answer::error(400, "BadRequest", "There is no value.") };
        if let Some(key) = sent.keys().find(|key| !is_known(key)) {
            return answer::error(400, "BadRequest", &format!("Requested value '{key}' was not found."));
        }
        let kept = sent.into_iter().filter(|(_, value)| !value.is_empty());
        let stored_set =
            kept.map(|(key, value)| if key == NOTIFICATIONS { (key, whole(&value)) } else { (key, value) });
        let (request, shown_from) = (request.to_owned(), now + unseen);
        let stored = Stored { at: now, by, request, set: Arc::new(stored_set.collect()), shown_from };
        self.versions.entry(principal).or_default().push(stored);
        answer::no_content()
    }

    /// Tries the target with what is stored, or with what is sent.
    pub fn test(&mut self, principal: usize, body: &Bytes, now: Duration) -> Response {
        let set = pairs(body, "credentials").unwrap_or_else(|| Set::clone(&self.now(principal)));
        let token = value(&set, TOKEN).unwrap_or_default();
        let accepted = self.accepted.is_empty() || self.accepted.iter().any(|known| known == token);
        self.tests.push(Tested { at: now, set, accepted });
        if accepted {
            return answer::no_content();
        }
        let message = format!("{} was refused", answer::CANARY);
        answer::error(400, "SystemForCrossDomainIdentityManagementCredentialValidationFailure", &message)
    }
}

/// Settings come back whole, and in the order of the service.
fn whole(text: &str) -> String {
    let sent: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    let or = |name: &str, otherwise: Value| sent.get(name).cloned().unwrap_or(otherwise);
    let mut members = vec![
        ("Enabled", or("Enabled", json!(false))),
        ("DeleteThresholdEnabled", or("DeleteThresholdEnabled", json!(false))),
        ("HumanResourcesLookaheadQueryEnabled", or("HumanResourcesLookaheadQueryEnabled", json!(false))),
    ];
    members.extend(sent.get("Recipients").map(|recipients| ("Recipients", recipients.clone())));
    members.push(("DeleteThresholdValue", or("DeleteThresholdValue", json!(30))));
    let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const BY: (By, &str) = (By::Operator(0), "r");

    fn body(pairs: &[(&str, &str)]) -> Bytes {
        let value: Vec<Value> = pairs.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        Bytes::from(json!({"value": value}).to_string())
    }

    fn shown(sets: &mut Sets, at: u32, lag: u32) -> Value {
        let answer = sets.list(0, By::Operator(0), at * SECOND, lag * SECOND);
        serde_json::from_slice::<Value>(answer.body()).unwrap()["value"].clone()
    }

    #[test]
    fn a_put_replaces_the_whole_set_and_masks_and_lag_are_shown() {
        let mut sets = Sets::default();
        sets.edit(0, &[("Password", Some("p")), ("UserName", Some("u"))], SECOND);
        let put = body(&[("SecretToken", "t"), ("BaseAddress", "b"), ("Domain", "")]);
        assert_eq!(sets.put(0, &put, BY, 10 * SECOND, 5 * SECOND).status(), 204);
        let before = json!([{"key": "Password", "value": "c***"}, {"key": "UserName", "value": "u"}]);
        let after = json!([{"key": "BaseAddress", "value": "b"}, {"key": "SecretToken", "value": "*"}]);
        assert_eq!((shown(&mut sets, 14, 0), shown(&mut sets, 20, 11)), (before.clone(), before));
        assert_eq!((shown(&mut sets, 15, 0), shown(&mut sets, 0, 0)), (after, json!([])));
        let unknown = sets.put(0, &body(&[("Nonsense", "x")]), BY, 20 * SECOND, Duration::ZERO);
        assert_eq!((unknown.status().as_u16(), value(&sets.now(0), "secrettoken")), (400, Some("t")));
        assert_eq!((sets.versions(0).len(), sets.looks.len()), (2, 4));
    }

    #[test]
    fn settings_come_back_whole_and_the_target_takes_what_it_accepts() {
        let mut sets = Sets::default();
        let put = body(&[(NOTIFICATIONS, r#"{"DeleteThresholdValue":7,"Recipients":"a@b.test"}"#), (TOKEN, "t")]);
        sets.put(0, &put, BY, SECOND, Duration::ZERO);
        let text = r#"{"Enabled":false,"DeleteThresholdEnabled":false,"HumanResourcesLookaheadQueryEnabled":false,"Recipients":"a@b.test","DeleteThresholdValue":7}"#;
        assert_eq!(value(&sets.now(0), NOTIFICATIONS), Some(text));
        let saved = Bytes::from_static(br#"{"useSavedCredentials":true}"#);
        assert_eq!(sets.test(0, &saved, SECOND).status(), 204);
        sets.accepted = vec!["other".to_owned()];
        assert_eq!(sets.test(0, &saved, SECOND).status(), 400);
    }
}
