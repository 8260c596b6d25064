//! `weir verify --policy` and `--as-cluster`: what VerificationPolicies make of an artifact.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value, json};
use weir_apis::kind::{OciRepository, PolicySecretRef, VerificationPolicy};
use weir_apis::{GroupVersionKind, Object, ObjectRef, secret};
use weir_oci::{Repository, Tag};
use weir_semver::Version;
use weir_source::{Known, Labels, Place, PolicyReading, Secrets};
use weir_verify::{
    Admission, Attested, Demands, Follows, Met, Mode, NotAdmitted, Offer, Records, Rule, SignatureSet,
    Standing, Target, TrustRoot, Unmet, admit,
};
use weir_yaml::Dialect;

use crate::global::{Cluster, Context};
use crate::output::{self, Shape};
use crate::{CommandError, Exit, Kind, run::Result, trust};

/// The policies in files, whatever they match: who names them means them. Secrets that they refer to are looked for in the same
/// files.
pub(crate) async fn in_files(paths: &[PathBuf]) -> Result<Vec<Rule>> {
    let mut objects = Vec::new();
    for path in paths {
        objects.extend(read(path)?);
    }
    let policies: Vec<PolicyReading> = objects
        .iter()
        .filter(|object| object.kind() == VerificationPolicy::KIND)
        .map(PolicyReading::of)
        .collect();
    if policies.is_empty() {
        let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(CommandError::user(format!(
            "there is no VerificationPolicy in {}",
            names.join(", ")
        )));
    }
    let (secrets, known) = (Local(objects), Known::default());
    let mut rules = Vec::new();
    for policy in policies {
        rules.push(policy.rule(&secrets, &TrustRoot::public_good(), &known).await);
    }
    Ok(rules)
}

/// The policies of the cluster of this context that are about an OCIRepository of this repository in the namespace of `--namespace`.
pub(crate) async fn of_cluster(
    cx: &mut Context<'_>,
    context: &str,
    repository: &Repository,
) -> Result<Vec<Rule>> {
    let cluster = cx.cluster_of(Some(context)).await?;
    let what = format!("reading the policies of {context}");
    cx.in_time(&what, of(&cluster, repository)).await
}

async fn of(cluster: &Cluster, repository: &Repository) -> Result<Vec<Rule>> {
    let Cluster { client, namespace } = cluster;
    let namespaces = ObjectRef::new(GroupVersionKind::new("", "v1", "Namespace"), "", namespace);
    let kind = GroupVersionKind::new(
        VerificationPolicy::GROUP,
        VerificationPolicy::VERSION,
        VerificationPolicy::KIND,
    );
    let policies = client.list(&kind, "", "").await?;
    let labels = client.get(&namespaces).await?.as_ref().map(Labels::of);
    let place = Place {
        kind: OciRepository::KIND,
        namespace,
        url: &format!("oci://{repository}"),
        labels,
    };
    let known = Known::default();
    let mut rules = Vec::new();
    for policy in policies.iter().map(PolicyReading::of) {
        if policy.scope.covers(&place) {
            rules.push(policy.rule(client, &TrustRoot::public_good(), &known).await);
        }
    }
    Ok(rules)
}

/// Says what the rules make of an artifact.
pub(super) fn judge(
    cx: &mut Context<'_>,
    shape: Shape,
    target: &Target,
    tag: Option<&Tag>,
    found: &SignatureSet,
    rules: Vec<Rule>,
) -> Result {
    let count = rules.len();
    let demands = Demands { own: None, rules };
    let now = cx.io.now();
    let offer = tag.map(|tag| offer(target, tag));
    let of = |demands: &Demands| {
        let admission = admit(target, found, demands, now)?;
        match &offer {
            Some(offer) => Ok(admission.onward(None, offer, now)?.0),
            None => Ok(admission),
        }
    };
    let judged: std::result::Result<Admission, NotAdmitted> = of(&demands);
    let refused = judged.is_err();
    let (met, unmet): (Vec<Met>, Vec<(Unmet, Mode)>) = match judged {
        Ok(admission) => {
            let concerns = admission.concerns.into_iter();
            (admission.met, concerns.map(|one| (one, Mode::Audit)).collect())
        }
        Err(refusal) => {
            // What is met beside it is worth knowing, too.
            let mut others = demands.clone();
            others
                .rules
                .retain(|rule| refusal.unmet.iter().all(|unmet| unmet.rule != rule.name));
            let mut unmet: Vec<_> = refusal
                .unmet
                .into_iter()
                .map(|one| (one, Mode::Enforce))
                .collect();
            let met = match of(&others) {
                Ok(admission) => {
                    unmet.extend(admission.concerns.into_iter().map(|one| (one, Mode::Audit)));
                    admission.met
                }
                Err(_) => Vec::new(),
            };
            (met, unmet)
        }
    };
    let word = match (refused, count) {
        (true, _) => "refused",
        (false, 0) => "admitted: no policy is about it",
        (false, _) => "admitted",
    };
    match shape {
        Shape::Text => {
            cx.io.line(&format!("{target}: {word}"))?;
            for one in &met {
                let line = format!("  policy '{}' ({}) is met by {one}", one.rule, mode(one.mode));
                cx.io.line(&line)?;
            }
            for (one, its_mode) in &unmet {
                let line = format!("  policy '{}' ({}) is not met: {one}", one.rule, mode(*its_mode));
                cx.io.line(&line)?;
            }
        }
        Shape::Json | Shape::Yaml => {
            let met = met.iter().map(|one| {
                json!({"name": one.rule, "mode": mode(one.mode), "met": true, "by": one.to_string(),
                    "attestations": one.attested.iter().map(attested).collect::<Vec<Value>>(),
                    "standing": one.records.as_ref().and_then(Records::stands).map(Standing::to_json)})
            });
            let unmet = unmet
                .iter()
                .map(|(one, its)| json!({"name": one.rule, "mode": mode(*its), "met": false, "why": one.to_string()}));
            let value = json!({
                "repository": target.repository().to_string(),
                "digest": target.digest().to_string(),
                "admitted": !refused,
                "policies": met.chain(unmet).collect::<Vec<Value>>(),
            });
            output::print_value(cx.io, &value, shape == Shape::Yaml)?;
        }
    }
    if refused {
        let message = format!("the policies do not admit '{target}'");
        return Err(CommandError::rejected(message).hint(
            "the lines above say for each policy which signatures and attestations were found and why they do not count",
        ));
    }
    Ok(Exit::Success)
}

/// What somebody is offered who has taken nothing yet: a version where the tag is one, by which a record is not needed.
fn offer(target: &Target, tag: &Tag) -> Offer {
    let is_version = Version::parse_strict(tag.as_str().trim_start_matches('v')).is_ok();
    Offer {
        repository: target.repository().clone(),
        tag: tag.clone(),
        digest: target.digest(),
        follows: if is_version {
            Follows::Versions(Ordering::Greater)
        } else {
            Follows::Tag
        },
    }
}

fn attested(one: &Attested) -> Value {
    let by = one.by.iter().map(|(authority, evidence)| {
        let mut map = Map::from_iter([("authority".to_owned(), json!(authority))]);
        trust::put_evidence(&mut map, evidence);
        Value::Object(map)
    });
    json!({"predicateType": one.predicate_type.uri(), "by": by.collect::<Vec<Value>>(),
        "until": one.until.map(|until| until.to_string())})
}

const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Enforce => "enforce",
        Mode::Audit => "audit",
    }
}

/// Secrets in the files.
struct Local(Vec<Object>);

impl Secrets for Local {
    async fn secret(&self, wanted: &PolicySecretRef) -> std::result::Result<Arc<Object>, String> {
        let found = self.0.iter().find(|object| {
            object.kind() == "Secret"
                && object.name() == wanted.name
                && object.namespace() == wanted.namespace
        });
        let found =
            found.ok_or("it is not in the files; put it there, or ask the cluster with --as-cluster")?;
        let mut object = found.clone();
        // Written by hand it may be in plain text, which the API server would encode.
        if let Some(Value::Object(plain)) = object.as_map_mut().remove("stringData") {
            let data = object.as_map_mut().entry("data").or_insert(Value::Null);
            if data.is_null() {
                *data = json!({});
            }
            let Value::Object(data) = data else {
                return Err("its data is no mapping".to_owned());
            };
            for (name, value) in plain {
                let text = value.as_str().unwrap_or_default();
                data.insert(name, json!(secret::encode(text.as_bytes())));
            }
        }
        Ok(Arc::new(object))
    }
}

fn read(path: &Path) -> Result<Vec<Object>> {
    let text = std::fs::read_to_string(path).map_err(|error| CommandError::file("read", path, &error))?;
    let wrong = |error: &(dyn std::error::Error + 'static)| {
        CommandError::caused(Kind::User, format!("cannot use {}", path.display()), error)
    };
    let mut objects = Vec::new();
    for document in weir_yaml::parse_all(&text).map_err(|error| wrong(&error))? {
        let Some(root) = &document.root else { continue };
        let value = weir_yaml::to_json(root, Dialect::Sigs).map_err(|error| wrong(&error))?;
        objects.push(Object::from_value(value).map_err(|error| wrong(&error))?);
    }
    Ok(objects)
}
