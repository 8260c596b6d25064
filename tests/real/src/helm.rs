//! Charts in the ground's registry, and releases of them.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use weir_apis::kind::HelmRelease;
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_helm::Release;
use weir_oci::Digest;
use weir_releases::Storage;

use crate::Ground;
use crate::publish::{Files, files};

/// A chart's template: a ConfigMap, which the value `broken` makes one that no API server takes.
const SETTINGS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-settings\ndata:\n  colour: {{ .Values.colour | quote }}\n{{- if .Values.broken }}\n  broken: {is: it}\n{{- end }}\n";

/// A reference to a HelmRelease.
pub fn helm_release(namespace: &str, name: &str) -> ObjectRef {
    let gvk = GroupVersionKind::new(HelmRelease::GROUP, HelmRelease::VERSION, HelmRelease::KIND);
    ObjectRef::new(gvk, namespace, name)
}

/// The files of the chart `web`, in a folder of this name: a ConfigMap, and others by their paths in the chart.
pub fn chart_files(version: &str, others: &[(&str, &str)]) -> Files {
    let about = format!("apiVersion: v2\nname: web\nversion: {version}\nappVersion: \"7\"\n");
    let mut tree = files([
        ("web/Chart.yaml", about.as_str()),
        ("web/values.yaml", "colour: blue\nbroken: false\n"),
        ("web/templates/settings.yaml", SETTINGS),
    ]);
    for (path, content) in others {
        tree.insert(format!("web/{path}"), (*content).to_owned());
    }
    tree
}

impl Ground {
    /// Publishes the chart `web`: a ConfigMap, and other files by their paths in the chart.
    pub async fn publish_chart(&self, name: &str, version: &str, others: &[(&str, &str)]) -> Result<Digest> {
        self.publish(name, "latest", &chart_files(version, others)).await
    }

    /// A namespace with a source of the chart `web` in it, all of this name.
    pub async fn chart_stage(&self, namespace: &str, others: &[(&str, &str)]) -> Result<Digest> {
        self.namespace(namespace).await?;
        let digest = self.publish_chart(namespace, "1.0.0", others).await?;
        self.source(namespace, namespace).await?;
        Ok(digest)
    }

    /// The HelmRelease `web` of the source that is named as its namespace, with these fields besides.
    pub async fn helm_release(&self, namespace: &str, fields: Value) -> Result<ObjectRef> {
        let mut spec = json!({
            "interval": "1h", "timeout": "10s", "chartRef": {"kind": "OCIRepository", "name": namespace},
        });
        for (field, value) in fields.as_object().context("fields must be an object")? {
            if value.is_null() {
                spec.as_object_mut().context("a spec")?.remove(field);
            } else {
                spec[field] = value.clone();
            }
        }
        let value = json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": "web", "namespace": namespace}, "spec": spec,
        });
        Ok(self.apply_json(value).await?.reference())
    }

    /// Waits until a release is at this revision and its object Ready.
    pub async fn until_revision(&self, reference: &ObjectRef, revision: i64) -> Result<Object> {
        let live = self
            .until(reference, |live| {
                let history = live.get(&["status", "history"]);
                let newest = history
                    .and_then(|h| h.pointer("/0/version"))
                    .and_then(Value::as_i64);
                let observed = live
                    .get(&["status", "observedGeneration"])
                    .and_then(Value::as_i64);
                let conditions = weir_apis::condition::Conditions::of(live);
                newest == Some(revision)
                    && observed == Some(live.generation())
                    && conditions.is(weir_apis::condition::READY, weir_apis::condition::Status::True)
            })
            .await?;
        Ok(live)
    }

    /// The records of the release `web`, the oldest first.
    pub async fn records(&self, namespace: &str) -> Result<Vec<Release>> {
        let storage = Storage::new(self.client.clone(), namespace, "administrator");
        Ok(storage.history("web").await?)
    }

    /// Checks revisions and statuses of the release `web`.
    pub async fn has_records(&self, namespace: &str, wanted: &[(i64, &str)]) -> Result<()> {
        let records = self.records(namespace).await?;
        let found: Vec<(i64, String)> = records
            .iter()
            .map(|r| (r.version, r.status().as_str().to_owned()))
            .collect();
        let short: Vec<(i64, &str)> = found.iter().map(|(v, s)| (*v, s.as_str())).collect();
        ensure!(short == wanted, "{found:?}");
        Ok(())
    }

    /// The value of a key of the ConfigMap that the chart makes.
    pub async fn setting(&self, namespace: &str, key: &str) -> Result<Option<Value>> {
        let reference = crate::object("v1", "ConfigMap", namespace, "web-settings");
        let live = self.client.get(&reference).await?;
        Ok(live.and_then(|live| live.get(&["data", key]).cloned()))
    }
}
