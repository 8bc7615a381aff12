//! The difference between what is declared and what is there, and when it is saved.

use super::*;
use crate::api::Reason;
use crate::plan::common::standing::Standing;
use crate::plan::sync_job::secrets::difference;

const NOTES: &str = r#"{"Enabled":true,"Recipients":"ops@example.test","DeleteThresholdEnabled":false}"#;

/// A set, and the names of what is saved.
type Case<'a> = (&'a str, World, Vec<LiveSecret>, Option<&'a [&'a str]>);

/// The only save of a pass over a job that runs, and why there is none.
fn over(desired: &Desired, world: World, wanted: Wanted, live: Vec<LiveSecret>) -> (Option<Vec<String>>, Reason) {
    let (steps, _, verdict) = Answers::new(wanted, live).pass(desired, world);
    (save(&steps), verdict.reason)
}

#[test]
fn what_is_declared_is_saved_where_it_differs_in_meaning_and_nowhere_else() {
    let both = &["BaseAddress", "SecretToken"][..];
    let lower = vec![shown("baseaddress", "address"), masked("secrettoken")];
    let foreign = |secret: LiveSecret| [in_place(), vec![secret]].concat();
    let cases: Vec<Case<'_>> = vec![
        ("nothing is there", running(), vec![], Some(both)),
        ("as saved", saved("1"), in_place(), None),
        ("as saved, in another case", saved("1"), lower, None),
        ("the token is another one by now", saved("0"), in_place(), Some(&["SecretToken"])),
        ("the token was never saved here", running(), in_place(), Some(&["SecretToken"])),
        ("the token is gone", saved("1"), vec![shown("BaseAddress", "address")], Some(&["SecretToken"])),
        (
            "the address is another one",
            saved("1"),
            vec![shown("BaseAddress", "b"), masked("SecretToken")],
            Some(&["BaseAddress"]),
        ),
        ("a foreign value can be read", saved("0"), foreign(shown("Url", "u")), Some(&["SecretToken"])),
        (
            "a foreign setting can be read",
            saved("0"),
            foreign(setting(SettingKey::SyncAll, "true")),
            Some(&["SecretToken"]),
        ),
    ];
    for (name, world, live, expected) in cases {
        let (save, reason) = over(&wish(json!({})), world, token("1"), live);
        let expected = expected.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
        assert_eq!((save, reason), (expected, Reason::Running), "{name}");
    }
}

#[test]
fn settings_are_compared_by_meaning() {
    let cases = [
        (json!({"scope": "All"}), SettingKey::SyncAll, "TRUE", false),
        (json!({"scope": "All"}), SettingKey::SyncAll, "false", true),
        (json!({"outOfScopeDeletions": "Process"}), SettingKey::SkipOutOfScopeDeletions, "false", false),
        (json!({"outOfScopeDeletions": "Skip"}), SettingKey::SkipOutOfScopeDeletions, "false", true),
        (
            json!({"notifications": {"recipients": ["OPS@example.test"]}}),
            SettingKey::SyncNotificationSettings,
            NOTES,
            false,
        ),
        (json!({"notifications": {"recipients": []}}), SettingKey::SyncNotificationSettings, NOTES, true),
        (json!({"deleteThreshold": 0}), SettingKey::SyncNotificationSettings, NOTES, false),
        (json!({"deleteThreshold": 5}), SettingKey::SyncNotificationSettings, NOTES, true),
    ];
    for (over, key, live, differs) in cases {
        let desired = settings(over.clone());
        let (steps, ..) = Answers::new(nothing(), vec![setting(key, live)]).pass(&desired, saved("1"));
        assert_eq!(save(&steps), differs.then(|| vec![key.name().to_owned()]), "{over} {live}");
        let (steps, ..) = Answers::new(nothing(), vec![]).pass(&desired, saved("1"));
        assert_eq!(save(&steps), Some(vec![key.name().to_owned()]), "{over}: absence is not an answer");
    }
}

/// A save replaces the whole set.
#[test]
fn a_foreign_value_that_cannot_be_read_stops_a_save_and_nothing_else() {
    let desired = wish(json!({}));
    let live = [in_place(), vec![masked("ClientSecret"), shown("Url", "u")]].concat();
    let answers = Answers::new(token("1"), live.clone());
    let (steps, world, verdict) = answers.pass(&desired, saved("0"));
    assert_eq!(
        (changes(&steps), verdict.standing, verdict.reason),
        (vec![], Standing::Stuck, Reason::CredentialsIncomplete)
    );
    assert!(verdict.message.contains("'ClientSecret'") && !verdict.message.contains("Url"), "{}", verdict.message);
    let found = difference(&desired.content, &world.secrets).unwrap();
    assert_eq!(
        (found.masked, found.foreign),
        (vec!["ClientSecret".to_owned()], vec!["ClientSecret".to_owned(), "Url".to_owned()])
    );
    let (steps, _, verdict) = answers.pass(&desired, saved("1"));
    assert_eq!((save(&steps), verdict.reason), (None, Reason::Running), "there is nothing to save");
    // Declared in another case it is no foreign one.
    let mut desired = desired;
    desired.content.credentials[1].key = "clientsecret".to_owned();
    let mut wanted = token("1");
    wanted.credentials[1].key = "clientsecret".to_owned();
    let (save, reason) =
        over(&desired, running(), wanted, vec![shown("BaseAddress", "address"), masked("ClientSecret")]);
    assert_eq!((save, reason), (Some(vec!["clientsecret".to_owned()]), Reason::Running));
}

#[test]
fn nothing_is_sent_while_a_value_is_missing_or_empty() {
    let secret = || "box-scim".to_owned();
    let key = || "token".to_owned();
    for (gap, reason) in [
        (Gap::NoSecret { secret: secret() }, Reason::SecretNotFound),
        (Gap::NoKey { secret: secret(), key: key() }, Reason::SecretKeyMissing),
        (Gap::Invalid { secret: secret(), key: key(), why: "is empty" }, Reason::SecretInvalid),
    ] {
        for world in
            [running(), saved("1"), World { jobs: Some(vec![job("Disabled")]), run: None, lived: false, ..running() }]
        {
            let answers = Answers::new(wanted(WantedValue::Missing(gap.clone())), in_place());
            let (steps, _, verdict) = answers.pass(&wish(json!({"scope": "All"})), world);
            assert_eq!((changes(&steps), verdict.standing, verdict.reason), (vec![], Standing::Blocked, reason));
            assert!(
                verdict.message.contains("SecretToken") && verdict.message.contains("'box-scim'"),
                "{}",
                verdict.message
            );
        }
    }
}

#[test]
fn two_sync_jobs_that_disagree_save_nothing() {
    let mut other = token("1");
    other.others = vec!["elsewhere/groups".to_owned()];
    for world in [running(), saved("0"), saved("1")] {
        let (steps, _, verdict) = Answers::new(other.clone(), in_place()).pass(&wish(json!({})), world);
        assert_eq!((changes(&steps), verdict.reason), (vec![], Reason::CredentialsConflict));
        assert!(verdict.message.contains("'elsewhere/groups'"), "{}", verdict.message);
    }
}

#[test]
fn a_job_is_created_then_gets_its_credentials_and_is_started_last() {
    let over = json!({"scope": "Assigned"});
    let (steps, _, verdict) = Answers::new(token("1"), vec![]).pass(&wish(over), young());
    let at = |wanted: &dyn Fn(&Step) -> bool| steps.iter().position(wanted).unwrap_or_else(|| panic!("{steps:?}"));
    let order = [
        at(&|step| matches!(step, Step::Record(Record::Intent { .. }))),
        at(&|step| *step == Step::Change(Change::CreateJob)),
        at(&|step| matches!(step, Step::Record(Record::BindJob { .. }))),
        at(&|step| *step == Step::Look(Look::Credentials)),
        at(&|step| *step == Step::Look(Look::Secrets)),
        at(&|step| matches!(step, Step::Change(Change::TestCredentials { .. }))),
        at(&|step| matches!(step, Step::Change(Change::SaveSecrets { .. }))),
        at(&|step| matches!(step, Step::Change(Change::StartJob { .. }))),
    ];
    assert!(order.is_sorted(), "{steps:?}");
    let expected = ["BaseAddress", "SecretToken", "SyncAll"].map(str::to_owned);
    assert_eq!(save(&steps), Some(expected.to_vec()), "{}", verdict.message);
}

/// What Graph shows may lag, and somebody else may write the same set.
#[test]
fn a_save_that_is_not_shown_is_waited_for_then_reported_and_repeated_after_an_hour() {
    let desired = wish(json!({}));
    let expected = [
        (0, None, Reason::SavingCredentials),
        (179, None, Reason::SavingCredentials),
        (180, None, Reason::CredentialsNotKept),
        (3599, None, Reason::CredentialsNotKept),
        (3600, Some(vec!["BaseAddress".to_owned()]), Reason::Running),
    ];
    let live = || vec![shown("BaseAddress", "somebody's"), masked("SecretToken")];
    let at = |seconds: u64, version: &str| {
        let mut world = saved("1");
        let (credentials, settings) = (token(version).credentials, desired.content.settings.clone());
        world.secrets.saved = Some(Saved { credentials, settings, age: Duration::from_secs(seconds) });
        world
    };
    for (age, save, reason) in expected {
        assert_eq!(over(&desired, at(age, "1"), token("1"), live()), (save, reason), "{age} s");
    }
    let (save, _) = over(&desired, at(1, "0"), token("1"), live());
    assert_eq!(save, Some(vec!["BaseAddress".to_owned()]), "another wish does not wait");
}

/// A save whose answer was lost may be carried out after a newer one.
#[test]
fn after_a_lost_answer_the_set_is_saved_once_more_and_once_only() {
    let desired = wish(json!({}));
    let all = || Some(vec!["BaseAddress".to_owned(), "SecretToken".to_owned()]);
    let doubtful = |doubt: Option<u64>| {
        let mut world = saved("1");
        world.secrets.doubt = doubt.map(Duration::from_secs);
        world
    };
    for (doubt, expected) in [(None, None), (Some(0), None), (Some(179), None), (Some(180), all()), (Some(9000), all())]
    {
        let (save, reason) = over(&desired, doubtful(doubt), token("1"), in_place());
        assert_eq!((save, reason), (expected, Reason::Running), "{doubt:?}");
    }
    let foreign = [in_place(), vec![masked("ClientSecret")]].concat();
    assert_eq!(over(&desired, doubtful(Some(9000)), token("1"), foreign), (None, Reason::Running), "it would lose one");
    let unread = wanted(WantedValue::NotRead);
    assert_eq!(over(&desired, doubtful(Some(9000)), unread, in_place()).0, None, "its value is not known");
}

#[test]
fn what_another_sync_job_saved_is_known_where_it_declares_the_same() {
    for (theirs, expected) in [("1", None), ("0", Some(vec!["SecretToken".to_owned()]))] {
        let wanted = Wanted { known: known(theirs), ..token("1") };
        assert_eq!(over(&wish(json!({})), running(), wanted, in_place()), (expected, Reason::Running), "{theirs}");
    }
}

#[test]
fn a_key_that_was_there_a_moment_ago_without_its_value_is_waited_for() {
    for (ago, steps, reason) in
        [(5, None, Reason::SavingCredentials), (1000, Some(vec!["SecretToken"]), Reason::Running)]
    {
        let mut world = saved("0");
        world.secrets.masked_before = vec![("clientsecret".to_owned(), Duration::from_secs(ago))];
        let (made, verdict) = over(&wish(json!({})), world, token("1"), in_place());
        assert_eq!(
            (made, verdict),
            (steps.map(|keys| keys.into_iter().map(str::to_owned).collect()), reason),
            "{ago} s"
        );
    }
}
