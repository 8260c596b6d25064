//! The ground that scenarios stand on: a cluster, and releases in it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_cluster::{Client, SystemClock, connect};
use weir_control_plane::{ControlPlane, nodes};
use weir_gotmpl::NoHost;
use weir_helm::{Chart, File, NoArchives, Origins, Release, Strategy, Table};
use weir_plan::HealthRules;
use weir_releases::{
    ActionError, Context, Done, InstallOptions, Log, RollbackOptions, Run, Storage, Template, TestOptions,
    UninstallOptions, UpgradeOptions,
};
use weir_standin_apiserver::{ApiServer, Options};

/// Name of every release.
pub(crate) const NAME: &str = "web";
/// Field manager of every release.
pub(crate) const MANAGER: &str = "helm-controller";
/// Longest time for one thing to happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A cluster.
pub(crate) struct Ground {
    pub(crate) client: Client,
    pub(crate) server: Option<ApiServer>,
    plane: Option<ControlPlane>,
    nodes: Option<JoinHandle<()>>,
}

impl Drop for Ground {
    fn drop(&mut self) {
        if let Some(nodes) = self.nodes.take() {
            nodes.abort();
        }
    }
}

impl Ground {
    pub(crate) fn standin() -> Self {
        let server = ApiServer::new(Options {
            ready_after: Some(Duration::from_millis(200)),
            ..Options::default()
        });
        Self {
            client: connect::in_process(server.clone(), "stand-in"),
            server: Some(server),
            plane: None,
            nodes: None,
        }
    }

    pub(crate) async fn real() -> Result<Self> {
        // One provider for the process; a second call only says that there is one.
        let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let plane = tokio::task::spawn_blocking(ControlPlane::start).await??;
        let config = async || {
            let kubeconfig = Kubeconfig::from_yaml(&plane.kubeconfig())?;
            anyhow::Ok(kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?)
        };
        let client = connect::over_network(config().await?)?;
        let kubelet = kube::Client::try_from(config().await?)?;
        let nodes = tokio::spawn(async move {
            if let Err(error) = nodes::play(kubelet).await {
                tracing::warn!(%error, "the stand-in for nodes has stopped");
            }
        });
        Ok(Self {
            client,
            server: None,
            plane: Some(plane),
            nodes: Some(nodes),
        })
    }

    /// Where an administrator's kubeconfig lies, for helm.
    pub(crate) fn kubeconfig(&self) -> Option<PathBuf> {
        self.plane.as_ref().map(ControlPlane::kubeconfig_path)
    }

    /// A namespace with a release in it, or soon.
    pub(crate) async fn stage(&self, namespace: &str) -> Result<Stage> {
        let stage = Stage::new(self.client.clone(), namespace);
        stage
            .apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}))
            .await?;
        Ok(stage)
    }
}

/// One release, and all that its actions work with.
pub(crate) struct Stage {
    pub(crate) client: Client,
    pub(crate) storage: Storage,
    pub(crate) namespace: String,
    pub(crate) log: Log,
    pub(crate) health: HealthRules,
    pub(crate) manager: &'static str,
    pub(crate) cancel: CancellationToken,
}

impl Stage {
    pub(crate) fn new(client: Client, namespace: &str) -> Self {
        Self {
            storage: Storage::new(client.clone(), namespace, MANAGER),
            client,
            namespace: namespace.to_owned(),
            log: Log::new(200, ["hunter2-long"].into_iter().collect()),
            health: HealthRules::default(),
            manager: MANAGER,
            cancel: CancellationToken::new(),
        }
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            client: &self.client,
            storage: &self.storage,
            discovery: None,
            clock: &SystemClock,
            name: NAME,
            namespace: &self.namespace,
            manager: self.manager,
            health: &self.health,
            log: &self.log,
            cancel: &self.cancel,
        }
    }

    pub(crate) async fn install(
        &self,
        template: Template,
        options: &InstallOptions,
    ) -> Result<Done, ActionError> {
        weir_releases::install(&self.context(), template, options).await
    }

    pub(crate) async fn upgrade(
        &self,
        template: Template,
        options: &UpgradeOptions,
    ) -> Result<Done, ActionError> {
        weir_releases::upgrade(&self.context(), template, options).await
    }

    pub(crate) async fn rollback(&self, options: &RollbackOptions) -> Result<Done, ActionError> {
        weir_releases::rollback(&self.context(), options).await
    }

    pub(crate) async fn uninstall(&self, options: &UninstallOptions) -> Result<Done, ActionError> {
        weir_releases::uninstall(&self.context(), options).await
    }

    pub(crate) async fn test(&self, options: &TestOptions) -> Result<Done, ActionError> {
        weir_releases::test(&self.context(), options).await
    }

    pub(crate) async fn unlock(&self) -> Result<Option<Release>, ActionError> {
        weir_releases::unlock(&self.context()).await
    }

    /// Writes an object as somebody else.
    pub(crate) async fn apply(&self, value: Value) -> Result<Object> {
        let write = weir_cluster::Write {
            manager: "administrator",
            force: true,
            dry_run: false,
        };
        Ok(self.client.apply(&Object::from_value(value)?, write).await?)
    }

    pub(crate) fn config(&self, name: &str) -> ObjectRef {
        self.object("v1", "ConfigMap", name)
    }

    pub(crate) fn object(&self, api_version: &str, kind: &str, name: &str) -> ObjectRef {
        let gvk = GroupVersionKind::from_api_version(api_version, kind);
        ObjectRef::new(gvk, self.namespace.clone(), name)
    }

    pub(crate) async fn get(&self, reference: &ObjectRef) -> Result<Object> {
        let found = self.client.get(reference).await?;
        found.with_context(|| format!("{reference} does not exist"))
    }

    pub(crate) async fn exists(&self, reference: &ObjectRef) -> Result<bool> {
        Ok(self.client.get(reference).await?.is_some())
    }

    /// The names of the ConfigMaps that are there.
    pub(crate) async fn configs(&self) -> Result<Vec<String>> {
        let gvk = GroupVersionKind::new("", "v1", "ConfigMap");
        let found = self.client.list(&gvk, &self.namespace, "").await?;
        let mut names: Vec<String> = found
            .iter()
            .map(|object| object.name().to_owned())
            .filter(|name| name != "kube-root-ca.crt")
            .collect();
        names.sort();
        Ok(names)
    }

    /// Waits until an object is as `done` says.
    pub(crate) async fn until(
        &self,
        reference: &ObjectRef,
        done: impl Fn(&Object) -> bool,
    ) -> Result<Object> {
        let begun = tokio::time::Instant::now();
        loop {
            if let Some(live) = self.client.get(reference).await?
                && done(&live)
            {
                return Ok(live);
            }
            if begun.elapsed() > PATIENCE {
                bail!("{reference} did not get there in {} s", PATIENCE.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The revisions that are recorded, each with status and description.
    pub(crate) async fn revisions(&self) -> Result<Vec<(i64, String, String)>> {
        let history = self.storage.history(NAME).await?;
        Ok(history
            .iter()
            .map(|release| {
                let info = release.info.clone().unwrap_or_default();
                (release.version, info.status.as_str().to_owned(), info.description)
            })
            .collect())
    }

    /// Checks the revisions and their statuses.
    pub(crate) async fn has_revisions(&self, wanted: &[(i64, &str)]) -> Result<()> {
        let found = self.revisions().await?;
        let short: Vec<(i64, &str)> = found
            .iter()
            .map(|(version, status, _)| (*version, status.as_str()))
            .collect();
        ensure!(short == wanted, "{found:?}");
        Ok(())
    }
}

/// What must fail.
pub(crate) trait Failing {
    /// How it failed; that it did not is an error.
    fn failure(self) -> Result<ActionError>;
}

impl Failing for Result<Done, ActionError> {
    fn failure(self) -> Result<ActionError> {
        match self {
            Ok(done) => bail!("revision {} did not fail", done.release.version),
            Err(error) => Ok(error),
        }
    }
}

/// A chart of these files, named as every release.
pub(crate) fn chart(version: &str, files: &[(&str, &str)]) -> Chart {
    let about = format!("apiVersion: v2\nname: {NAME}\nversion: {version}\nappVersion: \"7\"\n");
    let mut all = vec![File::new("Chart.yaml", about)];
    all.extend(
        files
            .iter()
            .map(|(path, text)| File::new(*path, (*text).to_owned())),
    );
    Chart::from_files(all, &NoArchives).expect("a chart of a test")
}

/// A chart with values.
pub(crate) fn template(chart: &Chart, values: Value) -> Template {
    let values: Table = values.as_object().cloned().unwrap_or_default();
    Template {
        chart: Arc::new(chart.clone()),
        values: Arc::new(values),
        origins: Origins::default(),
        host: Box::new(NoHost),
        post: None,
        strategy: Strategy::default(),
        skip_schema: false,
    }
}

/// A chart of ConfigMaps, each with the data that it is given.
pub(crate) fn configs(version: &str, maps: &[(&str, &str)]) -> Template {
    template(&config_chart(version, maps), json!({}))
}

/// The same as a chart.
pub(crate) fn config_chart(version: &str, maps: &[(&str, &str)]) -> Chart {
    let files: Vec<(String, String)> = maps
        .iter()
        .map(|(name, data)| (format!("templates/{name}.yaml"), config(name, data)))
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    chart(version, &files)
}

/// A ConfigMap with this data, in YAML's flow style without braces.
pub(crate) fn config(name: &str, data: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata: {{{data}}}\n")
}

/// The same as a hook.
pub(crate) fn hook(name: &str, event: &str, weight: i64, policy: &str) -> String {
    let policy = if policy.is_empty() {
        String::new()
    } else {
        format!("    helm.sh/hook-delete-policy: {policy}\n")
    };
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations:\n    helm.sh/hook: {event}\n    \
         helm.sh/hook-weight: \"{weight}\"\n{policy}"
    )
}

/// A run that gives up soon.
pub(crate) fn short() -> Run {
    Run {
        timeout: Duration::from_secs(1),
        ..Run::default()
    }
}

/// Who holds fields, and how: manager and operation of each entry, without subresources.
pub(crate) fn managers(object: &Object) -> BTreeMap<String, Vec<String>> {
    let mut managers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let entries = object
        .get(&["metadata", "managedFields"])
        .and_then(Value::as_array);
    for entry in entries.into_iter().flatten() {
        if entry.get("subresource").is_some() {
            continue;
        }
        let text = |field: &str| {
            entry
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        managers
            .entry(text("manager"))
            .or_default()
            .push(text("operation"));
    }
    managers
}
