//! The provisioning templates that are known (CONTRACT §10), and what any other id gets.

use serde::{Deserialize, Serialize};

use crate::graph::model::tenant::Tenant;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Template {
    pub description: String,
    pub factory_tag: String,
    /// How often its jobs run, as an ISO 8601 duration: `PT2M`, `PT20M` or `PT40M`.
    pub interval: Interval,
    /// Secrets that a connection needs.
    pub configuration_fields: Vec<Field>,
    /// Connected by consent rather than by the fields.
    pub oauth: bool,
    /// The `templateId` that its jobs show, and the first part of their ids; its own id where absent.
    pub alias: Option<String>,
    /// Old templates can be read, but no job can be made of them.
    pub creatable: bool,
    pub target_directory: String,
    pub rule: String,
    /// Settings that its jobs have from it.
    pub job_settings: Vec<JobSetting>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobSetting {
    pub name: String,
    pub value: String,
}

fn job_settings(pairs: &[(&str, &str)]) -> Vec<JobSetting> {
    let setting = |(name, value): &(&str, &str)| JobSetting { name: (*name).to_owned(), value: (*value).to_owned() };
    pairs.iter().map(setting).collect()
}

const USUAL_SETTINGS: [(&str, &str); 2] =
    [("AzureIngestionAttributeOptimization", "False"), ("LookaheadQueryEnabled", "False")];

/// Cloud Sync's jobs have nine, one of which is JSON.
#[rustfmt::skip]
const CLOUD_SYNC_SETTINGS: [(&str, &str); 9] = [
    ("Domain", r#"{"DomainFQDN":"ad.example.test","DomainNetBios":"AD","ForestFQDN":"ad.example.test","ForestNetBios":"AD"}"#),
    ("DomainFQDN", "ad.example.test"), ("DomainNetBios", "AD"), ("ForestFQDN", "ad.example.test"), ("ForestNetBios", "AD"),
    ("QuarantineTooManyDeletesThreshold", "500"), ("LookaheadQueryEnabled", "False"), ("LookaheadQueryIntervalValue", "0"),
    ("AzureIngestionAttributeOptimization", "False"),
];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Interval {
    #[default]
    #[serde(rename = "PT40M")]
    Usual,
    #[serde(rename = "PT20M")]
    Half,
    #[serde(rename = "PT2M")]
    Short,
}

impl Interval {
    pub fn text(self) -> &'static str {
        match self {
            Self::Usual => "PT40M",
            Self::Half => "PT20M",
            Self::Short => "PT2M",
        }
    }

    pub fn seconds(self) -> u64 {
        match self {
            Self::Usual => 40 * 60,
            Self::Half => 20 * 60,
            Self::Short => 2 * 60,
        }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Field {
    pub name: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

impl Default for Template {
    fn default() -> Self {
        Self {
            description: String::new(),
            factory_tag: "CustomSCIM".to_owned(),
            interval: Interval::default(),
            configuration_fields: Vec::new(),
            oauth: false,
            alias: None,
            creatable: true,
            target_directory: "customappsso".to_owned(),
            rule: "USERGROUP_OUTBOUND_USERGROUP".to_owned(),
            job_settings: job_settings(&USUAL_SETTINGS),
        }
    }
}

/// The tenant's own template of this id or alias, else the built-in one.
pub fn template(tenant: &Tenant, id: &str) -> Template {
    let by_alias = || tenant.templates.values().find(|template| template.alias.as_deref() == Some(id));
    tenant.templates.get(id).or_else(by_alias).cloned().unwrap_or_else(|| built_in(id))
}

pub fn built_in(id: &str) -> Template {
    let plain = |name: &str| Field { name: name.to_owned(), ..Field::default() };
    let secret = |name: &str| Field { name: name.to_owned(), secret: true, optional: false };
    let scim = vec![plain("baseaddress"), secret("secrettoken")];
    let template = |tag: &str, fields: Vec<Field>| Template {
        description: format!("Provisioning for {id}"),
        factory_tag: tag.to_owned(),
        configuration_fields: fields,
        ..Template::default()
    };
    // Outside the SCIM family.
    let users_only = |template: Template| Template { rule: "USER_OUTBOUND_USER".to_owned(), ..template };
    let every_twenty = |template: Template| Template { interval: Interval::Half, ..template };
    let consent = |template: Template| Template { oauth: true, ..template };
    let aimed = |template: Template, target: &str| Template { target_directory: target.to_owned(), ..template };
    match id {
        "BoxOutDelta" => users_only(consent(aimed(template("Box", Vec::new()), "Box"))),
        "Slack" => consent(aimed(template("CustomSCIM", Vec::new()), "Slack")),
        "gsuite" => users_only(every_twenty(consent(aimed(template("gsuite", Vec::new()), "Google Workspace")))),
        "SfOutDelta" | "SfSandboxOutDelta" => {
            let fields = vec![plain("username"), secret("password"), secret("secrettoken")];
            users_only(every_twenty(aimed(template("Salesforce", fields), "Salesforce")))
        }
        "aws" => aimed(template("aws", vec![secret("clientsecret"), secret("secrettoken")]), "AWS"),
        "ServiceNowOutDelta" => aimed(
            template("ServiceNow", vec![plain("instancename"), plain("username"), secret("password")]),
            "ServiceNow",
        ),
        "gitHubEnterpriseCloud" => aimed(template("gitHub", vec![secret("secrettoken")]), "GitHub"),
        "Azure2Azure" => Template {
            rule: "USER_INBOUND_USER".to_owned(),
            ..aimed(
                template("Azure2Azure", vec![plain("companyid"), plain("authenticationtype")]),
                "Microsoft Entra ID",
            )
        },
        "Azure2AzureProvisioning" | "Azure2Azure_Preview" => Template {
            creatable: false,
            ..aimed(template("Azure2Azure", vec![plain("companyid")]), "Microsoft Entra ID")
        },
        "AD2AADProvisioning" | "ADDCInPassthrough" => Template {
            alias: Some("ADDCInPassthrough".to_owned()),
            rule: "AD2AADProvisioning".to_owned(),
            job_settings: job_settings(&CLOUD_SYNC_SETTINGS),
            ..every_twenty(template("AD2AAD", vec![plain("domain"), plain("appkey")]))
        },
        "aWSSingleSignon" => {
            Template { job_settings: job_settings(&USUAL_SETTINGS[..1]), ..template("aWSSingleSignon", scim) }
        }
        "AD2AADPasswordHash" => every_twenty(template("AD2AAD", vec![plain("domain"), plain("appkey")])),
        "AAD2ADExchangeHybridWriteback" | "AAD2ADGroupProvisioning" => template("AAD2AD", vec![plain("domain")]),
        "API2AAD" | "API2AD" => template("API2AAD", Vec::new()),
        _ => template(if id == "scim" { "CustomSCIM" } else { id }, scim),
    }
}
