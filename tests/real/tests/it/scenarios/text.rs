//! Manifests that many scenarios publish.

/// A ConfigMap with one value.
pub(crate) fn config(namespace: &str, name: &str, colour: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {namespace}\ndata: {{colour: {colour}}}\n"
    )
}

/// The same with an annotation of the kustomize controller, such as `ssa: Merge`.
pub(crate) fn annotated(namespace: &str, name: &str, colour: &str, annotation: &str) -> String {
    let (key, value) = annotation.split_once(": ").unwrap_or((annotation, ""));
    config(namespace, name, colour).replace(
        "\ndata",
        &format!("\n  annotations: {{kustomize.toolkit.fluxcd.io/{key}: {value}}}\ndata"),
    )
}

/// A Deployment of `example/web:1` that selects by a label of this value.
pub(crate) fn web(namespace: &str, label: &str) -> String {
    format!(
        "\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {namespace}}}
spec:
  selector:
    matchLabels: {{app: {label}}}
  template:
    metadata:
      labels: {{app: {label}}}
    spec:
      containers:
        - {{name: web, image: 'example/web:1'}}
"
    )
}
