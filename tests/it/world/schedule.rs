//! The one place in which chance is decided: every fault, delay and order of a run is drawn here. A seed gives the same
//! draws again, and so does the list of draws that a run took. On a panic the run prints what repeats it.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::By;

/// What a draw is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Site {
    ApiRead,
    ApiWrite,
    ApiWatch,
    Login,
    GraphRead,
    GraphCreate,
    GraphDelete,
    /// Start, pause and restart, tests of credentials and saves of them.
    GraphAction,
    /// How far the replica that answers lags behind.
    Replica,
    /// Whether the replica that answers has lost the jobs for a while.
    Hidden,
    /// How long a request and its answer travel.
    Latency,
    /// What people and the services do.
    Actor,
}

impl Site {
    pub const ALL: [Self; 12] = [
        Self::ApiRead,
        Self::ApiWrite,
        Self::ApiWatch,
        Self::Login,
        Self::GraphRead,
        Self::GraphCreate,
        Self::GraphDelete,
        Self::GraphAction,
        Self::Replica,
        Self::Hidden,
        Self::Latency,
        Self::Actor,
    ];
}

/// One draw: `took` of `of` possibilities. 0 is always the outcome without a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    pub site: Site,
    pub of: u32,
    pub took: u32,
}

/// How many faults a run has, how often, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    /// No more faults than this.
    pub budget: u32,
    /// How likely a fault is where one is possible.
    pub per_mille: u32,
    /// Where faults are possible.
    pub sites: Vec<Site>,
    /// The only kind of fault at a site, where one is named.
    pub kinds: Vec<(Site, u32)>,
}

impl Mix {
    pub fn none() -> Self {
        Self { budget: 0, per_mille: 0, sites: Vec::new(), kinds: Vec::new() }
    }

    /// Everywhere.
    pub fn everywhere(budget: u32, per_mille: u32) -> Self {
        Self { budget, per_mille, sites: Site::ALL.to_vec(), kinds: Vec::new() }
    }

    /// A mix that differs from seed to seed: runs with few kinds of faults go deeper than runs with all of them.
    fn swarm(rng: &mut Rng) -> Self {
        let sites = Site::ALL.into_iter().filter(|_| rng.bool()).collect();
        let per_mille = [30, 100, 300][rng.usize(0..3)];
        Self { budget: rng.u32(1..=12), per_mille, sites, kinds: Vec::new() }
    }
}

enum Source {
    Seeded(Rng),
    Recorded(std::vec::IntoIter<u32>),
    /// One fault, at the decision with this number, and nothing else.
    Single {
        at: u32,
        took: u32,
    },
}

struct Inner {
    label: String,
    source: Source,
    mix: Mix,
    faults_left: u32,
    /// No faults any more; what is under way goes on.
    calm: bool,
    /// For each decision about a fault so far, where it was and how many kinds there were to choose from.
    decisions: Vec<(Site, u32)>,
    /// The operators that die now.
    deaths: Vec<By>,
    taken: Vec<Choice>,
    faults: Vec<(u32, Choice)>,
}

/// A run's draws. Clones share them.
#[derive(Clone)]
pub struct Schedule(Arc<Mutex<Inner>>, Arc<Notify>);

impl Schedule {
    /// Everything from this seed, the mix of faults as well.
    pub fn seeded(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mix = Mix::swarm(&mut rng);
        Self::new(format!("seed {seed:#x}"), Source::Seeded(rng), mix)
    }

    /// This mix of faults, drawn from this seed.
    pub fn mixed(seed: u64, mix: Mix) -> Self {
        Self::new(format!("seed {seed:#x} with {mix:?}"), Source::Seeded(Rng::with_seed(seed)), mix)
    }

    /// The draws of another run; afterwards nothing goes wrong any more.
    pub fn recorded(choices: &[Choice], mix: Mix) -> Self {
        let took: Vec<u32> = choices.iter().map(|choice| choice.took).collect();
        let label = format!("{} recorded choices with {mix:?}", took.len());
        Self::new(label, Source::Recorded(took.into_iter()), mix)
    }

    /// No delay and no fault.
    pub fn quiet() -> Self {
        Self::new("quiet".to_owned(), Source::Recorded(Vec::new().into_iter()), Mix::none())
    }

    /// One fault: possibility `took` at the decision with number `at`. What is tried is found by `decisions` of a run
    /// without any.
    pub fn single(at: u32, took: u32) -> Self {
        let mix = Mix::everywhere(1, 1000);
        Self::new(format!("single {took} at decision {at}"), Source::Single { at, took }, mix)
    }

    fn new(label: String, source: Source, mix: Mix) -> Self {
        let inner = Inner {
            label,
            source,
            faults_left: mix.budget,
            mix,
            calm: false,
            decisions: Vec::new(),
            deaths: Vec::new(),
            taken: Vec::new(),
            faults: Vec::new(),
        };
        Self(Arc::new(Mutex::new(inner)), Arc::default())
    }

    /// One of `of` possibilities, none of which is a fault.
    pub fn pick(&self, site: Site, of: u32) -> u32 {
        let inner = &mut *self.0.lock();
        let took = match &mut inner.source {
            Source::Seeded(rng) => rng.u32(0..of.max(1)),
            Source::Recorded(took) => took.next().unwrap_or(0).min(of.saturating_sub(1)),
            Source::Single { .. } => 0,
        };
        inner.taken.push(Choice { site, of, took });
        took
    }

    /// One of these.
    pub fn one<T: Copy>(&self, site: Site, of: &[T]) -> T {
        of[self.pick(site, u32::try_from(of.len()).unwrap()) as usize]
    }

    /// Which of `kinds` faults happens, from 1 on; 0 for none.
    pub fn fault(&self, site: Site, kinds: u32) -> u32 {
        let inner = &mut *self.0.lock();
        if inner.calm || inner.faults_left == 0 || !inner.mix.sites.contains(&site) {
            return 0;
        }
        let number = u32::try_from(inner.decisions.len()).unwrap();
        inner.decisions.push((site, kinds));
        let took = match &mut inner.source {
            Source::Seeded(rng) => {
                let happens = rng.u32(0..1000) < inner.mix.per_mille;
                let named = inner.mix.kinds.iter().find(|(named, _)| *named == site).map(|(_, kind)| *kind);
                if happens { named.unwrap_or_else(|| rng.u32(1..=kinds)).min(kinds) } else { 0 }
            }
            Source::Recorded(took) => took.next().unwrap_or(0).min(kinds),
            Source::Single { at, took } => {
                if *at == number {
                    (*took).min(kinds)
                } else {
                    0
                }
            }
        };
        let choice = Choice { site, of: kinds + 1, took };
        inner.taken.push(choice);
        if took > 0 {
            inner.faults_left -= 1;
            inner.faults.push((number, choice));
        }
        took
    }

    /// A part of `most`, in sixteenths, never nothing.
    pub fn part(&self, site: Site, most: Duration) -> Duration {
        most * (self.pick(site, 16) + 1) / 16
    }

    /// From now on nothing goes wrong any more.
    pub fn calm_down(&self) {
        self.0.lock().calm = true;
    }

    /// Whether faults may still happen.
    pub fn is_calm(&self) -> bool {
        let inner = self.0.lock();
        inner.calm || inner.faults_left == 0
    }

    /// All draws so far.
    pub fn taken(&self) -> Vec<Choice> {
        self.0.lock().taken.clone()
    }

    /// The faults so far, with the number of the decision.
    pub fn faults(&self) -> Vec<(u32, Choice)> {
        self.0.lock().faults.clone()
    }

    /// For each decision about a fault so far, where it was and how many kinds there were to choose from.
    pub fn decisions(&self) -> Vec<(Site, u32)> {
        self.0.lock().decisions.clone()
    }

    /// The process of an operator dies now, in the middle of what it does.
    pub fn kill(&self, by: By) {
        self.0.lock().deaths.push(by);
        self.1.notify_one();
    }

    /// Waits until an operator dies.
    pub async fn death(&self) -> By {
        loop {
            let dead = self.0.lock().deaths.pop();
            match dead {
                Some(by) => return by,
                None => self.1.notified().await,
            }
        }
    }

    pub fn mix(&self) -> Mix {
        self.0.lock().mix.clone()
    }

    /// What repeats this run.
    pub fn label(&self) -> String {
        self.0.lock().label.clone()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this run is repeated by: {}; its faults: {:?}", self.label, self.faults);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(schedule: &Schedule) -> Vec<u32> {
        (0..200)
            .map(|n| if n % 3 == 0 { schedule.pick(Site::Latency, 7) } else { schedule.fault(Site::ApiRead, 4) })
            .collect()
    }

    #[test]
    fn a_seed_gives_the_same_draws_and_another_seed_gives_others() {
        let of = |seed| draw(&Schedule::mixed(seed, Mix::everywhere(20, 200)));
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        assert_eq!(Schedule::seeded(3).mix(), Schedule::seeded(3).mix());
        assert_eq!(Schedule::seeded(3).label(), "seed 0x3");
    }

    #[test]
    fn a_recorded_run_takes_the_same_draws() {
        let first = Schedule::mixed(7, Mix::everywhere(20, 200));
        let drawn = draw(&first);
        let second = Schedule::recorded(&first.taken(), first.mix());
        assert_eq!(draw(&second), drawn);
        assert_eq!(second.taken(), first.taken());
        assert_eq!(draw(&second).iter().sum::<u32>(), 0, "after its end nothing goes wrong");
    }

    #[test]
    fn the_budget_the_sites_and_the_calm_bound_the_faults() {
        let faults = |schedule: &Schedule| (0..1000).filter(|_| schedule.fault(Site::Login, 3) > 0).count();
        assert_eq!(faults(&Schedule::mixed(1, Mix::everywhere(5, 1000))), 5);
        assert_eq!(faults(&Schedule::mixed(1, Mix { sites: vec![Site::ApiRead], ..Mix::everywhere(5, 1000) })), 0);
        let calm = Schedule::mixed(1, Mix::everywhere(5, 1000));
        calm.calm_down();
        assert!(faults(&calm) == 0 && calm.is_calm());
    }

    #[test]
    fn a_single_fault_comes_at_its_decision_only() {
        let schedule = Schedule::single(3, 2);
        let drawn: Vec<u32> = (0..6).map(|_| schedule.fault(Site::ApiWrite, 4)).collect();
        assert_eq!(drawn, [0, 0, 0, 2, 0, 0]);
        assert_eq!((schedule.decisions().len(), schedule.faults()[0].0), (4, 3));
    }

    #[test]
    fn every_possibility_is_drawn_at_some_time() {
        let schedule = Schedule::mixed(1, Mix::everywhere(u32::MAX, 500));
        let mut seen = [false; 5];
        (0..500).for_each(|_| seen[schedule.fault(Site::ApiRead, 4) as usize] = true);
        assert_eq!(seen, [true; 5]);
    }
}
