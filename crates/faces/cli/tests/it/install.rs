//! `weir install` and `weir uninstall`.

use std::time::Duration;

use serde_json::json;
use weir_apis::{GroupVersionKind, ObjectRef};
use weir_cli::Exit;

use crate::harness::Cluster;

/// A controller that still runs would see its objects go, and prune what they applied.
#[tokio::test(start_paused = true)]
async fn objects_are_let_go_only_when_the_controllers_have_ended() {
    let cluster = Cluster::bare();
    cluster
        .weir(&["install", "--image", "registry.example/weir:1"])
        .await
        .success();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "weir-0", "namespace": "weir-system",
        "labels": {"app.kubernetes.io/name": "weir"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}});
    let pod = cluster.put(pod).await.reference();
    let held = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository",
        "metadata": {"name": "apps", "namespace": "weir-system", "finalizers": ["finalizers.fluxcd.io"]},
        "spec": {"interval": "1h", "url": "oci://registry.example/apps"}});
    let held = cluster.put(held).await.reference();

    let tired = cluster.weir(&["uninstall", "--timeout", "5s"]).await;
    let said = tired.failure();
    assert!(said.contains("Pod/weir-system/weir-0 is still there"), "{said}");
    let live = cluster.client.get(&held).await.expect("reads").expect("is there");
    assert_eq!(live.finalizers().count(), 1);

    let end = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let now = weir_cluster::Propagation::Background;
        cluster.client.delete(&pod, now, None).await.expect("deletes");
    };
    let (ran, ()) = tokio::join!(cluster.weir(&["uninstall"]), end);
    assert_eq!(ran.exit, Exit::Success, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("what it applied is still there"),
        "{}",
        ran.stdout
    );
    let gvk = GroupVersionKind::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let definition = ObjectRef::new(gvk, "", "ocirepositories.source.toolkit.fluxcd.io");
    assert!(cluster.client.get(&definition).await.expect("reads").is_none());
}
