//! What the budgets of a tenant and of an application have in common.

use std::time::Duration;

/// Of the documented limits this part is used: others may use them as well, and what leaves evenly does not arrive evenly.
/// With the bursts, any window of the documented length stays below the limit.
pub(super) const SHARE: f64 = 0.985;
/// How finely the growth of a rate is computed, and the longest time that is.
pub(super) const STEP: Duration = Duration::from_secs(1);
pub(super) const STEPS_MAX: u32 = 120;
/// Any request but a dear read costs one.
pub(super) const COST: f64 = 1.0;
