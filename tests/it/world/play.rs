//! What happens in a run besides the operators' own doing: people act, processes die and begin again, the ends have bad
//! days.

use std::time::Duration;

use entrain::plan::Settings;

use super::By;
use super::api::{Interruption, Snapshot};
use super::graph::Scheduled;
use super::operator::{Ends, Lease, Process};
use super::scene::{Act, PRINCIPAL, Scene, TEMPLATES};
use super::schedule::{Schedule, Site};
use super::tenants::{OTHER, OTHER_TENANT, SECOND};

/// How often the ends may have a bad day, and for how long after the last act.
const WEATHER_PERIOD: Duration = Duration::from_secs(20);
const WEATHER_AFTER: Duration = Duration::from_secs(240);
/// A process that was asked to stop is killed after this long, as the operator does.
const STOPPED: Duration = Duration::from_secs(25);
/// A lease lasts for ever where nobody takes it away.
const HELD: Duration = Duration::from_secs(1 << 30);

/// What is to be done at a later moment.
#[derive(Clone, Copy, Debug)]
enum Later {
    Begin(usize),
    Kill(usize),
    Reconnect(u8),
}

/// A run under way.
pub struct Play {
    pub ends: Ends,
    pub schedule: Schedule,
    pub settings: Settings,
    pub scene: &'static Scene,
    /// The processes that run, by their place. A process that takes the place of another has a number of its own.
    pub places: Vec<Option<Process>>,
    /// The leases that there were.
    pub leases: Vec<(u8, Lease)>,
    /// When processes ended.
    pub ends_of_lives: Vec<(u8, Duration)>,
    /// What was done to the run, in words.
    pub diary: Vec<(Duration, String)>,
    later: Vec<(Duration, Later)>,
    backup: Option<Snapshot>,
    processes: u8,
}

impl Play {
    pub fn new(ends: Ends, schedule: Schedule, settings: Settings, scene: &'static Scene) -> Self {
        ends.graph.principal(PRINCIPAL, &TEMPLATES);
        if scene.tenants {
            ends.graph.principal(SECOND, &TEMPLATES);
            ends.graph.principal_of(OTHER_TENANT, OTHER, &TEMPLATES);
        }
        if scene.occupied {
            ends.graph.act(|tenant, now| {
                let _ = tenant.create(0, TEMPLATES[0], By::Person, "", now);
                tenant.start(0, By::Person, "", now);
                tenant.change(0, now, |state| state.lived = true);
            });
        }
        Self {
            ends,
            schedule,
            settings,
            scene,
            places: Vec::new(),
            leases: Vec::new(),
            ends_of_lives: Vec::new(),
            diary: Vec::new(),
            later: Vec::new(),
            backup: None,
            processes: 0,
        }
    }

    pub fn now(&self) -> Duration {
        self.ends.clock.now()
    }

    fn note(&mut self, what: String) {
        self.diary.push((self.now(), what));
    }

    /// A process begins, at this place.
    pub fn begin(&mut self, place: usize) {
        if self.places.len() <= place {
            self.places.resize_with(place + 1, || None);
        }
        if self.places[place].is_some() {
            return;
        }
        self.note(format!("process {} begins", self.processes));
        let mut process = Process::start(self.processes, &self.ends, self.settings, self.scene);
        process.hold(self.ends.clock, Some(self.now() + HELD));
        self.processes += 1;
        self.places[place] = Some(process);
    }

    pub async fn kill(&mut self, place: usize) {
        let Some(process) = self.places.get_mut(place).and_then(Option::take) else { return };
        let (number, lease) = process.kill().await;
        self.note(format!("process {number} is killed"));
        self.ends_of_lives.push((number, self.now()));
        self.leases.extend(lease.map(|lease| (number, lease)));
    }

    /// All that people do, and the days on which the ends do not work.
    pub async fn perform(&mut self) {
        let script = self.scene.script(&self.schedule);
        let over = script.last().map_or(Duration::ZERO, |(at, _)| *at) + WEATHER_AFTER;
        let mut weather = WEATHER_PERIOD;
        let mut script = script.into_iter().peekable();
        loop {
            let next = script.peek().map(|(at, _)| *at).filter(|at| *at <= weather);
            self.pass(next.unwrap_or(weather)).await;
            if let Some((_, act)) = script.next_if(|_| next.is_some()) {
                self.act(act).await;
                continue;
            }
            self.weather().await;
            weather += WEATHER_PERIOD;
            if weather > over {
                return;
            }
        }
    }

    /// From now on nothing goes wrong any more.
    pub async fn calm_down(&mut self) {
        self.schedule.calm_down();
        for (_, later) in std::mem::take(&mut self.later) {
            self.do_later(later).await;
        }
        let places = if self.scene.split { 2 } else { 1 };
        if self.places.iter().flatten().count() < places {
            (0..places).for_each(|place| self.begin(place));
        }
        self.note("calm".to_owned());
    }

    /// Time passes until this moment, with everything that is due in it.
    pub async fn pass(&mut self, until: Duration) {
        loop {
            self.later.sort_by_key(|(at, _)| *at);
            let due = self.later.first().map(|(at, _)| *at).filter(|at| *at <= until);
            let wake = self.ends.clock.instant(due.unwrap_or(until));
            tokio::select! {
                biased;
                by = self.schedule.death() => self.died(by).await,
                () = tokio::time::sleep_until(wake) => {
                    if due.is_none() {
                        return;
                    }
                    let (_, later) = self.later.remove(0);
                    self.do_later(later).await;
                }
            }
        }
    }

    async fn do_later(&mut self, later: Later) {
        match later {
            Later::Begin(place) => self.begin(place),
            Later::Kill(place) => self.kill(place).await,
            Later::Reconnect(number) => {
                self.ends.api.cut_off(number, false);
                self.note(format!("process {number} reaches the API server again"));
            }
        }
    }

    async fn died(&mut self, by: By) {
        let is = |process: &Process| By::Operator(process.number) == by;
        if let Some(place) = self.places.iter().position(|process| process.as_ref().is_some_and(is)) {
            self.reboot(place).await;
        }
    }

    async fn reboot(&mut self, place: usize) {
        self.kill(place).await;
        let down = self.schedule.one(Site::Actor, &[0, 1, 20, 200]);
        self.later.push((self.now() + Duration::from_secs(down), Later::Begin(place)));
    }

    async fn act(&mut self, act: Act) {
        self.note(format!("{act:?}"));
        let api = self.ends.api.clone();
        match act {
            Act::Create(key, spec) => {
                if api.get(&key).is_none() {
                    api.create(&key, &spec);
                }
            }
            Act::Patch(key, patch) => drop(api.patch(&key, &patch)),
            Act::Delete(key) => api.delete(&key),
            Act::DeleteNamespace(namespace) => api.delete_namespace(namespace),
            Act::RemoveStatus(key) => {
                if api.get(&key).is_some() {
                    api.remove_status(&key);
                }
            }
            Act::Backup => self.backup = Some(api.store().snapshot()),
            Act::Restore => self.backup.iter().for_each(|backup| api.store().restore(backup)),
            Act::Start | Act::Pause => self.portal(&act),
            Act::Reboot => self.reboot(0).await,
            Act::Handover => self.hand_over(),
            Act::Around(around) => around.perform(&self.ends),
        }
    }

    fn portal(&self, act: &Act) {
        self.ends.graph.act(|tenant, now| {
            let newest = tenant.present(0).filter(|(_, job)| job.template == TEMPLATES[0]).last();
            let Some((number, state)) = newest.map(|(number, job)| (number, job.now())) else { return };
            match act {
                Act::Pause if state.scheduled == Scheduled::Active => tenant.pause(number, By::Person, "", now),
                Act::Start if state.scheduled == Scheduled::Paused => tenant.start(number, By::Person, "", now),
                _ => {}
            }
        });
    }

    /// The lease of the first place is not renewed any more. The second place has it when it is over.
    fn hand_over(&mut self) {
        let Some(process) = self.places.first_mut().and_then(Option::as_mut) else { return };
        let (now, left) = (self.ends.clock.now(), self.schedule.one(Site::Actor, &[0, 5, 10, 11, 12, 20]));
        let over = now + Duration::from_secs(left);
        process.hold(self.ends.clock, Some(over));
        self.later.push((over + STOPPED, Later::Kill(0)));
        self.later.push((over, Later::Begin(1)));
    }

    /// One of the things that go wrong without a request.
    async fn weather(&mut self) {
        let what = self.schedule.fault(Site::Actor, 9);
        if what > 0 {
            self.note(format!("weather {what}"));
        }
        let (api, graph) = (self.ends.api.clone(), self.ends.graph.clone());
        match what {
            1 => self.reboot(0).await,
            2 => {
                let Some(number) = self.places.first().and_then(Option::as_ref).map(|process| process.number) else {
                    return;
                };
                api.cut_off(number, true);
                let time = self.schedule.part(Site::Actor, Duration::from_secs(160));
                self.later.push((self.now() + time, Later::Reconnect(number)));
            }
            3 => graph.throttle(self.schedule.part(Site::Actor, Duration::from_secs(120))),
            4 => api.each(|store| store.interrupt(None, Interruption::Lost)),
            5 => api.each(|store| {
                store.compact();
                store.interrupt(None, Interruption::Gone);
            }),
            6 => api.each(|store| store.interrupt(None, Interruption::Silent)),
            7 => graph.service().revoke(),
            8 => {
                let keys: Vec<_> = api.store().objects.keys().cloned().collect();
                for key in &keys {
                    api.touch(key);
                }
            }
            9 => {
                if let Some(process) = self.places.first().and_then(Option::as_ref) {
                    process.stop();
                    self.later.push((self.now() + STOPPED, Later::Kill(0)));
                    self.later.push((self.now() + STOPPED, Later::Begin(0)));
                }
            }
            _ => {}
        }
    }

    /// Everything that happened, in order, for people who look for a cause.
    pub fn story(&self) -> String {
        let (store, service) = (self.ends.api.store(), self.ends.graph.service());
        let mut lines: Vec<(Duration, String)> = self.diary.clone();
        for write in &store.history {
            let status = &write.after.value["status"];
            let reason = status["conditions"].as_array().into_iter().flatten().find(|one| one["type"] == "Ready");
            let text = format!(
                "    {:?} {:?} {}/{} v{} {} jobId {} intent {} deleting {}",
                write.by,
                write.change,
                write.after.key.namespace,
                write.after.key.name,
                write.after.number,
                reason.map_or("", |ready| ready["reason"].as_str().unwrap_or_default()),
                status["jobId"],
                status["intent"]["nonce"],
                write.after.is_deleting(),
            );
            lines.push((write.at, text));
        }
        for call in &service.tenant.ledger.calls {
            let text = format!(
                "        {:?} {:?} {} -> {} at {:?}",
                call.by, call.operation, call.about, call.heard, call.until
            );
            lines.push((call.at, text));
        }
        for effect in &service.tenant.ledger.effects {
            lines.push((effect.at, format!("            {:?} {:?} job {}", effect.by, effect.did, effect.job)));
        }
        for stored in service.sets.versions(0) {
            lines.push((stored.at, format!("            {:?} {} set {:?}", stored.by, stored.request, stored.set)));
        }
        for look in &service.sets.looks {
            lines.push((look.at, format!("            {:?} sees {:?}", look.by, look.set)));
        }
        lines.extend(super::mappings::story(&service));
        for (at, by, change, key) in &self.ends.api.revisions().changes {
            lines.push((*at, format!("    {by:?} {change:?} ControllerRevision {}", key.name)));
        }
        for (at, key, content) in &self.ends.api.surroundings().changes {
            lines.push((*at, format!("    Secret {}/{} {content:?}", key.namespace, key.name)));
        }
        for (at, _, event) in &store.events {
            lines.push((*at, format!("    event {} {}", event["reason"], event["note"])));
        }
        lines.sort_by_key(|(at, _)| *at);
        let lines = lines.into_iter().map(|(at, line)| format!("{:10.3} {line}", at.as_secs_f64()));
        lines.collect::<Vec<_>>().join("\n")
    }
}
