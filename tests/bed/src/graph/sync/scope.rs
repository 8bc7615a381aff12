//! Who is in scope: everybody or those who are assigned, and when a change of it shows (CONTRACT §3.10).

use super::catalog::Template;
use super::secrets;
use crate::graph::model::job::Job;
use crate::graph::model::settings::{Settings, SyncAllAbsent, SyncAllWidens};
use crate::graph::model::tenant::{Secret, ServicePrincipal};

/// The scope of one cycle.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope {
    pub everybody: bool,
    /// Entries in it.
    pub entitled: u64,
    /// Entries that the cycle before did not have.
    pub joined: u64,
    /// Entries that leave the target, because they are out of scope.
    pub left: u64,
}

pub fn of(job: &Job, principal: &ServicePrincipal, template: &Template, settings: &Settings) -> Scope {
    let absent = settings.sync_all_absent == SyncAllAbsent::Everybody;
    let wanted = flag(&principal.secrets, "SyncAll").unwrap_or(absent);
    let everybody = match job.everybody {
        // None since a restart, too.
        None => wanted,
        Some(false) => wanted && settings.sync_all_widens == SyncAllWidens::NextCycle,
        Some(true) => true,
    };
    let assigned = principal.target.entries;
    let all = principal.target.everybody.unwrap_or(assigned).max(assigned);
    let others = all - assigned;
    // Cross-tenant synchronization does not know the switch.
    let skips = template.factory_tag != "Azure2Azure"
        && flag(&principal.secrets, "SkipOutOfScopeDeletions").unwrap_or_default();
    Scope {
        everybody,
        entitled: if everybody { all } else { assigned },
        joined: if everybody && !job.holds_everybody { others } else { 0 },
        left: if !everybody && job.holds_everybody && !skips { others } else { 0 },
    }
}

/// A Boolean among the secrets, in any letter case.
fn flag(all: &[Secret], key: &str) -> Option<bool> {
    secrets::value(all, key)?.trim().to_lowercase().parse().ok()
}
