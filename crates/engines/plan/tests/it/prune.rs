//! What is deleted, in which order, and what keeps it from being deleted.

use serde_json::json;
use weir_apis::inventory::{Entry, Inventory};
use weir_apis::{GroupVersionKind, ObjectRef, key};
use weir_plan::{Budget, Deletion, EmptySet, Guard, Owner, PrunePlan, PruneRefused, SkipReason};

use crate::object;

fn reference(group: &str, kind: &str, name: &str) -> ObjectRef {
    ObjectRef::new(GroupVersionKind::new(group, "v1", kind), "apps", name)
}

fn inventory(objects: &[ObjectRef]) -> Inventory {
    Inventory::of(objects)
}

#[test]
fn stale_objects_go_in_the_reverse_order_of_application() {
    let kept = reference("", "ConfigMap", "kept");
    let old = inventory(&[
        reference("", "ServiceAccount", "a"),
        kept.clone(),
        reference("apps", "Deployment", "a"),
        reference("", "ConfigMap", "b"),
        reference("", "ConfigMap", "a"),
        reference("x.io", "Thing", "a"),
    ]);
    let plan = PrunePlan::new(&old, &inventory(&[kept]), Guard::default()).unwrap();
    let names: Vec<String> = plan.objects().iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "Thing/apps/a",
            "Deployment/apps/a",
            "ConfigMap/apps/b",
            "ConfigMap/apps/a",
            "ServiceAccount/apps/a",
        ]
    );
}

#[test]
fn another_version_of_the_same_object_is_not_stale() {
    let mut newer = reference("apps", "Deployment", "a");
    newer.gvk.version = "v2".into();
    let old = inventory(&[reference("apps", "Deployment", "a")]);
    assert!(
        PrunePlan::new(&old, &inventory(&[newer]), Guard::default())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn n65_an_empty_desired_set_deletes_nothing_unless_it_is_allowed() {
    let old = inventory(&[reference("", "ConfigMap", "a"), reference("", "ConfigMap", "b")]);
    let none = Inventory::default();
    let refused = PrunePlan::new(&old, &none, Guard::default()).unwrap_err();
    assert_eq!(refused, PruneRefused::EmptySet { inventory: 2 });
    let allowed = Guard {
        empty: EmptySet::Allow,
        ..Guard::default()
    };
    assert_eq!(PrunePlan::new(&old, &none, allowed).unwrap().objects().len(), 2);
    assert!(PrunePlan::new(&none, &none, Guard::default()).unwrap().is_empty());
}

#[test]
fn n65_a_deletion_budget_is_kept() {
    let all: Vec<ObjectRef> = ["a", "b", "c", "d"].map(|n| reference("", "ConfigMap", n)).into();
    let (old, new) = (inventory(&all), inventory(&all[..2]));
    let with = |budget| {
        PrunePlan::new(
            &old,
            &new,
            Guard {
                budget,
                ..Guard::default()
            },
        )
    };
    assert!(with(Budget::Objects(2)).is_ok());
    assert!(with(Budget::Percent(50)).is_ok());
    assert!(with(Budget::Percent(49)).is_err());
    assert_eq!(
        with(Budget::Objects(1)).unwrap_err().to_string(),
        "2 of 4 objects left the source: the deletion budget allows 1"
    );
}

#[test]
fn a_budget_is_a_number_a_share_or_unlimited() {
    for (text, budget) in [
        ("0", Budget::Objects(0)),
        ("12", Budget::Objects(12)),
        ("0%", Budget::Percent(0)),
        ("100%", Budget::Percent(100)),
        ("unlimited", Budget::Unlimited),
    ] {
        assert_eq!(text.parse(), Ok(budget));
    }
    for text in ["", "-1", "101%", "%", "all", "1.5", " 3"] {
        assert!(text.parse::<Budget>().is_err(), "{text:?}");
    }
}

#[test]
fn entries_that_cannot_be_read_are_reported_and_kept() {
    let broken = Entry {
        id: "broken".into(),
        v: "v1".into(),
    };
    let mut old = inventory(&[reference("", "ConfigMap", "a"), reference("", "ConfigMap", "b")]);
    old.entries.push(broken.clone());
    let mut new = inventory(&[reference("", "ConfigMap", "a")]);
    let plan = PrunePlan::new(&old, &new, Guard::default()).unwrap();
    assert_eq!(plan.objects().len(), 1);
    assert_eq!(plan.unreadable().count(), 1);
    plan.carry_over(&mut new);
    plan.carry_over(&mut new);
    assert_eq!(new.entries.iter().filter(|e| **e == broken).count(), 1);
    assert_eq!(PrunePlan::everything(&old).objects().len(), 2);
}

#[test]
fn only_owned_objects_that_have_not_opted_out_are_deleted() {
    let owner = Owner::kustomization("flux-system", "apps");
    let target = reference("", "ConfigMap", "a");
    let mut live = object(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "apps", "uid": "u-1"},
    }));
    assert_eq!(Deletion::decide(&target, None, &owner), Deletion::Gone);
    assert_eq!(
        Deletion::decide(&target, Some(&live), &owner),
        Deletion::Skip(SkipReason::NotOwned)
    );
    owner.mark(&mut live);
    match Deletion::decide(&target, Some(&live), &owner) {
        Deletion::Delete(delete) => assert_eq!((delete.object(), delete.uid()), (&target, "u-1")),
        other => panic!("expected a deletion, got {other:?}"),
    }
    for (key, value, reason) in [
        (key::PRUNE, "Disabled", SkipReason::PruneDisabled),
        (key::SSA, "ignore", SkipReason::Ignored),
        (key::RECONCILE, "disabled", SkipReason::ReconcileDisabled),
    ] {
        let mut opted_out = live.clone();
        opted_out.set_annotation(key, value);
        assert_eq!(
            Deletion::decide(&target, Some(&opted_out), &owner),
            Deletion::Skip(reason)
        );
    }
    let other = Owner::kustomization("flux-system", "other");
    assert_eq!(
        Deletion::decide(&target, Some(&live), &other),
        Deletion::Skip(SkipReason::NotOwned)
    );
}
