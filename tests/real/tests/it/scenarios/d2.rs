//! The components of the D2 repositories, in the order in which D2 applies them, and the life of the releases that they hold.

mod releases;
mod rendered;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use weir_apis::ObjectRef;
use weir_cluster::Propagation;
use weir_real::{Files, Ground, object, source};

fn data() -> Option<PathBuf> {
    let given = std::env::var_os("WEIR_D2").map(PathBuf::from);
    let folder = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/d2"));
    folder.join("repos").is_dir().then_some(folder)
}

/// One component for production, as its tenant's Kustomization applies it.
#[derive(Debug)]
struct Component {
    repository: &'static str,
    path: &'static str,
    namespace: &'static str,
}

const fn component(repository: &'static str, path: &'static str, namespace: &'static str) -> Component {
    Component {
        repository,
        path,
        namespace,
    }
}

/// The components with controllers: what the others hold is of kinds that these define.
const CONTROLLERS: &[Component] = &[
    component("d2-infra", "cert-manager/controllers", "cert-manager"),
    component("d2-infra", "monitoring/controllers", "monitoring"),
];

const OTHERS: &[Component] = &[
    component("d2-infra", "cert-manager/configs", "cert-manager"),
    component("d2-infra", "monitoring/configs", "monitoring"),
    component("d2-apps", "backend", "backend"),
    component("d2-apps", "frontend", "frontend"),
];

/// The variable `CLUSTER_DOMAIN`.
const DOMAIN: &str = "example.com";

/// Which charts a component is to name.
type Versions = BTreeMap<String, (String, String)>;

/// Applies what `infra` and `apps` hold for production. Their releases are installed from the charts that they name; upgraded
/// to the next ones by a new artifact; brought back by another, and again after a real helm has rolled them back; rolled back from a revision that
/// fails; and removed.
pub(crate) async fn components_and_their_releases_live(ground: &Ground) -> Result<()> {
    let Some(data) = data() else {
        println!("not run: D2 components (no $WEIR_D2 and no ../shared/d2)");
        return Ok(());
    };
    let versions = push_charts(ground, &data).await?;
    for namespace in ["cert-manager", "monitoring", "backend", "frontend"] {
        ground.namespace(namespace).await?;
    }
    for namespace in ["cert-manager", "monitoring"] {
        tenant(ground, namespace).await?;
    }
    for component in CONTROLLERS {
        component.first(ground, &data).await?;
    }
    let mut all = releases::all(ground).await?;
    ensure!(all.len() == 3, "{all:?}");
    for release in &all {
        releases::installed(ground, &data, release, 1, &versions).await?;
    }
    let_unanswered_webhooks_pass(ground).await?;
    for component in OTHERS {
        component.first(ground, &data).await?;
    }
    all = releases::all(ground).await?;
    ensure!(all.len() == 6, "{all:?}");
    for release in &all {
        releases::installed(ground, &data, release, 1, &versions).await?;
        releases::put_back(ground, release).await?;
    }

    let components = || CONTROLLERS.iter().chain(OTHERS);
    for component in components() {
        component.publish(ground, &data, Some(&versions)).await?;
    }
    for release in &all {
        releases::upgraded(ground, release, 2, &versions).await?;
    }
    for component in components() {
        component.publish(ground, &data, None).await?;
    }
    for release in &all {
        releases::installed(ground, &data, release, 3, &versions).await?;
    }
    let mut good = 3;
    if let Some(helms) = releases::Helms::of(ground) {
        for (n, release) in all.iter().enumerate() {
            helms.go_back(ground, n, release, &versions).await?;
            releases::installed(ground, &data, release, 5, &versions).await?;
        }
        good = 5;
    }
    for component in components() {
        component.apply(ground, true).await?;
    }
    for release in &all {
        releases::rolled_back(ground, &data, release, &versions, good).await?;
    }
    // Whatever depends on something goes before it.
    for component in OTHERS.iter().rev().chain(CONTROLLERS) {
        component.remove(ground, &all).await?;
    }
    Ok(())
}

impl Component {
    /// Name of its artifact, its source and its Kustomization.
    fn name(&self) -> String {
        format!("d2-{}", self.path.replace('/', "-"))
    }

    fn kustomization(&self) -> ObjectRef {
        weir_real::kustomization(self.namespace, &self.name())
    }

    /// Publishes and applies it for the first time, and checks that the inventory has all that was rendered.
    async fn first(&self, ground: &Ground, data: &Path) -> Result<()> {
        let digest = self.publish(ground, data, None).await?;
        ground.source(self.namespace, &self.name()).await?;
        self.apply(ground, false).await?;
        let live = ground
            .until_applied(&self.kustomization(), digest)
            .await
            .with_context(|| self.path)?;
        let file = format!(
            "{}__components__{}__production.yaml",
            self.repository,
            self.path.replace('/', "__")
        );
        let text = std::fs::read_to_string(data.join("expected/kustomize").join(file))?;
        let count = text.split("\n---\n").filter(|d| !d.trim().is_empty()).count();
        let entries = live
            .get(&["status", "inventory", "entries"])
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        ensure!(
            entries == count,
            "{}: {entries} objects in the inventory, {count} in the expected render",
            self.path
        );
        Ok(())
    }

    /// Publishes its repository, with other versions of charts where they are given, and has it looked at.
    async fn publish(
        &self,
        ground: &Ground,
        data: &Path,
        versions: Option<&Versions>,
    ) -> Result<weir_oci::Digest> {
        let root = data.join("repos").join(self.repository);
        let mut files = Files::new();
        read(&root.join("components"), &root, &mut files)?;
        for (chart, (old, new)) in versions.into_iter().flatten() {
            let url = format!("url: oci://{chart}\n");
            for text in files.values_mut().filter(|text| text.contains(&url)) {
                ensure!(text.contains(old.as_str()), "{chart} is not at {old}");
                *text = text.replace(old.as_str(), new);
            }
        }
        let name = self.name();
        let digest = ground.publish(&name, "latest", &files).await?;
        let source = source(self.namespace, &name);
        if ground.client.get(&source).await?.is_some() {
            ground.reconcile(&source).await?;
        }
        Ok(digest)
    }

    /// Its Kustomization; where it is to be broken, so that each Service of its releases is none that an API server takes,
    /// and releases that fail are rolled back.
    async fn apply(&self, ground: &Ground, broken: bool) -> Result<()> {
        let variables = json!({"substitute": {"ARTIFACT_TAG": "latest-stable", "ENVIRONMENT": "production",
            "CLUSTER_NAME": "prod-eu", "CLUSTER_DOMAIN": DOMAIN}});
        let path = format!("./components/{}/production", self.path);
        let mut fields = json!({"path": path, "targetNamespace": self.namespace, "postBuild": variables});
        if broken {
            let ports = json!([{"op": "replace", "path": "/spec/ports", "value": "none"}]).to_string();
            let renderers =
                json!([{"kustomize": {"patches": [{"target": {"kind": "Service"}, "patch": ports}]}}]);
            let patch = json!([
                {"op": "add", "path": "/spec/postRenderers", "value": renderers},
                {"op": "add", "path": "/spec/upgrade", "value": {"remediation": {"remediateLastFailure": true}}},
            ]);
            fields["patches"] = json!([{"target": {"kind": "HelmRelease"}, "patch": patch.to_string()}]);
        }
        ground
            .kustomization(self.namespace, &self.name(), fields)
            .await
            .map(drop)
    }

    /// Deletes its Kustomization, and checks that its releases go with it, whole.
    async fn remove(&self, ground: &Ground, all: &[ObjectRef]) -> Result<()> {
        let own = self.kustomization();
        let entries = ground.get(&own).await?;
        let entries = entries.get(&["status", "inventory"]).map(ToString::to_string);
        let entries = entries.unwrap_or_default();
        let id = |release: &ObjectRef| {
            format!(
                "\"{}_{}_helm.toolkit.fluxcd.io_HelmRelease\"",
                release.namespace, release.name
            )
        };
        let mut gone = Vec::new();
        for release in all.iter().filter(|release| entries.contains(&id(release))) {
            gone.push((release, releases::leaving(ground, release).await?));
        }
        ground.client.delete(&own, Propagation::Background, None).await?;
        ground.until_gone(&own).await?;
        for (release, objects) in gone {
            releases::removed(ground, release, &objects)
                .await
                .with_context(|| format!("{release} is not removed"))?;
        }
        Ok(())
    }
}

fn read(folder: &Path, root: &Path, files: &mut Files) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, root, files)?;
        } else {
            let name = path.strip_prefix(root)?.display().to_string();
            files.insert(name, std::fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// Pushes the charts that D2 names, and the next one of each, and gives both versions by the chart's repository.
async fn push_charts(ground: &Ground, data: &Path) -> Result<Versions> {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let rows = std::fs::read_to_string(data.join("registry.tsv"))?;
    for row in rows.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        // First those that D2 names, then the next ones.
        let [_, reference, "chart", path, ..] = columns[..] else {
            continue;
        };
        let (repository, tag) = reference.rsplit_once(':').context("a tag")?;
        let (_, below) = repository.split_once('/').context("a path")?;
        ground
            .push_chart(below, std::fs::read(data.join(path))?.into())
            .await?;
        versions
            .entry(repository.to_owned())
            .or_default()
            .push(tag.to_owned());
    }
    let pair = |(chart, tags): (String, Vec<String>)| match &tags[..] {
        [old, new] => Ok((chart, (old.clone(), new.clone()))),
        _ => anyhow::bail!("{chart}: {tags:?}"),
    };
    versions.into_iter().map(pair).collect()
}

/// The ServiceAccount that the releases of a namespace name, with the rights that D2 gives to infrastructure.
async fn tenant(ground: &Ground, namespace: &str) -> Result<()> {
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "flux", "namespace": namespace}});
    let name = format!("d2-{namespace}");
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "flux", "namespace": namespace}]});
    for value in [account, binding] {
        ground.apply_json(value).await?;
    }
    Ok(())
}

/// Nobody answers the webhooks of cert-manager here, which would refuse its objects.
async fn let_unanswered_webhooks_pass(ground: &Ground) -> Result<()> {
    for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
        let reference = object(
            "admissionregistration.k8s.io/v1",
            kind,
            "",
            "cert-manager-webhook",
        );
        let live = ground.get(&reference).await?;
        let mut webhooks = live.get(&["webhooks"]).cloned().context("no webhooks")?;
        for webhook in webhooks.as_array_mut().into_iter().flatten() {
            webhook["failurePolicy"] = json!("Ignore");
            webhook["timeoutSeconds"] = json!(1);
        }
        let patch = json!({"webhooks": webhooks});
        ground.client.merge(&reference, &patch, "administrator").await?;
    }
    Ok(())
}
