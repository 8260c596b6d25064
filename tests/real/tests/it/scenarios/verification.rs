//! VerificationPolicies: what is asked of sources from outside.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use weir_apis::condition::{Conditions, READY, Status};
use weir_apis::{Object, ObjectRef};
use weir_cluster::Propagation;
use weir_oci::Digest;
use weir_real::{ChartServer, Files, Ground, files, object};
use weir_trust::SigningKey;
use weir_verify::Layout;

use super::text::config;

const VERIFIED: &str = "SourceVerified";

fn tree(ns: &str, colour: &str) -> Files {
    files([("a.yaml", &config(ns, "settings", colour))])
}

/// Keys in a Secret of the namespace.
async fn key(ground: &Ground, ns: &str, name: &str) -> Result<SigningKey> {
    let key = SigningKey::generate()?;
    ground
        .apply_json(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": ns},
            "stringData": {"cosign.pub": key.public_key().to_pem()}}),
        )
        .await?;
    Ok(key)
}

/// An authority by the keys in a Secret.
fn by_key(ns: &str, secret: &str) -> Value {
    json!({"name": secret, "key": {"secretRef": {"name": secret, "namespace": ns}}})
}

/// A policy called like the namespace, about sources in it.
async fn policy(ground: &Ground, ns: &str, mode: &str, authorities: Value) -> Result<ObjectRef> {
    let spec = json!({"mode": mode, "match": [{"namespaces": {"names": [ns]}}], "authorities": authorities});
    policy_with(ground, ns, spec).await
}

async fn policy_with(ground: &Ground, name: &str, spec: Value) -> Result<ObjectRef> {
    let value = json!({"apiVersion": "weir.dev/v1alpha1", "kind": "VerificationPolicy",
        "metadata": {"name": name}, "spec": spec});
    Ok(ground.apply_json(value).await?.reference())
}

/// Takes a scenario's objects away, so that those that follow have the cluster to themselves.
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

fn verified(live: &Object) -> (Option<Status>, String) {
    let conditions = Conditions::of(live);
    let found = conditions.get(VERIFIED);
    (
        found.map(|c| c.status),
        found.map(|c| c.message.clone()).unwrap_or_default(),
    )
}

fn stored(live: &Object) -> &str {
    live.get(&["status", "artifact", "revision"])
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Waits until a source has stored this digest, or has refused it and kept another.
async fn until_judged(ground: &Ground, source: &ObjectRef, digest: Digest, words: &str) -> Result<Object> {
    let digest = digest.to_string();
    ground
        .until(source, |live| {
            let (_, message) = verified(live);
            message.contains(&digest) && message.contains(words)
        })
        .await
}

async fn until_counted(ground: &Ground, policy: &ObjectRef, counts: Value) -> Result<()> {
    ground
        .until(policy, |live| live.get(&["status", "sources"]) == Some(&counts))
        .await
        .map(drop)
        .with_context(|| format!("counts {counts}"))
}

fn counts(matched: u32, verified: u32, would_fail: u32) -> Value {
    json!({"matched": matched, "verified": verified, "wouldFail": would_fail})
}

async fn set_mode(ground: &Ground, policy: &ObjectRef, mode: &str) -> Result<()> {
    let patch = json!({"spec": {"mode": mode}});
    ground.client.merge(policy, &patch, "administrator").await?;
    Ok(())
}

pub(crate) async fn an_enforced_policy_refuses_and_an_audited_one_tells(ground: &Ground) -> Result<()> {
    let ns = "verification-mode";
    ground.namespace(ns).await?;
    let signer = key(ground, ns, "keys").await?;
    let authorities = json!({"anyOf": [by_key(ns, "keys")]});
    let rule = policy(ground, ns, "enforce", authorities).await?;
    ground.until_ready(&rule).await?;

    let good = ground.push(ns, &tree(ns, "blue")).await?;
    ground.sign(ns, good, &signer, Layout::Bundle).await?;
    ground.tag(ns, good, "latest").await?;
    let source = ground.source(ns, ns).await?;
    let live = ground.until_ready(&source).await?;
    let (status, message) = verified(&live);
    let met = format!("policy '{ns}' is met by authority 'keys': sigstore bundle by key \"cosign.pub\"");
    ensure!(
        status == Some(Status::True) && message.contains(&met),
        "{message}"
    );
    until_counted(ground, &rule, counts(1, 1, 0)).await?;

    // What nobody signed is refused, and nothing of it is stored.
    let bad = ground.publish(ns, "latest", &tree(ns, "red")).await?;
    ground.reconcile(&source).await?;
    let live = until_judged(ground, &source, bad, "has no signatures").await?;
    let (status, message) = verified(&live);
    ensure!(status == Some(Status::False), "{message}");
    ensure!(
        message.starts_with(&format!(
            "failed to verify the signature: refused by policy '{ns}': authority 'keys': no matching signatures"
        )),
        "{message}"
    );
    ensure!(Conditions::of(&live).is(READY, Status::False));
    ensure!(stored(&live).contains(&good.to_string()), "{}", stored(&live));
    until_counted(ground, &rule, counts(1, 0, 1)).await?;

    // The policy's change wakes the source; nobody asks it.
    set_mode(ground, &rule, "audit").await?;
    let live = ground
        .until(&source, |live| stored(live).contains(&bad.to_string()))
        .await?;
    let (status, message) = verified(&live);
    ensure!(
        status == Some(Status::False)
            && message.contains(&format!("would be refused by policy '{ns}': authority 'keys'")),
        "{message}"
    );
    let conditions = Conditions::of(&live);
    ensure!(conditions.is(READY, Status::True));
    ensure!(
        conditions
            .get(VERIFIED)
            .is_some_and(|c| c.reason == "WouldBeRefused")
    );
    until_counted(ground, &rule, counts(1, 0, 1)).await?;

    set_mode(ground, &rule, "enforce").await?;
    ground
        .until_condition(&source, READY, Status::False, "VerificationError")
        .await?;
    ground.sign(ns, bad, &signer, Layout::Legacy).await?;
    ground.reconcile(&source).await?;
    ground.until_ready(&source).await?;
    until_counted(ground, &rule, counts(1, 1, 0)).await?;

    // Without the policy nothing is asked for, and the status says no more than that.
    clear(ground, &[&rule]).await?;
    ground.until(&source, |live| verified(live).0.is_none()).await?;
    clear(ground, &[&source]).await
}

pub(crate) async fn a_policy_holds_besides_the_source_s_own(ground: &Ground) -> Result<()> {
    let ns = "verification-both";
    ground.namespace(ns).await?;
    let (own, org) = (key(ground, ns, "own").await?, key(ground, ns, "org").await?);
    let rule = policy(ground, ns, "enforce", json!({"allOf": [by_key(ns, "org")]})).await?;
    ground.until_ready(&rule).await?;
    let spec = json!({"interval": "1h", "url": format!("oci://registry.example/{ns}"),
        "verify": {"provider": "cosign", "secretRef": {"name": "own"}}});
    let digest = ground.push(ns, &tree(ns, "blue")).await?;
    ground.sign(ns, digest, &org, Layout::Bundle).await?;
    ground.tag(ns, digest, "latest").await?;
    let source = ground.source_with(ns, ns, spec).await?;
    // The policy is met; the source's own is not.
    let message = ground
        .until_condition(&source, READY, Status::False, "VerificationError")
        .await?;
    ensure!(
        message.contains("using provider 'cosign'") && !message.contains("refused by policy"),
        "{message}"
    );
    // The other way round, with another artifact.
    let other = ground.push(ns, &tree(ns, "green")).await?;
    ground.sign(ns, other, &own, Layout::Bundle).await?;
    ground.tag(ns, other, "latest").await?;
    ground.reconcile(&source).await?;
    let live = until_judged(ground, &source, other, "refused by policy").await?;
    ensure!(
        !verified(&live).1.contains("using provider"),
        "{:?}",
        verified(&live)
    );
    ensure!(live.get(&["status", "artifact"]).is_none());
    // Both.
    ground.sign(ns, other, &org, Layout::Bundle).await?;
    ground.reconcile(&source).await?;
    let live = ground.until_ready(&source).await?;
    let (status, message) = verified(&live);
    ensure!(
        status == Some(Status::True) && message.contains(&format!("policy '{ns}' is met by")),
        "{message}"
    );
    clear(ground, &[&rule, &source]).await
}

pub(crate) async fn n45_a_policy_that_cannot_be_used_admits_nothing(ground: &Ground) -> Result<()> {
    let ns = "verification-broken";
    ground.namespace(ns).await?;
    let digest = ground.publish(ns, "latest", &tree(ns, "blue")).await?;
    let authority = json!({"name": "ci", "keyless": {"issuer": "https://ci.example", "subject": "me"}});
    let misspelled = json!({"mode": "enforce", "match": [{"namespaces": {"names": [ns]}}],
        "authorities": {"anyOf": [authority]}, "samerepository": true});
    let rule = policy_with(ground, ns, misspelled).await?;
    let message = ground
        .until_condition(&rule, READY, Status::False, "PolicyUnusable")
        .await?;
    ensure!(message.contains("samerepository"), "{message}");
    let source = ground.source(ns, ns).await?;
    let message = ground
        .until_condition(&source, READY, Status::False, "VerificationError")
        .await?;
    ensure!(
        message.contains(&format!("policy '{ns}'")) && message.contains("samerepository"),
        "{message}"
    );
    ensure!(ground.get(&source).await?.get(&["status", "artifact"]).is_none());

    // A Secret that is missing is a reason, too.
    clear(ground, &[&rule]).await?;
    ground.until_ready(&source).await?;
    let rule = policy(ground, ns, "enforce", json!({"anyOf": [by_key(ns, "absent")]})).await?;
    let message = ground
        .until_condition(&source, VERIFIED, Status::False, "VerificationError")
        .await?;
    ensure!(
        message.contains("absent' cannot be read: it does not exist"),
        "{message}"
    );
    ground
        .until_condition(&rule, READY, Status::False, "PolicyUnusable")
        .await?;
    // Once it is there the source is judged anew, though its interval is an hour and nobody asks it.
    let signer = SigningKey::generate()?;
    ground.sign(ns, digest, &signer, Layout::Bundle).await?;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "absent", "namespace": ns},
        "stringData": {"cosign.pub": signer.public_key().to_pem()}});
    ground.apply_json(secret).await?;
    ground.until_ready(&rule).await?;
    ground
        .until(&source, |live| verified(live).0 == Some(Status::True))
        .await?;

    // What has no authority at all, or two kinds of them at once, the API server refuses.
    for authorities in [
        json!({}),
        json!({"anyOf": [{"name": "ci"}]}),
        json!({"anyOf": [{"name": "ci", "key": {"secretRef": {"name": "a", "namespace": "b"}},
            "keyless": {"issuer": "i", "subject": "s"}}]}),
        json!({"anyOf": [{"name": "ci", "keyless": {"issuer": "i"}}]}),
        json!({"anyOf": [{"name": "ci", "key": {"secretRef": {"name": "a"}}}]}),
    ] {
        let refused = policy(ground, "verification-refused", "enforce", authorities.clone()).await;
        ensure!(refused.is_err(), "{authorities}");
    }
    clear(ground, &[&rule, &source]).await
}

pub(crate) async fn a_namespace_comes_under_a_policy_by_its_labels(ground: &Ground) -> Result<()> {
    let ns = "verification-labels";
    ground.namespace(ns).await?;
    key(ground, ns, "keys").await?;
    ground.publish(ns, "latest", &tree(ns, "blue")).await?;
    let source = ground.source(ns, ns).await?;
    ground.until_ready(&source).await?;
    let spec = json!({"match": [{"namespaces": {"matchLabels": {"verification": "on"}}, "urlPrefix": "oci://REGISTRY.example:443"}],
        "authorities": {"anyOf": [by_key(ns, "keys")]}});
    let rule = policy_with(ground, ns, spec).await?;
    ground.until_ready(&rule).await?;
    until_counted(ground, &rule, counts(0, 0, 0)).await?;
    let namespace = object("v1", "Namespace", "", ns);
    let labels = |value: Value| json!({"metadata": {"labels": {"verification": value}}});
    ground
        .client
        .merge(&namespace, &labels(json!("on")), "administrator")
        .await?;
    ground
        .until_condition(&source, VERIFIED, Status::False, "VerificationError")
        .await?;
    until_counted(ground, &rule, counts(1, 0, 1)).await?;
    ground
        .client
        .merge(&namespace, &labels(Value::Null), "administrator")
        .await?;
    ground.until(&source, |live| verified(live).0.is_none()).await?;
    clear(ground, &[&rule, &source]).await
}

pub(crate) async fn charts_come_under_policies_and_those_without_signatures_are_refused(
    ground: &Ground,
) -> Result<()> {
    let ns = "verification-charts";
    ground.namespace(ns).await?;
    let signer = key(ground, ns, "keys").await?;
    let server = ChartServer::start().await?;
    server.publish(&["1.0.0"])?;
    let digest = ground.push_web(ns, "1.0.0").await?;
    let rule = policy(ground, ns, "enforce", json!({"anyOf": [by_key(ns, "keys")]})).await?;
    ground.until_ready(&rule).await?;
    let mut objects = Vec::new();
    for (name, spec) in [
        (
            "registry",
            json!({"type": "oci", "url": format!("oci://registry.example/{ns}")}),
        ),
        ("server", json!({"interval": "1h", "url": server.url})),
    ] {
        let repository = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
            "metadata": {"name": name, "namespace": ns}, "spec": spec});
        ground.apply_json(repository).await?;
        let chart = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmChart",
            "metadata": {"name": name, "namespace": ns}, "spec": {"interval": "1h", "chart": "web", "version": "1.0.0",
                "sourceRef": {"kind": "HelmRepository", "name": name}}});
        objects.push(ground.apply_json(chart).await?.reference());
    }
    let [registry, server] = objects.as_slice() else {
        anyhow::bail!("two charts were made")
    };
    for (chart, words) in [(registry, "has no signatures"), (server, "carry no signatures")] {
        let refused = |live: &Object| {
            let (status, message) = verified(live);
            status == Some(Status::False)
                && message.contains(&format!("refused by policy '{ns}'"))
                && message.contains(words)
        };
        let live = ground.until(chart, refused).await?;
        ensure!(live.get(&["status", "artifact"]).is_none());
        ground
            .until_condition(chart, "BuildFailed", Status::True, "ChartVerificationError")
            .await?;
    }
    ground
        .sign(&format!("{ns}/web"), digest, &signer, Layout::Bundle)
        .await?;
    ground.reconcile(registry).await?;
    let live = ground.until_ready(registry).await?;
    ensure!(verified(&live).1.contains(&format!("policy '{ns}' is met by")));

    set_mode(ground, &rule, "audit").await?;
    let live = ground.until_ready(server).await?;
    let (status, message) = verified(&live);
    ensure!(
        status == Some(Status::False) && message.contains("would be refused by policy"),
        "{message}"
    );
    until_counted(ground, &rule, counts(2, 1, 1)).await?;
    clear(ground, &[&rule, registry, server]).await
}

pub(crate) async fn an_audit_that_says_nothing_new_writes_nothing(ground: &Ground) -> Result<()> {
    let ns = "verification-quiet";
    ground.namespace(ns).await?;
    key(ground, ns, "keys").await?;
    ground.publish(ns, "latest", &tree(ns, "blue")).await?;
    let rule = policy(ground, ns, "audit", json!({"anyOf": [by_key(ns, "keys")]})).await?;
    ground.until_ready(&rule).await?;
    let url = format!("oci://registry.example/{ns}");
    let source = ground
        .source_with(ns, ns, json!({"interval": "1s", "url": url}))
        .await?;
    ground.until_ready(&source).await?;
    until_counted(ground, &rule, counts(1, 0, 1)).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let versions = async || -> Result<[String; 2]> {
        let of = async |reference: &ObjectRef| {
            anyhow::Ok(ground.get(reference).await?.resource_version().to_owned())
        };
        Ok([of(&source).await?, of(&rule).await?])
    };
    let before = versions().await?;
    let asked = ground.asked_for_referrers();
    tokio::time::sleep(Duration::from_secs(3)).await;
    ensure!(
        ground.asked_for_referrers() > asked,
        "signatures that come later would not be seen"
    );
    ensure!(versions().await? == before);
    let events = ground
        .client
        .list(&weir_apis::GroupVersionKind::new("", "v1", "Event"), ns, "")
        .await?;
    let told: Vec<_> = events
        .iter()
        .filter(|event| event.get(&["reason"]) == Some(&json!("WouldBeRefused")))
        .collect();
    // The event of the new artifact says it already.
    ensure!(told.is_empty(), "{told:?}");
    clear(ground, &[&rule, &source]).await
}

fn provenance(builder: &str) -> Value {
    json!({"buildDefinition": {"buildType": "https://ci.example/v1", "externalParameters": {"ref": "main"}},
        "runDetails": {"builder": {"id": builder}}})
}

fn bom(time: jiff::Timestamp) -> Value {
    json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"timestamp": time.to_string()},
        "components": [{"type": "library", "name": "a"}]})
}

pub(crate) async fn n37_what_a_policy_wants_stated_must_be_stated(ground: &Ground) -> Result<()> {
    let ns = "verification-attested";
    ground.namespace(ns).await?;
    let (signer, stranger) = (key(ground, ns, "keys").await?, SigningKey::generate()?);
    let builder = "predicate.runDetails.builder.id == 'https://ci.example/builder'";
    let spec = |expression: &str| {
        json!({"match": [{"namespaces": {"names": [ns]}}], "authorities": {"anyOf": [by_key(ns, "keys")]},
        "attestations": [
            {"predicateType": "slsaprovenance1", "expressions": [expression]},
            {"predicateType": "cyclonedx", "maxAge": "24h", "expressions": ["size(predicate.components) > 0"]},
        ]})
    };
    let rule = policy_with(ground, ns, spec(builder)).await?;
    ground.until_ready(&rule).await?;
    let digest = ground.publish(ns, "latest", &tree(ns, "blue")).await?;
    ground.sign(ns, digest, &signer, Layout::Bundle).await?;
    let source = ground.source(ns, ns).await?;
    let refused = async |words: &str| {
        ground.reconcile(&source).await?;
        let live = until_refused(ground, &source, words).await?;
        ensure!(
            live.get(&["status", "artifact"]).is_none(),
            "something was stored"
        );
        anyhow::Ok(verified(&live).1)
    };
    let message = refused("attestation slsaprovenance1 (https://slsa.dev/provenance/v1) is missing").await?;
    ensure!(
        message.contains(&format!("refused by policy '{ns}'"))
            && message.contains("of authority 'keys': nothing of this kind was found")
            && message.contains("attestation cyclonedx (https://cyclonedx.org/bom) is missing"),
        "{message}"
    );
    let good = provenance("https://ci.example/builder");
    ground
        .attest(ns, digest, &stranger, "slsaprovenance1", good.clone())
        .await?;
    refused("signature is not by the key").await?;
    ground
        .attest(ns, digest, &signer, "slsaprovenance1", provenance("laptop"))
        .await?;
    refused(&format!(
        "'{builder}' is false: predicate.runDetails.builder.id is \"laptop\""
    ))
    .await?;
    ground
        .attest(ns, digest, &signer, "slsaprovenance1", good)
        .await?;
    let day = jiff::SignedDuration::from_hours(24);
    let now = ground.now();
    ground
        .attest(ns, digest, &signer, "cyclonedx", bom(now - day * 2))
        .await?;
    let message = refused("(metadata.timestamp), which is more than").await?;
    ensure!(!message.contains("slsaprovenance1"), "{message}");
    ground.attest(ns, digest, &signer, "cyclonedx", bom(now)).await?;
    ground.reconcile(&source).await?;
    let live = ground.until_ready(&source).await?;
    let (status, message) = verified(&live);
    ensure!(
        status == Some(Status::True)
            && message.contains(
                "; attestation slsaprovenance1 (https://slsa.dev/provenance/v1) by authority 'keys': key \"cosign.pub\""
            )
            && message.contains("; attestation cyclonedx"),
        "{message}"
    );

    // An expression that is none says where, and lets nothing in.
    policy_with(ground, ns, spec("predicate.runDetails.builder.id ==")).await?;
    let message = ground
        .until_condition(&rule, READY, Status::False, "PolicyUnusable")
        .await?;
    ensure!(
        message.contains("spec.attestations[0].expressions[0]") && message.contains(":1:"),
        "{message}"
    );
    let live = until_refused(ground, &source, "spec.attestations[0].expressions[0]").await?;
    ensure!(verified(&live).1.contains(&format!("refused by policy '{ns}'")));
    ensure!(stored(&live).contains(&digest.to_string()), "{}", stored(&live));
    clear(ground, &[&rule, &source]).await
}

pub(crate) async fn n23_what_is_stated_counts_no_more_when_its_time_is_over(ground: &Ground) -> Result<()> {
    let limit = jiff::SignedDuration::from_hours(24);
    let over = ground.now() + jiff::SignedDuration::from_secs(25);
    let expression = "timestamp(now) - timestamp(predicate.metadata.timestamp) < duration('24h')";
    let mut made = Vec::new();
    for (ns, mode, mut asked) in [
        ("verification-aged", "enforce", json!({"maxAge": "24h"})),
        (
            "verification-aged-audit",
            "audit",
            json!({"expressions": [expression]}),
        ),
    ] {
        ground.namespace(ns).await?;
        let signer = key(ground, ns, "keys").await?;
        asked["predicateType"] = json!("cyclonedx");
        let spec = json!({"match": [{"namespaces": {"names": [ns]}}], "mode": mode,
            "authorities": {"anyOf": [by_key(ns, "keys")]}, "attestations": [asked]});
        let rule = policy_with(ground, ns, spec).await?;
        let digest = ground.publish(ns, "latest", &tree(ns, "blue")).await?;
        ground.sign(ns, digest, &signer, Layout::Bundle).await?;
        ground
            .attest(ns, digest, &signer, "cyclonedx", bom(over - limit))
            .await?;
        // Its interval is an hour, and nobody asks it.
        let source = ground.source(ns, ns).await?;
        let live = ground.until_ready(&source).await?;
        let (status, message) = verified(&live);
        ensure!(
            status == Some(Status::True) && message.contains("; attestation cyclonedx"),
            "{message}"
        );
        made.push((rule, source, digest));
    }
    let [(rule, enforced, digest), (audit, audited, _)] = made.as_slice() else {
        anyhow::bail!("two sources were made")
    };
    let live = until_refused(
        ground,
        enforced,
        "(metadata.timestamp), which is more than 24h ago",
    )
    .await?;
    ensure!(stored(&live).contains(&digest.to_string()), "{}", stored(&live));
    let live = ground
        .until(audited, |live| {
            let (_, message) = verified(live);
            message.contains("would be refused by policy 'verification-aged-audit'")
        })
        .await?;
    ensure!(Conditions::of(&live).is(READY, Status::True));
    clear(ground, &[rule, enforced, audit, audited]).await
}

/// Waits until a source says that it refused something, in these words among others.
async fn until_refused(ground: &Ground, source: &ObjectRef, words: &str) -> Result<Object> {
    let refused = |live: &Object| {
        let (status, message) = verified(live);
        status == Some(Status::False)
            && message.contains(words)
            && Conditions::of(live).is(READY, Status::False)
    };
    ground
        .until(source, refused)
        .await
        .with_context(|| format!("refused, saying {words:?}"))
}

pub(crate) async fn a_key_that_is_withdrawn_counts_no_more_where_its_secret_is_watched(
    ground: &Ground,
) -> Result<()> {
    let ns = "verification-withdrawn";
    ground.namespace(ns).await?;
    let signer = SigningKey::generate()?;
    let secret = async |key: &SigningKey| {
        let labels = json!({"reconcile.fluxcd.io/watch": "Enabled"});
        let value = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "keys", "namespace": ns, "labels": labels},
            "stringData": {"cosign.pub": key.public_key().to_pem()}});
        ground.apply_json(value).await
    };
    let reference = secret(&signer).await?.reference();
    let rule = policy(ground, ns, "enforce", json!({"anyOf": [by_key(ns, "keys")]})).await?;
    let digest = ground.publish(ns, "latest", &tree(ns, "blue")).await?;
    ground.sign(ns, digest, &signer, Layout::Bundle).await?;
    let source = ground.source(ns, ns).await?;
    ground.until_ready(&source).await?;
    // The source's interval is an hour, and nobody asks it.
    secret(&SigningKey::generate()?).await?;
    until_refused(ground, &source, "signature is not by the key").await?;
    ground
        .client
        .delete(&reference, Propagation::Background, None)
        .await?;
    until_refused(ground, &source, "it does not exist").await?;
    ground
        .until_condition(&rule, READY, Status::False, "PolicyUnusable")
        .await?;
    secret(&signer).await?;
    ground.until_ready(&source).await?;
    ground.until_ready(&rule).await?;
    clear(ground, &[&rule, &source]).await
}
