//! The control API: tenants, faults, clock, ledger and calls, as JSON under `/control`. README.md documents it.

pub mod client;
pub mod given_job;
pub mod given_schema;
mod jobs;
mod schemas;
mod seed;
mod tenants;

use hyper::Method;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::faults::{Action, Fault};
use super::http::reply::Reply;
use super::http::request::Request;
use super::http::route;
use super::login::aadsts;
use super::model::{Caller, Effect, Identity, Ids, Model, clock};
use super::{Shared, behaviours, lock};

pub use seed::plant;

type Answered = Result<Reply, Reply>;

/// One control call.
struct Control<'a> {
    model: &'a mut Model,
    request: &'a Request,
    body: Value,
}

pub fn handle(shared: &Shared, request: &Request) -> Reply {
    let body = match request.json() {
        Ok(body) => body,
        Err(error) => return bad(&error.to_string()),
    };
    let mut model = lock(shared);
    model.settle();
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).skip(1).collect();
    let mut control = Control { model: &mut model, request, body };
    control.answer(&segments).unwrap_or_else(|refusal| refusal)
}

fn done() -> Reply {
    Reply::ok(json!({}))
}

fn bad(message: &str) -> Reply {
    Reply::json(400, json!({"error": message}))
}

fn missing(what: &str) -> Reply {
    Reply::json(404, json!({"error": format!("there is no such {what}")}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Tick {
    #[serde(default)]
    advance_seconds: u64,
    /// `true` stops the clock, `false` lets it go on.
    freeze: Option<bool>,
    /// Where to stop it.
    at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identities {
    value: Vec<Identity>,
}

impl Control<'_> {
    fn read<T: DeserializeOwned>(&self) -> Result<T, Reply> {
        let body = if self.body.is_null() { json!({}) } else { self.body.clone() };
        serde_json::from_value(body).map_err(|error| bad(&error.to_string()))
    }

    fn answer(&mut self, segments: &[&str]) -> Answered {
        let method = self.request.method.clone();
        match (method.as_str(), segments) {
            ("GET", ["behaviours"]) => Ok(Reply::ok(json!({"value": behaviours::ALL}))),
            ("GET", ["operations"]) => Ok(Reply::ok(json!({"value": route::operations().collect::<Vec<_>>()}))),
            ("GET", ["ledger"]) => Ok(Reply::ok(json!({"value": self.model.ledger.find(&self.request.query)}))),
            ("GET", ["calls"]) => Ok(Reply::ok(json!({"value": self.model.calls.find(&self.request.query)}))),
            ("DELETE", ["ledger"]) => {
                self.model.ledger.clear();
                Ok(done())
            }
            ("DELETE", ["calls"]) => {
                self.model.calls.clear();
                Ok(done())
            }
            (_, ["faults", rest @ ..]) => self.faults(&method, rest),
            ("GET", ["clock"]) => Ok(self.clock()),
            ("POST", ["clock"]) => self.move_clock(),
            ("GET", ["fixtures"]) => Self::fixtures(None),
            ("GET", ["fixtures", name]) => Self::fixtures(Some(name)),
            ("GET", ["managedIdentities"]) => Ok(Reply::ok(json!({"value": self.model.identities}))),
            ("PUT", ["managedIdentities"]) => {
                let Identities { value } = self.read()?;
                self.model.identities = Some(value);
                Ok(done())
            }
            ("POST", ["tokens", "revoke"]) => {
                self.model.token_generation += 1;
                self.model.tokens_revoked = self.model.now();
                Ok(done())
            }
            ("POST", ["throttling", "reset"]) => {
                self.model.buckets.clear();
                Ok(done())
            }
            (_, ["tenants", tenant, rest @ ..]) => self.tenant(&method, tenant, rest),
            _ => Err(missing("control call")),
        }
    }

    fn clock(&self) -> Reply {
        Reply::ok(json!({"now": clock::text(self.model.now()), "frozen": self.model.clock.is_frozen()}))
    }

    fn move_clock(&mut self) -> Answered {
        let tick: Tick = self.read()?;
        match tick.freeze {
            Some(true) => self.model.clock.freeze(tick.at),
            Some(false) => self.model.clock.resume(),
            None if tick.at.is_some() => return Err(bad("'at' goes with 'freeze': true")),
            None => {}
        }
        self.model.clock.advance(SignedDuration::from_secs(i64::try_from(tick.advance_seconds).unwrap_or(i64::MAX)));
        self.model.settle();
        Ok(self.clock())
    }

    fn faults(&mut self, method: &Method, rest: &[&str]) -> Answered {
        match (method.as_str(), rest) {
            ("GET", []) => Ok(Reply::ok(json!({"value": self.model.faults}))),
            ("POST", []) => {
                let fault = Fault { id: Uuid::new_v4().to_string(), ..self.fault()? };
                let id = fault.id.clone();
                self.model.faults.push(fault);
                Ok(Reply::ok(json!({"id": id})))
            }
            ("DELETE", []) => {
                self.model.faults.clear();
                Ok(done())
            }
            ("GET", [id]) => match self.model.faults.iter().find(|fault| fault.id == *id) {
                Some(fault) => Ok(Reply::ok(json!(fault))),
                None => Err(missing("fault; it may have met its calls")),
            },
            ("PUT", [id]) => {
                let fault = Fault { id: (*id).to_owned(), ..self.fault()? };
                match self.model.faults.iter_mut().find(|known| known.id == *id) {
                    Some(known) => *known = fault,
                    None => self.model.faults.push(fault),
                }
                Ok(Reply::ok(json!({"id": id})))
            }
            ("DELETE", [id]) => {
                self.model.faults.retain(|fault| fault.id != *id);
                Ok(done())
            }
            _ => Err(missing("control call")),
        }
    }

    fn fault(&self) -> Result<Fault, Reply> {
        let fault: Fault = self.read()?;
        if fault.operation != "*" && !route::operations().any(|known| known == fault.operation) {
            return Err(bad(&format!("there is no operation '{}'; GET operations lists them", fault.operation)));
        }
        match fault.action {
            Action::Aadsts { code } if !aadsts::is_known(code) => Err(bad(&format!("AADSTS{code} is not known"))),
            Action::Respond { status, .. } | Action::Redirect { status, .. } if !(200..600).contains(&status) => {
                Err(bad("a status is between 200 and 599"))
            }
            _ => Ok(fault),
        }
    }

    /// Notes what somebody else than a client of the test did.
    fn commit(&mut self, operation: &str, tenant: &str, effect: &Effect<'_>) {
        let portal = Caller {
            tenant_id: tenant.to_owned(),
            app_id: "portal".to_owned(),
            object_id: "portal".to_owned(),
            ..Caller::default()
        };
        self.model.commit(operation, &portal, &Ids::default(), effect);
    }
}
