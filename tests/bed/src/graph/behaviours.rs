//! What the simulator does and how sure we are of it: one table, printed by the control API and the README.

use serde::Serialize;

pub const ALL: &[Behaviour] = &[];

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Behaviour {
    pub what: &'static str,
}
