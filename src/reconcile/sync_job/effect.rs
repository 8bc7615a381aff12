//! One step, carried out. Nothing is decided here: each step becomes calls, and their outcome one value.

use super::scene::{Learnt, Scene};
use super::{change, look, record};
use crate::api::SyncJob;
use crate::cluster::object::Handle;
use crate::plan::Step;

pub(super) async fn carry_out(step: &Step, scene: &Scene<'_>, handle: &mut Handle<SyncJob>) -> Learnt {
    match step {
        Step::Look(look) => look::look(*look, scene, handle.object()).await.into(),
        Step::Record(record) => record::record(record, scene, handle).await,
        Step::Change(change) => change::change(change, scene).await,
    }
}
