//! Policies that let a source go forward only (security case N26). What they take is made by `weir publish`, `weir promote` and
//! `weir rollback`.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use weir_apis::condition::{Conditions, READY, Status};
use weir_apis::{Object, ObjectRef};
use weir_cli::{Exit, Io};
use weir_cluster::Propagation;
use weir_oci::{Digest, Tag};
use weir_real::{Files, Ground, files};
use weir_trust::SigningKey;
use weir_verify::Layout;

use super::text::config;

const KEY: &str = include_str!("../../../../../crates/ports/trust/tests/cases/keys/plain-p256.pem");

fn tree(ns: &str, colour: &str) -> Files {
    files([("a.yaml", &config(ns, "settings", colour))])
}

/// Runs a command that moves tags in the ground's registry; what it says as data.
async fn weir(ground: &Ground, args: &[&str]) -> Result<Value> {
    let (io, printed) = Io::captured();
    let mut io = io.with_env("SIGNING_KEY", KEY).with_env("USER", "alice");
    let mirror = format!("registry.example=http://{}", ground.registry_host());
    let more = [
        "--key",
        "env://SIGNING_KEY",
        "--registry-mirror",
        &mirror,
        "-o",
        "json",
    ];
    let args: Vec<&str> = std::iter::once(&"weir")
        .chain(args)
        .chain(&more)
        .copied()
        .collect();
    let exit = weir_cli::run(args.clone(), &mut io).await;
    ensure!(
        exit == Exit::Success,
        "{args:?}: {}{}",
        printed.stdout(),
        printed.stderr()
    );
    Ok(serde_json::from_str(&printed.stdout())?)
}

/// Publishes a tree under tags.
pub(crate) async fn publish(ground: &Ground, name: &str, colour: &str, tags: &[&str]) -> Result<Digest> {
    let folder = tempfile::tempdir()?;
    for (path, content) in tree(name, colour) {
        std::fs::write(folder.path().join(path), content)?;
    }
    let path = folder.path().to_str().context("the path is no UTF-8")?;
    let url = format!("oci://registry.example/{name}");
    let mut args = vec![
        "publish",
        path,
        "--to",
        &url,
        "--source",
        "s",
        "--revision",
        colour,
    ];
    for tag in tags {
        args.extend(["--tag", tag]);
    }
    let said = weir(ground, &args).await?;
    Ok(said["digest"].as_str().context("no digest")?.parse()?)
}

/// A policy called like the namespace that lets its sources go forward only.
pub(crate) async fn policy(ground: &Ground, ns: &str, mode: &str) -> Result<ObjectRef> {
    let key = SigningKey::from_pem(KEY, None)?;
    ground
        .apply_json(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": ns},
            "stringData": {"cosign.pub": key.public_key().to_pem()}}),
        )
        .await?;
    let spec = json!({"mode": mode, "monotonic": true, "match": [{"namespaces": {"names": [ns]}}],
        "authorities": {"anyOf": [{"name": "ci", "key": {"secretRef": {"name": "keys", "namespace": ns}}}]}});
    let value = json!({"apiVersion": "weir.dev/v1alpha1", "kind": "VerificationPolicy", "metadata": {"name": ns}, "spec": spec});
    let rule = ground.apply_json(value).await?.reference();
    ground.until_ready(&rule).await?;
    Ok(rule)
}

async fn clear(ground: &Ground, objects: &[&ObjectRef]) -> Result<()> {
    for reference in objects {
        ground
            .client
            .delete(reference, Propagation::Background, None)
            .await?;
        ground.until_gone(reference).await?;
    }
    Ok(())
}

fn artifact<'o>(live: &'o Object, path: &[&str]) -> &'o str {
    let path: Vec<&str> = ["status", "artifact"].iter().chain(path).copied().collect();
    live.get(&path).and_then(Value::as_str).unwrap_or_default()
}

/// Waits until a source has stored this, being at a record of this number; an empty one is none.
pub(crate) async fn until_at(
    ground: &Ground,
    source: &ObjectRef,
    digest: Digest,
    sequence: &str,
) -> Result<Object> {
    let digest = digest.to_string();
    let is_there = |live: &Object| {
        artifact(live, &["revision"]).contains(&digest)
            && artifact(live, &["metadata", "weir.dev/sequence"]) == sequence
            && Conditions::of(live).is(READY, Status::True)
    };
    ground
        .until(source, is_there)
        .await
        .with_context(|| format!("at {digest}, record {sequence:?}"))
}

/// Asks for a reconcile, and waits until it says no in these words; what is stored stays.
pub(crate) async fn until_refused(
    ground: &Ground,
    source: &ObjectRef,
    words: &str,
    stored: Option<Digest>,
) -> Result<String> {
    ground.reconcile(source).await?;
    let said = |live: &Object| {
        let conditions = Conditions::of(live);
        let verified = conditions
            .get("SourceVerified")
            .filter(|c| c.status == Status::False);
        verified.map(|c| c.message.clone()).unwrap_or_default()
    };
    let live = ground
        .until(source, |live| {
            said(live).contains(words) && Conditions::of(live).is(READY, Status::False)
        })
        .await
        .with_context(|| format!("refused, saying {words:?}"))?;
    let kept = artifact(&live, &["revision"]);
    let expected = stored.map(|digest| digest.to_string()).unwrap_or_default();
    ensure!(
        kept.ends_with(&expected) && kept.is_empty() == expected.is_empty(),
        "{kept}"
    );
    Ok(said(&live))
}

pub(crate) async fn n26_a_tag_goes_forward_only_whatever_the_registry_answers(ground: &Ground) -> Result<()> {
    let ns = "monotonic";
    ground.namespace(ns).await?;
    let rule = policy(ground, ns, "enforce").await?;
    let url = format!("oci://registry.example/{ns}");

    // A good signature alone says nothing of the tag.
    let plain = ground.publish(ns, "latest", &tree(ns, "grey")).await?;
    let key = SigningKey::from_pem(KEY, None)?;
    ground.sign(ns, plain, &key, Layout::Bundle).await?;
    let source = ground.source(ns, ns).await?;
    let said = until_refused(ground, &source, "move the tag with `weir publish`", None).await?;
    ensure!(
        said.contains(&format!(
            "refused by policy '{ns}': it must go forward only, and no promotion record"
        )),
        "{said}"
    );

    let one = publish(ground, ns, "blue", &["latest"]).await?;
    ground.reconcile(&source).await?;
    let live = until_at(ground, &source, one, "1").await?;
    let said = Conditions::of(&live)
        .get("SourceVerified")
        .map(|c| c.message.clone());
    ensure!(
        said.as_ref()
            .is_some_and(|said| said.ends_with("; latest is at record 1 (publish)")),
        "{said:?}"
    );
    let two = publish(ground, ns, "green", &["latest"]).await?;
    ground.reconcile(&source).await?;
    until_at(ground, &source, two, "2").await?;

    // The registry answers with what was there before, which is signed as well as ever.
    ground.tag(ns, one, "latest").await?;
    until_refused(ground, &source, "by record 1, before record 2", Some(two)).await?;
    ground.tag(ns, plain, "latest").await?;
    until_refused(ground, &source, "after record 2", Some(two)).await?;

    // Going back on purpose.
    ground.tag(ns, two, "latest").await?;
    weir(
        ground,
        &["rollback", &url, "--tag", "latest", "--reason", "it is green"],
    )
    .await?;
    ground.reconcile(&source).await?;
    until_at(ground, &source, one, "3").await?;
    ground.tag(ns, two, "latest").await?;
    until_refused(
        ground,
        &source,
        "is held back from latest: rolled back by alice",
        Some(one),
    )
    .await?;
    ground.tag(ns, one, "latest").await?;

    // Another tag has numbers of its own, and `latest` goes on with its.
    let three = publish(ground, ns, "red", &["latest"]).await?;
    ground.reconcile(&source).await?;
    until_at(ground, &source, three, "4").await?;
    weir(ground, &["promote", &url, "--from", "latest", "--to", "stable"]).await?;
    let patch = json!({"spec": {"ref": {"tag": "stable"}}});
    ground.client.merge(&source, &patch, "administrator").await?;
    let live = until_at(ground, &source, three, "1").await?;
    ensure!(artifact(&live, &["revision"]).starts_with("stable@"));
    clear(ground, &[&rule, &source]).await
}

pub(crate) async fn n26_a_version_goes_up_only_but_for_a_held_rollback(ground: &Ground) -> Result<()> {
    let ns = "monotonic-versions";
    ground.namespace(ns).await?;
    let rule = policy(ground, ns, "enforce").await?;
    let url = format!("oci://registry.example/{ns}");
    let one = publish(ground, ns, "blue", &["1.0.0"]).await?;
    let spec = json!({"interval": "1h", "url": url, "ref": {"semver": ">=1.0.0"}});
    let source = ground.source_with(ns, ns, spec).await?;
    until_at(ground, &source, one, "1").await?;
    let two = publish(ground, ns, "green", &["1.1.0"]).await?;
    ground.reconcile(&source).await?;
    until_at(ground, &source, two, "1").await?;

    // A registry that knows the newer version no more; and one that gives its tag to the older artifact.
    let (repository, tag) = (ground.repository(ns)?, Tag::new("1.1.0")?);
    ground.registry.delete_tag(&repository, &tag).await?;
    until_refused(ground, &source, "version 1.0.0 is lower than 1.1.0", Some(two)).await?;
    ground.tag(ns, one, "1.1.0").await?;
    until_refused(ground, &source, "version 1.1.0 is sha256:", Some(two)).await?;
    // A version without a record, where there were records before.
    ground.tag(ns, one, "1.2.0").await?;
    until_refused(
        ground,
        &source,
        "no promotion record by the policy's authorities says that 1.2.0",
        Some(two),
    )
    .await?;
    ground
        .registry
        .delete_tag(&repository, &Tag::new("1.2.0")?)
        .await?;

    ground.tag(ns, two, "1.1.0").await?;
    let back = [
        "rollback",
        &url,
        "--tag",
        "1.1.0",
        "--to",
        "1.0.0",
        "--reason",
        "it is green",
    ];
    weir(ground, &back).await?;
    ground.reconcile(&source).await?;
    until_at(ground, &source, one, "2").await?;
    // With the tag gone it is the same artifact under the lower version.
    ground.registry.delete_tag(&repository, &tag).await?;
    ground.reconcile(&source).await?;
    let live = ground.until_ready(&source).await?;
    ensure!(artifact(&live, &["revision"]).ends_with(&one.to_string()));
    let three = publish(ground, ns, "red", &["1.1.1"]).await?;
    ground.reconcile(&source).await?;
    until_at(ground, &source, three, "1").await?;
    clear(ground, &[&rule, &source]).await
}

pub(crate) async fn n26_a_chart_s_version_goes_up_only(ground: &Ground) -> Result<()> {
    let ns = "monotonic-chart";
    ground.namespace(ns).await?;
    let key = SigningKey::from_pem(KEY, None)?;
    for version in ["1.0.0", "1.1.0"] {
        let digest = ground.push_web(ns, version).await?;
        ground
            .sign(&format!("{ns}/web"), digest, &key, Layout::Bundle)
            .await?;
    }
    let repository = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
        "metadata": {"name": "registry", "namespace": ns},
        "spec": {"type": "oci", "url": format!("oci://registry.example/{ns}")}});
    ground.apply_json(repository).await?;
    let chart = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmChart",
        "metadata": {"name": "web", "namespace": ns}, "spec": {"interval": "1h", "chart": "web", "version": ">=1.0.0",
            "sourceRef": {"kind": "HelmRepository", "name": "registry"}}});
    let chart = ground.apply_json(chart).await?.reference();
    ground.until_ready(&chart).await?;
    // It stands where it was before there was a policy. No record is needed: versions have an order.
    let rule = policy(ground, ns, "enforce").await?;
    let live = ground
        .until(&chart, |live| {
            artifact(live, &["metadata", "weir.dev/standing"]).contains("1.1.0")
        })
        .await?;
    ensure!(artifact(&live, &["revision"]) == "1.1.0");
    let repository = ground.repository(&format!("{ns}/web"))?;
    ground
        .registry
        .delete_tag(&repository, &Tag::new("1.1.0")?)
        .await?;
    ground.reconcile(&chart).await?;
    let refused = |live: &Object| {
        let conditions = Conditions::of(live);
        let verified = conditions.get("SourceVerified");
        verified.is_some_and(|c| {
            c.status == Status::False && c.message.contains("version 1.0.0 is lower than 1.1.0")
        })
    };
    let live = ground.until(&chart, refused).await?;
    ensure!(artifact(&live, &["revision"]) == "1.1.0" && Conditions::of(&live).is(READY, Status::False));
    clear(ground, &[&rule, &chart]).await
}
