//! The budget as a state: a run is a list of what happens when, and the same list has the same end.

use proptest::prelude::*;

use super::line::PASSED_OVER_MAX;
use super::*;

const SECOND: Duration = Duration::from_secs(1);
const POLL: Priority = Priority::Poll;
const CHANGE: Priority = Priority::Change;
const DELETION: Priority = Priority::Deletion;

/// So many writes in a second at most, and as many units as there may be.
fn writes(per_second: f64) -> State<()> {
    let rates = Rates { writes_per_minute: per_second * 60.0, ..Rates::documented() };
    State::new(rates, 1000, Instant::now())
}

fn granted(state: &mut State<()>, ticket: Ticket, now: Instant) -> Option<Grant> {
    match state.look(ticket, now) {
        Look::Granted(grant) => Some(grant),
        Look::Wait { .. } => None,
    }
}

/// Lets writes leave as fast as they may for a time, one hundredth of a second after the other, and answers how many left.
/// `accepts` is what Graph does with each.
fn drive(
    state: &mut State<()>,
    now: &mut Instant,
    seconds: f64,
    mut accepts: impl FnMut(Instant) -> Result<Told, Duration>,
) -> u32 {
    let (mut left, end) = (0, *now + Duration::from_secs_f64(seconds));
    let mut ticket = state.join(CHANGE, true, ());
    while *now < end {
        while let Some(grant) = granted(state, ticket, *now) {
            left += 1;
            ticket = state.join(CHANGE, true, ());
            match accepts(*now) {
                Ok(told) => state.accepted(&grant, &told, *now),
                Err(wait) => {
                    state.exceeded(&grant, &Told::default(), *now);
                    state.opens(*now + wait, *now);
                }
            }
            state.ended(&grant, true, *now);
        }
        *now += Duration::from_millis(10);
    }
    state.leave(ticket);
    left
}

/// What Graph may be: a bucket of so many writes in a second, which refuses for a second when it is empty.
struct Graph {
    level: f64,
    most: f64,
    rate: f64,
    at: Instant,
    accepted: f64,
    refused: f64,
}

impl Graph {
    fn new(rate: f64, seconds: f64, at: Instant) -> Self {
        Self { level: rate * seconds, most: rate * seconds, rate, at, accepted: 0.0, refused: 0.0 }
    }

    fn accepts(&mut self, now: Instant) -> Result<Told, Duration> {
        self.level = (self.level + self.rate * (now - self.at).as_secs_f64()).min(self.most);
        self.at = now;
        if self.level < 1.0 {
            self.refused += 1.0;
            return Err(SECOND);
        }
        self.level -= 1.0;
        self.accepted += 1.0;
        Ok(Told::default())
    }
}

fn near(found: f64, wanted: f64) {
    assert!((found / wanted - 1.0).abs() < 0.02, "{found}, not {wanted}");
}

#[test]
fn a_rate_that_is_configured_is_kept_and_none_is_above_the_documented_one() {
    let (units, all) = writes(1e9).rates();
    assert_eq!((units, all), (344.75, 19.7));
    for nonsense in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(writes(nonsense).rates().1, 19.7);
    }
    assert!(writes(0.0).rates().1 > 0.0);
    let (mut state, mut now) = (writes(5.0), Instant::now());
    near(f64::from(drive(&mut state, &mut now, 100.0, |_| Ok(Told::default()))), 507.0);
    state.set_rates(Rates { writes_per_minute: 60.0, ..Rates::documented() });
    near(f64::from(drive(&mut state, &mut now, 100.0, |_| Ok(Told::default()))), 100.0);
    state.set_rates(Rates::documented());
    drive(&mut state, &mut now, 60.0, |_| Ok(Told::default()));
    assert_eq!(state.rates().1, 19.7, "a configured rate is no limit that Graph was found to have");
}

#[test]
fn the_documented_limits_hold_in_every_window_from_the_first_request_on() {
    let (mut state, mut now) = (writes(20.0), Instant::now());
    let first = drive(&mut state, &mut now, 150.0, |_| Ok(Told::default()));
    assert!((2900..3000).contains(&first), "{first}");
}

#[test]
fn a_429_halves_the_rate_once_for_all_that_were_in_flight() {
    let (mut state, mut now) = (writes(20.0), Instant::now());
    drive(&mut state, &mut now, 60.0, |_| Ok(Told::default()));
    let flight: Vec<Grant> = (0..2)
        .map(|_| {
            now += SECOND;
            let ticket = state.join(CHANGE, true, ());
            granted(&mut state, ticket, now).unwrap()
        })
        .collect();
    let before = state.rates();
    state.exceeded(&flight[0], &Told::default(), now);
    let halved = state.rates();
    assert!(halved.1 <= before.1 / 2.0 && halved.1 > before.1 / 3.0, "{before:?} {halved:?}");
    assert_eq!(halved.0, before.0, "units are another limit");
    state.exceeded(&flight[1], &Told::default(), now);
    assert_eq!(state.rates(), halved);

    let ticket = state.join(CHANGE, true, ());
    now += SECOND;
    let later = granted(&mut state, ticket, now).unwrap();
    state.exceeded(&later, &Told::default(), now);
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
        let ticket = state.join(CHANGE, write, ());
        let grant = granted(&mut state, ticket, now).unwrap();
        state.exceeded(&grant, &Told { exceeded, ..Told::default() }, now);
        let rates = state.rates();
        assert_eq!((rates.0 < 344.0, rates.1 < 19.0), (units, writes_cut), "{write} {exceeded:?}");
    }
}

#[test]
fn the_rate_never_falls_below_a_floor_and_comes_back_from_it() {
    let (mut state, mut now) = (writes(20.0), Instant::now());
    drive(&mut state, &mut now, 600.0, |_| Err(SECOND));
    near(state.rates().1, 0.197);
    drive(&mut state, &mut now, 900.0, |_| Ok(Told::default()));
    assert_eq!(state.rates().1, 19.7);
}

#[test]
fn after_a_wait_nothing_leaves_before_its_end_and_then_little_which_doubles_every_second() {
    let (mut state, mut now) = (writes(16.0), Instant::now());
    drive(&mut state, &mut now, 30.0, |_| Ok(Told::default()));
    state.opens(now + 10 * SECOND, now);
    state.opens(now + 5 * SECOND, now);
    assert_eq!(drive(&mut state, &mut now, 10.0, |_| Ok(Told::default())), 0);
    let seconds: Vec<u32> = (0..7).map(|_| drive(&mut state, &mut now, 1.0, |_| Ok(Told::default()))).collect();
    for (left, most) in seconds.iter().zip([2, 3, 5, 9, 17, 17, 17]) {
        assert!(*left <= most, "{seconds:?}");
    }
    assert!(seconds[0] >= 1 && seconds[5] >= 15 && seconds[6] >= 15, "{seconds:?}");
}

#[test]
fn an_opening_at_once_has_no_burst() {
    let (mut state, now) = (writes(20.0), Instant::now());
    state.opens(now, now);
    let tickets: Vec<Ticket> = (0..5).map(|_| state.join(CHANGE, true, ())).collect();
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
    let shows = |usage| Told { usage: Some(usage), ..Told::default() };
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
        drive(&mut state, &mut now, 60.0, |_| Ok(Told::default()));
        drive(&mut state, &mut now, 0.5, |_| Err(Duration::ZERO));
        drive(&mut state, &mut now, 4.0, |_| Ok(Told { usage, ..Told::default() }));
        let before = state.rates().1;
        drive(&mut state, &mut now, 3.0, |_| Ok(Told { usage, ..Told::default() }));
        state.rates().1 - before
    };
    let (free, near_limit, at_limit) = (grown(None), grown(Some(0.9)), grown(Some(1.0)));
    assert!(free > 0.1 && near_limit < free * 0.6 && near_limit > free * 0.4 && at_limit == 0.0, "{free} {near_limit}");
}

#[test]
fn a_dear_request_is_paid_for_when_its_price_is_known() {
    let (mut state, now) = (writes(20.0), Instant::now());
    let dear = Told { units: Some(5.0), ..Told::default() };
    let mut left = 0;
    loop {
        let ticket = state.join(POLL, false, ());
        let Some(grant) = granted(&mut state, ticket, now) else { break };
        state.accepted(&grant, &dear, now);
        left += 1;
    }
    assert_eq!(left, 7, "34 units at five each");
}

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

#[derive(Clone, Copy, Debug)]
enum Event {
    Send { write: bool, priority: Priority },
    Answer(Option<f64>),
    Throttled { write: bool, wait: u16 },
    Unsent,
    Passes(u16),
    Configured(f64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => (any::<bool>(), prop_oneof![Just(POLL), Just(CHANGE), Just(DELETION)])
            .prop_map(|(write, priority)| Event::Send { write, priority }),
        4 => proptest::option::of(0.0..1.8).prop_map(Event::Answer),
        1 => (any::<bool>(), 0u16..10_000).prop_map(|(write, wait)| Event::Throttled { write, wait }),
        1 => Just(Event::Unsent),
        6 => (0u16..2000).prop_map(Event::Passes),
        1 => (0.1..2000.0).prop_map(Event::Configured),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_window_has_more_than_the_ceiling_and_a_burst(events in proptest::collection::vec(event(), 1..400)) {
        let begin = Instant::now();
        let (mut now, mut state) = (begin, State::new(Rates::documented(), 8, begin));
        let (mut waiting, mut flight): (Vec<Ticket>, Vec<(Grant, Instant)>) = Default::default();
        let (mut units, mut sent_writes, mut opens): (Vec<Instant>, Vec<Instant>, Instant) = (Vec::new(), Vec::new(), begin);
        for event in events {
            match event {
                Event::Send { write, priority } => waiting.push(state.join(priority, write, ())),
                Event::Passes(millis) => now += Duration::from_millis(millis.into()),
                Event::Configured(per_minute) => {
                    state.set_rates(Rates { writes_per_minute: per_minute, ..Rates::documented() });
                }
                Event::Answer(usage) => if let Some((grant, _)) = flight.pop() {
                    state.accepted(&grant, &Told { usage, ..Told::default() }, now);
                    state.ended(&grant, true, now);
                },
                Event::Throttled { write, wait } => if let Some((grant, _)) = flight.pop() {
                    let exceeded = Some(if write { Counted::Writes } else { Counted::Units });
                    state.exceeded(&grant, &Told { exceeded, ..Told::default() }, now);
                    opens = opens.max(now + Duration::from_millis(wait.into()));
                    state.opens(opens, now);
                    state.ended(&grant, true, now);
                },
                Event::Unsent => if let Some((grant, left)) = flight.pop() {
                    state.ended(&grant, false, now);
                    let unsent = |sent: &mut Vec<Instant>| {
                        let at = sent.iter().rposition(|at| *at == left).unwrap();
                        sent.remove(at);
                    };
                    unsent(&mut units);
                    if grant.write { unsent(&mut sent_writes); }
                },
            }
            let mut index = 0;
            while index < waiting.len() {
                let ticket = waiting[index];
                if let Some(grant) = granted(&mut state, ticket, now) {
                    prop_assert!(flight.len() < 8);
                    waiting.remove(index);
                    units.push(now);
                    if grant.write { sent_writes.push(now); }
                    flight.push((grant, now));
                    index = 0;
                } else {
                    index += 1;
                }
            }
            let (units_rate, writes_rate) = state.rates();
            prop_assert!(units_rate <= 344.75 && writes_rate <= 19.7 && writes_rate > 0.0);
        }
        for (sent, rate, burst) in [(&units, 344.75, 34.475), (&sent_writes, 19.7, 29.55)] {
            for (first, from) in sent.iter().enumerate() {
                for (last, to) in sent.iter().enumerate().skip(first) {
                    let most = burst + rate * (*to - *from).as_secs_f64();
                    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
                    let count = (last - first + 1) as f64;
                    prop_assert!(count <= most + 1e-6, "{count} of {most}");
                }
            }
        }
    }
}
