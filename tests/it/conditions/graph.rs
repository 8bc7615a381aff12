//! What Graph and the cluster answer in a story.

use entrain::api::{CredentialTestResult, Execution, JobError, QuarantineStatus};
use entrain::graph::{self, Kind, Operation, Processed};
use entrain::plan::mappings::{Compared, Comparison, Difference};
use entrain::plan::secrets::{Gap, LiveSecret, LiveValue, Tag, Wanted, WantedKey, WantedValue};
use entrain::plan::{Change, Fact, Look, ObservedJob, Rival, Shown, Step, Trouble, TroubleKind, health};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The id that Graph gives to a new job.
pub const JOB: &str = "BoxOutDelta.7f0c2b1e5c1d4d0a9a530d6f4b8a2e11.5b9a1c44-0e2f-4a6b-b1d7-93c2f0e8a655";
/// A job that somebody else made.
pub const OTHER: &str = "BoxOutDelta.7f0c2b1e5c1d4d0a9a530d6f4b8a2e11.c2d3a7f0-91b4-4e65-8a0d-5f6e7d8c9b1a";

/// The ControllerRevision that holds the schema from before the last save.
const REVISION: &str = "box-7d0c41f2a9b36e58";

/// Whether a step fails.
pub type Fails = fn(&Step) -> bool;

/// The tenant that the operator logs in to.
pub const TENANT: &str = "7f0c2b1e-5c1d-4d0a-9a53-0d6f4b8a2e11";

pub struct Graph {
    pub tenant: &'static str,
    pub jobs: Vec<ObservedJob>,
    pub templates: &'static [&'static str],
    /// Whether Graph answers 404 for the list of jobs and for each of them.
    pub hides_jobs: bool,
    pub service_principal: bool,
    /// Other SyncJobs for the same job, as the watch shows them.
    pub rivals: Vec<Rival>,
    /// One that only an uncached read shows.
    pub late_rival: Option<Rival>,
    /// What the Secrets hold that the SyncJob names.
    pub wanted: Wanted,
    /// The credentials and settings of the service principal.
    pub secrets: Vec<LiveSecret>,
    /// What a test of credentials comes to, and the service's code.
    pub test: (CredentialTestResult, Option<&'static str>),
    /// What a look at the schema of the job comes to.
    pub schema: Option<Compared>,
    /// Hash of the mappings that are wished for now.
    pub wish: String,
    pub fails: Option<(Fails, Trouble)>,
    /// How often Graph was called.
    pub calls: usize,
}

/// Whether a step asks the API server what no story is about: no trouble with Graph or the login reaches it.
fn asks_the_cluster(step: &Step) -> bool {
    matches!(step, Step::Look(Look::Definition | Look::Namespace | Look::Credentials))
}

impl Graph {
    pub fn new() -> Self {
        Self {
            tenant: TENANT,
            jobs: Vec::new(),
            templates: &["BoxOutDelta", "scim"],
            hides_jobs: false,
            service_principal: true,
            rivals: Vec::new(),
            late_rival: None,
            wanted: Wanted {
                credentials: Vec::new(),
                fingerprint: None,
                known: Vec::new(),
                others: Vec::new(),
                holders: Vec::new(),
            },
            secrets: Vec::new(),
            test: (CredentialTestResult::Accepted, None),
            schema: None,
            wish: String::new(),
            fails: None,
            calls: 0,
        }
    }

    pub fn answer(&mut self, step: &Step) -> Fact {
        self.calls += usize::from(match step {
            Step::Look(look) => {
                !matches!(look, Look::Rivals | Look::Definition | Look::Namespace | Look::Tenant | Look::Credentials)
            }
            Step::Record(_) => false,
            Step::Change(_) => true,
        });
        let failed = self.fails.as_ref().filter(|(fails, _)| fails(step) && !asks_the_cluster(step));
        let failed = failed.map(|(_, trouble)| trouble.clone());
        match (step, failed) {
            (Step::Change(Change::CreateJob), Some(trouble)) if trouble.kind == TroubleKind::GraphUnavailable => {
                Fact::CreateUnknown(trouble)
            }
            (Step::Change(Change::CreateJob), Some(trouble)) => Fact::CreateRefused(trouble),
            (Step::Change(Change::SaveMappings { .. }), Some(trouble)) if trouble.kind == TroubleKind::Rejected => {
                Fact::SchemaRefused(trouble)
            }
            (_, Some(trouble)) => Fact::Trouble(trouble),
            (Step::Look(Look::Jobs | Look::RecentJobs), _) if self.hides_jobs => Fact::NotFound,
            (Step::Change(Change::DeleteJob { .. }), _) if self.hides_jobs => Fact::DeleteNotFound,
            (Step::Look(look), _) => self.shown(*look),
            (Step::Record(record), _) => record.done(),
            (Step::Change(Change::CreateJob), _) => {
                self.jobs.push(job(JOB, "Disabled"));
                Fact::JobCreated(job(JOB, "Disabled"))
            }
            (Step::Change(Change::TestCredentials { .. }), _) => {
                Fact::CredentialsTested { result: self.test.0, code: self.test.1.map(str::to_owned) }
            }
            (Step::Change(change @ Change::SaveSecrets { own, settings }), _) => {
                for key in own {
                    let tag = self.wanted.credentials.iter().find(|wanted| wanted.key == *key).unwrap();
                    let WantedValue::Known(tag) = &tag.value else { panic!("{key} has no value") };
                    put(
                        &mut self.secrets,
                        key,
                        if masked(key) { LiveValue::Masked } else { LiveValue::Shown(tag.clone()) },
                    );
                }
                for (key, text) in settings {
                    put(&mut self.secrets, key.name(), LiveValue::Setting(text.clone()));
                }
                change.done(|| job(JOB, "Disabled"))
            }
            (Step::Change(Change::SaveMappings { lines, .. }), _) => {
                let Some(Compared::Differs(saved)) = self.schema.take() else { panic!("there was nothing to save") };
                self.schema = Some(Compared::Differs(Difference { owned: saved.owned, ..Difference::default() }));
                Fact::SchemaSaved { revision: REVISION.to_owned(), lines: lines.clone() }
            }
            (Step::Change(change), _) => change.done(|| job(JOB, "Disabled")),
        }
    }

    fn shown(&self, look: Look) -> Fact {
        match look {
            Look::Jobs | Look::RecentJobs => Fact::JobsListed(self.jobs.clone()),
            Look::ServicePrincipal => Fact::ServicePrincipalLookedUp { exists: self.service_principal },
            Look::Definition => Fact::DefinitionLookedUp { going: false },
            Look::Namespace => Fact::NamespaceLookedUp { terminating: false },
            Look::Templates => Fact::TemplatesListed(self.templates.iter().map(|id| (*id).to_owned()).collect()),
            Look::Rivals => Fact::RivalsRead {
                rivals: self.rivals.iter().chain(&self.late_rival).cloned().collect(),
                siblings: Vec::new(),
            },
            Look::Credentials => Fact::CredentialsRead(self.wanted.clone()),
            Look::Secrets => Fact::SecretsRead(self.secrets.clone()),
            Look::Schema => {
                let outcome = self.schema.clone().expect("the story has a schema");
                Fact::SchemaRead(Comparison::new(&self.wish, outcome))
            }
            Look::Tenant => panic!("no story asks for the tenant"),
        }
    }

    /// The only job, for a story in which something becomes of it.
    pub fn job(&mut self) -> &mut ObservedJob {
        self.jobs.first_mut().unwrap()
    }

    /// Shows the job as the service would: scheduled and at work, or not.
    pub fn shows(&mut self, state: &str) {
        let job = self.job();
        job.schedule_state = Some(state.to_owned());
        job.code = Some(if state == "Active" { "Active" } else { "Paused" }.to_owned());
    }

    pub fn quarantine(&mut self, reason: &str) {
        let job = self.job();
        job.code = Some("Quarantine".to_owned());
        let refused = reason == "EncounteredQuarantineException";
        job.shown.quarantine = Some(QuarantineStatus {
            reason: reason.to_owned(),
            message: health::quarantine_in_words(reason).to_owned(),
            since_time: Some(time("2026-11-24T09:05:00Z")),
            next_attempt_time: Some(time("2026-11-24T15:05:00Z")),
            disabled_after_time: Some(time("2026-12-22T09:05:00Z")),
            error: refused.then(|| error("SystemForCrossDomainIdentityManagementCredentialValidationUnavailable")),
        });
    }

    /// A cycle has succeeded.
    pub fn has_run(&mut self) {
        let shown = &mut self.job().shown;
        shown.last_success_time = Some(time("2026-11-24T09:10:00Z"));
        shown.steady_state_since_time = Some(time("2026-11-24T09:10:00Z"));
    }

    /// Whole cycles fail, one after the other, where one had succeeded before.
    pub fn cycles_fail(&mut self, count: i64) {
        self.job().shown.last_success_time = Some(time("2026-11-24T08:41:00Z"));
        self.job().shown.successive_failure_count = count;
        self.job().shown.last_execution = Some(Execution {
            state: "Failed".to_owned(),
            began_time: Some(time("2026-11-24T09:20:00Z")),
            ended_time: Some(time("2026-11-24T09:21:00Z")),
            entitled_count: 0,
            imported_count: 0,
            exported_count: 0,
            escrowed_count: 0,
            error: Some(error("SystemForCrossDomainIdentityManagementServiceIncompatible")),
        });
    }
}

/// Graph does not show these.
fn masked(key: &str) -> bool {
    matches!(key, "SecretToken" | "ClientSecret")
}

/// A key of the set gets a value, as Graph shows it.
pub fn put(set: &mut Vec<LiveSecret>, key: &str, value: LiveValue) {
    set.retain(|secret| secret.key != key);
    set.push(LiveSecret { key: key.to_owned(), value });
}

/// The address of a SCIM server, and a token from a Secret of which this version is read.
pub fn scim(version: &str) -> Wanted {
    let known = |key: &str, tag: &str| WantedKey { key: key.to_owned(), value: WantedValue::Known(tag_of(tag)) };
    Wanted {
        credentials: vec![known("BaseAddress", "address"), known("SecretToken", version)],
        fingerprint: Some(tag_of(version)),
        known: Vec::new(),
        others: Vec::new(),
        holders: Vec::new(),
    }
}

/// The same without the token.
pub fn without_token(gap: Gap) -> Wanted {
    let mut wanted = scim("");
    (wanted.credentials[1].value, wanted.fingerprint) = (WantedValue::Missing(gap), None);
    wanted
}

pub fn tag_of(value: &str) -> Tag {
    Tag(format!("hmac-{value:0>32}"))
}

fn error(code: &str) -> JobError {
    JobError { code: code.to_owned(), message: String::new() }
}

fn time(text: &str) -> Time {
    Time(text.parse().unwrap())
}

/// A job as the service lists it.
pub fn job(id: &str, state: &str) -> ObservedJob {
    let code = match state {
        "Active" => "Active",
        "Disabled" => "NotRun",
        _ => "Paused",
    };
    ObservedJob {
        id: id.to_owned(),
        template_id: Some("BoxOutDelta".to_owned()),
        code: Some(code.to_owned()),
        schedule_state: Some(state.to_owned()),
        interval: Some("PT40M".to_owned()),
        shown: Box::new(Shown::default()),
        ..ObservedJob::default()
    }
}

pub fn rival(job_id: Option<&str>, precedes: bool) -> Rival {
    Rival { name: "elsewhere/box".to_owned(), job_id: job_id.map(str::to_owned), precedes }
}

/// Every call to Graph fails.
pub fn any_call(step: &Step) -> bool {
    match step {
        Step::Look(look) => *look != Look::Rivals,
        Step::Record(_) => false,
        Step::Change(_) => true,
    }
}

pub fn create(step: &Step) -> bool {
    *step == Step::Change(Change::CreateJob)
}

/// Trouble in the words in which the client tells it.
pub fn trouble(kind: TroubleKind, operation: Operation, status: Option<u16>, code: &str, message: &str) -> Trouble {
    let at_login = matches!(kind, TroubleKind::LoginRefused | TroubleKind::LoginUnavailable);
    let error = graph::Error {
        kind: if at_login { Kind::LoginUnavailable } else { Kind::Rejected },
        operation,
        status,
        code: code.to_owned(),
        message: message.to_owned(),
        request_id: None,
        client_request_id: uuid::Uuid::nil(),
        date: None,
        retry_at: None,
        processed: Processed::No,
        login_of: None,
    };
    Trouble { kind, detail: error.to_string(), trace: error.trace(), retry_after: None }
}
