//! Two versions of a tree, and what must be in the cluster after the second.

use std::collections::BTreeSet;

use weir_apis::ObjectRef;
use weir_real::{Files, files, object};

/// Namespace that the first version makes and both use.
pub(crate) const SPACE: &str = "shop";

const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n";
const DEFINITION: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.kill.example
spec:
  group: kill.example
  scope: Namespaced
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, x-kubernetes-preserve-unknown-fields: true}
";
const WIDGET: &str = "apiVersion: kill.example/v1\nkind: Widget\nmetadata:\n  name: NAME\n  namespace: shop\nspec: {size: 3}\n";
const CONFIG: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NAME\n  namespace: shop\ndata: {colour: COLOUR}\n";
const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - {name: web, image: 'example/web:1'}
";

fn config(name: &str, colour: &str) -> String {
    CONFIG.replace("NAME", name).replace("COLOUR", colour)
}

/// Seven objects, one of a kind that another of them defines.
pub(crate) fn first() -> Files {
    files([
        ("namespace.yaml", NAMESPACE),
        ("definition.yaml", DEFINITION),
        ("widget-a.yaml", &WIDGET.replace("NAME", "a")),
        ("widget-b.yaml", &WIDGET.replace("NAME", "b")),
        ("settings.yaml", &config("settings", "blue")),
        ("leaving.yaml", &config("leaving", "grey")),
        ("web.yaml", WEB),
    ])
}

/// A Widget and a ConfigMap have left, a ConfigMap has changed, and one has come.
pub(crate) fn second() -> Files {
    files([
        ("namespace.yaml", NAMESPACE),
        ("definition.yaml", DEFINITION),
        ("widget-a.yaml", &WIDGET.replace("NAME", "a")),
        ("settings.yaml", &config("settings", "red")),
        ("coming.yaml", &config("coming", "green")),
        ("web.yaml", WEB),
    ])
}

/// Every object of either version.
pub(crate) fn all() -> Vec<ObjectRef> {
    let mut all: Vec<ObjectRef> = second_objects().into_iter().collect();
    all.push(object("kill.example/v1", "Widget", SPACE, "b"));
    all.push(object("v1", "ConfigMap", SPACE, "leaving"));
    all
}

/// The objects of the second version.
pub(crate) fn second_objects() -> BTreeSet<ObjectRef> {
    BTreeSet::from([
        object("v1", "Namespace", "", SPACE),
        object(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "",
            "widgets.kill.example",
        ),
        object("kill.example/v1", "Widget", SPACE, "a"),
        object("v1", "ConfigMap", SPACE, "settings"),
        object("v1", "ConfigMap", SPACE, "coming"),
        object("apps/v1", "Deployment", SPACE, "web"),
    ])
}
