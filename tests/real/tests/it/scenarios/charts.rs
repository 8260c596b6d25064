//! Charts and where they come from.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use weir_apis::condition::{Conditions, READY, STALLED, Status};
use weir_apis::{Object, ObjectRef};
use weir_charts::Tgz;
use weir_helm::Chart;
use weir_real::{ChartServer, Ground, object, web};
use weir_trust::SigningKey;
use weir_verify::Layout;

const API: &str = "source.toolkit.fluxcd.io/v1";

async fn repository(ground: &Ground, ns: &str, spec: Value) -> Result<ObjectRef> {
    let value = json!({"apiVersion": API, "kind": "HelmRepository",
        "metadata": {"name": "charts", "namespace": ns}, "spec": spec});
    Ok(ground.apply_json(value).await?.reference())
}

/// A chart `web` of the repository `charts`, with these fields besides.
async fn chart(ground: &Ground, ns: &str, fields: Value) -> Result<ObjectRef> {
    let mut spec = json!({"interval": "1h", "chart": "web",
        "sourceRef": {"kind": "HelmRepository", "name": "charts"}});
    for (field, value) in fields.as_object().context("fields must be an object")? {
        spec[field] = value.clone();
    }
    let value = json!({"apiVersion": API, "kind": "HelmChart",
        "metadata": {"name": "web", "namespace": ns}, "spec": spec});
    Ok(ground.apply_json(value).await?.reference())
}

fn status<'o>(live: &'o Object, path: &[&str]) -> &'o str {
    let mut full = vec!["status"];
    full.extend(path);
    live.get(&full).and_then(Value::as_str).unwrap_or_default()
}

fn ready(live: &Object) -> (String, String) {
    let conditions = Conditions::of(live);
    let found = conditions.get(READY);
    found.map_or_else(Default::default, |c| (c.reason.clone(), c.message.clone()))
}

pub(crate) async fn an_index_is_stored_and_a_chart_follows_it(ground: &Ground) -> Result<()> {
    let ns = "charts-http";
    ground.namespace(ns).await?;
    let server = ChartServer::start().await?;
    let first = server.publish(&["0.9.0", "1.0.0", "1.1.0-rc.1", "2.0.0"])?;
    // The chart comes first, and waits for its repository.
    let chart = chart(ground, ns, json!({"version": "1.x"})).await?;
    ground
        .until_condition(&chart, READY, Status::False, "SourceUnavailable")
        .await?;
    let source = repository(ground, ns, json!({"interval": "1h", "url": server.url})).await?;
    let live = ground.until_ready(&source).await?;
    ensure!(
        status(&live, &["artifact", "revision"]) == first.to_string(),
        "{live:?}"
    );
    let path = format!("helmrepository/{ns}/charts/index-{}.yaml", first.hex());
    ensure!(status(&live, &["artifact", "path"]) == path, "{live:?}");
    ensure!(
        status(&live, &["url"]).ends_with(&format!("helmrepository/{ns}/charts/index.yaml")),
        "{live:?}"
    );
    ensure!(
        ready(&live).1 == format!("stored artifact: revision '{first}'"),
        "{:?}",
        ready(&live)
    );
    let stored: Value = serde_json::from_slice(&ground.stored(&path)?)?;
    ensure!(stored["entries"]["web"][0]["version"] == "2.0.0", "{stored}");

    let live = ground.until_ready(&chart).await?;
    let expected = (
        "ChartPullSucceeded".to_owned(),
        "pulled 'web' chart with version '1.0.0'".to_owned(),
    );
    ensure!(ready(&live) == expected, "{:?}", ready(&live));
    ensure!(status(&live, &["artifact", "revision"]) == "1.0.0", "{live:?}");
    ensure!(
        status(&live, &["artifact", "path"]) == format!("helmchart/{ns}/web/web-1.0.0.tgz"),
        "{live:?}"
    );
    ensure!(status(&live, &["observedChartName"]) == "web", "{live:?}");
    ensure!(
        status(&live, &["observedSourceArtifactRevision"]) == first.to_string(),
        "{live:?}"
    );
    ensure!(
        ground.stored(status(&live, &["artifact", "path"]))? == web("1.0.0")?,
        "other bytes"
    );

    // A new index wakes the chart.
    server.publish(&["1.0.0", "1.2.0"])?;
    ground.reconcile(&source).await?;
    ground
        .until(&chart, |live| status(live, &["artifact", "revision"]) == "1.2.0")
        .await?;
    let live = ground.until_ready(&chart).await?;
    ensure!(
        Conditions::of(&live).get("ArtifactOutdated").is_none(),
        "{live:?}"
    );

    // What cannot be read leaves what is there in use.
    server.put("/index.yaml", "<html>");
    ground.reconcile(&source).await?;
    let message = ground
        .until_condition(&source, READY, Status::False, "IndexationFailed")
        .await?;
    ensure!(message.contains("failed to load Helm repository"), "{message}");
    ensure!(!status(&ground.get(&source).await?, &["artifact", "revision"]).is_empty());

    for gone in [&chart, &source] {
        ground
            .client
            .delete(gone, weir_cluster::Propagation::Background, None)
            .await?;
        ground.until_gone(gone).await?;
    }
    ensure!(ground.stored(&path).is_err(), "the index is still stored");
    Ok(())
}

pub(crate) async fn values_files_become_a_charts_defaults(ground: &Ground) -> Result<()> {
    let ns = "charts-values";
    ground.namespace(ns).await?;
    let server = ChartServer::start().await?;
    server.publish(&["1.0.0"])?;
    repository(ground, ns, json!({"interval": "1h", "url": server.url})).await?;
    let files = json!({"valuesFiles": ["values.yaml", "values-red.yaml"]});
    let made = chart(ground, ns, files).await?;
    let live = ground.until_ready(&made).await?;
    let version = format!("1.0.0+{}", live.generation());
    let expected = (
        "ChartPackageSucceeded".to_owned(),
        format!(
            "packaged 'web' chart with version '{version}' and merged values files [values.yaml values-red.yaml]"
        ),
    );
    ensure!(ready(&live) == expected, "{:?}", ready(&live));
    let stored = Chart::from_archive(&ground.stored(status(&live, &["artifact", "path"]))?, &Tgz)?;
    ensure!(stored.metadata.version == version, "{}", stored.metadata.version);
    let values = json!(stored.values.as_deref());
    // Numbers are floats to Helm.
    ensure!(
        values == json!({"colour": "red", "size": {"width": 1.0, "height": 3.0}}),
        "{values}"
    );

    let missing = json!({"valuesFiles": ["values-none.yaml"]});
    chart(ground, ns, missing).await?;
    let message = ground
        .until_condition(&made, STALLED, Status::True, "ValuesFilesError")
        .await?;
    ensure!(
        message.contains("no values file found at path 'values-none.yaml'"),
        "{message}"
    );
    let ignoring =
        json!({"valuesFiles": ["values-none.yaml", "values-red.yaml"], "ignoreMissingValuesFiles": true});
    chart(ground, ns, ignoring).await?;
    let live = ground.until_ready(&made).await?;
    let used = live.get(&["status", "observedValuesFiles"]);
    ensure!(used == Some(&json!(["values-red.yaml"])), "{used:?}");
    ensure!(
        ready(&live)
            .1
            .ends_with("and merged values files [values-red.yaml]"),
        "{:?}",
        ready(&live)
    );
    Ok(())
}

pub(crate) async fn n22_a_chart_of_a_registry_is_taken_by_the_digest_that_was_verified(
    ground: &Ground,
) -> Result<()> {
    let ns = "charts-oci";
    ground.namespace(ns).await?;
    let key = SigningKey::generate()?;
    let keys = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": ns},
        "stringData": {"cosign.pub": key.public_key().to_pem()}});
    ground.apply_json(keys).await?;
    let url = format!("oci://registry.example/{ns}");
    let source = repository(ground, ns, json!({"type": "oci", "url": url})).await?;
    ground.push_web(ns, "1.0.0").await?;
    let unsigned = ground.push_web(ns, "1.1.0").await?;
    let spec = json!({"version": ">=1.0.0", "verify": {"provider": "cosign", "secretRef": {"name": "keys"}}});
    let made = chart(ground, ns, spec).await?;
    ground
        .until_condition(&made, "BuildFailed", Status::True, "ChartVerificationError")
        .await?;
    let message = ground
        .until_condition(&made, READY, Status::False, "VerificationError")
        .await?;
    ensure!(
        message.contains("failed to verify the signature using provider 'cosign'"),
        "{message}"
    );
    ensure!(ground.get(&made).await?.get(&["status", "artifact"]).is_none());

    ground
        .sign(&format!("{ns}/web"), unsigned, &key, Layout::Bundle)
        .await?;
    ground.reconcile(&made).await?;
    let live = ground.until_ready(&made).await?;
    ensure!(status(&live, &["artifact", "revision"]) == "1.1.0", "{live:?}");
    let verified = Conditions::of(&live)
        .get("SourceVerified")
        .map(|c| c.message.clone());
    let expected = format!("verified signature of version 1.1.0@{unsigned}");
    ensure!(
        verified
            .as_deref()
            .is_some_and(|text| text.starts_with(&expected)),
        "{verified:?}"
    );

    // The tag of a stored version moves to what nobody has signed: that is noticed, and what is stored stays.
    let other = ground.push_web(ns, "1.0.0").await?;
    ground.owner.tamper_tag(&format!("{ns}/web"), "1.1.0", other);
    ground.reconcile(&made).await?;
    let message = ground
        .until_condition(&made, READY, Status::False, "VerificationError")
        .await?;
    ensure!(message.contains(&other.to_string()), "{message}");
    let live = ground.get(&made).await?;
    ensure!(
        ground.stored(status(&live, &["artifact", "path"]))? == web("1.1.0")?,
        "other bytes"
    );

    // The repository itself is static.
    let live = ground.get(&source).await?;
    ensure!(live.finalizers().next().is_none(), "{live:?}");
    ensure!(live.get(&["status", "conditions"]).is_none(), "{live:?}");
    Ok(())
}

/// Waits until an object stalls with this reason and these words: of several in a row, the earlier ones may still be there.
async fn until_stalled(ground: &Ground, object: &ObjectRef, reason: &str, words: &str) -> Result<()> {
    let stalls = |live: &Object| {
        let conditions = Conditions::of(live);
        let found = conditions.get(STALLED);
        found.is_some_and(|c| c.status == Status::True && c.reason == reason && c.message.contains(words))
    };
    ground.until(object, stalls).await.map(drop)
}

pub(crate) async fn what_cannot_be_is_refused_with_the_reason(ground: &Ground) -> Result<()> {
    let ns = "charts-refused";
    ground.namespace(ns).await?;
    let server = ChartServer::start().await?;
    server.publish(&["1.0.0"])?;
    let source = repository(ground, ns, json!({"interval": "1h", "url": server.url})).await?;
    ground.until_ready(&source).await?;
    let made = chart(ground, ns, json!({})).await?;
    ground.until_ready(&made).await?;
    for (fields, reason, expected) in [
        (
            json!({"version": "9.x"}),
            "InvalidChartReference",
            "no 'web' chart with version matching '9.x' found",
        ),
        (
            json!({"chart": "../web"}),
            "InvalidChartReference",
            "invalid chart name '../web'",
        ),
        (
            json!({"chart": "none"}),
            "InvalidChartReference",
            "no chart name found",
        ),
        (
            json!({"version": "one"}),
            "InvalidChartReference",
            "improper constraint",
        ),
        (
            json!({"sourceRef": {"kind": "GitRepository", "name": "x"}}),
            "UnsupportedSourceKind",
            "charts from a GitRepository are not built yet",
        ),
        (
            json!({"verify": {"provider": "cosign"}}),
            "VerificationError",
            "carry no signatures",
        ),
    ] {
        chart(ground, ns, fields).await?;
        until_stalled(ground, &made, reason, expected).await?;
        ensure!(!status(&ground.get(&made).await?, &["artifact", "revision"]).is_empty());
    }

    // Other bytes than the index promises.
    server.put("/web-1.0.0.tgz", web("1.0.1")?);
    chart(ground, ns, json!({"ignoreMissingValuesFiles": true})).await?;
    let message = ground
        .until_condition(&made, READY, Status::False, "ChartPullError")
        .await?;
    ensure!(message.contains("as the index says"), "{message}");

    for (spec, reason, expected) in [
        (
            json!({"url": "oci://registry.example/x"}),
            "URLInvalid",
            "set spec.type to 'oci'",
        ),
        (
            json!({"url": "http://169.254.169.254/x"}),
            "URLInvalid",
            "link-local",
        ),
        (
            json!({"url": server.url, "provider": "aws"}),
            "FeatureGateDisabled",
            "'aws' is not built yet",
        ),
    ] {
        repository(ground, ns, spec).await?;
        until_stalled(ground, &source, reason, expected).await?;
    }
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": ns},
        "stringData": {"username": "me"}});
    ground.apply_json(secret).await?;
    repository(
        ground,
        ns,
        json!({"url": server.url, "secretRef": {"name": "login"}}),
    )
    .await?;
    let message = ground
        .until_condition(&source, READY, Status::False, "AuthenticationFailed")
        .await?;
    ensure!(message.contains("has no 'password'"), "{message}");
    ensure!(ground.get(&object("v1", "Secret", ns, "login")).await.is_ok());
    Ok(())
}
