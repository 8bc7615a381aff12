//! What a process remembers of a SyncJob between two passes. Losing it is safe: each part only spares a question or a
//! wait. Pure: instants are those of the monotonic clock of [`Now`].

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::{HandledRestart, Reason, RunState};
use crate::plan::common::now::Now;
use crate::plan::common::standing::Standing;
use crate::plan::common::trouble::Trouble;
use crate::plan::common::wake::Wake;
use crate::plan::sync_job::mappings::Comparison;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::secrets::settings::Settings;
use crate::plan::sync_job::secrets::{Saved, WantedKey};
use crate::plan::sync_job::step::Verdict;
use crate::plan::sync_job::world::World;

/// Passes in a row for the same reason that work under way is given before it is looked at less often.
const PATIENCE: u32 = 8;
/// The longest time between two looks of what waits, whatever the poll interval.
const WAIT_MAX: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Passes in a row that ended in trouble.
    pub(in crate::plan) failures: u32,
    /// The same, since the SyncJob is being deleted.
    pub(in crate::plan) failures_in_deletion: u32,
    /// Lists in a row that did not show what was looked for.
    pub(in crate::plan) absences: u32,
    /// When the first of these was asked for.
    pub(in crate::plan) absent_since: Option<Duration>,
    /// When the first of the passes in a row began that had no login.
    pub(in crate::plan) no_login_since: Option<Duration>,
    /// Whether this process has looked at the object before.
    pub(in crate::plan) met: bool,
    /// When a deletion may last have been sent whose outcome nobody knows.
    pub(in crate::plan) delete_unknown: Option<Duration>,
    /// The job whose deletion Graph accepted.
    pub(in crate::plan) deleted: Option<String>,
    pub(in crate::plan) intent: Option<SeenIntent>,
    /// Intents that this process wrote, or tried to write, and whose requests certainly have no effect:
    /// they have not left, or were refused.
    pub(in crate::plan) unsent: Vec<String>,
    /// A start, pause or restart that was accepted and is not in status yet, and when.
    pub(in crate::plan) run: Option<(RunState, Duration)>,
    /// A restart that was recorded and has certainly not been carried out.
    pub(in crate::plan) restart_unsent: Option<String>,
    /// The outcome of a restart, until status shows it.
    pub(in crate::plan) answer: Option<HandledRestart>,
    /// The job that was on record when a pass last ended with one, and since when this process knows that record.
    pub(in crate::plan) recorded: Option<(String, Duration)>,
    /// The credentials and settings that were last saved, and when.
    pub(in crate::plan) saved: Option<SavedAt>,
    /// Since when a save may still be carried out that is older than the last one.
    pub(in crate::plan) save_in_doubt: Option<Duration>,
    /// The other SyncJobs that saved the same set when it was last looked at, by uid.
    pub(in crate::plan) holders: Vec<String>,
    /// Keys of the set that were shown without their values, in lower case, and when they last were.
    pub(in crate::plan) masked: BTreeMap<String, Duration>,
    /// What came of the restart from the start that was sent for the saved settings.
    pub(in crate::plan) begun: Option<Begun>,
    /// What the last look at the schema came to, and when it was taken.
    pub(in crate::plan) compared: Option<(Comparison, Duration)>,
    /// The revision of a save that certainly had no effect.
    pub(in crate::plan) schema_without_effect: Option<String>,
    /// The last save of the schema, until status says so.
    pub(in crate::plan) schema_saved: Option<SchemaSavedAt>,
    /// Why the last passes waited, and how many of them did in a row.
    waiting: Option<(Reason, u32)>,
}

/// An intent as this process has met it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan) struct SeenIntent {
    pub nonce: String,
    /// When this process first saw it; the settle window counts from here.
    pub since: Duration,
    /// The job that Graph answered with, while its id is not recorded.
    pub created: Option<ObservedJob>,
}

/// What came of a restart from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Graph accepted it.
    Certainly,
    /// Its answer was lost.
    Perhaps,
}

/// What was saved, and when by both clocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan) struct SavedAt {
    pub saved: Saved,
    pub at: Duration,
    pub time: Time,
}

/// A save of the schema, and when by both clocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan) struct SchemaSavedAt {
    pub revision: String,
    pub at: Duration,
    pub time: Time,
}

/// One thing to remember of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remember {
    /// A write of this intent may have happened; its request has certainly not left.
    IntentTried { nonce: String },
    /// The intent is on record, and its request has not left.
    IntentRecorded { nonce: String },
    /// The intent is no longer this SyncJob's.
    IntentLost,
    /// A create request may leave at any moment.
    CreateSent,
    /// The create request of this intent certainly had no effect.
    CreateWithoutEffect { nonce: String },
    /// Graph answered the create request with this job.
    Created(ObservedJob),
    /// Graph accepted a start, a pause or a restart.
    RunAsked(RunState),
    /// Graph accepted the deletion of this job.
    Deleted { id: String },
    /// A deletion may have been carried out, or may yet be.
    DeletionUnknown,
    /// The recorded restart has certainly not been carried out.
    RestartUnsent { token: String },
    /// The recorded restart may leave at any moment.
    RestartSent,
    /// The outcome of a restart.
    RestartAnswered(HandledRestart),
    /// Graph accepted the set; `last_word` if no earlier save can be carried out after it.
    SecretsSaved { credentials: Vec<WantedKey>, settings: Settings, changes_settings: bool, last_word: bool },
    /// A restart from the start was sent for saved settings.
    BegunFromStart(Begun),
    /// A save may have been carried out, or may yet be.
    SaveInDoubt,
    /// Graph accepted the schema; what was there before is in this revision.
    SchemaSaved { revision: String },
    /// The save that this revision was kept for certainly had no effect.
    SchemaWithoutEffect { revision: String },
}

impl Memory {
    /// Takes in the outcome of a step.
    pub fn note(&mut self, what: Remember, now: Now) {
        match what {
            Remember::IntentRecorded { nonce } => {
                self.unsent = vec![nonce.clone()];
                self.intent = Some(SeenIntent { nonce, since: now.monotonic, created: None });
            }
            Remember::IntentLost => self.intent = None,
            Remember::CreateSent => self.unsent.clear(),
            Remember::IntentTried { nonce } | Remember::CreateWithoutEffect { nonce } => self.unsent.push(nonce),
            Remember::Created(job) => {
                if let Some(intent) = &mut self.intent {
                    intent.created = Some(job);
                }
            }
            Remember::RunAsked(state) => self.run = Some((state, now.monotonic)),
            Remember::Deleted { id } => self.deleted = Some(id),
            Remember::DeletionUnknown => self.delete_unknown = Some(now.monotonic),
            Remember::RestartUnsent { token } => self.restart_unsent = Some(token),
            Remember::RestartSent => self.restart_unsent = None,
            Remember::RestartAnswered(answer) => self.answer = Some(answer),
            Remember::BegunFromStart(begun) => self.begun = Some(begun),
            Remember::SecretsSaved { credentials, settings, changes_settings, last_word } => {
                self.begun = self.begun.filter(|_| !changes_settings);
                let saved = Saved { credentials, settings, age: Duration::ZERO };
                self.saved = Some(SavedAt { saved, at: now.monotonic, time: Time(now.wall) });
                self.save_in_doubt = self.save_in_doubt.filter(|_| !last_word);
            }
            Remember::SaveInDoubt => self.save_in_doubt = Some(now.monotonic),
            Remember::SchemaWithoutEffect { revision } => self.schema_without_effect = Some(revision),
            Remember::SchemaSaved { revision } => {
                self.compared = None;
                self.schema_saved = Some(SchemaSavedAt { revision, at: now.monotonic, time: Time(now.wall) });
            }
        }
    }

    /// The nonce of the intent that this process has met.
    pub fn nonce(&self) -> Option<&str> {
        self.intent.as_ref().map(|intent| intent.nonce.as_str())
    }

    /// Takes in the end of a pass.
    pub fn end(&mut self, world: &World, verdict: &Verdict, now: Now) {
        let troubled = world.trouble.is_some() || world.refusal.is_some();
        self.failures = if troubled { world.failures.saturating_add(1) } else { 0 };
        let leaving = troubled && world.deletion_requested;
        self.failures_in_deletion = if leaving { world.failures_in_deletion.saturating_add(1) } else { 0 };
        let is_known = |id: &String| self.recorded.as_ref().is_some_and(|(known, _)| known == id);
        if let Some(id) = world.job_id.as_ref().filter(|id| !is_known(id)) {
            self.recorded = Some((id.clone(), now.monotonic));
        }
        if let Some(seen) = &world.mappings.seen {
            self.compared = Some((seen.clone(), now.monotonic));
        }
        if world.job_id.is_none() {
            (self.compared, self.schema_saved) = (None, None);
        }
        if let Some(wanted) = &world.secrets.wanted {
            // With a SyncJob goes what its process remembered: a save of it may still be under way.
            let one_went = self.holders.iter().any(|holder| !wanted.holders.contains(holder));
            self.save_in_doubt = self.save_in_doubt.or(one_went.then_some(now.monotonic));
            self.holders.clone_from(&wanted.holders);
        }
        self.absences = world.absences;
        self.masked.extend(world.secrets.masked().map(|key| (key, now.monotonic)));
        let without_login = world.trouble.as_ref().is_some_and(Trouble::without_login);
        self.no_login_since = without_login.then(|| self.no_login_since.unwrap_or(now.monotonic));
        self.absent_since = (world.absences > 0).then(|| self.absent_since.unwrap_or(now.monotonic));
        if world.intent.is_none() {
            self.intent = None;
            // A write of an intent whose answer was lost may still show up.
            if world.trouble.is_none() {
                self.unsent.clear();
            }
        }
        self.waiting = match (verdict.standing, self.waiting) {
            (Standing::Settled | Standing::Suspended, _) => None,
            (_, Some((reason, count))) if reason == verdict.reason => Some((reason, count.saturating_add(1))),
            (Standing::Working | Standing::Passing | Standing::Blocked | Standing::Stuck, _) => {
                Some((verdict.reason, 0))
            }
        };
    }

    /// A pass whose status could not be written has not ended well: what is not written yet waits no longer than a failure
    /// does.
    pub fn unwritten(&mut self, verdict: &Verdict) -> Wake {
        self.failures = self.failures.saturating_add(1);
        verdict.wake.sooner(Wake::backoff(self.failures))
    }

    /// What was asked for and saved is in status.
    pub fn report_written(&mut self) {
        (self.run, self.schema_saved) = (None, None);
    }

    /// The answers are in status.
    pub fn answers_written(&mut self) {
        self.answer = None;
    }

    /// When to look again: what waits for the same reason as before waits longer each time, up to the poll interval, and up
    /// to an hour where that is longer: a person who has corrected something does not wait for a day.
    pub fn wake(&self, verdict: &Verdict, poll: Duration) -> Wake {
        let unchanged = self.waiting.filter(|(reason, _)| *reason == verdict.reason);
        if self.failures > 0 && verdict.reason == Reason::Interrupted {
            return Wake::backoff(self.failures);
        }
        let Some((_, count)) = unchanged else { return verdict.wake };
        let stretched = match verdict.standing {
            Standing::Blocked | Standing::Stuck => count,
            // What was asked for shows within minutes, if it does.
            Standing::Working => count.saturating_sub(PATIENCE),
            Standing::Passing if self.failures == 0 => count.saturating_sub(PATIENCE),
            Standing::Passing | Standing::Settled | Standing::Suspended => 0,
        };
        verdict.wake.stretched(stretched, poll.min(WAIT_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Duration = Duration::from_secs(600);

    fn at(second: u64) -> Now {
        Now { wall: jiff::Timestamp::UNIX_EPOCH, monotonic: Duration::from_secs(second) }
    }

    fn waits(reason: Reason) -> Verdict {
        Verdict::stop(Standing::Stuck, reason, "It waits.", Wake::After(Duration::from_secs(60)))
    }

    #[test]
    fn who_waits_for_a_person_asks_no_more_often_than_who_is_well_after_a_while() {
        let (mut memory, mut delays) = (Memory::default(), Vec::new());
        for pass in 0..6 {
            let verdict = waits(Reason::AlreadyExists);
            memory.end(&World::unobserved(), &verdict, at(pass));
            delays.push(memory.wake(&verdict, POLL).delay().as_secs());
        }
        assert_eq!(delays, [60, 120, 240, 480, 600, 600]);
        let other = waits(Reason::Conflict);
        memory.end(&World::unobserved(), &other, at(9));
        assert_eq!(memory.wake(&other, POLL), other.wake, "another reason begins at the start");
    }

    #[test]
    fn what_is_not_written_waits_no_longer_than_a_failure() {
        let mut memory = Memory::default();
        let verdict = Verdict::stop(Standing::Suspended, Reason::Suspended, "Nothing is done.", Wake::OnChange);
        let delays: Vec<u64> = (0..4).map(|_| memory.unwritten(&verdict).delay().as_secs()).collect();
        assert_eq!(delays, [2, 4, 8, 16]);
    }

    #[test]
    fn with_a_syncjob_that_saved_the_same_set_goes_what_was_known_of_its_last_save() {
        let sharing = |holders: &[&str]| {
            let mut world = World::unobserved();
            world.secrets.wanted = Some(crate::plan::secrets::Wanted {
                credentials: Vec::new(),
                fingerprint: None,
                known: Vec::new(),
                others: Vec::new(),
                holders: holders.iter().map(|&uid| uid.to_owned()).collect(),
            });
            world
        };
        let (mut memory, mut doubts) = (Memory::default(), Vec::new());
        let verdict = waits(Reason::Conflict);
        for (second, holders) in [(1, &["b"][..]), (2, &["b", "c"]), (3, &["c"]), (4, &[])] {
            memory.end(&sharing(holders), &verdict, at(second));
            doubts.push(memory.save_in_doubt.map(|since| since.as_secs()));
        }
        assert_eq!(doubts, [None, None, Some(3), Some(3)]);
    }
}
