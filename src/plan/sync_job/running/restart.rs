//! What people ask for by annotation: each new token is acted on once, and answered in status. A restart discards
//! progress, so it is sent at most once: it is recorded before it leaves and never repeated.

use crate::api::{Answers, HandledRestart, Mode, Reason, RestartResult, RunState};
use crate::plan::sync_job::desired::Desired;
use crate::plan::sync_job::observed::ObservedJob;
use crate::plan::sync_job::running::requests::with;
use crate::plan::sync_job::running::token::{self, RestartRequest, capped};
use crate::plan::sync_job::step::{Change, Look, Record, Step, Verdict};
use crate::plan::sync_job::world::World;

/// The quarantine in which the service holds deletions back (`synchronizationQuarantine`).
const TOO_MANY_DELETES: &str = "TooManyDeletes";

/// The answers at the end of a pass; without a wish, only what holds for every wish.
pub fn answers(desired: Option<&Desired>, world: &World) -> Answers {
    let known = || world.answers.clone();
    let answers = restart_answer(desired, world).map_or_else(known, |restart| with(restart, &world.answers));
    let looked = world.requests.reconcile.clone().filter(|_| desired.is_some());
    Answers { last_handled_reconcile: looked.or_else(|| world.answers.last_handled_reconcile.clone()), ..answers }
}

/// The recorded restart that this request asks for, if it was not answered.
fn recorded<'a>(request: &RestartRequest, world: &'a World) -> Option<&'a HandledRestart> {
    let last = world.answers.last_handled_restart.as_ref()?;
    (last.token == request.token && last.result == RestartResult::Requested).then_some(last)
}

/// Whether a request came with the object and is not to be carried out, or was dealt with before.
fn is_past(request: &RestartRequest, world: &World) -> bool {
    let last = world.answers.last_handled_restart.as_ref().is_some_and(|last| last.token == request.token);
    last || world.answers.handled_restarts.contains(&request.token)
}

fn restart_answer(desired: Option<&Desired>, world: &World) -> Option<HandledRestart> {
    let request = world.requests.restart.as_ref()?;
    let (result, message) = if recorded(request, world).is_some() {
        if world.restart_due {
            (RestartResult::Refused, refusal(request, desired?, world)?)
        } else {
            let message = "The operator ended before the restart was answered, and a restart is never repeated. Look at the job; if it was not restarted, ask again with a new value.";
            (RestartResult::Unknown, message.to_owned())
        }
    } else if is_past(request, world) {
        return None;
    } else if world.unseen {
        let message = "This value was there before this SyncJob was first seen; nothing was restarted. To restart, set a new value.";
        (RestartResult::Ignored, message.to_owned())
    } else {
        (RestartResult::Refused, refusal(request, desired?, world)?)
    };
    Some(HandledRestart { token: request.token.clone(), result, message })
}

/// Why a restart is not sent, if that is certain.
fn refusal(request: &RestartRequest, desired: &Desired, world: &World) -> Option<String> {
    if let Some(reason) = out_of_date(request, world) {
        return Some(reason);
    }
    if let Err(reason) = &request.scope {
        return Some(reason.clone());
    }
    if desired.mode != Mode::Manage {
        return Some(format!(
            "In mode {:?} nothing is changed in Graph. Set `spec.mode` to Manage and ask again.",
            desired.mode
        ));
    }
    if desired.run_state == RunState::Paused {
        return Some(
            "The job is declared Paused, and a restart would start it. Set `spec.state` to Running and ask again."
                .to_owned(),
        );
    }
    if world.job_id.is_none() {
        return Some("There was no job yet that could be restarted.".to_owned());
    }
    nothing_held_back(request, world)
}

/// An old manifest that is applied again brings an old time along, also when its token has been forgotten.
fn out_of_date(request: &RestartRequest, world: &World) -> Option<String> {
    let asked = token::time(&request.token)?;
    let last = world.answers.handled_restarts.iter().filter_map(|token| token::time(token)).max()?;
    (asked < last).then(|| {
        format!(
            "The time {asked} is older than the last one, {last}, so this is taken for an earlier request that came back; nothing was restarted. To restart, set a later time, or a value that does not begin with a time."
        )
    })
}

/// Deletions are forced only while the service itself says that it holds them back. Only a list of this pass counts: what
/// was remembered may have passed, and the deletions would be those of another day.
fn nothing_held_back(request: &RestartRequest, world: &World) -> Option<String> {
    if !request.forces_deletes() || world.jobs_recalled {
        return None;
    }
    let job = world.bound_job()?;
    let code = job.code.as_deref();
    let reason = job.shown.quarantine.as_ref().map(|quarantine| quarantine.reason.as_str());
    // Both have to say so: elsewhere a quarantine object alone is enough, but here accounts are deleted.
    let shown = match (code.is_some_and(|code| code.eq_ignore_ascii_case("Quarantine")), reason) {
        (true, Some(TOO_MANY_DELETES)) => return None,
        (true, Some(reason)) => format!("a quarantine with the reason {}", capped(reason)),
        (true, None) => "a quarantine without a reason".to_owned(),
        (false, _) => code.map_or_else(|| "no code".to_owned(), |code| format!("the code {}", capped(code))),
    };
    Some(format!(
        "The scope ForceDeletes carries out deletions that the service holds back, and is sent only while Graph shows the job in quarantine with the reason {TOO_MANY_DELETES}; it shows {shown}. Nothing was restarted."
    ))
}

/// The next step towards a restart that was asked for and may be sent.
pub(in crate::plan) fn restart(job: &ObservedJob, desired: &Desired, world: &World) -> Option<Verdict> {
    let request = world.requests.restart.as_ref()?;
    let scope = request.scope.clone().ok()?;
    let due = recorded(request, world).is_some() && world.restart_due;
    if world.unseen || !due && is_past(request, world) || refusal(request, desired, world).is_some() {
        return None;
    }
    let step = if request.forces_deletes() && world.jobs_recalled {
        Step::Look(Look::Jobs)
    } else if due {
        Step::Change(Change::RestartJob { id: job.id.clone(), scope })
    } else {
        Step::Record(Record::Restart { token: request.token.clone() })
    };
    Some(Verdict::take(step, Reason::Starting, "Restarting the job, as requested."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::QuarantineStatus;
    use crate::api::{RECONCILE_REQUESTED_AT, RESTART_REQUESTED_AT, SyncJobStatus};
    use crate::plan::Shown;
    use crate::plan::ids::{ServicePrincipalId, TemplateId};
    use crate::plan::sync_job::running::requests::{Requests, handled, recording, unseen};

    fn wish() -> Desired {
        let service_principal = ServicePrincipalId::parse("2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f").unwrap();
        Desired::new(service_principal, TemplateId::parse("BoxOutDelta").unwrap())
    }

    fn parse(pairs: &[(&str, &str)]) -> Requests {
        Requests::parse(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn job(code: &str, quarantine: Option<&str>) -> ObservedJob {
        let quarantine = quarantine.map(|reason| QuarantineStatus { reason: reason.to_owned(), ..quarantined() });
        let shown = Box::new(Shown { quarantine, ..Shown::default() });
        ObservedJob { id: "BoxOutDelta.1".to_owned(), code: Some(code.to_owned()), shown, ..ObservedJob::default() }
    }

    fn quarantined() -> QuarantineStatus {
        serde_json::from_str(r#"{"reason": "", "message": ""}"#).unwrap()
    }

    /// A job that runs, and a request for a restart.
    fn asked(value: &str) -> World {
        World {
            finalizer: true,
            job_id: Some("BoxOutDelta.1".to_owned()),
            jobs: Some(vec![job("Active", None)]),
            requests: parse(&[(RESTART_REQUESTED_AT, value)]),
            ..World::unobserved()
        }
    }

    fn step(world: &World) -> Option<Step> {
        restart(world.bound_job().unwrap(), &wish(), world).and_then(|verdict| verdict.step)
    }

    fn result(world: &World) -> Option<(RestartResult, String)> {
        restart_answer(Some(&wish()), world).map(|answer| (answer.result, answer.message))
    }

    /// That nothing is sent, and what is answered.
    fn refused(world: &World) -> String {
        assert_eq!(step(world), None);
        match result(world) {
            Some((RestartResult::Refused, message)) => message,
            other => panic!("{other:?}"),
        }
    }

    fn answered(tokens: &[&str]) -> Answers {
        Answers { handled_restarts: tokens.iter().map(|token| (*token).to_owned()).collect(), ..Answers::default() }
    }

    fn record(token: &str) -> Step {
        Step::Record(Record::Restart { token: token.to_owned() })
    }

    #[test]
    fn an_empty_value_asks_for_nothing_and_a_long_one_is_cut() {
        let empty = [(RESTART_REQUESTED_AT, " "), (RECONCILE_REQUESTED_AT, "")];
        assert_eq!(parse(&empty), Requests::default());
        let long = "x".repeat(5000);
        assert_eq!(parse(&[(RECONCILE_REQUESTED_AT, &long)]).reconcile.unwrap().len(), 256);
    }

    #[test]
    fn each_of_several_answered_tokens_is_never_acted_on_again() {
        let mut world = asked("a scope=Full");
        assert_eq!(step(&world), Some(record("a scope=Full")));
        for token in ["a scope=Full", "b", "c"] {
            world.answers.handled_restarts = token::remembered(&world.answers.handled_restarts, token);
        }
        let last = HandledRestart { token: "c".to_owned(), result: RestartResult::Accepted, message: String::new() };
        world.answers.last_handled_restart = Some(last.clone());
        assert_eq!((step(&world), result(&world)), (None, None));
        assert_eq!(answers(Some(&wish()), &world).last_handled_restart, Some(last));
    }

    #[test]
    fn a_time_before_the_last_one_is_refused_although_its_token_was_forgotten() {
        let world = |value| World { answers: answered(&["2026-11-25T12:00:00Z scope=Full"]), ..asked(value) };
        assert!(refused(&world("2026-11-25T11:59:59Z")).contains("is older than the last one, 2026-11-25T12:00:00Z"));
        assert!(refused(&world("2026-11-25T12:30:00+01:00 scope=Watermark")).contains("is older"));
        for later in ["2026-11-25T12:00:00Z scope=Watermark", "2026-11-25T12:00:01Z", "again"] {
            assert_eq!(step(&world(later)), Some(record(later)), "{later}");
        }
    }

    #[test]
    fn a_token_that_came_with_an_object_without_history_is_recorded_and_not_carried_out() {
        let world = World { unseen: true, ..asked("old scope=ForceDeletes") };
        assert_eq!(step(&world), None);
        for desired in [Some(&wish()), None] {
            let answers = answers(desired, &world);
            assert_eq!(answers.handled_restarts, ["old scope=ForceDeletes"]);
            let last = answers.last_handled_restart.unwrap();
            assert_eq!(last.result, RestartResult::Ignored);
            assert!(last.message.contains("before this SyncJob was first seen"), "{}", last.message);
        }
    }

    #[test]
    fn history_is_a_look_that_was_written_down_or_an_answer() {
        let status = |text| serde_json::from_str::<SyncJobStatus>(text).unwrap();
        assert!(unseen(None));
        assert!(unseen(Some(&status(r#"{"observedGeneration": -1, "jobId": "x"}"#))));
        let answered = r#"{"lastHandledRestart": {"token": "a", "result": "Accepted", "message": ""}}"#;
        for seen in [r#"{"observedGeneration": 1}"#, r#"{"handledRestarts": ["a"]}"#, answered] {
            assert!(!unseen(Some(&status(seen))), "{seen}");
        }
        assert_eq!(handled(&status(answered)), ["a"]);
    }

    #[test]
    fn deletes_are_forced_only_while_the_service_holds_them_back() {
        let world = |code, reason| World { jobs: Some(vec![job(code, reason)]), ..asked("1 scope=ForceDeletes") };
        assert_eq!(step(&world("Quarantine", Some("TooManyDeletes"))), Some(record("1 scope=ForceDeletes")));
        assert!(refused(&world("Active", None)).contains("it shows the code Active. Nothing was restarted."));
        assert!(refused(&world("Active", Some("TooManyDeletes"))).contains("shows the code Active"));
        let other = world("Quarantine", Some("EncounteredQuarantineException"));
        assert!(refused(&other).contains("with the reason EncounteredQuarantineException. Nothing"));
        assert!(refused(&world("Quarantine", None)).contains("a quarantine without a reason"));
    }

    #[test]
    fn deletes_are_forced_on_a_fresh_list_only() {
        let held_back = Some(vec![job("Quarantine", Some("TooManyDeletes"))]);
        let remembered = World { jobs: held_back, jobs_recalled: true, ..asked("1 scope=ForceDeletes") };
        assert_eq!((step(&remembered), result(&remembered)), (Some(Step::Look(Look::Jobs)), None));
        let lifted = World { jobs_recalled: true, ..asked("1 scope=ForceDeletes") };
        assert_eq!(
            (step(&lifted), result(&lifted)),
            (Some(Step::Look(Look::Jobs)), None),
            "nor refused on a remembered one"
        );
        let other = World { jobs_recalled: true, ..asked("1 scope=Watermark") };
        assert_eq!(step(&other), Some(record("1 scope=Watermark")));
    }

    #[test]
    fn a_recorded_restart_that_was_not_sent_yet_is_refused_when_it_may_not_be_sent_any_more() {
        let due = |value| World { answers: recording(value, &Answers::default()), restart_due: true, ..asked(value) };
        assert_eq!(
            step(&due("1")),
            Some(Step::Change(Change::RestartJob { id: "BoxOutDelta.1".to_owned(), scope: None }))
        );
        assert!(refused(&due("1 scope=ForceDeletes")).contains("shows the code Active"));
        let paused = Desired { run_state: RunState::Paused, ..wish() };
        let world = due("1");
        assert_eq!(restart(world.bound_job().unwrap(), &paused, &world), None);
        assert_eq!(restart_answer(Some(&paused), &world).unwrap().result, RestartResult::Refused);
        let unsent = World { restart_due: false, ..due("1") };
        assert_eq!((step(&unsent), result(&unsent).unwrap().0), (None, RestartResult::Unknown));
    }

    #[test]
    fn a_look_is_due_until_its_value_was_answered() {
        let world = |asked: Option<&str>, answered: Option<&str>| World {
            requests: Requests { reconcile: asked.map(str::to_owned), restart: None },
            answers: Answers { last_handled_reconcile: answered.map(str::to_owned), ..Answers::default() },
            ..World::unobserved()
        };
        assert!(world(Some("b"), Some("a")).look_is_due() && world(Some("a"), None).look_is_due());
        assert!(!world(Some("a"), Some("a")).look_is_due() && !world(None, Some("a")).look_is_due());
    }
}
