//! The service account of a cloud identity (`IAMPolicyGenerator`).

use weir_yaml::Node;

use crate::error::{Error, Result};
use crate::kustomization::Meta;
use crate::resource::Resource;

/// Makes the ServiceAccount that stands for a Google service account.
pub(crate) fn iam_policy(
    cloud: &str,
    service: &Meta,
    account: &str,
    project: &str,
    namespace: &str,
) -> Result<Resource> {
    if cloud != "gke" {
        return Err(Error::invalid(format!(
            "cloud provider {cloud} not supported yet"
        )));
    }
    let mut annotations = Node::mapping(Vec::new());
    annotations.set(
        "iam.gke.io/gcp-service-account",
        Node::string(format!("{account}@{project}.iam.gserviceaccount.com")),
    );
    let mut metadata = Node::mapping(Vec::new());
    metadata.set("annotations", annotations);
    metadata.set("name", Node::plain(service.name.clone()));
    if !namespace.is_empty() {
        metadata.set("namespace", Node::plain(namespace));
    }
    let mut node = Node::mapping(Vec::new());
    node.set("apiVersion", Node::string("v1"));
    node.set("kind", Node::string("ServiceAccount"));
    node.set("metadata", metadata);
    Ok(Resource::new(node))
}
