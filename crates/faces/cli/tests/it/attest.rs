//! `weir attest` and `weir verify --type`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use weir_standin_sigstore::{Holder, Rekor};

use crate::harness::{Ran, weir, weir_with};
use crate::keyless::attach;
use crate::keys::generate;
use crate::sign_keyless::{ISSUER, SUBJECT, World, hidden};

const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

fn provenance() -> Value {
    json!({
        "buildDefinition": { "buildType": "https://ci.example/v1", "externalParameters": { "ref": "main" } },
        "runDetails": { "builder": { "id": "https://ci.example" } },
    })
}

/// A world with the files `provenance.json`, `bom.json`, and the pair `mine`.
async fn world() -> World {
    let world = World::new().await;
    world.write("provenance.json", &provenance().to_string());
    world.write(
        "bom.json",
        "{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.6\"}",
    );
    generate(world.path("").as_ref(), "mine").await;
    world
}

async fn attest(world: &World, kind: &str, file: &str, more: &[&str]) -> Ran {
    let (key, file) = (world.path("mine.key"), world.path(file));
    let args = [
        "attest",
        &world.url,
        "--key",
        &key,
        "--type",
        kind,
        "--predicate",
        &file,
    ];
    weir_with(&[args.as_slice(), more].concat(), |io| {
        io.with_env("COSIGN_PASSWORD", "pw")
    })
    .await
}

async fn verify(world: &World, key: &str, kind: &str, more: &[&str]) -> Ran {
    let key = world.path(key);
    let args = ["verify", &world.url, "--key", &key, "--type", kind];
    weir(&[args.as_slice(), more].concat()).await
}

fn data(ran: Ran) -> Value {
    serde_json::from_str(&ran.success()).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn n37_what_a_key_attests_counts_for_its_type_alone_here_and_in_cosign() {
    for (flags, layout) in [
        ([].as_slice(), "sigstore bundle"),
        (&["--legacy"], "cosign attestation"),
    ] {
        let world = world().await;
        generate(world.path("").as_ref(), "other").await;
        let none = verify(&world, "mine.pub", "slsaprovenance1", &[]).await;
        let said = none.failure();
        let says = format!("no matching attestations of type {PROVENANCE} were found for");
        assert!(
            said.contains(&says) && said.contains("weir attest --type slsaprovenance1"),
            "{said}"
        );

        let ran = attest(&world, "slsaprovenance1", "provenance.json", flags).await;
        assert!(
            ran.stderr
                .contains(&format!("attested {PROVENANCE} by key sha256:")),
            "{}",
            ran.stderr
        );
        assert!(
            ran.stderr.contains(&format!("stored as {layout} in oci://")),
            "{}",
            ran.stderr
        );
        assert_eq!(ran.success().trim(), world.url);

        let good = verify(&world, "mine.pub", PROVENANCE, &[]).await.success();
        assert!(
            good.contains(&format!("  {layout} ")) && good.contains(": good, by key"),
            "{good}"
        );
        let found = data(verify(&world, "mine.pub", "slsaprovenance1", &["-o", "json"]).await);
        assert_eq!(
            (&found["verified"], &found["type"]),
            (&json!(true), &json!(PROVENANCE))
        );
        let statement = &found["signatures"][0]["statement"];
        assert_eq!(statement["predicate"], provenance());
        assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");

        let other = verify(&world, "mine.pub", "openvex", &[]).await;
        assert!(
            other.stdout.contains(&format!(
                "does not count: predicate type \"{PROVENANCE}\" is not asked for"
            )),
            "{}",
            other.stdout
        );
        other.failure();
        verify(&world, "other.pub", "slsaprovenance1", &[])
            .await
            .failure();

        let public = world.path("mine.pub");
        for (kind, accepts) in [("slsaprovenance1", true), ("openvex", false)] {
            let args = [
                "verify-attestation",
                "--key",
                &public,
                "--insecure-ignore-tlog",
                "--type",
                kind,
            ];
            match world.run_cosign(&args).await {
                None => println!("not run: cosign is not built"),
                Some(found) => assert_eq!(found, accepts, "{layout} {kind}"),
            }
        }
        world.handle.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n38_what_an_identity_attests_weir_and_cosign_verify() {
    for (config, flags, layout) in [
        ("v1.json", [].as_slice(), "sigstore bundle"),
        ("v2.json", &[], "sigstore bundle"),
        ("v1.json", &["--legacy"], "cosign attestation"),
    ] {
        let world = world().await;
        let token = world.token(SUBJECT);
        let file = world.path("provenance.json");
        let args = ["--type", "slsaprovenance1", "--predicate", &file, "-o", "json"];
        let args = [args.as_slice(), flags].concat();
        let env = |io: weir_cli::Io| io.with_env("SIGSTORE_ID_TOKEN", &token);
        let ran = world.keyless("attest", config, &args, env).await;
        hidden(&ran, &token);
        let done = data(ran);
        assert_eq!(done["subject"], SUBJECT);
        assert_eq!(done["layout"], layout);
        assert_eq!(done["predicateType"], PROVENANCE);
        assert_eq!(done["logged"].as_array().map(Vec::len), Some(1));

        let of = |kind: &'static str| ["--type", kind];
        let good = world.verify_with(SUBJECT, &of("slsaprovenance1")).await.success();
        assert!(
            good.contains(&format!("good, by {SUBJECT} (issuer {ISSUER}) at 20")),
            "{good}"
        );
        world
            .verify_with("https://x", &of("slsaprovenance1"))
            .await
            .failure();
        world.verify_with(SUBJECT, &of("openvex")).await.failure();
        for (kind, subject, accepts) in [
            ("slsaprovenance1", SUBJECT, true),
            ("slsaprovenance1", "https://x", false),
            ("openvex", SUBJECT, false),
        ] {
            let command = ["verify-attestation", "--type", kind];
            match world.cosign_accepts(&command, subject).await {
                None => println!("not run: cosign is not built"),
                Some(found) => assert_eq!(found, accepts, "{layout} {kind} {subject}"),
            }
        }
        world.handle.shutdown().await;
    }
}

#[tokio::test]
async fn attestations_are_listed_and_downloaded_whoever_made_them() {
    let world = world().await;
    let download = async |more: &[&str]| {
        let args = ["attest", "download", &world.url];
        weir(&[args.as_slice(), more].concat()).await
    };
    let list = async |form: &str| weir(&["attest", "list", &world.url, "-o", form]).await;
    let nothing = list("table").await;
    assert!(
        nothing.stderr.contains("nothing is stated about"),
        "{}",
        nothing.stderr
    );
    assert_eq!(nothing.success(), "");
    assert!(
        download(&[])
            .await
            .failure()
            .contains("there is no attestation of")
    );

    attest(&world, "slsaprovenance1", "provenance.json", &[])
        .await
        .success();
    attest(&world, "cyclonedx", "bom.json", &["--legacy"])
        .await
        .success();
    attest(&world, "custom", "bom.json", &[]).await.success();
    let digest = world.url.rsplit_once('@').expect("a digest").1;
    attach(&world.registry, digest, "{}");

    let table = list("table").await.success();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 5, "{table}");
    for (start, layout) in [
        ("slsaprovenance1", "sigstore bundle"),
        ("cyclonedx", "cosign attestation"),
        ("custom", "sigstore bundle"),
        ("-", "sigstore bundle"),
    ] {
        let line = lines.iter().find(|line| line.starts_with(start)).expect(start);
        assert!(line.contains(layout), "{line}");
        let about = if start == "-" {
            "unreadable: "
        } else {
            "this artifact"
        };
        assert!(line.contains(about), "{line}");
    }
    let names = list("name").await.success();
    assert_eq!(
        names.lines().filter(|line| line.starts_with("sha256:")).count(),
        4
    );
    let all = data(list("json").await);
    let types: Vec<&Value> = all
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["predicateType"])
        .collect();
    assert!(types.contains(&&json!("https://cyclonedx.org/bom")), "{types:?}");

    let lines = download(&[]).await.success();
    assert_eq!(lines.lines().count(), 4, "as stored, also what cannot be read");
    let bom = download(&["--type", "cyclonedx", "--part", "predicate"])
        .await
        .success();
    assert_eq!(bom, "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\"}\n");
    let statements = data(download(&["--type", PROVENANCE, "--part", "statement", "-o", "json"]).await);
    assert_eq!(statements[0]["predicate"], provenance());
    let envelope: Value =
        serde_json::from_str(&download(&["--type", "cyclonedx"]).await.success()).expect("JSON");
    assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");
    let said = download(&["--type", "openvex"]).await.failure();
    assert!(
        said.contains("no attestation of type https://openvex.dev/ns"),
        "{said}"
    );

    // What is of the older layout does not count beside bundles, as in cosign, and that is said.
    let older = verify(&world, "mine.pub", "cyclonedx", &[]).await;
    assert!(
        older
            .stdout
            .contains("there are Sigstore bundles, so only those count"),
        "{}",
        older.stdout
    );
    older.failure();
    world.handle.shutdown().await;
}

#[tokio::test]
async fn an_attestation_replaces_others_of_its_type() {
    for flags in [[].as_slice(), &["--legacy"]] {
        let world = world().await;
        let replace = [flags, &["--replace", "-o", "json"]].concat();
        attest(&world, "cyclonedx", "bom.json", flags).await.success();
        attest(&world, "custom", "bom.json", flags).await.success();
        world.write(
            "bom.json",
            "{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.7\"}",
        );
        let ran = attest(&world, "cyclonedx", "bom.json", &replace).await;
        assert!(
            ran.stderr.contains("an earlier attestation of this type"),
            "{}",
            ran.stderr
        );
        assert_eq!(data(ran)["replaced"].as_array().map(Vec::len), Some(1));
        let names = weir(&["attest", "list", &world.url, "-o", "name"])
            .await
            .success();
        assert_eq!(names.lines().count(), 2);
        let args = ["attest", "download", &world.url, "--type", "cyclonedx"];
        let left = weir(&[args.as_slice(), &["--part", "predicate"]].concat()).await;
        assert!(left.success().contains("1.7"));
        world.handle.shutdown().await;
    }
}

#[tokio::test]
async fn n36_a_document_that_is_not_of_its_type_is_shown_and_nothing_is_signed() {
    let world = world().await;
    let token = world.token(SUBJECT);
    for (kind, document, place, says, hint) in [
        (
            "slsaprovenance1",
            "{",
            ":1:1",
            "cut off at line 1, column 1",
            "--type custom",
        ),
        (
            "slsaprovenance1",
            "{\n  \"buildDefinition\": {\"buildType\": 7}\n}",
            ":2:36",
            "no SLSA provenance v1: the field `buildDefinition.buildType` is no text",
            "with no envelope or statement around it",
        ),
        (
            "cyclonedx",
            "{\n  \"bomFormat\": \"CycloneDX\"\n}",
            ":1:1",
            "the field `specVersion` is missing",
            "`--type` that it is",
        ),
        (
            "spdx",
            "SPDXVersion: SPDX-2.3\n",
            ":1:1",
            "predicate is no JSON",
            "convert it to JSON",
        ),
        (
            "openvex",
            "{\"@context\": \"https://openvex.dev/ns/v0.2.0\", \"@id\": \"x\", \"author\": \"a\", \"timestamp\": \"soon\"}",
            ":1:87",
            "the field `timestamp` is no time",
            "`--type` that it is",
        ),
        (
            "https://x.example/y",
            "[]",
            ":1:1",
            "the document is no object",
            "with no envelope",
        ),
    ] {
        let file = world.write("bad.json", document);
        let env = |io: weir_cli::Io| io.with_env("SIGSTORE_ID_TOKEN", &token);
        let args = ["--type", kind, "--predicate", &file];
        let by_identity = world.keyless("attest", "v1.json", &args, env).await.failure();
        let by_key = attest(&world, kind, "bad.json", &[]).await.failure();
        assert_eq!(by_identity, by_key);
        for part in [&format!("{file}{place}"), says, hint] {
            assert!(by_key.contains(part), "{part}: {by_key}");
        }
        world.nothing_is_stored().await;
    }
    assert_eq!(world.sigstore().log_size(Rekor::V1), 0);
    let missing = attest(&world, "cyclonedx", "nothing.json", &[]).await.failure();
    assert!(missing.contains("cannot read the predicate"), "{missing}");
    world.handle.shutdown().await;
}

#[tokio::test]
async fn a_predicate_comes_from_standard_input_too() {
    let world = world().await;
    let key = world.path("mine.key");
    let args = [
        "attest",
        &world.url,
        "--key",
        &key,
        "--type",
        "custom",
        "--predicate",
        "-",
    ];
    let ran = weir_with(&args, |io| {
        io.with_env("COSIGN_PASSWORD", "pw").with_stdin("tests passed\n")
    });
    ran.await.success();
    let found = data(verify(&world, "mine.pub", "custom", &["-o", "json"]).await);
    assert_eq!(
        found["signatures"][0]["statement"]["predicate"]["Data"],
        "tests passed\n"
    );
    let wrong = weir_with(
        &[&args[..7], &["/dev/null", "--type", "nothing"]].concat(),
        |io| io,
    )
    .await;
    wrong.usage();
    world.handle.shutdown().await;
}

/// Each attestation that does not count is listed with its reason, and one good one among them is enough.
#[tokio::test(flavor = "multi_thread")]
async fn n37_attestations_that_do_not_count_are_explained_one_by_one() {
    let world = world().await;
    let digest = world.url.rsplit_once('@').expect("a digest").1;
    let hex = digest.trim_start_matches("sha256:");
    let statement = |hex: &str, kind: &str| {
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{ "name": "x", "digest": { "sha256": hex } }],
            "predicateType": kind,
            "predicate": provenance(),
        })
    };
    let right = statement(hex, PROVENANCE);
    let mut several = statement(&"0".repeat(64), PROVENANCE);
    several["subject"]
        .as_array_mut()
        .expect("a list")
        .push(right["subject"][0].clone());
    let signed = |statement: &Value, subject: &str, kind: &str| {
        let holder = Holder::new(ISSUER, subject);
        let text = statement.to_string();
        let sigstore = world.sigstore();
        sigstore.sign_envelope(&holder, kind, text.as_bytes(), Timestamp::now(), Rekor::V1)
    };
    let in_toto = "application/vnd.in-toto+json";
    let put = |bundle: &Value| attach(&world.registry, digest, &bundle.to_string());

    put(&signed(&statement(&"0".repeat(64), PROVENANCE), SUBJECT, in_toto));
    put(&signed(
        &statement(hex, "https://spdx.dev/Document"),
        SUBJECT,
        in_toto,
    ));
    put(&signed(&right, "https://x", in_toto));
    put(&signed(&right, SUBJECT, "text/plain"));
    let mut tampered = signed(&right, SUBJECT, in_toto);
    let other = right.to_string().replace("\"main\"", "\"evil\"");
    tampered["dsseEnvelope"]["payload"] = STANDARD.encode(other).into();
    put(&tampered);
    let mut unlogged = signed(&right, SUBJECT, in_toto);
    unlogged["verificationMaterial"]["tlogEntries"] = json!([]);
    put(&unlogged);
    let mut foreign_entry = signed(&right, SUBJECT, in_toto);
    let entry = signed(&right, SUBJECT, in_toto)["verificationMaterial"]["tlogEntries"].clone();
    foreign_entry["verificationMaterial"]["tlogEntries"] = entry;
    put(&foreign_entry);

    let kind = ["--type", "slsaprovenance1"];
    let bad = world.verify_with(SUBJECT, &kind).await;
    for says in [
        "signed for another artifact",
        "predicate type \"https://spdx.dev/Document\" is not asked for",
        "signed by \"https://x\" (issuer \"https://ci.example\"), which is none of the identities asked for",
        "unsupported DSSE payload type \"text/plain\"",
        "DSSE signature verification failed",
        "signature has no entry of a transparency log",
        "log entry does not match the bundle",
    ] {
        let lines = bad.stdout.lines().filter(|line| line.contains(says));
        assert_eq!(lines.count(), 1, "{says}: {}", bad.stdout);
    }
    let lines = bad
        .stdout
        .lines()
        .filter(|line| line.contains(": does not count: "));
    assert_eq!(lines.count(), 7, "{}", bad.stdout);
    bad.failure();
    let command = ["verify-attestation", "--type", "slsaprovenance1"];
    let refused = world.cosign_accepts(&command, SUBJECT).await;
    assert_ne!(refused, Some(true), "cosign takes none of them either");

    put(&signed(&several, SUBJECT, in_toto));
    let found = data(
        world
            .verify_with(SUBJECT, &[kind.as_slice(), &["-o", "json"]].concat())
            .await,
    );
    let signatures = found["signatures"].as_array().expect("a list");
    let good: Vec<&Value> = signatures.iter().filter(|one| one["counts"] == true).collect();
    assert_eq!((signatures.len(), good.len()), (8, 1));
    assert_eq!(good[0]["statement"], several);
    assert_ne!(world.cosign_accepts(&command, SUBJECT).await, Some(false));
    world.handle.shutdown().await;
}

#[tokio::test]
async fn what_does_not_go_together_is_wrong_usage() {
    let url = "localhost:1/a";
    for (args, says) in [
        (["attest"].as_slice(), "Usage:"),
        (&["attest", url], "--type"),
        (&["attest", url, "--type", "custom", "--key", "k"], "--predicate"),
        (
            &["attest", url, "--type", "custom", "--predicate", "p"],
            "<--key <KEY>|--keyless>",
        ),
        (
            &["attest", url, "--type", "slsa", "--predicate", "p", "--key", "k"],
            "slsaprovenance1",
        ),
        (&["attest", "list"], "<REFERENCE>"),
        (&["attest", url, "--key", "k", "list", url], "cannot be used with"),
        (
            &["verify", url, "--key", "k", "--type", "slsa"],
            "no predicate type",
        ),
    ] {
        let said = weir(args).await.usage();
        assert!(said.contains(says), "{args:?}: {said}");
    }
}
