//! Who goes first, and what those that wait may rely on.

use super::super::line::PASSED_OVER_MAX;
use super::*;

#[test]
fn the_most_urgent_goes_first_and_of_those_the_one_that_came_first() {
    let (mut state, mut now) = (writes(1.0), Instant::now());
    drive(&mut state, &mut now, 10.0, |_| Ok(Reported::default()));
    let order = [POLL, CHANGE, DELETION, POLL, CHANGE, DELETION];
    let tickets = order.map(|priority| join(&mut state, priority, true));
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
    drive(&mut state, &mut now, 10.0, |_| Ok(Reported::default()));
    let poll = join(&mut state, POLL, true);
    let mut before = 0;
    loop {
        let change = join(&mut state, CHANGE, true);
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
    drive(&mut state, &mut now, 10.0, |_| Ok(Reported::default()));
    let (write, read) = (join(&mut state, DELETION, true), join(&mut state, POLL, false));
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
        (join(&mut state, CHANGE, true), join(&mut state, CHANGE, true), join(&mut state, POLL, true));
    let grant = granted(&mut state, first, now).unwrap();
    assert!(matches!(state.look(second, now), Look::Wait { until: None, shortage: Shortage::Slots }));
    state.leave(second);
    assert!(granted(&mut state, third, now).is_none(), "there is one slot");
    state.ended(&grant, false, now);
    let mut grant = granted(&mut state, third, now).unwrap();
    for _ in 0..100 {
        state.ended(&grant, false, now);
        let ticket = join(&mut state, CHANGE, true);
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
            let ticket = join(&mut state, POLL, false);
            granted(&mut state, ticket, now).unwrap()
        })
        .collect();
    let until = state.poll_waits_until(now).unwrap();
    assert!(until > now && until < now + SECOND);
    assert_eq!(state.poll_waits_until(until), None);
    let waits = join(&mut state, CHANGE, false);
    assert!(state.poll_waits_until(until).is_some_and(|later| later > until), "others wait before it");
    state.leave(waits);

    let mut full: State<()> = State::new(Rates::documented(), 1, now);
    let ticket = join(&mut full, CHANGE, false);
    granted(&mut full, ticket, now).unwrap();
    assert_eq!(full.poll_waits_until(now), None, "nobody waits for the slot");
    join(&mut full, CHANGE, false);
    assert_eq!(full.poll_waits_until(now), Some(now + SLOT_LOOK));
    drop(grants);
}

/// The lanes of the next writes that go, one after the other, of those that wait; `again` has one more call as soon as it went.
fn lanes_that_go(
    state: &mut State<()>,
    mut now: Instant,
    waiting: &mut Vec<(u64, Ticket)>,
    again: u64,
    count: usize,
) -> Vec<u64> {
    let mut went = Vec::new();
    while went.len() < count {
        now += SECOND;
        let index = waiting.iter().position(|(_, ticket)| granted(state, *ticket, now).is_some()).unwrap();
        let (lane, _) = waiting.remove(index);
        went.push(lane);
        if lane == again {
            waiting.push((again, state.join(Turn { priority: CHANGE, lane }, true, ())));
        }
    }
    went
}

fn wait_in_lanes(state: &mut State<()>, lanes: impl IntoIterator<Item = (u64, usize)>) -> Vec<(u64, Ticket)> {
    let each = lanes.into_iter().flat_map(|(lane, count)| std::iter::repeat_n(lane, count));
    each.map(|lane| (lane, state.join(Turn { priority: CHANGE, lane }, true, ()))).collect()
}

#[test]
fn lanes_take_turns_however_many_calls_one_of_them_has() {
    let (mut state, mut now) = (writes(1.0), Instant::now());
    drive(&mut state, &mut now, 10.0, |_| Ok(Reported::default()));
    let mut waiting = wait_in_lanes(&mut state, [(1, 100), (2, 3), (3, 2)]);
    let went = lanes_that_go(&mut state, now, &mut waiting, 0, 10);
    assert_eq!(went, [1, 2, 3, 1, 2, 3, 1, 2, 1, 1]);
    let (_, late) = wait_in_lanes(&mut state, [(2, 1)])[0];
    now += 20 * SECOND;
    assert!(granted(&mut state, waiting[0].1, now).is_none(), "a lane that was empty goes next");
    assert!(granted(&mut state, late, now).is_some());
}

#[test]
fn a_lane_gains_no_turns_by_coming_one_by_one() {
    let (mut state, mut now) = (writes(1.0), Instant::now());
    drive(&mut state, &mut now, 10.0, |_| Ok(Reported::default()));
    let mut waiting = wait_in_lanes(&mut state, [(1, 100), (2, 1)]);
    let went = lanes_that_go(&mut state, now, &mut waiting, 2, 20);
    assert_eq!(went.iter().filter(|lane| **lane == 2).count(), 10, "{went:?}");
}

#[test]
fn lanes_come_after_priorities_and_of_reads_and_writes_neither_waits_for_all_of_the_others() {
    let mut state: State<()> = State::new(Rates::documented(), 1, Instant::now());
    let now = Instant::now();
    let go = |ticket: Ticket, state: &mut State<()>| {
        granted(state, ticket, now).inspect(|grant| state.ended(grant, false, now)).is_some()
    };
    for lane in 1..4 {
        let first = state.join(Turn { priority: CHANGE, lane }, true, ());
        let urgent = state.join(Turn { priority: DELETION, lane: 0 }, true, ());
        assert!(!go(first, &mut state) && go(urgent, &mut state) && go(first, &mut state));
    }
    let reads: Vec<Ticket> = (0..10).map(|_| state.join(Turn { priority: CHANGE, lane: 1 }, false, ())).collect();
    let write = state.join(Turn { priority: CHANGE, lane: 2 }, true, ());
    let before = reads.iter().take_while(|read| go(**read, &mut state)).count();
    assert!(before <= 1 && go(write, &mut state), "{before}");
    assert!(reads[before..].iter().all(|read| go(*read, &mut state)));
}
