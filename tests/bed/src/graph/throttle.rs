//! Throttle buckets per application and tenant (graph-api §7). Refused requests count as well: early retries make it worse.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::http::reply::Reply;
use super::http::request::Request;
use super::model::clock::after;
use super::model::settings::{RetryAfter, Settings, ThrottledCode, Throttling};
use super::model::{Caller, Model};

const UNITS_WINDOW: SignedDuration = SignedDuration::from_secs(10);
const WRITES_WINDOW: SignedDuration = SignedDuration::from_secs(150);
const WRITES_LIMIT: u64 = 3000;
const ON_DEMAND_LIMIT: u64 = 5;
const UPLOAD_WINDOW: SignedDuration = SignedDuration::from_secs(5);
const UPLOAD_LIMIT: u64 = 40;
/// Above this share of the limit the answer says how full the bucket is.
const TELL_ABOVE: f64 = 0.8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Units,
    Writes,
    OnDemand,
    Upload,
}

/// What was spent, by application, tenant and kind.
#[derive(Default)]
pub struct Buckets(BTreeMap<(String, String, Kind), VecDeque<(Timestamp, u64)>>);

impl Buckets {
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Spends, and says how much of the window is used now and when the oldest part of it comes back.
    fn spend(
        &mut self,
        caller: &Caller,
        kind: Kind,
        window: SignedDuration,
        cost: u64,
        now: Timestamp,
    ) -> (u64, Timestamp) {
        let spent = self.0.entry((caller.app_id.clone(), caller.tenant_id.clone(), kind)).or_default();
        while spent.front().is_some_and(|(at, _)| now.duration_since(*at) >= window) {
            spent.pop_front();
        }
        spent.push_back((now, cost));
        let oldest = spent.front().map_or(now, |(at, _)| *at);
        (spent.iter().map(|(_, cost)| cost).sum(), after(oldest, window))
    }
}

/// Resource units and write units of a request.
pub fn cost(request: &Request) -> (u64, u64) {
    if request.method != hyper::Method::GET {
        return (1, 1);
    }
    let last = request.segments.last().map(String::as_str).unwrap_or_default();
    let base: i64 = match request.segments.get(1).map(String::as_str) {
        Some("applications") if !request.segments.iter().any(|segment| segment == "synchronization") => 2,
        Some("users") => 2,
        _ if last.starts_with("appRoleAssign") => 2,
        _ => 1,
    };
    let small_page = request.query("$top").and_then(|top| top.parse::<u32>().ok()).is_some_and(|top| top < 20);
    let change = i64::from(request.query("$expand").is_some())
        - i64::from(request.query("$select").is_some())
        - i64::from(small_page);
    (u64::try_from((base + change).max(1)).unwrap_or(1), 0)
}

struct Limit {
    kind: Kind,
    window: SignedDuration,
    cost: u64,
    most: u64,
    scope: &'static str,
    information: &'static str,
}

fn limits(settings: &Settings, operation: &str, request: &Request) -> Vec<Limit> {
    let units = match settings.throttling {
        Throttling::Off => return Vec::new(),
        Throttling::Small => 3500,
        Throttling::Medium => 5000,
        Throttling::Large => 8000,
    };
    let (cost, writes) = cost(request);
    let limit = |kind, window, cost, most, scope, information| Limit { kind, window, cost, most, scope, information };
    let units = settings.resource_unit_limit.unwrap_or(units);
    let mut all = vec![limit(Kind::Units, UNITS_WINDOW, cost, units, "ReadWrite", "ResourceUnitLimitExceeded")];
    if writes > 0 {
        let most = settings.write_limit.unwrap_or(WRITES_LIMIT);
        all.push(limit(Kind::Writes, WRITES_WINDOW, writes, most, "Write", "WriteLimitExceeded"));
    }
    match operation {
        "provisionOnDemand" => {
            all.push(limit(Kind::OnDemand, UNITS_WINDOW, 1, ON_DEMAND_LIMIT, "Write", "WriteLimitExceeded"));
        }
        "bulkUpload" => {
            all.push(limit(Kind::Upload, UPLOAD_WINDOW, 1, UPLOAD_LIMIT, "Write", "WriteLimitExceeded"));
        }
        _ => {}
    }
    all
}

/// Headers for the answer of a call that may pass, or the 429.
pub fn check(
    model: &mut Model,
    caller: &Caller,
    operation: &str,
    request: &Request,
) -> Result<Vec<(String, String)>, Reply> {
    let (settings, now) = (model.settings(&caller.tenant_id), model.now());
    let mut headers = Vec::new();
    let mut refused = None;
    for limit in limits(&settings, operation, request) {
        let (used, free_at) = model.buckets.spend(caller, limit.kind, limit.window, limit.cost, now);
        #[expect(clippy::cast_precision_loss, reason = "a share of a small number")]
        let share = used as f64 / limit.most.max(1) as f64;
        if limit.kind == Kind::Units {
            headers.push(("x-ms-resource-unit".to_owned(), limit.cost.to_string()));
            if share > TELL_ABOVE {
                let told = format!("{:.1}", share.min(1.8));
                headers.push(("x-ms-throttle-limit-percentage".to_owned(), told));
            }
        }
        if used > limit.most && refused.is_none() {
            refused = Some(too_many(&settings, caller, &limit, now, free_at));
        }
    }
    match refused {
        None => Ok(headers),
        Some(mut reply) => {
            reply.headers.extend(headers);
            Err(reply)
        }
    }
}

fn too_many(settings: &Settings, caller: &Caller, limit: &Limit, now: Timestamp, free_at: Timestamp) -> Reply {
    let size = format!("{:?}", settings.throttling).to_lowercase();
    let reply = match settings.throttled_code {
        ThrottledCode::UnknownError => Reply::error(429, "UnknownError", ""),
        ThrottledCode::TooManyRequests => {
            let text = format!(
                "Too many requests from Identifier:{} under category:aadgraph.app.tenant_{size}. Please try again later.",
                caller.app_id
            );
            let mut reply = Reply::error(429, "TooManyRequests", &text);
            if let super::http::reply::Content::Json(body) = &mut reply.content {
                body["error"]["innerError"] =
                    serde_json::json!({"code": "429", "message": "Please retry after", "status": "429"});
            }
            reply
        }
    };
    let wait = free_at.duration_since(now);
    let whole = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
    let reply = match settings.retry_after {
        RetryAfter::None => reply,
        RetryAfter::Seconds => reply.with("retry-after", whole.to_string()),
        RetryAfter::Fractional => reply.with("retry-after", format!("{:.3}", wait.as_secs_f64())),
        RetryAfter::Date => {
            let at = after(now, SignedDuration::from_secs(whole));
            reply.with("retry-after", at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        }
    };
    let scope = format!("Tenant_Application/{}/{}/{}", limit.scope, caller.app_id, caller.tenant_id);
    reply.with("x-ms-throttle-scope", scope).with("x-ms-throttle-information", limit.information)
}
