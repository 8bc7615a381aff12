//! One step, carried out. Nothing is decided here: each step becomes calls, and what came of them a fact.

use super::pass::Pass;
use super::{Context, change, look, record};
use crate::plan::{Desired, Fact, Step, World};

pub(super) async fn act(step: &Step, desired: &Desired, world: &World, pass: &mut Pass, context: &Context) -> Fact {
    match step {
        Step::Look(look) => look::look(*look, desired, pass, context).await,
        Step::Record(record) => record::record(record, desired, world, pass, context).await,
        Step::Change(change) => change::change(change, desired, world, pass, context).await,
    }
}
