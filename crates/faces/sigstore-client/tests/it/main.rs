//! The program, called as the sigstore-conformance suite calls it.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests stop on surprises and say what they skip"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use weir_oci::Digest;
use weir_standin_sigstore::{Holder, Options, Rekor, Server};

/// Whom the suite's signatures are by where a case does not say.
const BEACON: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
/// Who vouches for it.
const ISSUER: &str = "https://token.actions.githubusercontent.com";
const COSIGN: &str = ".cache/weir/tools/cosign-v3.1.3/cosign";

fn client(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weir-sigstore-client"))
        .args(args)
        .env_clear()
        .output()
        .unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn suite() -> Option<PathBuf> {
    let root = std::env::var_os("WEIR_CONFORMANCE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/conformance"),
        PathBuf::from,
    );
    let suite = root.join("sigstore");
    if suite.is_dir() {
        return Some(suite);
    }
    println!("not run: no conformance data sigstore");
    None
}

/// The suite's arguments for a case, but for the artifact.
fn arguments(folder: &Path) -> Vec<String> {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let mut args = vec![
        "verify-bundle".to_owned(),
        "--bundle".to_owned(),
        text(&folder.join("bundle.sigstore.json")).to_owned(),
    ];
    let key = folder.join("key.pub");
    if key.is_file() {
        args.extend(["--key".to_owned(), text(&key).to_owned()]);
    } else {
        let subject = read("identity").unwrap_or_else(|| BEACON.to_owned());
        let issuer = read("issuer").unwrap_or_else(|| ISSUER.to_owned());
        args.extend(["--certificate-identity".to_owned(), subject.trim().to_owned()]);
        args.extend(["--certificate-oidc-issuer".to_owned(), issuer.trim().to_owned()]);
    }
    let root = folder.join("trusted_root.json");
    if root.is_file() {
        args.extend(["--trusted-root".to_owned(), text(&root).to_owned()]);
    }
    args
}

#[test]
fn n36_the_conformance_bundles_are_judged_as_the_suite_says_by_file_and_by_digest() {
    let Some(suite) = suite() else { return };
    let (mut verified, mut refused, mut wrong) = (0, 0, Vec::new());
    for entry in std::fs::read_dir(&suite).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let artifact = folder.join("artifact");
        let artifact = if artifact.is_file() {
            artifact
        } else {
            suite.join("../sigstore-assets/a.txt")
        };
        let digest = Digest::of(&std::fs::read(&artifact).unwrap()).to_string();
        for artifact in [text(&artifact), &digest] {
            let mut args = arguments(&folder);
            args.push(artifact.to_owned());
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let output = client(&args);
            let said = String::from_utf8_lossy(&output.stderr);
            match (output.status.code(), name.ends_with("_fail")) {
                (Some(0), false) => verified += 1,
                (Some(1), true) if said.starts_with("error: ") => refused += 1,
                found => wrong.push(format!("{name} {artifact}: {found:?} {said}")),
            }
        }
    }
    println!("sigstore-conformance: {verified} verified, {refused} refused");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(verified > 0 && refused > 0);
}

/// An instance, and a folder with its trust root and two files.
async fn instance() -> (Server, tempfile::TempDir) {
    let from = Timestamp::now() - SignedDuration::from_hours(1);
    let server = Server::start(from, Options::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let root = server.sigstore().trusted_root().to_string();
    for (name, content) in [
        ("root.json", root.as_str()),
        ("file", "content\n"),
        ("other", "other\n"),
    ] {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    (server, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn n38_what_is_signed_is_verified_here_and_by_cosign_for_its_file_and_signer_alone() {
    let (server, folder) = instance().await;
    let sigstore = server.sigstore();
    let path = |name: &str| folder.path().join(name);
    let write = |name: &str, content: &str| std::fs::write(path(name), content).unwrap();
    let token = sigstore.token(&Holder::new(ISSUER, BEACON), Timestamp::now());
    let (root, bundle, config) = (path("root.json"), path("bundle.json"), path("config.json"));
    for rekor in [Rekor::V1, Rekor::V2] {
        write("config.json", &sigstore.signing_config(rekor).to_string());
        let sign = |artifact: &Path| {
            let args = [
                "sign-bundle",
                "--identity-token",
                &token,
                "--bundle",
                text(&bundle),
            ];
            let more = ["--trusted-root", text(&root), "--signing-config", text(&config)];
            client(&[args.as_slice(), &more, &[text(artifact)]].concat())
        };
        let output = sign(&path("file"));
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let verify = |artifact: &str, subject: &str| {
            let args = [
                "verify-bundle",
                "--bundle",
                text(&bundle),
                "--certificate-identity",
                subject,
            ];
            let more = [
                "--certificate-oidc-issuer",
                ISSUER,
                "--trusted-root",
                text(&root),
                artifact,
            ];
            client(&[args.as_slice(), &more].concat()).status.code()
        };
        assert_eq!(verify(text(&path("file")), BEACON), Some(0));
        assert_eq!(verify(&Digest::of(b"content\n").to_string(), BEACON), Some(0));
        assert_eq!(verify(text(&path("other")), BEACON), Some(1));
        assert_eq!(verify(text(&path("file")), "https://x"), Some(1));
        let cosign = std::env::home_dir().unwrap_or_default().join(COSIGN);
        if !cosign.is_file() {
            println!("not run: cosign is not built");
            continue;
        }
        for (name, accepts) in [("file", true), ("other", false)] {
            let mut command = Command::new(&cosign);
            command.env_clear().env("HOME", folder.path()).args([
                "verify-blob",
                "--bundle",
                text(&bundle),
                "--trusted-root",
                text(&root),
                "--certificate-identity",
                BEACON,
                "--certificate-oidc-issuer",
                ISSUER,
                text(&path(name)),
            ]);
            let output = command.output().unwrap();
            println!("cosign: {}", String::from_utf8_lossy(&output.stderr).trim_end());
            assert_eq!(output.status.success(), accepts, "{rekor:?} {name}");
        }
    }
    // Nothing is written when nothing can be signed.
    std::fs::remove_file(&bundle).unwrap();
    let args = [
        "sign-bundle",
        "--identity-token",
        "hunter2",
        "--bundle",
        text(&bundle),
        text(&root),
    ];
    let output = client(&args);
    assert_eq!(output.status.code(), Some(1));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
    assert!(!bundle.exists());
}

/// `--in-toto`: the statement's bytes are signed as they are, and it counts for its subjects alone.
#[tokio::test(flavor = "multi_thread")]
async fn n37_a_statement_is_signed_as_it_is_and_verified_here_and_by_cosign_for_its_subject() {
    let (server, folder) = instance().await;
    let sigstore = server.sigstore();
    let path = |name: &str| folder.path().join(name);
    let write = |name: &str, content: &str| std::fs::write(path(name), content).unwrap();
    let subject = Digest::of(b"content\n").hex();
    let statement = format!(
        "{{ \"_type\": \"https://in-toto.io/Statement/v1\",\n  \"subject\": [{{\"name\":\"file\", \"digest\": {{\"sha256\": \
         \"{subject}\"}} }}],  \"predicateType\": \"https://example.org/x\", \"predicate\": {{}} }}\n"
    );
    write("statement.json", &statement);
    let token = sigstore.token(&Holder::new(ISSUER, BEACON), Timestamp::now());
    let (root, bundle, config) = (path("root.json"), path("bundle.json"), path("config.json"));
    let sign = |artifact: &str| {
        let args = [
            "sign-bundle",
            "--in-toto",
            "--identity-token",
            &token,
            "--bundle",
            text(&bundle),
        ];
        let more = ["--trusted-root", text(&root), "--signing-config", text(&config)];
        client(&[args.as_slice(), &more, &[text(&path(artifact))]].concat())
    };
    for rekor in [Rekor::V1, Rekor::V2] {
        write("config.json", &sigstore.signing_config(rekor).to_string());
        let signed = sign("statement.json");
        assert!(
            signed.status.success(),
            "{}",
            String::from_utf8_lossy(&signed.stderr)
        );
        let content: serde_json::Value = serde_json::from_slice(&std::fs::read(&bundle).unwrap()).unwrap();
        let payload = content["dsseEnvelope"]["payload"].as_str().unwrap();
        assert_eq!(STANDARD.decode(payload).unwrap(), statement.as_bytes());
        let identity = [
            "--certificate-identity",
            BEACON,
            "--certificate-oidc-issuer",
            ISSUER,
        ];
        let common = ["--bundle", text(&bundle), "--trusted-root", text(&root)];
        for (name, accepts) in [("file", true), ("other", false)] {
            let file = path(name);
            let args = [&["verify-bundle"][..], &common, &identity, &[text(&file)]].concat();
            assert_eq!(client(&args).status.success(), accepts, "{rekor:?} {name}");
            let cosign = std::env::home_dir().unwrap_or_default().join(COSIGN);
            if !cosign.is_file() {
                println!("not run: cosign is not built");
                continue;
            }
            let mut command = Command::new(cosign);
            command.env_clear().env("HOME", folder.path());
            command.args(["verify-blob-attestation", "--type", "https://example.org/x"]);
            command.args(common).args(identity).arg(&file);
            let output = command.output().unwrap();
            println!("cosign: {}", String::from_utf8_lossy(&output.stderr).trim_end());
            assert_eq!(output.status.success(), accepts, "{rekor:?} {name}");
        }
    }
    for nothing in ["{}", "content\n", &statement.replace(&subject, "00")] {
        write("none.json", nothing);
        let refused = sign("none.json");
        assert_eq!(refused.status.code(), Some(1), "{nothing}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("statement"));
    }
    // Nobody can take back what is in a log.
    assert_eq!(
        (sigstore.log_size(Rekor::V1), sigstore.log_size(Rekor::V2)),
        (1, 1)
    );
}

#[test]
fn what_is_not_there_is_refused_and_not_guessed() {
    let staging = ["verify-bundle", "--staging", "--bundle", "b", "--key", "k", "f"];
    let output = client(&staging);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("staging"));
    for args in [
        ["verify-bundle", "--bundle", "b", "f"].as_slice(),
        &[
            "verify-bundle",
            "--bundle",
            "b",
            "--certificate-identity",
            "x",
            "f",
        ],
        &["verify"],
    ] {
        assert_eq!(client(args).status.code(), Some(2), "{args:?}");
    }
}
