//! Artifacts that identities sign.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use weir_apis::Object;
use weir_apis::condition::{Conditions, READY, STALLED, Status};
use weir_oci::Digest;
use weir_real::{Files, Ground, files};
use weir_standin_sigstore::{Holder, Rekor, Sigstore};
use weir_verify::Statement;

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const SUBJECT: &str = "https://github.com/org/apps/.github/workflows/push.yml@refs/heads/main";

fn tree(ns: &str, colour: &str) -> Files {
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: {ns}\ndata: {{colour: {colour}}}\n"
    );
    files([("a.yaml", &text)])
}

fn sigstore() -> Result<Sigstore> {
    Ok(Sigstore::new("2025-06-01T00:00:00Z".parse()?))
}

async fn store_root(ground: &Ground, ns: &str, root: &Value) -> Result<()> {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "root", "namespace": ns},
        "stringData": {"trusted_root.json": root.to_string()}});
    ground.apply_json(secret).await?;
    Ok(())
}

async fn sign(ground: &Ground, ns: &str, sigstore: &Sigstore, subject: &str, digest: Digest) -> Result<()> {
    let statement = serde_json::to_vec(&Statement::cosign_signature(digest))?;
    let holder = Holder::new(ISSUER, subject);
    let bundle = sigstore.sign_statement(&holder, &statement, "2025-12-01T00:00:00Z".parse()?, Rekor::V2);
    ground.attach_bundle(ns, digest, &bundle).await
}

fn spec(ns: &str, subject: &str) -> Value {
    json!({"interval": "1h", "url": format!("oci://registry.example/{ns}"), "verify": {
        "provider": "cosign",
        "matchOIDCIdentity": [
            {"issuer": "^https://accounts\\.example$", "subject": "^nobody$"},
            {"issuer": "^https://token\\.actions\\.githubusercontent\\.com$", "subject": subject},
        ],
        "trustedRootSecretRef": {"name": "root"},
    }})
}

fn verified(live: &Object) -> Option<(Status, String)> {
    let conditions = Conditions::of(live);
    let condition = conditions.get("SourceVerified")?;
    Some((condition.status, condition.message.clone()))
}

pub(crate) async fn n38_an_artifact_must_be_signed_by_an_identity_of_the_list(ground: &Ground) -> Result<()> {
    let ns = "keyless";
    ground.namespace(ns).await?;
    let sigstore = sigstore()?;
    store_root(ground, ns, &sigstore.trusted_root()).await?;
    let good = ground.push(ns, &tree(ns, "blue")).await?;
    sign(ground, ns, &sigstore, SUBJECT, good).await?;
    ground.tag(ns, good, "latest").await?;
    let source = ground
        .source_with(ns, ns, spec(ns, "^https://github\\.com/org/apps/.*$"))
        .await?;
    let live = ground.until_ready(&source).await?;
    let (status, message) = verified(&live).unwrap_or((Status::False, String::new()));
    ensure!(status == Status::True, "{message}");
    ensure!(message.contains(SUBJECT) && message.contains(ISSUER), "{message}");
    ensure!(!message.contains("warning"), "{message}");

    // Somebody else of the same issuer; then nobody at all.
    let strange = ground.push(ns, &tree(ns, "green")).await?;
    sign(
        ground,
        ns,
        &sigstore,
        "https://github.com/org/apps-evil/x.yml@refs/heads/main",
        strange,
    )
    .await?;
    let unsigned = ground.push(ns, &tree(ns, "red")).await?;
    for (bad, why) in [
        (strange, "none of the identities"),
        (unsigned, "has no signatures"),
    ] {
        ground.tag(ns, bad, "latest").await?;
        ground.reconcile(&source).await?;
        let refused = |live: &Object| {
            verified(live).is_some_and(|(status, message)| {
                status == Status::False && message.contains(&bad.to_string()) && message.contains(why)
            }) && Conditions::of(live).is(READY, Status::False)
        };
        let live = ground.until(&source, refused).await?;
        let (_, message) = verified(&live).unwrap_or((Status::False, String::new()));
        ensure!(message.contains("provider 'cosign keyless'"), "{message}");
        let kept = live
            .get(&["status", "artifact", "revision"])
            .and_then(Value::as_str);
        ensure!(
            kept.is_some_and(|kept| kept.contains(&good.to_string())),
            "{kept:?}"
        );
    }

    // Another instance under the same name: the verdict of the old root does not count for the new one (N23).
    ground.tag(ns, good, "latest").await?;
    ground.reconcile(&source).await?;
    ground.until_ready(&source).await?;
    store_root(ground, ns, &self::sigstore()?.trusted_root()).await?;
    ground.reconcile(&source).await?;
    let refused = |live: &Object| {
        verified(live)
            .is_some_and(|(status, message)| status == Status::False && message.contains("unknown log"))
    };
    ground.until(&source, refused).await?;
    Ok(())
}

pub(crate) async fn n45_a_trust_root_or_pattern_that_cannot_be_read_admits_nothing(
    ground: &Ground,
) -> Result<()> {
    let ns = "keyless-unread";
    ground.namespace(ns).await?;
    ground.publish(ns, "latest", &tree(ns, "blue")).await?;
    store_root(ground, ns, &json!({"tlogs": []})).await?;
    let source = ground.source_with(ns, ns, spec(ns, ".*")).await?;
    let message = ground
        .until_condition(&source, READY, Status::False, "VerificationError")
        .await?;
    ensure!(message.contains("trusted_root.json"), "{message}");

    store_root(ground, ns, &sigstore()?.trusted_root()).await?;
    let source = ground.source_with(ns, ns, spec(ns, "(")).await?;
    let message = ground
        .until_condition(&source, STALLED, Status::True, "VerificationError")
        .await?;
    ensure!(message.contains("matchOIDCIdentity[1]"), "{message}");
    ensure!(ground.get(&source).await?.get(&["status", "artifact"]).is_none());
    Ok(())
}
