//! A cluster, a registry, and weir's controllers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use weir_apis::condition::{Conditions, READY, Status};
use weir_apis::kind::{Kustomization, OciRepository};
use weir_apis::{GroupVersionKind, Object, ObjectRef, key};
use weir_cluster::{Client, Clock, SystemClock, TokioClock, Write, connect};
use weir_control_plane::{ControlPlane, nodes};
use weir_house::{House, Outside};
use weir_registry::{ClientOptions, PlainHttp};
use weir_runtime::Settings;
use weir_standin_apiserver::ApiServer;
use weir_standin_registry::{Handle, Registry};
use weir_store::Store;

/// Name of the registry in references.
pub const REGISTRY: &str = "registry.example";
/// Longest time for one thing to happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster, a registry, and weir's controllers.
pub struct Ground {
    /// The cluster, as its administrator sees it.
    pub client: Client,
    /// The client that weir's controllers use; its counter is theirs alone.
    pub weirs: Client,
    /// The registry, as publishers reach it.
    pub registry: weir_registry::Client,
    /// The registry, as its owner.
    pub owner: Registry,
    /// The controllers; taken out by scenarios that stop them.
    pub house: Option<House>,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    nodes: Option<JoinHandle<()>>,
    _registry: Handle,
    _folder: tempfile::TempDir,
    _plane: Option<ControlPlane>,
}

impl Drop for Ground {
    fn drop(&mut self) {
        if let Some(nodes) = &self.nodes {
            nodes.abort();
        }
    }
}

impl Ground {
    /// On the stand-in API server. With tokio's time paused it is simulated time.
    pub async fn standin(settings: Settings) -> Result<Self> {
        let clock = TokioClock::starting_at("2026-01-01T00:00:00Z".parse()?);
        let options = weir_standin_apiserver::Options {
            now: Arc::new(move || clock.now()),
            ready_after: Some(Duration::from_millis(200)),
            ..Default::default()
        };
        let server = ApiServer::new(options);
        let client = connect::in_process(server.clone(), "stand-in");
        let weirs = connect::in_process(server, "stand-in");
        Self::around(client, weirs, Arc::new(clock), settings, None, None).await
    }

    /// On a real control plane.
    pub async fn real(settings: Settings) -> Result<Self> {
        // One provider for the process; a second call only says that there is one.
        let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let plane = tokio::task::spawn_blocking(ControlPlane::start).await??;
        let config = async || {
            let kubeconfig = Kubeconfig::from_yaml(&plane.kubeconfig())?;
            anyhow::Ok(kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?)
        };
        let client = connect::over_network(config().await?)?;
        let weirs = connect::over_network(config().await?)?;
        let kubelet = kube::Client::try_from(config().await?)?;
        let nodes = tokio::spawn(async move {
            if let Err(error) = nodes::play(kubelet).await {
                tracing::warn!(%error, "the stand-in for nodes has stopped");
            }
        });
        Self::around(
            client,
            weirs,
            Arc::new(SystemClock),
            settings,
            Some(nodes),
            Some(plane),
        )
        .await
    }

    async fn around(
        client: Client,
        weirs: Client,
        clock: Arc<dyn Clock>,
        settings: Settings,
        nodes: Option<JoinHandle<()>>,
        plane: Option<ControlPlane>,
    ) -> Result<Self> {
        let owner = Registry::new(weir_standin_registry::Options::default());
        let handle = owner.start().await?;
        let options = ClientOptions {
            mirrors: BTreeMap::from([(REGISTRY.to_owned(), format!("http://{}", handle.host()).parse()?)]),
            plain_http: PlainHttp::Loopback,
            ..ClientOptions::default()
        };
        let registry = weir_registry::Client::new(options)?;
        let folder = tempfile::tempdir()?;
        let store = Arc::new(Store::open(folder.path())?);
        let mut ground = Self {
            client,
            weirs,
            registry,
            owner,
            house: None,
            store,
            clock,
            settings,
            nodes,
            _registry: handle,
            _folder: folder,
            _plane: plane,
        };
        ground.install().await?;
        ground.open().await?;
        Ok(ground)
    }

    /// Starts the controllers.
    pub async fn open(&mut self) -> Result<()> {
        let outside = Outside {
            cluster: self.weirs.clone(),
            registry: self.registry.clone(),
            store: self.store.clone(),
            artifacts_url: "http://weir.test".into(),
            clock: self.clock.clone(),
        };
        self.house = Some(House::start(outside, self.settings.clone()).await?);
        Ok(())
    }

    async fn install(&self) -> Result<()> {
        for definition in weir_apis::crd::all() {
            let object = Object::from_value(definition)?;
            self.apply(&object).await?;
            let established = |live: &Object| {
                let conditions = live.get(&["status", "conditions"]).and_then(Value::as_array);
                conditions
                    .into_iter()
                    .flatten()
                    .any(|c| c["type"] == "Established" && c["status"] == "True")
            };
            self.until(&object.reference(), established).await?;
        }
        Ok(())
    }

    /// Applies an object as an administrator.
    pub async fn apply(&self, object: &Object) -> Result<Object> {
        Ok(self
            .client
            .apply(
                object,
                Write {
                    manager: "administrator",
                    force: true,
                    dry_run: false,
                },
            )
            .await?)
    }

    /// Applies an object given as JSON.
    pub async fn apply_json(&self, value: Value) -> Result<Object> {
        self.apply(&Object::from_value(value)?).await
    }

    /// Makes a namespace.
    pub async fn namespace(&self, name: &str) -> Result<()> {
        self.apply_json(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
            .await
            .map(drop)
    }

    /// An unverified source `name` for the repository of the same name, at tag `latest`.
    pub async fn source(&self, namespace: &str, name: &str) -> Result<ObjectRef> {
        let spec =
            json!({"interval": "1h", "url": format!("oci://{REGISTRY}/{name}"), "ref": {"tag": "latest"}});
        self.source_with(namespace, name, spec).await
    }

    /// A source with this spec.
    pub async fn source_with(&self, namespace: &str, name: &str, spec: Value) -> Result<ObjectRef> {
        let value = json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository",
            "metadata": {"name": name, "namespace": namespace}, "spec": spec,
        });
        Ok(self.apply_json(value).await?.reference())
    }

    /// A Kustomization of the source of the same name, with these fields besides.
    pub async fn kustomization(&self, namespace: &str, name: &str, fields: Value) -> Result<ObjectRef> {
        let mut spec = json!({
            "interval": "1h", "retryInterval": "5s", "prune": true, "path": "./",
            "sourceRef": {"kind": "OCIRepository", "name": name},
        });
        for (field, value) in fields.as_object().context("fields must be an object")? {
            spec[field] = value.clone();
        }
        let value = json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": name, "namespace": namespace}, "spec": spec,
        });
        Ok(self.apply_json(value).await?.reference())
    }

    /// Asks for a reconcile now.
    pub async fn reconcile(&self, reference: &ObjectRef) -> Result<()> {
        let token = format!("{:?}", Instant::now());
        let patch = json!({"metadata": {"annotations": {key::REQUESTED_AT: token}}});
        self.client.merge(reference, &patch, "administrator").await?;
        Ok(())
    }

    /// Reads an object that must exist.
    pub async fn get(&self, reference: &ObjectRef) -> Result<Object> {
        self.client
            .get(reference)
            .await?
            .with_context(|| format!("{reference} does not exist"))
    }

    /// Waits until an object is as `done` says.
    pub async fn until(&self, reference: &ObjectRef, done: impl Fn(&Object) -> bool) -> Result<Object> {
        let begun = Instant::now();
        loop {
            let live = self.client.get(reference).await?;
            if let Some(live) = &live
                && done(live)
            {
                return Ok(live.clone());
            }
            if begun.elapsed() > PATIENCE {
                let state = live.map(|l| l.get(&["status"]).map(ToString::to_string));
                bail!(
                    "{reference} did not get there in {} s: {state:?}",
                    PATIENCE.as_secs()
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until an object is gone.
    pub async fn until_gone(&self, reference: &ObjectRef) -> Result<()> {
        let begun = Instant::now();
        while self.client.get(reference).await?.is_some() {
            if begun.elapsed() > PATIENCE {
                bail!("{reference} is still there after {} s", PATIENCE.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Waits until an object is Ready for its newest generation.
    pub async fn until_ready(&self, reference: &ObjectRef) -> Result<Object> {
        self.until(reference, |live| {
            Conditions::of(live).is(READY, Status::True)
                && live
                    .get(&["status", "observedGeneration"])
                    .and_then(Value::as_i64)
                    == Some(live.generation())
        })
        .await
    }

    /// Waits until a Kustomization has applied this digest and is Ready.
    pub async fn until_applied(&self, reference: &ObjectRef, digest: weir_oci::Digest) -> Result<Object> {
        let digest = digest.to_string();
        self.until(reference, |live| {
            let applied = live
                .get(&["status", "lastAppliedRevision"])
                .and_then(Value::as_str);
            applied.is_some_and(|a| a.contains(&digest)) && Conditions::of(live).is(READY, Status::True)
        })
        .await
    }

    /// Waits until a condition has this status and reason, and returns its message.
    pub async fn until_condition(
        &self,
        reference: &ObjectRef,
        kind: &str,
        status: Status,
        reason: &str,
    ) -> Result<String> {
        let holds = |live: &Object| {
            Conditions::of(live)
                .get(kind)
                .is_some_and(|c| c.status == status && c.reason == reason)
        };
        let live = self.until(reference, holds).await?;
        Ok(Conditions::of(&live)
            .get(kind)
            .map(|c| c.message.clone())
            .unwrap_or_default())
    }
}

/// A reference to an object of a core or other built-in kind.
pub fn object(api_version: &str, kind: &str, namespace: &str, name: &str) -> ObjectRef {
    ObjectRef::new(
        GroupVersionKind::from_api_version(api_version, kind),
        namespace,
        name,
    )
}

/// A reference to a Kustomization.
pub fn kustomization(namespace: &str, name: &str) -> ObjectRef {
    let gvk = GroupVersionKind::new(Kustomization::GROUP, Kustomization::VERSION, Kustomization::KIND);
    ObjectRef::new(gvk, namespace, name)
}

/// A reference to an OCIRepository.
pub fn source(namespace: &str, name: &str) -> ObjectRef {
    let gvk = GroupVersionKind::new(OciRepository::GROUP, OciRepository::VERSION, OciRepository::KIND);
    ObjectRef::new(gvk, namespace, name)
}
