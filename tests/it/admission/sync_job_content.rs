//! Credentials and settings that are refused, and those that are not.

use serde_json::{Value, json};

/// Credentials that are fine but for the last.
fn credentials(last: &Value) -> Value {
    json!({"credentials": [{"key": "BaseAddress", "value": "https://scim.example.test/v2"}, last]})
}

fn from_secret(key: &str) -> Value {
    json!({"key": key, "valueFrom": {"secretKeyRef": {"name": "box-scim", "key": "token"}}})
}

/// Keys whose values Graph does not show, in more than one spelling.
const SECRETS: [&str; 14] = [
    "Password",
    "SecretToken",
    "secrettoken",
    "CLIENTSECRET",
    "ClientSecret",
    "ConsumerSecret",
    "TokenKey",
    "ConsumerKey",
    "ConnectionString",
    "Oauth2AccessToken",
    "Oauth2RefreshToken",
    "Oauth2ClientSecret",
    "Oauth2AuthorizationCode",
    "SyncAgentCompatibilityKey",
];

/// What is laid over a good spec, and what the refusal must say.
pub fn refused() -> Vec<(Value, &'static str)> {
    let mut all = [keys(), values(), settings()].concat();
    let plain = |key: &&str| credentials(&json!({"key": key, "value": "t0ken"}));
    let sentence =
        "spec.credentials[1].value: Forbidden: `value` must not be used for this key, whose value is a secret";
    all.extend(SECRETS.iter().map(|key| (plain(key), sentence)));
    for (key, sentence) in [
        ("SyncAll", "spec.credentials[1].key: Forbidden: `key` must not name a setting, which has a field of its own"),
        ("skipOutOfScopeDeletions", "`key` must not name a setting"),
        ("SYNCNOTIFICATIONSETTINGS", "`key` must not name a setting"),
    ] {
        all.push((credentials(&json!({"key": key, "value": "true"})), sentence));
        all.push((credentials(&from_secret(key)), sentence));
    }
    all
}

fn keys() -> Vec<(Value, &'static str)> {
    let name = "spec.credentials[1].key: Invalid value: \"Secret Token\": the key must be one of Graph's names";
    let many: Vec<Value> = (0..41).map(|n| json!({"key": format!("Key{n}"), "value": "v"})).collect();
    vec![
        (credentials(&json!({"value": "x"})), "spec.credentials[1].key: Required value"),
        (credentials(&json!({"key": "", "value": "x"})), "spec.credentials[1].key: Invalid value"),
        (credentials(&json!({"key": "Secret Token", "value": "x"})), name),
        (credentials(&json!({"key": "0auth", "value": "x"})), "the key must be one of Graph's names"),
        (credentials(&json!({"key": "k".repeat(65), "value": "x"})), "may not be more than 64 bytes"),
        (
            credentials(&json!({"key": "BaseAddress", "value": "x"})),
            "spec.credentials[1]: Duplicate value: {\"key\":\"BaseAddress\"}",
        ),
        (
            credentials(&json!({"key": "baseaddress", "value": "x"})),
            "spec.credentials: Invalid value: `credentials` must name each key once: Graph takes 'SecretToken' and 'secrettoken'",
        ),
        (json!({"credentials": many}), "spec.credentials: Too many: 41: must have at most 40 items"),
    ]
}

fn values() -> Vec<(Value, &'static str)> {
    let either = "spec.credentials[1]: Invalid value: a credential must have either `value` or `valueFrom`";
    let mask = "spec.credentials[1].value: Invalid value: \"*\": the value must not be '*', which is what Graph shows in place";
    let from = |reference: Value| credentials(&json!({"key": "SecretToken", "valueFrom": reference}));
    let named = |name: &str, key: &str| from(json!({"secretKeyRef": {"name": name, "key": key}}));
    let mut both = from_secret("UserName");
    both["value"] = json!("provisioning");
    vec![
        (credentials(&json!({"key": "UserName"})), either),
        (credentials(&both), either),
        (credentials(&json!({"key": "UserName", "value": "*"})), mask),
        (credentials(&json!({"key": "UserName", "value": ""})), "spec.credentials[1].value: Invalid value"),
        (credentials(&json!({"key": "UserName", "value": "v".repeat(4097)})), "may not be more than 4096 bytes"),
        (from(json!({})), "spec.credentials[1].valueFrom.secretKeyRef: Required value"),
        (from(json!({"secretKeyRef": {"name": "box-scim"}})), "secretKeyRef.key: Required value"),
        (
            named("Box", "token"),
            "secretKeyRef.name: Invalid value: \"Box\": the name must be one that an object can have",
        ),
        (
            named("box-scim", "a/b"),
            "secretKeyRef.key: Invalid value: \"a/b\": the key must be one that a Secret can have",
        ),
        (
            from(json!({"secretKeyRef": {"name": "box-scim", "key": "token", "namespace": "kube-system"}})),
            "unknown field \"spec.credentials[1].valueFrom.secretKeyRef.namespace\"",
        ),
        (from(json!({"configMapKeyRef": {"name": "a", "key": "b"}})), "unknown field"),
    ]
}

fn settings() -> Vec<(Value, &'static str)> {
    let recipients = |all: Value| json!({"notifications": {"recipients": all}});
    let recipient = ": the recipient must be one e-mail address, such as 'ops@example.com'";
    let skip = |template: &str| json!({"templateId": template, "outOfScopeDeletions": "Skip"});
    let cross =
        "spec.outOfScopeDeletions: Forbidden: `outOfScopeDeletions` must be left out for cross-tenant synchronization";
    let many: Vec<String> = (0..21).map(|n| format!("ops{n}@example.com")).collect();
    vec![
        (
            json!({"credentialValidation": "Ignore"}),
            "spec.credentialValidation: Unsupported value: \"Ignore\": supported values: \"Warn\", \"Require\", \"Skip\"",
        ),
        (json!({"scope": "Everybody"}), "supported values: \"All\", \"Assigned\""),
        (json!({"outOfScopeDeletions": "Keep"}), "supported values: \"Process\", \"Skip\""),
        (json!({"restartAfterChange": "Always"}), "supported values: \"Manual\", \"Automatic\""),
        (skip("Azure2Azure"), cross),
        (skip("azure2AzureProvisioning"), cross),
        (json!({"notifications": {}}), "spec.notifications.recipients: Required value"),
        (recipients(json!(["ops"])), recipient),
        (recipients(json!(["a@b.test,c@d.test"])), recipient),
        (recipients(json!(["a@b.test; c@d.test"])), recipient),
        (recipients(json!(["a@b.test", "a@b.test"])), "spec.notifications.recipients[1]: Duplicate value"),
        (recipients(json!(many)), "Too many: 21: must have at most 20 items"),
        (json!({"deleteThreshold": -1}), "should be greater than or equal to 0"),
        (json!({"deleteThreshold": 1_000_001}), "should be less than or equal to 1000000"),
        (json!({"deleteThreshold": "500"}), "spec.deleteThreshold: Invalid value"),
    ]
}

pub fn accepted() -> Vec<Value> {
    let largest: Vec<Value> =
        (0..40).map(|n| json!({"key": format!("Key{n:061}"), "value": "v".repeat(4096)})).collect();
    let mut all: Vec<Value> = SECRETS.iter().map(|key| credentials(&from_secret(key))).collect();
    all.extend([
        credentials(&from_secret("UserName")),
        credentials(&json!({"key": "UserName", "value": "a*"})),
        credentials(&json!({"key": "AppKey", "value": "{\"appKeyScenario\":\"AD2AADProvisioning\"}"})),
        json!({"credentials": []}),
        json!({"credentials": largest}),
        json!({"credentialValidation": "Require", "scope": "Assigned", "restartAfterChange": "Automatic"}),
        json!({"credentialValidation": "Skip", "scope": "All", "restartAfterChange": "Manual"}),
        json!({"outOfScopeDeletions": "Skip", "templateId": "scim"}),
        json!({"outOfScopeDeletions": "Process"}),
        json!({"templateId": "Azure2Azure", "scope": "Assigned", "deleteThreshold": 500}),
        json!({"notifications": {"recipients": []}, "deleteThreshold": 0}),
        json!({"notifications": {"recipients": ["ops@example.com", "iam@example.com"]}, "deleteThreshold": 1_000_000}),
    ]);
    all
}
