//! What the tests share: running a command, a registry, a cluster.

use serde_json::{Value, json};
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_cli::{Exit, Io};
use weir_cluster::{Client, Write, connect};
use weir_standin_apiserver::{ApiServer, Options};

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: Exit,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The output of a command that must have succeeded.
    #[track_caller]
    pub(crate) fn success(self) -> String {
        assert_eq!(
            self.exit,
            Exit::Success,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self.stdout
    }

    /// What a command that must have failed said.
    #[track_caller]
    pub(crate) fn failure(self) -> String {
        assert_eq!(
            self.exit,
            Exit::Failure,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self.stderr
    }

    /// What a command that was called wrongly said.
    #[track_caller]
    pub(crate) fn usage(self) -> String {
        assert_eq!(
            self.exit,
            Exit::Usage,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self.stderr
    }
}

/// Runs `weir` with these arguments.
pub(crate) async fn weir(args: &[&str]) -> Ran {
    weir_with(args, |io| io).await
}

/// Runs `weir` with these arguments in a changed world.
pub(crate) async fn weir_with(args: &[&str], change: impl FnOnce(Io) -> Io) -> Ran {
    let (io, printed) = Io::captured();
    let mut io = change(io);
    let args: Vec<&str> = std::iter::once("weir").chain(args.iter().copied()).collect();
    let exit = weir_cli::run(args, &mut io).await;
    Ran {
        exit,
        stdout: printed.stdout(),
        stderr: printed.stderr(),
    }
}

/// A registry on this machine.
pub(crate) async fn registry() -> (weir_standin_registry::Registry, weir_standin_registry::Handle) {
    let registry = weir_standin_registry::Registry::new(weir_standin_registry::Options::default());
    let handle = registry.start().await.expect("a registry");
    (registry, handle)
}

/// A cluster in this process, with weir's kinds.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    pub(crate) client: Client,
}

impl Cluster {
    /// A cluster without weir's kinds.
    pub(crate) fn bare() -> Self {
        let server = ApiServer::new(Options::default());
        Self {
            client: connect::in_process(server, "test"),
        }
    }

    /// A cluster with weir's kinds and the namespaces `flux-system` and `apps`.
    pub(crate) async fn start() -> Self {
        let cluster = Self::bare();
        for definition in weir_apis::crd::all() {
            cluster.put(definition).await;
        }
        for namespace in ["flux-system", "apps"] {
            cluster
                .put(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}))
                .await;
        }
        cluster
    }

    /// Stores an object, with its status if it has one.
    pub(crate) async fn put(&self, value: Value) -> Object {
        let write = Write {
            manager: "test",
            force: true,
            dry_run: false,
        };
        let mut object = Object::from_value(value).expect("an object");
        let status = object.as_map_mut().remove("status");
        let stored = self.client.apply(&object, write).await.expect("stores");
        match status {
            Some(status) => self
                .client
                .merge_status(&object.reference(), &json!({"status": status}), "test")
                .await
                .expect("stores the status"),
            None => stored,
        }
    }

    /// Reads an object of weir's kinds in `flux-system`.
    pub(crate) async fn get(&self, kind: &str, name: &str) -> Object {
        let group = if kind == "Kustomization" {
            "kustomize"
        } else {
            "source"
        };
        let gvk = GroupVersionKind::new(format!("{group}.toolkit.fluxcd.io"), "v1", kind);
        let reference = ObjectRef::new(gvk, "flux-system", name);
        self.client
            .get(&reference)
            .await
            .expect("reads")
            .expect("is there")
    }

    /// Runs `weir` against this cluster.
    pub(crate) async fn weir(&self, args: &[&str]) -> Ran {
        let client = self.client.clone();
        weir_with(args, |io| io.with_cluster(client, "default")).await
    }
}

/// A digest for tests.
pub(crate) const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// A condition of generation 1.
pub(crate) fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": 1,
           "lastTransitionTime": "2026-01-01T00:00:00Z"})
}

/// A source that has stored [`DIGEST`].
pub(crate) fn source(name: &str) -> Value {
    let message = format!("stored artifact for digest 'latest@{DIGEST}'");
    json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository",
        "metadata": {"name": name, "namespace": "flux-system"},
        "spec": {"interval": "1m", "url": "oci://registry.example/apps", "ref": {"tag": "latest"}},
        "status": {
            "observedGeneration": 1,
            "conditions": [
                condition("Ready", "True", "Succeeded", &message),
                condition("SourceVerified", "True", "Succeeded", "verified signature of revision by key cosign.pub"),
            ],
            "artifact": {
                "digest": DIGEST, "lastUpdateTime": "2026-01-01T00:00:00Z", "path": "p", "url": "http://x/p",
                "revision": format!("latest@{DIGEST}"),
                "metadata": {
                    "org.opencontainers.image.source": "https://git.example/apps",
                    "org.opencontainers.image.revision": "main@sha1:abc",
                },
            },
        },
    })
}

/// A Kustomization with an inventory and a Ready condition.
pub(crate) fn kustomization(name: &str, inventory: &[&str], ready: (&str, &str, &str)) -> Value {
    let entries: Vec<Value> = inventory.iter().map(|id| json!({"id": id, "v": "v1"})).collect();
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": name, "namespace": "flux-system", "annotations": {"team": "a"}},
        "spec": {"interval": "10m", "prune": true, "path": "./deploy",
                 "sourceRef": {"kind": "OCIRepository", "name": "apps"}},
        "status": {
            "observedGeneration": 1,
            "lastAppliedRevision": format!("latest@{DIGEST}"),
            "lastAttemptedRevision": format!("latest@{DIGEST}"),
            "lastAppliedOriginRevision": "main@sha1:abc",
            "conditions": [condition("Ready", ready.0, ready.1, ready.2)],
            "inventory": {"entries": entries},
        },
    })
}
