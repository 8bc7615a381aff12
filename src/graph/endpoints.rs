//! Where Graph and the login service are. Only the operator's own settings choose them, never a resource.

use url::Url;

/// The national clouds (`learn.microsoft.com/graph/deployments`). Tokens do not cross them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cloud {
    Global,
    UsGov,
    UsGovDod,
    China,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Root of Graph without a version, ending in a slash.
    pub graph: Url,
    /// Root of the login service, ending in a slash.
    pub login: Url,
    /// Root of the metadata service of the machine, which issues the tokens of managed identities. The only address to
    /// which plain HTTP goes.
    pub imds: Url,
    /// The audience that a token of another issuer has for this cloud.
    pub federation_audience: String,
}

/// The link-local address is the same in all clouds.
const IMDS: &str = "http://169.254.169.254/";

#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("the address '{given}' must begin with https:// and hold nothing but a host and a port, as in {example}")]
    NotAnOrigin { given: String, example: &'static str },
    #[error("the address '{0}' is not a URL")]
    NotAUrl(&'static str),
}

impl Endpoints {
    /// The endpoints of a cloud, each replaced by another origin if one is given.
    pub fn new(cloud: Cloud, graph: Option<Url>, login: Option<Url>) -> Result<Self, EndpointError> {
        let (graph_preset, login_preset) = match cloud {
            Cloud::Global => ("https://graph.microsoft.com/", "https://login.microsoftonline.com/"),
            Cloud::UsGov => ("https://graph.microsoft.us/", "https://login.microsoftonline.us/"),
            Cloud::UsGovDod => ("https://dod-graph.microsoft.us/", "https://login.microsoftonline.us/"),
            Cloud::China => ("https://microsoftgraph.chinacloudapi.cn/", "https://login.chinacloudapi.cn/"),
        };
        let federation_audience = match cloud {
            Cloud::Global => "api://AzureADTokenExchange",
            Cloud::UsGov | Cloud::UsGovDod => "api://AzureADTokenExchangeUSGov",
            Cloud::China => "api://AzureADTokenExchangeChina",
        };
        Ok(Self {
            graph: origin(graph, graph_preset)?,
            login: origin(login, login_preset)?,
            imds: Url::parse(IMDS).map_err(|_| EndpointError::NotAUrl(IMDS))?,
            federation_audience: federation_audience.to_owned(),
        })
    }

    /// The scope of a token request: all that the application was granted in Graph.
    pub fn scope(&self) -> String {
        format!("{}.default", self.graph)
    }
}

fn origin(given: Option<Url>, preset: &'static str) -> Result<Url, EndpointError> {
    let url = match given {
        Some(url) => url,
        None => Url::parse(preset).map_err(|_| EndpointError::NotAUrl(preset))?,
    };
    let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let anonymous = url.username().is_empty() && url.password().is_none();
    if url.scheme() == "https" && plain && anonymous {
        Ok(url)
    } else {
        let given = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
        Err(EndpointError::NotAnOrigin { given, example: preset.trim_end_matches('/') })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_https_origin_is_an_endpoint() {
        let of = |text: &str| Endpoints::new(Cloud::Global, Some(Url::parse(text).unwrap()), None);
        assert_eq!(of("https://localhost:8443").unwrap().scope(), "https://localhost:8443/.default");
        for text in
            ["http://localhost/", "https://localhost/v1.0", "https://user:word@localhost/", "https://localhost/?a=b"]
        {
            let error = of(text).unwrap_err().to_string();
            assert!(!error.contains("word") && error.contains("as in https://graph.microsoft.com"), "{error}");
        }
        let china = Endpoints::new(Cloud::China, None, None).unwrap();
        assert_eq!(china.scope(), "https://microsoftgraph.chinacloudapi.cn/.default");
    }
}
