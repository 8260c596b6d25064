//! Deleting an object.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Cx, Written};
use crate::object;
use crate::registry::Served;
use crate::request::ApiRequest;
use crate::status::{Cause, Failure};

/// What becomes of an object's dependents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Propagation {
    Background,
    Foreground,
    Orphan,
}

/// How to delete.
#[derive(Debug, Clone)]
pub(crate) struct DeleteOptions {
    pub(crate) dry_run: bool,
    pub(crate) propagation: Option<Propagation>,
    pub(crate) uid: Option<String>,
    pub(crate) resource_version: Option<String>,
    pub(crate) grace_seconds: Option<i64>,
}

impl DeleteOptions {
    /// A plain deletion.
    pub(crate) fn plain() -> Self {
        Self {
            dry_run: false,
            propagation: None,
            uid: None,
            resource_version: None,
            grace_seconds: None,
        }
    }

    /// From the body, or else from the query.
    pub(crate) fn read(request: &ApiRequest, body: &Value) -> Result<Self, Failure> {
        let text = |field: &str| match body.get(field) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(items)) => items
                .first()
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            _ => request.param(field).to_owned(),
        };
        let invalid = |reason, message: String, field: &str| {
            let cause = Cause {
                reason,
                message,
                field: field.to_owned(),
            };
            Failure::invalid("meta.k8s.io", "DeleteOptions", "", &[cause])
        };
        let orphan = body.get("orphanDependents").and_then(Value::as_bool).or_else(|| {
            (!request.param("orphanDependents").is_empty()).then(|| request.flag("orphanDependents"))
        });
        let propagation = match (text("propagationPolicy").as_str(), orphan) {
            ("Background", None) | ("", Some(false)) => Some(Propagation::Background),
            ("Foreground", None) => Some(Propagation::Foreground),
            ("Orphan", None) | ("", Some(true)) => Some(Propagation::Orphan),
            ("", None) => None,
            (other, _) => {
                return Err(invalid(
                    "FieldValueNotSupported",
                    format!(
                        "Unsupported value: {other:?}: supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
                    ),
                    "propagationPolicy",
                ));
            }
        };
        let precondition = |field: &str| {
            object::at(body, &["preconditions", field])
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        Ok(Self {
            dry_run: text("dryRun") == "All",
            propagation,
            uid: precondition("uid"),
            resource_version: precondition("resourceVersion"),
            grace_seconds: body
                .get("gracePeriodSeconds")
                .and_then(Value::as_i64)
                .or_else(|| request.param("gracePeriodSeconds").parse().ok()),
        })
    }
}

impl Cx<'_> {
    /// Deletes an object, or marks it for deletion when finalizers or a grace period stand in the way.
    pub(crate) fn delete(
        &mut self,
        served: &Served,
        live: &Arc<Value>,
        options: &DeleteOptions,
    ) -> Result<Written, Failure> {
        let name = object::name(live).to_owned();
        let namespace = object::namespace(live).to_owned();
        check_preconditions(served, live, options)?;
        crate::admission::admit(self, served, "DELETE", None, Some(live))?;
        crate::strategy::check_delete(served, live)?;
        let mut new = live.as_ref().clone();
        let mut finalizers: Vec<String> = object::finalizers(live).into_iter().map(str::to_owned).collect();
        let cleanup = crate::controllers::definitions::CLEANUP;
        if served.key.group == "apiextensions.k8s.io" && !finalizers.iter().any(|name| name == cleanup) {
            finalizers.push(cleanup.to_owned());
        }
        set_propagation_finalizers(&mut finalizers, options.propagation);
        let grace = crate::strategy::grace_seconds(served, live, options);
        let waits = !finalizers.is_empty() || grace > 0 || crate::strategy::has_spec_finalizers(served, live);
        if !waits {
            if options.dry_run {
                return Ok(Written::Deleted(Arc::clone(live)));
            }
            let Some(last) = self.state.store.delete(&served.key, &namespace, &name) else {
                return Err(Failure::not_found(served.group(), served.plural(), &name));
            };
            crate::controllers::after_delete(self, served, &last);
            return Ok(Written::Deleted(last));
        }
        let metadata = object::metadata_mut(&mut new);
        if finalizers.is_empty() {
            metadata.remove("finalizers");
        } else {
            metadata.insert("finalizers".into(), json!(finalizers));
        }
        if !object::is_terminating(live) {
            let time = self.now + jiff::SignedDuration::from_secs(grace);
            let generation = object::generation(live);
            let metadata = object::metadata_mut(&mut new);
            metadata.insert("deletionTimestamp".into(), json!(object::write_time(time)));
            if !crate::strategy::has_spec_finalizers(served, live) {
                metadata.insert("deletionGracePeriodSeconds".into(), json!(grace));
            }
            if generation > 0 {
                metadata.insert("generation".into(), json!(generation + 1));
            }
            crate::strategy::mark_deleted(served, &mut new);
        }
        if new == **live {
            return Ok(Written::Deleting(Arc::clone(live)));
        }
        if options.dry_run {
            return Ok(Written::Deleting(Arc::new(new)));
        }
        let stored = self.state.store.put(&served.key, new);
        crate::controllers::after_write(self, served, &stored);
        Ok(Written::Deleting(stored))
    }
}

fn check_preconditions(served: &Served, live: &Value, options: &DeleteOptions) -> Result<(), Failure> {
    let name = object::name(live);
    let check = |what: &str, wanted: Option<&String>, found: &str| match wanted {
        Some(wanted) if wanted != found => Err(Failure::conflict(
            served.group(),
            &served.resource.kind,
            name,
            &format!(
                "the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). The object might have been deleted and then recreated"
            ),
        )),
        _ => Ok(()),
    };
    check("UID", options.uid.as_ref(), object::uid(live))?;
    match &options.resource_version {
        Some(wanted) if wanted != object::resource_version(live) => Err(Failure::conflict(
            served.group(),
            &served.resource.kind,
            name,
            &format!(
                "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({}). The object might have been modified",
                object::resource_version(live)
            ),
        )),
        _ => Ok(()),
    }
}

/// The garbage collector works through two finalizers; the policy asked for decides which of them is there.
fn set_propagation_finalizers(finalizers: &mut Vec<String>, propagation: Option<Propagation>) {
    let Some(propagation) = propagation else { return };
    finalizers.retain(|name| name != "orphan" && name != "foregroundDeletion");
    match propagation {
        Propagation::Background => {}
        Propagation::Foreground => finalizers.push("foregroundDeletion".to_owned()),
        Propagation::Orphan => finalizers.push("orphan".to_owned()),
    }
}
