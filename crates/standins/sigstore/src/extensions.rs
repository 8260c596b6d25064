//! What Fulcio writes of a build into its certificate.

use std::collections::BTreeMap;

use serde_json::Value;

/// The last number of an extension's object identifier, and its text with the names of claims in braces.
type Extension = (u8, &'static str);

/// GitHub's, as the configuration of Sigstore's own Fulcio has them.
const ACTIONS: [Extension; 20] = [
    (2, "{event_name}"),
    (3, "{sha}"),
    (4, "{workflow}"),
    (5, "{repository}"),
    (6, "{ref}"),
    (9, "https://github.com/{job_workflow_ref}"),
    (10, "{job_workflow_sha}"),
    (11, "{runner_environment}"),
    (12, "https://github.com/{repository}"),
    (13, "{sha}"),
    (14, "{ref}"),
    (15, "{repository_id}"),
    (16, "https://github.com/{repository_owner}"),
    (17, "{repository_owner_id}"),
    (18, "https://github.com/{workflow_ref}"),
    (19, "{workflow_sha}"),
    (20, "{event_name}"),
    (
        21,
        "https://github.com/{repository}/actions/runs/{run_id}/attempts/{run_attempt}",
    ),
    (22, "{repository_visibility}"),
    (23, "{environment}"),
];

/// GitLab's, likewise; `{host}` is no claim.
const GITLAB: [Extension; 14] = [
    (9, "https://{ci_config_ref_uri}"),
    (10, "{ci_config_sha}"),
    (11, "{runner_environment}"),
    (12, "https://{host}/{project_path}"),
    (13, "{sha}"),
    (14, "{ref_path}"),
    (15, "{project_id}"),
    (16, "https://{host}/{namespace_path}"),
    (17, "{namespace_id}"),
    (18, "https://{ci_config_ref_uri}"),
    (19, "{ci_config_sha}"),
    (20, "{pipeline_source}"),
    (21, "https://{host}/{project_path}/-/jobs/{job_id}"),
    (22, "{project_visibility}"),
];

/// Of a job of GitHub Actions.
pub(crate) fn actions(claims: &Value) -> BTreeMap<u8, String> {
    written(&ACTIONS, |name| claims[name].as_str())
}

/// Of a job of the GitLab at `host`.
pub(crate) fn gitlab(host: &str, claims: &Value) -> BTreeMap<u8, String> {
    written(&GITLAB, |name| match name {
        "host" => Some(host),
        name => claims[name].as_str(),
    })
}

/// Those of which all claims are there and say something.
fn written<'c>(extensions: &[Extension], claim: impl Fn(&str) -> Option<&'c str>) -> BTreeMap<u8, String> {
    let text = |template: &str| {
        let mut parts = template.split(['{', '}']);
        let mut text = parts.next()?.to_owned();
        while let (Some(name), Some(after)) = (parts.next(), parts.next()) {
            text += claim(name).filter(|value| !value.is_empty())?;
            text += after;
        }
        Some(text)
    };
    let known = extensions
        .iter()
        .filter_map(|(number, template)| Some((*number, text(template)?)));
    known.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_stand_in_their_places_and_what_lacks_one_is_left_out() {
        let claims = json!({ "project_path": "org/apps", "ref_path": "refs/heads/main", "sha": "" });
        let expected = [(12, "https://gitlab.example/org/apps"), (14, "refs/heads/main")];
        let expected = expected.map(|(number, text)| (number, text.to_owned()));
        assert_eq!(gitlab("gitlab.example", &claims), BTreeMap::from(expected));
        let claims = json!({ "repository": "org/apps", "run_id": "7", "run_attempt": "2" });
        let run = "https://github.com/org/apps/actions/runs/7/attempts/2";
        assert_eq!(actions(&claims).get(&21).map(String::as_str), Some(run));
    }
}
