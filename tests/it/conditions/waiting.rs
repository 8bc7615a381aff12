//! What waiting costs: after a while, no state has more passes than a job that is well.

use entrain::plan::Standing;
use jiff::SignedDuration;

use super::states;

/// Long enough for every back-off to have reached its bound.
const SETTLING: SignedDuration = SignedDuration::from_hours(6);
const WATCHED: SignedDuration = SignedDuration::from_hours(10);
/// A job that is well is listed once in each poll interval of ten minutes, give or take a tenth.
const POLLS: usize = 67;
/// The most calls of a pass that finds out nothing new: a list, the templates, a create that is refused because a job is
/// there, and the list that looks for it.
const CALLS: usize = 4;
/// A job that is well and declares credentials has its set read at each poll; a test that did not succeed is repeated then.
const CONTENT: usize = 3;
/// Trouble that passes is asked for twice as often: it ends without a word.
const TROUBLE: usize = 2;

#[test]
fn nothing_that_waits_calls_graph_more_often_than_what_is_well() {
    let mut table = Vec::new();
    for section in states::all() {
        for mut state in section.states {
            if state.story.standing().is_none() {
                continue;
            }
            state.story.calls_within(SETTLING);
            let calls = state.story.calls_within(WATCHED);
            let most = match state.story.standing() {
                Some(Standing::Passing) => POLLS * CALLS * TROUBLE,
                Some(Standing::Blocked | Standing::Stuck | Standing::Working) => POLLS * CALLS,
                Some(Standing::Settled) if state.story.declares_content() => POLLS * CONTENT,
                // A preview of a creation asks for the templates as well.
                Some(Standing::Settled | Standing::Suspended) | None => POLLS * 2,
            };
            eprintln!("{calls:>5} of at most {most:>4} in ten hours: {}", state.title);
            if calls > most {
                table.push(format!("{}: {calls} calls in ten hours, at most {most}", state.title));
            }
        }
    }
    assert_eq!(table, Vec::<String>::new());
}
