//! The protocol by which jobs are created, adopted and deleted, searched exhaustively: real `decide`, every interleaving
//! of two SyncJobs (or of two operators on one SyncJob) with crashes, lost answers, late commits, stale lists and stale
//! objects, in every world that is still possible: what the id of a job is made of, and what a second create request is
//! answered with. What the model assumes is what the settle window promises: once it has passed, no request of that
//! intent or deletion is on its way and its job, if any, is visible.

mod model;
mod moves;
mod service;

pub use model::{Duplicate, Ids, WORLDS};
use model::{Protocol, Scene, Without};
use stateright::{Checker, HasDiscoveries, Model};

const TWINS: &[usize] = &[0, 1];
const TWO_OPERATORS: &[usize] = &[0, 0];

fn protocol(actors: &[usize], scene: Scene, (ids, duplicate): (Ids, Duplicate), without: Without) -> Protocol {
    // These scenes have more moves: two attempts show as much as three elsewhere.
    let nonces_max = if matches!(scene, Scene::Siblings | Scene::Deletion) { 2 } else { 3 };
    Protocol { actors: actors.to_vec(), scene, ids, duplicate, faults_max: 2, nonces_max, without }
}

/// The world that is likely, and the one that ids by application rule out.
const EXTREMES: &[(Ids, Duplicate)] = &[(Ids::ByApplication, Duplicate::Conflict), (Ids::Random, Duplicate::Second)];

/// `PROTOCOL_FAULTS=2` searches every world with so many faults, which takes minutes. Without it there is one fault, and
/// the extremes stand for all worlds: a second create request, which tells worlds apart, needs two faults.
fn asked_faults() -> Option<u8> {
    std::env::var("PROTOCOL_FAULTS").ok().and_then(|text| text.parse().ok())
}

/// The properties that do not hold in every state.
fn explore(model: Protocol) -> Vec<&'static str> {
    let (without, label) = (model.without, format!("{:?} {:?}", model.scene, (model.ids, model.duplicate)));
    let enough = if without == Without::Nothing { HasDiscoveries::All } else { HasDiscoveries::AnyFailures };
    let began = std::time::Instant::now();
    let checker = model.checker().threads(2).finish_when(enough).spawn_bfs().join();
    let discoveries = checker.discoveries();
    assert!(without != Without::Nothing || discoveries.contains_key("the end is reached"), "{label} is empty");
    let violated = discoveries
        .into_iter()
        .filter(|(name, _)| *name != "the end is reached")
        .map(|(name, path)| {
            if without == Without::Nothing {
                eprintln!("{label}: {name}: {:?}", path.into_actions());
            }
            name
        })
        .collect();
    eprintln!("{without:?} {label}: {} states, {:.1} s", checker.unique_state_count(), began.elapsed().as_secs_f64());
    violated
}

/// What is violated in which world.
fn in_all_worlds(actors: &[usize], scene: Scene) -> Vec<((Ids, Duplicate), Vec<&'static str>)> {
    let worlds = if asked_faults().is_none() { EXTREMES } else { WORLDS };
    let violated = worlds.iter().map(|world| {
        let model = protocol(actors, scene, *world, Without::Nothing);
        (*world, explore(Protocol { faults_max: asked_faults().unwrap_or(1), ..model }))
    });
    violated.filter(|(_, violated)| !violated.is_empty()).collect()
}

/// Whether the search notices in one of the extremes that a guard is missing.
fn notices(actors: &[usize], scene: Scene, without: Without, property: &str) -> bool {
    EXTREMES.iter().rev().any(|world| explore(protocol(actors, scene, *world, without)).contains(&property))
}

#[test]
fn two_sync_jobs_for_one_job_never_make_two_in_any_world() {
    assert_eq!(in_all_worlds(TWINS, Scene::Plain), vec![]);
}

#[test]
fn two_faults_do_not_make_two_jobs_where_a_second_request_would() {
    let world = (Ids::Random, Duplicate::Second);
    assert_eq!(explore(protocol(TWINS, Scene::Plain, world, Without::Nothing)), Vec::<&str>::new());
}

#[test]
fn two_operators_on_one_sync_job_never_make_two_jobs_in_any_world() {
    assert_eq!(in_all_worlds(TWO_OPERATORS, Scene::Plain), vec![]);
}

#[test]
fn two_sync_jobs_never_adopt_the_same_job_in_any_world() {
    assert_eq!(in_all_worlds(TWINS, Scene::Adoption), vec![]);
}

#[test]
fn two_operators_adopt_a_job_once_in_any_world() {
    assert_eq!(in_all_worlds(TWO_OPERATORS, Scene::Adoption), vec![]);
}

#[test]
fn a_job_that_no_list_shows_at_first_is_never_taken_for_our_own() {
    // A request that replaces what is there cannot be told from one that creates.
    let looks = WORLDS.iter().filter(|(_, duplicate)| matches!(duplicate, Duplicate::Conflict | Duplicate::Existing));
    for world in looks {
        assert_eq!(explore(protocol(&[0], Scene::Hidden, *world, Without::Nothing)), Vec::<&str>::new(), "{world:?}");
    }
}

#[test]
fn two_templates_of_one_service_principal_get_a_job_each_in_any_world() {
    assert_eq!(in_all_worlds(TWINS, Scene::Siblings), vec![]);
}

#[test]
fn a_deletion_leaves_nothing_and_hits_no_successor_in_any_world() {
    assert_eq!(in_all_worlds(TWINS, Scene::Deletion), vec![]);
}

#[test]
fn without_the_intent_the_search_finds_a_second_job() {
    assert!(notices(TWINS, Scene::Plain, Without::Intent, "never two jobs"));
}

#[test]
fn without_binding_first_the_search_finds_a_running_job_that_nobody_knows() {
    assert!(notices(TWINS, Scene::Plain, Without::BindFirst, "a started job is a recorded one"));
}

#[test]
fn without_the_settle_window_the_search_finds_a_second_job() {
    assert!(notices(TWINS, Scene::Plain, Without::SettleWindow, "never two jobs"));
}

#[test]
fn without_reading_the_rivals_again_the_search_finds_a_second_job() {
    assert!(notices(TWINS, Scene::Plain, Without::RivalRead, "never two jobs"));
}

#[test]
fn without_giving_way_the_search_finds_a_second_job() {
    assert!(notices(TWINS, Scene::Plain, Without::GivingWay, "never two jobs"));
}

#[test]
fn without_compare_and_swap_the_search_finds_a_second_job() {
    assert!(notices(TWO_OPERATORS, Scene::Plain, Without::CompareAndSwap, "never two jobs"));
}

#[test]
fn without_reading_the_rivals_again_the_search_finds_a_job_that_was_adopted_twice() {
    assert!(notices(TWINS, Scene::Adoption, Without::RivalRead, "one job is never recorded twice"));
}

#[test]
fn without_the_intent_the_search_finds_a_job_that_was_adopted_twice() {
    assert!(notices(TWINS, Scene::Adoption, Without::Intent, "one job is never recorded twice"));
}

#[test]
fn without_a_look_at_the_answer_the_search_finds_somebody_elses_job_recorded() {
    let property = "a job that may not be adopted is never recorded";
    let world = (Ids::ByApplication, Duplicate::Existing);
    assert!(explore(protocol(&[0], Scene::Hidden, world, Without::AnswerCheck)).contains(&property));
}

#[test]
fn with_a_conflict_taken_for_an_unknown_outcome_the_search_finds_somebody_elses_job_recorded() {
    let clear = |without| {
        let world = (Ids::ByApplication, Duplicate::Conflict);
        explore(Protocol { faults_max: 0, ..protocol(&[0], Scene::Hidden, world, without) })
    };
    assert_eq!(clear(Without::Nothing), Vec::<&str>::new());
    assert!(clear(Without::ConflictRefuses).contains(&"a job that may not be adopted is never recorded"));
}

#[test]
fn with_jobs_of_other_templates_taken_for_an_explanation_the_search_finds_no_end() {
    let property = "every state leads to one job, recorded and started";
    assert!(notices(TWINS, Scene::Siblings, Without::OwnTemplate, property));
}

#[test]
fn without_the_window_after_a_deletion_the_search_finds_a_successor_that_was_hit() {
    assert!(notices(TWINS, Scene::Deletion, Without::DeletionWindow, "nobody else's job is deleted"));
}

#[test]
fn without_several_looks_the_search_finds_a_job_that_a_deleted_sync_job_left() {
    assert!(notices(TWINS, Scene::Deletion, Without::SeveralLooks, "a SyncJob that is gone leaves no job"));
}
