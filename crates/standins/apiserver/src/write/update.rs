//! Changing an object.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Cx, WriteOptions, Written, is_same_but_times};
use crate::object;
use crate::registry::Served;
use crate::status::{Cause, Failure};

/// A change on its way in.
pub(crate) struct Update<'a> {
    pub(crate) served: &'a Served,
    /// Empty for the object itself.
    pub(crate) subresource: &'a str,
    pub(crate) live: Arc<Value>,
    /// The object as asked for: decoded, defaulted.
    pub(crate) new: Value,
    /// Whether field managers are recorded in `new` already.
    pub(crate) tracked: bool,
    /// Whether the request must carry a resource version (a replacement of a custom resource).
    pub(crate) needs_version: bool,
    /// Whether the change came as a patch, in which a foreign uid is invalid rather than a conflict.
    pub(crate) is_patch: bool,
}

impl Cx<'_> {
    /// Carries out a change.
    pub(crate) fn update(&mut self, update: Update<'_>, options: &WriteOptions) -> Result<Written, Failure> {
        let Update {
            served,
            subresource,
            live,
            mut new,
            tracked,
            needs_version,
            is_patch,
        } = update;
        let name = object::name(&live).to_owned();
        let foreign_uid = !object::uid(&new).is_empty() && object::uid(&new) != object::uid(&live);
        let uid_cause = (is_patch && foreign_uid).then(|| {
            let uid = Value::String(object::uid(&new).to_owned());
            crate::validation::invalid("metadata.uid", &uid, "field is immutable")
        });
        if uid_cause.is_none() {
            check_identity(served, &live, &new, needs_version)?;
        }
        keep_system_metadata(&live, &mut new);
        if !tracked {
            self.track(served, subresource, Some(&live), &mut new, &options.manager);
        }
        crate::strategy::prepare_update(self, served, subresource, &live, &mut new)?;
        let mut causes: Vec<Cause> = uid_cause.into_iter().collect();
        causes.extend(check_finalizers(&live, &new));
        causes.extend(crate::validation::check_metadata(served, &new, Some(&live)));
        if served.custom.is_some() {
            // Custom resources go through these checks twice.
            causes.extend(causes.clone());
            causes.extend(crate::validation::check_metadata(served, &new, Some(&live)));
        }
        causes.extend(crate::validation::validate(served, &new, Some(&live)));
        if !causes.is_empty() {
            return Err(Failure::invalid(
                served.group(),
                &served.resource.kind,
                &name,
                &causes,
            ));
        }
        crate::admission::admit(self, served, "UPDATE", Some(&new), Some(&live))?;
        crate::typed::normalize(served, &mut new);
        let new = self.to_storage(served, new);
        let namespace = object::namespace(&new).to_owned();
        // What is stored may be in another version than what is shown.
        let stored_live = self
            .state
            .store
            .get(&served.key, &namespace, &name)
            .map_or(live, Arc::clone);
        if is_same_but_times(&stored_live, &new) {
            return Ok(Written::Updated(stored_live));
        }
        let (mut new, live) = (new, stored_live);
        object::metadata_mut(&mut new)
            .insert("resourceVersion".into(), json!(object::resource_version(&live)));
        if options.dry_run {
            return Ok(Written::Updated(Arc::new(new)));
        }
        if object::is_terminating(&new) && crate::strategy::may_vanish(served, &new) {
            let last = Arc::new(new);
            self.state.store.delete(&served.key, &namespace, &name);
            crate::controllers::after_delete(self, served, &last);
            return Ok(Written::Updated(last));
        }
        let stored = self.state.store.put(&served.key, new);
        crate::controllers::after_write(self, served, &stored);
        Ok(Written::Updated(stored))
    }
}

/// The object must be the one that is there, in the version it is in.
fn check_identity(served: &Served, live: &Value, new: &Value, needs_version: bool) -> Result<(), Failure> {
    let name = object::name(live);
    let uid = object::uid(new);
    if !uid.is_empty() && uid != object::uid(live) {
        let namespace = object::namespace(live);
        let place = if namespace.is_empty() {
            name.to_owned()
        } else {
            format!("{namespace}/{name}")
        };
        let key = if served.custom.is_some() {
            served.group().to_owned() + "/"
        } else {
            String::new()
        };
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{key}{}/{place}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            served.plural(),
            object::uid(live)
        );
        return Err(Failure::conflict(served.group(), served.plural(), name, &why));
    }
    let version = object::resource_version(new);
    if version.is_empty() && needs_version {
        let cause = Cause {
            reason: "FieldValueInvalid",
            message: "Invalid value: 0: must be specified for an update".to_owned(),
            field: "metadata.resourceVersion".to_owned(),
        };
        // This check names the resource where others name the kind.
        return Err(Failure::invalid(served.group(), served.plural(), name, &[cause]));
    }
    if !version.is_empty() && version != object::resource_version(live) {
        return Err(Failure::modified(served.group(), served.plural(), name));
    }
    Ok(())
}

/// What the server alone decides.
fn keep_system_metadata(live: &Value, new: &mut Value) {
    for field in [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "name",
        "namespace",
        "generateName",
    ] {
        match object::at(live, &["metadata", field]) {
            Some(value) => {
                object::metadata_mut(new).insert(field.into(), value.clone());
            }
            None => {
                object::metadata_mut(new).remove(field);
            }
        }
    }
    let metadata = object::metadata_mut(new);
    metadata.remove("selfLink");
    metadata.insert("resourceVersion".into(), json!(object::resource_version(live)));
}

/// An object that is going away gets no new finalizers.
fn check_finalizers(live: &Value, new: &Value) -> Vec<Cause> {
    if !object::is_terminating(live) {
        return Vec::new();
    }
    let known = object::finalizers(live);
    let fresh: Vec<&str> = object::finalizers(new)
        .into_iter()
        .filter(|name| !known.contains(name))
        .collect();
    if fresh.is_empty() {
        return Vec::new();
    }
    vec![Cause {
        reason: "FieldValueForbidden",
        message: format!(
            "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers {}",
            crate::text::go_strings(&fresh)
        ),
        field: "metadata.finalizers".to_owned(),
    }]
}
