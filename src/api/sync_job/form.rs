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

form! {
    /// Name of an object of a directory, as the schema of the job has it.
    SchemaObjectName: 1 to 256,
    "self == self.trim()",
    "the name must be one of the schema of the job, such as 'User', without spaces around it"
}

form! {
    /// Name of an attribute. The service limits it in no documented way.
    AttributeName: 1 to 512,
    "self == self.trim()",
    "the name must be one of an attribute, such as 'userName', without spaces around it"
}

form! {
    /// An expression in Entra ID's words. The service refuses longer ones.
    ExpressionText: 1 to 10000,
    "self.trim() != ''",
    "the expression must not be empty: to remove the mapping, set `state: Absent`"
}

form! {
    /// Graph's name of an operator. Those that this version does not know are for Graph to judge.
    FilterOperator: 1 to 64,
    "self == self.trim()",
    "the operator must be one of Graph's names, such as 'EQUALS' or 'REGEX MATCH', without spaces around it"
}
