//! Keys that a program reaches: `--key exec://PROGRAM#KEY`.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::thread;

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Cluster, registry, weir, weir_with};
use crate::keys::artifact;
use crate::sign_keyless::COSIGN;

/// What a program calls its key.
const KEY: &str = "alias/releases";

/// A key in a service.
enum Service {
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Service {
    fn ecdsa() -> Self {
        Self::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key"))
    }

    fn public_key(&self) -> String {
        let der = match self {
            Self::Ecdsa(pair) => pair.public_key().as_der(),
            Self::Rsa(pair) => pair.public_key().as_der(),
            Self::Ed25519(pair) => pair.public_key().as_der(),
        };
        let body = STANDARD.encode(der.expect("DER").as_ref());
        format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
    }

    fn sign(&self, request: &Value) -> Vec<u8> {
        let bytes = |field: &str| {
            STANDARD
                .decode(request[field].as_str().expect("a text"))
                .expect("base64")
        };
        let digest = || Digest::import_less_safe(&bytes("digest"), &SHA256).expect("a digest");
        match self {
            Self::Ecdsa(pair) => {
                assert_eq!(request["algorithm"], "ecdsa-sha256");
                assert!(request["message"].is_null());
                pair.sign_digest(&digest()).expect("signs").as_ref().to_vec()
            }
            Self::Rsa(pair) => {
                assert_eq!(request["algorithm"], "rsa-pkcs1v15-sha256");
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, &digest(), &mut signature)
                    .expect("signs");
                signature
            }
            Self::Ed25519(pair) => {
                assert_eq!(request["algorithm"], "ed25519");
                pair.sign(&bytes("message")).as_ref().to_vec()
            }
        }
    }

    /// What it says to a request of the protocol.
    fn answer(&self, request: &Value) -> Value {
        assert_eq!((&request["version"], &request["key"]), (&json!(1), &json!(KEY)));
        match request["operation"].as_str() {
            Some("public-key") => json!({ "publicKey": self.public_key() }),
            Some("sign") => json!({ "signature": STANDARD.encode(self.sign(request)) }),
            other => json!({ "error": format!("{other:?} is not known") }),
        }
    }
}

/// A program that answers each request through pipes; what it is itself is two lines of shell. Its reference as a key.
fn program(folder: &Path, name: &str, answer: impl Fn(&Value) -> Value + Send + 'static) -> String {
    let pipe = |end: &str| {
        let path = folder.join(format!("{name}.{end}"));
        let made = Command::new("mkfifo").arg(&path).status().expect("runs");
        assert!(made.success());
        path
    };
    let (request, response) = (pipe("request"), pipe("response"));
    let (from, to) = (request.display(), response.display());
    let reference = script(folder, name, &format!("cat > '{from}'\ncat '{to}'"));
    // It waits for the next request when the test ends, and ends with the process.
    thread::spawn(move || {
        while let Ok(content) = fs::read(&request) {
            let asked: Value = serde_json::from_slice(&content).expect("one JSON object");
            fs::write(&response, answer(&asked).to_string()).expect("writes");
        }
    });
    reference
}

fn script(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("writes");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("sets");
    format!("exec://{}#{KEY}", path.display())
}

/// The real cosign takes a command with this public key. Whether it is built.
async fn cosign_accepts(folder: &Path, command: &str, public: &str, url: &str) -> bool {
    let program = std::env::home_dir().unwrap_or_default().join(COSIGN);
    if !program.is_file() {
        return false;
    }
    let mut run = Command::new(program);
    run.env_clear().env("HOME", folder).arg(command);
    if command == "verify-attestation" {
        run.args(["--type", "custom"]);
    }
    run.args([
        "--key",
        public,
        "--insecure-ignore-tlog",
        "--allow-http-registry=true",
    ]);
    run.arg(url.trim_start_matches("oci://"));
    let output = tokio::task::spawn_blocking(move || run.output()).await;
    let output = output.expect("runs").expect("cosign");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_signs_weir_and_cosign_verify_with_its_public_key() {
    let (_, handle) = registry().await;
    let services = [
        ("ecdsa", Service::ecdsa()),
        (
            "rsa",
            Service::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")),
        ),
        (
            "ed25519",
            Service::Ed25519(Ed25519KeyPair::generate().expect("a key")),
        ),
    ];
    for (kind, service) in services {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let url = artifact(&handle.host(), folder).await;
        let pem = service.public_key();
        let key = program(folder, kind, move |request| service.answer(request));
        let printed = weir(&["key", "public", &key]).await.success();
        let lines = |text: &str| {
            text.lines()
                .filter(|line| !line.starts_with('-'))
                .collect::<String>()
        };
        assert_eq!(lines(&printed), lines(&pem));
        let public = folder.join("key.pub").display().to_string();
        fs::write(&public, &printed).expect("writes");

        for layout in [&[][..], &["--legacy"]] {
            let args = [&["sign", &url, "--key", &key], layout].concat();
            weir(&args).await.success();
        }
        weir(&["verify", &url, "--key", &public]).await.success();
        weir(&["verify", &url, "--key", &key]).await.success();
        if !cosign_accepts(folder, "verify", &public, &url).await {
            println!("not run: cosign is not built");
        }

        let predicate = folder.join("predicate.json").display().to_string();
        fs::write(&predicate, "{\"a\":1}").expect("writes");
        let args = [
            "attest",
            &url,
            "--type",
            "custom",
            "--predicate",
            &predicate,
            "--key",
            &key,
        ];
        weir(&args).await.success();
        if !cosign_accepts(folder, "verify-attestation", &public, &url).await {
            println!("not run: cosign is not built");
        }
    }
    handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_signs_publications_promotions_and_rollbacks() {
    let (registry, handle) = registry().await;
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let service = Service::ecdsa();
    let key = program(folder, "signer", move |request| service.answer(request));
    let repository = format!("oci://{}/org/site", handle.host());
    let config = folder.join("config");
    fs::create_dir(&config).expect("creates");
    let path = config.display().to_string();
    for (content, tag) in [("a: 1\n", "latest"), ("a: 2\n", "latest")] {
        fs::write(config.join("config.yaml"), content).expect("writes");
        let args = ["publish", &path, "--to", &repository, "--tag", tag, "--key", &key];
        let args = [args.as_slice(), &["--source", "s", "--revision", content.trim()]].concat();
        weir(&args).await.success();
        let args = [
            "promote",
            &repository,
            "--from",
            "latest",
            "--to",
            "stable",
            "--key",
            &key,
        ];
        weir(&args).await.success();
    }
    let second = registry.tag("org/site", "stable");
    let args = [
        "rollback",
        &repository,
        "--tag",
        "stable",
        "--reason",
        "broken",
        "--key",
        &key,
    ];
    weir(&args).await.success();
    assert_ne!(registry.tag("org/site", "stable"), second);
    handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_does_not_do_its_work_signs_nothing_and_is_quoted() {
    let (registry, handle) = registry().await;
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let url = artifact(&handle.host(), folder).await;
    let pem = Service::ecdsa().public_key().replace('\n', "\\n");
    let other = Service::ecdsa();
    let says_other = Service::ecdsa().public_key();
    let wrong = program(folder, "wrong", move |request| {
        match request["operation"].as_str() {
            Some("public-key") => json!({ "publicKey": says_other }),
            _ => other.answer(request),
        }
    });
    let signs = |text: &str| {
        format!("case $(cat) in *public-key*) printf %s '{{\"publicKey\": \"{pem}\"}}' ;; *) {text} ;; esac")
    };
    let cases = [
        (
            "exec:///no/such/program".to_owned(),
            "cannot run /no/such/program",
        ),
        (
            script(folder, "silent", "exit 3"),
            "exit status: 3: it says nothing",
        ),
        (script(folder, "loud", "echo no access >&2; exit 1"), "no access"),
        (
            script(folder, "refuses", "echo '{\"error\": \"key is disabled\"}'"),
            "key is disabled",
        ),
        (script(folder, "text", "echo hello"), "its answer is no JSON"),
        (script(folder, "empty", "echo '{}'"), "has no text `publicKey`"),
        (
            script(folder, "key", "echo '{\"publicKey\": \"AAAA\"}'"),
            "no PEM block of a public key",
        ),
        (
            script(folder, "endless", "cat /dev/zero"),
            "longer than 65536 bytes",
        ),
        (
            script(folder, "garbage", &signs("echo '{\"signature\": \"!\"}'")),
            "no base64",
        ),
        (
            script(folder, "forged", &signs("echo '{\"signature\": \"AAAA\"}'")),
            "gave something that its public key does not verify",
        ),
        (
            script(folder, "late", &signs("echo locked >&2; exit 2")),
            "locked",
        ),
        (wrong, "gave something that its public key does not verify"),
    ];
    for (key, says) in cases {
        for layout in [&[][..], &["--legacy"]] {
            let args = [&["sign", &url, "--key", &key], layout].concat();
            let said = weir(&args).await.failure();
            assert!(said.contains(says), "{key}: {said}");
        }
    }
    let slow = script(folder, "slow", "sleep 600");
    let said = weir(&["sign", &url, "--key", &slow, "--timeout", "300ms"])
        .await
        .failure();
    assert!(said.contains("took longer than"), "{said}");
    assert_eq!(registry.tags("org/apps"), ["v1"]);
    let seen = weir(&["artifact", "inspect", &url]).await.success();
    assert!(!seen.contains("sigstore bundle"), "{seen}");

    let fine = script(folder, "fine", "true");
    for (args, says) in [
        (vec!["--key", "exec://"], "names no program"),
        (vec!["--key", "awskms://alias/releases"], "exec://PROGRAM#KEY"),
        (vec!["--key", &fine, "--password-stdin"], "is of no use"),
    ] {
        let args = [&["sign", &url][..], &args].concat();
        let said = weir(&args).await.usage();
        assert!(said.contains(says), "{says}: {said}");
    }
    handle.shutdown().await;
}

/// Only a person names programs: what is in a variable, a file or a Secret is a key.
#[tokio::test]
async fn n17_n52_what_is_read_as_a_key_runs_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let mark = folder.join("ran");
    let key = script(folder, "program", &format!("touch '{}'", mark.display()));
    let file = folder.join("cosign.key").display().to_string();
    fs::write(&file, &key).expect("writes");
    let cluster = Cluster::start().await;
    let encoded = STANDARD.encode(&key);
    cluster
        .put(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "keys", "namespace": "apps" },
            "data": { "cosign.key": encoded, "cosign.pub": encoded, "cosign.password": "" },
        }))
        .await;
    for reference in [file.as_str(), "env://KEY", "k8s://apps/keys"] {
        let client = cluster.client.clone();
        let change = |io: weir_cli::Io| io.with_cluster(client, "default").with_env("KEY", &key);
        let said = weir_with(&["key", "public", reference], change).await.failure();
        assert!(said.contains("no PEM block"), "{reference}: {said}");
        let client = cluster.client.clone();
        let change = |io: weir_cli::Io| io.with_cluster(client, "default").with_env("KEY", &key);
        let args = ["verify", "oci://127.0.0.1:9/a", "--key", reference];
        let said = weir_with(&args, change).await.failure();
        assert!(said.contains("no PEM block"), "{reference}: {said}");
    }
    assert!(!mark.exists());
}
