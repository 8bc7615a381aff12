//! Our client and the simulator over HTTPS, without a cluster: what each answer, and the lack of one, is taken for.

mod answers;
mod create;
mod credentials;
mod gate;
mod in_flight;
mod login;
mod pages;
mod permission;
mod schema;
mod secrets;
mod token;

use std::sync::Arc;

use bed::graph::{Control, Demo, Simulator};
use entrain::graph::{Client, Cloud, Credential, Endpoints, Error, Options};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

/// One client, and the simulator that it talks to.
pub struct Talk {
    pub simulator: Simulator,
    pub control: Control,
    pub client: Client,
    pub demo: Demo,
}

impl Talk {
    pub async fn begin() -> Self {
        Self::with(|_| {}).await
    }

    /// With other options than the usual ones.
    pub async fn with(tune: impl FnOnce(&mut Options)) -> Self {
        let simulator = Simulator::start(bed::graph::Options::default()).await.unwrap();
        let demo = simulator.ready().demo.clone().unwrap();
        let control = Control::new(simulator.ready()).unwrap();
        let mut options = options(&simulator);
        tune(&mut options);
        let client = client(options, secret_of(&demo));
        Self { simulator, control, client, demo }
    }

    pub fn service_principal(&self) -> &str {
        &self.demo.service_principal_id
    }

    /// What becomes of the calls of an operation from now on, `times` times.
    pub async fn fault(&self, operation: &str, times: u32, action: Value) {
        let fault = json!({"operation": operation, "times": times, "action": action});
        self.control.put_fault(&fault).await.unwrap();
    }

    /// The same, until the faults are cleared.
    pub async fn lasting_fault(&self, operation: &str, action: Value) {
        self.control.put_fault(&json!({"operation": operation, "action": action})).await.unwrap();
    }

    /// How many requests of an operation arrived.
    pub async fn arrived(&self, operation: &str) -> usize {
        count(&self.control.calls().await.unwrap(), operation)
    }

    /// How many jobs were created.
    pub async fn created(&self) -> usize {
        count(&self.control.ledger().await.unwrap(), "createJob")
    }

    pub async fn list(&self) -> Result<usize, Error> {
        self.client.list_jobs(self.service_principal()).await.map(|jobs| jobs.len())
    }

    pub async fn create(&self) -> Result<String, Error> {
        let nonce = Uuid::new_v4();
        self.client
            .create_job(self.service_principal(), &self.demo.template_id, nonce, &|| true)
            .await
            .map(|job| job.id)
    }
}

/// Options for a client of this simulator.
pub fn options(simulator: &Simulator) -> Options {
    let ready = simulator.ready();
    let url = |text: &str| Some(Url::parse(text).unwrap());
    let endpoints = Endpoints::new(Cloud::Global, url(&ready.url), url(&ready.login)).unwrap();
    Options { ca_pem: Some(std::fs::read(&ready.ca).unwrap()), ..Options::new(endpoints) }
}

/// A client of the environment's credential.
pub fn client(options: Options, credential: Credential) -> Client {
    let tenant = credential.tenant().map(str::to_owned);
    Client::new(options, Arc::new(credential), tenant).unwrap()
}

pub fn secret_of(demo: &Demo) -> Credential {
    Credential::ClientSecret {
        tenant_id: demo.tenant_id.clone(),
        client_id: demo.client_id.clone(),
        secret: demo.client_secret.clone().into(),
    }
}

/// An answer of the simulator in place of the real one.
pub fn respond(status: u16, code: &str) -> Value {
    json!({"respond": {"status": status, "code": code, "message": "said the simulator"}})
}

/// The same with a header.
pub fn respond_with(status: u16, header: &str, value: &str) -> Value {
    json!({"respond": {"status": status, "headers": {header: value}}})
}

/// A whole body in place of the real one.
pub fn respond_body(status: u16, body: &str) -> Value {
    json!({"respond": {"status": status, "body": body}})
}

fn count(log: &Value, operation: &str) -> usize {
    log["value"].as_array().unwrap().iter().filter(|entry| entry["operation"] == operation).count()
}
