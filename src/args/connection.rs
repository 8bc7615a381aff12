//! Flags that say where Graph and the login service are, and who calls.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use url::Url;

/// Where Graph and the login service are.
#[derive(Args, Debug)]
pub struct Connection {
    /// The national cloud.
    #[arg(long, env = "ENTRAIN_CLOUD", value_enum, default_value = "global")]
    pub cloud: CloudName,
    /// Root of Microsoft Graph, without a version, if it is not the cloud's own.
    #[arg(long, env = "ENTRAIN_GRAPH_URL", value_parser = address)]
    pub graph_url: Option<Url>,
    /// Host of the login service, if it is not the cloud's own.
    #[arg(long, env = "AZURE_AUTHORITY_HOST", value_parser = address)]
    pub authority_host: Option<Url>,
    /// The audience that Entra ID expects in tokens of this cluster, if it is not the cloud's own: `CLOUD=AUDIENCE`.
    #[arg(long, env = "ENTRAIN_FEDERATION_AUDIENCE", value_name = "CLOUD=AUDIENCE", value_parser = audience, value_delimiter = ',')]
    pub federation_audience: Vec<CloudAudience>,
    /// For tests only: where Graph and the login service of another cloud are, `CLOUD=ADDRESS`.
    #[arg(long, value_name = "CLOUD=ADDRESS", value_parser = cloud_address, hide = true)]
    pub cloud_address: Vec<CloudAddress>,
    /// For tests only: where the metadata service of the machine is.
    #[arg(long, hide = true)]
    pub imds_address: Option<Url>,
    /// A PEM file with certificate authorities that are trusted for Graph and login in addition to the system's.
    #[arg(long, env = "ENTRAIN_CA_FILE")]
    pub ca_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum, PartialEq, Eq)]
pub enum CloudName {
    Global,
    UsGov,
    UsGovDod,
    China,
}

/// Where a cloud is.
#[derive(Clone, Debug)]
pub struct CloudAddress {
    pub cloud: CloudName,
    pub url: Url,
}

/// The audience of a cloud's federation.
#[derive(Clone, Debug)]
pub struct CloudAudience {
    pub cloud: CloudName,
    pub audience: String,
}

fn of_cloud(text: &str) -> Result<(CloudName, &str), String> {
    let (name, value) = text.split_once('=').ok_or("write CLOUD=VALUE, as in us-gov=…")?;
    Ok((CloudName::from_str(name.trim(), true)?, value.trim()))
}

fn audience(text: &str) -> Result<CloudAudience, String> {
    let (cloud, audience) = of_cloud(text)?;
    Ok(CloudAudience { cloud, audience: audience.to_owned() })
}

fn cloud_address(text: &str) -> Result<CloudAddress, String> {
    let (cloud, url) = of_cloud(text)?;
    Ok(CloudAddress { cloud, url: address(url)? })
}

/// The address of a server; `https` where no scheme is written, which is a usual form of `AZURE_AUTHORITY_HOST`.
fn address(text: &str) -> Result<Url, String> {
    let text = text.trim();
    if text.contains(['"', '\'', '`']) {
        return Err("write it without quotation marks, as in https://login.microsoftonline.com".to_owned());
    }
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    Url::parse(&whole).map_err(|error| format!("{error}; a valid address is https://login.microsoftonline.com"))
}

/// Who logs in.
#[derive(Clone, Copy, Debug, ValueEnum, PartialEq, Eq)]
pub enum Caller {
    Application,
    Person,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_scheme_is_an_https_address() {
        for text in ["login.microsoftonline.com", " login.microsoftonline.com\n", "https://login.microsoftonline.com/"]
        {
            assert_eq!(address(text).unwrap().as_str(), "https://login.microsoftonline.com/", "{text}");
        }
        assert_eq!(address("localhost:8443").unwrap().as_str(), "https://localhost:8443/");
        for text in ["", "\"https://login.microsoftonline.com\"", "https://"] {
            assert!(address(text).unwrap_err().contains("https://login.microsoftonline.com"), "{text}");
        }
    }
}
