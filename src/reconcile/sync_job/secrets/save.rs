//! Requests that carry credentials: tests, and the save of the whole set.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use secrecy::ExposeSecret;

use super::read::{READING_THE_KEY, tag};
use super::wanted::text;
use crate::api::{CredentialTestResult, RunState};
use crate::cluster::secrets;
use crate::graph::{self, Processed, SecretPair, TestOutcome, Tested};
use crate::plan::secrets::{SettingKey, Source, TestOf, Text, WantedValue};
use crate::plan::{Begun, Fact, Guard, Remember, Trouble, TroubleKind};
use crate::reconcile::sync_job::scene::{Learnt, Scene};
use crate::reconcile::trouble::{cluster_trouble, graph_trouble};

/// Has the service try the saved credentials, or the set as it would be saved.
pub(in crate::reconcile::sync_job) async fn test(id: &str, of: TestOf, scene: &Scene<'_>) -> Learnt {
    let (graph, service_principal) = (scene.graph(), scene.service_principal());
    let may_send = || scene.may_send();
    let set = match of {
        TestOf::Saved => Vec::new(),
        TestOf::Declared => match whole_set(&[], scene).await {
            Ok(set) => set,
            Err(trouble) => return Fact::Trouble(trouble).into(),
        },
    };
    let tested = match of {
        TestOf::Saved => Tested::Saved,
        TestOf::Declared => Tested::Supplied(&set),
    };
    let (result, code) = match graph.test_credentials(service_principal, id, tested, &may_send).await {
        Ok(TestOutcome::Accepted) => (CredentialTestResult::Accepted, None),
        Ok(TestOutcome::Rejected { code }) => (CredentialTestResult::Rejected, Some(code)),
        Ok(TestOutcome::Unreachable { code }) => (CredentialTestResult::Unreachable, Some(code)),
        Ok(TestOutcome::NoAnswer) => (CredentialTestResult::NoAnswer, None),
        Ok(TestOutcome::Unclear { code }) => (CredentialTestResult::Unclear, Some(code)),
        Err(error) => return Fact::Trouble(graph_trouble(&error)).into(),
    };
    Fact::CredentialsTested { result, code: code.filter(|code| !code.is_empty()) }.into()
}

/// Replaces the set: all declared credentials, these settings, and whatever else is there and can be read.
pub(in crate::reconcile::sync_job) async fn save(
    settings: &[(SettingKey, Text)],
    done: Fact,
    scene: &Scene<'_>,
) -> Learnt {
    let set = match whole_set(settings, scene).await {
        Ok(set) => set,
        Err(trouble) => return Fact::Trouble(trouble).into(),
    };
    let view = &scene.world.secrets;
    let answer = scene.graph().save_secrets(scene.service_principal(), &set, &|| scene.may_send()).await;
    match answer {
        Ok(()) => {
            let credentials = view.wanted.as_ref().map(|wanted| wanted.credentials.clone()).unwrap_or_default();
            let last_word = view.doubt.is_some_and(|doubt| doubt >= scene.context.settings.settle_window);
            let changes_settings = !settings.is_empty();
            let settings = scene.desired.content.settings.clone();
            let saved = Remember::SecretsSaved { credentials, settings, changes_settings, last_word };
            let inherited = view.inherited.then_some(Remember::SaveInDoubt);
            Learnt::and(done, inherited.into_iter().chain([saved]).collect::<Vec<_>>())
        }
        Err(error) if error.processed == Processed::Unknown => {
            Learnt::and(Fact::Trouble(graph_trouble(&error)), [Remember::SaveInDoubt])
        }
        Err(error) => Fact::Trouble(refused(graph_trouble(&error))).into(),
    }
}

/// Graph names the key that it does not know in a text that may hold more, which is not shown.
fn refused(trouble: Trouble) -> Trouble {
    if trouble.kind != TroubleKind::Rejected {
        return trouble;
    }
    let detail = format!(
        "{} Check that Graph knows each key of `spec.credentials` (the template's ConfigurationFields name them), and that all values together are below 1 KB in US Government clouds.",
        trouble.detail
    );
    Trouble { detail, ..trouble }
}

/// Restarts a job for a saved change. One whose answer is lost is not sent again, because each restart from the start costs
/// the job its progress.
pub(in crate::reconcile::sync_job) async fn restart(
    id: &str,
    scope: Option<&str>,
    done: Fact,
    scene: &Scene<'_>,
) -> Learnt {
    let answer = scene.graph().restart_job(scene.service_principal(), id, scope, &|| scene.may_send()).await;
    scene.jobs_changed();
    let asked = |begun: Begun| {
        let from_start = scope.is_none().then_some(Remember::BegunFromStart(begun));
        [Remember::RunAsked(RunState::Running)].into_iter().chain(from_start).collect::<Vec<_>>()
    };
    match answer {
        Ok(()) => Learnt::and(done, asked(Begun::Certainly)),
        Err(error) if error.processed == Processed::Unknown => {
            Learnt::and(Fact::Trouble(graph_trouble(&error)), asked(Begun::Perhaps))
        }
        Err(error) => Fact::Trouble(graph_trouble(&error)).into(),
    }
}

/// The set that a save would write. The Secrets are read once more, in full: a value that is another one by now is not what
/// was decided on.
async fn whole_set(settings: &[(SettingKey, Text)], scene: &Scene<'_>) -> Result<Vec<SecretPair>, Trouble> {
    let mut set: Vec<SecretPair> = Vec::new();
    for pair in own(scene).await? {
        put(&mut set, pair);
    }
    for (key, text) in settings {
        put(&mut set, SecretPair { key: key.name().to_owned(), value: text.0.clone().into() });
    }
    for pair in scene.vault.live() {
        let declared = set.iter().any(|own| own.key.eq_ignore_ascii_case(&pair.key));
        if declared {
            continue;
        }
        if graph::is_masked(&pair.key, pair.value.expose_secret()) {
            if scene.lacks(Guard::ForeignKeys) {
                continue;
            }
            return Err(changed(&format!("the value of {} cannot be read, and would be lost", pair.key)));
        }
        set.push(pair);
    }
    Ok(set)
}

fn put(set: &mut Vec<SecretPair>, pair: SecretPair) {
    set.retain(|known| !known.key.eq_ignore_ascii_case(&pair.key));
    set.push(pair);
}

/// The declared credentials with their values.
async fn own(scene: &Scene<'_>) -> Result<Vec<SecretPair>, Trouble> {
    let context = scene.context;
    let namespace = scene.decided_on.namespace().unwrap_or_default();
    let key = context.fingerprints.key().await;
    let key = key.map_err(|error| cluster_trouble(&error, READING_THE_KEY))?;
    let mut read: Vec<(&str, Option<Secret>)> = Vec::new();
    for name in scene.desired.content.secrets() {
        let secret = secrets::secret(&context.client, &namespace, name).await;
        read.push((name, secret.map_err(|error| cluster_trouble(&error, "reading a Secret of `spec.credentials`"))?));
    }
    let mut pairs = Vec::new();
    for credential in &scene.desired.content.credentials {
        let value = match &credential.source {
            Source::Value(value) => value.clone().into(),
            Source::Secret { name, key } => {
                let found = read.iter().find(|(known, _)| known == name).and_then(|(_, secret)| secret.as_ref());
                let value = found.and_then(|secret| text(secret, name, key).ok());
                value.ok_or_else(|| changed(&format!("the Secret '{name}' has changed")))?
            }
        };
        let read_before = scene.world.secrets.wanted.iter().flat_map(|wanted| &wanted.credentials);
        let decided = read_before
            .filter(|wanted| wanted.key == credential.key)
            .any(|wanted| wanted.value == WantedValue::Known(tag(key, &credential.key, value.expose_secret())));
        if !decided {
            return Err(changed(&format!("the value of {} has changed", credential.key)));
        }
        pairs.push(SecretPair { key: credential.key.clone(), value });
    }
    Ok(pairs)
}

fn changed(what: &str) -> Trouble {
    Trouble {
        kind: TroubleKind::ObjectChanged,
        detail: format!("While the pass was under way, it turned out that {what}; nothing was sent."),
        trace: None,
        retry_after: None,
    }
}
