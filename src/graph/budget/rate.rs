//! How fast requests of one kind may leave: below a ceiling, and adapted to what Graph shows.
//!
//! A 429 halves the rate. What was accepted between two of them in close succession is what Graph really gives, and the rate
//! returns to just below that, holds, and then feels its way up in steps that begin small and grow. A limit that was found
//! where it was before is tested less and less often.

use std::time::Duration;

use tokio::time::Instant;

/// The least, as a part of the ceiling: at this rate it is found out that there is more again.
const FLOOR: f64 = 0.01;
/// How close to a limit that is known the rate stays.
const BELOW_LIMIT: f64 = 0.985;
/// The part of the limit that is regained in a second, up to that.
const REGAINED: f64 = 0.05;
/// How long a limit is believed at first, and at most, before more is tried; in seconds.
const HOLD_MIN: f64 = 60.0;
const HOLD_MAX: f64 = 480.0;
/// The part of the limit by which the rate then grows in the first second, and in how many seconds that part doubles.
const STEP: f64 = 0.002;
const STEP_DOUBLES: f64 = 30.0;
/// A limit that is found again within this part of itself has not changed.
const SAME: f64 = 0.1;
/// Two 429 are in close succession if the second comes so many seconds after the end of the wait of the first.
const CLOSE: f64 = 60.0;
/// With fewer requests accepted in between, nothing is known, unless it took so many seconds.
const COUNTED_MIN: f64 = 10.0;
const COUNTED_SECONDS: f64 = 30.0;
/// Over so many seconds the use is averaged.
const AVERAGED: f64 = 5.0;
/// The part of the rate with which it begins after a wait; it doubles every second.
const RAMP_FROM: f64 = 1.0 / 16.0;
/// From this usage on Graph says how much of the limit is used.
const USAGE_SHOWN: f64 = 0.8;
/// How far ahead the usage is foreseen, in seconds, and the most that the rate is lowered by it in one second.
const FORESEEN: f64 = 10.0;
const SLOWED_MIN: f64 = 0.75;
/// A usage that was shown longer ago says nothing about now.
const USAGE_AGE: Duration = Duration::from_secs(10);

/// How much of the limit was used.
#[derive(Clone, Copy, Debug)]
struct Usage {
    shown: f64,
    at: Instant,
    /// The one before, which the trend is measured against.
    before: (f64, Instant),
}

/// A rate for each second.
#[derive(Debug)]
pub(super) struct Rate {
    ceiling: f64,
    current: f64,
    /// What Graph was found to give.
    limit: Option<f64>,
    /// What was counted last, and was then the limit.
    counted: Option<f64>,
    /// How long the limit is believed, and for how long it has been reached.
    hold: f64,
    held: f64,
    /// How often it was cut. A request that left before the last time shows nothing new.
    cuts: u64,
    /// When it was cut last, and what was accepted since.
    cut_at: Option<Instant>,
    accepted: f64,
    /// When requests left again after the last wait, or will.
    opens: Option<Instant>,
    /// Requests in a second, averaged.
    used: f64,
    usage: Option<Usage>,
}

impl Rate {
    pub fn new(ceiling: f64) -> Self {
        Self {
            ceiling,
            current: ceiling,
            limit: None,
            counted: None,
            hold: HOLD_MIN,
            held: 0.0,
            cuts: 0,
            cut_at: None,
            accepted: 0.0,
            opens: None,
            used: 0.0,
            usage: None,
        }
    }

    pub fn set_ceiling(&mut self, ceiling: f64) {
        self.ceiling = ceiling;
        self.current = self.current.min(ceiling);
    }

    /// What it is adapted to.
    pub fn adapted(&self) -> f64 {
        self.current
    }

    /// What it is at this instant: nothing before the end of a wait, and little directly after it.
    pub fn at(&self, now: Instant) -> f64 {
        let Some(opens) = self.opens else { return self.current };
        let Some(since) = now.checked_duration_since(opens) else { return 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "seconds of a ramp are few")]
        let doubled = (since.as_secs().min(30) as f64).exp2();
        (RAMP_FROM * doubled).min(1.0) * self.current
    }

    /// Whether no wait is in progress.
    pub fn is_open(&self, now: Instant) -> bool {
        self.opens.is_none_or(|opens| opens <= now)
    }

    /// Which cut was the last; a request that leaves now notes it.
    pub fn cuts(&self) -> u64 {
        self.cuts
    }

    pub fn accepted(&mut self, cost: f64) {
        self.accepted += cost;
    }

    /// A wait begins, and a ramp at its end.
    pub fn opens(&mut self, opens: Instant) {
        self.opens = Some(self.opens.map_or(opens, |before| before.max(opens)));
    }

    /// Time has passed, in which this much was used.
    pub fn pass(&mut self, now: Instant, time: Duration, used: f64) {
        let seconds = time.as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        self.used += (used / seconds - self.used) * (1.0 - (-seconds / AVERAGED).exp());
        if self.at(now) >= self.current {
            self.grow(now, seconds);
        }
    }

    fn grow(&mut self, now: Instant, seconds: f64) {
        let limit = self.limit.unwrap_or(self.ceiling);
        let known = (limit * self.limit.map_or(1.0, |_| BELOW_LIMIT)).min(self.ceiling);
        if self.current < known {
            self.current = known.min(self.current + limit * REGAINED * self.free(now) * seconds);
            return;
        }
        self.held += seconds;
        // Growth that nobody uses would show nothing, and be too much once it is used.
        if self.held < self.hold || self.used < self.current / 2.0 {
            return;
        }
        let step = limit * STEP * ((self.held - self.hold) / STEP_DOUBLES).min(16.0).exp2();
        self.current += step * self.free(now) * seconds;
        if self.current >= self.ceiling {
            (self.current, self.limit) = (self.ceiling, None);
        }
    }

    /// How much of the growth is left by the usage that Graph shows: all below 0.8, nothing from the whole limit on.
    fn free(&self, now: Instant) -> f64 {
        let usage = self.usage.filter(|usage| now.saturating_duration_since(usage.at) < USAGE_AGE);
        usage.map_or(1.0, |usage| ((1.0 - usage.shown) / (1.0 - USAGE_SHOWN)).clamp(0.0, 1.0))
    }

    /// Graph shows how much of the limit is used. Where that would be more than all of it in a few seconds, the rate goes
    /// down in proportion. What does not rise any more is left alone: it covers a time that is past.
    pub fn usage(&mut self, now: Instant, shown: Option<f64>) {
        let Some(shown) = shown.filter(|shown| *shown > USAGE_SHOWN) else {
            self.usage = None;
            return;
        };
        let last = self.usage.filter(|usage| now.saturating_duration_since(usage.at) < USAGE_AGE);
        let before = last.map_or((shown, now), |usage| usage.before);
        let seconds = now.saturating_duration_since(before.1).as_secs_f64();
        if seconds < 1.0 {
            self.usage = Some(Usage { shown, at: now, before });
            return;
        }
        self.usage = Some(Usage { shown, at: now, before: (shown, now) });
        let trend = (shown - before.0) / seconds;
        let foreseen = shown + trend * FORESEEN;
        if trend >= 0.0 && foreseen > 1.0 {
            self.current = self.lowered((1.0 / foreseen).max(SLOWED_MIN) * self.current);
        }
    }

    /// A 429 to a request that noted this cut as the last. The use before it is more than the limit where the bucket of Graph
    /// was full; from one 429 to the next in close succession it was empty, and what was accepted is what it gives.
    pub fn exceeded(&mut self, now: Instant, noted: u64) {
        if noted != self.cuts {
            return;
        }
        let used = self.used.min(self.at(now));
        let close = self.opens.is_some_and(|opens| now.saturating_duration_since(opens).as_secs_f64() < CLOSE);
        let since = self.cut_at.filter(|_| close).map(|at| now.saturating_duration_since(at).as_secs_f64());
        let enough = |since: &f64| self.accepted >= COUNTED_MIN || *since >= COUNTED_SECONDS;
        let counted = since.filter(enough).map(|since| self.accepted / since);
        if let Some(counted) = counted {
            let same = self.counted.is_some_and(|before| (counted / before - 1.0).abs() < SAME);
            self.hold = if same { (self.hold * 2.0).min(HOLD_MAX) } else { HOLD_MIN };
            self.counted = Some(counted);
        }
        let showed = Some(used).filter(|used| !close && used * AVERAGED >= COUNTED_MIN);
        self.limit = counted.or(showed).map(|found| found.min(self.current).max(self.floor())).or(self.limit);
        self.current = self.lowered(self.limit.unwrap_or(self.current).min(self.current) / 2.0);
        self.held = 0.0;
        self.cuts += 1;
        // What is not enough to be counted counts for the next time.
        if counted.is_some() || since.is_none() {
            (self.accepted, self.cut_at) = (0.0, Some(now));
        }
    }

    fn lowered(&self, to: f64) -> f64 {
        to.max(self.floor()).min(self.current)
    }

    fn floor(&self) -> f64 {
        self.ceiling * FLOOR
    }
}
