//! etcd, kube-apiserver and kube-controller-manager as child processes.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose, SanType};

use crate::tools;

/// How long the API server may take to become ready.
const START: Duration = Duration::from_secs(90);
/// The bearer token of the cluster's administrator; the server listens on loopback only.
const TOKEN: &str = "control-plane-administrator";

/// A running control plane. Dropping it stops its processes and removes its data.
#[derive(Debug)]
pub struct ControlPlane {
    // Children first: they are stopped before their folder goes.
    children: Vec<Process>,
    folder: tempfile::TempDir,
    url: String,
    ca: String,
}

#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone is fine, and nothing can be done about the rest here.
        let _killed = self.0.kill();
        let _status = self.0.wait();
    }
}

impl ControlPlane {
    /// Starts a control plane on free loopback ports and waits until it answers. The programs must be built
    /// ([`tools::build`]).
    pub fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("weir-control-plane-").tempdir()?;
        let root = folder.path();
        let ports = free_ports(3)?;
        let [etcd, peers, api] = ports.as_slice() else {
            bail!("no free ports")
        };
        let ca = write_certificates(root)?;
        fs::write(
            root.join("tokens.csv"),
            format!("{TOKEN},admin,admin,\"system:masters\"\n"),
        )?;
        let mut plane = Self {
            children: Vec::new(),
            url: format!("https://127.0.0.1:{api}"),
            ca,
            folder,
        };
        let etcd_url = format!("http://127.0.0.1:{etcd}");
        let peer_url = format!("http://127.0.0.1:{peers}");
        plane.spawn(
            "etcd",
            &[
                format!("--data-dir={}", plane.at("etcd").display()),
                format!("--listen-client-urls={etcd_url}"),
                format!("--advertise-client-urls={etcd_url}"),
                format!("--listen-peer-urls={peer_url}"),
                format!("--initial-advertise-peer-urls={peer_url}"),
                format!("--initial-cluster=default={peer_url}"),
                // Nobody reads this data after a crash.
                "--unsafe-no-fsync".into(),
                "--log-level=error".into(),
            ],
        )?;
        plane.spawn(
            "kube-apiserver",
            &[
                format!("--etcd-servers={etcd_url}"),
                "--bind-address=127.0.0.1".into(),
                format!("--secure-port={api}"),
                format!("--tls-cert-file={}", plane.at("server.crt").display()),
                format!("--tls-private-key-file={}", plane.at("server.key").display()),
                format!("--token-auth-file={}", plane.at("tokens.csv").display()),
                "--authorization-mode=RBAC".into(),
                "--service-account-issuer=https://kubernetes.default.svc".into(),
                format!(
                    "--service-account-key-file={}",
                    plane.at("accounts.pub").display()
                ),
                format!(
                    "--service-account-signing-key-file={}",
                    plane.at("accounts.key").display()
                ),
                "--service-cluster-ip-range=10.96.0.0/16".into(),
                "--allow-privileged=true".into(),
                "--endpoint-reconciler-type=none".into(),
                "--v=0".into(),
            ],
        )?;
        fs::write(plane.at("kubeconfig"), plane.kubeconfig())?;
        plane.wait_until_ready()?;
        plane.spawn(
            "kube-controller-manager",
            &[
                format!("--kubeconfig={}", plane.at("kubeconfig").display()),
                format!("--authentication-kubeconfig={}", plane.at("kubeconfig").display()),
                format!("--authorization-kubeconfig={}", plane.at("kubeconfig").display()),
                format!(
                    "--service-account-private-key-file={}",
                    plane.at("accounts.key").display()
                ),
                format!("--root-ca-file={}", plane.at("ca.crt").display()),
                "--leader-elect=false".into(),
                "--bind-address=127.0.0.1".into(),
                "--secure-port=0".into(),
                "--use-service-account-credentials=false".into(),
                "--kube-api-qps=200".into(),
                "--kube-api-burst=400".into(),
                // Nothing that would make Pods: there are no nodes, and `nodes` writes the workloads' status.
                "--controllers=garbage-collector-controller,namespace-controller,serviceaccount-controller,\
             serviceaccount-token-controller,root-ca-certificate-publisher-controller,\
             clusterrole-aggregation-controller,validatingadmissionpolicy-status-controller"
                    .into(),
            ],
        )?;
        Ok(plane)
    }

    /// Where the API server answers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The administrator's bearer token.
    pub fn token(&self) -> &str {
        TOKEN
    }

    /// Path of the administrator's kubeconfig.
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.at("kubeconfig")
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> String {
        let ca = self.at("ca.crt").display().to_string();
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: control-plane\n\
             clusters:\n- name: control-plane\n  cluster:\n    server: {}\n    certificate-authority: {ca}\n\
             users:\n- name: admin\n  user:\n    token: {TOKEN}\n\
             contexts:\n- name: control-plane\n  context:\n    cluster: control-plane\n    user: admin\n",
            self.url
        )
    }

    /// The API server's certificate authority, PEM.
    pub fn certificate_authority(&self) -> &str {
        &self.ca
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn spawn(&mut self, program: &str, arguments: &[String]) -> Result<()> {
        let path = tools::find(program)
            .with_context(|| format!("{program} is not built: run `cargo xtask tools`"))?;
        let log = fs::File::create(self.at(&format!("{program}.log")))?;
        let child = Command::new(&path)
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", path.display()))?;
        self.children.push(Process(child));
        Ok(())
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let kubectl = tools::find("kubectl").context("kubectl is not built: run `cargo xtask tools`")?;
        let begun = Instant::now();
        while begun.elapsed() < START {
            for process in &mut self.children {
                if let Some(status) = process.0.try_wait()? {
                    bail!(
                        "a control plane process ended early with {status}:\n{}",
                        self.tails()
                    );
                }
            }
            let answer = Command::new(&kubectl)
                .arg("--kubeconfig")
                .arg(self.at("kubeconfig"))
                .args(["get", "--raw", "/readyz"])
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .output()?;
            if answer.stdout.starts_with(b"ok") {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        bail!(
            "the API server was not ready after {} s:\n{}",
            START.as_secs(),
            self.tails()
        )
    }

    fn tails(&self) -> String {
        let mut text = String::new();
        for program in ["etcd", "kube-apiserver", "kube-controller-manager"] {
            let log = fs::read_to_string(self.at(&format!("{program}.log"))).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let from = lines.len().saturating_sub(10);
            let tail = lines.get(from..).unwrap_or_default().join(
                "
",
            );
            // Writing to a String can't fail.
            let _ignored = writeln!(
                text,
                "--- {program}
{tail}"
            );
        }
        text
    }
}

/// Ports that are free now. Another process could take one in between, which then fails loudly.
fn free_ports(count: usize) -> Result<Vec<u16>> {
    let listeners: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind(("127.0.0.1", 0)))
        .collect::<Result<_, _>>()?;
    listeners.iter().map(|l| Ok(l.local_addr()?.port())).collect()
}

/// A certificate authority, the API server's certificate, and the key that signs service account tokens.
fn write_certificates(root: &Path) -> Result<String> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let mut server = CertificateParams::new(vec!["localhost".into(), "kubernetes.default.svc".into()])?;
    server
        .subject_alt_names
        .push(SanType::IpAddress([127, 0, 0, 1].into()));
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, &issuer)?;
    fs::write(root.join("ca.crt"), issuer.pem())?;
    fs::write(root.join("server.crt"), certificate.pem())?;
    fs::write(root.join("server.key"), key.serialize_pem())?;
    let accounts = KeyPair::generate()?;
    fs::write(root.join("accounts.key"), accounts.serialize_pem())?;
    fs::write(root.join("accounts.pub"), accounts.public_key_pem())?;
    Ok(issuer.pem())
}
