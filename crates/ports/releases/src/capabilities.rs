//! What the cluster can do, as charts are told.

use serde_json::Value;
use weir_cluster::{ApiError, Client};
use weir_helm::{Capabilities, KubeVersion};

/// Asks the API server for its version and its APIs. Three requests.
pub async fn capabilities(client: &Client) -> Result<Capabilities, ApiError> {
    let version = client.raw("/version").await?;
    let text = |field: &str| version.get(field).and_then(Value::as_str).unwrap_or_default();
    let mut kube_version = KubeVersion::parse(text("gitVersion")).map_err(|error| ApiError::Answer {
        what: "/version".to_owned(),
        source: error.into(),
    })?;
    text("major").clone_into(&mut kube_version.major);
    text("minor").clone_into(&mut kube_version.minor);
    let mut api_versions = Vec::new();
    for (version, kinds) in client.api_versions().await? {
        api_versions.extend(kinds.iter().map(|kind| format!("{version}/{kind}")));
        api_versions.push(version);
    }
    api_versions.sort();
    Ok(Capabilities {
        kube_version,
        api_versions,
        ..Capabilities::without_cluster()
    })
}
