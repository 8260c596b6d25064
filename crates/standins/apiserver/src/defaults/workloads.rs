//! Defaults of what runs pods.

use serde_json::{Value, json};

use super::{core, items_mut, pod, set_text};
use crate::object::{self, at, set_default, text};

/// Counts the templates a DaemonSet has had, since before there were generations.
pub(crate) const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// Fills in an object of the `apps` group.
pub(crate) fn apply(kind: &str, object: &mut Value) {
    template(object, &["spec", "template"]);
    match kind {
        "Deployment" => {
            set_default(object, &["spec", "replicas"], json!(1));
            set_default(object, &["spec", "revisionHistoryLimit"], json!(10));
            set_default(object, &["spec", "progressDeadlineSeconds"], json!(600));
            set_text(object, &["spec", "strategy", "type"], "RollingUpdate");
            if text(object, &["spec", "strategy", "type"]) == "RollingUpdate" {
                set_default(
                    object,
                    &["spec", "strategy", "rollingUpdate", "maxUnavailable"],
                    json!("25%"),
                );
                set_default(
                    object,
                    &["spec", "strategy", "rollingUpdate", "maxSurge"],
                    json!("25%"),
                );
            }
        }
        "StatefulSet" => {
            set_default(object, &["spec", "replicas"], json!(1));
            set_default(object, &["spec", "revisionHistoryLimit"], json!(10));
            set_text(object, &["spec", "podManagementPolicy"], "OrderedReady");
            set_text(object, &["spec", "updateStrategy", "type"], "RollingUpdate");
            if text(object, &["spec", "updateStrategy", "type"]) == "RollingUpdate" {
                set_default(
                    object,
                    &["spec", "updateStrategy", "rollingUpdate", "partition"],
                    json!(0),
                );
            }
            set_text(
                object,
                &["spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted"],
                "Retain",
            );
            set_text(
                object,
                &["spec", "persistentVolumeClaimRetentionPolicy", "whenScaled"],
                "Retain",
            );
            for claim in items_mut(object, &["spec", "volumeClaimTemplates"]) {
                set_text(claim, &["apiVersion"], "v1");
                set_text(claim, &["kind"], "PersistentVolumeClaim");
                core::claim(claim);
            }
        }
        "DaemonSet" => {
            set_default(
                object,
                &["metadata", "annotations", TEMPLATE_GENERATION],
                json!("0"),
            );
            set_default(object, &["spec", "revisionHistoryLimit"], json!(10));
            set_text(object, &["spec", "updateStrategy", "type"], "RollingUpdate");
            if text(object, &["spec", "updateStrategy", "type"]) == "RollingUpdate" {
                set_default(
                    object,
                    &["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"],
                    json!(1),
                );
                set_default(
                    object,
                    &["spec", "updateStrategy", "rollingUpdate", "maxSurge"],
                    json!(0),
                );
            }
        }
        "ReplicaSet" => set_default(object, &["spec", "replicas"], json!(1)),
        _ => {}
    }
}

/// Fills in a pod template, when there is one.
pub(crate) fn template(object: &mut Value, path: &[&str]) {
    if at(object, path).is_none_or(|template| !template.is_object()) {
        object::set(object, path, json!({}));
    }
    let place = path.iter().try_fold(object, |value, name| value.get_mut(*name));
    if let Some(template) = place {
        set_default(template, &["spec"], json!({}));
        if let Some(spec) = template.get_mut("spec") {
            pod::spec(spec);
        }
    }
}
