//! Who goes first, and what those that wait may rely on.

use super::super::line::PASSED_OVER_MAX;
use super::*;

#[test]
fn the_most_urgent_goes_first_and_of_those_the_one_that_came_first() {
    let (mut state, mut now) = (writes(1.0), Instant::now());
    drive(&mut state, &mut now, 10.0, |_| Ok(Told::default()));
    let order = [POLL, CHANGE, DELETION, POLL, CHANGE, DELETION];
    let tickets = order.map(|priority| state.join(priority, true, ()));
    let mut went = Vec::new();
    while went.len() < tickets.len() {
        let waiting: Vec<usize> = (0..6).filter(|index| !went.contains(index)).collect();
        went.extend(waiting.into_iter().find(|index| granted(&mut state, tickets[*index], now).is_some()));
        now += Duration::from_millis(100);
    }
    assert_eq!(went, [2, 5, 1, 4, 0, 3]);
}

#[test]
fn a_poll_is_passed_over_a_few_times_only() {
    let (mut state, mut now) = (writes(1.0), Instant::now());
    drive(&mut state, &mut now, 10.0, |_| Ok(Told::default()));
    let poll = state.join(POLL, true, ());
    let mut before = 0;
    loop {
        let change = state.join(CHANGE, true, ());
        now += 2 * SECOND;
        if granted(&mut state, poll, now).is_some() {
            break;
        }
        assert!(granted(&mut state, change, now).is_some());
        before += 1;
    }
    assert_eq!(before, PASSED_OVER_MAX);
}

#[test]
fn a_read_does_not_wait_for_a_write_that_has_to() {
    let (mut state, mut now) = (writes(1.0), Instant::now());
    drive(&mut state, &mut now, 10.0, |_| Ok(Told::default()));
    let (write, read) = (state.join(DELETION, true, ()), state.join(POLL, false, ()));
    while granted(&mut state, write, now).is_some() {}
    assert!(granted(&mut state, read, now).is_some());
    let Look::Wait { until, shortage } = state.look(write, now) else { panic!("there is none left") };
    assert_eq!(shortage, Shortage::Writes);
    assert!(until.is_some_and(|until| until > now && until <= now + SECOND));
}

#[test]
fn who_gives_up_frees_its_place_and_what_was_not_sent_is_given_back() {
    let mut state: State<()> = State::new(Rates::documented(), 1, Instant::now());
    let now = Instant::now();
    let (first, second, third) =
        (state.join(CHANGE, true, ()), state.join(CHANGE, true, ()), state.join(POLL, true, ()));
    let grant = granted(&mut state, first, now).unwrap();
    assert!(matches!(state.look(second, now), Look::Wait { until: None, shortage: Shortage::Slots }));
    state.leave(second);
    assert!(granted(&mut state, third, now).is_none(), "there is one slot");
    state.ended(&grant, false, now);
    let mut grant = granted(&mut state, third, now).unwrap();
    for _ in 0..100 {
        state.ended(&grant, false, now);
        let ticket = state.join(CHANGE, true, ());
        grant = granted(&mut state, ticket, now).expect("what is given back is there again");
    }
}

#[test]
fn polls_are_kept_back_while_there_is_nothing_for_them() {
    let mut state: State<()> = State::new(Rates::documented(), 40, Instant::now());
    let now = Instant::now();
    assert_eq!(state.poll_waits_until(now), None);
    let grants: Vec<Grant> = (0..34)
        .map(|_| {
            let ticket = state.join(POLL, false, ());
            granted(&mut state, ticket, now).unwrap()
        })
        .collect();
    let until = state.poll_waits_until(now).unwrap();
    assert!(until > now && until < now + SECOND);
    assert_eq!(state.poll_waits_until(until), None);
    let waits = state.join(CHANGE, false, ());
    assert!(state.poll_waits_until(until).is_some_and(|later| later > until), "others wait before it");
    state.leave(waits);

    let mut full: State<()> = State::new(Rates::documented(), 1, now);
    let ticket = full.join(CHANGE, false, ());
    granted(&mut full, ticket, now).unwrap();
    assert_eq!(full.poll_waits_until(now), None, "nobody waits for the slot");
    full.join(CHANGE, false, ());
    assert_eq!(full.poll_waits_until(now), Some(now + SLOT_LOOK));
    drop(grants);
}
