//! Forms that strings of the spec must have, as schemas.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::api::tenant::form::form;

form! {
    /// A key of Graph's `synchronizationSecret`. Keys that this version does not know are for Graph to judge.
    GraphKey: 1 to 64,
    "self.matches('^[A-Za-z][A-Za-z0-9]*$')",
    "the key must be one of Graph's names, such as 'BaseAddress' or 'SecretToken': letters and digits"
}

form! {
    /// The value of a key. `*` is what Graph shows in place of a secret.
    PlainValue: 1 to 4096,
    "self != '*'",
    "the value must not be '*', which is what Graph shows in place of a secret: write the value that is meant, or leave the key out"
}

form! {
    /// An e-mail address.
    Recipient: 3 to 254,
    "self.matches('^[^@,; ]+@[^@,; ]+$')",
    "the recipient must be one e-mail address, such as 'ops@example.com'"
}
