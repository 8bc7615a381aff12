//! The one place where it is decided what to do, by mode. Total, a step at a time.

use crate::api::{DeletionPolicy, Mode, Reason};
use crate::plan::common::pass::Decider;
use crate::plan::common::settings::Settings;
use crate::plan::common::standing::Standing;
use crate::plan::common::verdict;
use crate::plan::common::wake::Wake;
use crate::plan::common::without::Guard;
use crate::plan::sync_job::desired::{Desired, Refusals};
use crate::plan::sync_job::existence::delete;
use crate::plan::sync_job::fact::Fact;
use crate::plan::sync_job::manage::manage;
use crate::plan::sync_job::modes;
use crate::plan::sync_job::step::{Leaving, Step, Verdict};
use crate::plan::sync_job::world::World;

/// Names the next step for what is known. Total: every world has an answer.
pub fn decide(desired: &Desired, world: &World, settings: &Settings) -> Verdict {
    match desired.mode {
        Mode::Manage => manage(desired, world, settings),
        Mode::Observe | Mode::Plan | Mode::Suspended => modes::decide(desired, world, settings),
    }
}

/// A spec that cannot be acted on. Deletion still ends if there is nothing to leave behind.
fn refused(refused: &Refused<'_>, world: &World) -> verdict::Verdict<Leaving> {
    if let Some(trouble) = &world.trouble {
        let message = format!("{} {}", trouble.detail, trouble.remedy());
        return verdict::Verdict::fail(trouble, trouble.reason(), message, world.failures, refused.settings);
    }
    let nothing_held = world.job_id.is_none() && world.intent.is_none();
    let retained = refused.policy == Some(DeletionPolicy::Retain);
    if world.deletion_requested && world.finalizer && (nothing_held || retained) {
        return verdict::Verdict::take(delete::retained(world), Reason::Deleting, delete::RETAINING);
    }
    let message = format!("{}.", refused.refusals.0.join("; "));
    verdict::Verdict::stop(Standing::Stuck, Reason::InvalidSpec, message, Wake::OnChange)
}

/// A wish that can be acted on, and the windows that hold for it.
#[derive(Clone, Copy, Debug)]
pub struct Managed<'a> {
    pub desired: &'a Desired,
    pub settings: &'a Settings,
}

impl Decider for Managed<'_> {
    type World = World;
    type Step = Step;
    type Fact = Fact;

    fn decide(&self, world: &World) -> Verdict {
        decide(self.desired, world, self.settings)
    }

    fn learn(&self, world: World, fact: &Fact) -> World {
        match fact {
            Fact::RivalsRead { .. } if self.settings.without.lacks(Guard::ListAfterRivals) => {
                let jobs = world.jobs.clone();
                World { jobs, ..world.with(fact.clone(), self.desired) }
            }
            Fact::JobCreated(job) if self.settings.without.lacks(Guard::Somebodys) => {
                World { created: Some(job.clone()), ..world }
            }
            fact => world.with(fact.clone(), self.desired),
        }
    }

    fn failed(fact: &Fact) -> bool {
        fact.is_failure()
    }

    fn over(fact: &Fact) -> bool {
        fact.ends_the_object()
    }

    fn in_circles() -> Fact {
        Fact::in_circles()
    }
}

/// A spec that cannot be acted on. All that is left to do is to let the object go, and that only where nothing is lost.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    pub refusals: &'a Refusals,
    pub policy: Option<DeletionPolicy>,
    pub settings: &'a Settings,
}

impl Decider for Refused<'_> {
    type World = World;
    type Step = Leaving;
    type Fact = Fact;

    fn decide(&self, world: &World) -> verdict::Verdict<Leaving> {
        refused(self, world)
    }

    fn learn(&self, world: World, fact: &Fact) -> World {
        if let Fact::Trouble(trouble) = fact {
            return World { trouble: Some(trouble.clone()), ..world };
        }
        World { finalizer: world.finalizer && !fact.ends_the_object(), ..world }
    }

    fn failed(fact: &Fact) -> bool {
        fact.is_failure()
    }

    fn over(fact: &Fact) -> bool {
        fact.ends_the_object()
    }

    fn in_circles() -> Fact {
        Fact::in_circles()
    }
}
