//! Saves that may be carried out late, after a newer one: what they wrote is not shown.

use crate::plan::sync_job::world::World;

/// Whether an earlier save may still be carried out, or has been after the last one.
pub(in crate::plan) fn in_doubt(world: &World) -> bool {
    world.secrets.doubt.is_some() || world.secrets.saved_now && world.secrets.inherited
}
