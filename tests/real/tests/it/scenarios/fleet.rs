//! What a fleet like D2's must refuse: each of it beside a version that runs, which stays. Who signs, and what is asked for, is as there:
//! certificates of one repository's workflow, for production those of tags alone. The reason is in the condition and in an event, and
//! nothing of what was refused is there.
//!
//! | Refused | By |
//! |---|---|
//! | an artifact rebuilt with one byte changed, under the same tag | [`n40_an_artifact_that_was_rebuilt_is_not_the_one_that_was_signed`] |
//! | signed by the right workflow from another branch | [`n38_the_right_workflow_on_another_branch_is_refused`] |
//! | signed by another repository's workflow | [`n38_another_repository_s_workflow_is_refused`] |
//! | unsigned | [`n36_what_nobody_signed_is_refused`] |
//! | signed with a key where keyless is asked | [`n38_a_key_is_no_identity`] |
//! | production's tag moved to what staging signed | [`n38_production_takes_nothing_that_staging_signed`] |
//! | a tenant's source outside the allow-list | [`n50_a_source_outside_the_allow_list_is_refused_by_the_api_server`]: there is no object, and so no condition |
//! | a tenant's tree with a `ClusterRole`, or anything in another namespace | [`n50_a_tenant_s_tree_reaches_nothing_outside_its_namespace`] |
//! | a tenant's Kustomization of another tenant's source | [`n50_another_tenant_s_source_is_not_built_from`], on grounds of its own |
//! | a remote base in a tenant's tree | [`n17_a_remote_base_is_not_fetched`] |

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use weir_apis::condition::{Conditions, READY, Status};
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_oci::{Digest, media_type};
use weir_real::{Files, Ground, files, object};
use weir_standin_sigstore::{Holder, Rekor, Sigstore};
use weir_trust::SigningKey;
use weir_verify::{Layout, Statement};

use super::text::config;

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const WORKFLOW: &str = "https://github.com/org/apps/.github/workflows/push.yml";

/// The version that runs, and the one that must not.
fn tree(ns: &str, colour: &str) -> Files {
    let mut tree = files([("settings.yaml", &config(ns, "settings", colour))]);
    if colour != "blue" {
        tree.insert("more.yaml".to_owned(), config(ns, "more", colour));
    }
    tree
}

/// A fleet's cluster, or one tenant's part of it.
struct Fleet<'g> {
    ground: &'g Ground,
    ns: &'g str,
    sigstore: Sigstore,
    source: ObjectRef,
    applied: ObjectRef,
    good: Digest,
}

impl<'g> Fleet<'g> {
    /// Starts with a version that is signed as production asks.
    async fn start(ground: &'g Ground, ns: &'g str) -> Result<Self> {
        ground.namespace(ns).await?;
        let sigstore = Sigstore::new("2025-06-01T00:00:00Z".parse()?);
        let root = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "root", "namespace": ns},
            "stringData": {"trusted_root.json": sigstore.trusted_root().to_string()}});
        ground.apply_json(root).await?;
        let good = ground.push(ns, &tree(ns, "blue")).await?;
        attach(ground, ns, good, &bundle(&sigstore, "@refs/tags/v1.0.0", good)?).await?;
        ground.tag(ns, good, "latest-stable").await?;
        let subject = r"^https://github\.com/org/apps/\.github/workflows/push\.yml@refs/tags/v\d+\.\d+\.\d+$";
        let spec = json!({"interval": "1h", "url": format!("oci://registry.example/{ns}"), "ref": {"tag": "latest-stable"},
            "verify": {"provider": "cosign", "trustedRootSecretRef": {"name": "root"}, "matchOIDCIdentity": [
                {"issuer": r"^https://token\.actions\.githubusercontent\.com$", "subject": subject}]}});
        let source = ground.source_with(ns, ns, spec).await?;
        let applied = ground.kustomization(ns, ns, json!({})).await?;
        ground.until_applied(&applied, good).await?;
        Ok(Self {
            ground,
            ns,
            sigstore,
            source,
            applied,
            good,
        })
    }

    /// Another version, pushed and not signed.
    async fn rebuilt(&self) -> Result<Digest> {
        self.ground.push(self.ns, &tree(self.ns, "red")).await
    }

    /// The tag names another artifact, and nothing but words comes of it.
    async fn refuses(&self, bad: Digest, words: &str) -> Result<()> {
        let Self {
            ground, ns, source, ..
        } = self;
        ground.tag(ns, bad, "latest-stable").await?;
        ground.reconcile(source).await?;
        let refused = |live: &Object| {
            let conditions = Conditions::of(live);
            let is_said = |kind: &str| {
                let condition = conditions.get(kind);
                condition.is_some_and(|c| {
                    c.status == Status::False && c.reason == "VerificationError" && c.message.contains(words)
                })
            };
            is_said("SourceVerified") && is_said(READY)
        };
        let live = ground.until(source, refused).await.context(words.to_owned())?;
        let stored = live
            .get(&["status", "artifact", "revision"])
            .and_then(Value::as_str);
        ensure!(
            stored.is_some_and(|stored| stored.ends_with(&self.good.to_string())),
            "{stored:?}"
        );
        told(ground, source, words).await?;
        self.runs_on().await
    }

    /// What runs is the good version, and nothing of another one is there.
    async fn runs_on(&self) -> Result<()> {
        let Self { ground, ns, .. } = self;
        let settings = ground.get(&object("v1", "ConfigMap", ns, "settings")).await?;
        ensure!(
            settings.get(&["data", "colour"]) == Some(&json!("blue")),
            "{settings:?}"
        );
        let more = ground.client.get(&object("v1", "ConfigMap", ns, "more")).await?;
        ensure!(more.is_none(), "an object of what was refused is there");
        let applied = ground.get(&self.applied).await?;
        let revision = applied
            .get(&["status", "lastAppliedRevision"])
            .and_then(Value::as_str);
        ensure!(
            revision.is_some_and(|revision| revision.contains(&self.good.to_string())),
            "{revision:?}"
        );
        Ok(())
    }
}

/// Waits for an event about an object that says this.
async fn told(ground: &Ground, about: &ObjectRef, words: &str) -> Result<()> {
    let kind = GroupVersionKind::new("", "v1", "Event");
    for _ in 0..200 {
        let events = ground.client.list(&kind, &about.namespace, "").await?;
        let says = |event: &Object| {
            let text = |path: &[&str]| event.get(path).and_then(Value::as_str).unwrap_or_default();
            text(&["involvedObject", "name"]) == about.name
                && text(&["involvedObject", "kind"]) == about.gvk.kind
                && text(&["type"]) == "Warning"
                && text(&["message"]).contains(words)
        };
        if events.iter().any(says) {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    anyhow::bail!("no event about {about} says {words:?}")
}

/// A signature by the workflow for this ref.
fn bundle(sigstore: &Sigstore, reference: &str, digest: Digest) -> Result<Value> {
    by(sigstore, &format!("{WORKFLOW}{reference}"), digest)
}

fn by(sigstore: &Sigstore, subject: &str, digest: Digest) -> Result<Value> {
    let statement = serde_json::to_vec(&Statement::cosign_signature(digest))?;
    let holder = Holder::new(ISSUER, subject);
    Ok(sigstore.sign_statement(&holder, &statement, "2025-12-01T00:00:00Z".parse()?, Rekor::V2))
}

async fn attach(ground: &Ground, ns: &str, digest: Digest, bundle: &Value) -> Result<()> {
    ground.attach_bundle(ns, digest, bundle).await
}

pub(crate) async fn n40_an_artifact_that_was_rebuilt_is_not_the_one_that_was_signed(
    ground: &Ground,
) -> Result<()> {
    let fleet = Fleet::start(ground, "fleet-rebuilt").await?;
    // With the signature of the one before, which is good.
    let bad = fleet.rebuilt().await?;
    attach(
        ground,
        fleet.ns,
        bad,
        &bundle(&fleet.sigstore, "@refs/tags/v1.0.0", fleet.good)?,
    )
    .await?;
    fleet.refuses(bad, "signed for another artifact").await?;

    // One byte of the archive, under the digest that was signed.
    let repository = ground.repository(fleet.ns)?;
    let better = fleet.rebuilt().await?;
    ensure!(better == bad, "builds are the same, byte for byte");
    let changed = ground.push(fleet.ns, &tree(fleet.ns, "green")).await?;
    attach(
        ground,
        fleet.ns,
        changed,
        &bundle(&fleet.sigstore, "@refs/tags/v1.0.1", changed)?,
    )
    .await?;
    let manifest = ground.registry.manifest(&repository, &changed).await?.manifest;
    let layers = manifest
        .as_image()
        .map(|image| image.layers.as_slice())
        .unwrap_or_default();
    let layer = layers.first().context("it has no layer")?;
    ensure!(layer.media_type != media_type::SIGSTORE_BUNDLE_V03);
    let mut content = ground
        .owner
        .blob(fleet.ns, &layer.digest)
        .context("no blob")?
        .to_vec();
    if let Some(byte) = content.last_mut() {
        *byte ^= 1;
    }
    ensure!(ground.owner.tamper_blob(&layer.digest, content));
    ground.tag(fleet.ns, changed, "latest-stable").await?;
    ground.reconcile(&fleet.source).await?;
    let message = ground
        .until_condition(&fleet.source, READY, Status::False, "OCIArtifactPullFailed")
        .await?;
    ensure!(message.contains("digest"), "{message}");
    told(ground, &fleet.source, "digest").await?;
    fleet.runs_on().await
}

pub(crate) async fn n38_the_right_workflow_on_another_branch_is_refused(ground: &Ground) -> Result<()> {
    let fleet = Fleet::start(ground, "fleet-branch").await?;
    let bad = fleet.rebuilt().await?;
    attach(
        ground,
        fleet.ns,
        bad,
        &bundle(&fleet.sigstore, "@refs/heads/feature", bad)?,
    )
    .await?;
    fleet
        .refuses(bad, "push.yml@refs/heads/feature\" (issuer \"https://token.actions.githubusercontent.com\"), which is none of")
        .await
}

pub(crate) async fn n38_another_repository_s_workflow_is_refused(ground: &Ground) -> Result<()> {
    let fleet = Fleet::start(ground, "fleet-repository").await?;
    let bad = fleet.rebuilt().await?;
    let subject = "https://github.com/org/apps-fork/.github/workflows/push.yml@refs/tags/v1.0.1";
    attach(ground, fleet.ns, bad, &by(&fleet.sigstore, subject, bad)?).await?;
    fleet
        .refuses(bad, "which is none of the identities asked for")
        .await?;
    // The name of the right one somewhere inside another.
    let subject =
        format!("https://github.com/org/evil/.github/workflows/x.yml@refs/tags/{WORKFLOW}@refs/tags/v1.0.1");
    let worse = ground.push(fleet.ns, &tree(fleet.ns, "green")).await?;
    attach(ground, fleet.ns, worse, &by(&fleet.sigstore, &subject, worse)?).await?;
    fleet.refuses(worse, &worse.to_string()).await
}

pub(crate) async fn n36_what_nobody_signed_is_refused(ground: &Ground) -> Result<()> {
    let fleet = Fleet::start(ground, "fleet-unsigned").await?;
    let bad = fleet.rebuilt().await?;
    fleet.refuses(bad, "the artifact has no signatures").await
}

pub(crate) async fn n38_a_key_is_no_identity(ground: &Ground) -> Result<()> {
    let fleet = Fleet::start(ground, "fleet-key").await?;
    let bad = fleet.rebuilt().await?;
    ground
        .sign(fleet.ns, bad, &SigningKey::generate()?, Layout::Bundle)
        .await?;
    fleet
        .refuses(
            bad,
            "signed with a key, and certificates of identities are asked for",
        )
        .await
}

pub(crate) async fn n38_production_takes_nothing_that_staging_signed(ground: &Ground) -> Result<()> {
    let fleet = Fleet::start(ground, "fleet-staging").await?;
    let staging = fleet.rebuilt().await?;
    attach(
        ground,
        fleet.ns,
        staging,
        &bundle(&fleet.sigstore, "@refs/heads/main", staging)?,
    )
    .await?;
    ground.tag(fleet.ns, staging, "latest").await?;
    fleet.refuses(staging, "push.yml@refs/heads/main\"").await?;
    // Signed for a release, too, it is one.
    attach(
        ground,
        fleet.ns,
        staging,
        &bundle(&fleet.sigstore, "@refs/tags/v1.0.1", staging)?,
    )
    .await?;
    ground.reconcile(&fleet.source).await?;
    ground.until_applied(&fleet.applied, staging).await.map(drop)
}

pub(crate) async fn n50_a_source_outside_the_allow_list_is_refused_by_the_api_server(
    ground: &Ground,
) -> Result<()> {
    let ns = "fleet-allowed";
    let fleet = Fleet::start(ground, ns).await?;
    let list = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "allowed", "namespace": ns},
        "data": {"prefixes": format!("oci://registry.example/{ns} oci://registry.example/shared/")}});
    ground.apply_json(list).await?;
    let policy = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": "fleet-sources"}, "spec": {
        "failurePolicy": "Fail",
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "matchConstraints": {"resourceRules": [{"apiGroups": ["source.toolkit.fluxcd.io"], "apiVersions": ["*"],
            "operations": ["CREATE", "UPDATE"], "resources": ["ocirepositories", "helmrepositories"]}]},
        "validations": [{
            "expression": "params.data.prefixes.split(' ').exists(prefix, object.spec.url.startsWith(prefix))",
            "messageExpression": "'source ' + object.spec.url + ' is not on the list'", "reason": "Invalid"}],
    }});
    ground.apply_json(policy).await?;
    let binding = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
    "metadata": {"name": "fleet-sources"}, "spec": {
        "policyName": "fleet-sources", "validationActions": ["Deny"],
        "paramRef": {"name": "allowed", "namespace": ns, "parameterNotFoundAction": "Deny"},
        "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": ns}}},
    }});
    ground.apply_json(binding).await?;
    let spec = |url: &str| json!({"interval": "1h", "url": url});
    let mut refusal = String::new();
    // An API server takes a moment to hold a new policy against requests.
    for attempt in 0..200 {
        let made = ground
            .source_with(
                ns,
                &format!("other-{attempt}"),
                spec("oci://elsewhere.example/apps"),
            )
            .await;
        match made {
            Ok(made) => {
                let gone = weir_cluster::Propagation::Background;
                ground.client.delete(&made, gone, None).await?;
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            Err(error) => {
                refusal = format!("{error:#}");
                break;
            }
        }
    }
    ensure!(
        refusal.contains("source oci://elsewhere.example/apps is not on the list"),
        "{refusal}"
    );
    // Nor can a source that runs be pointed there; what it has stays, and it still works.
    let elsewhere = json!({"spec": {"url": "oci://elsewhere.example/apps"}});
    let moved = ground.client.merge(&fleet.source, &elsewhere, "tenant").await;
    ensure!(moved.is_err(), "the address was changed");
    fleet.runs_on().await?;
    ground.reconcile(&fleet.source).await?;
    ground.until_ready(&fleet.source).await?;
    for kind in ["ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"] {
        let reference = object("admissionregistration.k8s.io/v1", kind, "", "fleet-sources");
        let gone = weir_cluster::Propagation::Background;
        ground.client.delete(&reference, gone, None).await?;
    }
    Ok(())
}

pub(crate) async fn n50_a_tenant_s_tree_reaches_nothing_outside_its_namespace(ground: &Ground) -> Result<()> {
    let (ns, other) = ("fleet-tenant", "fleet-other");
    ground.namespace(other).await?;
    let fleet = Fleet::start(ground, ns).await?;
    ground.tenant(ns, "admin").await?;
    let tenant = json!({"spec": {"serviceAccountName": "tenant"}});
    ground
        .client
        .merge(&fleet.applied, &tenant, "administrator")
        .await?;
    ground.until_applied(&fleet.applied, fleet.good).await?;
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: fleet-tenant-all\nrules: []\n";
    for (index, (file, kind)) in [
        (role.to_owned(), "clusterroles"),
        (config(other, "more", "red"), "configmaps"),
    ]
    .into_iter()
    .enumerate()
    {
        // Signed as asked: what is in it is what is refused.
        let mut files = tree(ns, "blue");
        files.insert("outside.yaml".to_owned(), file);
        let bad = ground.push(ns, &files).await?;
        attach(
            ground,
            ns,
            bad,
            &bundle(&fleet.sigstore, &format!("@refs/tags/v1.1.{index}"), bad)?,
        )
        .await?;
        ground.tag(ns, bad, "latest-stable").await?;
        ground.reconcile(&fleet.source).await?;
        let words = format!("system:serviceaccount:{ns}:tenant");
        let refused = |live: &Object| {
            Conditions::of(live).get(READY).is_some_and(|c| {
                c.status == Status::False
                    && c.message.contains(&words)
                    && c.message.contains("forbidden")
                    && c.message.contains(kind)
            })
        };
        ground.until(&fleet.applied, refused).await.context(kind)?;
        told(ground, &fleet.applied, &words).await?;
        fleet.runs_on().await?;
    }
    for reference in [
        object(
            "rbac.authorization.k8s.io/v1",
            "ClusterRole",
            "",
            "fleet-tenant-all",
        ),
        object("v1", "ConfigMap", other, "more"),
    ] {
        ensure!(
            ground.client.get(&reference).await?.is_none(),
            "{reference} was made"
        );
    }
    Ok(())
}

pub(crate) async fn n17_a_remote_base_is_not_fetched(ground: &Ground) -> Result<()> {
    let fleet = Fleet::start(ground, "fleet-base").await?;
    let ns = fleet.ns;
    for (index, base) in [
        "https://github.com/org/apps//deploy?ref=main",
        "github.com/org/apps/deploy?ref=main",
        "https://example.org/more.yaml",
        "git@github.com:org/apps.git",
    ]
    .into_iter()
    .enumerate()
    {
        let mut files = tree(ns, "red");
        files.insert(
            "kustomization.yaml".to_owned(),
            format!("resources:\n- settings.yaml\n- more.yaml\n- {base}\n"),
        );
        let bad = ground.push(ns, &files).await?;
        attach(
            ground,
            ns,
            bad,
            &bundle(&fleet.sigstore, &format!("@refs/tags/v1.1.{index}"), bad)?,
        )
        .await?;
        ground.tag(ns, bad, "latest-stable").await?;
        ground.reconcile(&fleet.source).await?;
        let refused = |live: &Object| {
            let attempted = live
                .get(&["status", "lastAttemptedRevision"])
                .and_then(Value::as_str);
            attempted.is_some_and(|attempted| attempted.contains(&bad.to_string()))
                && Conditions::of(live).get(READY).is_some_and(|c| {
                    c.status == Status::False && c.reason == "BuildFailed" && c.message.contains(base)
                })
        };
        let live = ground.until(&fleet.applied, refused).await.context(base)?;
        let message = Conditions::of(&live).get(READY).map(|c| c.message.clone());
        ensure!(
            message.as_ref().is_some_and(|message| message.contains("remote")),
            "{message:?}"
        );
        told(ground, &fleet.applied, base).await?;
        fleet.runs_on().await?;
    }
    Ok(())
}

/// On a ground where a source of another namespace may not be named.
pub(crate) async fn n50_another_tenant_s_source_is_not_built_from(ground: &Ground) -> Result<()> {
    let fleet = Fleet::start(ground, "fleet-mine").await?;
    let theirs = "fleet-theirs";
    ground.namespace(theirs).await?;
    ground.publish(theirs, "latest", &tree(fleet.ns, "red")).await?;
    ground.source(theirs, theirs).await?;
    let patch =
        json!({"spec": {"sourceRef": {"kind": "OCIRepository", "name": theirs, "namespace": theirs}}});
    ground.client.merge(&fleet.applied, &patch, "tenant").await?;
    let message = ground
        .until_condition(&fleet.applied, READY, Status::False, "AccessDenied")
        .await?;
    ensure!(message.contains("cross-namespace"), "{message}");
    told(ground, &fleet.applied, "cross-namespace").await?;
    fleet.runs_on().await
}
