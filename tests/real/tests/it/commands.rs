//! Commands that need a whole cluster: the demo, and installing the controllers.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use weir_apis::{GroupVersionKind, ObjectRef};
use weir_cli::{Captured, Exit, Io};
use weir_control_plane::tools;
use weir_real::{Ground, object};

use crate::settings;

/// Runs `weir`, until `stop` where it would go on.
async fn weir(
    args: &[&str],
    stop: impl Future<Output = ()> + Send + 'static,
    printed: &mut Option<Captured>,
) -> Result<Exit> {
    let (io, captured) = Io::captured();
    *printed = Some(captured);
    let args: Vec<&str> = std::iter::once("weir").chain(args.iter().copied()).collect();
    Ok(weir_cli::run(args, &mut io.until(stop)).await)
}

/// Runs `weir` to its end. Standard output, which must be of a success.
async fn done(args: &[&str]) -> Result<String> {
    let mut printed = None;
    let exit = weir(args, std::future::pending(), &mut printed).await?;
    let printed = printed.context("nothing was printed")?;
    ensure!(
        exit == Exit::Success,
        "weir {args:?}: {exit:?}\n{}{}",
        printed.stdout(),
        printed.stderr()
    );
    Ok(printed.stdout())
}

fn titles(story: &str) -> Result<Vec<String>> {
    let story: Value = serde_json::from_str(story)?;
    let steps = story["steps"].as_array().context("no steps")?;
    Ok(steps
        .iter()
        .map(|step| step["title"].as_str().unwrap_or_default().to_owned())
        .collect())
}

/// What a step, found by a word of its title, tells under `what`.
fn fact(story: &str, title: &str, what: &str) -> Result<String> {
    let story: Value = serde_json::from_str(story)?;
    let steps = story["steps"].as_array().into_iter().flatten();
    let mut steps = steps.filter(|step| step["title"].as_str().is_some_and(|text| text.contains(title)));
    let facts = steps
        .next()
        .and_then(|step| step["facts"].as_array())
        .with_context(|| format!("no step {title}"))?;
    let fact = facts.iter().find(|fact| fact["what"] == what);
    let value = fact.and_then(|fact| fact["value"].as_str());
    Ok(value
        .with_context(|| format!("{title} tells no {what}"))?
        .to_owned())
}

fn namespace(name: &str) -> ObjectRef {
    object("v1", "Namespace", "", name)
}

fn definitions() -> Vec<ObjectRef> {
    let names = weir_apis::crd::all();
    let names = names
        .iter()
        .filter_map(|definition| definition["metadata"]["name"].as_str());
    let gvk = GroupVersionKind::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    names.map(|name| ObjectRef::new(gvk.clone(), "", name)).collect()
}

/// A definition whose storage is not up yet is tried again after pauses that double: on a busy machine half a minute.
async fn until_gone(ground: &Ground, reference: &ObjectRef) -> Result<()> {
    ground.until_gone_within(reference, Duration::from_mins(2)).await
}

/// Takes away the definitions that a ground begins with.
async fn bare(ground: &Ground) -> Result<()> {
    for definition in definitions() {
        ground
            .client
            .delete(&definition, weir_cluster::Propagation::Background, None)
            .await?;
        until_gone(ground, &definition).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_tells_the_same_story_here_and_on_a_real_cluster() -> Result<()> {
    let here = done(&["demo", "--output", "json"]).await?;
    let told = titles(&here)?;
    ensure!(told.len() == 10, "{told:?}");
    // What a person is told of the three that must not get in.
    for (title, refusal) in [
        ("unsigned", "has no signatures"),
        ("tampered", "the content has digest sha256:"),
        ("stranger", "none of the identities"),
    ] {
        let refused = fact(&here, title, "refused")?;
        ensure!(refused.contains(refusal), "{title}: {refused}");
        let runs = fact(&here, title, "runs")?;
        ensure!(runs.ends_with(", as before"), "{title}: {runs}");
    }
    if !crate::is_real_wanted("the demo on kube-apiserver") {
        return Ok(());
    }
    let ground = Ground::real_closed(settings()).await?;
    bare(&ground).await?;
    let path = ground.kubeconfig_path().context("a real one")?;
    let path = path.to_str().context("UTF-8")?;
    let there = done(&["demo", "--kubeconfig", path, "--output", "json"]).await?;
    // The first sentence names what is running where; all else is the same.
    ensure!(titles(&there)? == told, "{there}");
    for name in ["weir-system", "frontend", "backend"] {
        until_gone(&ground, &namespace(name)).await?;
    }
    for definition in definitions() {
        until_gone(&ground, &definition).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_that_is_kept_is_there_for_kubectl() -> Result<()> {
    if !crate::is_real_wanted("kubectl on a demo that is kept") {
        return Ok(());
    }
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (io, printed) = Io::captured();
    let mut io = io.until(async {
        let _asked = stopped.await;
    });
    let demo = tokio::spawn(async move { weir_cli::run(["weir", "demo", "--keep"], &mut io).await });
    let kubeconfig = loop {
        ensure!(!demo.is_finished(), "{}{}", printed.stdout(), printed.stderr());
        let said = printed.stderr();
        let line = said
            .lines()
            .find_map(|line| line.trim().strip_prefix("export KUBECONFIG="));
        if let Some(path) = line {
            break path.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let kubectl = |line: &str| -> Result<String> {
        let out = Command::new(tools::path("kubectl")?)
            .args(line.split_whitespace())
            .env("KUBECONFIG", &kubeconfig)
            .stdin(Stdio::null())
            .output()?;
        ensure!(
            out.status.success(),
            "kubectl {line}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        Ok(String::from_utf8(out.stdout)?)
    };
    let all = kubectl("get kustomizations,ocirepositories -A")?;
    ensure!(
        all.contains("kustomization.kustomize.toolkit.fluxcd.io/") && !all.contains("False"),
        "{all}"
    );
    let replicas = "-n frontend get deployment frontend -o jsonpath={.spec.replicas}";
    let before = kubectl(replicas)?;
    kubectl("-n frontend scale deployment frontend --replicas 7")?;
    let mut now = String::new();
    for _ in 0..100 {
        now = kubectl(replicas)?;
        if now == before {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    ensure!(now == before, "scaled to {now}, was {before}");
    let _sent = stop.send(());
    ensure!(demo.await? == Exit::Success, "{}", printed.stderr());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_that_is_interrupted_cleans_up() -> Result<()> {
    if !crate::is_real_wanted("a demo on kube-apiserver that is interrupted") {
        return Ok(());
    }
    let ground = Ground::real_closed(settings()).await?;
    let path = ground.kubeconfig_path().context("a real one")?;
    let path = path.to_str().context("UTF-8")?;
    let client = ground.client.clone();
    let halfway = async move {
        while !matches!(client.get(&namespace("frontend")).await, Ok(Some(_))) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut printed = None;
    let exit = weir(&["demo", "--kubeconfig", path], halfway, &mut printed).await?;
    let said = printed.context("nothing was printed")?.stderr();
    ensure!(
        exit == Exit::Failure && said.contains("interrupted"),
        "{exit:?}: {said}"
    );
    for name in ["weir-system", "frontend", "backend"] {
        until_gone(&ground, &namespace(name)).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_installed_is_accepted_and_can_be_taken_out() -> Result<()> {
    if !crate::is_real_wanted("weir install on kube-apiserver") {
        return Ok(());
    }
    let ground = Ground::real_closed(settings()).await?;
    bare(&ground).await?;
    let path = ground.kubeconfig_path().context("a real one")?;
    let path = path.to_str().context("UTF-8")?;
    let image = "registry.example/weir:1";

    // kubectl sends what is exported, and the API server knows every field.
    let exported = done(&["install", "--image", image, "--export"]).await?;
    let mut kubectl = Command::new(tools::path("kubectl")?)
        .args(["apply", "--server-side", "--validate=strict", "-f", "-"])
        .env("KUBECONFIG", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    std::io::Write::write_all(
        &mut kubectl.stdin.take().context("no input")?,
        exported.as_bytes(),
    )?;
    let out = kubectl.wait_with_output()?;
    ensure!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let said = done(&[
        "install",
        "--image",
        image,
        "--kubeconfig",
        path,
        "--output",
        "json",
    ])
    .await?;
    let said: Value = serde_json::from_str(&said)?;
    let applied = said["applied"].as_array().context("nothing was applied")?.len();
    ensure!(applied == exported.matches("\nkind: ").count(), "{said}");
    done(&["check", "--kubeconfig", path]).await?;

    // Objects of every kind, held as a controller holds them, and something that one of them applied.
    ground.namespace("shop").await?;
    let finalizers = json!(["finalizers.fluxcd.io"]);
    let chart = json!({"kind": "OCIRepository", "name": "apps"});
    for (api_version, kind, spec) in [
        (
            "source.toolkit.fluxcd.io/v1",
            "OCIRepository",
            json!({"interval": "1h", "url": "oci://registry.example/a"}),
        ),
        (
            "source.toolkit.fluxcd.io/v1",
            "HelmRepository",
            json!({"interval": "1h", "url": "https://registry.example/a"}),
        ),
        (
            "kustomize.toolkit.fluxcd.io/v1",
            "Kustomization",
            json!({"interval": "1h", "prune": true, "sourceRef": chart}),
        ),
        (
            "helm.toolkit.fluxcd.io/v2",
            "HelmRelease",
            json!({"interval": "1h", "chartRef": chart}),
        ),
    ] {
        let held = json!({"apiVersion": api_version, "kind": kind, "spec": spec,
            "metadata": {"name": "apps", "namespace": "shop", "finalizers": finalizers}});
        ground.apply_json(held).await?;
    }
    ground
        .apply_json(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept", "namespace": "shop",
            "labels": {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "shop"}}}))
        .await?;
    let said = done(&["uninstall", "--kubeconfig", path, "--output", "json"]).await?;
    let said: Value = serde_json::from_str(&said)?;
    ensure!(
        said["deleted"].as_array().map(Vec::len) == Some(applied),
        "{said}"
    );
    for definition in definitions() {
        until_gone(&ground, &definition).await?;
    }
    until_gone(&ground, &namespace("weir-system")).await?;
    ground.get(&object("v1", "ConfigMap", "shop", "kept")).await?;
    Ok(())
}
