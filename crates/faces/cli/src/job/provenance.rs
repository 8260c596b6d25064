//! SLSA provenance v1 of what a job has built: who built it, from what, in which run.
//!
//! In GitHub it is what `actions/attest-build-provenance` states, of GitHub's own build type. GitLab's build type asks for the values
//! of all variables, among which are secrets that only its runner can tell from others, so what is stated there is of a type of ours.
//! docs/provenance.md describes both.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::io::Io;

const GITHUB: &str = "https://actions.github.io/buildtypes/workflow/v1";
const GITLAB: &str = "https://weir.dev/buildtypes/gitlab-job/v1";

/// What the job has built it from, and when.
pub(crate) struct Materials<'m> {
    /// The source and the revision that the artifact names, where they are not those of the job's checkout.
    pub(crate) other: Option<(&'m str, &'m str)>,
    /// The workflow that GitHub has put into the job's token. It is another than the one that was started where that one calls it.
    pub(crate) workflow: Option<&'m str>,
    /// When it was done.
    pub(crate) finished: Timestamp,
}

/// Nobody says who has built it.
#[derive(Debug)]
pub(crate) enum NoProvenance {
    /// A person did, or a service that is not known.
    NoJob,
    /// The job's environment does not say all of it.
    Variable(&'static str),
}

impl fmt::Display for NoProvenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoJob => f.write_str("this is no job of GitHub or GitLab"),
            Self::Variable(name) => write!(f, "the job's variable {name} is not set"),
        }
    }
}

/// What is to be stated about an artifact that this job has built.
pub(crate) fn provenance(io: &Io, materials: &Materials<'_>) -> Result<Value, NoProvenance> {
    let is = |name| io.env(name) == Some("true");
    if is("GITHUB_ACTIONS") {
        github(io, materials)
    } else if is("GITLAB_CI") {
        gitlab(io, materials)
    } else {
        Err(NoProvenance::NoJob)
    }
}

fn github(io: &Io, materials: &Materials<'_>) -> Result<Value, NoProvenance> {
    let server = known(io, "GITHUB_SERVER_URL")?;
    let repository = known(io, "GITHUB_REPOSITORY")?;
    let started = known(io, "GITHUB_WORKFLOW_REF")?;
    let place = started
        .strip_prefix(repository)
        .and_then(|rest| rest.strip_prefix('/'));
    let (path, reference) = place.unwrap_or(started).split_once('@').unwrap_or((started, ""));
    let attempt = io.env("GITHUB_RUN_ATTEMPT").unwrap_or("1");
    let run = known(io, "GITHUB_RUN_ID")?;
    let parts = Parts {
        kind: GITHUB,
        external: json!({"workflow": {
            "ref": reference, "repository": format!("{server}/{repository}"), "path": path,
        }}),
        internal: json!({"github": known_of(io, &[
            ("event_name", "GITHUB_EVENT_NAME"),
            ("repository_id", "GITHUB_REPOSITORY_ID"),
            ("repository_owner_id", "GITHUB_REPOSITORY_OWNER_ID"),
            ("runner_environment", "RUNNER_ENVIRONMENT"),
        ])}),
        checkout: format!("git+{server}/{repository}@{}", known(io, "GITHUB_REF")?),
        commit: known(io, "GITHUB_SHA")?,
        builder: format!("{server}/{}", materials.workflow.unwrap_or(started)),
        invocation: format!("{server}/{repository}/actions/runs/{run}/attempts/{attempt}"),
    };
    Ok(parts.predicate(materials))
}

fn gitlab(io: &Io, materials: &Materials<'_>) -> Result<Value, NoProvenance> {
    let project = known(io, "CI_PROJECT_URL")?;
    let reference = known(io, "CI_COMMIT_REF_NAME")?;
    let parts = Parts {
        kind: GITLAB,
        external: json!({
            "source": project,
            "ref": reference,
            "config": io.env("CI_CONFIG_PATH").unwrap_or(".gitlab-ci.yml"),
            "entryPoint": known(io, "CI_JOB_NAME")?,
        }),
        internal: json!({"gitlab": known_of(io, &[
            ("pipeline_source", "CI_PIPELINE_SOURCE"),
            ("pipeline_id", "CI_PIPELINE_ID"),
            ("project_id", "CI_PROJECT_ID"),
            ("namespace_id", "CI_PROJECT_NAMESPACE_ID"),
            ("runner_version", "CI_RUNNER_VERSION"),
        ])}),
        checkout: format!("git+{project}@{reference}"),
        commit: known(io, "CI_COMMIT_SHA")?,
        // As GitLab's own provenance names it.
        builder: format!("{project}/-/runners/{}", known(io, "CI_RUNNER_ID")?),
        invocation: known(io, "CI_JOB_URL")?.to_owned(),
    };
    Ok(parts.predicate(materials))
}

/// What the services say in different words.
struct Parts<'p> {
    kind: &'static str,
    external: Value,
    internal: Value,
    checkout: String,
    commit: &'p str,
    builder: String,
    invocation: String,
}

impl Parts<'_> {
    /// Fields of <https://slsa.dev/spec/v1.0/provenance>.
    fn predicate(self, materials: &Materials<'_>) -> Value {
        let mut dependencies = vec![json!({"uri": self.checkout, "digest": {"gitCommit": self.commit}})];
        if let Some((source, revision)) = materials.other {
            dependencies.push(json!({"uri": source, "annotations": {"revision": revision}}));
        }
        json!({
            "buildDefinition": {
                "buildType": self.kind,
                "externalParameters": self.external,
                "internalParameters": self.internal,
                "resolvedDependencies": dependencies,
            },
            "runDetails": {
                "builder": {"id": self.builder, "version": {"weir": env!("CARGO_PKG_VERSION")}},
                "metadata": {"invocationId": self.invocation, "finishedOn": materials.finished.to_string()},
            },
        })
    }
}

fn known<'i>(io: &'i Io, name: &'static str) -> Result<&'i str, NoProvenance> {
    io.env(name).ok_or(NoProvenance::Variable(name))
}

/// Those variables that are set, under the names that the build type gives them.
fn known_of(io: &Io, names: &[(&str, &str)]) -> Map<String, Value> {
    let set = names.iter().filter_map(|(name, variable)| {
        let value = io.env(variable)?;
        Some(((*name).to_owned(), Value::from(value)))
    });
    set.collect()
}
