//! The proxy for the API server: kube applies `HTTPS_PROXY`, but matches `NO_PROXY` against the proxy's own address
//! instead of the server's (`config/file_loader.rs:proxy_url` of kube 5.0.0). Delete this file when that is fixed.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// Takes the proxy away that the environment named, if `NO_PROXY` exempts the API server from it. One that the kubeconfig
/// names itself stays, as kubectl has it. In a pod the client goes without a proxy anyway.
pub fn respect_no_proxy(config: &mut kube::Config, variable: impl Fn(&str) -> Option<String>) {
    let either = |name: &str| {
        let set = [name.to_owned(), name.to_lowercase()].into_iter().filter_map(|name| variable(&name));
        set.into_iter().find(|value| !value.is_empty()).unwrap_or_default()
    };
    let proxy = either("HTTPS_PROXY");
    if config.proxy_url.is_none() || config.proxy_url != proxy.parse::<Uri>().ok() {
        return;
    }
    let rules = Matcher::builder().https(proxy).no(either("NO_PROXY")).build();
    if rules.intercept(&config.cluster_url).is_none() {
        config.proxy_url = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "http://proxy.corp.example:3128";

    /// Whether a client for 10.0.0.1 that was given this proxy keeps it.
    fn keeps(given: &str, environment: &[(&str, &str)]) -> bool {
        let mut config = kube::Config::new("https://10.0.0.1:6443".parse().unwrap());
        config.proxy_url = Some(given.parse().unwrap());
        let find =
            |name: &str| environment.iter().find(|(other, _)| *other == name).map(|(_, value)| value.to_string());
        respect_no_proxy(&mut config, find);
        config.proxy_url.is_some()
    }

    #[test]
    fn the_api_server_is_exempt_by_address_or_range() {
        for exempt in ["10.0.0.1", "localhost, 10.0.0.0/8"] {
            assert!(!keeps(PROXY, &[("HTTPS_PROXY", PROXY), ("NO_PROXY", exempt)]), "{exempt}");
            assert!(!keeps(PROXY, &[("https_proxy", PROXY), ("no_proxy", exempt)]), "{exempt}");
        }
    }

    #[test]
    fn others_being_exempt_does_not_help_it() {
        for exempt in ["", "10.0.0.2", ".svc"] {
            assert!(keeps(PROXY, &[("HTTPS_PROXY", PROXY), ("NO_PROXY", exempt)]), "{exempt}");
        }
    }

    #[test]
    fn the_kubeconfigs_own_proxy_stays() {
        assert!(keeps("http://own.example:1", &[("HTTPS_PROXY", PROXY), ("NO_PROXY", "10.0.0.1")]));
        assert!(keeps(PROXY, &[("NO_PROXY", "10.0.0.1")]));
    }
}
