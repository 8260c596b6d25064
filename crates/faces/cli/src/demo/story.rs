//! The story: what happens, in order, and what is seen.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use weir_apis::condition::{Conditions, READY, Status};
use weir_apis::kind::{Kustomization, OciRepository};
use weir_apis::{GroupVersionKind, Object, ObjectRef, key, reason};
use weir_oci::{Digest, Repository};

use super::narrator::{Narrator, Step};
use super::publish::Publisher;
use super::signer::{PUBLISHER, STRANGER, Signer, told};
use super::world::{PERSON, REGISTRY, World};
use super::{examples, unexpected};
use crate::run::Result;
use crate::{CommandError, Io, Kind};

/// Longest time for one thing to happen; on a laptop all of them take a second together.
const PATIENCE: Duration = Duration::from_mins(1);
/// Namespace of the sources and Kustomizations.
const SYSTEM: &str = "weir-system";
/// Tag that the production fleet follows.
const TAG: &str = "latest-stable";
/// File of the example that says which version runs.
const BASE: &str = "components/frontend/base/kustomization.yaml";

type Files = BTreeMap<String, String>;

/// The story, and those it is about.
pub(super) struct Story<'a> {
    world: &'a World,
    narrator: &'a mut Narrator,
    io: &'a mut Io,
    began: Instant,
}

impl<'a> Story<'a> {
    pub(super) fn new(world: &'a World, narrator: &'a mut Narrator, io: &'a mut Io) -> Self {
        Self {
            world,
            narrator,
            io,
            began: Instant::now(),
        }
    }

    /// Tells all of it.
    pub(super) async fn tell(&mut self) -> Result<()> {
        self.set_up()?;
        let signer = self.world.sigstore.signer(PUBLISHER)?;
        let infra = files("infra");
        let mut apps = files("apps");
        let first = self.publish(&signer, &infra, &apps).await?;
        self.reconcile(first).await?;
        let second = self.update(&signer, &mut apps).await?;
        self.drift().await?;
        let third = self.prune(&signer, &mut apps, second).await?;
        self.unsigned(&apps, third).await?;
        self.tampered(&signer, &apps, third).await?;
        self.stranger(&apps, third).await?;
        self.roll_back(second).await
    }

    fn step(
        &mut self,
        title: &'static str,
        why: &'static str,
        facts: Vec<(&'static str, String)>,
    ) -> Result<()> {
        let took = self.began.elapsed();
        self.began = Instant::now();
        self.narrator.tell(
            self.io,
            Step {
                title,
                why,
                facts,
                took,
            },
        )
    }

    fn publisher(&self, name: &str) -> Result<Publisher<'a>> {
        let repository = Repository::new(REGISTRY, name).map_err(|e| CommandError::of(Kind::Internal, &e))?;
        Ok(Publisher {
            registry: &self.world.registry,
            repository,
        })
    }

    fn set_up(&mut self) -> Result<()> {
        let facts = vec![
            (
                "registry",
                format!(
                    "{REGISTRY}, in this process at http://{}",
                    self.world.registry_host()
                ),
            ),
            (
                "sigstore",
                format!(
                    "certificates, a transparency log and timestamps, in this process at http://{}",
                    self.world.sigstore.address()
                ),
            ),
            ("cluster", self.world.cluster_name()),
            (
                "running",
                "weir's controllers; this story uses OCIRepository and Kustomization".into(),
            ),
        ];
        self.step(
            "A registry, a Sigstore, a cluster and the controllers are up",
            "Nothing else is needed: no Docker, no Git, no network.",
            facts,
        )
    }

    async fn publish(&mut self, signer: &Signer, infra: &Files, apps: &Files) -> Result<Digest> {
        let mut facts = Vec::new();
        let mut last = None;
        for (name, tree) in [("infra", infra), ("apps", apps)] {
            let publisher = self.publisher(name)?;
            let digest = publisher.push(tree, "v1.0.0@sha1:0d2e7c1").await?;
            let evidence = publisher.sign(digest, signer).await?;
            publisher.tag(digest, TAG).await?;
            facts.push(("pushed", format!("{}@{digest}", publisher.repository)));
            facts.push(("signed", told(&evidence)));
            last = Some(digest);
        }
        facts.push(("tagged", format!("{TAG}, after the signature was in place")));
        self.step(
            "The example repositories are published as signed artifacts",
            "Signed keyless, by the identity of a CI job; the tag moves last, so it never names something unsigned.",
            facts,
        )?;
        last.ok_or_else(|| unexpected("nothing was published"))
    }

    async fn reconcile(&mut self, apps: Digest) -> Result<()> {
        for object in World::fleet("clusters/production/runtime-info.yaml")? {
            self.world.apply(&object).await?;
        }
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sigstore-root", "namespace": SYSTEM},
            "stringData": {"trusted_root.json": self.world.sigstore.trusted_root()},
        });
        self.world.apply(&object(secret)?).await?;
        for path in ["clusters/production/infra.yaml", "clusters/production/apps.yaml"] {
            for object in World::fleet(path)? {
                self.world.apply(&object).await?;
            }
        }
        let live = self.applied("apps", apps).await?;
        let source = self.get(&source("apps")).await?;
        let facts = vec![
            ("verified", message(&source, "SourceVerified")),
            ("applied", inventory(&live).join("\n")),
            ("ready", message(&live, READY)),
        ];
        self.step(
            "The cluster verifies, builds, applies and waits",
            "`apps` depends on `infra`; variables come from the cluster's own ConfigMap; Ready means healthy.",
            facts,
        )
    }

    async fn update(&mut self, signer: &Signer, apps: &mut Files) -> Result<Digest> {
        edit(apps, BASE, "newTag: 1.0.0", "newTag: 1.1.0")?;
        let publisher = self.publisher("apps")?;
        let digest = publisher.push(apps, "v1.1.0@sha1:5b9f3aa").await?;
        publisher.sign(digest, signer).await?;
        publisher.tag(digest, TAG).await?;
        self.look_now("apps").await?;
        self.applied("apps", digest).await?;
        let deployment = self.get(&deployment()).await?;
        let facts = vec![("digest", digest.to_string()), ("runs", image(&deployment))];
        self.step(
            "A new version rolls out",
            "A new digest under the tag, verified like the first.",
            facts,
        )?;
        Ok(digest)
    }

    async fn drift(&mut self) -> Result<()> {
        let reference = deployment();
        let before = self.get(&reference).await?;
        let edit =
            json!({"spec": {"replicas": 7}, "metadata": {"labels": {"app.kubernetes.io/name": "hacked"}}});
        self.world.client.merge(&reference, &edit, "kubectl-edit").await?;
        let begun = Instant::now();
        let whole = |live: &Object| {
            live.get(&["spec", "replicas"]) == before.get(&["spec", "replicas"])
                && live.label("app.kubernetes.io/name") == Some("frontend")
        };
        let after = self.world.until(&reference, PATIENCE, whole).await?;
        let facts = vec![
            ("edited", "replicas to 7 and a label, as kubectl edit does".into()),
            (
                "put back",
                format!(
                    "after {} ms: replicas {}",
                    begun.elapsed().as_millis(),
                    text(&after, &["spec", "replicas"])
                ),
            ),
        ];
        self.step(
            "Somebody edits an object by hand, and it is put back",
            "Drift is seen by a watch, not found by polling.",
            facts,
        )
    }

    async fn prune(&mut self, signer: &Signer, apps: &mut Files, before: Digest) -> Result<Digest> {
        let overlay = "components/frontend/production/kustomization.yaml";
        edit(apps, overlay, "  - disruption-budget.yaml\n", "")?;
        let publisher = self.publisher("apps")?;
        let digest = publisher.push(apps, "v1.2.0@sha1:c41d8e0").await?;
        publisher.sign(digest, signer).await?;
        publisher.tag(digest, TAG).await?;
        self.look_now("apps").await?;
        self.applied("apps", digest).await?;
        let budget = ObjectRef::new(
            GroupVersionKind::new("policy", "v1", "PodDisruptionBudget"),
            "frontend",
            "frontend",
        );
        let begun = Instant::now();
        while self.world.get(&budget).await?.is_some() {
            if begun.elapsed() > PATIENCE {
                return Err(unexpected(format!("{budget} left the source and is still there")));
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let facts = vec![
            ("from", before.to_string()),
            ("to", digest.to_string()),
            ("deleted", budget.to_string()),
        ];
        self.step(
            "An object that left the source is deleted",
            "The inventory says what was applied, and by whom.",
            facts,
        )?;
        Ok(digest)
    }

    async fn unsigned(&mut self, apps: &Files, good: Digest) -> Result<()> {
        let mut changed = apps.clone();
        edit(&mut changed, BASE, "newTag: 1.1.0", "newTag: 1.1.1")?;
        let publisher = self.publisher("apps")?;
        let digest = publisher.push(&changed, "v1.2.0@sha1:c41d8e0").await?;
        publisher.tag(digest, TAG).await?;
        let facts = self
            .refusal(
                digest,
                good,
                "one byte differs, so it is another digest, which nobody has signed",
            )
            .await?;
        self.step(
            "An unsigned artifact under the same tag is refused",
            "Whoever can move a tag still can't get anything in; the last good version keeps running.",
            facts,
        )
    }

    async fn tampered(&mut self, signer: &Signer, apps: &Files, good: Digest) -> Result<()> {
        let mut changed = apps.clone();
        edit(&mut changed, BASE, "newTag: 1.1.0", "newTag: 1.2.0")?;
        let publisher = self.publisher("apps")?;
        let digest = publisher.push(&changed, "v1.3.0@sha1:77ab012").await?;
        publisher.sign(digest, signer).await?;
        let layer = self.world.tamper(&publisher.repository, digest).await?;
        publisher.tag(digest, TAG).await?;
        self.look_now("apps").await?;
        let refused = |live: &Object| {
            Conditions::of(live)
                .get(READY)
                .is_some_and(|c| c.status == Status::False && c.message.contains(&layer.to_string()))
        };
        let live = self.world.until(&source("apps"), PATIENCE, refused).await?;
        let mut facts = vec![
            (
                "pushed",
                format!(
                    "{digest}\nsigned by the right identity; then one byte of its layer was changed in the registry"
                ),
            ),
            ("refused", message(&live, READY)),
        ];
        facts.push(self.still_runs(&live, good).await?);
        self.step(
            "A tampered artifact is refused although its signature is good",
            "Every byte is checked against the digest that was signed.",
            facts,
        )
    }

    async fn stranger(&mut self, apps: &Files, good: Digest) -> Result<()> {
        let mut changed = apps.clone();
        edit(&mut changed, BASE, "newTag: 1.1.0", "newTag: 6.6.6")?;
        let publisher = self.publisher("apps")?;
        let digest = publisher.push(&changed, "v6.6.6@sha1:6666666").await?;
        let stranger = self.world.sigstore.signer(STRANGER)?;
        publisher.sign(digest, &stranger).await?;
        publisher.tag(digest, TAG).await?;
        let facts = self
            .refusal(
                digest,
                good,
                &format!("signed at the same Sigstore, but by {STRANGER}"),
            )
            .await?;
        self.step(
            "An artifact signed by a stranger is refused",
            "A signature counts only by an identity that the policy names: this is the right job, for another branch.",
            facts,
        )
    }

    async fn roll_back(&mut self, digest: Digest) -> Result<()> {
        let publisher = self.publisher("apps")?;
        publisher.tag(digest, TAG).await?;
        self.look_now("apps").await?;
        self.applied("apps", digest).await?;
        let source = self.get(&source("apps")).await?;
        let facts = vec![
            ("digest", digest.to_string()),
            ("verified", message(&source, "SourceVerified")),
            ("runs", image(&self.get(&deployment()).await?)),
        ];
        self.step(
            "Rolled back by moving the tag to a version that was signed",
            "Old digests stay verifiable; the refusals are over.",
            facts,
        )
    }

    /// Waits until the source says why it does not take `bad`, and makes sure that `good` still runs.
    async fn refusal(&mut self, bad: Digest, good: Digest, how: &str) -> Result<Vec<(&'static str, String)>> {
        let reference = source("apps");
        self.look_now("apps").await?;
        let refused = |live: &Object| {
            Conditions::of(live).get("SourceVerified").is_some_and(|c| {
                c.status == Status::False
                    && c.reason == reason::VERIFICATION_ERROR
                    && c.message.contains(&bad.to_string())
            })
        };
        let live = self.world.until(&reference, PATIENCE, refused).await?;
        Ok(vec![
            ("pushed", format!("{bad}\n{how}")),
            ("refused", message(&live, READY)),
            self.still_runs(&live, good).await?,
        ])
    }

    /// Makes sure that the source still offers `good`, and that it is what was applied last.
    async fn still_runs(&self, source: &Object, good: Digest) -> Result<(&'static str, String)> {
        let kept = text(source, &["status", "artifact", "revision"]);
        if !kept.contains(&good.to_string()) {
            return Err(unexpected(format!("the source offers {kept} after a refusal")));
        }
        let applied = text(
            &self.get(&kustomization("apps")).await?,
            &["status", "lastAppliedRevision"],
        );
        if !applied.contains(&good.to_string()) {
            return Err(unexpected(format!("{applied} was applied")));
        }
        Ok((
            "runs",
            format!(
                "{} from {good}, as before",
                image(&self.get(&deployment()).await?)
            ),
        ))
    }

    /// Asks for a look at a source now, as `weir reconcile` does, instead of waiting for its interval.
    async fn look_now(&self, name: &str) -> Result<()> {
        let token = jiff::Timestamp::now().to_string();
        let patch = json!({"metadata": {"annotations": {key::REQUESTED_AT: token}}});
        self.world.client.merge(&source(name), &patch, PERSON).await?;
        Ok(())
    }

    /// Waits until a Kustomization has applied a digest and is Ready.
    async fn applied(&self, name: &str, digest: Digest) -> Result<Object> {
        let done = |live: &Object| {
            text(live, &["status", "lastAppliedRevision"]).contains(&digest.to_string())
                && Conditions::of(live).is(READY, Status::True)
        };
        self.world.until(&kustomization(name), PATIENCE, done).await
    }

    async fn get(&self, reference: &ObjectRef) -> Result<Object> {
        self.world
            .get(reference)
            .await?
            .ok_or_else(|| unexpected(format!("{reference} does not exist")))
    }
}

fn files(repository: &str) -> Files {
    examples::repository(repository)
        .map(|(path, content)| (path.to_owned(), content.to_owned()))
        .collect()
}

fn edit(files: &mut Files, path: &str, from: &str, to: &str) -> Result<()> {
    let file = files.get_mut(path).filter(|content| content.contains(from));
    let file =
        file.ok_or_else(|| CommandError::new(Kind::Internal, format!("example `{path}` has no `{from}`")))?;
    *file = file.replace(from, to);
    Ok(())
}

fn object(value: Value) -> Result<Object> {
    Object::from_value(value).map_err(|e| CommandError::of(Kind::Internal, &e))
}

fn source(name: &str) -> ObjectRef {
    let gvk = GroupVersionKind::new(OciRepository::GROUP, OciRepository::VERSION, OciRepository::KIND);
    ObjectRef::new(gvk, SYSTEM, name)
}

fn kustomization(name: &str) -> ObjectRef {
    let gvk = GroupVersionKind::new(Kustomization::GROUP, Kustomization::VERSION, Kustomization::KIND);
    ObjectRef::new(gvk, SYSTEM, name)
}

fn deployment() -> ObjectRef {
    ObjectRef::new(
        GroupVersionKind::new("apps", "v1", "Deployment"),
        "frontend",
        "frontend",
    )
}

fn message(object: &Object, condition: &str) -> String {
    Conditions::of(object)
        .get(condition)
        .map(|c| format!("{}={}, {}: {}", c.kind, c.status, c.reason, c.message))
        .unwrap_or_default()
}

fn text(object: &Object, path: &[&str]) -> String {
    match object.get(path) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

fn image(deployment: &Object) -> String {
    let containers = deployment
        .get(&["spec", "template", "spec", "containers"])
        .and_then(Value::as_array);
    let first = containers
        .and_then(|c| c.first())
        .and_then(|c| c.get("image"))
        .and_then(Value::as_str);
    first.unwrap_or_default().to_owned()
}

/// The applied objects, as kubectl names them.
fn inventory(kustomization: &Object) -> Vec<String> {
    let Ok(parsed) = kustomization.parse::<Kustomization>() else {
        return Vec::new();
    };
    let entries = parsed.status.inventory.map(|i| i.entries).unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| entry.reference().ok())
        .map(|object| object.to_string())
        .collect()
}
