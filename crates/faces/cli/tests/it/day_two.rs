//! The commands for a running cluster, against an API server in this process.

use serde_json::{Value, json};

use crate::harness::{Cluster, DIGEST, condition, kustomization, source};

const READY: (&str, &str, &str) = ("True", "ReconciliationSucceeded", "Applied revision");

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

async fn with_apps() -> Cluster {
    let cluster = Cluster::start().await;
    cluster.put(source("apps")).await;
    cluster
        .put(kustomization(
            "apps",
            &["apps_settings__ConfigMap", "_apps__Namespace"],
            READY,
        ))
        .await;
    cluster
        .put(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "settings", "namespace": "apps", "labels": {
                "kustomize.toolkit.fluxcd.io/name": "apps",
                "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
            }},
        }))
        .await;
    cluster
}

#[tokio::test]
async fn get_all_shows_every_kind_in_one_table() {
    let cluster = with_apps().await;
    let out = cluster.weir(&["get", "all"]).await.success();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(
        lines,
        [
            "NAME                 REVISION                 SUSPENDED   READY   MESSAGE",
            "ocirepository/apps   latest@sha256:9f86d081   False       True    stored artifact for digest 'latest@sha256:9f86d081'",
            "kustomization/apps   latest@sha256:9f86d081   False       True    Applied revision",
        ]
    );
}

#[tokio::test]
async fn get_prints_what_programs_read() {
    let cluster = with_apps().await;
    let list = json_of(&cluster.weir(&["get", "ks", "-o", "json"]).await.success());
    assert_eq!(list["kind"], "List");
    assert_eq!(list["items"][0]["metadata"]["name"], "apps");
    assert!(list["items"][0]["metadata"].get("managedFields").is_none());
    let one = json_of(
        &cluster
            .weir(&["get", "source", "oci", "apps", "-o", "json"])
            .await
            .success(),
    );
    assert_eq!(one["status"]["artifact"]["digest"], DIGEST);
    let names = cluster.weir(&["get", "all", "-o", "name"]).await.success();
    assert_eq!(
        names,
        "ocirepository.source.toolkit.fluxcd.io/apps\nkustomization.kustomize.toolkit.fluxcd.io/apps\n"
    );
    let yaml = cluster.weir(&["get", "ks", "apps", "-o", "yaml"]).await.success();
    assert!(
        yaml.starts_with("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"),
        "{yaml}"
    );
}

#[tokio::test]
async fn get_selects_by_name_namespace_and_condition() {
    let cluster = with_apps().await;
    cluster
        .put(kustomization(
            "infra",
            &[],
            ("False", "BuildFailed", "kustomize build failed"),
        ))
        .await;
    let out = cluster
        .weir(&["get", "ks", "--status-selector", "ready=false", "--no-header"])
        .await
        .success();
    assert!(out.starts_with("infra ") && out.lines().count() == 1, "{out}");
    let none = cluster.weir(&["get", "ks", "-n", "apps"]).await;
    assert!(none.stderr.contains("no kustomizations found in namespace apps"));
    assert_eq!(none.success(), "");
    let all = cluster.weir(&["get", "ks", "-n", "apps", "-A"]).await.success();
    assert!(
        all.starts_with("NAMESPACE ") && all.contains("flux-system   apps"),
        "{all}"
    );
    let said = cluster.weir(&["get", "ks", "absent"]).await.failure();
    assert!(
        said.contains("there is no kustomization absent in namespace flux-system"),
        "{said}"
    );
    let said = cluster.weir(&["get", "pods"]).await.usage();
    assert!(said.contains("there is no kind `pods` here"), "{said}");
}

#[tokio::test]
async fn kinds_that_are_not_installed_are_left_out_of_all() {
    let cluster = Cluster::bare();
    let out = cluster.weir(&["get", "all"]).await;
    assert!(
        out.stderr.contains(
            "no ocirepositories or helmrepositories or helmcharts or kustomizations or helmreleases found"
        ),
        "{}",
        out.stderr
    );
    out.success();
    let said = cluster.weir(&["get", "ks"]).await.failure();
    assert!(
        said.contains("no matches for kind") && said.contains("weir check"),
        "{said}"
    );
}

#[tokio::test]
async fn check_says_what_is_missing() {
    let ran = Cluster::bare().weir(&["check"]).await;
    assert!(ran.stdout.contains("ok      Kubernetes: v1."), "{}", ran.stdout);
    assert!(
        ran.stdout
            .contains("failed  kustomizations.kustomize.toolkit.fluxcd.io"),
        "{}",
        ran.stdout
    );
    ran.failure();
    let ran = Cluster::start().await.weir(&["check", "-o", "json"]).await;
    assert_eq!(json_of(&ran.success())["ok"], true);
}

#[tokio::test]
async fn tree_follows_nested_kustomizations_and_names_what_is_missing() {
    let cluster = with_apps().await;
    let root = [
        "flux-system_apps_kustomize.toolkit.fluxcd.io_Kustomization",
        "apps_gone_apps_Deployment",
    ];
    cluster.put(kustomization("root", &root, READY)).await;
    let ran = cluster.weir(&["tree", "kustomization", "root"]).await;
    assert_eq!(
        ran.stdout,
        "\
Kustomization/flux-system/root (latest@sha256:9f86d081)  ✔ ready
├── Deployment/apps/gone  ✘ missing: Resource not found
└── Kustomization/flux-system/apps (latest@sha256:9f86d081)  ✔ ready
    ├── ConfigMap/apps/settings  ✔ ready
    └── Namespace/apps  ✔ ready
"
    );
    assert!(ran.failure().contains("1 of the objects failed or missing"));
    let data = json_of(
        &cluster
            .weir(&["tree", "ks", "apps", "-o", "json"])
            .await
            .success(),
    );
    assert_eq!(data["objects"][0]["status"], "Current");
    let compact = cluster.weir(&["tree", "ks", "root", "--compact"]).await.success();
    assert_eq!(compact.lines().count(), 2);
    cluster.weir(&["tree", "oci", "apps"]).await.usage();
}

#[tokio::test]
async fn a_kustomization_that_lists_itself_is_not_followed_for_ever() {
    let cluster = Cluster::start().await;
    cluster
        .put(kustomization(
            "self",
            &["flux-system_self_kustomize.toolkit.fluxcd.io_Kustomization"],
            READY,
        ))
        .await;
    let out = cluster.weir(&["tree", "ks", "self"]).await.success();
    assert_eq!(out.lines().count(), 2, "{out}");
}

#[tokio::test]
async fn trace_goes_from_the_object_to_digest_origin_and_signer() {
    let cluster = with_apps().await;
    let out = cluster
        .weir(&["trace", "configmap/settings", "-n", "apps"])
        .await
        .success();
    for fact in [
        "Object\n  Name:            ConfigMap/apps/settings\n",
        "  Managed:         by Kustomization/flux-system/apps\n",
        "  Path:            ./deploy\n",
        &format!("  Digest:          {DIGEST}\n"),
        "  Origin revision: main@sha1:abc\n",
        "  Origin source:   https://git.example/apps\n",
        "  Verified:        verified signature of revision by key cosign.pub\n",
    ] {
        assert!(out.contains(fact), "{fact}\nin\n{out}");
    }
    let words = cluster
        .weir(&["trace", "cm", "settings", "-n", "apps", "-o", "json"])
        .await
        .success();
    let steps = json_of(&words);
    assert_eq!(steps[1]["originRevision"], "main@sha1:abc");
    assert_eq!(steps[2]["step"], "OCIRepository");
}

#[tokio::test]
async fn trace_says_who_signed_and_what_each_policy_found_or_missed() {
    let cluster = with_apps().await;
    let by = "sigstore bundle by \"https://ci.example/push.yml\" (issuer \"https://ci.example\")";
    let message = format!(
        "verified signature of revision latest@{DIGEST} under policy 0123: {by}; warning: w\npolicy 'org' is met by authority 'ci': \
         {by}; attestation slsaprovenance1 (https://slsa.dev/provenance/v1) by authority 'ci': x, 1 expression true; latest is \
         at record 7 (promote)\nwould be refused by policy 'strict': authority 'x': no matching signatures"
    );
    let mut source = source("apps");
    source["status"]["conditions"][1]["message"] = json!(message);
    source["status"]["artifact"]["metadata"]["weir.dev/sequence"] = json!("7");
    cluster.put(source).await;
    let args = ["trace", "configmap/settings", "-n", "apps"];
    let out = cluster.weir(&args).await.success();
    for fact in [
        &format!(
            "  Verified:        verified signature of revision latest@{DIGEST} under policy 0123: {by}; warning: w\n"
        ),
        &format!("  Signed by:       {by}\n"),
        "  Record:          7\n",
        &format!("  Policy:          'org' is met by authority 'ci': {by}; attestation slsaprovenance1"),
        "; latest is at record 7 (promote)\n",
        "  Policy:          'strict' is not met: authority 'x': no matching signatures\n",
    ] {
        assert!(out.contains(fact), "{fact}\nin\n{out}");
    }
    let steps = json_of(
        &cluster
            .weir(&[args.as_slice(), &["-o", "json"]].concat())
            .await
            .success(),
    );
    assert_eq!(steps[2]["signedBy"], by);
    assert_eq!(steps[2]["record"], "7");
    assert_eq!(
        steps[2]["policies"][1],
        json!({"name": "strict", "met": false, "said": "authority 'x': no matching signatures"})
    );
}

#[tokio::test]
async fn trace_says_when_nobody_manages_an_object() {
    let cluster = with_apps().await;
    let ran = cluster.weir(&["trace", "namespace/apps"]).await;
    assert!(ran.stdout.contains("by nobody"), "{}", ran.stdout);
    assert!(ran.failure().contains("no Kustomization manages this object"));
    let said = cluster.weir(&["trace", "gizmo/x"]).await.failure();
    assert!(said.contains("the cluster has no kind `gizmo`"), "{said}");
    cluster.weir(&["trace", "namespace"]).await.usage();
}

#[tokio::test]
async fn trace_of_a_kustomization_shows_its_source() {
    let cluster = with_apps().await;
    let out = cluster.weir(&["trace", "ks/apps"]).await.success();
    assert!(out.contains("OCIRepository/flux-system/apps"), "{out}");
}

#[tokio::test]
async fn export_prints_what_was_written_and_nothing_else() {
    let cluster = with_apps().await;
    let out = cluster.weir(&["export", "ks", "apps"]).await.success();
    assert_eq!(
        out,
        "\
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  annotations:
    team: a
  name: apps
  namespace: flux-system
spec:
  force: false
  interval: 10m
  path: ./deploy
  prune: true
  sourceRef:
    kind: OCIRepository
    name: apps
"
        .replace(
            "  force: false\n",
            if out.contains("force: false") {
                "  force: false\n"
            } else {
                ""
            }
        )
    );
    assert_eq!(cluster.weir(&["export", "ks"]).await.success(), out);
    assert_eq!(
        cluster
            .weir(&["export", "oci", "--all"])
            .await
            .success()
            .matches("---\n")
            .count(),
        1
    );
}

#[tokio::test]
async fn suspend_and_resume_change_one_field() {
    let cluster = with_apps().await;
    let out = cluster.weir(&["suspend", "ks", "apps"]).await.success();
    assert_eq!(out, "Kustomization/flux-system/apps suspended\n");
    assert_eq!(
        cluster
            .get("Kustomization", "apps")
            .await
            .get(&["spec", "suspend"]),
        Some(&json!(true))
    );
    let table = cluster.weir(&["get", "ks", "--no-header"]).await.success();
    assert!(table.contains("True        True"), "{table}");
    let again = cluster.weir(&["suspend", "ks", "--all"]).await;
    assert!(again.stderr.contains("nothing to do"));
    for command in [&["reconcile", "ks", "apps"][..], &["wait", "ks", "apps"]] {
        let said = cluster.weir(command).await.failure();
        assert!(
            said.contains("is suspended") && said.contains("weir resume kustomization apps"),
            "{said}"
        );
    }
    let out = cluster
        .weir(&["resume", "ks", "apps", "-o", "json"])
        .await
        .success();
    let told: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(told["objects"][0]["suspended"], json!(false), "{told}");
    assert_eq!(
        cluster
            .get("Kustomization", "apps")
            .await
            .get(&["spec", "suspend"]),
        Some(&json!(false))
    );
    cluster.weir(&["suspend", "ks"]).await.usage();
    cluster.weir(&["suspend", "ks", "apps", "--all"]).await.usage();
}

/// Plays the controller: answers a request to reconcile with these conditions.
async fn answer(cluster: &Cluster, kind: &str, name: &str, conditions: Vec<Value>) {
    loop {
        let object = cluster.get(kind, name).await;
        if let Some(token) = object.annotation("reconcile.fluxcd.io/requestedAt") {
            let status = json!({"status": {"lastHandledReconcileAt": token, "conditions": conditions}});
            cluster
                .client
                .merge_status(&object.reference(), &status, "controller")
                .await
                .expect("stores");
            return;
        }
        // Simulated time: it moves on only when everybody waits.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn reconcile_waits_for_the_answer_to_its_own_request() {
    let cluster = with_apps().await;
    let ready = || vec![condition("Ready", "True", "Succeeded", "done")];
    let (ran, (), ()) = tokio::join!(
        cluster.weir(&["reconcile", "kustomization", "apps", "--with-source"]),
        answer(&cluster, "OCIRepository", "apps", ready()),
        answer(&cluster, "Kustomization", "apps", ready()),
    );
    assert!(
        ran.stderr
            .contains("OCIRepository/flux-system/apps: reconcile requested"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        ran.success(),
        format!(
            "OCIRepository/flux-system/apps fetched latest@{DIGEST}\n\
             Kustomization/flux-system/apps applied latest@{DIGEST}\n"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_reconcile_that_fails_says_why_and_what_to_do() {
    let cluster = with_apps().await;
    let failed = vec![
        condition("Reconciling", "True", "ProgressingWithRetry", "retrying"),
        condition(
            "Ready",
            "False",
            "BuildFailed",
            "kustomize build failed: no such file",
        ),
    ];
    let (ran, ()) = tokio::join!(
        cluster.weir(&["reconcile", "ks", "apps"]),
        answer(&cluster, "Kustomization", "apps", failed)
    );
    let said = ran.failure();
    assert!(said.contains("kustomize build failed: no such file"), "{said}");
    assert!(said.contains("weir explain BuildFailed"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_answers_ends_with_the_time() {
    let cluster = with_apps().await;
    let said = cluster
        .weir(&["reconcile", "ks", "apps", "--timeout", "5s"])
        .await
        .failure();
    assert!(said.contains("took longer than 5s"), "{said}");
    assert!(
        said.contains("waiting for the controller to take the request up"),
        "{said}"
    );
}

#[tokio::test(start_paused = true)]
async fn wait_returns_only_for_exactly_the_digest() {
    let cluster = with_apps().await;
    let out = cluster
        .weir(&["wait", "ks", "apps", "--digest", DIGEST])
        .await
        .success();
    assert_eq!(
        out,
        format!("Kustomization/flux-system/apps applied latest@{DIGEST}\n")
    );
    let out = cluster
        .weir(&["wait", "ks", "apps", "-o", "json"])
        .await
        .success();
    let told: Value = serde_json::from_str(&out).expect("JSON");
    let object = json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "namespace": "flux-system", "name": "apps", "ready": true, "revision": format!("latest@{DIGEST}"),
        "message": told["objects"][0]["message"]});
    assert_eq!(told, json!({"objects": [object]}));
    let other = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    let said = cluster
        .weir(&["wait", "ks", "apps", "--digest", other, "--timeout", "3s"])
        .await
        .failure();
    assert!(said.contains(&format!("is at latest@{DIGEST}")), "{said}");
    let said = cluster
        .weir(&["wait", "ks", "apps", "--digest", "latest"])
        .await
        .usage();
    assert!(said.contains("--digest"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn wait_is_not_satisfied_by_a_ready_of_the_last_revision() {
    let cluster = with_apps().await;
    let other = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    let object = cluster.get("Kustomization", "apps").await;
    // Tried, but Ready still speaks of what was applied before.
    let status = json!({"status": {"lastAttemptedRevision": format!("latest@{other}")}});
    cluster
        .client
        .merge_status(&object.reference(), &status, "controller")
        .await
        .expect("stores");
    let said = cluster
        .weir(&["wait", "ks", "apps", "--digest", other, "--timeout", "3s"])
        .await
        .failure();
    assert!(said.contains("is at latest@"), "{said}");
    let status =
        json!({"status": {"conditions": [condition("Ready", "False", "HealthCheckFailed", "not healthy")]}});
    cluster
        .client
        .merge_status(&object.reference(), &status, "controller")
        .await
        .expect("stores");
    let args = ["wait", "ks", "apps", "--digest", other, "--fail-fast"];
    let said = cluster.weir(&args).await.failure();
    assert!(
        said.contains("is not ready: not healthy") && said.contains("weir explain HealthCheckFailed"),
        "{said}"
    );
}

#[tokio::test(start_paused = true)]
async fn wait_survives_a_failure_but_not_a_stall() {
    let cluster = with_apps().await;
    cluster
        .put(kustomization(
            "slow",
            &[],
            ("False", "HealthCheckFailed", "timeout waiting for: Deployment"),
        ))
        .await;
    let recover = async {
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
        let object = cluster.get("Kustomization", "slow").await;
        let status =
            json!({"status": {"conditions": [condition("Ready", "True", "ReconciliationSucceeded", "ok")]}});
        cluster
            .client
            .merge_status(&object.reference(), &status, "controller")
            .await
            .expect("stores");
    };
    let (ran, ()) = tokio::join!(cluster.weir(&["wait", "ks", "slow"]), recover);
    assert!(
        ran.stderr.contains("timeout waiting for: Deployment"),
        "{}",
        ran.stderr
    );
    ran.success();

    let mut stalled = kustomization("stalled", &[], ("False", "InvalidSpec", "bad"));
    stalled["status"]["conditions"] = json!([
        condition("Stalled", "True", "InvalidSpec", "bad"),
        condition("Ready", "False", "InvalidSpec", "bad")
    ]);
    cluster.put(stalled).await;
    let said = cluster.weir(&["wait", "ks", "stalled"]).await.failure();
    assert!(said.contains("is not ready: bad"), "{said}");
}

fn event(name: &str, about: (&str, &str, &str), kind: &str, second: u32) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "flux-system"},
        "involvedObject": {"apiVersion": about.0, "kind": about.1, "name": about.2, "namespace": "flux-system"},
        "type": kind, "reason": "Reason", "message": format!("message of {name}"),
        "lastTimestamp": format!("1970-01-01T00:00:{second:02}Z"), "firstTimestamp": "1970-01-01T00:00:00Z",
    })
}

#[tokio::test]
async fn events_are_those_of_our_kinds_oldest_first() {
    let cluster = Cluster::start().await;
    let kustomization = ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "apps");
    cluster.put(event("b", kustomization, "Warning", 40)).await;
    cluster
        .put(event(
            "a",
            ("source.toolkit.fluxcd.io/v1", "OCIRepository", "apps"),
            "Normal",
            50,
        ))
        .await;
    cluster.put(event("c", ("v1", "Pod", "web"), "Normal", 30)).await;
    let client = cluster.client.clone();
    let now = jiff::Timestamp::from_second(60).expect("a time");
    let out = crate::harness::weir_with(&["events"], |io| {
        io.with_cluster(client, "flux-system")
            .with_clock(std::sync::Arc::new(move || now))
    });
    assert_eq!(
        out.await.success(),
        "\
LAST SEEN   TYPE      REASON   OBJECT               MESSAGE
20s         Warning   Reason   Kustomization/apps   message of b
10s         Normal    Reason   OCIRepository/apps   message of a
"
    );
    let one = cluster
        .weir(&["events", "--for", "ks/apps", "-o", "name"])
        .await
        .success();
    assert_eq!(one, "event/b\n");
    let pods = cluster
        .weir(&["events", "--for", "pod/web", "-o", "name"])
        .await
        .success();
    assert_eq!(pods, "event/c\n");
    let warnings = cluster
        .weir(&["events", "--types", "warning", "-o", "json"])
        .await
        .success();
    assert_eq!(json_of(&warnings)["items"].as_array().map(Vec::len), Some(1));
    cluster.weir(&["events", "--for", "apps"]).await.usage();
}

#[tokio::test(start_paused = true)]
async fn watched_events_come_once() {
    let cluster = Cluster::start().await;
    let about = ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "apps");
    cluster.put(event("a", about, "Normal", 1)).await;
    let (client, later) = (cluster.client.clone(), cluster.clone());
    let stop = async move {
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        later.put(event("b", about, "Normal", 2)).await;
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    };
    let ran = crate::harness::weir_with(&["events", "--watch", "-o", "name"], |io| {
        io.with_cluster(client, "flux-system").until(stop)
    });
    assert_eq!(ran.await.success(), "event/a\nevent/b\n");
}
