//! Service principals and their jobs: what is there, what each replica shows of it, and what a second create does
//! (CONTRACT §4.1, §4.2, §4.3, §4.6, §4.7).

use std::time::Duration;

use super::super::By;
use super::ledger::{Did, Effect, Ledger};

pub use crate::protocol::{Duplicate, Ids, WORLDS};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheduled {
    Active,
    Disabled,
    Paused,
}

impl Scheduled {
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Disabled => "Disabled",
            Self::Paused => "Paused",
        }
    }
}

/// What a job is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub scheduled: Scheduled,
    /// A first cycle has ended.
    pub lived: bool,
    pub quarantine: bool,
    pub escrows_pruned: bool,
}

const FRESH: State = State { scheduled: Scheduled::Disabled, lived: false, quarantine: false, escrows_pruned: false };

/// One life of a job.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: String,
    pub principal: usize,
    pub template: String,
    pub by: By,
    /// What the create request was named by.
    pub request: String,
    pub created: Duration,
    /// No replica shows it earlier.
    pub shown_from: Duration,
    pub gone: Option<Duration>,
    /// Every replica shows it until then although it is gone.
    pub shown_until: Duration,
    /// A deletion of it fails.
    pub ghost: bool,
    /// The states it had, with their beginnings.
    pub states: Vec<(Duration, State)>,
}

impl Job {
    pub fn is_there(&self) -> bool {
        self.gone.is_none()
    }

    pub fn now(&self) -> State {
        self.states.last().map_or(FRESH, |(_, state)| *state)
    }

    /// Whether a replica that lags like this shows it.
    pub fn is_shown(&self, now: Duration, lag: Duration) -> bool {
        let seen = now.saturating_sub(lag);
        let came = self.created + lag <= now && self.shown_from <= now;
        let left = self.gone.is_some_and(|gone| gone <= seen && self.shown_until <= now);
        came && !left
    }

    /// What a replica that lags like this says of its state.
    pub fn state(&self, now: Duration, lag: Duration) -> State {
        let known = self.states.iter().rev().find(|(since, _)| *since + lag <= now);
        known.or(self.states.first()).map_or(FRESH, |(_, state)| *state)
    }
}

#[derive(Clone, Debug)]
pub struct Principal {
    pub id: String,
    /// The tenant of Entra ID that it is in.
    pub tenant: String,
    pub app_id: String,
    pub exists: bool,
    pub templates: Vec<String>,
    /// Lists of templates are empty until then.
    pub templates_from: Duration,
}

/// What a create request came to.
pub enum Created {
    Job(usize),
    Conflict,
}

/// All that is there.
pub struct Tenant {
    pub id: String,
    pub world: (Ids, Duplicate),
    pub principals: Vec<Principal>,
    /// Every life of every job, in the order of creation.
    pub jobs: Vec<Job>,
    pub ledger: Ledger,
}

impl Tenant {
    /// The service principal of this id, of whichever tenant.
    pub fn principal(&self, id: &str) -> Option<usize> {
        self.principals.iter().position(|principal| principal.exists && principal.id.eq_ignore_ascii_case(id))
    }

    /// The jobs of a service principal that are there.
    pub fn present(&self, principal: usize) -> impl Iterator<Item = (usize, &Job)> {
        self.jobs.iter().enumerate().filter(move |(_, job)| job.principal == principal && job.is_there())
    }

    /// The job of this id that is there.
    pub fn find(&self, principal: usize, id: &str) -> Option<usize> {
        self.present(principal).find(|(_, job)| job.id == id).map(|(index, _)| index)
    }

    pub fn create(&mut self, principal: usize, template: &str, by: By, request: &str, now: Duration) -> Created {
        let existing = self.present(principal).find(|(_, job)| job.template.eq_ignore_ascii_case(template));
        match (existing.map(|(index, _)| index), self.world.1) {
            (Some(_), Duplicate::Conflict) => return Created::Conflict,
            (Some(index), Duplicate::Existing) => return Created::Job(index),
            (Some(index), Duplicate::Replace) => self.end(index, Did::Replaced, by, request, now),
            (Some(_), Duplicate::Second) | (None, _) => {}
        }
        let (number, app) = (self.jobs.len(), &self.principals[principal].app_id);
        let last = match self.world.0 {
            Ids::ByApplication => app.clone(),
            Ids::Random => format!("{number:08x}-0000-4000-9000-000000000000"),
        };
        let id = format!("{template}.{}.{last}", self.id.replace('-', ""));
        self.jobs.push(Job {
            id,
            principal,
            template: template.to_owned(),
            by,
            request: request.to_owned(),
            created: now,
            shown_from: now,
            gone: None,
            shown_until: now,
            ghost: false,
            states: vec![(now, FRESH)],
        });
        self.note(number, Did::Created, by, request, now);
        Created::Job(number)
    }

    pub fn delete(&mut self, job: usize, by: By, request: &str, now: Duration) {
        self.end(job, Did::Deleted, by, request, now);
    }

    fn end(&mut self, job: usize, did: Did, by: By, request: &str, now: Duration) {
        self.jobs[job].gone = Some(now);
        self.note(job, did, by, request, now);
    }

    /// Start lifts a quarantine (CONTRACT §4.3).
    pub fn start(&mut self, job: usize, by: By, request: &str, now: Duration) {
        self.change(job, now, |state| (state.scheduled, state.quarantine) = (Scheduled::Active, false));
        self.note(job, Did::Started, by, request, now);
    }

    pub fn pause(&mut self, job: usize, by: By, request: &str, now: Duration) {
        let pause = |state: &mut State| {
            if state.scheduled == Scheduled::Active {
                state.scheduled = Scheduled::Paused;
            }
        };
        self.change(job, now, pause);
        self.note(job, Did::Paused, by, request, now);
    }

    pub fn restart(&mut self, job: usize, lifts: bool, by: By, request: &str, now: Duration) {
        let restart = |state: &mut State| {
            (state.scheduled, state.lived, state.escrows_pruned) = (Scheduled::Active, false, false);
            state.quarantine &= !lifts;
        };
        self.change(job, now, restart);
        self.note(job, Did::Restarted, by, request, now);
    }

    pub fn change(&mut self, job: usize, now: Duration, with: impl FnOnce(&mut State)) {
        let (before, job) = (self.jobs[job].now(), &mut self.jobs[job]);
        let mut state = before;
        with(&mut state);
        if state != before {
            job.states.push((now, state));
        }
    }

    fn note(&mut self, job: usize, did: Did, by: By, request: &str, at: Duration) {
        self.ledger.effects.push(Effect { at, by, did, job, request: request.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    fn tenant(world: (Ids, Duplicate)) -> Tenant {
        let principal = Principal {
            tenant: "t".to_owned(),
            id: "sp".to_owned(),
            app_id: "app".to_owned(),
            exists: true,
            templates: vec!["scim".to_owned()],
            templates_from: Duration::ZERO,
        };
        Tenant { id: "t-e".to_owned(), world, principals: vec![principal], jobs: Vec::new(), ledger: Ledger::default() }
    }

    fn create(tenant: &mut Tenant) -> Option<usize> {
        match tenant.create(0, "scim", By::Operator(0), "r", NOW) {
            Created::Job(index) => Some(index),
            Created::Conflict => None,
        }
    }

    #[test]
    fn a_second_create_is_answered_as_its_world_has_it() {
        for (world, second, there) in [
            (WORLDS[0], None, vec![0]),
            (WORLDS[1], Some(0), vec![0]),
            (WORLDS[2], Some(1), vec![1]),
            (WORLDS[6], Some(1), vec![0, 1]),
        ] {
            let mut tenant = tenant(world);
            assert_eq!((create(&mut tenant), create(&mut tenant)), (Some(0), second), "{world:?}");
            assert_eq!(tenant.present(0).map(|(index, _)| index).collect::<Vec<_>>(), there, "{world:?}");
        }
    }

    #[test]
    fn an_id_comes_back_where_it_is_made_of_the_application() {
        let again = |world| {
            let mut tenant = tenant(world);
            create(&mut tenant);
            tenant.delete(0, By::Person, "", NOW);
            create(&mut tenant);
            (tenant.jobs[0].id.clone(), tenant.jobs[0].id == tenant.jobs[1].id)
        };
        assert_eq!(again(WORLDS[0]), ("scim.te.app".to_owned(), true));
        assert!(!again(WORLDS[3]).1);
    }

    #[test]
    fn a_replica_shows_what_was_there_before_its_lag() {
        let mut tenant = tenant(WORLDS[0]);
        create(&mut tenant);
        let second = Duration::from_secs(1);
        tenant.start(0, By::Person, "", NOW + 10 * second);
        tenant.delete(0, By::Person, "", NOW + 20 * second);
        let job = &mut tenant.jobs[0];
        let shown = |job: &Job, at: u32, lag: u32| job.is_shown(NOW + at * second, lag * second);
        assert!(shown(job, 0, 0) && !shown(job, 4, 5) && shown(job, 5, 5));
        assert!(!shown(job, 20, 0) && shown(job, 24, 5) && !shown(job, 25, 5));
        let state = |at: u32, lag: u32| job.state(NOW + at * second, lag * second).scheduled;
        assert_eq!(
            (state(10, 0), state(14, 5), state(15, 5)),
            (Scheduled::Active, Scheduled::Disabled, Scheduled::Active)
        );
        (job.shown_from, job.shown_until) = (NOW + 7 * second, NOW + 30 * second);
        assert!(!shown(job, 6, 0) && shown(job, 7, 0) && shown(job, 29, 0) && !shown(job, 30, 0));
    }

    #[test]
    fn states_follow_the_table_of_the_contract() {
        let mut tenant = tenant(WORLDS[0]);
        create(&mut tenant);
        let now = |tenant: &Tenant| (tenant.jobs[0].now().scheduled, tenant.jobs[0].now().quarantine);
        tenant.pause(0, By::Person, "", NOW);
        assert_eq!(now(&tenant), (Scheduled::Disabled, false), "a pause of what never ran changes nothing");
        tenant.start(0, By::Person, "", NOW);
        tenant.change(0, NOW, |state| (state.lived, state.quarantine) = (true, true));
        tenant.restart(0, false, By::Person, "", NOW);
        assert!(now(&tenant) == (Scheduled::Active, true) && !tenant.jobs[0].now().lived);
        tenant.pause(0, By::Person, "", NOW);
        assert_eq!(now(&tenant), (Scheduled::Paused, true));
        tenant.start(0, By::Person, "", NOW);
        assert_eq!(now(&tenant), (Scheduled::Active, false));
        let did: Vec<Did> = tenant.ledger.effects.iter().map(|effect| effect.did).collect();
        assert_eq!(did, [Did::Created, Did::Paused, Did::Started, Did::Restarted, Did::Paused, Did::Started]);
    }
}
