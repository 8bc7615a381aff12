//! The promises of the queue, each over many schedules, and the turns that it gives, one by one.

use std::cell::RefCell;
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
    Offer { key: u8, class: Class, delay: u8 },
    Take,
    Finish { nth: usize, next: Option<(u8, Class)> },
    Gone { key: u8 },
    Wait { seconds: u8 },
    Turn { tenant: usize, to: Sign },
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
        4 => (0..WORKERS, proptest::option::of((0..9_u8, class()))).prop_map(|(nth, next)| Act::Finish { nth, next }),
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
}

/// What the queue should do, without any order.
struct Model {
    now: Instant,
    wishes: HashMap<u8, Wish>,
    /// In flight: the class, and whether its object is gone.
    at_work: BTreeMap<u8, (Class, bool, bool)>,
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
        let joined = self
            .wishes
            .get(&key)
            .map_or(wish, |old| Wish { due: old.due.min(wish.due), class: old.class.max(wish.class) });
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
        let background = self.at_work.values().filter(|(class, _, _)| *class != Class::Change).count();
        let probing = |tenant| self.at_work.iter().any(|(key, (_, _, probe))| tenant_of(*key) == tenant && *probe);
        let sent = match self.availability(tenant_of(key)) {
            Availability::Open => true,
            Availability::Shut { .. } => false,
            Availability::Probe => !probing(tenant_of(key)),
        };
        !self.at_work.contains_key(&key)
            && self.at_work.len() < WORKERS
            && (wish.class == Class::Change || background < WORKERS - 1)
            && (matches!(wish.class, Class::Change | Class::Created) || sent)
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
        self.at_work.insert(work.key, (work.class, false, probe));
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
            model.wish(key, Wish { due, class });
            if let Some((_, gone, _)) = model.at_work.get_mut(&key) {
                *gone = false;
            }
        }
        Act::Take => drop(take(queue, model)?),
        Act::Finish { nth, next } => {
            let Some((&key, &(_, gone, _))) = model.at_work.iter().nth(nth) else { return Ok(()) };
            let next = next.map(|(delay, class)| (model.now + u32::from(delay) * SECOND, class));
            model.at_work.remove(&key);
            prop_assert!(queue.finished(&key, next, model.now).is_some());
            prop_assert!(queue.finished(&key, next, model.now).is_none(), "it ends once");
            if let Some((due, class)) = next.filter(|_| !gone) {
                model.wish(key, Wish { due, class });
            }
        }
        Act::Gone { key } => {
            queue.gone(&key);
            model.wishes.remove(&key);
            if let Some((_, gone, _)) = model.at_work.get_mut(&key) {
                *gone = true;
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
    prop_assert!(queue.entries.is_empty() && queue.tenants.is_empty() && queue.later.is_empty());
    prop_assert_eq!((queue.ready.count(), queue.at_work.len(), queue.unreserved), (0, 0, 0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    /// No key twice at work, no pass that was not wanted or is not due, no more passes than workers, a parked tenant gets
    /// none, a probe is alone, the most urgent class first, no class starves, nothing is lost and nothing is left behind.
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

/// The keys in the order in which they are worked on by one worker, each pass taking a second.
fn one_by_one(queue: &mut Queue<String>, mut now: Instant, most: usize) -> Vec<String> {
    let mut order = Vec::new();
    while order.len() < most {
        let Some(work) = queue.next(now, &open) else { break };
        now += SECOND;
        queue.finished(&work.key, None, now);
        order.push(work.key);
    }
    order
}

fn offer_many(queue: &mut Queue<String>, tenant: &str, namespace: &str, class: Class, count: usize, now: Instant) {
    for number in 0..count {
        queue.offer(format!("{tenant}/{namespace}/{number}"), class, lane(tenant, namespace), now);
    }
}

fn share(order: &[String], prefix: &str) -> usize {
    order.iter().filter(|key| key.starts_with(prefix)).count()
}

#[test]
fn an_edit_goes_before_ten_thousand_polls_that_came_first() {
    let (mut queue, now) = (Queue::new(1), Instant::now());
    offer_many(&mut queue, "a", "x", Class::Poll, 10_000, now);
    assert!(one_by_one(&mut queue, now, 50).iter().all(|key| key.starts_with("a/x/")));
    queue.offer("edit".to_owned(), Class::Change, lane("a", "x"), now + 60 * SECOND);
    assert_eq!(one_by_one(&mut queue, now + 60 * SECOND, 1), ["edit"]);
}

#[test]
fn a_poll_gets_its_turn_although_edits_never_end() {
    let (mut queue, now) = (Queue::new(1), Instant::now());
    queue.offer("poll".to_owned(), Class::Poll, lane("a", "x"), now);
    offer_many(&mut queue, "a", "x", Class::Change, 100, now);
    let order = one_by_one(&mut queue, now, 101);
    assert_eq!(order.iter().position(|key| key == "poll"), Some(PASSED_OVER_MAX as usize));
    assert_eq!(order.len(), 101);
}

#[test]
fn tenants_and_namespaces_take_turns_however_much_one_of_them_has() {
    let (mut queue, now) = (Queue::new(1), Instant::now());
    offer_many(&mut queue, "a", "x", Class::New, 1000, now);
    offer_many(&mut queue, "a", "y", Class::New, 5, now);
    offer_many(&mut queue, "b", "z", Class::New, 10, now);
    let order = one_by_one(&mut queue, now, 20);
    assert_eq!([share(&order, "a/x/"), share(&order, "a/y/"), share(&order, "b/")], [5, 5, 10], "{order:?}");
}

#[test]
fn a_tenant_whose_passes_hang_does_not_hold_the_workers_of_the_others() {
    let (mut queue, now) = (Queue::new(8), Instant::now());
    offer_many(&mut queue, "hangs", "x", Class::Poll, 100, now);
    offer_many(&mut queue, "b", "x", Class::Poll, 100, now);
    let mut later = now;
    let mut done = 0;
    for _ in 0..50 {
        later += SECOND;
        let mut ended = Vec::new();
        while let Some(work) = queue.next(later, &open) {
            if work.key.starts_with("b/") {
                ended.push(work.key);
            }
        }
        done += ended.len();
        for key in ended {
            queue.finished(&key, None, later);
        }
    }
    assert!(done >= 50, "{done}");
}

#[test]
fn a_worker_is_kept_free_for_changes() {
    let (mut queue, now) = (Queue::new(2), Instant::now());
    offer_many(&mut queue, "a", "x", Class::Poll, 10, now);
    assert!(queue.next(now, &open).is_some() && queue.next(now, &open).is_none());
    queue.offer("edit".to_owned(), Class::Change, lane("a", "x"), now);
    assert_eq!(queue.next(now, &open).map(|work| work.key).as_deref(), Some("edit"));
    let mut one = Queue::new(1);
    offer_many(&mut one, "a", "x", Class::Poll, 1, now);
    assert!(one.next(now, &open).is_some(), "a single worker is for all");
}

#[test]
fn a_shut_tenant_costs_nothing_until_it_opens_and_one_probe_then() {
    let (mut queue, now) = (Queue::new(16), Instant::now());
    let asked = RefCell::new(0);
    let until = now + 60 * SECOND;
    let shut = |_: &TenantKey, _: Class| {
        *asked.borrow_mut() += 1;
        Availability::Shut { until }
    };
    offer_many(&mut queue, "a", "x", Class::Poll, 1000, now);
    assert!(queue.next(now, &shut).is_none());
    assert_eq!((queue.wake_at(), *asked.borrow()), (Some(until), 1), "asked once, not for each key");
    queue.offer("edit".to_owned(), Class::Change, lane("a", "x"), now);
    assert_eq!(queue.next(now, &shut).map(|work| work.key).as_deref(), Some("edit"));
    queue.finished(&"edit".to_owned(), Some((now, Class::Poll)), now);
    assert!(queue.next(now, &shut).is_none(), "one pass for a change, then it waits like the others");
    let probe = |_: &TenantKey, _: Class| Availability::Probe;
    let first = queue.next(until, &probe).unwrap();
    assert!(queue.next(until, &probe).is_none(), "one at a time");
    queue.finished(&first.key, None, until);
    assert!(queue.next(until, &probe).is_some());
    assert!(queue.next(until, &open).is_some(), "open to all");
}

#[test]
fn one_tenant_that_is_shut_does_not_hold_up_another() {
    let (mut queue, now) = (Queue::new(1), Instant::now());
    offer_many(&mut queue, "a", "x", Class::Poll, 10, now);
    offer_many(&mut queue, "b", "x", Class::Poll, 1, now);
    let a = TenantKey::new("a");
    let signs = |tenant: &TenantKey, _: Class| {
        if *tenant == a { Availability::Shut { until: now + SECOND } } else { Availability::Open }
    };
    assert_eq!(queue.next(now, &signs).map(|work| work.key).as_deref(), Some("b/x/0"));
}

#[test]
fn what_comes_during_a_pass_is_one_pass_after_it() {
    let (mut queue, now) = (Queue::new(4), Instant::now());
    queue.offer("key", Class::Poll, lane("a", "x"), now);
    assert!(queue.next(now, &open).is_some());
    for class in [Class::Poll, Class::Change, Class::New] {
        queue.offer("key", class, lane("a", "x"), now);
    }
    assert!(queue.next(now, &open).is_none(), "one worker a key");
    assert_eq!(queue.finished(&"key", Some((now + 60 * SECOND, Class::Poll)), now + SECOND), Some((SECOND, false)));
    let work = queue.next(now + SECOND, &open).unwrap();
    assert_eq!((work.class, work.waited), (Class::Change, SECOND));
    queue.finished(&"key", None, now + SECOND);
    assert!(queue.next(now + 100 * SECOND, &open).is_none());
}
