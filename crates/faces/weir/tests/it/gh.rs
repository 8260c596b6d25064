//! GitHub's own program on the other side: `gh attestation verify` reads what a job of GitHub publishes with the binary. It runs where
//! `gh` is on the path, as on GitHub's runners, or where `WEIR_GH` names it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::process::Command;
use weir_standin_registry::Options;
use weir_standin_sigstore::Rekor;

use crate::outside::{Outside, run};
use crate::runner::github;

const WORKFLOW: &str = "github.com/org/apps/.github/workflows/push.yml";
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const CYCLONEDX: &str = "https://cyclonedx.org/bom";
const OPENVEX: &str = "https://openvex.dev/ns";

/// The program, or a line that says that there is none.
#[expect(clippy::print_stderr, reason = "a test that is left out says so")]
fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("WEIR_GH") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join("gh"))
        .find(|file| file.is_file());
    if found.is_none() {
        eprintln!("left out: gh is not on the path; WEIR_GH=FILE names it");
    }
    found
}

/// The types that `gh attestation verify` finds stated about what a tag names, by this Sigstore alone; nothing where it refuses. It asks
/// nothing of GitHub; the token is never sent.
async fn verified(gh: &Path, outside: &Outside, issuer: &str, more: &[&str]) -> BTreeSet<String> {
    let url = format!("oci://{}/org/apps:latest", outside.host());
    // The file has a trusted root a line.
    let root = format!("{}\n", outside.sigstore().trusted_root());
    let root = outside.write("roots.jsonl", &root);
    let mut variables = outside.variables();
    variables.insert("GH_TOKEN".to_owned(), "none".to_owned());
    variables.insert("GH_NO_UPDATE_NOTIFIER".to_owned(), "1".to_owned());
    let mut command = Command::new(gh);
    command
        .args(["attestation", "verify", &url, "--custom-trusted-root", &root])
        .args(["--cert-oidc-issuer", issuer, "--format", "json"])
        .args(more);
    let output = run(&mut command, outside.folder(), &variables).await;
    // Of a type that nobody states, versions of 2024 print nothing and end with success.
    if !output.status.success() || output.stdout.is_empty() {
        return BTreeSet::new();
    }
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    // Its name has become that of the statement's own JSON.
    let kind = |one: &Value| {
        let statement = &one["verificationResult"]["statement"];
        let kind = ["predicateType", "predicate_type"].map(|name| statement[name].as_str());
        kind.into_iter().flatten().next().map(str::to_owned)
    };
    found.iter().map(|one| kind(one).expect("a type")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn n38_gh_verifies_what_a_job_publishes_for_its_owner_workflow_issuer_and_type_alone() {
    let Some(gh) = program() else { return };
    let outside = Outside::start(Options::default()).await;
    let issuer = outside.sigstore().issuer();
    outside.write("apps/config.yaml", "kind: ConfigMap\nv: 1\n");
    outside.write("sbom.json", r#"{"bomFormat": "CycloneDX", "specVersion": "1.6"}"#);
    // Versions of 2024 read no entries of Rekor v2.
    let config = outside.sigstore().signing_config(Rekor::V1);
    let config = outside.write("signing_config_v1.json", &config.to_string());
    let root = outside.path("trusted_root.json");
    // To the same versions the first entry of a log is none, so another repository takes that.
    let repositories = ["first", "apps"].map(|name| format!("oci://{}/org/{name}", outside.host()));
    for repository in &repositories {
        let publish = vec![
            ("repository", repository.as_str()),
            ("path", "apps"),
            ("tags", "latest"),
            ("sbom", "sbom.json"),
            ("signing-config", &config),
            ("trusted-root", &root),
        ];
        github(&outside, "publish", &publish, &outside.job("push.yml"))
            .await
            .outputs();
    }

    let oci = "--bundle-from-oci";
    let workflow = ["--signer-workflow", WORKFLOW, "--deny-self-hosted-runners"];
    let stranger = ["--signer-workflow", "github.com/org/apps/.github/workflows/x.yml"];
    for (owner, by, kind, from, found) in [
        (
            ["--repo", "org/apps"],
            &workflow[..],
            PROVENANCE,
            issuer.as_str(),
            true,
        ),
        (["--owner", "org"], &workflow, CYCLONEDX, &issuer, true),
        (["--repo", "org/apps"], &workflow, OPENVEX, &issuer, false),
        (["--repo", "org/other"], &workflow, PROVENANCE, &issuer, false),
        (["--owner", "evil"], &workflow, PROVENANCE, &issuer, false),
        (["--repo", "org/apps"], &stranger, PROVENANCE, &issuer, false),
        (
            ["--repo", "org/apps"],
            &workflow,
            PROVENANCE,
            "https://elsewhere.example",
            false,
        ),
    ] {
        let what = [&[oci, "--predicate-type", kind], &owner[..], by].concat();
        let expected: BTreeSet<String> = found.then(|| kind.to_owned()).into_iter().collect();
        assert_eq!(verified(&gh, &outside, from, &what).await, expected, "{what:?}");
    }

    // The bundle as a file, as the binary downloads it.
    let url = format!("{}:latest", repositories[1]);
    let download = ["attest", "download", &url, "--type", "slsaprovenance1"];
    let bundle = outside.weir(&download).await;
    assert!(bundle.status.success(), "{bundle:?}");
    let file = outside.write("bundle.jsonl", &String::from_utf8(bundle.stdout).expect("UTF-8"));
    let what = [&["--bundle", &file, "--repo", "org/apps"], &workflow[..]].concat();
    assert_eq!(
        verified(&gh, &outside, &issuer, &what).await,
        BTreeSet::from([PROVENANCE.to_owned()])
    );
}
