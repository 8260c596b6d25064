//! What labels and annotations ask for (flux-controllers.md §3.6).

use weir_apis::{Object, key};

/// The wishes that one object, manifest or live, states about itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// `reconcile: disabled`: neither applied nor deleted.
    pub reconcile_disabled: bool,
    /// `ssa: Ignore`: neither applied nor deleted.
    pub ignored: bool,
    /// `ssa: IfNotPresent`: created once, then left alone. Counts on the manifest only.
    pub if_not_present: bool,
    /// `ssa: Merge`: fields that others have set stay theirs.
    pub merge: bool,
    /// `force: enabled`: recreated when an immutable field changes.
    pub force: bool,
    /// `prune: disabled`: never garbage-collected.
    pub prune_disabled: bool,
}

impl Policy {
    /// Reads an object's labels and annotations. Values are compared without regard to case, as Flux does.
    pub fn of(object: &Object) -> Self {
        Self {
            reconcile_disabled: says(object, key::RECONCILE, "disabled"),
            ignored: says(object, key::SSA, "Ignore"),
            if_not_present: says(object, key::SSA, "IfNotPresent"),
            merge: says(object, key::SSA, "Merge"),
            force: says(object, key::FORCE, "enabled"),
            prune_disabled: says(object, key::PRUNE, "disabled"),
        }
    }

    /// Whether the object is out of reconciliation altogether.
    pub fn excludes(self) -> bool {
        self.reconcile_disabled || self.ignored
    }
}

/// Whether a label or an annotation has a value, in any case.
pub fn says(object: &Object, key: &str, value: &str) -> bool {
    [object.label(key), object.annotation(key)]
        .into_iter()
        .flatten()
        .any(|found| found.eq_ignore_ascii_case(value))
}

/// Why an object is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// `reconcile: disabled` on the manifest or the live object.
    ReconcileDisabled,
    /// `ssa: Ignore` on the manifest or the live object.
    Ignored,
    /// `ssa: IfNotPresent` on the manifest, and the object exists.
    Present,
    /// `prune: disabled` on the live object.
    PruneDisabled,
    /// The live object does not carry the owner's labels.
    NotOwned,
}

impl SkipReason {
    /// The reason not to apply, if there is one.
    pub(crate) fn before_apply(manifest: Policy, live: Option<Policy>) -> Option<Self> {
        let either = |asks: fn(Policy) -> bool| asks(manifest) || live.is_some_and(asks);
        if either(|p| p.reconcile_disabled) {
            Some(Self::ReconcileDisabled)
        } else if either(|p| p.ignored) {
            Some(Self::Ignored)
        } else if manifest.if_not_present && live.is_some() {
            Some(Self::Present)
        } else {
            None
        }
    }

    /// The reason not to delete, if the live object states one.
    pub(crate) fn before_delete(live: Policy) -> Option<Self> {
        if live.prune_disabled {
            Some(Self::PruneDisabled)
        } else if live.ignored {
            Some(Self::Ignored)
        } else if live.reconcile_disabled {
            Some(Self::ReconcileDisabled)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(field: &str, key: &str, value: &str) -> Policy {
        let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
        object["metadata"][field][key] = value.into();
        Policy::of(&Object::from_value(object).unwrap())
    }

    #[test]
    fn labels_and_annotations_count_alike_in_any_case() {
        assert!(with("labels", key::SSA, "ignore").ignored);
        assert!(with("annotations", key::SSA, "IFNOTPRESENT").if_not_present);
        assert!(with("annotations", key::PRUNE, "Disabled").prune_disabled);
        assert!(with("labels", key::FORCE, "enabled").force);
        assert!(!with("labels", key::FORCE, "true").force);
    }

    #[test]
    fn if_not_present_counts_on_the_manifest_only() {
        let asks = with("labels", key::SSA, "IfNotPresent");
        assert_eq!(SkipReason::before_apply(asks, None), None);
        assert_eq!(
            SkipReason::before_apply(asks, Some(Policy::default())),
            Some(SkipReason::Present)
        );
        assert_eq!(SkipReason::before_apply(Policy::default(), Some(asks)), None);
    }
}
