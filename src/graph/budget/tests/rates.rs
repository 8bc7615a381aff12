//! How the rate follows what Graph shows.

#![allow(clippy::float_cmp, reason = "the same arithmetic gives the same number")]

use super::*;

#[test]
fn a_rate_that_is_configured_is_kept_and_none_is_above_the_documented_one() {
    let (units, all) = writes(1e9).rates();
    assert_eq!((units, all), (344.75, 19.7));
    for nonsense in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(writes(nonsense).rates().1, 19.7);
    }
    assert!(writes(0.0).rates().1 > 0.0);
    let (mut state, mut now) = (writes(5.0), Instant::now());
    near(f64::from(drive(&mut state, &mut now, 100.0, |_| Ok(Reported::default()))), 507.0);
    state.set_rates(Rates { writes_per_minute: 60.0, ..Rates::documented() });
    near(f64::from(drive(&mut state, &mut now, 100.0, |_| Ok(Reported::default()))), 100.0);
    state.set_rates(Rates::documented());
    drive(&mut state, &mut now, 60.0, |_| Ok(Reported::default()));
    assert_eq!(state.rates().1, 19.7, "a configured rate is no limit that Graph was found to have");
}

#[test]
fn the_documented_limits_hold_in_every_window_from_the_first_request_on() {
    let (mut state, mut now) = (writes(20.0), Instant::now());
    let first = drive(&mut state, &mut now, 150.0, |_| Ok(Reported::default()));
    assert!((2900..3000).contains(&first), "{first}");
}

#[test]
fn a_429_halves_the_rate_once_for_all_that_were_in_flight() {
    let (mut state, mut now) = (writes(20.0), Instant::now());
    drive(&mut state, &mut now, 60.0, |_| Ok(Reported::default()));
    let flight: Vec<Grant> = (0..2)
        .map(|_| {
            now += SECOND;
            let ticket = join(&mut state, CHANGE, true);
            granted(&mut state, ticket, now).unwrap()
        })
        .collect();
    let before = state.rates();
    state.exceeded(&flight[0], &Reported::default(), now);
    let halved = state.rates();
    assert!(halved.1 <= before.1 / 2.0 && halved.1 > before.1 / 3.0, "{before:?} {halved:?}");
    assert_eq!(halved.0, before.0, "units are another limit");
    state.exceeded(&flight[1], &Reported::default(), now);
    assert_eq!(state.rates(), halved);

    let ticket = join(&mut state, CHANGE, true);
    now += SECOND;
    let later = granted(&mut state, ticket, now).unwrap();
    state.exceeded(&later, &Reported::default(), now);
    assert!(state.rates().1 < halved.1);
}

#[test]
fn a_429_is_about_the_limit_that_it_names_or_else_that_of_its_kind() {
    for (write, exceeded, units, writes_cut) in [
        (true, None, false, true),
        (false, None, true, false),
        (true, Some(Counted::Units), true, false),
        (true, Some(Counted::Requests), true, false),
        (false, Some(Counted::Writes), false, true),
    ] {
        let (mut state, now) = (writes(20.0), Instant::now());
        let ticket = join(&mut state, CHANGE, write);
        let grant = granted(&mut state, ticket, now).unwrap();
        state.exceeded(&grant, &Reported { exceeded, ..Reported::default() }, now);
        let rates = state.rates();
        assert_eq!((rates.0 < 344.0, rates.1 < 19.0), (units, writes_cut), "{write} {exceeded:?}");
    }
}

#[test]
fn the_rate_never_falls_below_a_floor_and_comes_back_from_it() {
    let (mut state, mut now) = (writes(20.0), Instant::now());
    drive(&mut state, &mut now, 600.0, |_| Err(SECOND));
    near(state.rates().1, 0.197);
    drive(&mut state, &mut now, 900.0, |_| Ok(Reported::default()));
    assert_eq!(state.rates().1, 19.7);
}

#[test]
fn after_a_wait_nothing_leaves_before_its_end_and_then_little_which_doubles_every_second() {
    let (mut state, mut now) = (writes(16.0), Instant::now());
    drive(&mut state, &mut now, 30.0, |_| Ok(Reported::default()));
    state.opens(now + 10 * SECOND, now);
    state.opens(now + 5 * SECOND, now);
    assert_eq!(drive(&mut state, &mut now, 10.0, |_| Ok(Reported::default())), 0);
    let seconds: Vec<u32> = (0..7).map(|_| drive(&mut state, &mut now, 1.0, |_| Ok(Reported::default()))).collect();
    for (left, most) in seconds.iter().zip([2, 3, 5, 9, 17, 17, 17]) {
        assert!(*left <= most, "{seconds:?}");
    }
    assert!(seconds[0] >= 1 && seconds[5] >= 15 && seconds[6] >= 15, "{seconds:?}");
}

#[test]
fn an_opening_at_once_has_no_burst() {
    let (mut state, now) = (writes(20.0), Instant::now());
    state.opens(now, now);
    let tickets: Vec<Ticket> = (0..5).map(|_| join(&mut state, CHANGE, true)).collect();
    assert_eq!(tickets.into_iter().filter(|ticket| granted(&mut state, *ticket, now).is_some()).count(), 1);
}

#[test]
fn a_limit_below_the_documented_one_is_found_and_tested_less_and_less_often() {
    let mut now = Instant::now();
    let (mut state, mut graph) = (writes(20.0), Graph::new(5.0, 10.0, now));
    drive(&mut state, &mut now, 60.0, |now| graph.accepts(now));
    near(state.rates().1, 4.925);
    let mut refusals = Vec::new();
    for _ in 0..4 {
        let refused = graph.refused;
        drive(&mut state, &mut now, 1200.0, |now| graph.accepts(now));
        refusals.push(graph.refused - refused);
    }
    assert!(refusals[3] <= refusals[0] && refusals[3] <= 6.0, "{refusals:?}");
    assert!(graph.accepted / (5.0 * 4860.0) > 0.97, "{}", graph.accepted);
}

#[test]
fn a_limit_that_changes_is_followed_down_at_once_and_up_slowly() {
    let mut now = Instant::now();
    let (mut state, mut graph) = (writes(20.0), Graph::new(15.0, 10.0, now));
    drive(&mut state, &mut now, 600.0, |now| graph.accepts(now));
    (graph.rate, graph.most) = (4.0, 40.0);
    drive(&mut state, &mut now, 60.0, |now| graph.accepts(now));
    assert!(state.rates().1 <= 4.1, "{:?}", state.rates());
    (graph.rate, graph.most) = (12.0, 120.0);
    let after: Vec<f64> = (0..20)
        .map(|_| {
            drive(&mut state, &mut now, 60.0, |now| graph.accepts(now));
            state.rates().1
        })
        .collect();
    assert!(after[0] < 6.0 && after[19] > 10.0, "{after:?}");
}

#[test]
fn a_rate_that_nobody_uses_does_not_grow_beyond_what_is_known() {
    let mut now = Instant::now();
    let (mut state, mut graph) = (writes(20.0), Graph::new(5.0, 10.0, now));
    drive(&mut state, &mut now, 60.0, |now| graph.accepts(now));
    for _ in 0..1000 {
        now += SECOND;
        state.ended(&Grant { write: false, units_cuts: 0, writes_cuts: 0 }, true, now);
    }
    assert!(state.rates().1 < 5.1, "{:?}", state.rates());
}

#[test]
fn it_slows_down_ahead_of_the_limit_in_proportion_and_not_for_what_is_past() {
    let shows = |usage| Reported { usage: Some(usage), ..Reported::default() };
    let slowed = |first, then| {
        let (mut state, mut now) = (writes(20.0), Instant::now());
        drive(&mut state, &mut now, 3.0, |_| Ok(shows(first)));
        let before = state.rates().1;
        drive(&mut state, &mut now, 1.5, |_| Ok(shows(then)));
        state.rates().1 / before
    };
    near(slowed(0.5, 0.79), 1.0);
    near(slowed(0.85, 0.855), 1.0);
    let (some, more) = (slowed(0.9, 0.93), slowed(0.9, 0.96));
    assert!(some < 0.97 && more < some && more >= 0.5, "{some} {more}");
    near(slowed(0.99, 0.95), 1.0);
    let (mut state, mut now) = (writes(20.0), Instant::now());
    drive(&mut state, &mut now, 600.0, |_| Ok(shows(1.5)));
    near(state.rates().1, 0.197);
}

#[test]
fn usage_that_rises_slows_the_growth() {
    let grown = |usage: Option<f64>| {
        let (mut state, mut now) = (writes(20.0), Instant::now());
        drive(&mut state, &mut now, 60.0, |_| Ok(Reported::default()));
        drive(&mut state, &mut now, 0.5, |_| Err(Duration::ZERO));
        drive(&mut state, &mut now, 4.0, |_| Ok(Reported { usage, ..Reported::default() }));
        let before = state.rates().1;
        drive(&mut state, &mut now, 3.0, |_| Ok(Reported { usage, ..Reported::default() }));
        state.rates().1 - before
    };
    let (free, near_limit, at_limit) = (grown(None), grown(Some(0.9)), grown(Some(1.0)));
    assert!(free > 0.1 && near_limit < free * 0.6 && near_limit > free * 0.4 && at_limit == 0.0, "{free} {near_limit}");
}

#[test]
fn a_dear_request_is_paid_for_when_its_price_is_known() {
    let (mut state, now) = (writes(20.0), Instant::now());
    let dear = Reported { units: Some(5.0), ..Reported::default() };
    let mut left = 0;
    loop {
        let ticket = join(&mut state, POLL, false);
        let Some(grant) = granted(&mut state, ticket, now) else { break };
        state.accepted(&grant, &dear, now);
        left += 1;
    }
    assert_eq!(left, 7, "34 units at five each");
}
