//! The driver of a pass: decide, do, learn, a bounded number of times. Pure; the operator, the preview, the command line
//! and every search run this loop, and differ only in how they carry out a step.

use super::standing::Standing;
use super::verdict::Verdict;
use crate::api::Reason;

/// More steps than the longest way through any decision has; a pass that needs more goes round in circles.
const STEPS_MAX: usize = 16;

/// What decides about one kind of object.
pub trait Decider {
    type World: Clone;
    type Step: Clone + PartialEq;
    type Fact;

    /// Names the next step for what is known. Total: every world has an answer.
    fn decide(&self, world: &Self::World) -> Verdict<Self::Step>;

    /// The world with one more fact.
    #[must_use]
    fn learn(&self, world: Self::World, fact: &Self::Fact) -> Self::World;

    /// Whether the step that ended in this fact did not succeed.
    fn failed(fact: &Self::Fact) -> bool;

    /// Whether nothing is left to work on after this fact.
    fn over(fact: &Self::Fact) -> bool;

    /// The fact that a pass goes round in circles, which is always a defect.
    fn in_circles() -> Self::Fact;
}

/// What comes next in a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next<S> {
    Do(S),
    End,
}

/// A pass over one object.
#[derive(Debug)]
pub struct Pass<D: Decider> {
    decider: D,
    world: D::World,
    done: Vec<(D::Step, D::Fact)>,
    verdict: Verdict<D::Step>,
    ended: bool,
    in_circles: bool,
}

impl<D: Decider> Pass<D> {
    pub fn new(decider: D, world: D::World) -> Self {
        let verdict = decider.decide(&world);
        Self { decider, world, done: Vec::new(), verdict, ended: false, in_circles: false }
    }

    /// The next step, until the pass has ended. A step that failed is not repeated in its pass.
    pub fn next_step(&mut self) -> Next<D::Step> {
        let Some(step) = self.verdict.step.clone().filter(|_| !self.ended) else {
            self.ended = true;
            return Next::End;
        };
        let repeats = self.done.last().is_some_and(|(last, fact)| *last == step && D::failed(fact));
        if repeats || self.done.len() == STEPS_MAX {
            self.world = self.decider.learn(self.world.clone(), &D::in_circles());
            self.in_circles = true;
            self.interrupt();
            return Next::End;
        }
        Next::Do(step)
    }

    /// What came of the step that was last named.
    pub fn learn(&mut self, fact: D::Fact) {
        let Some(step) = self.verdict.step.clone() else { return };
        self.world = self.decider.learn(self.world.clone(), &fact);
        self.ended = D::over(&fact);
        self.done.push((step, fact));
        if self.ended {
            self.verdict.step = None;
        } else {
            self.verdict = self.decider.decide(&self.world);
        }
    }

    /// Ends the pass before the step that was last named.
    pub fn interrupt(&mut self) {
        let cut =
            Verdict { step: None, standing: Standing::Passing, reason: Reason::Interrupted, ..self.verdict.clone() };
        (self.verdict, self.ended) = (cut, true);
    }

    /// Whether the pass was cut short because of a defect.
    pub fn goes_round_in_circles(&self) -> bool {
        self.in_circles
    }

    pub fn world(&self) -> &D::World {
        &self.world
    }

    /// How things stand: final once the pass has ended.
    pub fn verdict(&self) -> &Verdict<D::Step> {
        &self.verdict
    }

    /// The steps so far, and what came of them.
    pub fn done(&self) -> &[(D::Step, D::Fact)] {
        &self.done
    }

    /// The world, how things stand, and the steps that led there.
    pub fn into_parts(self) -> Parts<D> {
        (self.world, self.verdict, self.done)
    }
}

/// A pass taken apart.
pub type Parts<D> =
    (<D as Decider>::World, Verdict<<D as Decider>::Step>, Vec<(<D as Decider>::Step, <D as Decider>::Fact)>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::common::wake::Wake;

    /// Wants to count to ten; each step may fail.
    struct Counter;

    impl Decider for Counter {
        type World = i32;
        type Step = i32;
        type Fact = Result<(), ()>;

        fn decide(&self, world: &i32) -> Verdict<i32> {
            match world {
                10 => Verdict::stop(Standing::Settled, Reason::Running, "Ten.", Wake::OnChange),
                _ => Verdict::take(*world, Reason::Creating, "Counting."),
            }
        }

        fn learn(&self, world: i32, fact: &Self::Fact) -> i32 {
            world + i32::from(fact.is_ok())
        }

        fn failed(fact: &Self::Fact) -> bool {
            fact.is_err()
        }

        fn over(_: &Self::Fact) -> bool {
            false
        }

        fn in_circles() -> Self::Fact {
            Err(())
        }
    }

    #[test]
    fn a_pass_goes_on_until_nothing_is_left_and_no_step_is_repeated_after_it_failed() {
        let mut pass = Pass::new(Counter, 0);
        while let Next::Do(_) = pass.next_step() {
            pass.learn(Ok(()));
        }
        assert_eq!((*pass.world(), pass.verdict().reason, pass.done().len()), (10, Reason::Running, 10));

        let mut pass = Pass::new(Counter, 0);
        while let Next::Do(_) = pass.next_step() {
            pass.learn(Err(()));
        }
        assert_eq!((pass.verdict().reason, pass.done().len()), (Reason::Interrupted, 1));
    }

    #[test]
    fn a_pass_without_an_end_is_cut_short() {
        let mut pass = Pass::new(Counter, -100);
        while let Next::Do(_) = pass.next_step() {
            pass.learn(Ok(()));
        }
        assert_eq!((pass.verdict().reason, pass.done().len()), (Reason::Interrupted, STEPS_MAX));
    }
}
