//! The windows and limits that decisions use. All come from the operator's flags.

use std::time::Duration;

use super::without::Without;

/// Most ids that an intent records. The CRD bounds the list by the same number.
pub const BASELINE_JOBS_MAX: usize = 200;
/// Consecutive lists without the job before absence is believed: answers flap between Graph's replicas.
pub const ABSENCES_MIN: u32 = 3;
/// After a start was accepted, Graph may show the old state for one or two minutes; another start is not sent before.
pub const START_REPEAT: Duration = Duration::from_secs(120);
/// A pause lets a running cycle finish first, so it may take much longer to show.
pub const PAUSE_REPEAT: Duration = Duration::from_secs(1800);
/// What somebody else changed is reverted at most this often, so that two managers of one job never fight in a loop.
pub const CORRECTION_SPACING: Duration = Duration::from_secs(3600);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// How long a create request that nobody waits for any more may still take effect unseen: the longest time of one
    /// request, plus the time it may commit after we gave up, plus the lag of lists. Counted on a monotonic clock from
    /// the moment this process first saw the intent.
    pub settle_window: Duration,
    /// How long lists of an existing service principal must have lacked a job before `missingJobPolicy: Recreate` replaces
    /// it, and before a deletion stops waiting for the job of a restored service principal: provisioning data returns
    /// within a day (`delete-recover-faq` of the Entra documentation).
    pub recreate_after: Duration,
    /// How long after its creation a job that Graph does not show counts as "not yet" rather than "gone".
    pub missing_grace: Duration,
    /// How long trouble that may be transient (a role being propagated) stays `Reconciling` before it is `Stalled`.
    pub stalled_grace: Duration,
    /// Minimum interval between retries of errors that need human action: a missing permission, a refused request.
    pub slow_retry: Duration,
    /// How long the deletion of a SyncJob in a namespace that is itself being deleted waits for a login. Its Secret or
    /// ServiceAccount may have gone first, and a namespace must never hang.
    pub left_behind_after: Duration,
    /// For the search only.
    #[doc(hidden)]
    pub without: Without,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            settle_window: Duration::from_secs(180),
            recreate_after: Duration::from_secs(24 * 3600),
            missing_grace: Duration::from_secs(15 * 60),
            stalled_grace: Duration::from_secs(5 * 60),
            slow_retry: Duration::from_secs(60),
            left_behind_after: Duration::from_secs(10 * 60),
            without: Without::default(),
        }
    }
}
