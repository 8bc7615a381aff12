//! Refuses settings under which two operators could be active at the same time, or one could create a job twice.

use crate::args::{Operator, RECREATE_AFTER_SECONDS_MIN, SETTLE_WINDOW_SECONDS_MIN};
use crate::cluster::lease;

/// Settings that do not go together, or that would make creation unsafe.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error(
        "--settle-window-seconds is {given}, but must be at least {SETTLE_WINDOW_SECONDS_MIN}: a create request may be in flight for nearly as long, and would be sent a second time"
    )]
    SettleWindow { given: u64 },
    #[error(
        "--recreate-after-seconds is {given}, but must be at least {RECREATE_AFTER_SECONDS_MIN}: the jobs of a restored service principal take a day to return"
    )]
    RecreateAfter { given: u64 },
    #[error(
        "--lease-retry-seconds is {retry}, but must be less than --lease-renew-deadline-seconds, which is {deadline}"
    )]
    LeaseRetry { retry: u64, deadline: u64 },
    #[error(
        "--lease-renew-deadline-seconds is {deadline}, but must be shorter than --lease-duration-seconds, which is {duration}, by at least {margin} seconds"
    )]
    LeaseRenewDeadline { deadline: u64, duration: u64, margin: u64 },
}

/// Refuses settings under which two operators could be active at the same time, or one could create a job twice.
pub(super) fn check(options: &Operator) -> Result<(), SettingsError> {
    let (election, lenient) = (&options.election, options.unsafe_short_windows);
    let given = options.settle_window_seconds;
    if given < SETTLE_WINDOW_SECONDS_MIN && !lenient {
        return Err(SettingsError::SettleWindow { given });
    }
    let given = options.recreate_after_seconds;
    if given < RECREATE_AFTER_SECONDS_MIN && !lenient {
        return Err(SettingsError::RecreateAfter { given });
    }
    let (duration, deadline) = (election.lease_duration_seconds, election.lease_renew_deadline_seconds);
    let retry = election.lease_retry_seconds;
    if retry >= deadline {
        return Err(SettingsError::LeaseRetry { retry, deadline });
    }
    // No write begins in the margin: a holder that still tries to renew in it would hold a lease with which it does nothing.
    let margin = if lenient { 1 } else { lease::MARGIN.as_secs() };
    if deadline + margin > duration {
        return Err(SettingsError::LeaseRenewDeadline { deadline, duration, margin });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn checked(flags: &[&str]) -> Result<(), SettingsError> {
        let line = ["entrain", "operator"].into_iter().chain(flags.iter().copied());
        let Command::Operator(options) = Cli::try_parse_from(line).unwrap().command else { panic!("another command") };
        check(&options)
    }

    #[test]
    fn the_defaults_go_together() {
        assert_eq!(checked(&[]), Ok(()));
    }

    #[test]
    fn a_settle_window_that_a_request_may_outlast_is_refused_unless_a_test_asks_for_it() {
        assert_eq!(checked(&["--settle-window-seconds=119"]), Err(SettingsError::SettleWindow { given: 119 }));
        assert_eq!(checked(&["--settle-window-seconds=120"]), Ok(()));
        assert_eq!(checked(&["--recreate-after-seconds=60"]), Err(SettingsError::RecreateAfter { given: 60 }));
        assert_eq!(checked(&["--settle-window-seconds=0", "--unsafe-short-windows"]), Ok(()));
    }

    #[test]
    fn the_times_of_the_lease_leave_room_for_a_renewal_and_for_the_margin() {
        let lease = |duration, deadline, retry| {
            let flags = [("duration", duration), ("renew-deadline", deadline), ("retry", retry)];
            let flags = flags.map(|(name, seconds): (&str, u64)| format!("--lease-{name}-seconds={seconds}"));
            checked(&flags.each_ref().map(String::as_str))
        };
        assert_eq!(lease(30, 20, 19), Ok(()));
        assert_eq!(lease(30, 20, 20), Err(SettingsError::LeaseRetry { retry: 20, deadline: 20 }));
        let refused = SettingsError::LeaseRenewDeadline { deadline: 21, duration: 30, margin: 10 };
        assert_eq!(lease(30, 21, 5), Err(refused));
        assert!(checked(&["--lease-duration-seconds=15"]).is_err());
        let short = ["--unsafe-short-windows", "--lease-duration-seconds=15", "--lease-renew-deadline-seconds=15"];
        assert!(checked(&short).is_err(), "even a test needs a deadline before the end");
    }
}
