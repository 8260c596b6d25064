//! `weir logs`, on an API server that has Pods: two of them, one with Flux's lines.

use axum::extract::{Path, RawQuery};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use weir_cli::{Exit, Io, run};
use weir_cluster::connect;

const WEIR: &str = r#"{"level":"info","ts":"2026-01-01T00:00:01.000Z","logger":"weir_runtime::events","controllerGroup":"kustomize.toolkit.fluxcd.io","controllerKind":"Kustomization","namespace":"apps","name":"shop","msg":"Applied revision: latest@sha256:1"}
{"level":"error","ts":"2026-01-01T00:00:03.000Z","controllerGroup":"source.toolkit.fluxcd.io","controllerKind":"OCIRepository","namespace":"infra","name":"base","msg":"pull failed","error":"no such tag"}
panicked somewhere
"#;
const FLUX: &str = r#"{"level":"info","ts":"2026-01-01T00:00:02.000Z","msg":"starting workers"}
{"level":"error","ts":"2026-01-01T00:00:04.000Z","controllerGroup":"helm.toolkit.fluxcd.io","controllerKind":"HelmRelease","namespace":"apps","name":"db","msg":"Reconciler error","error":"timed out"}
"#;

fn pod(name: &str, containers: &[&str]) -> Value {
    let containers: Vec<Value> = containers.iter().map(|name| json!({"name": name})).collect();
    json!({"metadata": {"name": name, "namespace": "weir-system"}, "spec": {"containers": containers}})
}

fn server() -> Router {
    let resources = json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1", "resources": [
        {"name": "pods", "kind": "Pod", "namespaced": true, "singularName": "pod", "verbs": ["get", "list"]},
    ]});
    Router::new()
        .route("/api/v1", get(move || async move { Json(resources) }))
        .route(
            "/api/v1/namespaces/{namespace}/pods",
            get(
                |Path(namespace): Path<String>, RawQuery(query): RawQuery| async move {
                    let here =
                        namespace == "weir-system" && query.unwrap_or_default().contains("labelSelector=");
                    let items = if here {
                        vec![
                            pod("weir-1", &["sidecar", "controller"]),
                            pod("flux-1", &["manager"]),
                        ]
                    } else {
                        Vec::new()
                    };
                    Json(json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}))
                },
            ),
        )
        .route(
            "/api/v1/namespaces/weir-system/pods/{name}/log",
            get(|Path(name): Path<String>, RawQuery(query): RawQuery| async move {
                match (name.as_str(), query.unwrap_or_default().as_str()) {
                    ("weir-1", "container=controller" | "container=controller&follow=true") => {
                        (StatusCode::OK, WEIR.to_owned())
                    }
                    ("weir-1", "container=controller&tailLines=1&sinceSeconds=60") => {
                        (StatusCode::OK, "panicked somewhere\n".to_owned())
                    }
                    ("flux-1", _) => (StatusCode::OK, FLUX.to_owned()),
                    (_, other) => (StatusCode::BAD_REQUEST, format!("not expected: {other}")),
                }
            }),
        )
}

async fn logs(arguments: &[&str]) -> (Exit, String, String) {
    let (io, printed) = Io::captured();
    let mut io = io.with_cluster(connect::in_process(server(), "fake"), "apps");
    let exit = run(["weir", "logs"].iter().chain(arguments), &mut io).await;
    (exit, printed.stdout(), printed.stderr())
}

#[tokio::test]
async fn lines_about_the_namespace_come_in_the_order_of_time() {
    let (exit, out, err) = logs(&[]).await;
    assert_eq!(
        out,
        "2026-01-01T00:00:01.000Z info Kustomization/shop.apps - Applied revision: latest@sha256:1\n\
         2026-01-01T00:00:04.000Z error HelmRelease/db.apps - Reconciler error error=timed out\n",
        "{err}"
    );
    assert_eq!(exit, Exit::Success);
}

#[tokio::test]
async fn all_namespaces_show_lines_about_nothing_too() {
    let (_, out, _) = logs(&["-A"]).await;
    assert_eq!(
        out,
        "2026-01-01T00:00:01.000Z info Kustomization/shop.apps - Applied revision: latest@sha256:1\n\
         2026-01-01T00:00:02.000Z info starting workers\n\
         2026-01-01T00:00:03.000Z error OCIRepository/base.infra - pull failed error=no such tag\n\
         2026-01-01T00:00:03.000Z panicked somewhere\n\
         2026-01-01T00:00:04.000Z error HelmRelease/db.apps - Reconciler error error=timed out\n"
    );
}

#[tokio::test]
async fn filters_and_limits_reach_the_lines_and_the_server() {
    let (_, out, _) = logs(&["-A", "--kind", "helmreleases", "--level", "error"]).await;
    assert!(out.contains("db.apps") && out.lines().count() == 1, "{out}");
    let (_, out, _) = logs(&["-A", "--name", "base", "-o", "json"]).await;
    assert_eq!(out, format!("{}\n", WEIR.lines().nth(1).unwrap()));
    let (_, out, _) = logs(&["-A", "--tail", "1", "--since", "1m"]).await;
    assert!(
        out.contains("panicked somewhere") && !out.contains("shop"),
        "{out}"
    );
}

#[tokio::test]
async fn following_ends_when_the_pods_do() {
    let (exit, out, _) = logs(&["-A", "--follow", "--name", "shop"]).await;
    assert_eq!(exit, Exit::Success);
    assert!(
        out.ends_with("Applied revision: latest@sha256:1\n") && out.lines().count() == 1,
        "{out}"
    );
}

#[tokio::test]
async fn no_controllers_are_an_error_that_says_where_it_looked() {
    let (exit, _, err) = logs(&["--controllers-namespace", "nowhere"]).await;
    assert_eq!(exit, Exit::Failure);
    assert!(
        err.contains("app.kubernetes.io/name=weir in namespace nowhere") && err.contains("--selector"),
        "{err}"
    );
}
