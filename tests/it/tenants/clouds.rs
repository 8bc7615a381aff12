//! The four clouds: each has a login and a Graph of its own, an audience for the tokens of this cluster, and tenants that
//! no other cloud knows.

use bed::graph::{Control, Options, Simulator};
use serde_json::json;

use super::material::{service_account, subject, trust};
use super::stand::{CLIENT, ROLES, Stand};
use crate::life::BOX;
use crate::stack::read::{calls, condition, effects, is_ready, manifest, ready};

/// A cloud as the resource, the command line and the simulator name it, and its audience.
struct Cloud {
    name: &'static str,
    argument: &'static str,
    setting: &'static str,
    audience: &'static str,
    tenant: &'static str,
}

const CLOUDS: [Cloud; 4] = [
    Cloud {
        name: "Global",
        argument: "global",
        setting: "global",
        audience: "api://AzureADTokenExchange",
        tenant: "a0000000-1111-4222-8333-444444444444",
    },
    Cloud {
        name: "USGov",
        argument: "us-gov",
        setting: "usGov",
        audience: "api://AzureADTokenExchangeUSGov",
        tenant: "b0000000-1111-4222-8333-444444444444",
    },
    Cloud {
        name: "USGovDoD",
        argument: "us-gov-dod",
        setting: "usGovDod",
        audience: "api://AzureADTokenExchangeUSGov",
        tenant: "c0000000-1111-4222-8333-444444444444",
    },
    Cloud {
        name: "China",
        argument: "china",
        setting: "china",
        audience: "api://AzureADTokenExchangeChina",
        tenant: "d0000000-1111-4222-8333-444444444444",
    },
];

impl Cloud {
    /// The object id of a service principal, which no other tenant has.
    fn principal(&self) -> String {
        self.tenant.replace("-1111-", "-9999-")
    }

    /// The cloud has one tenant, with a service principal and an application that trusts this cluster.
    async fn furnish(&self, stand: &Stand, control: &Control) {
        let known = trust(stand, &subject(stand, "entrain-workload"), self.audience).await;
        let application = json!({"displayName": "team", "roles": ROLES, "federatedCredentials": [known]});
        control.put_tenant(self.tenant, &json!({"cloud": self.setting})).await.unwrap();
        control.put_application(self.tenant, CLIENT, &application).await.unwrap();
        let principal = json!({"appId": CLIENT, "displayName": "Box", "templates": [BOX]});
        control.put_service_principal(self.tenant, &self.principal(), &principal).await.unwrap();
    }

    async fn tenant(&self, stand: &Stand, name: &str, tenant: &str) {
        let credential = json!({"workloadIdentity": {"clientId": CLIENT}});
        stand.tenant_with(name, &credential, &json!({"cloud": self.name, "tenantId": tenant})).await;
    }
}

/// The simulators issue a token only for a scope of their own origin, and only for the audience of their cloud.
#[tokio::test(flavor = "multi_thread")]
async fn each_cloud_is_asked_at_its_own_addresses_with_its_own_audience_and_scope() {
    let mut simulators = Vec::new();
    for _ in &CLOUDS[1..] {
        simulators.push(Simulator::start(Options::default()).await.unwrap());
    }
    let others: Vec<_> = CLOUDS[1..].iter().map(|cloud| cloud.argument).zip(&simulators).collect();
    let mut stand = Stand::in_clouds(&others).await;
    service_account(&stand, "entrain-workload", &json!({})).await;
    let own = Control::new(stand.rig.simulator.ready()).unwrap();
    let controls = simulators.iter().map(|simulator| Control::new(simulator.ready()).unwrap());
    let controls: Vec<Control> = std::iter::once(own).chain(controls).collect();
    for (cloud, control) in CLOUDS.iter().zip(&controls) {
        cloud.furnish(&stand, control).await;
        cloud.tenant(&stand, cloud.argument, cloud.tenant).await;
        let reference = format!("tenantRef: {{name: {}}}", cloud.argument);
        stand.rig.apply(&manifest(cloud.argument, &cloud.principal(), BOX, &[&reference])).await;
    }
    for (cloud, control) in CLOUDS.iter().zip(&controls) {
        let tenant = stand.until_tenant(cloud.argument, "is logged in", |it| ready(it, "True", "LoggedIn")).await;
        assert_eq!(tenant["status"]["login"]["audience"], cloud.audience, "{}", cloud.name);
        stand.rig.until(cloud.argument, "runs", is_ready).await;
        assert_eq!(effects(control, "createJob").await.len(), 1, "{}", cloud.name);
        assert_eq!(calls(control, "token").await.len(), 1, "{}", cloud.name);
        let all = control.calls().await.unwrap();
        let of_others = all["value"].as_array().unwrap().iter().filter(|call| call["tenantId"] != cloud.tenant);
        assert_eq!(of_others.count(), 0, "{}: {all:#}", cloud.name);
    }

    for (cloud, other) in CLOUDS.iter().zip(CLOUDS.iter().cycle().skip(1)) {
        let name = format!("{}-elsewhere", cloud.argument);
        cloud.tenant(&stand, &name, other.tenant).await;
        let tenant = stand.until_tenant(&name, "is unknown", |it| ready(it, "False", "TenantIdUnknown")).await;
        let message = condition(&tenant, "Ready")["message"].as_str().unwrap();
        assert!(message.contains("AADSTS90002") && message.contains("`tenantId` or `cloud`"), "{message}");
        assert_eq!(condition(&tenant, "Stalled")["status"], "True", "{tenant:#}");
    }
}
