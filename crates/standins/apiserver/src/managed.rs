//! `metadata.managedFields`: who owns which field, and what that means for a write.
//!
//! The rules are those of apimachinery's field manager over structured-merge-diff.

mod conflict;
mod entries;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::fields::{FieldSet, FieldType, compare, merge, remove_items, to_field_set, validate};
use crate::object;
use crate::status::Failure;
use conflict::{Conflict, conflict_failure};
use entries::{Manager, Managers, Owned, cap_updaters, decode_managers, read_managers, write_managers};

/// The manager that fields get which were there before anybody tracked them.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// How to find the type of an object in another version of its resource.
pub(crate) type TypeOf<'a> = &'a dyn Fn(&str) -> Option<FieldType<'a>>;

/// Keeps `managedFields` for one kind of request.
pub(crate) struct Tracker<'a> {
    /// The version of the request, as `apiVersion`.
    pub(crate) api_version: &'a str,
    /// The subresource of the request, empty for none.
    pub(crate) subresource: &'a str,
    pub(crate) type_of: TypeOf<'a>,
    /// Fields the request cannot change: nobody owns them through it.
    pub(crate) ignored: FieldSet,
    /// The time of the request.
    pub(crate) now: &'a str,
    /// What an object of the type is before anything is set.
    pub(crate) empty: Value,
}

/// Why an apply did not go through.
enum ApplyError {
    Conflicts(Vec<Conflict>),
    Other(Failure),
}

impl Tracker<'_> {
    fn ty(&self) -> FieldType<'_> {
        (self.type_of)(self.api_version).unwrap_or(FieldType::Deduced)
    }

    /// Records what `manager` changed between `live` and `new`, in `new`. `live` is `None` for a creation.
    pub(crate) fn update(&self, live: Option<&Value>, new: &mut Value, manager: &str) {
        let sent = object::at(new, &["metadata", "managedFields"]).cloned();
        object::metadata_mut(new).remove("managedFields");
        let live_managers = || live.map(read_managers).unwrap_or_default().unwrap_or_default();
        let mut managers = match sent.as_ref().and_then(Value::as_array).map(Vec::as_slice) {
            _ if !self.subresource.is_empty() => live_managers(),
            // An empty list, or a list of one empty entry, asks for a reset.
            Some([]) => Managers::new(),
            Some([only]) if only.as_object().is_some_and(Map::is_empty) => Managers::new(),
            Some(entries) => match decode_managers(entries) {
                Some(managers) if !managers.is_empty() => managers,
                _ => live_managers(),
            },
            None => live_managers(),
        };
        // Fields are tracked from creation on; an object that lost its managers is left alone.
        if managers.is_empty() && live.is_some_and(|live| !object::uid(live).is_empty()) {
            return;
        }
        // An object that does not fit a version that somebody wrote in loses all its managers, as in the reference.
        let fits = |owned: &Owned| match (self.type_of)(&owned.api_version) {
            Some(ty) if owned.api_version != self.api_version => validate(new, ty).is_empty(),
            _ => true,
        };
        if !managers.values().all(fits) {
            return;
        }
        let stripped = live.map(without_managed_fields);
        self.track_update(
            stripped.as_ref().unwrap_or(&self.empty),
            new,
            &mut managers,
            manager,
        );
        write_managers(new, &managers);
    }

    fn track_update(&self, live: &Value, new: &Value, managers: &mut Managers, manager: &str) {
        *managers = self.reconcile(std::mem::take(managers), live);
        let comparison = self.take_over(live, new, managers, None);
        let mut set = comparison.modified.union(&comparison.added);
        set = set.recursive_difference(&self.ignored).difference(&strip_set());
        if !set.is_empty() {
            let id = self.id(manager, false);
            let set = match managers.get(&id) {
                Some(previous) => set.union(&previous.set),
                None => set,
            };
            managers.insert(
                id,
                Owned {
                    api_version: self.api_version.to_owned(),
                    time: Some(self.now.to_owned()),
                    set,
                },
            );
        }
        cap_updaters(managers);
    }

    /// Lays `config` over `live`. Gives the new object, `managedFields` included, not yet defaulted.
    pub(crate) fn apply(
        &self,
        live: Option<&Value>,
        config: &Value,
        manager: &str,
        force: bool,
        subject: &str,
    ) -> Result<Value, Failure> {
        if object::at(config, &["metadata", "managedFields"]).is_some_and(|fields| !fields.is_null()) {
            return Err(Failure::bad_request("metadata.managedFields must be nil"));
        }
        let errors = validate(config, self.ty());
        if !errors.is_empty() {
            let message = match errors.as_slice() {
                [only] => only.clone(),
                many => format!(
                    "errors:\n{}",
                    many.iter()
                        .map(|error| format!("  {error}"))
                        .collect::<Vec<_>>()
                        .join("\n")
                ),
            };
            return Err(Failure::unclassified(format!(
                "failed to create typed patch object ({subject}): {message}"
            )));
        }
        let mut managers = live.map(read_managers).unwrap_or_default().unwrap_or_default();
        let stripped = live.map(without_managed_fields);
        let base = stripped.as_ref().unwrap_or(&self.empty);
        if managers.is_empty() && stripped.is_some() {
            self.track_update(&self.empty, base, &mut managers, BEFORE_FIRST_APPLY);
        }
        match self.try_apply(base, config, managers.clone(), manager, force) {
            Ok(new) => Ok(new),
            Err(ApplyError::Other(failure)) => Err(failure),
            Err(ApplyError::Conflicts(conflicts)) => {
                let conflicts = if manager == "kubectl" {
                    self.beyond_last_applied(base, conflicts)
                } else {
                    conflicts
                };
                if conflicts.is_empty() {
                    return self
                        .try_apply(base, config, managers, manager, true)
                        .map_err(|err| match err {
                            ApplyError::Other(failure) => failure,
                            ApplyError::Conflicts(conflicts) => conflict_failure(&conflicts),
                        });
                }
                Err(conflict_failure(&conflicts))
            }
        }
    }

    fn try_apply(
        &self,
        live: &Value,
        config: &Value,
        managers: Managers,
        manager: &str,
        force: bool,
    ) -> Result<Value, ApplyError> {
        let ty = self.ty();
        let mut managers = self.reconcile(managers, live);
        let merged = merge(live, config, ty)
            .map_err(|err| {
                ApplyError::Other(Failure::unclassified(format!("failed to merge config: {err}")))
            })?
            .unwrap_or_else(|| json!({}));
        let id = self.id(manager, true);
        let last = managers.get(&id).cloned();
        let set = to_field_set(config, ty).recursive_difference(&self.ignored);
        managers.insert(
            id.clone(),
            Owned {
                api_version: self.api_version.to_owned(),
                time: last.as_ref().and_then(|last| last.time.clone()),
                set,
            },
        );
        let new = self.prune(merged, &managers, last.as_ref());
        let conflicts = self.conflicts(live, &new, &managers, &id);
        if !force && !conflicts.is_empty() {
            return Err(ApplyError::Conflicts(conflicts));
        }
        self.take_over(live, &new, &mut managers, Some(&id));
        if let Some(owned) = managers.get_mut(&id) {
            owned.set = owned.set.difference(&strip_set());
            // An apply that changes no field does not date its entry, even a new one.
            if !crate::fields::same_value(live, &new) {
                owned.time = Some(self.now.to_owned());
            }
            if owned.set.is_empty() {
                managers.remove(&id);
            }
        }
        let mut new = new;
        write_managers(&mut new, &managers);
        Ok(new)
    }

    fn conflicts(&self, live: &Value, new: &Value, managers: &Managers, own: &Manager) -> Vec<Conflict> {
        let mut out = Vec::new();
        for (manager, owned) in managers {
            if manager == own {
                continue;
            }
            let Some(ty) = (self.type_of)(&owned.api_version) else {
                continue;
            };
            let comparison = compare(live, new, ty).without(&self.ignored);
            let taken = owned
                .set
                .intersection(&comparison.modified.union(&comparison.added));
            out.extend(taken.paths().into_iter().map(|path| Conflict {
                manager: manager.clone(),
                path,
            }));
        }
        out
    }

    /// Takes changed and removed fields from all managers but `own`. Gives what changed in the request's version.
    fn take_over(
        &self,
        live: &Value,
        new: &Value,
        managers: &mut Managers,
        own: Option<&Manager>,
    ) -> crate::fields::Comparison {
        let mut by_version = BTreeMap::new();
        let own_comparison = compare(live, new, self.ty()).without(&self.ignored);
        by_version.insert(self.api_version.to_owned(), own_comparison.clone());
        let mut kept = Managers::new();
        for (manager, mut owned) in std::mem::take(managers) {
            if own == Some(&manager) {
                kept.insert(manager, owned);
                continue;
            }
            let comparison = if let Some(comparison) = by_version.get(&owned.api_version) {
                comparison
            } else {
                // A version that is no longer served takes its entries along.
                let Some(ty) = (self.type_of)(&owned.api_version) else {
                    continue;
                };
                let comparison = compare(live, new, ty).without(&self.ignored);
                by_version.entry(owned.api_version.clone()).or_insert(comparison)
            };
            let changed = owned
                .set
                .intersection(&comparison.modified.union(&comparison.added));
            owned.set = owned.set.difference(&changed).difference(&comparison.removed);
            if !owned.set.is_empty() {
                kept.insert(manager, owned);
            }
        }
        *managers = kept;
        own_comparison
    }

    /// Removes what the manager applied last time and not now, unless somebody else owns it.
    fn prune(&self, merged: Value, managers: &Managers, last: Option<&Owned>) -> Value {
        let Some(last) = last.filter(|last| !last.set.is_empty()) else {
            return merged;
        };
        let Some(ty) = (self.type_of)(&last.api_version) else {
            return merged;
        };
        let last_set = last.set.ensure_named(ty);
        let empty = || json!({});
        let mut pruned = remove_items(&merged, &last_set, ty).unwrap_or_else(empty);
        let merged_set = to_field_set(&merged, ty).ensure_named(ty);
        let mut by_version: BTreeMap<&str, FieldSet> = BTreeMap::new();
        for owned in managers.values() {
            let set = by_version.entry(owned.api_version.as_str()).or_default();
            *set = set.union(&owned.set);
        }
        for (version, owned) in by_version {
            let Some(ty) = (self.type_of)(version) else {
                continue;
            };
            let pruned_set = to_field_set(&pruned, ty).ensure_named(ty);
            let keep = pruned_set.union(&owned.ensure_named(ty));
            pruned = remove_items(&merged, &merged_set.difference(&keep), ty).unwrap_or_else(empty);
        }
        let pruned_set = to_field_set(&pruned, ty).ensure_named(ty);
        remove_items(
            &merged,
            &merged_set.difference(&pruned_set).intersection(&last_set),
            ty,
        )
        .unwrap_or_else(empty)
    }

    /// Entries of versions that are gone are dropped; fields that became atomic are owned as a whole.
    fn reconcile(&self, managers: Managers, _live: &Value) -> Managers {
        managers
            .into_iter()
            .filter_map(|(manager, mut owned)| {
                let ty = (self.type_of)(&owned.api_version)?;
                owned.set = fold_atomic(&owned.set, ty);
                Some((manager, owned))
            })
            .collect()
    }

    fn id(&self, manager: &str, applied: bool) -> Manager {
        Manager {
            name: if manager.is_empty() {
                "unknown".to_owned()
            } else {
                manager.to_owned()
            },
            applied,
            api_version: if applied {
                String::new()
            } else {
                self.api_version.to_owned()
            },
            subresource: self.subresource.to_owned(),
        }
    }

    /// Conflicts that are not explained by an earlier client-side apply with the same values.
    fn beyond_last_applied(&self, live: &Value, conflicts: Vec<Conflict>) -> Vec<Conflict> {
        let ty = self.ty();
        let annotation = object::text(live, &["metadata", "annotations", LAST_APPLIED]);
        let Ok(last) = serde_json::from_str::<Value>(annotation) else {
            return conflicts;
        };
        if object::text(&last, &["apiVersion"]) != self.api_version {
            return conflicts;
        }
        // Fields that have changed since are somebody else's.
        let comparison = compare(&last, live, ty);
        let allowed = to_field_set(&last, ty).difference(&comparison.modified.union(&comparison.removed));
        conflicts
            .into_iter()
            .filter(|conflict| {
                let mut set = FieldSet::default();
                set.insert(&conflict.path);
                !set.difference(&allowed).is_empty()
            })
            .collect()
    }
}

/// A set whose paths end where the type turned atomic.
fn fold_atomic(set: &FieldSet, ty: FieldType<'_>) -> FieldSet {
    let mut out = FieldSet {
        members: set.members.clone(),
        children: BTreeMap::new(),
    };
    for (element, child) in &set.children {
        let inner = ty.descend(element);
        let atomic = match inner {
            FieldType::Declared { info, .. } => match info.kind() {
                weir_schema::Kind::Object => info.is_atomic_map(),
                weir_schema::Kind::Array => matches!(info.list_type(), weir_schema::ListType::Atomic),
                _ => false,
            },
            FieldType::Deduced | FieldType::Untyped => false,
        };
        if atomic {
            out.members.insert(element.clone());
        } else {
            out.children.insert(element.clone(), fold_atomic(child, inner));
        }
    }
    out
}

/// Metadata that nobody owns.
fn strip_set() -> FieldSet {
    FieldSet::of_fields(&[
        &["apiVersion"],
        &["kind"],
        &["metadata"],
        &["metadata", "name"],
        &["metadata", "namespace"],
        &["metadata", "creationTimestamp"],
        &["metadata", "selfLink"],
        &["metadata", "uid"],
        &["metadata", "clusterName"],
        &["metadata", "generation"],
        &["metadata", "managedFields"],
        &["metadata", "resourceVersion"],
    ])
}

fn without_managed_fields(object: &Value) -> Value {
    let mut out = object.clone();
    object::remove(&mut out, &["metadata", "managedFields"]);
    out
}
