//! Which columns a kind has.

use serde_json::{Value, json};

use crate::object::{self, text};
use crate::registry::Served;

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) format: String,
    pub(crate) description: String,
    pub(crate) priority: i64,
    /// Where a custom resource's cell comes from.
    pub(crate) path: String,
}

impl Column {
    fn new(name: &str, kind: &str, priority: i64) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            format: if name == "Name" {
                "name".to_owned()
            } else {
                String::new()
            },
            description: String::new(),
            priority,
            path: String::new(),
        }
    }

    pub(crate) fn definition(&self) -> Value {
        json!({
            "name": self.name,
            "type": self.kind,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        })
    }
}

/// Columns of built-in kinds after `Name`: name, type, priority (1: only in the wide form).
type Named = (&'static str, &'static str, i64);

const AGE: Named = ("Age", "string", 0);

fn named(served: &Served) -> &'static [Named] {
    match (served.group(), served.plural()) {
        ("", "pods") => &[
            ("Ready", "string", 0),
            ("Status", "string", 0),
            ("Restarts", "string", 0),
            AGE,
            ("IP", "string", 1),
            ("Node", "string", 1),
            ("Nominated Node", "string", 1),
            ("Readiness Gates", "string", 1),
        ],
        ("", "namespaces") => &[("Status", "string", 0), AGE],
        ("", "configmaps") => &[("Data", "string", 0), AGE],
        ("", "secrets") => &[("Type", "string", 0), ("Data", "string", 0), AGE],
        ("", "serviceaccounts") => &[("Secrets", "string", 0), AGE],
        ("", "services") => &[
            ("Type", "string", 0),
            ("Cluster-IP", "string", 0),
            ("External-IP", "string", 0),
            ("Port(s)", "string", 0),
            AGE,
            ("Selector", "string", 1),
        ],
        ("", "persistentvolumeclaims") => &[
            ("Status", "string", 0),
            ("Volume", "string", 0),
            ("Capacity", "string", 0),
            ("Access Modes", "string", 0),
            ("StorageClass", "string", 0),
            ("VolumeAttributesClass", "string", 0),
            AGE,
            ("VolumeMode", "string", 1),
        ],
        ("" | "events.k8s.io", "events") => &[
            ("Last Seen", "string", 0),
            ("Type", "string", 0),
            ("Reason", "string", 0),
            ("Object", "string", 0),
            ("Subobject", "string", 1),
            ("Source", "string", 1),
            ("Message", "string", 0),
            ("First Seen", "string", 1),
            ("Count", "string", 1),
            ("Name", "string", 1),
        ],
        ("apps", "deployments") => &[
            ("Ready", "string", 0),
            ("Up-to-date", "string", 0),
            ("Available", "string", 0),
            AGE,
            ("Containers", "string", 1),
            ("Images", "string", 1),
            ("Selector", "string", 1),
        ],
        ("apps", "statefulsets") => &[
            ("Ready", "string", 0),
            AGE,
            ("Containers", "string", 1),
            ("Images", "string", 1),
        ],
        ("apps", "daemonsets") => &[
            ("Desired", "integer", 0),
            ("Current", "integer", 0),
            ("Ready", "integer", 0),
            ("Up-to-date", "integer", 0),
            ("Available", "integer", 0),
            ("Node Selector", "string", 0),
            AGE,
            ("Containers", "string", 1),
            ("Images", "string", 1),
            ("Selector", "string", 1),
        ],
        ("apps", "replicasets") => &[
            ("Desired", "integer", 0),
            ("Current", "integer", 0),
            ("Ready", "integer", 0),
            AGE,
            ("Containers", "string", 1),
            ("Images", "string", 1),
            ("Selector", "string", 1),
        ],
        ("batch", "jobs") => &[
            ("Status", "string", 0),
            ("Completions", "string", 0),
            ("Duration", "string", 0),
            AGE,
            ("Containers", "string", 1),
            ("Images", "string", 1),
            ("Selector", "string", 1),
        ],
        ("rbac.authorization.k8s.io", "roles" | "clusterroles") => &[("Created At", "date", 0)],
        ("rbac.authorization.k8s.io", _) => &[
            ("Role", "string", 0),
            AGE,
            ("Users", "string", 1),
            ("Groups", "string", 1),
            ("ServiceAccounts", "string", 1),
        ],
        ("networking.k8s.io", "ingresses") => &[
            ("Class", "string", 0),
            ("Hosts", "string", 0),
            ("Address", "string", 0),
            ("Ports", "string", 0),
            AGE,
        ],
        ("networking.k8s.io", "networkpolicies") => &[("Pod-Selector", "string", 0), AGE],
        ("coordination.k8s.io", "leases") => &[("Holder", "string", 0), AGE],
        _ => &[("Created At", "date", 0)],
    }
}

/// The columns of a resource's table.
pub(crate) fn of(served: &Served) -> Vec<Column> {
    let mut columns = vec![Column::new("Name", "string", 0)];
    let Some(custom) = &served.custom else {
        if served.plural() == "events" {
            columns.clear();
        }
        columns.extend(
            named(served)
                .iter()
                .map(|(name, kind, priority)| Column::new(name, kind, *priority)),
        );
        describe(served, &mut columns);
        return columns;
    };
    let own = object::list(&custom.version, &["additionalPrinterColumns"]);
    for column in own {
        let or = |field: &str, default: &str| match text(column, &[field]) {
            "" => default.to_owned(),
            given => given.to_owned(),
        };
        let path = or("jsonPath", "");
        columns.push(Column {
            name: or("name", ""),
            kind: or("type", "string"),
            format: or("format", ""),
            description: or(
                "description",
                &format!("Custom resource definition column (in JSONPath format): {path}"),
            ),
            priority: object::at(column, &["priority"])
                .and_then(Value::as_i64)
                .unwrap_or(0),
            path,
        });
    }
    if own.is_empty() {
        let mut age = Column::new("Age", "date", 0);
        ".metadata.creationTimestamp".clone_into(&mut age.path);
        columns.push(age);
    }
    describe(served, &mut columns);
    columns
}

/// The name and age columns are described by the metadata they come from.
fn describe(_served: &Served, columns: &mut [Column]) {
    const NAME: &str = "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";
    const CREATED: &str = "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
    for column in columns.iter_mut().filter(|column| column.description.is_empty()) {
        match column.name.as_str() {
            "Name" => NAME.clone_into(&mut column.description),
            "Age" | "Created At" => CREATED.clone_into(&mut column.description),
            _ => {}
        }
    }
}
