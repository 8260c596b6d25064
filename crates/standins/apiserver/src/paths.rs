//! Paths that name no resource.

use serde_json::json;

use crate::discovery;
use crate::openapi;
use crate::reply::Reply;
use crate::request::ApiRequest;
use crate::state::State;

/// Answers a GET outside of resources.
pub(crate) fn answer(state: &State, request: &ApiRequest) -> Option<Reply> {
    let parts: Vec<&str> = request.parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["healthz" | "livez" | "readyz", ..] => Some(Reply::Text {
            code: 200,
            text: "ok".to_owned(),
        }),
        ["version"] => Some(Reply::json(
            200,
            json!({
                "major": "1",
                "minor": "34",
                "emulationMajor": "1",
                "emulationMinor": "34",
                "minCompatibilityMajor": "1",
                "minCompatibilityMinor": "33",
                "gitVersion": "v1.34.2",
                "gitCommit": "weir",
                "gitTreeState": "",
                "buildDate": "1970-01-01T00:00:00Z",
                "goVersion": "",
                "compiler": "rustc",
                "platform": "linux/amd64",
            }),
        )),
        ["openapi", ..] => openapi::answer(state, request),
        ["api" | "apis", ..] => discovery::answer(&state.registry, request),
        _ => None,
    }
}
