//! `weir verify`.

mod policies;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use serde_json::{Value, json};
use weir_oci::Reference;
use weir_registry::Client;
use weir_trust::{Sizes, find, find_all};
use weir_verify::{
    Examined, Identity, IdentityPolicy, KeyPolicy, Policy, PredicateType, PredicateTypes, SignatureSet,
    Target, TextMatch, TrustRoot, examine, verify,
};

pub(crate) use policies::{in_files as policies_in_files, of_cluster as policies_of_cluster};

use crate::global::Context;
use crate::output::{self, Shape};
use crate::remote::{Remote, read_reference};
use crate::{CommandError, Exit, Kind, attest, keys, run::Result, trust};

const EXAMPLES: &str = "\
Examples:
  weir verify oci://ghcr.io/org/apps:latest --key cosign.pub
  weir verify oci://ghcr.io/org/apps:latest --key old.pub --key new.pub
  weir verify oci://ghcr.io/org/apps@sha256:DIGEST --key k8s://flux-system/cosign-pub -o json
  weir verify oci://ghcr.io/org/apps:latest \\
    --certificate-identity https://github.com/org/apps/.github/workflows/push.yml@refs/heads/main \\
    --certificate-oidc-issuer https://token.actions.githubusercontent.com
  weir verify oci://ghcr.io/org/apps:latest --type slsaprovenance1 --key cosign.pub -o json \\
    | jq '.signatures[] | select(.counts) | .statement.predicate'
  weir verify oci://registry.example/apps:latest --trusted-root trusted_root.json \\
    --certificate-identity-regexp '^https://ci\\.example/apps/' \\
    --certificate-oidc-issuer https://ci.example
  weir verify oci://ghcr.io/org/apps:latest --policy policy.yaml
  weir verify oci://ghcr.io/org/apps:latest --as-cluster production -n apps";

/// Verify an artifact's signatures with keys or identities, and explain each one found
///
/// One good signature by any of the keys, or by the identity, is enough, by the rules that the cluster follows: when
/// there are Sigstore bundles, only they count. Prints the digest that was verified and a line for each signature;
/// exit code 1 when none counts. Nothing is asked of Sigstore's services: certificates, logs and timestamps are checked
/// with the trust root alone.
///
/// With `--type`, attestations are looked for instead, as `weir attest` makes them: statements of that type whose subject is
/// the artifact, in bundles or, where there are none, as cosign stored them before version 3. One that counts is enough.
///
/// With `--policy` or `--as-cluster`, VerificationPolicies are asked, as the controllers ask them, for attestations too: exit code
/// 1 when one that is enforced is not met. They are asked for somebody who has taken nothing yet: where a policy lets a tag go forward
/// only, name the tag, and its record is looked for; which one a cluster has taken before is not known here.
#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    group(ArgGroup::new("signer").args(["key", "certificate_identity", "certificate_identity_regexp", "policy", "as_cluster"]).required(true)),
    group(ArgGroup::new("issuer").args(["certificate_oidc_issuer", "certificate_oidc_issuer_regexp"]).conflicts_with_all(["key", "policy", "as_cluster"])),
)]
pub(crate) struct Verify {
    /// The artifact: oci://HOST/REPOSITORY[:TAG][@DIGEST]
    #[arg(value_name = "REFERENCE", value_parser = read_reference)]
    reference: Reference,
    /// Public key: a file, env://VARIABLE, k8s://NAMESPACE/SECRET, or exec://PROGRAM#KEY; may be repeated
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// Whom the signer's certificate must name, exactly
    #[arg(long, value_name = "SUBJECT", requires = "issuer")]
    certificate_identity: Option<String>,
    /// Whom it must name, as an expression that is searched for: anchor it with ^ and $
    #[arg(long, value_name = "RE2", requires = "issuer")]
    certificate_identity_regexp: Option<String>,
    /// Who must vouch for the signer, exactly
    #[arg(long, value_name = "URL")]
    certificate_oidc_issuer: Option<String>,
    /// Who must vouch, as an expression that is searched for
    #[arg(long, value_name = "RE2")]
    certificate_oidc_issuer_regexp: Option<String>,
    /// The authorities and logs that count, as Sigstore's JSON; with `--key`, the signature must be in one of its logs
    /// [default: those of Sigstore's public-good instance; with `--key`: no log is looked at]
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// Ask the VerificationPolicies in this file, whatever they match; Secrets that they refer to may be in it. May be repeated
    #[arg(long, value_name = "FILE", conflicts_with_all = ["trusted_root", "type"])]
    policy: Vec<PathBuf>,
    /// Ask the VerificationPolicies of the cluster of this context that are about an OCIRepository of this address in the namespace
    /// of `--namespace`
    #[arg(long, value_name = "CONTEXT", conflicts_with_all = ["trusted_root", "type", "context"])]
    as_cluster: Option<String>,
    /// Ask for an attestation of this type: one of cosign's names, as in `weir attest --help`, or a URI
    #[arg(long, value_name = "TYPE", value_parser = attest::read_type)]
    r#type: Option<PredicateType>,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Shape,
    #[command(flatten)]
    remote: Remote,
}

impl Verify {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        if !self.policy.is_empty() || self.as_cluster.is_some() {
            return self.by_policies(cx).await;
        }
        let policy = self.signer(cx).await?;
        let now = cx.io.now();
        let repository = self.reference.repository();
        let client = self.remote.client(cx, repository)?;
        let work = async {
            if self.r#type.is_some() {
                return attest::fetch(&client, &self.reference).await;
            }
            signatures(&client, &self.reference, false).await
        };
        let (target, found) = cx.in_time("fetching the signatures", work).await?;
        let verdict = verify(&target, &found, &policy, now);
        let examined = examine(&target, &found, &policy, now);
        match self.output {
            Shape::Text => {
                let word = if verdict.is_ok() {
                    "verified"
                } else {
                    "not verified"
                };
                cx.io.line(&format!("{repository}@{}: {word}", target.digest()))?;
                for one in &examined {
                    let says = match &one.verdict {
                        Ok(verified) => format!("good, {}", trust::by(verified.evidence())),
                        Err(why) => format!("does not count: {why}"),
                    };
                    cx.io.line(&format!("  {} {}: {says}", one.layout, one.source))?;
                }
            }
            Shape::Json | Shape::Yaml => {
                let data = |one| data(one, self.r#type.is_some());
                let mut value = json!({
                    "repository": repository.to_string(),
                    "digest": target.digest().to_string(),
                    "verified": verdict.is_ok(),
                    "signatures": examined.iter().map(data).collect::<Vec<Value>>(),
                });
                if let Some(kind) = &self.r#type {
                    value["type"] = json!(kind.uri());
                }
                output::print_value(cx.io, &value, self.output == Shape::Yaml)?;
            }
        }
        match verdict {
            Ok(_) => Ok(Exit::Success),
            Err(error) => Err(self.refusal(&error.reference, examined.is_empty())),
        }
    }

    fn refusal(&self, reference: &str, nothing_there: bool) -> CommandError {
        let (what, command) = match &self.r#type {
            None => ("signatures".to_owned(), "sign it with `weir sign`".to_owned()),
            Some(kind) => {
                let name = PredicateType::short_name(kind.uri()).unwrap_or(kind.uri());
                let command = format!("state it with `weir attest --type {name}`");
                (format!("attestations of type {kind}"), command)
            }
        };
        let message = format!("no matching {what} were found for '{reference}'");
        CommandError::rejected(message).hint(if nothing_there {
            format!("{command}; it may also have been pushed by somebody who cannot sign")
        } else {
            "the lines above say why each signature does not count".to_owned()
        })
    }
}

/// The artifact and its signatures; with its attestations where they are asked for.
async fn signatures(
    client: &Client,
    reference: &Reference,
    with_attestations: bool,
) -> Result<(Target, SignatureSet)> {
    let digest = client.resolve(reference).await?.digest;
    let target = Target::new(reference.repository().clone(), digest);
    let found = if with_attestations {
        find_all(client, &target, Sizes::LARGEST).await
    } else {
        find(client, &target).await
    };
    let found =
        found.map_err(|error| CommandError::caused(Kind::Outside, "cannot look for signatures", &error))?;
    Ok((target, found))
}

impl Verify {
    async fn by_policies(self, cx: &mut Context<'_>) -> Result {
        let repository = self.reference.repository();
        let rules = if let Some(context) = &self.as_cluster {
            policies::of_cluster(cx, context, repository).await?
        } else {
            policies::in_files(&self.policy).await?
        };
        let client = self.remote.client(cx, repository)?;
        let work = signatures(&client, &self.reference, true);
        let (target, found) = cx.in_time("fetching the signatures", work).await?;
        let tag = self.reference.tag();
        policies::judge(cx, self.output, &target, tag, &found, rules)
    }

    async fn signer(&self, cx: &mut Context<'_>) -> Result<Policy> {
        let root = self.trusted_root.as_deref().map(trust::read_root).transpose()?;
        let issuer = either(
            self.certificate_oidc_issuer.as_deref(),
            self.certificate_oidc_issuer_regexp.as_deref(),
        )?;
        let subject = either(
            self.certificate_identity.as_deref(),
            self.certificate_identity_regexp.as_deref(),
        )?;
        let Some((issuer, subject)) = issuer.zip(subject) else {
            let mut public = Vec::new();
            for name in &self.key {
                public.push((name.clone(), keys::public(cx, name).await?));
            }
            let policy = KeyPolicy::new(public).map_err(|error| CommandError::of(Kind::Usage, &error))?;
            let policy = policy.with_predicate_types(self.predicate_types());
            return Ok(Policy::Keys(match root {
                Some(root) => policy.in_log_of(root),
                None => policy,
            }));
        };
        let identity =
            Identity::new(issuer, subject).map_err(|error| CommandError::of(Kind::Usage, &error))?;
        let root = root.unwrap_or_else(TrustRoot::public_good);
        let policy =
            IdentityPolicy::new(root, [identity]).map_err(|error| CommandError::of(Kind::Usage, &error))?;
        for warning in policy.warnings() {
            cx.io.talk(&format!("warning: {warning}"));
        }
        Ok(Policy::Identities(
            policy.with_predicate_types(self.predicate_types()),
        ))
    }

    fn predicate_types(&self) -> PredicateTypes {
        match &self.r#type {
            None => PredicateTypes::Any,
            Some(kind) => PredicateTypes::OneOf(BTreeSet::from([kind.uri().to_owned()])),
        }
    }
}

/// A text to compare, or a pattern to search for; not both, which the arguments' groups see to.
pub(crate) fn either(exact: Option<&str>, pattern: Option<&str>) -> Result<Option<TextMatch>> {
    if let Some(pattern) = pattern {
        let read = weir_re2::Pattern::new(pattern).map_err(|error| {
            CommandError::caused(
                Kind::Usage,
                format!("cannot read the expression `{pattern}`"),
                &error,
            )
        })?;
        return Ok(Some(TextMatch::Pattern(read)));
    }
    Ok(exact.map(|text| TextMatch::Exact(text.to_owned())))
}

fn data(one: &Examined, with_statement: bool) -> Value {
    let mut value = json!({
        "layout": one.layout.to_string(),
        "source": one.source.to_string(),
        "counts": one.verdict.is_ok(),
    });
    if let Some(map) = value.as_object_mut() {
        match &one.verdict {
            Ok(verified) => {
                let evidence = verified.evidence();
                trust::put_evidence(map, evidence);
                map.insert("predicateType".into(), json!(evidence.predicate_type));
                if with_statement {
                    map.insert("statement".into(), json!(verified.get().statement));
                }
            }
            Err(why) => {
                map.insert("reason".into(), json!(why.to_string()));
            }
        }
    }
    value
}
