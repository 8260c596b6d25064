//! The guides, run: each command of a page's `sh` blocks in its order, with the files that its `yaml` blocks are.
//!
//! What differs from the page is where things are: the registries that it names are mirrors of one on loopback, and the
//! public Sigstore and GitHub's issuer are the stand-in's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use weir_standin_apiserver::{ApiServer, User, kubeconfig};
use weir_standin_registry::Options;
use weir_standin_sigstore::TufRepository;

use crate::outside::{Outside, Variables, run};

const TOKEN: &str = "administrator";

/// What stands before the commands of a page: programs that find the stand-ins.
const PRELUDE: &str = r#"
weir() {
  local more=(--registry-mirror "ghcr.io=http://$REGISTRY")
  case " $* " in
    *" --registry-mirror "*) more=() ;;
  esac
  more+=(--registry-mirror "registry.inside.example=http://$REGISTRY")
  case " $* " in
    *" --trusted-root "*) ;;
    *" --keyless "*) more+=(--signing-config "$SIGSTORE/signing_config.json" --trusted-root "$SIGSTORE/trusted_root.json") ;;
    *" --certificate-identity "*) more+=(--trusted-root "$SIGSTORE/trusted_root.json") ;;
  esac
  command weir "$@" "${more[@]}"
}
kubectl() {
  command "$KUBECTL" "$@"
  # The public trust root is part of the binary; the stand-in's has to come in.
  if [ "$1 $2" = "create namespace" ]; then
    command "$KUBECTL" create secret generic standin-root -n "$3" --from-file=trusted_root.json="$SIGSTORE/trusted_root.json"
  fi
}
"#;

fn guide(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../docs/guides")
        .join(name);
    fs::read_to_string(path).expect("reads")
}

/// The blocks of a page in this language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once(&format!("\n```{language}\n")) {
        let (block, after) = after.split_once("\n```").expect("an end");
        blocks.push(block.to_owned());
        rest = after;
    }
    blocks
}

/// kubectl, where it is built.
fn kubectl() -> Option<PathBuf> {
    let tools = std::env::home_dir().unwrap_or_default().join(".cache/weir/tools");
    let path = tools.join("kubernetes-v1.34.2/kubectl");
    if path.is_file() {
        return Some(path);
    }
    assert_ne!(
        std::env::var("WEIR_REAL").ok().as_deref(),
        Some("required"),
        "no kubectl"
    );
    None
}

/// A cluster with the controllers, which end with it.
struct Cluster {
    kubeconfig: String,
    controller: Child,
}

impl Cluster {
    async fn start(outside: &Outside) -> Self {
        let server = ApiServer::new(weir_standin_apiserver::Options {
            now: Arc::new(Timestamp::now),
            ready_after: Some(Duration::from_millis(100)),
            ..Default::default()
        });
        server.add_token(TOKEN, User::admin());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move { server.serve(listener).await });
        let path = outside.write("kubeconfig", &kubeconfig(&address, TOKEN));
        // The definitions are there before; what the page installs is the same once more.
        let install = ["install", "--image", "x", "--kubeconfig", &path];
        let installed = outside.weir(&install).await;
        assert!(
            installed.status.success(),
            "{}",
            String::from_utf8_lossy(&installed.stderr)
        );
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command.args([
            "controller",
            "--kubeconfig",
            &path,
            "--storage-path",
            &outside.path("store"),
        ]);
        for address in ["--storage-addr", "--metrics-addr", "--health-addr"] {
            command.args([address, "127.0.0.1:0"]);
        }
        for host in ["ghcr.io", "registry.inside.example"] {
            command.args(["--registry-mirror", &format!("{host}=http://{}", outside.host())]);
        }
        let log = fs::File::create(outside.path("log")).expect("creates");
        command
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        Self {
            kubeconfig: path,
            controller: command.spawn().expect("runs"),
        }
    }
}

/// Runs a page, as a job of the workflow that it names. What was printed, and the world afterwards.
async fn read(name: &str, prepare: impl AsyncFnOnce(&Outside, &Variables)) -> Option<(String, Outside)> {
    let kubectl = kubectl()?;
    let outside = Outside::start(Options::default()).await;
    let mut cluster = Cluster::start(&outside).await;
    let mut variables = outside.job("push.yml");
    for (name, value) in [
        ("KUBECONFIG", cluster.kubeconfig.clone()),
        ("KUBECTL", kubectl.display().to_string()),
        ("REGISTRY", outside.host()),
        ("SIGSTORE", outside.path("")),
    ] {
        variables.insert(name.to_owned(), value);
    }
    prepare(&outside, &variables).await;
    let page = guide(name);
    let here = |text: &str| {
        let issuer = outside.sigstore().issuer();
        text.replace("https://token.actions.githubusercontent.com", &issuer)
            .replace(r"https://token\.actions\.githubusercontent\.com", &issuer)
            .replace(
                "=https://registry.inside.example",
                &format!("=http://{}", outside.host()),
            )
    };
    for block in blocks(&page, "yaml") {
        let (first, rest) = block.split_once('\n').expect("a name");
        let path = first.strip_prefix("# ").expect("the name of the file");
        let mut text = here(rest);
        if !text.contains("trustedRootSecretRef") && text.contains("matchOIDCIdentity") {
            let with = "    trustedRootSecretRef: {name: standin-root}\n    matchOIDCIdentity:";
            text = text.replace("    matchOIDCIdentity:", with);
        }
        let with = "keyless:\n        trustedRootSecretRef: {name: standin-root, namespace: weir-system}\n";
        text = text.replace("keyless:\n", with);
        if text.contains("trustedRootSecretRef: {name: standin-root, namespace") {
            let root = json!({"apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": "standin-root", "namespace": "weir-system"},
                "stringData": {"trusted_root.json": outside.sigstore().trusted_root().to_string()}});
            // Before the policy, which is judged by as soon as it is there.
            text = format!("{root}\n---\n{text}\n");
        }
        outside.write(path, &text);
    }
    let commands: Vec<String> = blocks(&page, "sh").iter().map(|block| here(block)).collect();
    let script = format!("set -euo pipefail\n{PRELUDE}\nset -x\n{}\n", commands.join("\n"));
    let script = outside.write("guide.sh", &script);
    let ran = run(Command::new("bash").arg(script), outside.folder(), &variables).await;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
    // For whoever wants to read what a page's reader sees.
    if std::env::var_os("WEIR_SHOW").is_some() {
        std::io::stdout().write_all(said.as_bytes()).expect("prints");
    }
    let log = fs::read_to_string(outside.path("log")).unwrap_or_default();
    assert!(ran.status.success(), "{said}\n{log}");
    cluster.controller.start_kill().expect("ends");
    Some((said, outside))
}

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: frontend
spec:
  replicas: 1
  selector:
    matchLabels: {app: frontend}
  template:
    metadata:
      labels: {app: frontend}
    spec:
      containers:
        - name: frontend
          image: registry.example/frontend:1.0.0
";

#[tokio::test(flavor = "multi_thread")]
async fn from_push_to_production() {
    let ran = read("push-to-production.md", async |outside, _| {
        outside.write("apps/frontend/deployment.yaml", DEPLOYMENT);
    });
    let Some((said, outside)) = ran.await else {
        println!("not run: kubectl is not built");
        return;
    };
    for expected in [
        // Who signed, by weir verify and by the source's condition.
        "good, by https://github.com/org/apps/.github/workflows/push.yml@refs/heads/main",
        "record 1 by ",
        // The record of the release, by weir verify.
        "\"action\": \"promote\"",
        // What an unsigned artifact is told.
        "has no signatures",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let names = |tag| outside.registry.tag("org/frontend", tag);
    // latest was moved by hand at the end.
    assert_ne!(names("latest"), names("latest-stable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn air_gap() {
    let ran = read("air-gap.md", async |outside, variables| {
        outside.write("apps/frontend/deployment.yaml", DEPLOYMENT);
        let handed_out = outside.sigstore().trusted_root().to_string().into_bytes();
        let documents = BTreeMap::from([("trusted_root.json".to_owned(), handed_out)]);
        let repository = TufRepository::new(Timestamp::now(), documents);
        let copy = outside.path("tuf-mirror");
        repository.write_to(Path::new(&copy)).expect("writes");
        let first = String::from_utf8(repository.root(1)).expect("UTF-8");
        outside.write("root.json", &first);
        let root = outside.path("trusted_root.json");
        let config = outside.path("signing_config.json");
        let mirror = format!("ghcr.io=http://{}", outside.host());
        let mut weir = Command::new(env!("CARGO_BIN_EXE_weir"));
        weir.args([
            "publish",
            "apps/frontend",
            "--to",
            "oci://ghcr.io/org/frontend",
            "--tag",
            "latest-stable",
        ]);
        weir.args(["--keyless", "--signing-config", &config, "--trusted-root", &root]);
        let ran = run(
            weir.args(["--registry-mirror", &mirror]),
            outside.folder(),
            variables,
        )
        .await;
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    });
    let Some((said, outside)) = ran.await else {
        println!("not run: kubectl is not built");
        return;
    };
    assert!(
        said.contains("wrote inside.key (keep it secret) and inside.pub"),
        "{said}"
    );
    assert!(outside.registry.tag("org/frontend", "canary").is_some());
    assert!(said.contains("trust/trusted_root.json new"), "{said}");
    assert!(said.contains("secret/sigstore-root labeled"), "{said}");
}

/// Sources that ask for nothing themselves: what is signed, and what is not.
const SOURCES: &str = "\
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: frontend, namespace: apps}
spec: {interval: 1h, url: oci://ghcr.io/org/frontend, ref: {tag: latest}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: backend, namespace: apps}
spec: {interval: 1h, url: oci://ghcr.io/org/backend, ref: {tag: latest}}
";

#[tokio::test(flavor = "multi_thread")]
async fn turning_verification_on() {
    let ran = read("verification.md", async |outside, variables| {
        outside.write("apps/frontend/deployment.yaml", DEPLOYMENT);
        outside.write("sources.yaml", SOURCES);
        let script = format!(
            "set -euo pipefail\n{PRELUDE}\nexport COSIGN_PASSWORD=\n{}",
            "weir publish ./apps/frontend --to oci://ghcr.io/org/frontend --tag latest --keyless
             weir artifact push oci://ghcr.io/org/backend:latest --path ./apps/frontend --source x --revision y
             command weir key generate --output-key-prefix release
             kubectl create namespace apps
             kubectl apply -f sources.yaml
             weir wait ocirepository frontend -n apps
             weir wait ocirepository backend -n apps"
        );
        let script = outside.write("prepare.sh", &script);
        let ran = run(Command::new("bash").arg(script), outside.folder(), variables).await;
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    });
    let Some((said, _)) = ran.await else {
        println!("not run: kubectl is not built");
        return;
    };
    for expected in [
        "the policy is in force with mode audit",
        // Before it is signed, and when somebody pushes what is not.
        "1 of 2 sources are would-fail",
        "not yet",
        "refused by policy 'org-signed': authority 'ci' or 'release-key'",
        // Of the artifact that was asked about, which has the provenance of its job.
        "policy 'org-attested' (audit) is not met: attestation cyclonedx",
        "policy 'org-signed' (enforce) is met by authority 'ci'",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn every_number_in_the_threat_model_has_a_test() {
    let page = guide("threat-model.md");
    let numbers: BTreeSet<&str> = page
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| {
            word.len() == 3 && word.starts_with('N') && word[1..].chars().all(|c| c.is_ascii_digit())
        })
        .collect();
    assert!(numbers.len() > 30, "{numbers:?}");
    let cases = guide("../security-cases.md");
    for number in numbers {
        let heading = format!("\n## {number}: ");
        let (_, after) = cases
            .split_once(&heading)
            .unwrap_or_else(|| panic!("there is no case {number}"));
        let section = after.split("\n## ").next().unwrap_or_default();
        assert!(section.contains("\n- `n"), "{number} has no test");
    }
    // And what the pages link to is there.
    let guides = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/guides");
    for name in [
        "threat-model.md",
        "push-to-production.md",
        "air-gap.md",
        "publish.md",
        "keys.md",
        "verification.md",
    ] {
        let page = guide(name);
        for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                guides.join(name)
            } else {
                guides.join(path)
            };
            assert!(link.starts_with("https://") || target.exists(), "{name}: {link}");
            if !heading.is_empty() {
                let text = fs::read_to_string(target).expect("reads").to_lowercase();
                let title = format!("# {}\n", heading.replace('-', " "));
                assert!(text.contains(&title), "{name}: {link}");
            }
        }
        for path in page
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| word.starts_with("crates/"))
        {
            assert!(guides.join("../..").join(path).exists(), "{name}: {path}");
        }
    }
}
