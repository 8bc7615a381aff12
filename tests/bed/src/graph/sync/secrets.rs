//! The secrets of a service principal: replaced as a whole, read back masked (CONTRACT §2.4, §3.10).

use serde::Deserialize;
use serde_json::{Value, json};

use super::{catalog, create, gate, notifications, secret_keys};
use crate::graph::http::call::{Answered, Call};
use crate::graph::http::reply::Reply;
use crate::graph::model::job::Code;
use crate::graph::model::settings::{
    Accepts, Cloud, DuplicateSecretKeys, EmptySecretSet, LeftOutSecrets, MaskWrittenBack, NewJob, PutSecrets,
    SecretKeyCase, SecretMask, Settings,
};
use crate::graph::model::tenant::Secret;

/// What the values may have together in the US government clouds.
const US_GOV_BYTES_MAX: u64 = 1024;

#[derive(Deserialize)]
struct Put {
    value: Vec<Pair>,
}

#[derive(Clone, Deserialize)]
pub struct Pair {
    pub key: String,
    #[serde(default)]
    pub value: Value,
}

/// The pairs as secrets, those with an empty value too. The first that is refused refuses all.
pub fn accepted(pairs: Vec<Pair>, settings: &Settings) -> Result<Vec<Secret>, Reply> {
    let mut all: Vec<Secret> = Vec::new();
    for pair in pairs {
        let key = key(pair.key, settings)?;
        let value = text(&key, &pair.value, settings)?;
        let masked = secret_keys::is_masked(&key, settings.masked_keys);
        if masked && value == "*" && settings.mask_written_back == MaskWrittenBack::Refused {
            return Err(Reply::bad_request(&format!("The value of '{key}' is not valid.")));
        }
        let known = all.iter().position(|secret| secret.key.eq_ignore_ascii_case(&key));
        match (known, settings.duplicate_secret_keys) {
            (Some(_), DuplicateSecretKeys::Refused) => {
                return Err(Reply::bad_request(&format!("The key '{key}' is there more than once.")));
            }
            (Some(index), DuplicateSecretKeys::LastWins) => all[index].value = value,
            (None, _) => all.push(Secret { key, value }),
        }
    }
    Ok(all)
}

/// Those that have a value: an empty one is none.
pub fn filled(secrets: Vec<Secret>) -> Vec<Secret> {
    secrets.into_iter().filter(|secret| !secret.value.is_empty()).collect()
}

fn key(sent: String, settings: &Settings) -> Result<String, Reply> {
    let unknown = || Reply::bad_request(&format!("Requested value '{sent}' was not found."));
    match secret_keys::canonical(&sent) {
        None if settings.unknown_secret_keys == Accepts::Refused => Err(unknown()),
        None => Ok(sent),
        Some(known) => match settings.secret_key_case {
            SecretKeyCase::Refused if known != sent => Err(unknown()),
            SecretKeyCase::Canonical => Ok(known.to_owned()),
            SecretKeyCase::AsSent | SecretKeyCase::Refused => Ok(sent),
        },
    }
}

fn text(key: &str, value: &Value, settings: &Settings) -> Result<String, Reply> {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) if settings.non_text_secrets == Accepts::Accepted => value.to_string(),
        _ => return Err(Reply::bad_request("Cannot convert a primitive value to the expected type 'Edm.String'.")),
    };
    if key.eq_ignore_ascii_case(notifications::KEY) { notifications::saved(&text, settings) } else { Ok(text) }
}

/// The set after a PUT of these pairs.
fn after(before: &[Secret], given: Vec<Secret>, settings: &Settings) -> Vec<Secret> {
    match settings.left_out_secrets {
        LeftOutSecrets::Vanish => filled(given),
        LeftOutSecrets::Stay => merged(before, given),
    }
}

/// Each given one takes the place of its key; one with an empty value takes it out.
pub fn merged(before: &[Secret], given: Vec<Secret>) -> Vec<Secret> {
    let mut all = before.to_vec();
    for secret in given {
        match all.iter_mut().find(|known| known.key.eq_ignore_ascii_case(&secret.key)) {
            Some(known) => *known = secret,
            None => all.push(secret),
        }
    }
    filled(all)
}

fn small_enough(secrets: &[Secret], settings: &Settings) -> Result<(), Reply> {
    let us_gov = matches!(settings.cloud, Cloud::UsGov | Cloud::UsGovDod).then_some(US_GOV_BYTES_MAX);
    let total: usize = secrets.iter().map(|secret| secret.value.len()).sum();
    match settings.secrets_limit_bytes.or(us_gov) {
        Some(limit) if u64::try_from(total).unwrap_or(u64::MAX) > limit => {
            Err(Reply::bad_request(&format!("The credentials exceed the limit of {limit} bytes.")))
        }
        _ => Ok(()),
    }
}

pub fn put(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let (settings, now) = (call.settings(), call.now());
    let pairs = call.body::<Put>()?.value;
    if pairs.is_empty() {
        match settings.empty_secret_set {
            EmptySecretSet::Refused => return Err(Reply::bad_request("The collection 'value' is empty.")),
            EmptySecretSet::Ignored => {
                call.commit_no_change(None, json!({"keys": []}));
                return Ok(Reply::no_content());
            }
            EmptySecretSet::Clears => {}
        }
    }
    let empties = pairs.is_empty();
    let given = accepted(pairs, &settings)?;
    // Values stay out of the ledger.
    let names = |secrets: &[Secret]| secrets.iter().map(|secret| secret.key.clone()).collect::<Vec<_>>();
    let sent = names(&given);
    let before = call.principal()?.secrets.clone();
    let secrets = if empties { Vec::new() } else { after(&before, given, &settings) };
    small_enough(&secrets, &settings)?;
    if settings.put_secrets == PutSecrets::Lost {
        call.commit_no_change(None, json!({"keys": names(&before), "sent": sent}));
        return Ok(Reply::no_content());
    }
    let keys = names(&secrets);
    call.principal()?.save_secrets(now, secrets);
    if settings.new_job == NewJob::ByCredentials {
        configured(call, &settings)?;
    }
    call.commit(None, json!({"keys": keys, "sent": sent}));
    Ok(Reply::no_content())
}

/// Jobs that waited for their secrets are not waiting any more.
fn configured(call: &mut Call<'_>, settings: &Settings) -> Result<(), Reply> {
    let (tenant, now) = (call.tenant()?.clone(), call.now());
    let principal = call.principal()?;
    let snapshot = principal.clone();
    for job in principal.jobs.iter_mut().filter(|job| job.is_live() && job.now().code == Code::NotConfigured) {
        let code = create::first_code(settings, &snapshot, &catalog::template(&tenant, &job.template_id));
        job.change(now, |state| state.code = code);
    }
    Ok(())
}

pub fn get(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let (settings, id, now) = (call.settings(), call.principal_id(), call.now());
    let lag = call.model.lag(&call.caller.tenant_id.clone()).secrets;
    let shown = |secret: &Secret| json!({"key": secret.key, "value": masked(secret, &settings)});
    let shown: Vec<Value> = call.principal()?.secrets_seen(now, lag).iter().map(shown).collect();
    Ok(Reply::ok(call.entity(&format!("servicePrincipals('{id}')/synchronization/secrets"), json!({"value": shown}))))
}

fn masked(secret: &Secret, settings: &Settings) -> String {
    if !secret_keys::is_masked(&secret.key, settings.masked_keys) {
        return secret.value.clone();
    }
    match settings.secret_mask {
        SecretMask::Star => "*".to_owned(),
        SecretMask::Empty => String::new(),
        SecretMask::FirstLetter => format!("{}***", secret.value.chars().next().unwrap_or('*')),
    }
}

pub fn value<'a>(secrets: &'a [Secret], key: &str) -> Option<&'a str> {
    secrets.iter().find(|secret| secret.key.eq_ignore_ascii_case(key)).map(|secret| secret.value.as_str())
}
