//! SBOMs of many megabytes: what cosign and weir attest, both verify, up to a limit that is told.

use serde_json::json;
use weir_oci::{Descriptor, Digest, ImageManifest, media_type};

use crate::sign_keyless::{SUBJECT, World};

/// An SPDX document of at least this many bytes.
fn sbom(bytes: usize) -> String {
    let package = |number: usize| {
        let name = format!("libexample-{number}");
        json!({
            "SPDXID": format!("SPDXRef-Package-deb-{name}-0a1b2c3d4e5f6071"), "name": name, "versionInfo": "1.2.13.dfsg-1",
            "supplier": "Person: Somebody <somebody@debian.example>", "downloadLocation": "NOASSERTION",
            "filesAnalyzed": false, "licenseConcluded": "NOASSERTION", "licenseDeclared": "Zlib AND MIT",
            "copyrightText": "NOASSERTION",
            "externalRefs": [
                {"referenceCategory": "SECURITY", "referenceType": "cpe23Type",
                 "referenceLocator": format!("cpe:2.3:a:{name}:{name}:1.2.13:*:*:*:*:*:*:*")},
                {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                 "referenceLocator": format!("pkg:deb/debian/{name}@1.2.13.dfsg-1?arch=amd64&distro=debian-12")},
            ],
        })
        .to_string()
    };
    let (mut packages, mut length) = (Vec::new(), 0);
    while length < bytes {
        let one = package(packages.len());
        length += one.len() + 1;
        packages.push(one);
    }
    format!(
        "{{\"spdxVersion\": \"SPDX-2.3\", \"SPDXID\": \"SPDXRef-DOCUMENT\", \"name\": \"apps\", \"dataLicense\": \"CC0-1.0\", \
         \"documentNamespace\": \"https://ci.example/apps\", \"creationInfo\": {{\"created\": \"2026-01-01T00:00:00Z\", \
         \"creators\": [\"Tool: x\"]}}, \"packages\": [{}]}}",
        packages.join(",")
    )
}

async fn is_verified(world: &World) {
    let ran = world.verify_with(SUBJECT, &["--type", "spdxjson"]).await;
    let out = ran.success();
    assert!(out.contains("https://spdx.dev/Document"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sbom_of_20_mib_is_attested_and_verified_by_weir_and_by_cosign() {
    let text = sbom(20 << 20);
    let world = World::new().await;
    let (file, token) = (
        world.write("sbom.json", &text),
        world.write("token", &world.token(SUBJECT)),
    );
    let args = [
        "--type",
        "spdxjson",
        "--predicate",
        &file,
        "--identity-token-file",
        &token,
    ];
    world.keyless("attest", "v2.json", &args, |io| io).await.success();
    is_verified(&world).await;
    match world
        .cosign_accepts(&["verify-attestation", "--type=spdxjson"], SUBJECT)
        .await
    {
        None => println!("not run: cosign is not built"),
        Some(accepts) => assert!(accepts, "cosign verifies what weir has attested"),
    }
    world.handle.shutdown().await;

    let world = World::new().await;
    let (file, token) = (
        world.write("sbom.json", &text),
        world.write("token", &world.token(SUBJECT)),
    );
    let (root, config) = (world.path("root.json"), world.path("v2.json"));
    let flags = [
        "attest",
        "-y",
        "--type=spdxjson",
        &format!("--predicate={file}"),
        &format!("--identity-token={token}"),
        &format!("--trusted-root={root}"),
        &format!("--signing-config={config}"),
    ];
    match world.run_cosign(&flags).await {
        None => println!("not run: cosign is not built"),
        Some(done) => {
            assert!(done, "cosign attests");
            is_verified(&world).await;
        }
    }
    world.handle.shutdown().await;
}

#[tokio::test]
async fn n25_an_attestation_of_200_mib_is_refused_with_its_size_and_not_fetched() {
    let world = World::new().await;
    let digest = world.registry.tag("org/apps", "v1").expect("the artifact");
    let subject = world
        .registry
        .manifest("org/apps", &digest.to_string())
        .expect("the artifact");
    let size = u64::try_from(subject.len()).expect("a size");
    // Its content is nowhere, so who fetched it would say so.
    let layer = Descriptor::new(media_type::SIGSTORE_BUNDLE_V03, Digest::of(b"none"), 200 << 20);
    let config = Descriptor::new(media_type::OCI_EMPTY, Digest::of(b"{}"), 2);
    let mut manifest = ImageManifest::new(config, vec![layer]);
    manifest.subject = Some(Descriptor::new(media_type::OCI_MANIFEST, digest, size));
    let raw = manifest.to_bytes().expect("JSON");
    world
        .registry
        .put_manifest("org/apps", None, raw, media_type::OCI_MANIFEST)
        .expect("a manifest");
    world.registry.forget_seen();
    let ran = world.verify_with(SUBJECT, &["--type", "spdxjson"]).await;
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(
        said.contains("it has 209715200 bytes, and no more than 134217728 are read"),
        "{said}"
    );
    ran.failure();
    let seen = world.registry.seen();
    assert!(seen.iter().all(|one| !one.path.contains("/blobs/")), "{seen:?}");
    world.handle.shutdown().await;
}
