//! The state of tenants, read from the store at each scrape: what is deleted is gone at once.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

use super::table;
use crate::api::ConditionType;
use crate::api::tenant::TenantStatus;

/// A tenant by the name under which its calls are counted.
pub type NamedStatus = (String, Option<TenantStatus>);

type Shown = dyn Fn() -> Vec<NamedStatus> + Send + Sync;

/// The source of the tenants at a scrape.
pub struct Tenants(Box<Shown>);

impl Tenants {
    pub fn new(shown: impl Fn() -> Vec<NamedStatus> + Send + Sync + 'static) -> Self {
        Self(Box::new(shown))
    }
}

impl fmt::Debug for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tenants")
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Tenant {
    tenant: String,
}

/// 1 for True, 0 for False; a tenant that is suspended or was not looked at has none.
fn ready(status: &TenantStatus) -> Option<i64> {
    let of = |kind: ConditionType| status.conditions.iter().find(|condition| condition.type_ == kind.name());
    let suspended = of(ConditionType::Suspended).is_some_and(|suspended| suspended.status == "True");
    let ready = of(ConditionType::Ready).filter(|ready| ready.status != "Unknown" && !suspended)?;
    Some(i64::from(ready.status == "True"))
}

impl Collector for Tenants {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let tenants = (self.0)();
        let known =
            || tenants.iter().filter_map(|(name, status)| Some((Tenant { tenant: name.clone() }, status.as_ref()?)));
        let mut family = table::TENANT_READY.describe(&mut encoder)?;
        for (tenant, status) in known() {
            if let Some(ready) = ready(status) {
                ConstGauge::new(ready).encode(family.encode_family(&tenant)?)?;
            }
        }
        let mut family = table::TENANT_CERTIFICATE_EXPIRY.describe(&mut encoder)?;
        for (tenant, status) in known() {
            let Some(at) = status.login.as_ref().and_then(|login| login.not_after_time.as_ref()) else { continue };
            ConstGauge::new(at.0.as_second()).encode(family.encode_family(&tenant)?)?;
        }
        Ok(())
    }
}
