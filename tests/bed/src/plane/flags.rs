//! The command lines of the three processes.

use std::path::Path;

use super::PlaneOptions;
use super::files::Files;

/// Ports on 127.0.0.1.
#[derive(Clone, Copy)]
pub(super) struct Ports {
    pub(super) etcd_client: u16,
    pub(super) etcd_peer: u16,
    pub(super) apiserver: u16,
    pub(super) controller_manager: u16,
}

impl Ports {
    pub(super) fn server(self) -> String {
        format!("https://127.0.0.1:{}", self.apiserver)
    }

    pub(super) fn etcd(self) -> String {
        format!("http://127.0.0.1:{}", self.etcd_client)
    }

    pub(super) fn controller_manager(self) -> String {
        format!("https://127.0.0.1:{}", self.controller_manager)
    }
}

pub(super) fn etcd(files: &Files, ports: Ports) -> Vec<String> {
    let (client, peer) = (ports.etcd(), format!("http://127.0.0.1:{}", ports.etcd_peer));
    vec![
        "--name=bed".to_owned(),
        flag("data-dir", &files.dir.join("etcd")),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=bed={peer}"),
        "--quota-backend-bytes=4294967296".to_owned(),
        "--log-level=warn".to_owned(),
        // The data is thrown away at the end, so nothing is lost by not waiting for the disk.
        "--unsafe-no-fsync".to_owned(),
    ]
}

pub(super) fn apiserver(files: &Files, ports: Ports, options: &PlaneOptions) -> Vec<String> {
    let mut args = vec![
        format!("--etcd-servers={}", ports.etcd()),
        "--bind-address=127.0.0.1".to_owned(),
        // Without it the server looks for a default route and fails on a machine that has none.
        "--advertise-address=127.0.0.1".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--secure-port={}", ports.apiserver),
        flag("tls-cert-file", &files.server_certificate),
        flag("tls-private-key-file", &files.server_key),
        flag("cert-dir", &files.dir.join("apiserver")),
        flag("client-ca-file", &files.ca),
        flag("token-auth-file", &files.tokens),
        "--authorization-mode=RBAC".to_owned(),
        // It waits for default service accounts, which nobody makes without a controller-manager.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        "--allow-privileged=true".to_owned(),
        format!("--service-account-issuer={}/", ports.server()),
        flag("service-account-key-file", &files.service_account_public_key),
        flag("service-account-signing-key-file", &files.service_account_key),
    ];
    if options.audit {
        args.push(flag("audit-policy-file", &files.audit_policy));
        args.push(flag("audit-log-path", &files.audit_log));
        // A request is in the log before it is answered, so a test may read it at once.
        args.push("--audit-log-mode=blocking".to_owned());
    }
    args.extend(options.extra_apiserver_args.iter().cloned());
    args
}

pub(super) fn controller_manager(files: &Files, ports: Ports) -> Vec<String> {
    let controllers = [
        "namespace-controller",
        "garbage-collector-controller",
        "serviceaccount-controller",
        "root-ca-certificate-publisher-controller",
        "clusterrole-aggregation-controller",
    ];
    vec![
        flag("kubeconfig", &files.kubeconfig),
        flag("authentication-kubeconfig", &files.kubeconfig),
        flag("authorization-kubeconfig", &files.kubeconfig),
        format!("--controllers={}", controllers.join(",")),
        "--leader-elect=false".to_owned(),
        "--use-service-account-credentials=false".to_owned(),
        flag("service-account-private-key-file", &files.service_account_key),
        flag("root-ca-file", &files.ca),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", ports.controller_manager),
        flag("tls-cert-file", &files.server_certificate),
        flag("tls-private-key-file", &files.server_key),
    ]
}

fn flag(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTS: Ports = Ports { etcd_client: 1, etcd_peer: 2, apiserver: 3, controller_manager: 4 };

    #[test]
    fn nothing_listens_beyond_loopback() {
        let files = Files::below(Path::new("/dir"));
        for args in [etcd(&files, PORTS), apiserver(&files, PORTS, &PlaneOptions::default())] {
            assert!(
                args.iter()
                    .filter(|arg| arg.contains("listen") || arg.contains("bind"))
                    .all(|arg| arg.contains("127.0.0.1"))
            );
        }
        assert!(controller_manager(&files, PORTS).contains(&"--bind-address=127.0.0.1".to_owned()));
    }

    #[test]
    fn audit_is_off_unless_asked_for_and_extra_arguments_come_last() {
        let files = Files::below(Path::new("/dir"));
        let plain = apiserver(&files, PORTS, &PlaneOptions::default());
        assert!(!plain.iter().any(|arg| arg.contains("audit")));
        let extra = vec!["--request-timeout=5s".to_owned()];
        let options = PlaneOptions { audit: true, extra_apiserver_args: extra, ..PlaneOptions::default() };
        let full = apiserver(&files, PORTS, &options);
        assert!(full.contains(&"--audit-log-path=/dir/logs/audit.log".to_owned()));
        assert_eq!(full.last().map(String::as_str), Some("--request-timeout=5s"));
    }
}
