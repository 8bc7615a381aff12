//! A SyncJob that cannot be read: nothing is decided about its job, and what stands in the way is told.

use crate::api::Reason;
use crate::plan::common::standing::Standing;
use crate::plan::common::wake::Wake;
use crate::plan::sync_job::events::{Event, retained as job_retained};
use crate::plan::sync_job::step::Verdict;

/// What is told of it. `fault` names the member and what was expected there.
pub fn verdict(fault: &str, being_deleted: bool) -> Verdict {
    let deletion = if being_deleted {
        " The SyncJob is being deleted and is not let go, because what is to become of its job cannot be known. Correct the member, or set `spec.deletionPolicy` to Retain to leave the job as it is."
    } else {
        ""
    };
    let message = format!(
        "This version of the operator cannot read the object and does nothing with it: {}. Correct that member, or use a version of the operator that knows it.{deletion}",
        fault.trim_end_matches('.')
    );
    Verdict::stop(Standing::Stuck, Reason::InvalidSpec, message, Wake::OnChange)
}

/// That it was let go and its job stays.
pub fn retained(id: &str) -> Event {
    job_retained(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_member_is_named_and_the_way_out_of_a_deletion_as_well() {
        let plain = verdict("`spec.mode`: unknown variant `Freeze`", false);
        assert!(plain.message.contains("`spec.mode`: unknown variant `Freeze`."), "{}", plain.message);
        assert!(!plain.message.contains("Retain"));
        let deleted = verdict("`spec.mode`: unknown variant `Freeze`", true);
        assert!(deleted.message.contains("set `spec.deletionPolicy` to Retain"));
        assert_eq!((deleted.standing, deleted.reason, deleted.step), (Standing::Stuck, Reason::InvalidSpec, None));
    }
}
