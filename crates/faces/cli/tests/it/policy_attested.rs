//! `weir verify --policy` with a policy that asks for attestations: the one in the guide, and what cosign attests.

use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::harness::{Ran, weir_with};
use crate::sign_keyless::{ISSUER, SUBJECT, World};

/// The policy that the guide shows in this section.
fn policy_of_the_guide(heading: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/guides/verification.md");
    let text = fs::read_to_string(path).expect("reads");
    let (_, section) = text.split_once(heading).expect("the section");
    let (_, block) = section.split_once("```yaml\n").expect("a policy");
    block.split_once("```").expect("its end").0.to_owned()
}

/// Provenance as GitHub's own action writes it, on a runner of this kind.
fn provenance(runner: &str) -> Value {
    json!({
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": { "workflow": {
                "ref": "refs/heads/main", "repository": "https://github.com/org/apps",
                "path": ".github/workflows/push.yml",
            } },
            "internalParameters": { "github": { "event_name": "push", "runner_environment": runner } },
            "resolvedDependencies": [{
                "uri": "git+https://github.com/org/apps@refs/heads/main",
                "digest": { "gitCommit": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567" },
            }],
        },
        "runDetails": {
            "builder": { "id": "https://github.com/org/apps/.github/workflows/push.yml@refs/heads/main" },
            "metadata": { "invocationId": "https://github.com/org/apps/actions/runs/1/attempts/1" },
        },
    })
}

/// A CycloneDX document as scanners write it, with one vulnerability in this state and of this severity.
fn vex(state: &str, severity: &str) -> Value {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "version": 1, "metadata": { "timestamp": "2026-01-01T00:00:00Z" },
        "components": [{ "type": "library", "name": "zlib", "version": "1.2.11", "bom-ref": "pkg:deb/zlib" }],
        "vulnerabilities": [{
            "id": "CVE-2026-1", "source": { "name": "NVD" },
            "ratings": [{ "source": { "name": "NVD" }, "score": 8.1, "severity": severity, "method": "CVSSv31" }],
            "affects": [{ "ref": "pkg:deb/zlib" }],
            "analysis": { "state": state, "detail": "the affected function is not called" },
        }],
    })
}

fn sbom(created: Timestamp) -> Value {
    json!({
        "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "apps", "dataLicense": "CC0-1.0",
        "documentNamespace": "https://ci.example/apps",
        "creationInfo": { "created": created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "creators": ["Tool: x"] },
        "packages": [{ "SPDXID": "SPDXRef-zlib", "name": "zlib", "versionInfo": "1.2.11", "downloadLocation": "NOASSERTION" }],
    })
}

/// Attests with cosign, or with weir where cosign is not built. Whether it was cosign.
async fn attest(world: &World, kind: &str, predicate: &Value) -> bool {
    let file = world.write("predicate.json", &predicate.to_string());
    let token = world.write("token", &world.token(SUBJECT));
    let (root, config) = (world.path("root.json"), world.path("v2.json"));
    let flags = [
        "attest",
        "-y",
        &format!("--type={kind}"),
        &format!("--predicate={file}"),
        &format!("--identity-token={token}"),
        &format!("--trusted-root={root}"),
        &format!("--signing-config={config}"),
    ];
    if let Some(done) = world.run_cosign(&flags).await {
        assert!(done, "cosign attests {kind}");
        return true;
    }
    let args = [
        "--type",
        kind,
        "--predicate",
        &file,
        "--identity-token-file",
        &token,
    ];
    world.keyless("attest", "v2.json", &args, |io| io).await.success();
    false
}

async fn verify(world: &World, policy: &str, more: &[&str]) -> Ran {
    let args = [["verify", &world.url, "--policy", policy].as_slice(), more].concat();
    weir_with(&args, |io| io.with_clock(std::sync::Arc::new(Timestamp::now))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn n37_the_guide_s_policy_takes_what_cosign_attests_and_says_what_is_missing() {
    let world = World::new().await;
    let token = world.write("token", &world.token(SUBJECT));
    let by = ["--identity-token-file", token.as_str()];
    world.keyless("sign", "v2.json", &by, |io| io).await.success();
    let root = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "root", "namespace": "weir-system"},
        "stringData": {"trusted_root.json": world.sigstore().trusted_root().to_string()}});
    let guide = policy_of_the_guide("## Ask for attestations");
    let changed = guide
        .replace("mode: audit", "mode: enforce")
        .replace("https://token.actions.githubusercontent.com", ISSUER)
        .replace(
            "https://github.com/org/apps/.github/workflows/push.yml@refs/heads/main",
            &format!("{SUBJECT}\n        trustedRootSecretRef: {{name: root, namespace: weir-system}}"),
        );
    assert_ne!(changed, guide);
    let policy = world.write("policy.yaml", &format!("{changed}\n---\n{root}\n"));

    let says = async |words: &[&str]| {
        let ran = verify(&world, &policy, &[]).await;
        for word in words {
            assert!(ran.stdout.contains(word), "{word}: {}", ran.stdout);
        }
        assert!(
            ran.stdout
                .contains("policy 'org-attested' (enforce) is not met: attestation "),
            "{}",
            ran.stdout
        );
        assert!(ran.failure().contains("the policies do not admit"));
    };
    says(&[
        "attestation slsaprovenance1 (https://slsa.dev/provenance/v1) is missing; of authority 'ci': nothing of this kind",
        "attestation cyclonedx (https://cyclonedx.org/bom) is missing",
        "attestation spdxjson (https://spdx.dev/Document) is missing",
    ])
    .await;
    let day = SignedDuration::from_hours(24);
    let own = provenance("self-hosted");
    if !attest(&world, "slsaprovenance1", &own).await {
        println!("not run: attestations by cosign (it is not built)");
    }
    attest(&world, "cyclonedx", &vex("exploitable", "critical")).await;
    attest(&world, "spdxjson", &sbom(Timestamp::now() - day * 31)).await;
    says(&[
        "is false: predicate.buildDefinition.internalParameters.github.runner_environment is \"self-hosted\"",
        "is false: predicate.vulnerabilities is a list of 1: [{",
        "(creationInfo.created), which is more than 720h ago",
    ])
    .await;

    let good = provenance("github-hosted");
    attest(&world, "slsaprovenance1", &good).await;
    attest(&world, "spdxjson", &sbom(Timestamp::now() - day)).await;
    attest(&world, "cyclonedx", &vex("exploitable", "medium")).await;
    let out = verify(&world, &policy, &[]).await.success();
    assert!(
        out.contains("policy 'org-attested' (enforce) is met by authority 'ci': sigstore bundle by ")
            && out.contains("; attestation cyclonedx (https://cyclonedx.org/bom) by authority 'ci': ")
            && out.contains(", 2 expressions true"),
        "{out}"
    );
    let data: Value =
        serde_json::from_str(&verify(&world, &policy, &["-o", "json"]).await.success()).expect("JSON");
    assert_eq!(data["policies"][0]["met"], true);
    assert_eq!(
        data["policies"][0]["attestations"][2]["predicateType"],
        "https://spdx.dev/Document"
    );
    assert_eq!(data["policies"][0]["attestations"][2]["by"][0]["authority"], "ci");
    assert_eq!(
        data["policies"][0]["attestations"][2]["by"][0]["subject"],
        SUBJECT
    );
    world.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n45_a_policy_with_an_expression_that_is_none_is_met_by_nothing_and_says_where() {
    let world = World::new().await;
    let policy = world.write(
        "policy.json",
        &json!({"apiVersion": "weir.dev/v1alpha1", "kind": "VerificationPolicy", "metadata": {"name": "typo"},
            "spec": {"match": [{}], "attestations": [{"predicateType": "openvex", "expressions": ["predicat.x == 1"]}],
                "authorities": {"anyOf": [{"name": "ci", "keyless": {"issuer": "i", "subject": "s"}}]}}})
        .to_string(),
    );
    let ran = verify(&world, &policy, &[]).await;
    assert!(
        ran.stdout.contains(
            "spec.attestations[0].expressions[0]: CEL expression 'predicat.x == 1' refers to an undeclared variable 'predicat' \
             at line 1, column 1"
        ),
        "{}",
        ran.stdout
    );
    ran.failure();
    world.handle.shutdown().await;
}
