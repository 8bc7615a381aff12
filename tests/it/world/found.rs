//! What the search found in the product, each with the schedule that showed it.

use super::controls::drawn;
use super::run::run;

#[test]
fn what_was_found_is_not_found_again() {
    // A stale list showed the run state of the job that had the id before, and the new job was never started; a watch that
    // lagged showed an operator a SyncJob that another one had let go of, and its DELETE hit the successor's job.
    for (guard, seed) in [("tombstones", 502), ("list after rivals", 2140)] {
        let (setup, schedule) = drawn(guard, seed);
        let outcome = run(setup, &schedule);
        assert!(outcome.violations.is_empty(), "{guard} {seed}: {:?}\n{}", outcome.violations, outcome.story);
    }
}
