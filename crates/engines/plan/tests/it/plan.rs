//! What is done to each object, from desired and live state.

use serde_json::{Value, json};
use weir_apis::{Object, key};
use weir_plan::{
    Action, ApiFailure, Desired, DryRun, LastApplied, Marks, Next, Observed, Options, Outcome, Owner,
    SkipReason, StageError, StageKind, StagePlan, Takeover,
};

use crate::object;

fn marks() -> Marks {
    Marks::of(Owner::kustomization("flux-system", "apps"))
}

fn options() -> Options {
    Options {
        force: false,
        takeover: Takeover::kustomize(&[]),
        ignore: weir_plan::IgnoreRules::default(),
    }
}

fn config_map(value: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "apps"}, "data": {"key": value},
    })
}

fn desired(value: Value) -> Desired {
    Desired::new(object(value), &marks())
}

/// The object as the API server stores it.
fn stored(desired: &Desired) -> Object {
    let mut live = desired.object().clone();
    let metadata = live.metadata_mut();
    metadata.insert("uid".into(), "u-1".into());
    metadata.insert("resourceVersion".into(), "7".into());
    live
}

fn plan(
    desired: Desired,
    live: Option<Object>,
    dry_run: DryRun,
    options: &Options,
) -> Result<StagePlan, StageError> {
    StagePlan::new(
        StageKind::Rest,
        vec![(desired, Observed { live, dry_run })],
        options,
    )
}

fn only(plan: StagePlan) -> Action {
    let mut steps = plan.into_steps();
    assert_eq!(steps.len(), 1);
    steps.remove(0).into_action()
}

fn invalid() -> ApiFailure {
    ApiFailure {
        code: 422,
        reason: "Invalid".into(),
        message: "spec.clusterIP: field is immutable".into(),
    }
}

#[test]
fn an_object_that_is_not_there_is_created() {
    let desired = desired(config_map("1"));
    let answer = desired.object().clone();
    let plan = plan(desired, None, DryRun::Applied(answer), &options()).unwrap();
    assert_eq!(plan.change_set().to_string(), "ConfigMap/apps/a created");
    assert!(matches!(only(plan), Action::Create { .. }));
}

#[test]
fn only_the_first_write_of_a_stage_stands_for_its_dry_run() {
    let named = |name: &str| {
        let mut value = config_map("1");
        value["metadata"]["name"] = name.into();
        desired(value)
    };
    let left = |desired: Desired| {
        let dry_run = DryRun::LeftToWrite(desired.reference().clone());
        (desired, Observed { live: None, dry_run })
    };
    let asked = |desired: Desired, live: Option<Object>| {
        let dry_run = DryRun::Applied(stored(&desired));
        (desired, Observed { live, dry_run })
    };
    let plan = |objects| StagePlan::new(StageKind::Rest, objects, &options());

    let quiet = named("a");
    let live = Some(stored(&quiet));
    let steps = plan(vec![
        asked(quiet, live),
        left(named("b")),
        asked(named("c"), None),
    ])
    .unwrap()
    .into_steps();
    assert!(matches!(steps[1].action(), Action::CreateFirst { .. }));
    assert_eq!(steps[1].action().outcome(), Outcome::Created);

    let live = stored(&named("a"));
    let mut drifted = config_map("2");
    drifted["metadata"]["name"] = "a".into();
    let late = plan(vec![asked(desired(drifted), Some(live)), left(named("b"))]);
    assert!(matches!(late, Err(StageError::NotObserved(b)) if b.name == "b"));

    let (there, mut seen) = left(named("a"));
    seen.live = Some(stored(&there));
    assert!(matches!(
        plan(vec![(there, seen)]),
        Err(StageError::NotObserved(_))
    ));
}

#[test]
fn an_object_that_is_as_it_should_be_is_not_written() {
    let desired = desired(config_map("1"));
    let mut live = stored(&desired);
    live.metadata_mut().insert(
        "managedFields".into(),
        json!([{"manager": "x", "operation": "Update"}]),
    );
    live.as_map_mut().insert("status".into(), json!({"seen": true}));
    let answer = stored(&desired);
    let plan = plan(desired, Some(live), DryRun::Applied(answer), &options()).unwrap();
    assert!(plan.is_quiet());
    assert_eq!(plan.change_set().to_string(), "ConfigMap/apps/a unchanged");
}

#[test]
fn drift_is_applied_and_listed() {
    let live = stored(&desired(config_map("old")));
    let new = desired(config_map("new"));
    let answer = stored(&new);
    let Action::Apply {
        cleanup,
        body,
        changes,
    } = only(plan(new.clone(), Some(live), DryRun::Applied(answer), &options()).unwrap())
    else {
        panic!("expected an apply");
    };
    assert!(cleanup.is_none());
    assert_eq!(&body, new.object());
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].path, "/data/key");
    assert_eq!(changes[0].kind.op(), "replace");
}

#[test]
fn a_removed_label_is_drift() {
    let desired = desired(config_map("1"));
    let mut live = stored(&desired);
    live.set_label("extra", "1");
    let answer = stored(&desired);
    let plan = plan(desired, Some(live), DryRun::Applied(answer), &options()).unwrap();
    assert_eq!(plan.change_set().entries()[0].outcome, Outcome::Configured);
}

#[test]
fn a_clean_up_makes_an_apply_even_without_drift() {
    let desired = desired(config_map("1"));
    let mut live = stored(&desired);
    live.metadata_mut().insert(
        "managedFields".into(),
        json!([{"manager": "kubectl-client-side-apply", "operation": "Update", "fieldsV1": {"f:data": {"f:key": {}}}}]),
    );
    let answer = stored(&desired);
    let action = only(
        plan(
            desired.clone(),
            Some(live.clone()),
            DryRun::Applied(answer.clone()),
            &options(),
        )
        .unwrap(),
    );
    let Action::Apply {
        cleanup: Some(_),
        changes,
        ..
    } = action
    else {
        panic!("expected a clean-up, got {action:?}");
    };
    assert!(changes.is_empty());

    live.set_annotation(key::SSA, "merge");
    let mut same = answer;
    same.set_annotation(key::SSA, "merge");
    let plan = plan(desired, Some(live), DryRun::Applied(same), &options()).unwrap();
    assert!(plan.is_quiet(), "ssa: Merge leaves other managers alone");
}

#[test]
fn objects_that_opt_out_are_skipped_and_stay_in_the_inventory() {
    for (on_live, value) in [(false, "Ignore"), (true, "ignore")] {
        let mut manifest = object(config_map("1"));
        if !on_live {
            manifest.set_annotation(key::SSA, value);
        }
        let desired = Desired::new(manifest, &marks());
        let mut live = stored(&desired);
        if on_live {
            live.set_label(key::SSA, value);
        }
        assert_eq!(desired.next(Some(&live)), Next::Skip(SkipReason::Ignored));
        let plan = plan(desired, Some(live), DryRun::NotAsked, &options()).unwrap();
        let set = plan.change_set();
        assert_eq!(set.to_string(), "ConfigMap/apps/a skipped");
        assert_eq!(set.inventory().entries.len(), 1);
        assert_eq!(set.health_targets().count(), 0);
    }
}

#[test]
fn if_not_present_is_created_once() {
    let mut manifest = config_map("1");
    manifest["metadata"]["labels"] = json!({(key::SSA): "IfNotPresent"});
    let desired = desired(manifest);
    assert_eq!(desired.next(None), Next::DryRun);
    let live = stored(&desired);
    assert_eq!(desired.next(Some(&live)), Next::Skip(SkipReason::Present));
}

#[test]
fn an_immutable_change_fails_the_stage_unless_force_allows_it() {
    let new = desired(config_map("new"));
    let live = stored(&new);
    let failed = || DryRun::Failed(invalid());
    let error = plan(new.clone(), Some(live.clone()), failed(), &options()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "ConfigMap/apps/a dry-run failed (Invalid): spec.clusterIP: field is immutable"
    );

    let by_spec = Options {
        force: true,
        ..options()
    };
    let action = only(plan(new.clone(), Some(live.clone()), failed(), &by_spec).unwrap());
    assert!(matches!(action, Action::Recreate { ref uid, .. } if uid == "u-1"));
    assert_eq!(action.outcome(), Outcome::Created);

    let mut by_label = live;
    by_label.set_label(key::FORCE, "Enabled");
    assert!(plan(new.clone(), Some(by_label), failed(), &options()).is_ok());

    assert!(
        plan(new, None, failed(), &by_spec).is_err(),
        "what does not exist is not recreated"
    );
}

#[test]
fn other_failures_are_not_forced() {
    let new = desired(config_map("new"));
    let live = stored(&new);
    let failure = ApiFailure {
        code: 403,
        reason: "Forbidden".into(),
        message: "no".into(),
    };
    let force = Options {
        force: true,
        ..options()
    };
    assert!(plan(new, Some(live), DryRun::Failed(failure), &force).is_err());
}

#[test]
fn one_failure_stops_the_stage_and_all_are_reported() {
    let objects: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .map(|name| {
            let mut value = config_map("1");
            value["metadata"]["name"] = name.into();
            let desired = desired(value);
            let dry_run = match name {
                "b" => DryRun::Applied(desired.object().clone()),
                _ => DryRun::Failed(ApiFailure {
                    code: 404,
                    reason: "NotFound".into(),
                    message: "namespaces \"apps\" not found".into(),
                }),
            };
            (desired, Observed { live: None, dry_run })
        })
        .collect();
    let error = StagePlan::new(StageKind::Rest, objects, &options()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "ConfigMap/apps/a not found: namespaces \"apps\" not found\n\
         ConfigMap/apps/c not found: namespaces \"apps\" not found"
    );
}

#[test]
fn an_object_that_was_not_dry_run_is_never_planned() {
    let error = plan(desired(config_map("1")), None, DryRun::NotAsked, &options()).unwrap_err();
    assert!(matches!(error, StageError::NotObserved(_)));
}

#[test]
fn cluster_scoped_objects_lose_a_stray_namespace_in_the_inventory() {
    let manifest = desired(json!({
        "apiVersion": "x.io/v1", "kind": "ClusterThing", "metadata": {"name": "a", "namespace": "apps"},
    }));
    let mut live = stored(&manifest);
    live.set_namespace("");
    for dry_run in [None, Some(live.clone())] {
        let observed = Observed {
            live: Some(live.clone()),
            dry_run: match dry_run {
                Some(answer) => DryRun::Applied(answer),
                None => DryRun::Spared(
                    LastApplied::new(&manifest, &live)
                        .still_holds(&manifest, &live)
                        .expect("nothing has changed"),
                ),
            },
        };
        let plan = StagePlan::new(StageKind::Rest, vec![(manifest.clone(), observed)], &options()).unwrap();
        assert_eq!(
            plan.change_set().inventory().entries[0].id,
            "_a_x.io_ClusterThing"
        );
        assert_eq!(plan.steps()[0].desired_reference().namespace, "apps");
    }
}

#[test]
fn a_dry_run_is_spared_only_while_both_sides_are_as_they_were() {
    let first = desired(config_map("1"));
    let live = stored(&first);
    let last = LastApplied::new(&first, &live);
    assert!(last.still_holds(&first, &live).is_some());
    assert!(last.still_holds(&desired(config_map("2")), &live).is_none());
    for (field, value) in [("resourceVersion", "8"), ("uid", "u-2")] {
        let mut other = live.clone();
        other.metadata_mut().insert(field.into(), value.into());
        assert!(last.still_holds(&first, &other).is_none(), "{field}");
    }
    let nothing = LastApplied::new(&first, first.object());
    assert!(
        nothing.still_holds(&first, first.object()).is_none(),
        "no version is no proof"
    );
}

#[test]
fn n56_a_refusal_that_repeats_a_secret_value_is_masked() {
    let secret = desired(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "apps"},
        "stringData": {"password": "correct-horse"},
    }));
    let failure = ApiFailure {
        code: 400,
        reason: "BadRequest".into(),
        message: "admission webhook: correct-horse (Y29ycmVjdC1ob3JzZQ==) is too weak".into(),
    };
    let error = plan(secret, None, DryRun::Failed(failure), &options()).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(
        !shown.contains("correct-horse") && !shown.contains("Y29ycmVjdC1ob3JzZ"),
        "{shown}"
    );
    assert!(shown.contains("is too weak"));
}

#[test]
fn owner_labels_win_over_common_metadata() {
    let mut marks = marks();
    marks
        .labels
        .insert(key::KUSTOMIZATION_NAME.into(), "someone-else".into());
    marks.labels.insert("team".into(), "a".into());
    marks.annotations.insert("note".into(), "b".into());
    let desired = Desired::new(object(config_map("1")), &marks);
    assert!(marks.owner.owns(desired.object()));
    assert_eq!(desired.object().label("team"), Some("a"));
    assert_eq!(desired.object().annotation("note"), Some("b"));
}

#[test]
fn n56_printing_a_plan_for_debugging_shows_no_value() {
    let secret = |word: &str| {
        desired(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "apps"},
            "stringData": {"password": word},
        }))
    };
    let (old, new) = (secret("correct-horse"), secret("wrong-donkey"));
    let answer = stored(&new);
    let observed = Observed {
        live: Some(stored(&old)),
        dry_run: DryRun::Applied(answer),
    };
    let mut shown = format!("{new:?} {observed:?}");
    let plan = StagePlan::new(StageKind::Rest, vec![(new, observed)], &options()).unwrap();
    shown = format!("{shown} {plan:?}");
    assert!(shown.contains("/data/password"), "{shown}");
    for value in [
        "Y29ycmVjdC1ob3JzZQ",
        "d3JvbmctZG9ua2V5",
        "correct-horse",
        "wrong-donkey",
    ] {
        assert!(!shown.contains(value), "{shown}");
    }
}
