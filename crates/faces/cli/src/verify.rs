//! `weir verify`.

use clap::Args;
use serde_json::{Value, json};
use weir_oci::{Digest, Reference};
use weir_trust::find;
use weir_verify::{Evidence, KeyPolicy, Layout, Policy, SignatureSet, Target, verify};

use crate::global::Context;
use crate::output::{self, Shape, put};
use crate::remote::{Remote, read_reference};
use crate::{CommandError, Exit, Kind, keys, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir verify oci://ghcr.io/org/apps:latest --key cosign.pub
  weir verify oci://ghcr.io/org/apps:latest --key old.pub --key new.pub
  weir verify oci://ghcr.io/org/apps@sha256:DIGEST --key k8s://flux-system/cosign-pub -o json";

/// Verify an artifact's signatures with keys, and explain each one found
///
/// One good signature by any of the keys is enough, by the rules that the cluster follows: when there are Sigstore
/// bundles, only they count. Prints the digest that was verified and a line for each signature; exit code 1 when
/// none counts.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Verify {
    /// The artifact: oci://HOST/REPOSITORY[:TAG][@DIGEST]
    #[arg(value_name = "REFERENCE", value_parser = read_reference)]
    reference: Reference,
    /// Public key: a file, env://VARIABLE, or k8s://NAMESPACE/SECRET; may be repeated
    #[arg(long, value_name = "KEY", required = true)]
    key: Vec<String>,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Shape,
    #[command(flatten)]
    remote: Remote,
}

/// A signature and what is to be said about it.
struct Judged {
    layout: Layout,
    source: Digest,
    verdict: std::result::Result<Evidence, String>,
}

impl Verify {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let mut public = Vec::new();
        for name in &self.key {
            public.push((name.clone(), keys::public(cx, name).await?));
        }
        let policy = KeyPolicy::new(public).map_err(|error| CommandError::of(Kind::Usage, &error))?;
        let policy = Policy::Keys(policy);
        let repository = self.reference.repository();
        let client = self.remote.client(cx, repository)?;
        let work = async {
            let digest = client.resolve(&self.reference).await?.digest;
            let target = Target::new(repository.clone(), digest);
            let found = find(&client, &target)
                .await
                .map_err(|error| CommandError::caused(Kind::Outside, "cannot look for signatures", &error))?;
            Ok((target, found))
        };
        let (target, found) = cx.in_time("fetching the signatures", work).await?;
        let verdict = verify(&target, &found, &policy);
        let judged = judge(&target, &found, &policy);
        match self.output {
            Shape::Text => {
                let word = if verdict.is_ok() {
                    "verified"
                } else {
                    "not verified"
                };
                cx.io.line(&format!("{repository}@{}: {word}", target.digest()))?;
                for one in &judged {
                    let says = match &one.verdict {
                        Ok(evidence) => format!("good, {}", by(evidence)),
                        Err(why) => format!("does not count: {why}"),
                    };
                    cx.io.line(&format!("  {} {}: {says}", one.layout, one.source))?;
                }
            }
            Shape::Json | Shape::Yaml => {
                let value = json!({
                    "repository": repository.to_string(),
                    "digest": target.digest().to_string(),
                    "verified": verdict.is_ok(),
                    "signatures": judged.iter().map(data).collect::<Vec<Value>>(),
                });
                output::print_value(cx.io, &value, self.output == Shape::Yaml)?;
            }
        }
        match verdict {
            Ok(_) => Ok(Exit::Success),
            Err(error) => {
                let message = format!("no matching signatures were found for '{}'", error.reference);
                Err(CommandError::rejected(message).hint(if judged.is_empty() {
                    "sign it with `weir sign`; it may also have been pushed by somebody who cannot sign"
                } else {
                    "the lines above say why each signature does not count"
                }))
            }
        }
    }
}

fn by(evidence: &Evidence) -> String {
    let mut text = format!("by key {} ({})", evidence.key_name, evidence.key);
    if let Some(predicate_type) = &evidence.predicate_type {
        put(&mut text, format_args!(", states {predicate_type}"));
    }
    if let Some(repository) = &evidence.signed_repository {
        put(&mut text, format_args!(", made for {repository}"));
    }
    text
}

/// Each signature by itself: a verdict over all of them ends at the first good one.
fn judge(target: &Target, found: &SignatureSet, policy: &Policy) -> Vec<Judged> {
    let alone = |layout, source, set: &SignatureSet| Judged {
        layout,
        source,
        verdict: match verify(target, set, policy) {
            Ok(verified) => Ok(verified.evidence().clone()),
            Err(error) => Err(error.refused.first().map_or_else(
                || "nothing in it can be read".to_owned(),
                |refused| refused.reason.to_string(),
            )),
        },
    };
    let mut judged = Vec::new();
    for bundle in &found.bundles {
        let set = SignatureSet {
            bundles: vec![bundle.clone()],
            payloads: Vec::new(),
        };
        judged.push(alone(Layout::Bundle, bundle.manifest, &set));
    }
    // The rule of Flux and cosign: a bundle that can be read makes the older payloads count for nothing.
    let readable = found
        .bundles
        .iter()
        .any(|bundle| weir_verify::Bundle::from_json(&bundle.content).is_ok());
    for payload in &found.payloads {
        let set = SignatureSet {
            bundles: Vec::new(),
            payloads: vec![payload.clone()],
        };
        let mut one = alone(Layout::Legacy, payload.layer, &set);
        if readable {
            one.verdict = Err("there are Sigstore bundles, so only those count".into());
        }
        judged.push(one);
    }
    judged
}

fn data(one: &Judged) -> Value {
    let mut value = json!({
        "layout": one.layout.to_string(),
        "source": one.source.to_string(),
        "counts": one.verdict.is_ok(),
    });
    if let Some(map) = value.as_object_mut() {
        match &one.verdict {
            Ok(evidence) => {
                map.insert("keyName".into(), json!(evidence.key_name));
                map.insert("key".into(), json!(evidence.key.to_string()));
                map.insert("predicateType".into(), json!(evidence.predicate_type));
            }
            Err(why) => {
                map.insert("reason".into(), json!(why));
            }
        }
    }
    value
}
