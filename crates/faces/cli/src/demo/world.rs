//! Where the story happens: a registry and a Sigstore in this process, and a cluster here or elsewhere.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_cluster::{Client, Propagation, SystemClock, Write, connect};
use weir_house::{House, Outside};
use weir_oci::{Digest, Repository};
use weir_registry::{ClientOptions, PlainHttp};
use weir_runtime::probes::Readiness;
use weir_runtime::{Metrics, Settings};
use weir_standin_apiserver::{ApiServer, User};
use weir_store::Store;
use weir_store::download::Downloader;

use super::signer::Sigstore;
use super::{examples, unexpected};
use crate::run::Result;
use crate::uninstall::let_go;
use crate::{CommandError, Kind};

/// Name of the registry in references. Only this process knows where it is.
pub(super) const REGISTRY: &str = "registry.example";
/// Field manager of what the story's people do by hand.
pub(super) const PERSON: &str = "weir-demo";
/// Namespaces of the demo.
const NAMESPACES: [&str; 3] = ["frontend", "backend", "weir-system"];
/// How often to look whether something has happened.
const GLANCE: Duration = Duration::from_millis(25);

/// The registry, the Sigstore and the cluster.
pub(super) struct World {
    pub(super) client: Client,
    pub(super) registry: weir_registry::Client,
    pub(super) sigstore: Sigstore,
    owner: weir_standin_registry::Registry,
    registry_server: weir_standin_registry::Handle,
    server: Option<Door>,
    folder: tempfile::TempDir,
    installed: Vec<ObjectRef>,
}

/// The API server in this process, and its door for kubectl.
struct Door {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The bearer token for kubectl. The server listens on loopback, lives as long as the demo, and holds nothing else.
const TOKEN: &str = "demo";

impl World {
    /// Everything in this process.
    pub(super) async fn in_process() -> Result<Self> {
        let options = weir_standin_apiserver::Options {
            ready_after: Some(Duration::from_millis(300)),
            ..Default::default()
        };
        let server = ApiServer::new(options);
        server.add_token(TOKEN, User::admin());
        let client = connect::in_process(server.clone(), "demo");
        let mut world = Self::around(client).await?;
        let outside = |e: std::io::Error| CommandError::of(Kind::Outside, &e);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(outside)?;
        let address = listener.local_addr().map_err(outside)?;
        let task = tokio::spawn(async move {
            if let Err(error) = server.serve(listener).await {
                tracing::warn!(%error, "the API server's listener has stopped");
            }
        });
        world.server = Some(Door { address, task });
        world.install().await?;
        Ok(world)
    }

    /// On a cluster that exists.
    pub(super) async fn on(client: Client) -> Result<Self> {
        for name in NAMESPACES {
            let namespace = ObjectRef::new(GroupVersionKind::new("", "v1", "Namespace"), "", name);
            if client.get(&namespace).await?.is_some() {
                let error = unexpected(format!("namespace `{name}` exists in {}", client.cluster()));
                return Err(error.hint("the demo only works in namespaces of its own, which it removes at the end; use another cluster"));
            }
        }
        let mut world = Self::around(client).await?;
        world.install().await?;
        Ok(world)
    }

    async fn around(client: Client) -> Result<Self> {
        let owner = weir_standin_registry::Registry::new(weir_standin_registry::Options::default());
        let registry_server = owner
            .start()
            .await
            .map_err(|e| CommandError::of(Kind::Outside, &e))?;
        let url = format!("http://{}", registry_server.host());
        let url = url.parse().map_err(|e| unexpected(format!("{url}: {e}")))?;
        let options = ClientOptions {
            mirrors: BTreeMap::from([(REGISTRY.to_owned(), url)]),
            plain_http: PlainHttp::Loopback,
            ..ClientOptions::default()
        };
        let registry = weir_registry::Client::new(options)?;
        let folder = tempfile::tempdir().map_err(|e| CommandError::of(Kind::Outside, &e))?;
        Ok(Self {
            client,
            registry,
            sigstore: Sigstore::start().await?,
            owner,
            registry_server,
            server: None,
            folder,
            installed: Vec::new(),
        })
    }

    /// CustomResourceDefinitions that are not there yet; those that are stay as they are.
    async fn install(&mut self) -> Result<()> {
        for definition in weir_apis::crd::all() {
            let object = Object::from_value(definition).map_err(|e| CommandError::of(Kind::Internal, &e))?;
            if self.client.get(&object.reference()).await?.is_some() {
                continue;
            }
            self.apply(&object).await?;
            self.installed.push(object.reference());
            let established = |live: &Object| {
                let conditions = live.get(&["status", "conditions"]).and_then(Value::as_array);
                conditions
                    .into_iter()
                    .flatten()
                    .any(|c| c["type"] == "Established" && c["status"] == "True")
            };
            self.until(&object.reference(), Duration::from_secs(30), established)
                .await?;
        }
        Ok(())
    }

    /// Starts the controllers.
    pub(super) async fn start(&self, settings: Settings) -> Result<House> {
        let store = Store::open(self.folder.path()).map_err(|e| CommandError::of(Kind::Outside, &e))?;
        let outside = Outside {
            cluster: self.client.clone(),
            registry: self.registry.clone(),
            store: Arc::new(store),
            artifacts_url: "http://weir.weir-system.svc.cluster.local.".into(),
            clock: Arc::new(SystemClock),
            downloads: Downloader::new().map_err(|e| CommandError::of(Kind::Outside, &e))?,
            metrics: Metrics::default(),
            told: None,
            readiness: Readiness::default(),
        };
        Ok(House::start(outside, settings).await?)
    }

    /// Where the registry listens.
    pub(super) fn registry_host(&self) -> String {
        self.registry_server.host()
    }

    /// Where the API server is.
    pub(super) fn cluster_name(&self) -> String {
        match &self.server {
            Some(server) => format!("in this process, at http://{}", server.address),
            None => self.client.cluster().to_owned(),
        }
    }

    /// Changes one byte of an artifact's content where the registry keeps it, and says which blob that was.
    pub(super) async fn tamper(&self, repository: &Repository, digest: Digest) -> Result<Digest> {
        let fetched = self.registry.manifest(repository, &digest).await?;
        let layer = fetched.manifest.as_image().and_then(|image| image.layers.first());
        let layer = layer
            .ok_or_else(|| unexpected("the artifact has no layer"))?
            .digest;
        let mut bytes = self
            .owner
            .blob(repository.path(), &layer)
            .ok_or_else(|| unexpected("the layer is gone"))?
            .to_vec();
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 1;
        }
        self.owner.tamper_blob(&layer, bytes);
        Ok(layer)
    }

    /// Applies an object as a person does.
    pub(super) async fn apply(&self, object: &Object) -> Result<Object> {
        let write = Write {
            manager: PERSON,
            force: true,
            dry_run: false,
        };
        Ok(self.client.apply(object, write).await?)
    }

    /// Reads an object.
    pub(super) async fn get(&self, reference: &ObjectRef) -> Result<Option<Object>> {
        Ok(self.client.get(reference).await?)
    }

    /// Waits until an object is as `done` says.
    pub(super) async fn until(
        &self,
        reference: &ObjectRef,
        longest: Duration,
        done: impl Fn(&Object) -> bool,
    ) -> Result<Object> {
        let begun = tokio::time::Instant::now();
        loop {
            let live = self.get(reference).await?;
            if let Some(live) = &live
                && done(live)
            {
                return Ok(live.clone());
            }
            if begun.elapsed() > longest {
                let state = live.map_or("it does not exist".into(), |l| {
                    l.get(&["status", "conditions"])
                        .map(ToString::to_string)
                        .unwrap_or_default()
                });
                return Err(unexpected(format!(
                    "{reference} did not get there in {} s: {state}",
                    longest.as_secs()
                )));
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// The objects of a file of the fleet repository.
    pub(super) fn fleet(path: &str) -> Result<Vec<Object>> {
        let (_, text) = examples::repository("fleet")
            .find(|(name, _)| *name == path)
            .ok_or_else(|| CommandError::new(Kind::Internal, format!("no example `{path}`")))?;
        let documents = weir_yaml::parse_all(text).map_err(|e| CommandError::of(Kind::Internal, &e))?;
        let mut objects = Vec::new();
        for root in documents.iter().filter_map(|d| d.root.as_ref()) {
            let value = weir_yaml::to_json(root, weir_yaml::Dialect::Sigs)
                .map_err(|e| CommandError::of(Kind::Internal, &e))?;
            objects.push(Object::from_value(value).map_err(|e| CommandError::of(Kind::Internal, &e))?);
        }
        Ok(objects)
    }

    /// What a person types to look around.
    pub(super) fn how_to_look(&self) -> Result<Vec<String>> {
        let Some(server) = &self.server else {
            return Ok(vec![
                "Everything is left as it is until you interrupt (Ctrl-C); then it is removed.".into(),
            ]);
        };
        let path = self.folder.path().join("kubeconfig");
        let text = weir_standin_apiserver::kubeconfig(&server.address.to_string(), TOKEN);
        std::fs::write(&path, text).map_err(|e| CommandError::of(Kind::Outside, &e))?;
        Ok(vec![
            "Everything stays up until you interrupt (Ctrl-C). In another terminal:".into(),
            format!("  export KUBECONFIG={}", path.display()),
            "  kubectl get kustomizations,ocirepositories -A".into(),
            "  kubectl -n frontend get deployments,services,configmaps".into(),
            "  kubectl -n frontend scale deployment frontend --replicas 7   # and look again".into(),
        ])
    }

    /// Removes what the demo made. A cluster in this process just ends.
    pub(super) async fn clean_up(self) -> Result<()> {
        if self.server.is_some() {
            return Ok(());
        }
        for kind in ["Kustomization", "OCIRepository"] {
            let group = if kind == "Kustomization" {
                "kustomize.toolkit.fluxcd.io"
            } else {
                "source.toolkit.fluxcd.io"
            };
            let gvk = GroupVersionKind::new(group, "v1", kind);
            for object in self.client.list(&gvk, "weir-system", "").await? {
                // The controllers have stopped: nobody else takes the finalizer away, and the namespaces below take
                // everything with them.
                let_go(&self.client, &object.reference(), PERSON).await?;
                self.client
                    .delete(&object.reference(), Propagation::Background, None)
                    .await?;
            }
        }
        let namespaces =
            NAMESPACES.map(|name| ObjectRef::new(GroupVersionKind::new("", "v1", "Namespace"), "", name));
        for namespace in &namespaces {
            self.client
                .delete(namespace, Propagation::Background, None)
                .await?;
        }
        let begun = tokio::time::Instant::now();
        for namespace in &namespaces {
            while begun.elapsed() < Duration::from_mins(1) && self.client.get(namespace).await?.is_some() {
                tokio::time::sleep(GLANCE * 4).await;
            }
        }
        for definition in &self.installed {
            self.client
                .delete(definition, Propagation::Background, None)
                .await?;
        }
        Ok(())
    }
}
