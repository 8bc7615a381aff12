//! The errors of login (CONTRACT §8.5).

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::graph::http::reply::Reply;

/// An AADSTS code and what it says.
pub type Refusal = (u32, &'static str);

/// Status and `error` with which a code was seen; where several were, the newest.
#[rustfmt::skip]
const CODES: &[(u32, u16, &str)] = &[
    (7_000_215, 401, "invalid_client"), (7_000_222, 401, "invalid_client"), (700_222, 401, "invalid_client"),
    (7_000_218, 401, "invalid_client"), (7_000_216, 401, "invalid_client"),
    (900_144, 400, "invalid_request"), (90014, 400, "invalid_request"),
    (700_016, 400, "unauthorized_client"), (7_000_229, 401, "invalid_client"),
    (700_011, 400, "unauthorized_client"), (70001, 400, "unauthorized_client"), (7_000_112, 401, "unauthorized_client"),
    (700_025, 401, "invalid_client"),
    (700_027, 401, "invalid_client"), (50012, 401, "invalid_client"), (50013, 401, "invalid_client"), (50048, 401, "invalid_client"),
    (700_024, 401, "invalid_client"), (500_133, 401, "invalid_client"),
    (70021, 401, "invalid_client"), (700_211, 401, "invalid_client"), (700_212, 401, "invalid_client"),
    (700_213, 401, "invalid_client"), (7_002_131, 401, "invalid_client"), (7_002_138, 401, "invalid_client"),
    (700_229, 401, "invalid_client"), (90061, 400, "invalid_request"),
    (90002, 400, "invalid_request"), (900_023, 400, "invalid_request"),
    (900_382, 400, "invalid_request"), (900_432, 400, "invalid_request"), (90038, 400, "invalid_request"),
    (500_011, 400, "invalid_resource"), (50001, 400, "invalid_resource"), (650_057, 400, "invalid_resource"),
    (70011, 400, "invalid_scope"), (1_002_012, 400, "invalid_scope"),
    (65001, 400, "invalid_grant"), (650_052, 400, "invalid_grant"), (650_056, 400, "invalid_grant"),
    (50034, 400, "invalid_grant"), (53003, 400, "invalid_grant"), (530_035, 400, "invalid_grant"),
    (50196, 400, "invalid_grant"), (70003, 400, "unsupported_grant_type"),
    (90055, 429, "temporarily_unavailable"),
    (90033, 503, "temporarily_unavailable"), (90006, 503, "temporarily_unavailable"), (90012, 503, "temporarily_unavailable"),
    (90024, 503, "temporarily_unavailable"), (90090, 503, "temporarily_unavailable"), (50033, 503, "temporarily_unavailable"),
];

/// A code that is not in the table is refused as a bad request.
pub fn refuse(code: u32, text: &str, now: Timestamp) -> Reply {
    let known = CODES.iter().find(|(known, _, _)| *known == code);
    let (status, error) = known.map_or((400, "invalid_request"), |(_, status, error)| (*status, *error));
    let (trace, correlation, time) = (Uuid::new_v4(), Uuid::new_v4(), super::login_time(now));
    let description =
        format!("AADSTS{code}: {text}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {time}");
    Reply::json(
        status,
        json!({"error": error, "error_description": description, "error_codes": [code], "timestamp": time,
            "trace_id": trace, "correlation_id": correlation, "error_uri": format!("https://login.example.test/error?code={code}")}),
    )
}

pub fn is_known(code: u32) -> bool {
    CODES.iter().any(|(known, _, _)| *known == code)
}
