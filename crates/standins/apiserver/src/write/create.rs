//! Creating an object.

use serde_json::{Value, json};

use super::{Cx, WriteOptions, Written};
use crate::object;
use crate::registry::Served;
use crate::status::{Cause, Failure};

/// How many generated names are tried before a collision is reported.
const NAME_ATTEMPTS: usize = 8;

impl Cx<'_> {
    /// Creates `object`, already decoded and defaulted. `tracked` says that its managers are recorded already.
    pub(crate) fn create(
        &mut self,
        served: &Served,
        namespace: &str,
        mut object: Value,
        options: &WriteOptions,
        tracked: bool,
    ) -> Result<Written, Failure> {
        if served.resource.namespaced {
            let own = object::namespace(&object);
            if own.is_empty() {
                object::metadata_mut(&mut object).insert("namespace".into(), json!(namespace));
            } else if own != namespace {
                return Err(Failure::bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request",
                ));
            }
        } else {
            object::metadata_mut(&mut object).remove("namespace");
        }
        // An apply may name a version that it does not want to meet.
        if !tracked && !object::resource_version(&object).is_empty() {
            return Err(Failure::unclassified(
                "resourceVersion should not be set on objects to be created",
            ));
        }
        self.name_object(served, &mut object)?;
        let metadata = object::metadata_mut(&mut object);
        for field in [
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "generation",
            "selfLink",
        ] {
            metadata.remove(field);
        }
        if !tracked {
            self.track(served, "", None, &mut object, &options.manager);
        }
        let uid = self.new_uid();
        let time = self.time();
        let metadata = object::metadata_mut(&mut object);
        metadata.insert("uid".into(), json!(uid));
        metadata.insert("creationTimestamp".into(), json!(time));
        self.admit_to_namespace(served, &object)?;
        crate::strategy::prepare_create(self, served, &mut object)?;
        let name = object::name(&object).to_owned();
        let mut causes = crate::validation::check_metadata(served, &object, None);
        causes.extend(crate::validation::validate(served, &object, None));
        if !causes.is_empty() {
            return Err(Failure::invalid(
                served.group(),
                &served.resource.kind,
                &name,
                &causes,
            ));
        }
        crate::admission::admit(self, served, "CREATE", Some(&object), None)?;
        if self
            .state
            .store
            .get(&served.key, object::namespace(&object), &name)
            .is_some()
        {
            return Err(Failure::already_exists(served.group(), served.plural(), &name));
        }
        crate::typed::normalize(served, &mut object);
        let object = self.to_storage(served, object);
        if options.dry_run {
            return Ok(Written::Created(std::sync::Arc::new(object)));
        }
        // The real server fills in defaults again when it reads the object back from its store, and so a status that
        // creation dropped gets its default. A dry run reads nothing back, and a version that an apply named stays.
        let mut object = object;
        object::remove(&mut object, &["metadata", "resourceVersion"]);
        if let Some(custom) = &served.custom {
            crate::crd::default(custom, &mut object);
        }
        let stored = self.state.store.put(&served.key, object);
        crate::controllers::after_write(self, served, &stored);
        Ok(Written::Created(stored))
    }

    /// Gives the object a name from `generateName`, or checks that it has one.
    fn name_object(&mut self, served: &Served, object: &mut Value) -> Result<(), Failure> {
        if !object::name(object).is_empty() {
            return Ok(());
        }
        let prefix = object::text(object, &["metadata", "generateName"]).to_owned();
        if prefix.is_empty() {
            let cause = Cause {
                reason: "FieldValueRequired",
                message: "Required value: name or generateName is required".to_owned(),
                field: "metadata.name".to_owned(),
            };
            return Err(Failure::invalid(
                served.group(),
                &served.resource.kind,
                "",
                &[cause],
            ));
        }
        // A name has at most 63 letters, five of them generated.
        let prefix: String = prefix.chars().take(58).collect();
        let namespace = object::namespace(object).to_owned();
        let mut name = String::new();
        for _ in 0..NAME_ATTEMPTS {
            name = format!("{prefix}{}", self.new_suffix());
            if self.state.store.get(&served.key, &namespace, &name).is_none() {
                break;
            }
        }
        object::metadata_mut(object).insert("name".into(), json!(name));
        Ok(())
    }

    /// Nothing is created in a namespace that is missing or going away.
    fn admit_to_namespace(&self, served: &Served, object: &Value) -> Result<(), Failure> {
        if !served.resource.namespaced {
            return Ok(());
        }
        let namespace = object::namespace(object);
        let Some(found) = self.state.namespace(namespace) else {
            return Err(Failure::not_found("", "namespaces", namespace));
        };
        if !object::is_terminating(found) {
            return Ok(());
        }
        let name = object::name(object);
        let why =
            format!("unable to create new content in namespace {namespace} because it is being terminated");
        let failure = Failure::forbidden(served.group(), served.plural(), name, &why);
        let mut details = failure.details.clone().unwrap_or_default();
        object::set(
            &mut details,
            &["causes"],
            json!([{
                "reason": "NamespaceTerminating",
                "message": format!("namespace {namespace} is being terminated"),
                "field": "metadata.namespace",
            }]),
        );
        Err(failure.with_details(details))
    }
}
