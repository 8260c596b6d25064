//! A cluster, a registry, and weir's controllers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
use weir_registry::{ClientOptions, DockerConfig, Keychain, PlainHttp};
use weir_runtime::probes::Readiness;
use weir_runtime::{Metrics, Settings};
use weir_standin_apiserver::ApiServer;
use weir_standin_registry::{Auth, Handle, Registry};
use weir_store::Store;

/// Name of the registry in references.
pub const REGISTRY: &str = "registry.example";
/// Registries that the D2 repositories name. The ground's own stands in for them too: nothing is asked of the outside.
const OTHERS: [&str; 3] = ["quay.io", "ghcr.io", "registry-1.docker.io"];
/// Longest time for one thing to happen.
const PATIENCE: Duration = Duration::from_mins(1);

/// A cluster, a registry, and weir's controllers.
pub struct Ground {
    /// The cluster, as its administrator sees it.
    pub client: Client,
    /// The client that weir's controllers use; its counter is theirs alone.
    pub weirs: Client,
    /// The registry, as publishers reach it.
    pub registry: weir_registry::Client,
    /// The registry, as weir reaches it: what credentials it has come from objects.
    anonymous: weir_registry::Client,
    /// The registry, as its owner.
    pub owner: Registry,
    /// The controllers; taken out by scenarios that stop them.
    pub house: Option<House>,
    /// The API server itself, where it is the stand-in.
    pub server: Option<ApiServer>,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    /// What the controllers say of themselves.
    pub readiness: Readiness,
    nodes: Option<JoinHandle<()>>,
    serving: Mutex<Option<JoinHandle<()>>>,
    handle: Handle,
    folder: tempfile::TempDir,
    plane: Option<ControlPlane>,
}

impl Drop for Ground {
    fn drop(&mut self) {
        let serving = self.serving.lock().unwrap_or_else(PoisonError::into_inner).take();
        for task in [self.nodes.take(), serving].into_iter().flatten() {
            task.abort();
        }
    }
}

impl Ground {
    /// On the stand-in API server. With tokio's time paused it is simulated time.
    pub async fn standin(settings: Settings) -> Result<Self> {
        let mut ground = Self::standin_closed(settings, weir_standin_registry::Options::default()).await?;
        ground.open().await?;
        Ok(ground)
    }

    /// The same with a registry that behaves like this, and with no controllers yet: see [`Ground::open`].
    pub async fn standin_closed(
        settings: Settings,
        registry: weir_standin_registry::Options,
    ) -> Result<Self> {
        let clock = TokioClock::starting_at("2026-01-01T00:00:00Z".parse()?);
        let options = weir_standin_apiserver::Options {
            now: Arc::new(move || clock.now()),
            ready_after: Some(Duration::from_millis(200)),
            ..Default::default()
        };
        let server = ApiServer::new(options);
        let client = connect::in_process(server.clone(), "stand-in");
        let weirs = connect::in_process(server.clone(), "stand-in");
        let mut ground = Self::around(client, weirs, Arc::new(clock), settings, registry, None).await?;
        ground.server = Some(server);
        Ok(ground)
    }

    /// On a real control plane.
    pub async fn real(settings: Settings) -> Result<Self> {
        let mut ground = Self::real_closed(settings).await?;
        ground.open().await?;
        Ok(ground)
    }

    /// The same with no controllers yet.
    pub async fn real_closed(settings: Settings) -> Result<Self> {
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
        let task = tokio::spawn(async move {
            if let Err(error) = nodes::play(kubelet).await {
                tracing::warn!(%error, "the stand-in for nodes has stopped");
            }
        });
        let registry = weir_standin_registry::Options::default();
        let clock = Arc::new(SystemClock);
        let mut ground = Self::around(client, weirs, clock, settings, registry, Some(plane)).await?;
        ground.nodes = Some(task);
        Ok(ground)
    }

    async fn around(
        client: Client,
        weirs: Client,
        clock: Arc<dyn Clock>,
        settings: Settings,
        registry: weir_standin_registry::Options,
        plane: Option<ControlPlane>,
    ) -> Result<Self> {
        let credentials = match &registry.auth {
            Auth::Basic { username, password } => Some((username.clone(), password.clone())),
            _ => None,
        };
        let owner = Registry::new(registry);
        let handle = owner.start().await?;
        let mut mirrors = BTreeMap::new();
        for name in OTHERS.iter().chain([&REGISTRY]) {
            mirrors.insert((*name).to_owned(), format!("http://{}", handle.host()).parse()?);
        }
        let options = ClientOptions {
            mirrors,
            plain_http: PlainHttp::Loopback,
            ..ClientOptions::default()
        };
        let anonymous = weir_registry::Client::new(options)?;
        let registry = match credentials {
            Some((username, password)) => {
                let config = docker_config(&handle.host(), &username, &password).to_string();
                let config = DockerConfig::from_secret(config.as_bytes())?;
                anonymous.with_credentials(Keychain::anonymous().with_docker_config(config))
            }
            None => anonymous.clone(),
        };
        let folder = tempfile::tempdir()?;
        let store = Arc::new(Store::open(folder.path())?);
        let ground = Self {
            client,
            weirs,
            registry,
            anonymous,
            owner,
            house: None,
            server: None,
            store,
            clock,
            settings,
            readiness: Readiness::default(),
            nodes: None,
            serving: Mutex::default(),
            handle,
            folder,
            plane,
        };
        ground.install().await?;
        Ok(ground)
    }

    /// Forgets every stored artifact, as a Pod that starts on another node does. The controllers must not run.
    pub fn lose_store(&mut self) -> Result<()> {
        let folder = tempfile::tempdir()?;
        self.store = Arc::new(Store::open(folder.path())?);
        self.folder = folder;
        Ok(())
    }

    /// Opens the stored artifacts anew, as a process that starts again does.
    pub fn reopen_store(&mut self) -> Result<()> {
        self.store = Arc::new(Store::open(self.folder.path())?);
        Ok(())
    }

    /// The bytes of a stored artifact, by its path.
    pub fn stored(&self, path: &str) -> Result<bytes::Bytes> {
        Ok(std::fs::read(self.folder.path().join(path))?.into())
    }

    /// Starts the controllers.
    pub async fn open(&mut self) -> Result<()> {
        let outside = Outside {
            cluster: self.weirs.clone(),
            registry: self.anonymous.clone(),
            store: self.store.clone(),
            artifacts_url: "http://weir.test".into(),
            clock: self.clock.clone(),
            downloads: weir_store::download::Downloader::new()?,
            metrics: Metrics::default(),
            told: None,
            readiness: self.readiness.clone(),
        };
        self.house = Some(House::start(outside, self.settings.clone()).await?);
        Ok(())
    }

    /// From now on weir speaks TLS alone, with registries on this machine too; the name of the ground's own is no mirror any
    /// more. The controllers must not run.
    pub fn refuse_plain_http(&mut self) -> Result<()> {
        let mut options = self.anonymous.options().clone();
        options.plain_http = PlainHttp::Never;
        options.mirrors.clear();
        self.anonymous = weir_registry::Client::new(options)?;
        Ok(())
    }

    /// The time, as the controllers see it.
    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// Where the registry listens. Its name in references is a mirror of this, and credentials go by this.
    pub fn registry_host(&self) -> String {
        self.handle.host()
    }

    /// Where a kubeconfig of a real control plane's administrator lies.
    pub fn kubeconfig_path(&self) -> Option<PathBuf> {
        self.plane.as_ref().map(ControlPlane::kubeconfig_path)
    }

    /// A kubeconfig for this cluster that needs nothing but itself, with an administrator's rights.
    pub async fn kubeconfig(&self) -> Result<String> {
        const TOKEN: &str = "a-token-of-the-administrator";
        if let Some(plane) = &self.plane {
            let mut config: Value = serde_json::to_value(Kubeconfig::from_yaml(&plane.kubeconfig())?)?;
            let cluster = config
                .pointer_mut("/clusters/0/cluster")
                .context("the kubeconfig has no cluster")?;
            let authority = STANDARD.encode(plane.certificate_authority());
            *cluster = json!({"server": cluster["server"], "certificate-authority-data": authority});
            return Ok(config.to_string());
        }
        let server = self.server.clone().context("the ground has no API server")?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        server.add_token(TOKEN, weir_standin_apiserver::User::admin());
        let task = tokio::spawn(async move {
            if let Err(error) = server.serve(listener).await {
                tracing::warn!(%error, "the stand-in has stopped to serve");
            }
        });
        let earlier = self
            .serving
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(task);
        if let Some(earlier) = earlier {
            earlier.abort();
        }
        Ok(weir_standin_apiserver::kubeconfig(&address, TOKEN))
    }

    async fn install(&self) -> Result<()> {
        for definition in weir_apis::crd::all() {
            self.define(definition).await?;
        }
        Ok(())
    }

    /// Applies a CustomResourceDefinition, and waits until it is established.
    pub async fn define(&self, definition: Value) -> Result<()> {
        let definition = self.apply_json(definition).await?.reference();
        let established = |live: &Object| {
            let conditions = live.get(&["status", "conditions"]).and_then(Value::as_array);
            conditions
                .into_iter()
                .flatten()
                .any(|c| c["type"] == "Established" && c["status"] == "True")
        };
        self.until(&definition, established).await.map(drop)
    }

    /// Applies an object as an administrator. One of a kind that was defined just now has to wait: kube-apiserver says that
    /// a definition is established a moment before it serves the kind.
    pub async fn apply(&self, object: &Object) -> Result<Object> {
        let write = Write {
            manager: "administrator",
            force: true,
            dry_run: false,
        };
        let begun = Instant::now();
        loop {
            match self.client.apply(object, write).await {
                Err(weir_cluster::ApiError::UnknownKind(_)) if begun.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                answer => return Ok(answer?),
            }
        }
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

    /// Makes the ServiceAccount `tenant`, with the rights of a ClusterRole within its namespace.
    pub async fn tenant(&self, namespace: &str, role: &str) -> Result<()> {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "tenant", "namespace": namespace}});
        let group = "rbac.authorization.k8s.io";
        let binding = json!({"apiVersion": format!("{group}/v1"), "kind": "RoleBinding",
            "metadata": {"name": "tenant", "namespace": namespace},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": "tenant", "namespace": namespace}]});
        self.apply_json(account).await?;
        self.apply_json(binding).await.map(drop)
    }

    /// How often the registry was asked what is attached to an artifact.
    pub fn asked_for_referrers(&self) -> usize {
        let seen = self.owner.seen();
        seen.iter().filter(|one| one.path.contains("/referrers/")).count()
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
        self.until_within(reference, PATIENCE, done).await
    }

    /// The same with another patience.
    pub async fn until_within(
        &self,
        reference: &ObjectRef,
        patience: Duration,
        done: impl Fn(&Object) -> bool,
    ) -> Result<Object> {
        let begun = Instant::now();
        loop {
            let live = self.client.get(reference).await?;
            if let Some(live) = &live
                && done(live)
            {
                return Ok(live.clone());
            }
            if begun.elapsed() > patience {
                let state = live.map(|l| l.get(&["status"]).map(ToString::to_string));
                bail!(
                    "{reference} did not get there in {} s: {state:?}",
                    patience.as_secs()
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until an object is gone.
    pub async fn until_gone(&self, reference: &ObjectRef) -> Result<()> {
        self.until_gone_within(reference, PATIENCE).await
    }

    /// The same with another patience.
    pub async fn until_gone_within(&self, reference: &ObjectRef, patience: Duration) -> Result<()> {
        let begun = Instant::now();
        while self.client.get(reference).await?.is_some() {
            if begun.elapsed() > patience {
                bail!("{reference} is still there after {} s", patience.as_secs());
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

/// The `.dockerconfigjson` that logs in to a registry.
pub fn docker_config(host: &str, username: &str, password: &str) -> Value {
    json!({"auths": {host: {"username": username, "password": password}}})
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
