//! Reading one service principal: each question is sent once, with retries, and its answer is kept as a fact.

use super::error::PlanError;
use crate::api::Scope;
use crate::args::Caller;
use crate::cli::caller::{is_about_login, login_remedy};
use crate::cli::patience::patiently;
use crate::clock::Clock;
use crate::graph::{Kind, Reader};
use crate::overlay::Drift;
use crate::plan::{Desired, Fact, Look, Trouble, TroubleKind};
use crate::reconcile::{Desk, Offline, Question, compare, found, observed};

pub struct Looks<'a> {
    client: &'a Reader,
    caller: Caller,
    service_principal: String,
    jobs: Option<Fact>,
    templates: Option<Fact>,
    exists: Option<Fact>,
    secrets: Option<Fact>,
    offline: Offline,
    tenant: Option<String>,
}

impl<'a> Looks<'a> {
    pub fn new(client: &'a Reader, caller: Caller, service_principal: String) -> Self {
        let tenant = client.known_tenant();
        Self {
            client,
            caller,
            service_principal,
            jobs: None,
            templates: None,
            exists: None,
            secrets: None,
            offline: Offline::new(),
            tenant,
        }
    }

    /// The tenant, as far as it is known without a login.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The answer to a look; `None` for one that only the cluster could answer. A login that does not succeed
    /// ends everything, because it would not succeed for the next SyncJob either.
    pub async fn answer(
        &mut self,
        look: Look,
        desired: &Desired,
        job: Option<&str>,
    ) -> Result<Option<Fact>, PlanError> {
        let (client, id) = (self.client, self.service_principal.as_str());
        if look == Look::Tenant {
            return Ok(Some(match patiently(|| client.tenant()).await {
                Ok(id) => Fact::TenantKnown { id },
                Err(error) if is_about_login(&error) => {
                    return Err(PlanError::Login { error, remedy: login_remedy(self.caller) });
                }
                Err(error) => found(Err(error), |fact| fact),
            }));
        }
        if look == Look::Credentials {
            return Ok(Some(self.offline.declared(desired)));
        }
        if look == Look::Schema {
            return self.schema(desired, job).await;
        }
        let kept = match look {
            Look::Jobs | Look::RecentJobs => &mut self.jobs,
            Look::Templates => &mut self.templates,
            Look::ServicePrincipal => &mut self.exists,
            Look::Secrets => &mut self.secrets,
            // The cluster is not asked.
            Look::Tenant | Look::Definition | Look::Namespace | Look::Rivals | Look::Credentials | Look::Schema => {
                return Ok(None);
            }
        };
        if kept.is_none() {
            let answer = match look {
                Look::Templates => patiently(|| client.list_templates(id)).await.map(|templates| {
                    Fact::TemplatesListed(templates.into_iter().map(|template| template.id).collect())
                }),
                Look::ServicePrincipal => match patiently(|| client.get_service_principal(id)).await {
                    Ok(_) => Ok(Fact::ServicePrincipalLookedUp { exists: true }),
                    Err(error) if error.kind == Kind::NotFound => Ok(Fact::ServicePrincipalLookedUp { exists: false }),
                    Err(error) => Err(error),
                },
                Look::Secrets => patiently(|| client.list_secrets(id)).await.map(|set| self.offline.live(&set)),
                Look::Jobs
                | Look::RecentJobs
                | Look::Tenant
                | Look::Definition
                | Look::Namespace
                | Look::Rivals
                | Look::Credentials
                | Look::Schema => {
                    let now = Clock::system().now().wall;
                    patiently(|| client.list_jobs(id))
                        .await
                        .map(|jobs| Fact::JobsListed(jobs.into_iter().map(|job| observed(job, now)).collect()))
                }
            };
            *kept = Some(match answer {
                Err(error) if is_about_login(&error) => {
                    return Err(PlanError::Login { error, remedy: login_remedy(self.caller) });
                }
                answer => found(answer, |fact| fact),
            });
        }
        Ok(kept.clone())
    }

    /// What the schema of a job would become. What was applied before is in the cluster, which is not asked.
    async fn schema(&self, desired: &Desired, job: Option<&str>) -> Result<Option<Fact>, PlanError> {
        let (Some(job), Some(wish)) = (job, &desired.mappings) else { return Ok(None) };
        let desk = Desk::default();
        let question = Question {
            reader: self.client,
            service_principal: &self.service_principal,
            job,
            mappings: &wish.mappings,
            hash: &wish.hash,
            everyone: desired.content.settings.scope == Some(Scope::All),
            drift: Drift::Respect,
            memory: None,
            desk: &desk,
        };
        match patiently(|| compare(&question)).await {
            Err(error) if is_about_login(&error) => Err(PlanError::Login { error, remedy: login_remedy(self.caller) }),
            answer => Ok(Some(found(answer, |answer| Fact::SchemaRead(answer.comparison)))),
        }
    }

    /// What to do about trouble, for a reader who runs `entrain plan`.
    pub fn trouble(&self, trouble: &Trouble) -> String {
        let remedy = match (trouble.kind, self.caller) {
            (TroubleKind::Unauthorized | TroubleKind::Forbidden, Caller::Person) => {
                "A person needs the delegated permission Synchronization.Read.All (or Synchronization.ReadWrite.All), Synchronization.ReadWrite.All to compare credentials and settings, Application.Read.All to look up a service principal, and one of the roles Application Administrator, Cloud Application Administrator or Hybrid Identity Administrator."
            }
            (TroubleKind::Unauthorized | TroubleKind::Forbidden, Caller::Application) => {
                "Grant the application Synchronization.Read.All (Synchronization.ReadWrite.All to compare credentials and settings) and Application.Read.All with admin consent, or Application.ReadWrite.OwnedBy and ownership of the service principal."
            }
            (TroubleKind::Throttled | TroubleKind::GraphUnavailable, _) => "Try again later.",
            _ => "Read Graph's answer in this message.",
        };
        format!("{} {remedy}", trouble.detail_with_trace())
    }
}
