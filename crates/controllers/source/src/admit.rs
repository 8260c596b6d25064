//! Step three: are the signatures there that the spec asks for? The only way to an [`Admitted`] digest.

use weir_apis::condition::{SOURCE_VERIFIED, Status};
use weir_apis::reason;
use weir_apis::time::Time;
use weir_oci::Digest;
use weir_registry::Client;
use weir_runtime::verdict::chain;
use weir_runtime::{Draft, Failure};
use weir_verify::{Admitted, Target, verify};

use crate::policy::Policy;
use crate::status::{At, Failed};
use crate::verdicts::Verdicts;

/// What is to be admitted, and who is asked for its signatures.
#[derive(Debug)]
pub(crate) struct Candidate<'c> {
    pub(crate) policy: &'c Policy,
    pub(crate) registry: &'c Client,
    pub(crate) target: Target,
    /// What the status calls it, such as `revision latest@sha256:…`.
    pub(crate) name: &'c str,
}

/// Checks the signatures of a candidate against its policy, and says in the draft's conditions what came of it. Without a
/// policy the artifact is admitted unverified, and the condition goes.
pub(crate) async fn admit(
    candidate: &Candidate<'_>,
    verdicts: &Verdicts,
    draft: &mut Draft,
    now: Time,
) -> Result<Admitted<Digest>, Failed> {
    let target = &candidate.target;
    let (policy, provider, warnings) = match candidate.policy {
        Policy::None => {
            draft.conditions.remove(SOURCE_VERIFIED);
            return Ok(Admitted::without_policy(target.digest()));
        }
        Policy::Asked {
            policy,
            provider,
            warnings,
        } => (policy, *provider, warnings),
    };
    let fingerprint = policy.fingerprint();
    let verified = if let Some(verified) = verdicts.get(target, fingerprint) {
        verified
    } else {
        let signatures = weir_trust::find(candidate.registry, target)
            .await
            .map_err(|e| refused(provider, &format!("cannot look for signatures: {}", chain(&e))))?;
        let verified = verify(target, &signatures, policy, now.timestamp())
            .map_err(|e| refused(provider, &chain(&e)))?;
        verdicts.keep(target, fingerprint, &verified);
        verified
    };
    let mut message = format!(
        "{}{}",
        verdict_on(candidate.name, fingerprint),
        verified.evidence()
    );
    if let Some((first, more)) = warnings.split_first() {
        message.push_str("; warning: ");
        message.push_str(first);
        if !more.is_empty() {
            let more = format!(" (and {} more, which `weir verify` shows)", more.len());
            message.push_str(&more);
        }
    }
    draft.set(SOURCE_VERIFIED, Status::True, reason::SUCCEEDED, &message, now);
    Ok(verified.into())
}

/// How the condition's message begins for what has this name, under the policy with this fingerprint: the status
/// remembers by it what the verdict was about, so that other keys in a Secret or another trust root ask for a new one.
fn verdict_on(name: &str, policy: Digest) -> String {
    let policy: String = policy.hex().chars().take(12).collect();
    format!("verified signature of {name} under policy {policy}: ")
}

/// Whether the verdict in the status still holds: it was given for this very artifact, generation and policy. A newer one
/// may have been verified and then not fetched, which says nothing of the stored one.
pub(crate) fn is_admitted(draft: &Draft, policy: &Policy, name: &str) -> bool {
    let verdict = draft.conditions.get(SOURCE_VERIFIED);
    match policy {
        // Dropping the condition of a policy that is gone is done where the absence is noticed.
        Policy::None => verdict.is_none(),
        Policy::Asked { policy, .. } => verdict.is_some_and(|c| {
            c.status == Status::True
                && c.observed_generation == Some(draft.object.generation())
                && c.message.starts_with(&verdict_on(name, policy.fingerprint()))
        }),
    }
}

/// Flux's words first, which alerts match on; then what was found.
fn refused(provider: &str, why: &str) -> Failed {
    let message = format!("failed to verify the signature using provider '{provider}': {why}");
    Failed {
        at: At::Verify,
        failure: Failure::retry(reason::VERIFICATION_ERROR, message),
    }
}
