//! Who asks an OIDC provider for a token: what its claims say of them, and the name that Fulcio makes of those.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::authority::Holder;
use crate::extensions;

/// Something that runs, or somebody, to whom the provider of an instance gives tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Workload {
    /// A job of GitHub Actions.
    Actions {
        /// `owner/name`.
        repository: String,
        /// The workflow's file in `.github/workflows/`.
        workflow: String,
        /// What it runs for, such as `refs/heads/main`.
        reference: String,
        /// The commit.
        commit: String,
    },
    /// A job of a GitLab pipeline, which runs what `.gitlab-ci.yml` says.
    GitLab {
        /// The host of that GitLab.
        host: String,
        /// `group/name`.
        project: String,
        /// The branch.
        branch: String,
        /// The commit.
        commit: String,
    },
    /// A Pod of a cluster, by its ServiceAccount.
    ServiceAccount {
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
    },
    /// Somebody with an e-mail address.
    Person {
        /// The address, verified.
        email: String,
    },
}

impl Workload {
    /// What the token says besides the issuer, the audience and the times; the names of the claims are those of GitHub,
    /// GitLab and Kubernetes.
    pub(crate) fn claims(&self) -> Value {
        match self {
            Self::Actions {
                repository,
                workflow,
                reference,
                commit,
            } => {
                let file = format!("{repository}/.github/workflows/{workflow}@{reference}");
                let owner = repository.split('/').next().unwrap_or_default();
                json!({
                    "sub": format!("repo:{repository}:ref:{reference}"),
                    "repository": repository,
                    "repository_id": "1001",
                    "repository_visibility": "private",
                    "repository_owner": owner,
                    "repository_owner_id": "1002",
                    "workflow": workflow.split('.').next().unwrap_or_default(),
                    "ref": reference,
                    "sha": commit,
                    "workflow_ref": file,
                    "workflow_sha": commit,
                    "job_workflow_ref": file,
                    "job_workflow_sha": commit,
                    "event_name": "push",
                    "run_id": "1",
                    "run_attempt": "1",
                    "runner_environment": "github-hosted",
                })
            }
            Self::GitLab {
                host,
                project,
                branch,
                commit,
            } => json!({
                "sub": format!("project_path:{project}:ref_type:branch:ref:{branch}"),
                "project_path": project,
                "project_id": "1001",
                "project_visibility": "private",
                "namespace_id": "1002",
                "job_id": "1",
                "namespace_path": project.rsplit_once('/').map_or("", |(group, _)| group),
                "ref": branch,
                "ref_type": "branch",
                "ref_path": format!("refs/heads/{branch}"),
                "sha": commit,
                "ci_config_ref_uri": format!("{host}/{project}//.gitlab-ci.yml@refs/heads/{branch}"),
                "ci_config_sha": commit,
                "pipeline_source": "push",
                "runner_environment": "self-hosted",
            }),
            Self::ServiceAccount { namespace, name } => json!({
                "sub": format!("system:serviceaccount:{namespace}:{name}"),
                "kubernetes.io": { "namespace": namespace, "serviceaccount": { "name": name } },
            }),
            Self::Person { email } => json!({ "sub": "1", "email": email, "email_verified": true }),
        }
    }
}

/// Whose certificate a token gets, as the configuration of Sigstore's own Fulcio has it; nothing where the claims name
/// nobody whom it would know.
pub(crate) fn holder(issuer: &str, claims: &Value) -> Option<Holder> {
    let text = |name: &str| claims[name].as_str().filter(|text| !text.is_empty());
    let account = &claims["kubernetes.io"];
    let (subject, build) = if let Some(workflow) = text("job_workflow_ref") {
        (
            format!("https://github.com/{workflow}"),
            extensions::actions(claims),
        )
    } else if let Some(config) = text("ci_config_ref_uri") {
        let host = config.split('/').next().unwrap_or_default();
        (format!("https://{config}"), extensions::gitlab(host, claims))
    } else if let Some(namespace) = account["namespace"].as_str() {
        let name = account["serviceaccount"]["name"].as_str()?;
        let subject = format!("https://kubernetes.io/namespaces/{namespace}/serviceaccounts/{name}");
        (subject, BTreeMap::new())
    } else {
        let verified = claims["email_verified"].as_bool() == Some(true);
        (text("email").filter(|_| verified)?.to_owned(), BTreeMap::new())
    };
    let mut holder = Holder::new(issuer, subject);
    holder.build = build;
    Some(holder)
}
