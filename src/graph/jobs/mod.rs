//! The synchronization jobs of a service principal.

mod shapes;

use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::answer::parse;
use super::client::Client;
use super::error::Error;
use super::operation::Operation;
use super::request::{Body, Call, MaySend};

pub use shapes::{EntryCount, Execution, Job, JobError, Quarantine, Schedule, Status};

impl Client {
    /// All jobs of a service principal.
    pub async fn list_jobs(&self, service_principal: &str) -> Result<Vec<Job>, Error> {
        self.list(Operation::ListJobs, self.jobs_url(service_principal, &[])).await
    }

    /// Creates a job; it is not started. Sent once: whether an error leaves a job behind is what `Error::processed` says.
    pub async fn create_job(
        &self,
        service_principal: &str,
        template_id: &str,
        client_request_id: Uuid,
        may_send: MaySend<'_>,
    ) -> Result<Job, Error> {
        let body = json!({"templateId": template_id});
        let write = Call::write(Operation::CreateJob, self.jobs_url(service_principal, &[]), may_send);
        let call = Call { body: Some(Body::Json(&body)), client_request_id, ..write };
        parse(&call, &self.send(&call).await?)
    }

    /// Has the service run the job from now on.
    pub async fn start_job(&self, service_principal: &str, job: &str, may_send: MaySend<'_>) -> Result<(), Error> {
        self.act(Operation::StartJob, self.jobs_url(service_principal, &[job, "start"]), None, may_send).await
    }

    /// Has the service not run the job until it is started.
    pub async fn pause_job(&self, service_principal: &str, job: &str, may_send: MaySend<'_>) -> Result<(), Error> {
        self.act(Operation::PauseJob, self.jobs_url(service_principal, &[job, "pause"]), None, may_send).await
    }

    /// Restarts a job, which discards progress. `reset_scope` is a comma-separated list of
    /// `synchronizationJobRestartScope`; `None` resets what the portal's restart resets.
    pub async fn restart_job(
        &self,
        service_principal: &str,
        job: &str,
        reset_scope: Option<&str>,
        may_send: MaySend<'_>,
    ) -> Result<(), Error> {
        let body = match reset_scope {
            Some(scope) => json!({"criteria": {"resetScope": scope}}),
            None => json!({}),
        };
        let url = self.jobs_url(service_principal, &[job, "restart"]);
        self.act(Operation::RestartJob, url, Some(&body), may_send).await
    }

    /// Deletes a job. That it is not there is an error of kind `NotFound`: only the caller knows whether that is good.
    pub async fn delete_job(&self, service_principal: &str, job: &str, may_send: MaySend<'_>) -> Result<(), Error> {
        self.act(Operation::DeleteJob, self.jobs_url(service_principal, &[job]), None, may_send).await
    }

    async fn act(
        &self,
        operation: Operation,
        url: Url,
        body: Option<&Value>,
        may_send: MaySend<'_>,
    ) -> Result<(), Error> {
        let body = body.map(Body::Json);
        self.send(&Call { body, ..Call::write(operation, url, may_send) }).await.map(drop)
    }

    fn jobs_url(&self, service_principal: &str, below: &[&str]) -> Url {
        let jobs = ["servicePrincipals", service_principal, "synchronization", "jobs"];
        self.url(&[&jobs, below].concat())
    }
}
