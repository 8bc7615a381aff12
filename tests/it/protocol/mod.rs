//! The create protocol, searched exhaustively: real `decide`, every interleaving of two SyncJobs (or of two operators on
//! one SyncJob) with crashes, lost answers, late commits and stale lists. What the model assumes is what the settle
//! window promises: once it has passed, no request of that intent is on its way and its job, if any, is visible.

mod model;
mod moves;

use model::{Protocol, Without};
use stateright::{Checker, HasDiscoveries, Model};

fn search(actors: &[usize], without: Without) -> Vec<&'static str> {
    explore(Protocol { actors: actors.to_vec(), adoption: false, faults_max: 2, nonces_max: 3, without })
}

/// The same with a job that is there already and that each SyncJob may adopt.
fn search_adoption(actors: &[usize], without: Without) -> Vec<&'static str> {
    explore(Protocol { actors: actors.to_vec(), adoption: true, faults_max: 2, nonces_max: 3, without })
}

fn explore(model: Protocol) -> Vec<&'static str> {
    let without = model.without;
    let enough = if without == Without::Nothing { HasDiscoveries::All } else { HasDiscoveries::AnyFailures };
    let checker = model.checker().threads(2).finish_when(enough).spawn_bfs().join();
    let violated = checker
        .discoveries()
        .into_iter()
        .filter(|(name, _)| *name != "a job is started")
        .map(|(name, path)| {
            if without == Without::Nothing {
                eprintln!("{name}: {:#?}", path.into_actions());
            }
            name
        })
        .collect();
    eprintln!("{without:?}: {} states", checker.unique_state_count());
    violated
}

const TWINS: &[usize] = &[0, 1];
const TWO_OPERATORS: &[usize] = &[0, 0];

#[test]
fn two_sync_jobs_for_one_job_never_make_two() {
    assert_eq!(search(TWINS, Without::Nothing), Vec::<&str>::new());
}

#[test]
fn two_operators_on_one_sync_job_never_make_two_jobs() {
    assert_eq!(search(TWO_OPERATORS, Without::Nothing), Vec::<&str>::new());
}

#[test]
fn without_the_intent_the_search_finds_a_second_job() {
    assert!(search(TWINS, Without::Intent).contains(&"never two jobs"));
}

#[test]
fn without_binding_first_the_search_finds_a_running_job_that_nobody_knows() {
    assert!(search(TWINS, Without::BindFirst).contains(&"a started job is a recorded one"));
}

#[test]
fn without_the_settle_window_the_search_finds_a_second_job() {
    assert!(search(TWINS, Without::SettleWindow).contains(&"never two jobs"));
}

#[test]
fn without_reading_the_rivals_again_the_search_finds_a_second_job() {
    assert!(search(TWINS, Without::RivalRead).contains(&"never two jobs"));
}

#[test]
fn without_giving_way_the_search_finds_a_second_job() {
    assert!(search(TWINS, Without::GivingWay).contains(&"never two jobs"));
}

#[test]
fn without_compare_and_swap_the_search_finds_a_second_job() {
    assert!(search(TWO_OPERATORS, Without::CompareAndSwap).contains(&"never two jobs"));
}

#[test]
fn two_sync_jobs_never_adopt_the_same_job() {
    assert_eq!(search_adoption(TWINS, Without::Nothing), Vec::<&str>::new());
}

#[test]
fn two_operators_adopt_a_job_once() {
    assert_eq!(search_adoption(TWO_OPERATORS, Without::Nothing), Vec::<&str>::new());
}

#[test]
fn without_reading_the_rivals_again_the_search_finds_a_job_that_was_adopted_twice() {
    assert!(search_adoption(TWINS, Without::RivalRead).contains(&"one job is never recorded twice"));
}

#[test]
fn without_the_intent_the_search_finds_a_job_that_was_adopted_twice() {
    assert!(search_adoption(TWINS, Without::Intent).contains(&"one job is never recorded twice"));
}
