//! What needs a ground of its own: other settings, another registry, an API server that checks less, or simulated time.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use weir_apis::Object;
use weir_apis::condition::{READY, STALLED, Status};
use weir_real::{Ground, docker_config, files, object};
use weir_runtime::Settings;
use weir_standin_apiserver::Fault;
use weir_standin_registry::{Auth, Options};

use crate::scenarios::helm::change;
use crate::scenarios::helm::repository::{release, repository};
use crate::scenarios::helm::sources::chart;
use crate::scenarios::text::config;
use crate::scenarios::{external, fleet, monotonic};
use crate::settings;

#[tokio::test(start_paused = true)]
async fn a_source_of_another_namespace_is_refused_where_that_is_forbidden() -> Result<()> {
    let settings = Settings {
        no_cross_namespace_refs: true,
        ..settings()
    };
    let ground = Ground::standin(settings).await?;
    ground.namespace("here").await?;
    ground.namespace("there").await?;
    let digest = ground
        .publish(
            "app",
            "latest",
            &files([("a.yaml", &config("here", "a", "blue"))]),
        )
        .await?;
    ground.source("there", "app").await?;
    let source = json!({"kind": "OCIRepository", "name": "app", "namespace": "there"});
    let applied = ground
        .kustomization("here", "app", json!({"sourceRef": source}))
        .await?;
    let message = ground
        .until_condition(&applied, STALLED, Status::True, "AccessDenied")
        .await?;
    ensure!(message.contains("cross-namespace"), "{message}");
    let settings = object("v1", "ConfigMap", "here", "a");
    ensure!(ground.client.get(&settings).await?.is_none());
    // One of its own namespace is fine.
    let own = ground.kustomization("there", "app", json!({})).await?;
    ground.until_applied(&own, digest).await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_asks_gets_the_credentials_of_the_secret() -> Result<()> {
    let auth = Auth::Basic {
        username: "robot".into(),
        password: "right".into(),
    };
    let mut ground = Ground::standin_closed(
        settings(),
        Options {
            auth,
            ..Options::default()
        },
    )
    .await?;
    ground.open().await?;
    ground.namespace("app").await?;
    let digest = ground
        .publish("app", "latest", &files([("a.yaml", &config("app", "a", "blue"))]))
        .await?;
    let secret = |password: &str| {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": "app"},
            "type": "kubernetes.io/dockerconfigjson",
            "stringData": {".dockerconfigjson": docker_config(&ground.registry_host(), "robot", password).to_string()}})
    };
    let spec = json!({"interval": "1h", "url": "oci://registry.example/app", "ref": {"tag": "latest"},
        "secretRef": {"name": "login"}});
    let source = ground.source_with("app", "app", spec).await?;
    let message = ground
        .until_condition(&source, READY, Status::False, "AuthenticationFailed")
        .await?;
    ensure!(
        message.contains("'app/login'") && message.contains("does not exist"),
        "{message}"
    );
    ground.apply_json(secret("wrong-password")).await?;
    ground.reconcile(&source).await?;
    let live = ground
        .until(&source, |live| {
            let message = weir_apis::condition::Conditions::of(live)
                .get(READY)
                .map(|c| (c.reason.clone(), c.message.clone()));
            message
                .is_some_and(|(reason, m)| reason == "AuthenticationFailed" && !m.contains("does not exist"))
        })
        .await?;
    ensure!(
        !Value::Object(live.as_map().clone())
            .to_string()
            .contains("wrong-password")
    );
    ground.apply_json(secret("right")).await?;
    ground.reconcile(&source).await?;
    ground.until_ready(&source).await?;
    let applied = ground.kustomization("app", "app", json!({})).await?;
    ground.until_applied(&applied, digest).await?;
    Ok(())
}

/// Definitions as an older or a careless cluster may have them: anything goes.
async fn check_nothing(ground: &Ground) -> Result<()> {
    for mut definition in weir_apis::crd::all() {
        let versions = definition
            .pointer_mut("/spec/versions")
            .and_then(Value::as_array_mut);
        for version in versions.context("a definition without versions")? {
            version["schema"] =
                json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
        }
        ground.apply(&Object::from_value(definition)?).await?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn n13_a_malformed_object_stops_no_other() -> Result<()> {
    let mut ground = Ground::standin_closed(settings(), Options::default()).await?;
    check_nothing(&ground).await?;
    ground.namespace("app").await?;
    let digest = ground
        .publish("app", "latest", &files([("a.yaml", &config("app", "a", "blue"))]))
        .await?;
    let object_of = |api: &str, kind: &str, name: &str, spec: Value| json!({"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "app"}, "spec": spec});
    let mut broken = Vec::new();
    for (n, interval) in [
        json!("banana"),
        json!(5),
        json!({"every": "hour"}),
        json!("99999999999999999999h"),
    ]
    .iter()
    .enumerate()
    {
        let spec =
            json!({"interval": interval, "url": "oci://registry.example/app", "ref": {"tag": "latest"}});
        let source = object_of(
            "source.toolkit.fluxcd.io/v1",
            "OCIRepository",
            &format!("broken-{n}"),
            spec,
        );
        let spec = json!({"interval": interval, "prune": true, "sourceRef": {"kind": "OCIRepository", "name": "app"}});
        let applied = object_of(
            "kustomize.toolkit.fluxcd.io/v1",
            "Kustomization",
            &format!("broken-{n}"),
            spec,
        );
        for value in [source, applied] {
            broken.push(ground.apply_json(value).await?.reference());
        }
    }
    ground.open().await?;
    ground.source("app", "app").await?;
    let applied = ground.kustomization("app", "app", json!({})).await?;
    ground.until_applied(&applied, digest).await?;
    for reference in broken {
        let message = ground
            .until_condition(&reference, STALLED, Status::True, "InvalidSpec")
            .await
            .with_context(|| reference.to_string())?;
        ensure!(
            message.contains("interval") || message.contains("malformed"),
            "{reference}: {message}"
        );
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_object_that_does_not_come_ends_the_wait_after_the_timeout() -> Result<()> {
    let ground = Ground::standin(settings()).await?;
    ground.namespace("app").await?;
    ground
        .publish("app", "latest", &files([("a.yaml", &config("app", "a", "blue"))]))
        .await?;
    ground.source("app", "app").await?;
    let absent = json!([{"kind": "Deployment", "name": "absent", "namespace": "app"}]);
    let begun = tokio::time::Instant::now();
    let fields = json!({"timeout": "45s", "retryInterval": "10m", "healthChecks": absent});
    let applied = ground.kustomization("app", "app", fields).await?;
    let message = ground
        .until_condition(&applied, READY, Status::False, "HealthCheckFailed")
        .await?;
    let took = begun.elapsed().as_secs();
    ensure!((45..50).contains(&took), "{took} s");
    ensure!(
        message.contains("after 45 s") && message.contains("Deployment/app/absent"),
        "{message}"
    );
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn n60_a_share_of_the_work_is_only_what_its_labels_say() -> Result<()> {
    let settings = Settings {
        watch_labels: "sharding.fluxcd.io/key=one".into(),
        ..settings()
    };
    let ground = Ground::standin(settings).await?;
    ground.namespace("app").await?;
    let digest = ground
        .publish("app", "latest", &files([("a.yaml", &config("app", "a", "blue"))]))
        .await?;
    let label = |reference: weir_apis::ObjectRef| {
        let patch = json!({"metadata": {"labels": {"sharding.fluxcd.io/key": "one"}}});
        let client = ground.client.clone();
        async move { client.merge(&reference, &patch, "administrator").await }
    };
    let mine = ground.source("app", "app").await?;
    let others = ground.source("app", "others").await?;
    label(mine.clone()).await?;
    ground.until_ready(&mine).await?;
    let unlabelled = ground
        .kustomization(
            "app",
            "unlabelled",
            json!({"sourceRef": {"kind": "OCIRepository", "name": "app"}}),
        )
        .await?;
    let labelled = ground.kustomization("app", "app", json!({})).await?;
    label(labelled.clone()).await?;
    ground.until_applied(&labelled, digest).await?;
    for reference in [&others, &unlabelled] {
        let live = ground.get(reference).await?;
        ensure!(
            live.get(&["status", "conditions"]).is_none() && live.finalizers().count() == 0,
            "{live:?}"
        );
    }
    // A source of another share, as its controller leaves it, is one to build from.
    let status = ground
        .get(&mine)
        .await?
        .get(&["status"])
        .cloned()
        .unwrap_or_default();
    ground
        .client
        .merge_status(&others, &json!({"status": status}), "another-share")
        .await?;
    let user = ground
        .kustomization(
            "app",
            "user",
            json!({"sourceRef": {"kind": "OCIRepository", "name": "others"}, "nameSuffix": "-user"}),
        )
        .await?;
    label(user.clone()).await?;
    ground.until_applied(&user, digest).await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn n60_a_process_kept_to_a_namespace_touches_no_other() -> Result<()> {
    let settings = Settings {
        watch_namespace: Some("mine".into()),
        ..settings()
    };
    let ground = Ground::standin(settings).await?;
    let mut applied = Vec::new();
    for ns in ["mine", "theirs"] {
        ground.namespace(ns).await?;
        let digest = ground
            .publish(ns, "latest", &files([("a.yaml", &config(ns, "a", "blue"))]))
            .await?;
        ground.source(ns, ns).await?;
        applied.push((
            ground.kustomization(ns, ns, json!({"interval": "30s"})).await?,
            digest,
        ));
    }
    ground.until_applied(&applied[0].0, applied[0].1).await?;
    let live = ground.get(&applied[1].0).await?;
    ensure!(
        live.get(&["status", "conditions"]).is_none() && live.finalizers().count() == 0,
        "{live:?}"
    );
    // Without a watch on what was applied, drift is put back at the interval.
    let edited = object("v1", "ConfigMap", "mine", "a");
    ground
        .client
        .merge(&edited, &json!({"data": {"colour": "red"}}), "somebody")
        .await?;
    ground
        .until(&edited, |live| {
            live.get(&["data", "colour"]) != Some(&json!("red"))
        })
        .await
        .map(drop)
}

#[tokio::test(start_paused = true)]
async fn charts_come_over_plain_http_only_where_that_is_allowed() -> Result<()> {
    let mut ground = Ground::standin_closed(settings(), Options::default()).await?;
    ground.refuse_plain_http()?;
    ground.open().await?;
    let ns = "plain";
    ground.namespace(ns).await?;
    ground.push_web(ns, "1.0.0").await?;
    let url = format!("oci://{}/{ns}", ground.registry_host());
    let charts = repository(&ground, ns, json!({"type": "oci", "url": url})).await?;
    let web = release(&ground, ns, "1.x").await?;
    let made = chart(ns, &format!("{ns}-web"));
    let live = ground
        .until(&made, |live| {
            weir_apis::condition::Conditions::of(live).is(READY, Status::False)
        })
        .await?;
    ensure!(live.get(&["status", "artifact"]).is_none(), "{live:?}");
    change(&ground, &charts, json!({"insecure": true})).await?;
    ground.reconcile(&made).await?;
    ground.until_revision(&web, 1).await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn n23_what_was_young_enough_once_is_looked_at_again() -> Result<()> {
    let ground = Ground::standin(settings()).await?;
    let ns = "app";
    ground.namespace(ns).await?;
    let key = weir_trust::SigningKey::generate()?;
    ground
        .apply_json(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": ns},
            "stringData": {"cosign.pub": key.public_key().to_pem()}}),
        )
        .await?;
    let spec = json!({"match": [{}], "attestations": [{"predicateType": "cyclonedx", "maxAge": "2h"}],
        "authorities": {"anyOf": [{"name": "ci", "key": {"secretRef": {"name": "keys", "namespace": ns}}}]}});
    ground
        .apply_json(
            json!({"apiVersion": "weir.dev/v1alpha1", "kind": "VerificationPolicy", "metadata": {"name": "young"},
            "spec": spec}),
        )
        .await?;
    let digest = ground
        .publish(ns, "latest", &files([("a.yaml", &config(ns, "a", "blue"))]))
        .await?;
    ground.sign(ns, digest, &key, weir_verify::Layout::Bundle).await?;
    let bom = |time: jiff::Timestamp| json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"timestamp": time.to_string()}});
    ground
        .attest(ns, digest, &key, "cyclonedx", bom(ground.now()))
        .await?;
    let spec = json!({"interval": "30m", "url": format!("oci://registry.example/{ns}")});
    let source = ground.source_with(ns, ns, spec).await?;
    let ready = ground.until_ready(&source).await?;
    let version = ready.resource_version().to_owned();

    // Looked at again and again; as long as nothing is different nothing is written, and the registry is not asked.
    let before = ground.asked_for_referrers();
    tokio::time::sleep(std::time::Duration::from_mins(100)).await;
    ensure!(ground.get(&source).await?.resource_version() == version);
    ensure!(ground.asked_for_referrers() == before);
    tokio::time::sleep(std::time::Duration::from_mins(90)).await;
    let live = ground.get(&source).await?;
    let conditions = weir_apis::condition::Conditions::of(&live);
    let message = conditions
        .get("SourceVerified")
        .map(|c| c.message.clone())
        .unwrap_or_default();
    ensure!(
        conditions.is(READY, Status::False)
            && message.contains("(metadata.timestamp), which is more than 2h ago"),
        "{message}"
    );
    // What runs is kept.
    let stored = live
        .get(&["status", "artifact", "revision"])
        .and_then(Value::as_str);
    ensure!(stored.is_some_and(|stored| stored.contains(&digest.to_string())));
    // A new one, and it is good again, without anybody's asking.
    ground
        .attest(ns, digest, &key, "cyclonedx", bom(ground.now()))
        .await?;
    tokio::time::sleep(std::time::Duration::from_mins(40)).await;
    ground.until_ready(&source).await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn n26_a_restart_forgets_no_number_and_an_audit_tells_again_and_again() -> Result<()> {
    let mut ground = Ground::standin(settings()).await?;
    let ns = "app";
    ground.namespace(ns).await?;
    let one = monotonic::publish(&ground, ns, "blue", &["latest"]).await?;
    // Stored before there was a policy: it is where the source begins.
    let source = ground.source(ns, ns).await?;
    ground.until_ready(&source).await?;
    let rule = monotonic::policy(&ground, ns, "enforce").await?;
    monotonic::until_at(&ground, &source, one, "1").await?;
    let two = monotonic::publish(&ground, ns, "green", &["latest"]).await?;
    ground.reconcile(&source).await?;
    monotonic::until_at(&ground, &source, two, "2").await?;
    if let Some(house) = ground.house.take() {
        house.stop().await;
    }
    ground.tag(ns, one, "latest").await?;
    ground.lose_store()?;
    ground.open().await?;
    monotonic::until_refused(&ground, &source, "by record 1, before record 2", Some(two)).await?;

    // In an audit it is let in, and told each time; the number is not forgotten.
    let audit = json!({"spec": {"mode": "audit"}});
    ground.client.merge(&rule, &audit, "administrator").await?;
    let concern = "would be refused by policy 'app': it must go forward only";
    for _ in 0..2 {
        ground.reconcile(&source).await?;
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        let live = monotonic::until_at(&ground, &source, one, "2").await?;
        let conditions = weir_apis::condition::Conditions::of(&live);
        let message = conditions
            .get("SourceVerified")
            .map(|c| c.message.clone())
            .unwrap_or_default();
        ensure!(message.contains(concern), "{message}");
    }
    // Nor by what is not signed at all.
    let tree = files([("a.yaml", &config(ns, "settings", "grey"))]);
    let plain = ground.publish(ns, "latest", &tree).await?;
    ground.reconcile(&source).await?;
    monotonic::until_at(&ground, &source, plain, "2").await?;
    let enforce = json!({"spec": {"mode": "enforce"}});
    ground.client.merge(&rule, &enforce, "administrator").await?;
    ground.tag(ns, one, "latest").await?;
    monotonic::until_refused(&ground, &source, "by record 1, before record 2", Some(plain)).await?;
    ground.tag(ns, two, "latest").await?;
    ground.reconcile(&source).await?;
    monotonic::until_at(&ground, &source, two, "2").await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn n45_without_the_kind_of_policies_nothing_starts_unless_that_is_said() -> Result<()> {
    for without_policies in [false, true] {
        let settings = Settings {
            without_policies,
            ..settings()
        };
        let mut ground = Ground::standin_closed(settings, Options::default()).await?;
        let kind = "CustomResourceDefinition";
        let definition = object(
            "apiextensions.k8s.io/v1",
            kind,
            "",
            "verificationpolicies.weir.dev",
        );
        ground
            .client
            .delete(&definition, weir_cluster::Propagation::Background, None)
            .await?;
        ground.until_gone(&definition).await?;
        if !without_policies {
            let error = ground.open().await.err().context("it started")?;
            ensure!(
                format!("{error:#}").contains("does not know VerificationPolicies"),
                "{error:#}"
            );
            continue;
        }
        ground.open().await?;
        ground.namespace("app").await?;
        let tree = files([("a.yaml", &config("app", "a", "blue"))]);
        let digest = ground.publish("app", "latest", &tree).await?;
        ground.source("app", "app").await?;
        let applied = ground.kustomization("app", "app", json!({})).await?;
        ground.until_applied(&applied, digest).await?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn n45_policies_that_may_not_be_listed_are_waited_for_and_that_is_told() -> Result<()> {
    let mut ground = Ground::standin_closed(settings(), Options::default()).await?;
    let server = ground.server.clone().context("the stand-in")?;
    server.set_fault_rule(Box::new(|request| {
        let refused = request.resource == "verificationpolicies";
        refused.then_some(Fault::Refuse { code: 403 })
    }));
    ground.readiness.set(true);
    let minutes = std::time::Duration::from_mins(5);
    let opened = tokio::time::timeout(minutes, ground.open()).await;
    ensure!(opened.is_err(), "it did not wait: {opened:?}");
    let blocked = ground.readiness.blocked();
    ensure!(
        blocked.is_some_and(|why| why.contains("VerificationPolicies cannot be listed"))
            && !ground.readiness.is_ready(),
        "{blocked:?}"
    );
    // Once it is allowed, what waits goes on by itself.
    let granted = async {
        tokio::time::sleep(minutes).await;
        server.clear_fault_rule();
    };
    let (opened, ()) = tokio::join!(tokio::time::timeout(minutes * 2, ground.open()), granted);
    opened.context("it still waits")??;
    ensure!(ground.readiness.is_ready(), "{:?}", ground.readiness.blocked());
    Ok(())
}

fn closed() -> Settings {
    Settings {
        no_cross_namespace_refs: true,
        ..settings()
    }
}

#[tokio::test(start_paused = true)]
async fn n50_another_tenant_s_source_is_not_built_from_on_the_stand_in() -> Result<()> {
    let ground = Ground::standin(closed()).await?;
    fleet::n50_another_tenant_s_source_is_not_built_from(&ground).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n50_another_tenant_s_source_is_not_built_from_on_kube_apiserver() -> Result<()> {
    if !crate::is_real_wanted("another tenant's source on kube-apiserver") {
        return Ok(());
    }
    let ground = Ground::real(closed()).await?;
    fleet::n50_another_tenant_s_source_is_not_built_from(&ground).await
}

fn open() -> Settings {
    Settings {
        external_artifacts: true,
        ..settings()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_offer_is_built_from_on_the_stand_in() -> Result<()> {
    let ground = Ground::standin(open()).await?;
    external::what_others_offer_is_built_from(&ground).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_offer_is_built_from_on_kube_apiserver() -> Result<()> {
    if !crate::is_real_wanted("artifacts of others on kube-apiserver") {
        return Ok(());
    }
    let ground = Ground::real(open()).await?;
    external::what_others_offer_is_built_from(&ground).await
}
