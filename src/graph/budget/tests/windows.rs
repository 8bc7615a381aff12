//! Whatever happens, no window of time has more than the ceiling and a burst.

use proptest::prelude::*;

use super::*;

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
                Event::Send { write, priority } => waiting.push(join(&mut state, priority, write)),
                Event::Passes(millis) => now += Duration::from_millis(millis.into()),
                Event::Configured(per_minute) => {
                    state.set_rates(Rates { writes_per_minute: per_minute, ..Rates::documented() });
                }
                Event::Answer(usage) => if let Some((grant, _)) = flight.pop() {
                    state.accepted(&grant, &Reported { usage, ..Reported::default() }, now);
                    state.ended(&grant, true, now);
                },
                Event::Throttled { write, wait } => if let Some((grant, _)) = flight.pop() {
                    let exceeded = Some(if write { Counted::Writes } else { Counted::Units });
                    state.exceeded(&grant, &Reported { exceeded, ..Reported::default() }, now);
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
