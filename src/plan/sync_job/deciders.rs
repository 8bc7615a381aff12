//! What a pass over a SyncJob is driven by: `decide` for a wish, and letting go for a spec that cannot be acted on.

use crate::api::{DeletionPolicy, Reason};
use crate::plan::common::pass::{Decider, Outcome};
use crate::plan::common::settings::Settings;
use crate::plan::common::standing::Standing;
use crate::plan::common::verdict;
use crate::plan::common::wake::Wake;
use crate::plan::common::without::Guard;
use crate::plan::sync_job::decide::decide;
use crate::plan::sync_job::desired::{Desired, Refusals};
use crate::plan::sync_job::existence::delete;
use crate::plan::sync_job::fact::Fact;
use crate::plan::sync_job::step::{Leaving, Step, Verdict};
use crate::plan::sync_job::world::World;

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
        let without = self.settings.without;
        if matches!(fact, Fact::RivalsRead { .. }) && without.lacks(Guard::ListAfterRivals) {
            let jobs = world.jobs.clone();
            return World { jobs, ..world.with(fact.clone(), self.desired) };
        }
        if let Fact::JobCreated(job) = fact
            && without.lacks(Guard::Somebodys)
        {
            return World { created: Some(job.clone()), ..world };
        }
        world.with(fact.clone(), self.desired)
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
