//! The stand-in through the kube crate.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client};
use weir_standin_apiserver::{ApiServer, Options};

#[tokio::test]
async fn a_kube_client_works_on_it() {
    let client = Client::new(ApiServer::new(Options::default()), "default");
    let version = client.apiserver_version().await.expect("version");
    assert_eq!(version.git_version, "v1.34.2");
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"},
    });
    let applied = maps
        .patch("a", &PatchParams::apply("me"), &Patch::Apply(&config))
        .await
        .expect("applies");
    assert_eq!(
        applied.data.unwrap_or_default().get("x").map(String::as_str),
        Some("1")
    );
    let listed = maps.list(&ListParams::default()).await.expect("lists");
    assert!(
        listed
            .items
            .iter()
            .any(|map| map.metadata.name.as_deref() == Some("a"))
    );
}
