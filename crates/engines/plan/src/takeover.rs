//! Taking fields over from those who wrote an object before (flux-controllers.md §3.6, pitfall 12).
//!
//! A field that `kubectl` once set belongs to kubectl as well; deleting it from Git would then change
//! nothing. So the entries of such managers are merged into our own apply entry first.

use std::fmt;

use serde_json::{Value, json};
use weir_apis::{Object, key};

use crate::managed::{ManagedEntry, Operation, entries, union};
use crate::pointer;

/// Annotations of earlier tools that are removed.
const ANNOTATIONS: [&str; 3] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "kustomize.toolkit.fluxcd.io/checksum",
    "fluxcd.io/sync-checksum",
];

/// Labels of earlier tools that are removed.
const LABELS: [&str; 1] = ["fluxcd.io/sync-gc-mark"];

/// A manager whose fields are taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldManager {
    /// What the manager's name starts with.
    pub prefix: String,
    /// How it wrote.
    pub operation: Operation,
}

/// What the clean-up takes over, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takeover {
    /// Our own field manager.
    pub manager: String,
    /// The managers whose fields become ours.
    pub from: Vec<FieldManager>,
}

impl Takeover {
    /// What kustomize-controller takes over, and `overrides` (its `--override-manager`) besides.
    pub fn kustomize(overrides: &[String]) -> Self {
        let own = key::KUSTOMIZE_MANAGER;
        let mut from = vec![
            (own.to_owned(), Operation::Update),
            ("kubectl".to_owned(), Operation::Apply),
            ("kubectl".to_owned(), Operation::Update),
            ("before-first-apply".to_owned(), Operation::Update),
        ];
        for name in overrides.iter().filter(|name| !name.is_empty()) {
            from.push((name.clone(), Operation::Apply));
            from.push((name.clone(), Operation::Update));
        }
        Self {
            manager: own.into(),
            from: from
                .into_iter()
                .map(|(prefix, operation)| FieldManager { prefix, operation })
                .collect(),
        }
    }

    fn takes(&self, entry: &ManagedEntry) -> bool {
        entry.subresource.is_empty()
            && !is_own(entry, &self.manager)
            && self
                .from
                .iter()
                .any(|m| m.operation == entry.operation && entry.manager.starts_with(&m.prefix))
    }

    /// The patch that cleans a live object, or `None` where it is clean.
    pub fn patch(&self, live: &Object) -> Option<CleanupPatch> {
        let mut ops = Vec::new();
        let mut remove = |field: &str, keys: &[&str]| {
            let found = live
                .metadata()
                .and_then(|m| m.get(field))
                .and_then(Value::as_object);
            for key in keys {
                if found.is_some_and(|map| map.contains_key(*key)) {
                    let path = pointer::join(&format!("/metadata/{field}"), key);
                    ops.push(json!({"op": "remove", "path": path}));
                }
            }
        };
        remove("annotations", &ANNOTATIONS);
        remove("labels", &LABELS);
        if let Some(list) = merged(live, &self.manager, |entry| self.takes(entry)) {
            ops.push(json!({"op": "replace", "path": "/metadata/managedFields", "value": list}));
        }
        finished(live, ops)
    }
}

/// The patch that makes what `manager` wrote by create and update its own by apply, for an object whose owner goes over
/// to server-side apply: what it no longer sends goes away then. `None` where there is nothing of the kind. It does what
/// client-go's `csaupgrade.UpgradeManagedFieldsPatch` does.
pub fn client_side_to_apply(live: &Object, manager: &str) -> Option<CleanupPatch> {
    let takes = |entry: &ManagedEntry| {
        entry.subresource.is_empty() && entry.operation == Operation::Update && entry.manager == manager
    };
    let list = merged(live, manager, takes)?;
    finished(
        live,
        vec![json!({"op": "replace", "path": "/metadata/managedFields", "value": list})],
    )
}

fn is_own(entry: &ManagedEntry, manager: &str) -> bool {
    entry.subresource.is_empty() && entry.operation == Operation::Apply && entry.manager == manager
}

/// The operations as a patch that fails with Conflict where the object has changed since: whoever writes in between must
/// not lose fields.
fn finished(live: &Object, mut ops: Vec<Value>) -> Option<CleanupPatch> {
    if ops.is_empty() {
        return None;
    }
    let version = live.resource_version();
    if !version.is_empty() {
        ops.push(json!({"op": "replace", "path": "/metadata/resourceVersion", "value": version}));
    }
    Some(CleanupPatch(Value::Array(ops)))
}

/// The entries after a takeover, the manager's own last; `None` where nothing is taken over.
fn merged(live: &Object, manager: &str, takes: impl Fn(&ManagedEntry) -> bool) -> Option<Vec<Value>> {
    let all = entries(live);
    if !all.iter().any(&takes) {
        return None;
    }
    let mut own = all.iter().find(|e| is_own(e, manager)).cloned();
    let mut rest = Vec::with_capacity(all.len());
    for mut entry in all {
        if is_own(&entry, manager) {
            continue;
        }
        if !takes(&entry) {
            rest.push(entry.into_value());
            continue;
        }
        match &mut own {
            None => {
                manager.clone_into(&mut entry.manager);
                entry.operation = Operation::Apply;
                own = Some(entry);
            }
            Some(own) => match (&mut own.fields, entry.fields) {
                (Some(ours), Some(theirs)) => union(ours, &theirs),
                (ours @ None, theirs) => *ours = theirs,
                (Some(_), None) => {}
            },
        }
    }
    rest.extend(own.map(ManagedEntry::into_value));
    Some(rest)
}

/// A JSON patch (RFC 6902) that changes metadata only. It fails with Conflict when the object has changed
/// since it was read; observe and plan again then.
#[derive(Clone, PartialEq)]
pub struct CleanupPatch(Value);

impl CleanupPatch {
    /// The operations, as the API server takes them.
    pub fn operations(&self) -> &Value {
        &self.0
    }
}

impl fmt::Debug for CleanupPatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "CleanupPatch({} operations)",
            self.0.as_array().map_or(0, Vec::len)
        )
    }
}
