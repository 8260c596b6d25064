//! cosign itself on the other side: it verifies what we attest, and we what it attests, with keys and identities, in
//! both layouts. Runs when cosign has been built by `cargo xtask tools`.

use std::collections::BTreeSet;
use std::process::Output;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use weir_standin_sigstore::{Holder, Rekor, Sigstore};
use weir_trust::{Attested, Signer, attest, find_attestations};
use weir_verify::{
    Identity, IdentityPolicy, KeyPolicy, Layout, Policy, PredicateType, PredicateTypes, Statement, examine,
};

use crate::attest::{PROVENANCE, in_layout};
use crate::interop::{Cosign, setups};
use crate::keyless::{ISSUER, SUBJECT};
use crate::sign_keyless::{keyless, root, server, token};
use crate::support::{Setup, plain_key};

/// A good predicate of each of cosign's types.
fn predicates() -> Vec<(&'static str, Value)> {
    vec![
        (
            "slsaprovenance1",
            json!({
                "buildDefinition": { "buildType": "https://ci.example/v1", "externalParameters": { "ref": "main" } },
                "runDetails": { "builder": { "id": "https://ci.example" } },
            }),
        ),
        (
            "slsaprovenance",
            json!({ "builder": { "id": "https://ci.example" }, "buildType": "https://ci.example/v1" }),
        ),
        (
            "spdxjson",
            json!({
                "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "app",
                "documentNamespace": "https://ci.example/app",
                "creationInfo": { "created": "2026-01-01T00:00:00Z", "creators": ["Tool: x"] },
            }),
        ),
        (
            "cyclonedx",
            json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": [] }),
        ),
        (
            "openvex",
            json!({
                "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://ci.example/vex", "author": "ci",
                "timestamp": "2026-01-01T00:00:00Z", "version": 1,
                "statements": [{ "vulnerability": { "name": "CVE-2026-1" }, "status": "fixed" }],
            }),
        ),
        (
            "vuln",
            json!({
                "invocation": { "parameters": null, "uri": "", "event_id": "", "builder.id": "" },
                "scanner": {
                    "uri": "https://scanner.example", "version": "1", "db": { "uri": "", "version": "" }, "result": {},
                },
                "metadata": {
                    "scanStartedOn": "2026-01-01T00:00:00Z", "scanFinishedOn": "2026-01-01T00:00:01Z",
                },
            }),
        ),
        (
            "link",
            json!({
                "_type": "link", "name": "build", "command": ["make"], "materials": {}, "products": {},
                "byproducts": {}, "environment": {},
            }),
        ),
        ("custom", json!({ "tests": "passed" })),
        ("https://example.org/promotion/v1", json!({ "from": "staging" })),
    ]
}

fn uri(name: &str) -> String {
    let kind: PredicateType = name.parse().unwrap();
    kind.uri().to_owned()
}

fn only(name: &str) -> PredicateTypes {
    PredicateTypes::OneOf(BTreeSet::from([uri(name)]))
}

/// Attests as a user of the port does.
async fn attested(
    setup: &Setup,
    signer: Signer<'_>,
    name: &str,
    document: &Value,
    layout: Layout,
) -> Attested {
    let kind: PredicateType = name.parse().unwrap();
    let predicate = kind
        .read(document.to_string().as_bytes(), Timestamp::now())
        .unwrap();
    let (client, target, options) = (&setup.client, &setup.target, in_layout(layout));
    let done = attest(client, target, signer, kind.uri(), predicate, &options).await;
    done.unwrap()
}

fn by_identity(sigstore: &Sigstore, subject: &str, types: PredicateTypes) -> Policy {
    let identity = Identity::exact(ISSUER, subject).unwrap();
    let policy = IdentityPolicy::new(root(sigstore), [identity]).unwrap();
    Policy::Identities(policy.with_predicate_types(types))
}

/// The statements that count here.
async fn counting(setup: &Setup, policy: &Policy) -> Vec<Statement> {
    let found = find_attestations(&setup.client, &setup.target).await.unwrap();
    let examined = examine(&setup.target, &found, policy, Timestamp::now());
    for one in &examined {
        if let Err(why) = &one.verdict {
            println!("{} {}: {why}", one.layout, one.source);
        }
    }
    let good = examined.into_iter().filter_map(|one| one.verdict.ok());
    good.filter_map(|verified| verified.into_inner().statement)
        .collect()
}

impl Cosign {
    async fn verify_attestation(&self, setup: &Setup, kind: &str, more: &[&str]) -> Output {
        let target = setup.target.to_string();
        let kind = format!("--type={kind}");
        let arguments = ["verify-attestation", "--allow-http-registry=true", &kind];
        self.run(&[arguments.as_slice(), more, &[&target]].concat()).await
    }

    /// Whether it accepts an attestation of this type by the key in `cosign.pub`.
    async fn accepts_by_key(&self, setup: &Setup, kind: &str) -> bool {
        let flags = ["--key=cosign.pub", "--insecure-ignore-tlog=true"];
        let output = self.verify_attestation(setup, kind, &flags).await;
        println!("cosign: {}", String::from_utf8_lossy(&output.stderr).trim_end());
        output.status.success()
    }

    /// The same by an identity.
    async fn accepts_by_identity(
        &self,
        setup: &Setup,
        sigstore: &Sigstore,
        kind: &str,
        subject: &str,
    ) -> bool {
        std::fs::write(self.path().join("root.json"), sigstore.trusted_root().to_string()).unwrap();
        let (issuer, subject) = (
            format!("--certificate-oidc-issuer={ISSUER}"),
            format!("--certificate-identity={subject}"),
        );
        let flags = ["--trusted-root=root.json", &issuer, &subject];
        let output = self.verify_attestation(setup, kind, &flags).await;
        println!("cosign: {}", String::from_utf8_lossy(&output.stderr).trim_end());
        output.status.success()
    }

    fn predicate(&self, predicate: &Value) {
        std::fs::write(self.path().join("predicate.json"), predicate.to_string()).unwrap();
    }

    async fn attest(&self, setup: &Setup, kind: &str, more: &[&str]) {
        let target = setup.target.to_string();
        let kind = format!("--type={kind}");
        let arguments = [
            "attest",
            "-y",
            "--allow-http-registry=true",
            "--predicate=predicate.json",
            &kind,
        ];
        let output = self.run(&[arguments.as_slice(), more, &[&target]].concat()).await;
        Self::succeeded(&output);
    }

    async fn attest_with_key(&self, setup: &Setup, kind: &str, layout: Layout) {
        let format = format!("--new-bundle-format={}", layout == Layout::Bundle);
        let flags = [
            "--key=cosign.key",
            "--tlog-upload=false",
            "--use-signing-config=false",
            &format,
        ];
        self.attest(setup, kind, &flags).await;
    }

    async fn attest_keyless(
        &self,
        setup: &Setup,
        sigstore: &Sigstore,
        rekor: Rekor,
        kind: &str,
        layout: Layout,
    ) {
        let token = sigstore.token(&Holder::new(ISSUER, SUBJECT), Timestamp::now());
        std::fs::write(self.path().join("token"), token).unwrap();
        std::fs::write(self.path().join("root.json"), sigstore.trusted_root().to_string()).unwrap();
        let config = sigstore.signing_config(rekor);
        std::fs::write(self.path().join("config.json"), config.to_string()).unwrap();
        let at = |part: &str, flag: &str| format!("--{flag}={}", config[part][0]["url"].as_str().unwrap());
        let (fulcio, log) = (at("caUrls", "fulcio-url"), at("rekorTlogUrls", "rekor-url"));
        let mut flags = vec!["--identity-token=token", "--trusted-root=root.json"];
        if layout == Layout::Bundle {
            flags.push("--signing-config=config.json");
        } else {
            // cosign takes no signing configuration for the older layout.
            flags.extend([
                "--new-bundle-format=false",
                "--use-signing-config=false",
                &fulcio,
                &log,
            ]);
        }
        self.attest(setup, kind, &flags).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n37_cosign_verifies_what_weir_attests_with_a_key_by_its_type_alone() {
    let Some(cosign) = Cosign::find() else { return };
    let key = plain_key("p256");
    std::fs::write(cosign.path().join("cosign.pub"), key.public_key().to_pem()).unwrap();
    let predicates = predicates();
    for layout in [Layout::Bundle, Layout::LegacyAttestation] {
        for (n, setup) in setups().await.into_iter().enumerate() {
            for (name, document) in &predicates {
                // All types in one registry; in the other those where cosign does something of its own.
                if n == 1 && !["slsaprovenance1", "custom"].contains(name) {
                    continue;
                }
                assert!(!cosign.accepts_by_key(&setup, name).await, "{layout} {name}");
                attested(&setup, Signer::Key(&key), name, document, layout).await;
                assert!(cosign.accepts_by_key(&setup, name).await, "{layout} {name}");
            }
            setup.handle.shutdown().await;
        }
    }
    let other = plain_key("ed25519");
    std::fs::write(cosign.path().join("cosign.pub"), other.public_key().to_pem()).unwrap();
    let setup = Setup::new().await;
    let (name, document) = &predicates[0];
    attested(&setup, Signer::Key(&key), name, document, Layout::Bundle).await;
    assert!(!cosign.accepts_by_key(&setup, "slsaprovenance1").await);
    setup.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n37_weir_verifies_what_cosign_attests_with_a_key_by_its_type_alone() {
    let Some(cosign) = Cosign::find() else { return };
    let key = cosign.generate().await;
    let policy = |types| {
        let keys = [("cosign.pub".to_owned(), key.public_key().clone())];
        Policy::Keys(KeyPolicy::new(keys).unwrap().with_predicate_types(types))
    };
    for layout in [Layout::Bundle, Layout::LegacyAttestation] {
        for (n, setup) in setups().await.into_iter().enumerate() {
            for (name, document) in predicates() {
                if n == 1 && !["slsaprovenance1", "custom"].contains(&name) {
                    continue;
                }
                assert!(counting(&setup, &policy(only(name))).await.is_empty(), "{name}");
                cosign.predicate(&document);
                cosign.attest_with_key(&setup, name, layout).await;
                let found = counting(&setup, &policy(only(name))).await;
                assert_eq!(found.len(), 1, "{layout} {name}");
                let wanted: PredicateType = name.parse().unwrap();
                let wanted = Statement::about(&setup.target, wanted.uri(), Value::Null);
                assert_eq!(found[0].subject, wanted.subject, "{layout} {name}");
            }
            setup.handle.shutdown().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n38_cosign_verifies_what_weir_attests_with_an_identity() {
    let server = server().await;
    let sigstore = server.sigstore();
    let cosign = Cosign::find();
    let (name, document) = predicates().remove(0);
    for (rekor, layout) in [
        (Rekor::V1, Layout::Bundle),
        (Rekor::V2, Layout::Bundle),
        (Rekor::V1, Layout::LegacyAttestation),
    ] {
        for setup in setups().await {
            let signer = keyless(
                &sigstore.signing_config(rekor),
                root(sigstore),
                SignedDuration::ZERO,
            );
            let token = token(sigstore, Timestamp::now());
            let signer = Signer::Identity(&signer, &token);
            let done = attested(&setup, signer, name, &document, layout).await;
            let evidence = done.evidence.unwrap();
            assert_eq!(evidence.predicate_type.as_deref(), Some(PROVENANCE));
            assert_eq!((evidence.layout, evidence.logged.len()), (layout, 1));
            let found = counting(&setup, &by_identity(sigstore, SUBJECT, only(name))).await;
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].predicate, document);
            assert!(
                counting(&setup, &by_identity(sigstore, "https://x", only(name)))
                    .await
                    .is_empty()
            );
            assert!(
                counting(&setup, &by_identity(sigstore, SUBJECT, only("openvex")))
                    .await
                    .is_empty()
            );
            if let Some(cosign) = &cosign {
                for (kind, subject, accepts) in [
                    (name, SUBJECT, true),
                    (name, "https://x", false),
                    ("openvex", SUBJECT, false),
                ] {
                    let found = cosign.accepts_by_identity(&setup, sigstore, kind, subject).await;
                    assert_eq!(found, accepts, "{rekor:?} {layout} {kind} {subject}");
                }
            }
            setup.handle.shutdown().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n38_weir_verifies_what_cosign_attests_with_an_identity() {
    let Some(cosign) = Cosign::find() else { return };
    let server = server().await;
    let sigstore = server.sigstore();
    for (rekor, layout) in [
        (Rekor::V1, Layout::Bundle),
        (Rekor::V2, Layout::Bundle),
        (Rekor::V1, Layout::LegacyAttestation),
    ] {
        for setup in setups().await {
            let (name, document) = predicates().remove(0);
            cosign.predicate(&document);
            cosign.attest_keyless(&setup, sigstore, rekor, name, layout).await;
            let found = counting(&setup, &by_identity(sigstore, SUBJECT, only(name))).await;
            assert_eq!(found.len(), 1, "{rekor:?} {layout}");
            assert_eq!(found[0].predicate, document);
            assert!(
                counting(&setup, &by_identity(sigstore, "https://x", only(name)))
                    .await
                    .is_empty()
            );
            assert!(
                counting(&setup, &by_identity(sigstore, SUBJECT, only("openvex")))
                    .await
                    .is_empty()
            );
            setup.handle.shutdown().await;
        }
    }
}
