//! Requests by annotation: `forceAt` and `resetAt`, which count together with `requestedAt` only
//! (flux-controllers.md §1.2).

use weir_apis::{Object, key};

/// Whether a request is to be acted on: its annotation has the value of `requestedAt`, and neither was handled before.
/// `handled` is the value that was handled last, and becomes the annotation's whatever the answer.
pub(crate) fn take(object: &Object, annotation: &str, handled: &mut Option<String>) -> bool {
    let Some(wanted) = object.annotation(annotation) else {
        return false;
    };
    let last = handled.replace(wanted.to_owned());
    let reconciled = object
        .get(&["status", "lastHandledReconcileAt"])
        .and_then(|v| v.as_str());
    object.annotation(key::REQUESTED_AT) == Some(wanted)
        && reconciled != Some(wanted)
        && last.as_deref() != Some(wanted)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_counts_once_and_with_requested_at_only() {
        for (requested, forced, reconciled, handled, wanted) in [
            (Some("2"), Some("2"), Some("1"), Some("1"), true),
            (Some("2"), Some("2"), None, None, true),
            (Some("2"), Some("2"), Some("2"), None, false),
            (Some("2"), Some("2"), Some("1"), Some("2"), false),
            (Some("2"), Some("1"), Some("1"), None, false),
            (None, Some("2"), None, None, false),
            (Some("2"), None, None, None, false),
        ] {
            let mut value =
                json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "a", "annotations": {}}});
            if let Some(requested) = requested {
                value["metadata"]["annotations"][key::REQUESTED_AT] = requested.into();
            }
            if let Some(forced) = forced {
                value["metadata"]["annotations"][key::FORCE_AT] = forced.into();
            }
            if let Some(reconciled) = reconciled {
                value["status"]["lastHandledReconcileAt"] = reconciled.into();
            }
            let object = Object::from_value(value).unwrap();
            let mut last = handled.map(str::to_owned);
            assert_eq!(take(&object, key::FORCE_AT, &mut last), wanted);
            assert_eq!(last.as_deref(), forced.or(handled));
            assert!(!take(&object, key::FORCE_AT, &mut last));
        }
    }
}
