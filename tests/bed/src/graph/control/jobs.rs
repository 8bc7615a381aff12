//! Control calls on jobs: what somebody does in the portal, and what the service does by itself.

use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::given_job::{GivenJob, GivenQuarantine};
use super::{Answered, Control, bad, done, missing};
use crate::graph::http::reply::Reply;
use crate::graph::model::Effect;
use crate::graph::model::clock::{after, text};
use crate::graph::model::job::{Counts, Ghost, Job, Outcome, Reason, Running, Trouble};
use crate::graph::sync::create::{self, Created};
use crate::graph::sync::{catalog, cycle, lifecycle, render};

/// How a cycle is to end; with nothing, as the target has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct GivenCycle {
    state: Outcome,
    counts: Counts,
    groups: u64,
    /// An initial cycle dropped its entries in error, and the service pauses the job.
    escrows_pruned: bool,
    error: Option<Trouble>,
    reason: Reason,
    /// How long it took.
    seconds: i64,
}

impl Default for GivenCycle {
    fn default() -> Self {
        Self {
            state: Outcome::Succeeded,
            counts: Counts::default(),
            groups: 0,
            escrows_pruned: false,
            error: None,
            reason: Reason::default(),
            seconds: 2,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewJob {
    template_id: String,
}

impl Control<'_> {
    pub(super) fn jobs(&mut self, method: &Method, tenant: &str, sp: &str, rest: &[&str]) -> Answered {
        match (method.as_str(), rest) {
            ("GET", []) => self.list_jobs(tenant, sp),
            ("POST", []) => self.create_job(tenant, sp),
            ("PUT", [id]) => self.put_job(tenant, sp, id),
            ("DELETE", [id]) => self.change(tenant, sp, id, "deleteJob", Job::delete),
            ("POST", [id, "start"]) => {
                let settings = self.model.settings(tenant);
                self.change(tenant, sp, id, "startJob", |job, at| lifecycle::start(job, &settings, at))
            }
            ("POST", [id, "pause"]) => {
                let settings = self.model.settings(tenant);
                self.change(tenant, sp, id, "pauseJob", |job, at| lifecycle::pause(job, &settings, at))
            }
            ("POST", [id, "quarantine"]) => {
                let quarantine: GivenQuarantine = self.read()?;
                let given = GivenJob { quarantine: Some(quarantine), ..GivenJob::default() };
                let settings = self.model.settings(tenant);
                self.change(tenant, sp, id, "quarantine", |job, at| {
                    *job = given.apply(&job.id, Some(job.clone()), &settings, at);
                })
            }
            ("POST", [id, "ghost"]) => {
                let ghost: Ghost = self.read()?;
                self.job(tenant, sp, id)?.ghost = Some(ghost);
                Ok(done())
            }
            ("DELETE", [id, "ghost"]) => {
                self.job(tenant, sp, id)?.ghost = None;
                Ok(done())
            }
            ("POST", [id, "cycle"]) => self.cycle(tenant, sp, id),
            _ => Err(missing("control call")),
        }
    }

    pub(super) fn job(&mut self, tenant: &str, sp: &str, id: &str) -> Result<&mut Job, Reply> {
        let jobs = &mut self.known(tenant, sp)?.jobs;
        jobs.iter_mut().find(|job| job.id == id && job.is_live()).ok_or_else(|| missing("job"))
    }

    /// Every job, the deleted ones too, as it really is.
    fn list_jobs(&mut self, tenant: &str, sp: &str) -> Answered {
        let (jobs, now) = (self.known(tenant, sp)?.jobs.clone(), self.model.now());
        let known = self.model.tenants.get(tenant).ok_or_else(|| missing("tenant"))?;
        let shown = |job: &Job| {
            let template = catalog::template(known, &job.template_id);
            let mut body = render::job(job, job.now(), &template, &known.settings, now);
            body["created"] = text(job.created).into();
            body["deleted"] = job.deleted.map(text).into();
            body["shown"] = job.is_shown().into();
            body
        };
        Ok(Reply::ok(json!({"value": jobs.iter().map(shown).collect::<Vec<_>>()})))
    }

    fn create_job(&mut self, tenant: &str, sp: &str) -> Answered {
        let NewJob { template_id } = self.read()?;
        let now = self.model.now();
        let known = self.model.tenants.get_mut(tenant).ok_or_else(|| missing("tenant"))?;
        let created = create::create(known, tenant, sp, &template_id, now);
        match created.map_err(|refusal| bad(&refusal.body().to_string()))? {
            Created::Existing(job) => Ok(Reply::ok(json!({"id": job.id}))),
            Created::New { job, .. } => {
                self.commit(
                    "createJob",
                    tenant,
                    &Effect { service_principal: sp, job: Some(&job), ..Effect::default() },
                );
                Ok(Reply::ok(json!({"id": job.id})))
            }
        }
    }

    /// A job that somebody else made or changed.
    fn put_job(&mut self, tenant: &str, sp: &str, id: &str) -> Answered {
        let given: GivenJob = self.read()?;
        let (settings, now) = (self.model.settings(tenant), self.model.now());
        let principal = self.known(tenant, sp)?;
        let known = principal.jobs.iter().position(|job| job.id == id && job.is_live());
        let known = known.map(|index| principal.jobs.remove(index));
        let job = given.apply(id, known, &settings, now);
        principal.jobs.push(job.clone());
        self.commit("outOfBand", tenant, &Effect { service_principal: sp, job: Some(&job), ..Effect::default() });
        Ok(done())
    }

    fn change(
        &mut self,
        tenant: &str,
        sp: &str,
        id: &str,
        operation: &str,
        change: impl FnOnce(&mut Job, jiff::Timestamp),
    ) -> Answered {
        let now = self.model.now();
        let job = self.job(tenant, sp, id)?;
        change(job, now);
        let job = job.clone();
        self.commit(operation, tenant, &Effect { service_principal: sp, job: Some(&job), ..Effect::default() });
        Ok(done())
    }

    /// One whole cycle, now.
    fn cycle(&mut self, tenant: &str, sp: &str, id: &str) -> Answered {
        let as_target_has_it = self.body == Value::Null;
        let given: GivenCycle = self.read()?;
        let (settings, now) = (self.model.settings(tenant), self.model.now());
        let known = self.model.tenants.get(tenant).ok_or_else(|| missing("tenant"))?.clone();
        let principal = self.known(tenant, sp)?;
        let index = principal.jobs.iter().position(|job| job.id == id && job.is_live());
        let index = index.ok_or_else(|| missing("job"))?;
        let mut job = principal.jobs.remove(index);
        let refusal = if !job.is_active() {
            Some("the job is not active")
        } else if given.escrows_pruned && !job.initial {
            Some("escrows are pruned in an initial cycle only")
        } else {
            None
        };
        if let Some(refusal) = refusal {
            principal.jobs.insert(index, job);
            return Err(bad(refusal));
        }
        let template = catalog::template(&known, &job.template_id);
        let began = after(now, jiff::SignedDuration::from_secs(-given.seconds.max(0)));
        let result = if as_target_has_it {
            cycle::outcome(&mut job, principal, &template, &settings)
        } else {
            let GivenCycle { state, counts, groups, error, reason, escrows_pruned, .. } = given;
            cycle::CycleResult { state, counts, left: 0, groups, error, reason, escrows_pruned }
        };
        let (activity, initial, expected) = (Uuid::new_v4(), job.initial, result.counts);
        let cycle = Running { activity, began, ends: now, initial, expected };
        lifecycle::conclude(&mut job, &settings, &template, cycle, &result);
        principal.jobs.insert(index, job);
        Ok(done())
    }
}
