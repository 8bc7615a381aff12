//! Saves that may be carried out late, after a newer one: what they wrote is not shown.

use crate::plan::sync_job::world::World;

/// Whether another process may have sent a save before the first one of this process: it may be carried out late. A job that
/// was bound in this pass had nobody before.
pub fn inherits(world: &World) -> bool {
    let view = &world.secrets;
    (view.saved.is_none() || view.first_save) && (view.inherited || !world.bound_for.is_zero())
}

/// Whether an earlier save may still be carried out, or has been after the last one.
pub(in crate::plan) fn in_doubt(world: &World) -> bool {
    world.secrets.doubt.is_some() || world.secrets.saved_now && inherits(world)
}
