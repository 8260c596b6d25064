//! Reading objects: one, or a list, whole or in pages.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::object;
use crate::registry::Served;
use crate::request::{ApiRequest, ResourcePath};
use crate::selector::Selector;
use crate::state::State;
use crate::status::{Cause, Failure};
use crate::store::Place;

/// Which objects a list or watch is about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Empty: all namespaces.
    pub(crate) namespace: String,
    pub(crate) labels: Selector,
    pub(crate) fields: Selector,
}

impl Filter {
    /// From the request, checked against what the resource can be selected by.
    pub(crate) fn read(served: &Served, path: &ResourcePath, request: &ApiRequest) -> Result<Self, Failure> {
        let labels = Selector::labels(request.param("labelSelector")).map_err(Failure::bad_request)?;
        let mut field_text = request.param("fieldSelector").to_owned();
        if !path.name.is_empty() {
            // Watching one object by its path is watching by its name.
            field_text = format!("metadata.name={}", path.name);
        }
        let fields = Selector::fields(&field_text).map_err(Failure::bad_request)?;
        if let Some(unknown) = fields.names().find(|name| !is_selectable(served, name)) {
            // Kinds with fields of their own word it one way, all others another.
            let own_fields = served.custom.is_some() || !known_fields(served).is_empty();
            return Err(Failure::bad_request(if own_fields {
                format!("field label not supported: {unknown}")
            } else {
                format!(
                    "{unknown:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                )
            }));
        }
        Ok(Self {
            namespace: path.namespace.clone(),
            labels,
            fields,
        })
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        (self.namespace.is_empty() || object::namespace(object) == self.namespace)
            && self.labels.matches_labels(object)
            && self.fields.matches_fields(object)
    }

    fn is_selective(&self) -> bool {
        !self.labels.is_empty() || !self.fields.is_empty()
    }
}

/// Fields that a resource's objects can be selected by, besides name and namespace.
fn is_selectable(served: &Served, field: &str) -> bool {
    if field == "metadata.name" || field == "metadata.namespace" && served.resource.namespaced {
        return true;
    }
    if let Some(custom) = &served.custom {
        return object::list(&custom.version, &["selectableFields"])
            .iter()
            .any(|selectable| object::text(selectable, &["jsonPath"]).trim_start_matches('.') == field);
    }
    known_fields(served).contains(&field)
}

fn known_fields(served: &Served) -> &'static [&'static str] {
    match (served.key.group.as_str(), served.key.plural.as_str()) {
        ("", "pods") => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
        ("", "events") => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        ("", "secrets") => &["type"],
        ("", "namespaces") => &["status.phase"],
        ("", "nodes") => &["spec.unschedulable"],
        ("", "services") => &["spec.clusterIP", "spec.type"],
        ("", "replicationcontrollers") | ("apps", "replicasets") => &["status.replicas"],
        ("batch", "jobs") => &["status.successful"],
        ("certificates.k8s.io", "certificatesigningrequests") => &["spec.signerName"],
        _ => &[],
    }
}

/// Finds one object in the version asked for.
pub(crate) fn get(state: &State, served: &Served, path: &ResourcePath) -> Result<Arc<Value>, Failure> {
    state
        .store
        .get(&served.key, &path.namespace, &path.name)
        .map(|found| served.present(found))
        .ok_or_else(|| Failure::not_found(served.group(), served.plural(), &path.name))
}

/// Where a page of a list ended.
struct Continue {
    revision: u64,
    /// The last object of the page before.
    after: Place,
}

impl Continue {
    fn write(&self) -> String {
        let token = json!({"v": "meta.k8s.io/v1", "rv": self.revision, "start": format!("{}/{}", self.after.0, self.after.1)});
        URL_SAFE_NO_PAD.encode(token.to_string())
    }

    fn read(text: &str) -> Result<Self, Failure> {
        let broken = || Failure::bad_request("continue key is not valid: it is no token of this server");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| broken())?;
        let token: Value = serde_json::from_slice(&bytes).map_err(|_| broken())?;
        let (namespace, name) = object::text(&token, &["start"])
            .split_once('/')
            .ok_or_else(broken)?;
        Ok(Self {
            revision: token.get("rv").and_then(Value::as_u64).ok_or_else(broken)?,
            after: (namespace.to_owned(), name.to_owned()),
        })
    }
}

/// Lists objects.
pub(crate) fn list(
    state: &State,
    served: &Served,
    path: &ResourcePath,
    request: &ApiRequest,
) -> Result<Value, Failure> {
    let filter = Filter::read(served, path, request)?;
    let limit: usize = request.param("limit").parse().unwrap_or(0);
    let token = request.param("continue");
    let (revision, after) = if token.is_empty() {
        (requested_revision(state, request)?, None)
    } else {
        let token = Continue::read(token)?;
        (token.revision, Some(token.after))
    };
    let objects = state.store.snapshot(&served.key, revision).ok_or_else(|| {
        Failure::expired(if after.is_some() {
            "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.".to_owned()
        } else {
            format!("too old resource version: {revision} ({})", state.store.compacted())
        })
    })?;
    let mut selected = objects
        .iter()
        .filter(|(place, _)| after.as_ref().is_none_or(|after| *place > after))
        .map(|(place, value)| (place, served.present(value)))
        .filter(|(_, value)| filter.matches(value));
    let mut items = Vec::new();
    let mut last: Option<&Place> = None;
    for (place, value) in selected.by_ref() {
        let mut item = value.as_ref().clone();
        if served.custom.is_none()
            && let Some(fields) = item.as_object_mut()
        {
            // Typed lists say once what their items are.
            fields.remove("apiVersion");
            fields.remove("kind");
        }
        items.push(item);
        last = Some(place);
        if limit > 0 && items.len() == limit {
            break;
        }
    }
    let remaining = selected.count();
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".into(), json!(revision.to_string()));
    if served.custom.is_some() {
        metadata.insert("continue".into(), json!(""));
    }
    if let (true, Some(last)) = (remaining > 0, last) {
        metadata.insert(
            "continue".into(),
            json!(
                Continue {
                    revision,
                    after: last.clone()
                }
                .write()
            ),
        );
        if !filter.is_selective() {
            metadata.insert("remainingItemCount".into(), json!(remaining));
        }
    }
    Ok(json!({
        "kind": served.list_kind,
        "apiVersion": served.api_version(),
        "metadata": metadata,
        "items": items,
    }))
}

/// The revision a list is to show: an exact one when asked for, else the newest.
fn requested_revision(state: &State, request: &ApiRequest) -> Result<u64, Failure> {
    let newest = state.store.revision();
    let wanted = request.param("resourceVersion");
    let matching = request.param("resourceVersionMatch");
    let invalid = |reason, message: &str, field: &str| {
        let cause = Cause {
            reason,
            message: message.to_owned(),
            field: field.to_owned(),
        };
        Failure::invalid("meta.k8s.io", "ListOptions", "", &[cause])
    };
    if !matching.is_empty() && wanted.is_empty() {
        return Err(invalid(
            "FieldValueForbidden",
            "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
            "resourceVersionMatch",
        ));
    }
    if wanted.is_empty() || wanted == "0" {
        return Ok(newest);
    }
    let Ok(wanted) = wanted.parse::<u64>() else {
        return Err(Failure::bad_request(format!(
            "invalid resource version: resourceVersion: Invalid value: {wanted:?}: strconv.ParseUint: parsing {wanted:?}: invalid syntax"
        )));
    };
    if wanted > newest {
        return Err(Failure::new(
            504,
            "Timeout",
            "Too large resource version".to_owned() + &format!(": {wanted}, current: {newest}"),
        )
        .with_details(json!({
            "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
            "retryAfterSeconds": 1,
        })));
    }
    Ok(if matching == "Exact" { wanted } else { newest })
}
