//! `weir posture`, and `weir verify` with policies.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Cluster, DIGEST, condition, registry, source, weir, weir_with};
use crate::keys::{artifact, generate};

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// A source with this condition `SourceVerified`.
fn judged(name: &str, said: Option<(&str, &str, &str)>) -> Value {
    let mut source = source(name);
    let message = format!("stored artifact for digest 'latest@{DIGEST}'");
    let mut conditions = vec![condition("Ready", "True", "Succeeded", &message)];
    if let Some((status, reason, message)) = said {
        conditions.push(condition("SourceVerified", status, reason, message));
    }
    source["status"]["conditions"] = json!(conditions);
    source
}

async fn cluster() -> Cluster {
    let cluster = Cluster::start().await;
    let header = format!("verified signature of revision latest@{DIGEST} under policy 0123: ");
    let by = "sigstore bundle by key \"a.pub\"";
    let met = format!("{header}{by}\npolicy 'org' is met by authority 'ci': {by}");
    let audited =
        format!("{met}\nwould be refused by policy 'strict': authority 'x': no matching signatures");
    let refused =
        "failed to verify the signature: refused by policy 'org': authority 'ci': no matching signatures";
    for (name, said) in [
        ("good", Some(("True", "Succeeded", met.as_str()))),
        ("plain", None),
        ("audited", Some(("True", "Succeeded", audited.as_str()))),
        ("refused", Some(("False", "VerificationError", refused))),
    ] {
        cluster.put(judged(name, said)).await;
    }
    cluster
        .put(json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmChart",
            "metadata": {"name": "new", "namespace": "apps"},
            "spec": {"interval": "1m", "chart": "web", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}}))
        .await;
    cluster
}

#[tokio::test]
async fn n45_every_source_is_listed_with_who_verified_it_or_that_nobody_did() {
    let cluster = cluster().await;
    let out = cluster.weir(&["posture"]).await.success();
    let row = |name: &str| {
        let found = out.lines().find(|line| line.contains(name));
        found.unwrap_or_else(|| panic!("{name}: {out}")).to_owned()
    };
    assert!(out.starts_with("NAMESPACE "), "{out}");
    assert!(row("/good").contains("verified     org ") && row("/good").ends_with("by key \"a.pub\""));
    assert!(row("/plain").contains("unverified   -"));
    assert!(row("/audited").contains("would-fail   org,strict   policy 'strict': authority 'x'"));
    assert!(row("/refused").contains("refused      org "));
    assert!(row("helmchart/new").starts_with("apps ") && row("helmchart/new").contains("unknown"));

    let sources = json_of(&cluster.weir(&["posture", "-o", "json"]).await.success());
    let states: Vec<(&str, &str)> = sources["sources"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["state"].as_str().unwrap()))
        .collect();
    assert_eq!(
        states,
        [
            ("audited", "would-fail"),
            ("good", "verified"),
            ("plain", "unverified"),
            ("refused", "refused"),
            ("new", "unknown"),
        ]
    );
    assert_eq!(
        sources["sources"][0]["unmet"]["strict"],
        "authority 'x': no matching signatures"
    );
}

#[tokio::test]
async fn what_is_not_in_force_is_said() {
    let bare = Cluster::bare();
    let ran = bare.weir(&["posture", "-o", "json"]).await;
    assert!(
        ran.stderr
            .contains("this cluster does not know VerificationPolicies")
            && ran.stderr.contains("`weir install`"),
        "{}",
        ran.stderr
    );
    assert_eq!(json_of(&ran.success())["policies"], Value::Null);

    let cluster = cluster().await;
    let policy = |name: &str| {
        json!({"apiVersion": "weir.dev/v1alpha1", "kind": "VerificationPolicy", "metadata": {"name": name},
            "spec": {"mode": "audit", "match": [{}], "authorities": {"anyOf": [
                {"name": "ci", "keyless": {"issuer": "i", "subject": "s"}}]}}})
    };
    for (name, ready) in [
        (
            "good",
            Some(("True", "Succeeded", "the policy is in force with mode audit")),
        ),
        (
            "broken",
            Some(("False", "PolicyUnusable", "nothing meets this policy")),
        ),
        ("new", None),
    ] {
        let mut policy = policy(name);
        if let Some((status, reason, message)) = ready {
            policy["status"] = json!({"conditions": [condition("Ready", status, reason, message)]});
        }
        cluster.put(policy).await;
    }
    let ran = cluster.weir(&["posture", "-o", "json"]).await;
    assert!(
        ran.stderr
            .contains("policy 'broken': nothing meets this policy\n")
            && ran
                .stderr
                .contains("policy 'new': no controller has looked at it as it is now")
            && !ran.stderr.contains("'good'"),
        "{}",
        ran.stderr
    );
    let data = json_of(&ran.success());
    assert_eq!(data["policies"][1]["name"], "good");
    assert_eq!(data["policies"][1]["lookedAt"], true);
}

#[tokio::test]
async fn a_state_that_must_not_be_fails() {
    let cluster = cluster().await;
    let said = cluster
        .weir(&["posture", "--fail-on", "would-fail", "--fail-on", "refused"])
        .await
        .failure();
    assert!(
        said.contains("2 of 5 sources are would-fail or refused"),
        "{said}"
    );
    cluster
        .weir(&["posture", "-n", "apps", "--fail-on", "unverified"])
        .await
        .success();
    cluster.weir(&["posture", "--fail-on", "bad"]).await.usage();
}

#[tokio::test]
async fn policies_in_a_file_or_of_a_cluster_say_yes_or_no_with_reasons() {
    let (_, handle) = registry().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let mine = generate(folder.path(), "mine").await;
    let host = handle.host();
    let url = artifact(&host, folder.path()).await;
    let pem = fs::read_to_string(format!("{mine}.pub")).expect("reads");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": "apps"},
        "stringData": {"cosign.pub": pem}});
    let policy = |name: &str, mode: &str, prefix: &str, key: &str| {
        json!({"apiVersion": "weir.dev/v1alpha1", "kind": "VerificationPolicy", "metadata": {"name": name},
            "spec": {"mode": mode, "match": [{"urlPrefix": prefix}], "authorities": {"anyOf": [
                {"name": "ci", "key": {"secretRef": {"name": key, "namespace": "apps"}}}]}}})
    };
    let prefix = format!("oci://{host}/org");
    let signed = policy("signed", "enforce", &prefix, "keys");
    let file = path("policy.yaml");
    fs::write(&file, format!("{signed}\n---\n{secret}\n")).expect("writes");

    let refused = weir(&["verify", &url, "--policy", &file]).await;
    assert!(
        refused.stdout.contains(": refused\n")
            && refused
                .stdout
                .contains("policy 'signed' (enforce) is not met: authority 'ci': no matching signatures"),
        "{}",
        refused.stdout
    );
    assert!(refused.failure().contains("the policies do not admit"));

    let args = ["sign", &url, "--key", &format!("{mine}.key")];
    weir_with(&args, |io| io.with_env("COSIGN_PASSWORD", "pw"))
        .await
        .success();
    let good = json_of(
        &weir(&["verify", &url, "--policy", &file, "-o", "json"])
            .await
            .success(),
    );
    assert_eq!(good["admitted"], true);
    assert_eq!(good["policies"][0]["name"], "signed");
    assert_eq!(good["policies"][0]["met"], true);

    // A Secret that is not there, and a file without policies.
    fs::write(path("alone.yaml"), signed.to_string()).expect("writes");
    let alone = weir(&["verify", &url, "--policy", &path("alone.yaml")]).await;
    assert!(
        alone.stdout.contains("it is not in the files"),
        "{}",
        alone.stdout
    );
    alone.failure();
    fs::write(path("secret.yaml"), secret.to_string()).expect("writes");
    let said = weir(&["verify", &url, "--policy", &path("secret.yaml")])
        .await
        .failure();
    assert!(said.contains("there is no VerificationPolicy in"), "{said}");

    let cluster = Cluster::start().await;
    let as_cluster = ["verify", &url, "--as-cluster", "any", "-n", "apps"];
    let none = cluster.weir(&as_cluster).await.success();
    assert!(none.ends_with(": admitted: no policy is about it\n"), "{none}");
    cluster.put(secret).await;
    cluster.put(signed).await;
    let audited = policy("later", "audit", &prefix, "absent");
    cluster.put(audited).await;
    let elsewhere = policy("elsewhere", "enforce", "oci://other.example", "absent");
    cluster.put(elsewhere).await;
    let out = cluster.weir(&as_cluster).await.success();
    assert!(
        out.contains("policy 'signed' (enforce) is met by authority 'ci'")
            && out.contains("policy 'later' (audit) is not met: the policy cannot be used")
            && !out.contains("elsewhere"),
        "{out}"
    );
    cluster.put(policy("later", "enforce", &prefix, "absent")).await;
    cluster.weir(&as_cluster).await.failure();
    weir(&["verify", &url, "--policy", &file, "--key", &format!("{mine}.pub")])
        .await
        .usage();
}
