//! What tests and demos rely on beyond what a real server does: time, faults, the request log.

use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, Secret, Service};
use kube::api::{
    Api, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, PostParams,
    WatchEvent, WatchParams,
};
use kube::core::ApiResource;
use kube::runtime::watcher;
use kube::{Client, Discovery};
use serde_json::{Value, json};
use weir_standin_apiserver::{ApiServer, Fault, Options, User, kubeconfig};

fn server() -> (ApiServer, Client) {
    let server = ApiServer::new(Options::default());
    (server.clone(), Client::new(server, "default"))
}

fn config_map(name: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": {"a": "b"}})).expect("a ConfigMap")
}

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "web:1"}]},
            },
        },
    })
}

#[tokio::test(start_paused = true)]
async fn workloads_become_ready_after_their_time() {
    let (_server, client) = server();
    let deployments: Api<Deployment> = Api::default_namespaced(client.clone());
    deployments
        .patch("web", &PatchParams::apply("me"), &Patch::Apply(&deployment()))
        .await
        .expect("applies");
    let fresh = deployments.get_status("web").await.expect("is there");
    assert_eq!(fresh.status.and_then(|status| status.ready_replicas), None);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let ready = deployments.get_status("web").await.expect("is there");
    let status = ready.status.expect("has a status");
    assert_eq!(status.ready_replicas, Some(2));
    assert_eq!(status.observed_generation, ready.metadata.generation);
    let job = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "once"},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a:1"}]}}},
    });
    let jobs: Api<Job> = Api::default_namespaced(client);
    jobs.patch("once", &PatchParams::apply("me"), &Patch::Apply(&job))
        .await
        .expect("applies");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let done = jobs
        .get("once")
        .await
        .expect("is there")
        .status
        .and_then(|status| status.succeeded);
    assert_eq!(done, Some(1));
}

#[tokio::test(start_paused = true)]
async fn workloads_stay_as_they_are_when_told_so() {
    let (server, client) = server();
    server.set_ready_after(None);
    let deployments: Api<Deployment> = Api::default_namespaced(client);
    deployments
        .patch("web", &PatchParams::apply("me"), &Patch::Apply(&deployment()))
        .await
        .expect("applies");
    tokio::time::sleep(Duration::from_hours(1)).await;
    let status = deployments
        .get_status("web")
        .await
        .expect("is there")
        .status
        .unwrap_or_default();
    assert_eq!(status.ready_replicas, None);
}

#[tokio::test(start_paused = true)]
async fn a_streaming_list_of_the_kube_runtime_sees_objects_come_and_go() {
    let (_server, client) = server();
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    maps.create(&PostParams::default(), &config_map("one"))
        .await
        .expect("creates");
    let mut events = Box::pin(watcher(
        maps.clone(),
        watcher::Config::default().streaming_lists(),
    ));
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        match event.expect("no error") {
            watcher::Event::InitApply(map) => {
                seen.push(format!("had {}", map.metadata.name.unwrap_or_default()));
            }
            watcher::Event::InitDone => {
                maps.create(&PostParams::default(), &config_map("two"))
                    .await
                    .expect("creates");
                maps.delete("one", &DeleteParams::default())
                    .await
                    .expect("deletes");
            }
            watcher::Event::Apply(map) => seen.push(format!("new {}", map.metadata.name.unwrap_or_default())),
            watcher::Event::Delete(map) => {
                seen.push(format!("gone {}", map.metadata.name.unwrap_or_default()));
                break;
            }
            watcher::Event::Init => {}
        }
    }
    assert_eq!(seen, ["had kube-root-ca.crt", "had one", "new two", "gone one"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_from_before_the_history_is_expired() {
    let (server, client) = server();
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    maps.create(&PostParams::default(), &config_map("one"))
        .await
        .expect("creates");
    server.compact();
    let mut events = Box::pin(maps.watch(&WatchParams::default(), "1").await.expect("answers"));
    match events.next().await {
        Some(Ok(WatchEvent::Error(status))) => {
            assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
        }
        other => panic!("expected an error event, got {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_asks_for_bookmarks_gets_them() {
    let (_server, client) = server();
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let list = maps.list(&ListParams::default()).await.expect("lists");
    let version = list.metadata.resource_version.unwrap_or_default();
    let mut events = Box::pin(
        maps.watch(&WatchParams::default().timeout(290), &version)
            .await
            .expect("answers"),
    );
    let first = events.next().await.expect("an event").expect("no error");
    assert!(matches!(first, WatchEvent::Bookmark(mark) if mark.metadata.resource_version == version));
}

#[tokio::test]
async fn requests_are_logged_with_who_and_what() {
    let (server, client) = server();
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    server.clear_requests();
    maps.create(&PostParams::default(), &config_map("one"))
        .await
        .expect("creates");
    maps.get("missing").await.expect_err("is not there");
    let requests = server.requests();
    let brief: Vec<_> = requests
        .iter()
        .map(|one| {
            (
                one.verb.as_str(),
                one.resource.as_str(),
                one.name.as_str(),
                one.status,
            )
        })
        .collect();
    assert_eq!(
        brief,
        [
            ("create", "configmaps", "", 201),
            ("get", "configmaps", "missing", 404)
        ]
    );
    assert!(requests.iter().all(|one| one.user == "system:admin"));
    assert!(
        requests
            .first()
            .is_some_and(weir_standin_apiserver::RequestRecord::is_write)
    );
}

#[tokio::test]
async fn faults_happen_to_the_request_that_is_picked() {
    let (server, client) = server();
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    server.set_fault_rule(Fault::on_nth(2, Fault::Refuse { code: 403 }, |one| {
        one.verb == "create"
    }));
    maps.create(&PostParams::default(), &config_map("one"))
        .await
        .expect("the first goes through");
    maps.create(&PostParams::default(), &config_map("two"))
        .await
        .expect_err("the second does not");
    assert!(server.object("", "configmaps", "default", "two").is_none());
    server.set_fault_rule(Fault::on_nth(1, Fault::CutAnswer, |one| one.verb == "create"));
    maps.create(&PostParams::default(), &config_map("three"))
        .await
        .expect_err("its answer is lost");
    assert!(server.object("", "configmaps", "default", "three").is_some());
    server.clear_fault_rule();
    maps.create(&PostParams::default(), &config_map("four"))
        .await
        .expect("nothing goes wrong any more");
}

#[tokio::test]
async fn one_seed_gives_one_history() {
    let run = || async {
        let client = Client::new(
            ApiServer::new(Options {
                seed: 7,
                ..Options::default()
            }),
            "default",
        );
        let maps: Api<ConfigMap> = Api::default_namespaced(client);
        let map = serde_json::from_value(json!({"metadata": {"generateName": "x-"}})).expect("a ConfigMap");
        let made = maps.create(&PostParams::default(), &map).await.expect("creates");
        (
            made.metadata.name,
            made.metadata.uid,
            made.metadata.resource_version,
        )
    };
    assert_eq!(run().await, run().await);
}

#[tokio::test]
async fn aggregated_discovery_finds_every_group() {
    let (_server, client) = server();
    let discovery = Discovery::new(client).run_aggregated().await.expect("discovers");
    let (resource, _) = discovery
        .resolve_gvk(&GroupVersionKind::gvk("apps", "v1", "Deployment"))
        .expect("is served");
    assert_eq!(resource.plural, "deployments");
    assert!(discovery.groups().count() > 15);
}

#[tokio::test]
async fn a_service_account_token_is_its_account() {
    let server = ApiServer::new(Options::default());
    let admin = Client::new(server.clone(), "default");
    let accounts: Api<k8s_openapi::api::core::v1::ServiceAccount> = Api::default_namespaced(admin);
    let request = serde_json::from_value(json!({"spec": {"audiences": []}})).expect("a TokenRequest");
    let issued = accounts
        .create_token_request("default", &PostParams::default(), &request)
        .await
        .expect("issues");
    let token = issued.status.expect("a status").token;
    let ask = |token: String| {
        let request = http::Request::get("/api/v1/namespaces/default/secrets")
            .header("authorization", format!("Bearer {token}"))
            .body(http_body_util::Empty::<bytes::Bytes>::new())
            .expect("a request");
        tower::ServiceExt::oneshot(server.clone(), request)
    };
    assert_eq!(ask(token).await.expect("answers").status(), 403);
    assert_eq!(ask("nonsense".to_owned()).await.expect("answers").status(), 401);
}

#[tokio::test]
async fn a_policy_denies_what_it_is_about() {
    let (_server, client) = server();
    let policy = |kind: &str, spec: Value| {
        let resource =
            ApiResource::from_gvk(&GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", kind));
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
        let object = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": "p"}, "spec": spec,
        });
        async move {
            api.patch("p", &PatchParams::apply("me"), &Patch::Apply(&object))
                .await
                .expect("applies")
        }
    };
    let rules = json!([{
        "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE", "UPDATE"],
    }]);
    policy(
        "ValidatingAdmissionPolicy",
        json!({
            "matchConstraints": {"resourceRules": rules},
            "validations": [{"expression": "object.metadata.name != 'evil'", "message": "no evil"}],
        }),
    )
    .await;
    policy(
        "ValidatingAdmissionPolicyBinding",
        json!({"policyName": "p", "validationActions": ["Deny"]}),
    )
    .await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    maps.create(&PostParams::default(), &config_map("good"))
        .await
        .expect("allowed");
    let denied = maps
        .create(&PostParams::default(), &config_map("evil"))
        .await
        .expect_err("denied");
    assert!(denied.to_string().contains("denied request: no evil"), "{denied}");
}

#[tokio::test]
async fn a_listener_wants_a_token() {
    let server = ApiServer::new(Options::default());
    server.add_token("secret", User::admin());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("an address").to_string();
    let config = kubeconfig(&address, "secret");
    assert!(config.contains(&format!("http://{address}/token/secret")));
    let serving = tokio::spawn(async move { server.serve(listener).await });
    let get = |path: &str| reqwest::get(format!("http://{address}{path}"));
    assert_eq!(get("/api/v1/secrets").await.expect("answers").status(), 403);
    assert_eq!(
        get("/token/secret/api/v1/secrets")
            .await
            .expect("answers")
            .status(),
        200
    );
    assert_eq!(
        get("/token/wrong/api/v1/secrets")
            .await
            .expect("answers")
            .status(),
        401
    );
    serving.abort();
}

#[tokio::test]
async fn tables_have_the_columns_of_their_kind() {
    let server = ApiServer::new(Options::default());
    let request = http::Request::get("/api/v1/namespaces")
        .header(
            "accept",
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
        )
        .body(http_body_util::Empty::<bytes::Bytes>::new())
        .expect("a request");
    let response = tower::ServiceExt::oneshot(server, request)
        .await
        .expect("answers");
    let body = http_body_util::BodyExt::collect(response.into_body())
        .await
        .expect("a body")
        .to_bytes();
    let table: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(table["kind"], "Table");
    assert_eq!(table["columnDefinitions"][1]["name"], "Status");
    let cells = &table["rows"][0]["cells"];
    assert_eq!((&cells[0], &cells[1]), (&json!("default"), &json!("Active")));
    // The server began a moment ago, on a clock that may have struck a second since.
    let age = cells[2].as_str().and_then(|age| age.strip_suffix('s'));
    assert!(
        age.is_some_and(|age| age.parse::<u8>().is_ok_and(|age| age < 60)),
        "{cells}"
    );
}

#[tokio::test]
async fn a_deleted_namespace_takes_its_contents_along() {
    let (server, client) = server();
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let home = serde_json::from_value(json!({"metadata": {"name": "home"}})).expect("a Namespace");
    namespaces
        .create(&PostParams::default(), &home)
        .await
        .expect("creates");
    let secrets: Api<Secret> = Api::namespaced(client, "home");
    let secret = serde_json::from_value(json!({"metadata": {"name": "s"}})).expect("a Secret");
    secrets
        .create(&PostParams::default(), &secret)
        .await
        .expect("creates");
    namespaces
        .delete("home", &DeleteParams::default())
        .await
        .expect("deletes");
    assert!(server.object("", "namespaces", "", "home").is_none());
    assert!(server.object("", "secrets", "home", "s").is_none());
}

#[tokio::test]
async fn bodies_may_be_yaml() {
    let server = ApiServer::new(Options::default());
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: y\ndata:\n  a: \"1\"\n";
    let request = http::Request::patch("/api/v1/namespaces/default/configmaps/y?fieldManager=me")
        .header("content-type", "application/apply-patch+yaml")
        .body(http_body_util::Full::new(bytes::Bytes::from(yaml)))
        .expect("a request");
    let response = tower::ServiceExt::oneshot(server.clone(), request)
        .await
        .expect("answers");
    assert_eq!(response.status(), 201);
    let stored = server.object("", "configmaps", "default", "y").expect("is there");
    assert_eq!(stored["data"], json!({"a": "1"}));
}

#[tokio::test]
async fn broken_requests_are_refused_and_nothing_panics() {
    let server = ApiServer::new(Options::default());
    let long = format!("/{}", "a/".repeat(2000));
    for (method, path, body) in [
        ("POST", "/api/v1/namespaces/default/configmaps", "{"),
        ("POST", "/api/v1/namespaces/default/configmaps", "[]"),
        ("POST", "/api/v1/namespaces/default/configmaps", "null"),
        (
            "POST",
            "/api/v1/namespaces/default/configmaps",
            r#"{"metadata":"x"}"#,
        ),
        (
            "POST",
            "/api/v1/namespaces/default/pods",
            r#"{"metadata":{"name":"x"},"spec":[]}"#,
        ),
        (
            "PATCH",
            "/api/v1/namespaces/default/configmaps/kube-root-ca.crt",
            r#"[{"op":"x"}]"#,
        ),
        ("GET", "/api/v1/namespaces/default/configmaps?continue=xxx", ""),
        (
            "GET",
            "/api/v1/namespaces/default/configmaps?labelSelector=((",
            "",
        ),
        ("GET", "/%ff%fe/..", ""),
        (
            "GET",
            "/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=x&timeoutSeconds=18446744073709551615",
            "",
        ),
        (
            "DELETE",
            "/api/v1/namespaces/default/pods/x?gracePeriodSeconds=9223372036854775807",
            "",
        ),
        ("DELETE", "/", ""),
        ("GET", long.as_str(), ""),
    ] {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(
                "content-type",
                if method == "PATCH" {
                    "application/json-patch+json"
                } else {
                    "application/json"
                },
            )
            .body(http_body_util::Full::new(bytes::Bytes::from(body.to_owned())))
            .expect("a request");
        let response = tower::ServiceExt::oneshot(server.clone(), request)
            .await
            .expect("answers");
        assert!(
            response.status().is_client_error() || response.status().is_server_error(),
            "{method} {path} {body}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn pods_and_load_balancers_get_going() {
    let (_server, client) = server();
    let pods: Api<Pod> = Api::default_namespaced(client.clone());
    let pod = serde_json::from_value(json!({
        "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i:1"}]},
    }))
    .expect("a Pod");
    pods.create(&PostParams::default(), &pod).await.expect("creates");
    let services: Api<Service> = Api::default_namespaced(client);
    let service = serde_json::from_value(json!({
        "metadata": {"name": "s"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
    }))
    .expect("a Service");
    services
        .create(&PostParams::default(), &service)
        .await
        .expect("creates");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let phase = pods
        .get("p")
        .await
        .expect("is there")
        .status
        .and_then(|status| status.phase);
    assert_eq!(phase.as_deref(), Some("Running"));
    let address = services
        .get("s")
        .await
        .expect("is there")
        .status
        .and_then(|status| status.load_balancer);
    assert!(
        address
            .and_then(|balancer| balancer.ingress)
            .is_some_and(|list| !list.is_empty())
    );
}
