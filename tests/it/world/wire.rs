//! What can happen to a request between its sender and a server: it is lost, its answer is lost, it is carried out late,
//! it is refused on the way, or it fails after it was carried out. A sender that goes away does not call it back.

use std::time::Duration;

use super::schedule::{Schedule, Site};

/// No request is carried out later than this after it was sent.
pub const LATE_MAX: Duration = Duration::from_secs(60);

/// An answer that comes takes no longer than this: just less than the shortest limit of the product.
pub const SLOW_MAX: Duration = Duration::from_millis(9900);

/// An answer of the way itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    /// The seconds of a `Retry-After`.
    pub wait: Option<u32>,
}

/// How a connection ends without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It breaks: the sender knows at once that no answer will come.
    Breaks,
    /// Nothing is heard any more.
    Hangs,
    /// The sender dies.
    Dies,
}

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Answered,
    /// There is no connection: the sender knows that nothing left.
    Unsent,
    /// It never arrives.
    RequestLost(Silence),
    /// It is carried out, and the sender does not hear of it.
    AnswerLost(Silence),
    /// Nothing is heard, and it is carried out that much later.
    Late(Duration),
    /// It is refused and not carried out.
    Refused(Refusal),
    /// It is carried out, and answered like this all the same.
    FailedAfter(Refusal),
    /// It is answered, and its sender dies over the answer.
    DiesWithAnswer,
    /// It is answered, and the answer takes that long.
    Slow(Duration),
}

/// The answers that each kind of server may give in place of its own.
pub struct Answers {
    /// Without an effect.
    pub refusals: &'static [Refusal],
    /// After the effect. Empty for reads: it makes no difference there.
    pub after: &'static [Refusal],
}

impl Fate {
    /// Whether the sender dies of it.
    pub fn is_deadly(self) -> bool {
        matches!(self, Self::RequestLost(Silence::Dies) | Self::AnswerLost(Silence::Dies) | Self::DiesWithAnswer)
    }

    /// Draws what becomes of a request.
    pub fn draw(schedule: &Schedule, site: Site, answers: &Answers) -> Self {
        let (refusals, after) = (answers.refusals.len(), answers.after.len());
        // What happens to an answer, and when, matters for what has an effect.
        let ways = if after == 0 { 5 } else { 10 };
        let kinds = u32::try_from(ways + refusals + after).unwrap();
        let drawn = schedule.fault(site, kinds) as usize;
        match drawn {
            0 => Self::Answered,
            1 => Self::RequestLost(Silence::Breaks),
            2 => Self::RequestLost(Silence::Hangs),
            3 => Self::Unsent,
            4 => Self::RequestLost(Silence::Dies),
            5 => Self::Slow(schedule.part(site, SLOW_MAX)),
            6 if after > 0 => Self::AnswerLost(Silence::Breaks),
            7 if after > 0 => Self::AnswerLost(Silence::Hangs),
            8 if after > 0 => Self::Late(schedule.part(site, LATE_MAX)),
            9 if after > 0 => Self::AnswerLost(Silence::Dies),
            10 if after > 0 => Self::DiesWithAnswer,
            other if other - ways <= refusals => Self::Refused(answers.refusals[other - ways - 1]),
            other => Self::FailedAfter(answers.after[other - ways - refusals - 1]),
        }
    }
}

/// The time that a request and its answer take. Most take none, so that most runs have few timers.
pub fn latency(schedule: &Schedule) -> (Duration, Duration) {
    const MILLIS: [(u64, u64); 8] = [(0, 0), (0, 0), (0, 0), (0, 3), (2, 0), (5, 5), (40, 0), (0, 900)];
    let (there, back) = schedule.one(Site::Latency, &MILLIS);
    (Duration::from_millis(there), Duration::from_millis(back))
}

/// There is no answer, and the sender knows it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broke {
    /// Nothing left.
    #[error("there is no connection")]
    Unsent,
    #[error("the connection broke")]
    Sent,
}

/// Carries a request to its fate. `execute` has the effect and gives the answer.
pub async fn carry<T: Send + 'static>(
    fate: Fate,
    (there, back): (Duration, Duration),
    execute: impl FnOnce() -> T + Send + 'static,
    refuse: impl FnOnce(Refusal) -> T,
) -> Result<T, Broke> {
    match fate {
        Fate::Answered | Fate::DiesWithAnswer => {
            let answer = arrive(there, execute).await;
            wait(back).await;
            Ok(answer)
        }
        Fate::Slow(slow) => {
            let answer = arrive(there, execute).await;
            wait(slow).await;
            Ok(answer)
        }
        Fate::Unsent => Err(Broke::Unsent),
        Fate::RequestLost(silence) => silent(silence, there).await,
        Fate::AnswerLost(silence) => {
            drop(arrive(there, execute).await);
            silent(silence, back).await
        }
        Fate::Late(late) => {
            drop(tokio::spawn(async move {
                tokio::time::sleep(late).await;
                drop(execute());
            }));
            silent(Silence::Hangs, back).await
        }
        Fate::Refused(refusal) => {
            wait(there + back).await;
            Ok(refuse(refusal))
        }
        Fate::FailedAfter(refusal) => {
            drop(arrive(there, execute).await);
            wait(back).await;
            Ok(refuse(refusal))
        }
    }
}

/// What is under way arrives, whether the sender waits for it or not.
async fn arrive<T: Send + 'static>(there: Duration, execute: impl FnOnce() -> T + Send + 'static) -> T {
    if there.is_zero() {
        return execute();
    }
    let arriving = tokio::spawn(async move {
        tokio::time::sleep(there).await;
        execute()
    });
    arriving.await.unwrap()
}

async fn silent<T>(silence: Silence, after: Duration) -> Result<T, Broke> {
    match silence {
        Silence::Breaks => {
            wait(after).await;
            Err(Broke::Sent)
        }
        Silence::Hangs | Silence::Dies => std::future::pending().await,
    }
}

async fn wait(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::super::schedule::Mix;
    use super::*;

    const REFUSAL: Refusal = Refusal { status: 503, wait: None };

    /// The answer within a minute, and whether there was an effect by then, and an hour later.
    async fn fate(fate: Fate) -> (Option<Result<u16, Broke>>, u32, u32) {
        let effects = Arc::new(AtomicU32::new(0));
        let counted = effects.clone();
        let execute = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            200
        };
        let latency = (Duration::from_millis(3), Duration::from_millis(4));
        let carried = carry(fate, latency, execute, |refusal| refusal.status);
        let answer = tokio::time::timeout(Duration::from_secs(30), carried).await.ok();
        let within = effects.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(3600)).await;
        (answer, within, effects.load(Ordering::Relaxed))
    }

    #[tokio::test(start_paused = true)]
    async fn each_fate_has_its_effect_and_its_answer() {
        assert_eq!(fate(Fate::Answered).await, (Some(Ok(200)), 1, 1));
        assert_eq!(fate(Fate::Unsent).await, (Some(Err(Broke::Unsent)), 0, 0));
        assert_eq!(fate(Fate::RequestLost(Silence::Breaks)).await, (Some(Err(Broke::Sent)), 0, 0));
        assert_eq!(fate(Fate::RequestLost(Silence::Hangs)).await, (None, 0, 0));
        assert_eq!(fate(Fate::AnswerLost(Silence::Breaks)).await, (Some(Err(Broke::Sent)), 1, 1));
        assert_eq!(fate(Fate::AnswerLost(Silence::Hangs)).await, (None, 1, 1));
        assert_eq!(fate(Fate::RequestLost(Silence::Dies)).await, (None, 0, 0));
        assert_eq!(fate(Fate::AnswerLost(Silence::Dies)).await, (None, 1, 1));
        assert_eq!(fate(Fate::Slow(SLOW_MAX)).await, (Some(Ok(200)), 1, 1));
        assert_eq!(fate(Fate::DiesWithAnswer).await, (Some(Ok(200)), 1, 1));
        assert_eq!(fate(Fate::Late(Duration::from_secs(45))).await, (None, 0, 1));
        assert_eq!(fate(Fate::Refused(REFUSAL)).await, (Some(Ok(503)), 0, 0));
        assert_eq!(fate(Fate::FailedAfter(REFUSAL)).await, (Some(Ok(503)), 1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_under_way_arrives_although_its_sender_is_gone() {
        let effects = Arc::new(AtomicU32::new(0));
        let counted = effects.clone();
        let execute = move || counted.fetch_add(1, Ordering::Relaxed);
        let sender = tokio::spawn(carry(Fate::Answered, (Duration::from_millis(40), Duration::ZERO), execute, |_| 0));
        tokio::time::sleep(Duration::from_millis(10)).await;
        sender.abort();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(effects.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn every_fate_is_drawn_and_reads_have_no_effect_to_lose() {
        let answers = |after| Answers { refusals: &[REFUSAL], after };
        let drawn = |after: &'static [Refusal]| {
            let schedule = Schedule::mixed(5, Mix::everywhere(u32::MAX, 900));
            let fates: Vec<Fate> = (0..500).map(|_| Fate::draw(&schedule, Site::ApiRead, &answers(after))).collect();
            let distinct = fates.iter().map(std::mem::discriminant).collect::<std::collections::HashSet<_>>().len();
            assert!(fates.contains(&Fate::RequestLost(Silence::Dies)));
            (distinct, fates.contains(&Fate::AnswerLost(Silence::Hangs)))
        };
        assert_eq!(drawn(&[REFUSAL]), (9, true));
        assert_eq!(drawn(&[]), (5, false));
    }
}
