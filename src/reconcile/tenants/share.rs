//! What all clients of one application share, because Graph counts by application and tenant, and by application alone.

use crate::api::tenant::{Cloud, RateLimit};
use crate::graph::{ApplicationLimits, LimitSettings, Limits, Options, Rates};

/// Under what Graph counts calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub cloud: Cloud,
    /// As the login names it: a GUID in lower case, or a domain.
    pub tenant: String,
    /// In lower case.
    pub client_id: String,
}

/// The limits of an account. Clones share them.
#[derive(Clone)]
pub struct Share {
    pub account: Account,
    pub limits: Limits,
    application: ApplicationLimits,
}

impl Share {
    /// The share of an account: one of those that there are, or a new one, which has the limits of its application in common
    /// with those of other tenants.
    pub fn of(account: Account, others: &[&Self], options: &Options) -> Self {
        if let Some(known) = others.iter().find(|other| other.account == account) {
            return (*known).clone();
        }
        let wide = |account: &Account| (account.cloud, account.client_id.clone());
        let application = others.iter().find(|other| wide(&other.account) == wide(&account));
        let application = application.map(|other| other.application.clone());
        let application = application.unwrap_or_default();
        let settings = LimitSettings { in_flight_max: options.in_flight_max, rates: Rates::documented() };
        let limits = Limits::new(settings, application.clone(), options.observer.clone());
        Self { account, limits, application }
    }
}

/// The ceilings of a tenant: what Graph documents, or less where the spec says so.
pub(super) fn rates(wanted: Option<&RateLimit>) -> Rates {
    let documented = Rates::documented();
    let Some(wanted) = wanted else { return documented };
    let most = |limit: f64, wanted: Option<i32>| wanted.map_or(limit, |wanted| limit.min(f64::from(wanted.max(1))));
    Rates {
        units_per_second: most(documented.units_per_second, wanted.requests_per_second),
        writes_per_minute: most(documented.writes_per_minute, wanted.writes_per_minute),
    }
}

pub(super) fn lower(one: Rates, other: Rates) -> Rates {
    Rates {
        units_per_second: one.units_per_second.min(other.units_per_second),
        writes_per_minute: one.writes_per_minute.min(other.writes_per_minute),
    }
}
