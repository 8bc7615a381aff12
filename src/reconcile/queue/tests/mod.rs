//! The promises of the queue, each over many schedules; the turns that it gives, one by one, stand in a file of their own.

mod turns;

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::*;

const TENANTS: [&str; 3] = ["a", "b", "c"];
const WORKERS: usize = 4;
const SECOND: Duration = Duration::from_secs(1);

fn lane(tenant: &str, namespace: &str) -> Lane {
    Lane { tenant: TenantKey::new(tenant), namespace: namespace.into() }
}

fn open(_: &TenantKey, _: Class) -> Availability {
    Availability::Open
}

/// What may happen to a queue.
#[derive(Clone, Debug)]
enum Act {
    Offer {
        key: u8,
        class: Class,
        delay: u8,
    },
    Take,
    /// Something that others changed so many seconds ago.
    Wake {
        key: u8,
        class: Class,
        delay: u8,
        ago: u8,
    },
    Finish {
        nth: usize,
        next: Option<(u8, Class, u8)>,
    },
    Gone {
        key: u8,
    },
    Wait {
        seconds: u8,
    },
    Turn {
        tenant: usize,
        to: Sign,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sign {
    Open,
    Shut { seconds: u8 },
    Probe,
}

fn class() -> impl Strategy<Value = Class> {
    proptest::sample::select(Class::ALL.to_vec())
}

fn act() -> impl Strategy<Value = Act> {
    let sign = prop_oneof![3 => Just(Sign::Open), 2 => (1..20_u8).prop_map(|seconds| Sign::Shut { seconds }), 1 => Just(Sign::Probe)];
    prop_oneof![
        6 => (0..24_u8, class(), prop_oneof![3 => Just(0_u8), 1 => 0..9_u8])
            .prop_map(|(key, class, delay)| Act::Offer { key, class, delay }),
        6 => Just(Act::Take),
        4 => (0..24_u8, class(), 0..9_u8, 0..3_u8)
            .prop_map(|(key, class, delay, ago)| Act::Wake { key, class, delay, ago }),
        4 => (0..WORKERS, proptest::option::of((0..9_u8, class(), 0..9_u8)))
            .prop_map(|(nth, next)| Act::Finish { nth, next }),
        1 => (0..24_u8).prop_map(|key| Act::Gone { key }),
        2 => (1..6_u8).prop_map(|seconds| Act::Wait { seconds }),
        1 => (0..TENANTS.len(), sign).prop_map(|(tenant, to)| Act::Turn { tenant, to }),
    ]
}

/// What is wanted of a key, kept in the plainest way.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Wish {
    due: Instant,
    class: Class,
    /// Until then, what others change is no reason for an earlier pass.
    rests: Instant,
}

impl Wish {
    fn joined(self, other: Self) -> Self {
        let (due, class) = (self.due.min(other.due), self.class.max(other.class));
        Self { due, class, rests: self.rests.min(other.rests) }
    }
}

/// A pass in flight.
#[derive(Clone, Copy, Debug)]
struct Pass {
    class: Class,
    gone: bool,
    probe: bool,
    began: Instant,
    woken: Option<Wish>,
}

/// What the queue should do, without any order.
struct Model {
    now: Instant,
    wishes: HashMap<u8, Wish>,
    at_work: BTreeMap<u8, Pass>,
    signs: [(Sign, Instant); TENANTS.len()],
    passed_over: BTreeMap<Class, u32>,
}

fn tenant_of(key: u8) -> usize {
    usize::from(key) % TENANTS.len()
}

fn lane_of(key: u8) -> Lane {
    lane(TENANTS[tenant_of(key)], ["x", "y"][usize::from(key / 3) % 2])
}

impl Model {
    fn wish(&mut self, key: u8, wish: Wish) {
        let joined = self.wishes.get(&key).map_or(wish, |old| old.joined(wish));
        self.wishes.insert(key, joined);
    }

    fn availability(&self, tenant: usize) -> Availability {
        let (sign, since) = self.signs[tenant];
        match sign {
            Sign::Open => Availability::Open,
            Sign::Probe => Availability::Probe,
            Sign::Shut { seconds } => match since + u32::from(seconds) * SECOND {
                until if until > self.now => Availability::Shut { until },
                _ => Availability::Open,
            },
        }
    }

    /// Whether a pass over this key may begin now.
    fn may_go(&self, key: u8) -> bool {
        let Some(wish) = self.wishes.get(&key).filter(|wish| wish.due <= self.now) else { return false };
        let background = self.at_work.values().filter(|pass| pass.class != Class::Change).count();
        let probing = |tenant| self.at_work.iter().any(|(key, pass)| tenant_of(*key) == tenant && pass.probe);
        let sent = match self.availability(tenant_of(key)) {
            Availability::Open => true,
            Availability::Shut { .. } => false,
            Availability::Probe => !probing(tenant_of(key)),
        };
        !self.at_work.contains_key(&key)
            && self.at_work.len() < WORKERS
            && self.leaves_enough(key, wish.class)
            && (wish.class == Class::Change || background < WORKERS - 1)
            && (matches!(wish.class, Class::Change | Class::Created) || sent)
    }

    /// Of four workers one is kept free for tenants that hold none, and one more for namespaces that hold none, if there are
    /// others. For changes nothing but changes counts as held.
    fn leaves_enough(&self, key: u8, class: Class) -> bool {
        let (free, lane) = (WORKERS - self.at_work.len(), lane_of(key));
        let lanes = || self.wishes.keys().chain(self.at_work.keys()).map(|key| lane_of(*key));
        let other_tenant = lanes().any(|other| other.tenant != lane.tenant);
        let other_namespace = lanes().any(|other| other.tenant == lane.tenant && other != lane);
        let counts = |held: Class| class != Class::Change || held == Class::Change;
        let mut held = self.at_work.iter().filter(|(_, pass)| counts(pass.class)).map(|(key, _)| lane_of(*key));
        let (kept, more) = (usize::from(other_tenant), usize::from(other_namespace));
        let tenant_holds = held.clone().any(|other| other.tenant == lane.tenant);
        (free > kept || !tenant_holds) && (free > kept + more || !held.any(|other| other == lane))
    }

    fn classes_that_may_go(&self) -> Vec<Class> {
        let of = |class: &Class| self.wishes.iter().any(|(key, wish)| wish.class == *class && self.may_go(*key));
        Class::ALL.into_iter().filter(of).collect()
    }

    /// Notes a pass that the queue let begin; nothing that this model forbids may begin.
    fn begin(&mut self, work: &Work<u8>) -> Result<(), TestCaseError> {
        prop_assert!(self.may_go(work.key), "{work:?} may not begin");
        let classes = self.classes_that_may_go();
        let wish = self.wishes.remove(&work.key).unwrap();
        prop_assert_eq!((wish.class, self.now - wish.due), (work.class, work.waited));
        let over = self.passed_over.get(&work.class).copied().unwrap_or(0);
        prop_assert!(classes[0] == work.class || over >= PASSED_OVER_MAX, "{:?} before {:?}", work.class, classes);
        for class in classes.into_iter().filter(|class| *class != work.class) {
            let over = self.passed_over.entry(class).or_default();
            *over += 1;
            prop_assert!(*over < PASSED_OVER_MAX + 5, "{class:?} starves");
        }
        self.passed_over.insert(work.class, 0);
        let probe = work.class.is_parked() && self.availability(tenant_of(work.key)) == Availability::Probe;
        let pass = Pass { class: work.class, gone: false, probe, began: self.now, woken: None };
        self.at_work.insert(work.key, pass);
        Ok(())
    }
}

fn take(queue: &mut Queue<u8>, model: &mut Model) -> Result<bool, TestCaseError> {
    let signs: HashMap<TenantKey, Availability> =
        (0..TENANTS.len()).map(|tenant| (TenantKey::new(TENANTS[tenant]), model.availability(tenant))).collect();
    let Some(work) = queue.next(model.now, &|tenant: &TenantKey, _| signs[tenant]) else {
        prop_assert_eq!(model.classes_that_may_go(), vec![], "work is left lying");
        return Ok(false);
    };
    model.begin(&work)?;
    Ok(true)
}

fn step(act: &Act, queue: &mut Queue<u8>, model: &mut Model) -> Result<(), TestCaseError> {
    match *act {
        Act::Offer { key, class, delay } => {
            let due = model.now + u32::from(delay) * SECOND;
            let earlier = model.wishes.get(&key).is_none_or(|old| due < old.due);
            prop_assert_eq!(queue.offer(key, class, lane_of(key), due), earlier);
            model.wish(key, Wish { due, class, rests: due });
            if let Some(pass) = model.at_work.get_mut(&key) {
                pass.gone = false;
            }
        }
        Act::Wake { key, class, delay, ago } => {
            let (due, changed) = (model.now + u32::from(delay) * SECOND, model.now - u32::from(ago) * SECOND);
            let mut wish = Wish { due, class, rests: due };
            let earlier = queue.wake(key, class, lane_of(key), due, changed);
            if let Some(pass) = model.at_work.get_mut(&key) {
                prop_assert!(!earlier);
                if pass.began <= changed && !pass.gone {
                    pass.woken = Some(pass.woken.map_or(wish, |woken| woken.joined(wish)));
                }
                return Ok(());
            }
            let old = model.wishes.get(&key).copied();
            // What is due goes at its next turn.
            wish.due = old.filter(|old| old.due > model.now).map_or(due, |old| due.max(old.rests));
            prop_assert_eq!(earlier, old.is_none_or(|old| wish.due < old.due));
            model.wish(key, wish);
        }
        Act::Take => drop(take(queue, model)?),
        Act::Finish { nth, next } => {
            let Some((&key, &Pass { gone, woken, .. })) = model.at_work.iter().nth(nth) else { return Ok(()) };
            let next = next.map(|(delay, class, rests)| {
                let [due, rests_until] = [delay, rests].map(|seconds| model.now + u32::from(seconds) * SECOND);
                Again { due, class, rests_until }
            });
            model.at_work.remove(&key);
            prop_assert!(queue.finished(&key, next, model.now).is_some());
            prop_assert!(queue.finished(&key, next, model.now).is_none(), "it ends once");
            let next = next.filter(|_| !gone);
            let rests = next.map_or(model.now, |next| next.rests_until);
            if let Some(woken) = woken {
                model.wish(key, Wish { due: woken.due.max(rests), ..woken });
            }
            if let Some(Again { due, class, rests_until }) = next {
                model.wish(key, Wish { due, class, rests: rests_until });
            }
        }
        Act::Gone { key } => {
            queue.gone(&key);
            model.wishes.remove(&key);
            if let Some(pass) = model.at_work.get_mut(&key) {
                (pass.gone, pass.woken) = (true, None);
            }
        }
        Act::Wait { seconds } => model.now += u32::from(seconds) * SECOND,
        Act::Turn { tenant, to } => model.signs[tenant] = (to, model.now),
    }
    let due = model.wishes.values().filter(|wish| wish.due <= model.now).count();
    prop_assert_eq!(queue.depth(model.now), due);
    prop_assert_eq!(queue.ages(model.now).count(), model.at_work.len());
    Ok(())
}

/// Once every tenant is open and passes end at once, everything that is wanted gets its pass, at the time for which it was
/// wanted; then the queue holds nothing.
fn drain(queue: &mut Queue<u8>, model: &mut Model) -> Result<(), TestCaseError> {
    model.signs = [(Sign::Open, model.now); TENANTS.len()];
    for _ in 0..1000 {
        for key in model.at_work.keys().copied().collect::<Vec<_>>() {
            step(&Act::Finish { nth: 0, next: None }, queue, model)?;
            prop_assert!(!model.at_work.contains_key(&key));
        }
        if take(queue, model)? {
            continue;
        }
        match queue.wake_at() {
            Some(at) => {
                prop_assert!(at > model.now, "it would turn without a pause");
                prop_assert_eq!(Some(at), model.wishes.values().map(|wish| wish.due).min());
                model.now = at;
            }
            None => break,
        }
    }
    prop_assert!(model.wishes.is_empty(), "lost: {:?}", model.wishes);
    prop_assert!(queue.entries.is_empty() && queue.shares.is_empty() && queue.later.is_empty());
    prop_assert_eq!((queue.ready.count(), queue.at_work.len(), queue.unreserved), (0, 0, 0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    /// No key twice at work, no pass that was not wanted or is not due, no more passes than workers, a parked tenant gets
    /// none, a probe is alone, no tenant and no namespace takes the
    /// last workers, the most urgent class first, no class starves, nothing is lost and nothing is left behind.
    #[test]
    fn the_queue_does_what_a_plain_model_says(acts in proptest::collection::vec(act(), 0..160)) {
        let mut queue = Queue::new(WORKERS);
        let now = Instant::now();
        let mut model = Model {
            now,
            wishes: HashMap::new(),
            at_work: BTreeMap::new(),
            signs: [(Sign::Open, now); TENANTS.len()],
            passed_over: BTreeMap::new(),
        };
        for act in &acts {
            step(act, &mut queue, &mut model)?;
        }
        drain(&mut queue, &mut model)?;
    }
}
