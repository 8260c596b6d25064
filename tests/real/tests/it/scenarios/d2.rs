//! The entry points of the D2 repositories that hold nothing but built-in kinds and CRDs installed here.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use weir_real::{Files, Ground};

fn data() -> Option<PathBuf> {
    let given = std::env::var_os("WEIR_D2").map(PathBuf::from);
    let folder = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/d2"));
    folder.join("repos").is_dir().then_some(folder)
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

/// Kinds that no controller of this ground serves; a bare definition lets the API server take their objects.
const KINDS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "cert-manager.io",
        "v1",
        "ClusterIssuer",
        "clusterissuers",
        "Cluster",
    ),
    (
        "monitoring.coreos.com",
        "v1",
        "PodMonitor",
        "podmonitors",
        "Namespaced",
    ),
    (
        "monitoring.coreos.com",
        "v1",
        "ServiceMonitor",
        "servicemonitors",
        "Namespaced",
    ),
];

/// Applies what `infra` and `apps` hold for production, each as its tenant's Kustomization would, without the charts.
pub(crate) async fn entry_points_are_applied(ground: &Ground) -> Result<()> {
    let Some(data) = data() else {
        println!("not run: D2 entry points (no $WEIR_D2 and no ../shared/d2)");
        return Ok(());
    };
    for (group, version, kind, plural, scope) in KINDS {
        ground
            .apply_json(json!({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": format!("{plural}.{group}")},
                "spec": {"group": group, "scope": scope, "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")},
                    "versions": [{"name": version, "served": true, "storage": true,
                        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]},
            }))
            .await?;
    }
    let variables = json!({"substitute": {"ARTIFACT_TAG": "latest-stable", "ENVIRONMENT": "production", "CLUSTER_NAME": "prod-eu",
        "CLUSTER_DOMAIN": "example.com"}});
    for (repository, component) in [
        ("d2-infra", "cert-manager/configs"),
        ("d2-infra", "cert-manager/controllers"),
        ("d2-infra", "monitoring/configs"),
        ("d2-infra", "monitoring/controllers"),
        ("d2-apps", "backend"),
        ("d2-apps", "frontend"),
    ] {
        let name = component.replace('/', "-");
        let ns = format!("d2-{name}");
        ground.namespace(&ns).await?;
        let root = data.join("repos").join(repository);
        let mut files = Files::new();
        read(&root.join("components"), &root, &mut files)?;
        let digest = ground.publish(&ns, "latest", &files).await?;
        ground.source(&ns, &ns).await?;
        let path = format!("./components/{component}/production");
        let fields = json!({"path": path, "targetNamespace": ns, "postBuild": variables});
        let applied = ground.kustomization(&ns, &ns, fields).await?;
        let live = ground
            .until_applied(&applied, digest)
            .await
            .with_context(|| path.clone())?;
        let expected = data.join("expected/kustomize").join(format!(
            "{repository}__components__{}__production.yaml",
            component.replace('/', "__")
        ));
        let text = std::fs::read_to_string(&expected)?;
        let count = text.split("\n---\n").filter(|d| !d.trim().is_empty()).count();
        let entries = live
            .get(&["status", "inventory", "entries"])
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        ensure!(
            entries == count,
            "{path}: {entries} objects in the inventory, {count} in the expected render"
        );
    }
    Ok(())
}
