//! From a body to an object of the type that the path asks for.

use serde_json::{Value, json};

use crate::object;
use crate::registry::Served;
use crate::status::Failure;
use crate::write::{Cx, FieldValidation};

/// Reads a body.
pub(crate) fn read_body(content_type: &str, body: &[u8]) -> Result<Value, Failure> {
    match content_type {
        ""
        | "application/json"
        | "text/json"
        | "application/json-patch+json"
        | "application/merge-patch+json"
        | "application/strategic-merge-patch+json"
        | "application/apply-patch+yaml"
        | "application/yaml" => {}
        other => {
            return Err(Failure::unsupported_media(format!(
                "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/cbor ({other})"
            )));
        }
    }
    if matches!(content_type, "application/yaml" | "application/apply-patch+yaml")
        && body.first() != Some(&b'{')
    {
        let text =
            std::str::from_utf8(body).map_err(|_| Failure::bad_request("error decoding YAML: not UTF-8"))?;
        let node = weir_yaml::parse_one(text)
            .map_err(|err| Failure::bad_request(format!("error decoding YAML: {err}")))?;
        return weir_yaml::to_json(&node, weir_yaml::Dialect::Sigs)
            .map_err(|err| Failure::bad_request(format!("error decoding YAML: {err}")));
    }
    serde_json::from_slice(body)
        .map_err(|err| Failure::bad_request(format!("error decoding the body: {err}")))
}

impl Cx<'_> {
    /// Checks that `object` is of the served type, drops unknown fields as the request wants, and fills in defaults.
    pub(crate) fn decode(
        &mut self,
        served: &Served,
        mut object: Value,
        validation: FieldValidation,
    ) -> Result<Value, Failure> {
        if served.custom.is_none() {
            // Typed decoders know what the path asks for.
            object::set_default(&mut object, &["apiVersion"], json!(served.api_version()));
            object::set_default(&mut object, &["kind"], json!(served.resource.kind));
        }
        check_kind(served, &object)?;
        if served.custom.is_none()
            && let Some(info) = served.schemas.lookup(&served.gvk())
            && let Some(message) = crate::typed::find_mismatch(&object, info, &served.resource.kind, "")
        {
            return Err(cannot_be_handled(served, &message));
        }
        if !object::at(&object, &["metadata"]).is_none_or(|meta| meta.is_object() || meta.is_null()) {
            return Err(Failure::bad_request("metadata must be an object"));
        }
        self.drop_unknown(served, &mut object, validation)?;
        default(served, &mut object);
        Ok(object)
    }

    /// Drops fields that the type does not know, and reports them.
    pub(crate) fn drop_unknown(
        &mut self,
        served: &Served,
        object: &mut Value,
        validation: FieldValidation,
    ) -> Result<(), Failure> {
        let unknown = match &served.custom {
            Some(custom) => crate::crd::prune(custom, object),
            None => crate::typed::drop_unknown(object, served.field_type()),
        };
        if unknown.is_empty() {
            return Ok(());
        }
        let messages: Vec<String> = unknown
            .iter()
            .map(|path| format!("unknown field {path:?}"))
            .collect();
        match validation {
            FieldValidation::Ignore => {}
            FieldValidation::Warn => self.warnings.extend(messages),
            FieldValidation::Strict => {
                let message = format!("strict decoding error: {}", messages.join(", "));
                return Err(cannot_be_handled(served, &message));
            }
        }
        Ok(())
    }
}

/// Fills in what the type's schema or code fills in.
pub(crate) fn default(served: &Served, object: &mut Value) {
    match &served.custom {
        Some(custom) => crate::crd::default(custom, object),
        None => crate::defaults::apply(served, object),
    }
    // An empty list of managers is a request, not nothing.
    let resets = object::at(object, &["metadata", "managedFields"]) == Some(&json!([]));
    crate::typed::normalize(served, object);
    if resets {
        object::set(object, &["metadata", "managedFields"], json!([]));
    }
}

fn cannot_be_handled(served: &Served, why: &str) -> Failure {
    let kind = &served.resource.kind;
    Failure::bad_request(format!(
        "{kind} in version {:?} cannot be handled as a {kind}: {why}",
        served.resource.version
    ))
}

/// The object must say that it is what the path is about, or say nothing where Go fills it in.
fn check_kind(served: &Served, object: &Value) -> Result<(), Failure> {
    let (api_version, kind) = (
        object::text(object, &["apiVersion"]),
        object::text(object, &["kind"]),
    );
    if !object.is_object() {
        return Err(Failure::bad_request(
            "the object provided is unrecognized: it is no object",
        ));
    }
    if api_version == served.api_version() && kind == served.resource.kind {
        return Ok(());
    }
    let wanted = served.gvk();
    let version = api_version.rsplit('/').next().unwrap_or(api_version);
    let why = if api_version == wanted.api_version() && wanted.group.is_empty() {
        format!(
            "converting ({version}.{kind}) to (core.{}): unknown conversion",
            wanted.kind
        )
    } else {
        format!(
            "no kind {kind:?} is registered for version {api_version:?} in scheme \"pkg/runtime/scheme.go:110\""
        )
    };
    Err(Failure::bad_request(format!(
        "{kind} in version {version:?} cannot be handled as a {}: {why}",
        wanted.kind
    )))
}
