//! The four kinds of patches.

pub(crate) mod strategic;

use serde_json::Value;

use crate::registry::Served;
use crate::status::Failure;

/// A patch by its media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    Merge,
    Strategic,
    Apply,
}

impl Kind {
    /// From the request's content type.
    pub(crate) fn of(served: &Served, content_type: &str) -> Result<Self, Failure> {
        match content_type {
            "application/json-patch+json" => Ok(Self::Json),
            "application/merge-patch+json" => Ok(Self::Merge),
            "application/strategic-merge-patch+json" if served.custom.is_none() => Ok(Self::Strategic),
            "application/apply-patch+yaml" => Ok(Self::Apply),
            "application/strategic-merge-patch+json" => Err(Failure::unsupported_media(
                "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
            )),
            _ => {
                Err(Failure::unsupported_media("415: Unsupported Media Type")
                    .with_details(serde_json::json!({})))
            }
        }
    }
}

/// `live` with a patch of one of the first three kinds.
pub(crate) fn apply(kind: Kind, served: &Served, live: &Value, patch: &Value) -> Result<Value, Failure> {
    let mut out = live.clone();
    match kind {
        Kind::Json => {
            let operations: json_patch::Patch = serde_json::from_value(patch.clone())
                .map_err(|err| Failure::bad_request(format!("error decoding patch: {err}")))?;
            json_patch::patch(&mut out, &operations).map_err(|_| {
                Failure::new(
                    422,
                    "Invalid",
                    "the server rejected our request due to an error in our request",
                )
                .with_details(serde_json::json!({}))
            })?;
        }
        Kind::Merge => {
            if !patch.is_object() {
                return Err(Failure::bad_request(
                    "error decoding patch: json: a merge patch is an object",
                ));
            }
            json_patch::merge(&mut out, patch);
        }
        Kind::Strategic => out = strategic::merge(live, patch, served.schemas.lookup(&served.gvk()))?,
        Kind::Apply => {}
    }
    Ok(out)
}
