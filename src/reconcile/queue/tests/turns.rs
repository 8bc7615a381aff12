//! The turns that the queue gives, one by one.

use std::cell::RefCell;

use super::*;

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
    queue.finished(&"edit".to_owned(), Some(again(now)), now);
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
    assert_eq!(queue.finished(&"key", Some(again(now + 60 * SECOND)), now + SECOND), Some((SECOND, false)));
    let work = queue.next(now + SECOND, &open).unwrap();
    assert_eq!((work.class, work.waited), (Class::Change, SECOND));
    queue.finished(&"key", None, now + SECOND);
    assert!(queue.next(now + 100 * SECOND, &open).is_none());
}

/// A poll, after a pass that went well.
fn again(due: Instant) -> Again {
    Again { due, class: Class::Poll, rests_until: due - 60 * SECOND }
}

/// A poll, after a pass that failed.
fn backoff(due: Instant) -> Again {
    Again { rests_until: due, ..again(due) }
}

/// One key, whose pass begins at an instant.
fn in_flight(now: Instant) -> Queue<&'static str> {
    let mut queue = Queue::new(4);
    queue.offer("key", Class::Poll, lane("a", "x"), now);
    assert!(queue.next(now, &open).is_some());
    queue
}

#[test]
fn a_change_elsewhere_is_worth_a_pass_to_those_that_began_before_it() {
    let now = Instant::now();
    for (changed, due) in [(now, now + 2 * SECOND), (now - SECOND, now + 60 * SECOND)] {
        let mut queue = in_flight(now);
        queue.wake("key", Class::Poll, lane("a", "x"), now + 2 * SECOND, changed);
        queue.finished(&"key", Some(again(now + 60 * SECOND)), now + SECOND);
        assert_eq!(queue.wake_at(), Some(due));
    }
}

#[test]
fn a_change_elsewhere_does_not_cut_a_backoff_short_and_an_edit_does() {
    let (now, due) = (Instant::now(), Instant::now() + 60 * SECOND);
    let wake = |queue: &mut Queue<_>| queue.wake("key", Class::Poll, lane("a", "x"), now + 2 * SECOND, now);
    let mut during = in_flight(now);
    wake(&mut during);
    during.finished(&"key", Some(backoff(due)), now + SECOND);
    assert_eq!(during.wake_at(), Some(due));
    let mut after = in_flight(now);
    after.finished(&"key", Some(backoff(due)), now + SECOND);
    assert!(!wake(&mut after));
    assert_eq!(after.wake_at(), Some(due));
    after.offer("key", Class::Change, lane("a", "x"), now + 2 * SECOND);
    assert_eq!(after.wake_at(), Some(now + 2 * SECOND));
    let mut rested = in_flight(now);
    rested.finished(&"key", Some(Again { rests_until: now + 3 * SECOND, ..again(due) }), now + SECOND);
    assert!(wake(&mut rested), "it is due earlier");
    assert_eq!(rested.wake_at(), Some(now + 3 * SECOND), "and not before the rest is over");
}

/// Takes what may begin, and ends nothing.
fn take_all(queue: &mut Queue<String>, now: Instant) -> Vec<String> {
    std::iter::from_fn(|| queue.next(now, &open)).map(|work| work.key).collect()
}

#[test]
fn the_last_free_workers_are_for_tenants_and_namespaces_that_hold_none() {
    for class in [Class::Poll, Class::Change] {
        let (mut queue, now) = (Queue::new(16), Instant::now());
        for namespace in ["x", "y"] {
            queue.offer(format!("later {namespace}"), class, lane("a", namespace), now + 60 * SECOND);
            queue.offer(format!("b/{namespace}"), class, lane("b", namespace), now + 60 * SECOND);
        }
        offer_many(&mut queue, "a", "x", class, 1000, now);
        let first = take_all(&mut queue, now);
        assert_eq!(share(&first, "a/x/"), 10, "a quarter for other tenants and an eighth for other namespaces");
        offer_many(&mut queue, "a", "y", class, 10, now);
        assert_eq!(take_all(&mut queue, now), ["a/y/0"], "one that holds none takes one");
        offer_many(&mut queue, "a", "z", class, 10, now);
        assert_eq!(take_all(&mut queue, now), ["a/z/0"]);
        offer_many(&mut queue, "a", "w", class, 10, now);
        assert!(take_all(&mut queue, now).is_empty(), "the others are for other tenants");
        offer_many(&mut queue, "b", "x", class, 10, now);
        assert_eq!(take_all(&mut queue, now), ["b/x/0"]);
        queue.finished(&"b/x/0".to_owned(), None, now);
        assert_eq!(take_all(&mut queue, now), ["b/x/1"]);
        first[..4].iter().for_each(|key| assert!(queue.finished(key, None, now).is_some()));
        assert_eq!(take_all(&mut queue, now), ["b/x/2", "a/w/0"], "who holds fewest goes first");
    }
}

#[test]
fn nothing_is_kept_free_for_others_that_there_are_not() {
    for (namespaces, most) in [(1, 16), (2, 14)] {
        let (mut queue, now) = (Queue::new(16), Instant::now());
        offer_many(&mut queue, "a", "x", Class::Change, 100, now);
        (1..namespaces).for_each(|_| offer_many(&mut queue, "a", "later", Class::Change, 1, now + 60 * SECOND));
        assert_eq!(take_all(&mut queue, now).len(), most);
    }
}

#[test]
fn an_edit_finds_a_worker_although_passes_of_its_own_namespace_hold_all_they_may() {
    let (mut queue, now) = (Queue::new(16), Instant::now());
    queue.offer("other".to_owned(), Class::Poll, lane("b", "x"), now + 60 * SECOND);
    queue.offer("other namespace".to_owned(), Class::Poll, lane("a", "y"), now + 60 * SECOND);
    offer_many(&mut queue, "a", "x", Class::Poll, 100, now);
    assert_eq!(take_all(&mut queue, now).len(), 10);
    queue.offer("edit".to_owned(), Class::Change, lane("a", "x"), now);
    assert_eq!(take_all(&mut queue, now), ["edit"]);
}
