//! Step three: are the signatures there that the spec asks for? The only way to an [`Admitted`] digest.

use weir_apis::condition::{SOURCE_VERIFIED, Status};
use weir_apis::reason;
use weir_apis::time::Time;
use weir_oci::Digest;
use weir_runtime::verdict::chain;
use weir_runtime::{Draft, Failure};
use weir_verify::{Admitted, Target, verify};

use crate::gather::Gathered;
use crate::policy::Policy;
use crate::resolve::Resolved;
use crate::status::{At, Failed};
use crate::verdicts::Verdicts;

/// Checks the digest's signatures against the policy, and says in the draft's conditions what came of it. Without a
/// policy the artifact is admitted unverified, and the condition goes.
pub(crate) async fn admit(
    gathered: &Gathered,
    resolved: &Resolved,
    verdicts: &Verdicts,
    draft: &mut Draft,
    now: Time,
) -> Result<Admitted<Digest>, Failed> {
    let (policy, provider, warnings) = match &gathered.policy {
        Policy::None => {
            draft.conditions.remove(SOURCE_VERIFIED);
            return Ok(Admitted::without_policy(resolved.digest));
        }
        Policy::Asked {
            policy,
            provider,
            warnings,
        } => (policy, *provider, warnings),
    };
    let target = Target::new(gathered.repository.clone(), resolved.digest);
    let fingerprint = policy.fingerprint();
    let verified = if let Some(verified) = verdicts.get(&target, fingerprint) {
        verified
    } else {
        let signatures = weir_trust::find(&gathered.registry, &target)
            .await
            .map_err(|e| refused(provider, &format!("cannot look for signatures: {}", chain(&e))))?;
        let verified = verify(&target, &signatures, policy, now.timestamp())
            .map_err(|e| refused(provider, &chain(&e)))?;
        verdicts.keep(&target, fingerprint, &verified);
        verified
    };
    let mut message = format!(
        "{}{}",
        verdict_on(&resolved.revision, fingerprint),
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

/// How the condition's message begins for a revision under the policy with this fingerprint: the status remembers by
/// it what the verdict was about, so that other keys in a Secret or another trust root ask for a new one.
pub(crate) fn verdict_on(revision: &str, policy: Digest) -> String {
    let policy: String = policy.hex().chars().take(12).collect();
    format!("verified signature of revision {revision} under policy {policy}: ")
}

/// Flux's words first, which alerts match on; then what was found.
fn refused(provider: &str, why: &str) -> Failed {
    let message = format!("failed to verify the signature using provider '{provider}': {why}");
    Failed {
        at: At::Verify,
        failure: Failure::retry(reason::VERIFICATION_ERROR, message),
    }
}
