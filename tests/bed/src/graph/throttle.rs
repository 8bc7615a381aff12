//! Throttle buckets of applications and tenants (CONTRACT §7). Refused requests count as well: early retries make it worse.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::batch;
use super::http::reply::Reply;
use super::http::request::Request;
use super::model::clock::after;
use super::model::settings::{RetryAfter, Settings, ThrottledCode, Throttling};
use super::model::{Caller, Model};

const UNITS_WINDOW: SignedDuration = SignedDuration::from_secs(10);
const WRITES_WINDOW: SignedDuration = SignedDuration::from_secs(150);
const WRITES_LIMIT: u64 = 3000;
const REQUESTS_LIMIT: u64 = 130_000;
const APPLICATION_UNITS_WINDOW: SignedDuration = SignedDuration::from_secs(20);
const APPLICATION_UNITS_LIMIT: u64 = 150_000;
const WIDE_WRITES_WINDOW: SignedDuration = SignedDuration::from_mins(5);
const APPLICATION_WRITES_LIMIT: u64 = 70_000;
const TENANT_WRITES_LIMIT: u64 = 18_000;
const ON_DEMAND_LIMIT: u64 = 5;
const UPLOAD_WINDOW: SignedDuration = SignedDuration::from_secs(5);
const UPLOAD_LIMIT: u64 = 40;
const UPLOAD_DAY: SignedDuration = SignedDuration::from_hours(24);
const UPLOAD_DAY_LIMIT: u64 = 6000;
/// Above this share of the limit the answer says how full the bucket is.
const TELL_ABOVE: f64 = 0.8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Units,
    Writes,
    Requests,
    OnDemand,
    Upload,
    UploadInADay,
}

/// Whose bucket it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// An application in one tenant.
    Pair,
    /// An application over all tenants.
    Application,
    /// A tenant over all applications.
    Tenant,
}

impl Owner {
    /// Application and tenant; empty where it is over all of them.
    fn key(self, caller: &Caller) -> (String, String) {
        match self {
            Self::Pair => (caller.app_id.clone(), caller.tenant_id.clone()),
            Self::Application => (caller.app_id.clone(), String::new()),
            Self::Tenant => (String::new(), caller.tenant_id.clone()),
        }
    }

    /// As `x-ms-throttle-scope` names it.
    fn name(self) -> &'static str {
        match self {
            Self::Pair => "Tenant_Application",
            Self::Application => "Application",
            Self::Tenant => "Tenant",
        }
    }
}

/// What was spent, by application, tenant and kind.
#[derive(Default)]
pub struct Buckets(BTreeMap<(String, String, Kind), VecDeque<(Timestamp, u64)>>);

impl Buckets {
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Spends, and says how much of the window is used now and when the oldest part of it comes back.
    fn spend(&mut self, caller: &Caller, limit: &Limit, now: Timestamp) -> (u64, Timestamp) {
        let (application, tenant) = limit.owner.key(caller);
        let spent = self.0.entry((application, tenant, limit.kind)).or_default();
        while spent.front().is_some_and(|(at, _)| now.duration_since(*at) >= limit.window) {
            spent.pop_front();
        }
        spent.push_back((now, limit.cost));
        let oldest = spent.front().map_or(now, |(at, _)| *at);
        (spent.iter().map(|(_, cost)| cost).sum(), after(oldest, limit.window))
    }
}

/// Resource units and write units of a request.
pub fn cost(request: &Request) -> (u64, u64) {
    if request.method != hyper::Method::GET {
        return (1, 1);
    }
    let last = request.segments.last().map(String::as_str).unwrap_or_default();
    let below_synchronization = request.segments.iter().any(|segment| segment.eq_ignore_ascii_case("synchronization"));
    let base: i64 = match request.segments.get(1).map(String::as_str) {
        Some(first) if first.eq_ignore_ascii_case("applications") && !below_synchronization => 2,
        Some(first) if first.eq_ignore_ascii_case("users") => 2,
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
    owner: Owner,
    kind: Kind,
    window: SignedDuration,
    cost: u64,
    most: u64,
}

impl Limit {
    /// As `x-ms-throttle-scope` and `x-ms-throttle-information` name it.
    fn names(&self) -> (&'static str, &'static str) {
        match self.kind {
            Kind::Units => ("ReadWrite", "ResourceUnitLimitExceeded"),
            Kind::Requests => ("ReadWrite", "CPULimitExceeded"),
            Kind::Writes | Kind::OnDemand | Kind::Upload | Kind::UploadInADay => ("Write", "WriteLimitExceeded"),
        }
    }
}

fn limits(settings: &Settings, operation: &str, request: &Request) -> Vec<Limit> {
    use Owner::{Application, Pair, Tenant};
    let limit = |owner, kind, window, cost, most| Limit { owner, kind, window, cost, most };
    // These hold whatever the size of the tenant.
    let mut all = match operation {
        "provisionOnDemand" => vec![limit(Pair, Kind::OnDemand, UNITS_WINDOW, 1, ON_DEMAND_LIMIT)],
        "bulkUpload" => vec![
            limit(Pair, Kind::Upload, UPLOAD_WINDOW, 1, UPLOAD_LIMIT),
            limit(Pair, Kind::UploadInADay, UPLOAD_DAY, 1, UPLOAD_DAY_LIMIT),
        ],
        _ => Vec::new(),
    };
    let units = match settings.throttling {
        Throttling::Off => return all,
        Throttling::Small => 3500,
        Throttling::Medium => 5000,
        Throttling::Large => 8000,
    };
    // The parts of a batch count, one by one.
    if operation == batch::OPERATION {
        return all;
    }
    let (cost, writes) = cost(request);
    let most = |own: Option<u64>, usual: u64| own.unwrap_or(usual);
    let (own, wide) = (most(settings.resource_unit_limit, units), settings.application_unit_limit);
    all.extend([
        limit(Pair, Kind::Units, UNITS_WINDOW, cost, own),
        limit(Application, Kind::Units, APPLICATION_UNITS_WINDOW, cost, most(wide, APPLICATION_UNITS_LIMIT)),
        limit(Application, Kind::Requests, UNITS_WINDOW, 1, most(settings.request_limit, REQUESTS_LIMIT)),
    ]);
    if writes > 0 {
        let application = most(settings.application_write_limit, APPLICATION_WRITES_LIMIT);
        let tenant = most(settings.tenant_write_limit, TENANT_WRITES_LIMIT);
        all.extend([
            limit(Pair, Kind::Writes, WRITES_WINDOW, writes, most(settings.write_limit, WRITES_LIMIT)),
            limit(Application, Kind::Writes, WIDE_WRITES_WINDOW, writes, application),
            limit(Tenant, Kind::Writes, WIDE_WRITES_WINDOW, writes, tenant),
        ]);
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
        let (used, free_at) = model.buckets.spend(caller, &limit, now);
        #[expect(clippy::cast_precision_loss, reason = "a share of a small number")]
        let share = used as f64 / limit.most.max(1) as f64;
        if limit.kind == Kind::Units && limit.owner == Owner::Pair {
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
    let (kind, information) = limit.names();
    let scope = format!("{}/{kind}/{}/{}", limit.owner.name(), caller.app_id, caller.tenant_id);
    reply.with("x-ms-throttle-scope", scope).with("x-ms-throttle-information", information)
}
