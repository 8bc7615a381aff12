//! Schemas and what is known of them, made up, and what must be true of every step that touches mappings.

use std::sync::Arc;
use std::time::Duration;

use entrain::api::{DeletionPolicy, JobOrigin, Mappings, MappingsStatus, Mode, OnRelease};
use entrain::plan::mappings::{
    CHECKED_FOR, Compared, Comparison, Difference, Fault, Released, SAVE_SPACING, View, Wish,
};
use entrain::plan::settings::CORRECTION_SPACING;
use entrain::plan::{Change, Desired, Fact, Look, ObservedJob, Settings, Step, Trouble, World};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Passes in a row that may fail before a job is let go of with its mappings as they are.
pub const TRIES: u32 = 8;

/// Few hashes, so that they meet; one is that of a spec without mappings.
fn hash() -> impl Strategy<Value = String> {
    let nothing = Wish::nothing().hash;
    prop_oneof![3 => Just("w1".to_owned()), 1 => Just("w2".to_owned()), 1 => Just(nothing)]
}

fn confirmation() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["c1", "c2"]).prop_map(str::to_owned)
}

/// Both sides of each limit.
fn age() -> impl Strategy<Value = Duration> {
    prop::sample::select(vec![0, 60, 179, 180, 599, 600, 3599, 3600, 21_599, 21_600]).prop_map(Duration::from_secs)
}

pub fn wish() -> impl Strategy<Value = Option<Wish>> {
    let on_release = option::of(prop::sample::select(vec![OnRelease::Restore, OnRelease::Keep]));
    let wish = on_release.prop_map(|on_release| Wish {
        mappings: Arc::new(Mappings { on_release, ..Mappings::default() }),
        hash: "w1".to_owned(),
    });
    option::of(wish)
}

prop_compose! {
    fn difference()(
        lines in vec(prop::sample::select(vec!["userName: [a] → [b]", "title: removed"]), 0..3),
        (drifted, risky, corrects, lets_go) in (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
        confirmation in confirmation(),
        owned in 0..3_usize,
    ) -> Difference {
        let lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
        let only_if = |held: bool, line: &str| if held { vec![line.to_owned()] } else { Vec::new() };
        Difference {
            drifted: only_if(drifted, "mail: [mail] → [other]"),
            left: Vec::new(),
            risks: only_if(risky && !lines.is_empty(), "fewer objects may be in scope"),
            confirmation,
            owned,
            corrects: corrects && !lines.is_empty(),
            lets_go: lets_go && lines.is_empty(),
            lines,
        }
    }
}

fn compared() -> impl Strategy<Value = Compared> {
    let fault = prop::sample::select(vec![Fault::Invalid, Fault::Ambiguous, Fault::ReadOnly]);
    let why = || vec!["It is wrong.".to_owned()];
    prop_oneof![
        4 => difference().prop_map(Compared::Differs),
        1 => fault.prop_map(move |fault| Compared::Faulty(fault, why())),
        1 => Just(Compared::TestsFailed(why())),
    ]
}

prop_compose! {
    /// What observation can find before a pass has looked.
    pub fn view()(
        status in option::of((0..3_i32).prop_map(|owned| MappingsStatus { owned, ..MappingsStatus::default() })),
        checked in option::of((hash(), age())),
        recalled in option::of((hash(), compared(), age())),
        saved in option::of(age()),
        revision in option::of(Just("applied-1".to_owned())),
        confirmed in option::of(confirmation()),
    ) -> View {
        let recalled = recalled.map(|(wish, outcome, age)| (Comparison::new(&wish, outcome), age));
        View { status, checked, recalled, saved: saved.map(|age| (None, age)), revision, confirmed, ..View::default() }
    }
}

prop_compose! {
    /// In the middle of a pass. A look of the pass has compared the present wish, as [`fit`] sees to.
    pub fn learnt()(
        view in view(),
        seen in option::of(compared()),
        (saved_now, refused, released) in (prop::bool::weighted(0.1), prop::bool::weighted(0.1), option::weighted(0.1, any::<bool>())),
    ) -> View {
        let kept = |restored| if restored { Released::Restored { lines: Vec::new(), left: Vec::new() } } else { Released::Kept("So.".to_owned()) };
        View {
            seen: seen.map(|outcome| Comparison::new("", outcome)),
            saved_now,
            refused: refused.then(|| "No.".to_owned()),
            released: released.map(kept),
            ..view
        }
    }
}

prop_compose! {
    /// A recorded job with which nothing else is the matter, so that a pass comes to its mappings.
    pub fn calm()(
        mappings in learnt(),
        state in prop::sample::select(vec!["Active", "Disabled"]),
        (deletion_requested, elsewhere, known) in (prop::bool::weighted(0.3), prop::bool::weighted(0.2), prop::bool::weighted(0.8)),
        failures in prop::sample::select(vec![0, TRIES - 1, TRIES]),
    ) -> World {
        let id = "BoxOutDelta.1".to_owned();
        let job = ObservedJob { id: id.clone(), schedule_state: Some(state.to_owned()), ..ObservedJob::default() };
        let tenant = if elsewhere && deletion_requested { "t2" } else { "t1" };
        let mut world = World {
            finalizer: true,
            job_id: Some(id),
            jobs: Some(vec![job]),
            tenant: known.then(|| tenant.to_owned()),
            recorded_tenant: Some("t1".to_owned()),
            origin: Some(JobOrigin::Created),
            seen: true,
            bound_for: Duration::from_secs(100_000),
            deletion_requested,
            failures,
            failures_in_deletion: failures,
            mappings,
            ..World::unobserved()
        };
        // The set of credentials and settings is as declared.
        world.secrets.saved_now = true;
        world
    }
}

/// What may be learnt of a schema.
#[derive(Clone, Debug)]
pub struct Luck(Compared);

pub fn luck() -> impl Strategy<Value = Luck> {
    compared().prop_map(Luck)
}

impl Luck {
    pub fn read(&self, wish: &Desired) -> Fact {
        Fact::SchemaRead(Comparison::new(&present(wish), self.0.clone()))
    }
}

/// What else may come of a change of mappings than what it is for.
pub fn changed(change: &Change, choice: u8, trouble: Trouble) -> Option<Fact> {
    match (change, choice) {
        (Change::SaveMappings { .. }, 2) => Some(Fact::SchemaRefused(trouble)),
        (Change::ReleaseMappings { .. }, 2) => Some(Fact::MappingsReleased(Released::Kept("So.".to_owned()))),
        _ => None,
    }
}

/// The hash of what is wished for now.
fn present(wish: &Desired) -> String {
    wish.mappings.as_ref().map_or_else(|| Wish::nothing().hash, |wish| wish.hash.clone())
}

/// A look of this pass compares what is wished for now.
pub fn fit(wish: &Desired, mut world: World) -> World {
    if let Some(seen) = &mut world.mappings.seen {
        seen.wish = present(wish);
    }
    world
}

/// What must be true of a step that saves mappings, gives them back, or starts.
pub fn careful(step: &Step, wish: &Desired, world: &World) -> Result<(), String> {
    match step {
        Step::Change(Change::SaveMappings { id, lines, confirmation }) => {
            careful_save(step, id, (lines.as_slice(), confirmation.as_str()), wish, world)
        }
        Step::Change(Change::ReleaseMappings { id }) => careful_release(step, id, wish, world),
        Step::Change(Change::StartJob { .. }) => {
            let declared = wish.mappings.is_some() || world.mappings.owns();
            let held = declared && !stand(wish, world);
            if held { Err(format!("{step:?} while mappings are held in {world:?}")) } else { Ok(()) }
        }
        Step::Look(Look::Schema) => {
            let declared = wish.mappings.is_some() || world.mappings.owns();
            if declared { Ok(()) } else { Err(format!("{step:?} that nothing is wanted of in {world:?}")) }
        }
        _ => Ok(()),
    }
}

fn careful_save(
    step: &Step,
    id: &str,
    (lines, confirmation): (&[String], &str),
    wish: &Desired,
    world: &World,
) -> Result<(), String> {
    let demand = |held: bool, what: &str| if held { Ok(()) } else { Err(format!("{step:?} {what} in {world:?}")) };
    let view = &world.mappings;
    let seen = view.seen.as_ref().filter(|seen| seen.wish == present(wish));
    let Some(Compared::Differs(difference)) = seen.map(|seen| &seen.outcome) else {
        return demand(false, "without a look of this pass at which all is right");
    };
    demand(!lines.is_empty(), "of nothing")?;
    demand(difference.lines == lines && difference.confirmation == confirmation, "of something else than was seen")?;
    demand(view.refused.is_none(), "that was refused in this pass")?;
    let spacing = if difference.corrects { CORRECTION_SPACING } else { SAVE_SPACING };
    demand(view.saved.as_ref().is_none_or(|(_, age)| *age >= spacing), "too soon after the last one")?;
    let threshold = wish.content.settings.delete_threshold.is_some_and(|threshold| threshold > 0);
    let confirmed = view.confirmed.as_deref() == Some(confirmation);
    demand(difference.risks.is_empty() || threshold || confirmed, "that can deprovision people")?;
    demand(world.bound_job().is_some_and(|job| job.id == id), "of a job that nothing shows")?;
    demand(wish.mode == Mode::Manage && !world.deletion_requested, "in deletion, or in a mode that changes nothing")?;
    demand(wish.mappings.is_some() || view.owns(), "that nobody declares")
}

fn careful_release(step: &Step, id: &str, wish: &Desired, world: &World) -> Result<(), String> {
    let demand = |held: bool, what: &str| if held { Ok(()) } else { Err(format!("{step:?} {what} in {world:?}")) };
    demand(world.deletion_requested, "although nobody deletes it")?;
    let retains = wish.deletion_policy(world.origin) == DeletionPolicy::Retain;
    demand(retains && wish.mode == Mode::Manage, "of a job that is not let go of")?;
    demand(world.mappings.owns(), "of which nothing is owned")?;
    demand(world.mappings.released.is_none(), "once more")?;
    demand(world.failures_in_deletion < TRIES, "although it has failed for long enough")?;
    let keeps = wish.mappings.as_ref().is_some_and(|wish| wish.mappings.on_release == Some(OnRelease::Keep));
    demand(!keeps, "although the mappings are to stay")?;
    demand(world.job_id.as_deref() == Some(id), "of a job that is not recorded")?;
    demand(world.tenant.is_some(), "before it is known in which tenant")
}

/// Whether the mappings are in place, or differ because a person changed them on purpose.
fn stand(wish: &Desired, world: &World) -> bool {
    let view = &world.mappings;
    if view.refused.is_some() || view.saved_now && view.seen.is_none() {
        return false;
    }
    let recalled = || view.recalled.as_ref().filter(|(_, age)| *age < CHECKED_FOR).map(|(recalled, _)| recalled);
    match (view.seen.as_ref(), &view.recalled) {
        (None, None) => {
            view.checked.as_ref().is_some_and(|(checked, age)| *checked == present(wish) && *age < CHECKED_FOR)
        }
        (seen, _) => {
            let found = seen.or_else(recalled).filter(|found| found.wish == present(wish));
            match found.map(|found| &found.outcome) {
                Some(Compared::Differs(difference)) => {
                    let differs = !difference.lines.is_empty() || !difference.drifted.is_empty();
                    let lags = view.saved.as_ref().is_some_and(|(_, age)| *age < Settings::default().settle_window);
                    !(differs && lags) && (difference.lines.is_empty() || difference.corrects)
                }
                Some(Compared::Faulty(..) | Compared::TestsFailed(_)) | None => false,
            }
        }
    }
}
