//! Measures what trust costs: verifications a second on one core, what a verified source adds to a reconcile whose verdict is
//! remembered, and a publication from a folder to a verified tag, against a registry, a Sigstore and an API server in this process.
//! `cargo xtask bench trust` runs it.
#![expect(clippy::print_stdout, reason = "a benchmark prints its numbers")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use weir_apis::{ObjectRef, key};
use weir_cli::{Exit, Io};
use weir_oci::Digest;
use weir_real::{Ground, files};
use weir_registry::{Client, ClientOptions, PlainHttp};
use weir_runtime::Settings;
use weir_standin_registry::Registry;
use weir_standin_sigstore::{Holder, Options, Rekor, Server, Sigstore};
use weir_trust::{SignOptions, SigningKey, find, sign};
use weir_verify::{
    FoundBundle, Identity, IdentityPolicy, KeyPolicy, Policy, SignatureSet, Statement, Target, TrustRoot,
    verify,
};

const ISSUER: &str = "https://ci.example";
const SUBJECT: &str = "https://ci.example/org/apps/publish.yml@refs/heads/main";

/// How long a figure of the first table is measured.
const WHILE: Duration = Duration::from_secs(2);
/// Reconciles of each source.
const RECONCILES: usize = 300;
/// Publications, each with other content.
const PUBLICATIONS: usize = 15;
/// Size of what is published, in bytes.
const TREE: usize = 1 << 20;

fn main() -> Result<()> {
    println!(
        "| verifications a second, one core | trust root read before | trust root read each time |\n|---|---|---|"
    );
    for line in verifications()? {
        println!("{line}");
    }
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        println!("\n| a reconcile on request, nothing new | median | best |\n|---|---|---|");
        reconciles().await?;
        println!("\n| publication of 1 MiB, to a verified tag | median | best |\n|---|---|---|");
        publications().await
    })
}

/// How often `work` is done in a second.
fn rate(work: impl Fn() -> Result<()>) -> Result<f64> {
    work()?;
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < WHILE {
        work()?;
        count += 1;
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}

fn identities(root: &str) -> Result<Policy> {
    let root = TrustRoot::from_json(root.as_bytes())?;
    let policy = IdentityPolicy::new(root, [Identity::exact(ISSUER, SUBJECT)?])?;
    Ok(Policy::Identities(policy))
}

/// What a signature of each kind costs to verify.
fn verifications() -> Result<Vec<String>> {
    let from: Timestamp = "2026-01-01T00:00:00Z".parse()?;
    let (signed, now) = (
        from + SignedDuration::from_hours(24),
        from + SignedDuration::from_hours(48),
    );
    let sigstore = Sigstore::new(from);
    let digest = Digest::of(b"artifact");
    let target = Target::new("registry.example/apps".parse()?, digest);
    let statement = serde_json::to_vec(&Statement::cosign_signature(digest))?;
    let root = sigstore.trusted_root().to_string();
    let mut lines = Vec::new();
    for (name, rekor) in [("Rekor v1", Rekor::V1), ("Rekor v2, timestamp", Rekor::V2)] {
        let holder = Holder::new(ISSUER, SUBJECT);
        let bundle = sigstore.sign_statement(&holder, &statement, signed, rekor);
        let set = bundles(digest, bundle.to_string());
        let judge = |policy: &Policy| -> Result<()> {
            black_box(verify(&target, &set, policy, now)?);
            Ok(())
        };
        let policy = identities(&root)?;
        let warm = rate(|| judge(&policy))?;
        let cold = rate(|| judge(&identities(&root)?))?;
        lines.push(format!("| identity, {name} | {warm:.0} | {cold:.0} |"));
    }
    let (target, set, pem) = by_key()?;
    let policy = |pem: &str| -> Result<Policy> {
        let key = weir_verify::PublicKey::from_pem(pem)?;
        Ok(Policy::Keys(KeyPolicy::new([("key".to_owned(), key)])?))
    };
    let judge = |policy: &Policy| -> Result<()> {
        black_box(verify(&target, &set, policy, now)?);
        Ok(())
    };
    let read = policy(&pem)?;
    let warm = rate(|| judge(&read))?;
    let cold = rate(|| judge(&policy(&pem)?))?;
    lines.push(format!("| key on P-256 | {warm:.0} | {cold:.0} |"));
    Ok(lines)
}

fn bundles(digest: Digest, content: String) -> SignatureSet {
    SignatureSet {
        bundles: vec![FoundBundle {
            manifest: digest,
            content: content.into_bytes(),
        }],
        ..SignatureSet::default()
    }
}

/// An artifact, its signature with a key as `weir sign` makes it, and the public key.
fn by_key() -> Result<(Target, SignatureSet, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let registry = Registry::new(weir_standin_registry::Options::default());
        let handle = registry.start().await?;
        let client = Client::new(ClientOptions {
            plain_http: PlainHttp::Loopback,
            ..ClientOptions::default()
        })?;
        let repository: weir_oci::Repository = format!("{}/apps", handle.host()).parse()?;
        let config = client
            .push_blob(&repository, weir_oci::media_type::OCI_EMPTY, b"{}".to_vec())
            .await?;
        let manifest = weir_oci::ImageManifest::new(config, Vec::new()).to_bytes()?;
        let digest = client
            .push_manifest(&repository, None, manifest, weir_oci::media_type::OCI_MANIFEST)
            .await?;
        let key = SigningKey::generate()?;
        let signed = Target::new(repository, digest);
        sign(&client, &signed, &key, &SignOptions::at(Timestamp::UNIX_EPOCH)).await?;
        let set = find(&client, &signed).await?;
        Ok((signed, set, key.public_key().to_pem()))
    })
}

fn show(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |index: usize| times.get(index).copied().unwrap_or_default();
    let (median, best) = (at(times.len() / 2), at(0));
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "| {name} | {:.2} ms | {:.2} ms |",
        milliseconds(median),
        milliseconds(best)
    );
}

/// Reconciles of a source that nobody verifies, and of the same with an identity, in turn.
async fn reconciles() -> Result<()> {
    let ground = Ground::standin(Settings::default()).await?;
    let from: Timestamp = "2025-06-01T00:00:00Z".parse()?;
    let sigstore = Sigstore::new(from);
    let ns = "bench";
    ground.namespace(ns).await?;
    let digest = ground
        .push("apps", &files([("a.yaml", "kind: ConfigMap\n")]))
        .await?;
    let statement = serde_json::to_vec(&Statement::cosign_signature(digest))?;
    let at = from + SignedDuration::from_hours(24);
    let bundle = sigstore.sign_statement(&Holder::new(ISSUER, SUBJECT), &statement, at, Rekor::V2);
    ground.attach_bundle("apps", digest, &bundle).await?;
    ground.tag("apps", digest, "latest").await?;
    let root = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "root", "namespace": ns},
        "stringData": {"trusted_root.json": sigstore.trusted_root().to_string()}});
    ground.apply_json(root).await?;
    let spec = |verify: Value| {
        let mut spec =
            json!({"interval": "1h", "url": "oci://registry.example/apps", "ref": {"tag": "latest"}});
        if !verify.is_null() {
            spec["verify"] = verify;
        }
        spec
    };
    let verify = json!({
        "provider": "cosign",
        "matchOIDCIdentity": [{"issuer": "^https://ci\\.example$", "subject": "^https://ci\\.example/org/apps/"}],
        "trustedRootSecretRef": {"name": "root"},
    });
    let governed_ns = "bench-governed";
    ground.namespace(governed_ns).await?;
    let keyless = json!({"issuer": ISSUER, "subjectRegExp": "https://ci\\.example/org/apps/.*",
        "trustedRootSecretRef": {"name": "root", "namespace": ns}});
    let policy = json!({"apiVersion": "weir.dev/v1alpha1", "kind": "VerificationPolicy", "metadata": {"name": ns},
        "spec": {"match": [{"namespaces": {"names": [governed_ns]}}],
            "authorities": {"anyOf": [{"name": "ci", "keyless": keyless}]}}});
    ground.apply_json(policy).await?;
    let plain = ground.source_with(ns, "plain", spec(Value::Null)).await?;
    let verified = ground.source_with(ns, "verified", spec(verify)).await?;
    let governed = ground
        .source_with(governed_ns, "governed", spec(Value::Null))
        .await?;
    for source in [&plain, &verified, &governed] {
        ground.until_ready(source).await?;
    }
    let (mut without, mut with, mut under) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..RECONCILES {
        without.push(reconcile(&ground, &plain, number).await?);
        with.push(reconcile(&ground, &verified, number).await?);
        under.push(reconcile(&ground, &governed, number).await?);
    }
    let (own, policy) = (added(&with, &without), added(&under, &without));
    show("nothing is verified", without);
    show("an identity is verified, the verdict is remembered", with);
    show("a policy of the cluster asks for it", under);
    println!("| added by `verify` (wanted: less than 1 ms) | {own:.2} ms | |");
    println!("| added by the policy (wanted: less than 1 ms) | {policy:.2} ms | |");
    Ok(())
}

/// The median of what one took longer than the other right before it, in milliseconds, since the machine is not the same all the time.
fn added(with: &[Duration], without: &[Duration]) -> f64 {
    let pairs = with.iter().zip(without);
    let mut added: Vec<f64> = pairs
        .map(|(with, without)| (with.as_secs_f64() - without.as_secs_f64()) * 1000.0)
        .collect();
    added.sort_by(f64::total_cmp);
    added.get(added.len() / 2).copied().unwrap_or_default()
}

/// From the request to the status that says that it was handled.
async fn reconcile(ground: &Ground, source: &ObjectRef, number: usize) -> Result<Duration> {
    let token = format!("bench-{number}");
    let patch = json!({"metadata": {"annotations": {key::REQUESTED_AT: token}}});
    let begun = Instant::now();
    ground.client.merge(source, &patch, "administrator").await?;
    loop {
        let live = ground.get(source).await?;
        let handled = live.get(&["status", "lastHandledReconcileAt"]);
        if handled.and_then(Value::as_str) == Some(token.as_str()) {
            return Ok(begun.elapsed());
        }
        ensure!(
            begun.elapsed() < Duration::from_secs(30),
            "{source} is not reconciled"
        );
        tokio::task::yield_now().await;
    }
}

/// `weir publish` of new content each time: pushed, signed with an identity, recorded, verified, tagged.
async fn publications() -> Result<()> {
    let registry = Registry::new(weir_standin_registry::Options::default());
    let handle = registry.start().await?;
    let server = Server::start(
        Timestamp::now() - SignedDuration::from_hours(1),
        Options::default(),
    )
    .await?;
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name);
    let text = |path: std::path::PathBuf| path.to_str().map(str::to_owned).context("UTF-8");
    let (config, root, content) = (text(file("config"))?, text(file("root"))?, text(file("content"))?);
    std::fs::write(&config, server.sigstore().signing_config(Rekor::V2).to_string())?;
    std::fs::write(&root, server.sigstore().trusted_root().to_string())?;
    std::fs::create_dir(&content)?;
    let to = format!("oci://{}/apps", handle.host());
    let mut times = Vec::new();
    for number in 0..PUBLICATIONS {
        write_tree(&file("content"), number)?;
        let revision = format!("main@sha1:{number}");
        let holder = Holder::new(ISSUER, SUBJECT);
        let token = server.sigstore().token(&holder, Timestamp::now());
        let (io, printed) = Io::captured();
        let mut io = io
            .with_env("SIGSTORE_ID_TOKEN", &token)
            .with_clock(Arc::new(Timestamp::now));
        let origin = ["--source", "https://git.example/apps", "--revision", &revision];
        let keyless = ["--keyless", "--signing-config", &config, "--trusted-root", &root];
        let named = [
            "--certificate-identity",
            SUBJECT,
            "--certificate-oidc-issuer",
            ISSUER,
        ];
        let args = ["weir", "publish", &content, "--to", &to, "--tag", "latest"];
        let args = [args.as_slice(), &origin, &keyless, &named].concat();
        let begun = Instant::now();
        let exit = weir_cli::run(args, &mut io).await;
        times.push(begun.elapsed());
        ensure!(exit == Exit::Success, "{}", printed.stderr());
    }
    show("with an identity (wanted: less than 300 ms)", times);
    Ok(())
}

/// A tree of a hundred files that no compressor makes much smaller, others for each number.
fn write_tree(folder: &std::path::Path, number: usize) -> Result<()> {
    const FILES: usize = 100;
    let mut state = Digest::of(&number.to_be_bytes());
    for index in 0..FILES {
        let mut content = "data: ".to_owned();
        while content.len() < TREE / FILES {
            state = Digest::of(state.to_string().as_bytes());
            content.push_str(&state.hex());
        }
        content.push('\n');
        std::fs::write(folder.join(format!("{index}.yaml")), content)?;
    }
    Ok(())
}
