//! The budget as a state: a run is a list of what happens when, and the same list has the same end.

mod order;
mod rates;
mod windows;

use super::super::request::Priority;
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

fn join(state: &mut State<()>, priority: Priority, write: bool) -> Ticket {
    state.join(Turn { priority, lane: 0 }, write, ())
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
    mut accepts: impl FnMut(Instant) -> Result<Reported, Duration>,
) -> u32 {
    let (mut left, end) = (0, *now + Duration::from_secs_f64(seconds));
    let mut ticket = join(state, CHANGE, true);
    while *now < end {
        while let Some(grant) = granted(state, ticket, *now) {
            left += 1;
            ticket = join(state, CHANGE, true);
            match accepts(*now) {
                Ok(reported) => state.accepted(&grant, &reported, *now),
                Err(wait) => {
                    state.exceeded(&grant, &Reported::default(), *now);
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

    fn accepts(&mut self, now: Instant) -> Result<Reported, Duration> {
        self.level = (self.level + self.rate * (now - self.at).as_secs_f64()).min(self.most);
        self.at = now;
        if self.level < 1.0 {
            self.refused += 1.0;
            return Err(SECOND);
        }
        self.level -= 1.0;
        self.accepted += 1.0;
        Ok(Reported::default())
    }
}

fn near(found: f64, wanted: f64) {
    assert!((found / wanted - 1.0).abs() < 0.02, "{found}, not {wanted}");
}
