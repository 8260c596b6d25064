//! Step three: are the signatures there that the spec asks for? The only way to an [`Admitted`] digest.

use weir_apis::condition::{SOURCE_VERIFIED, Status};
use weir_apis::reason;
use weir_apis::time::Time;
use weir_oci::Digest;
use weir_runtime::verdict::chain;
use weir_runtime::{Draft, Failure};
use weir_verify::{Admitted, KeyPolicy, PublicKey, Target, verify};

use crate::gather::{Gathered, Policy};
use crate::resolve::Resolved;
use crate::status::{At, Failed};

/// Checks the digest's signatures against the policy, and says in the draft's conditions what came of it. Without a
/// policy the artifact is admitted unverified, and the condition goes.
pub(crate) async fn admit(
    gathered: &Gathered,
    resolved: &Resolved,
    draft: &mut Draft,
    now: Time,
) -> Result<Admitted<Digest>, Failed> {
    let keys = match &gathered.policy {
        Policy::None => {
            draft.conditions.remove(SOURCE_VERIFIED);
            return Ok(Admitted::without_policy(resolved.digest));
        }
        Policy::Keys(keys) => keys,
    };
    let policy = policy(keys)?;
    let target = Target::new(gathered.repository.clone(), resolved.digest);
    let signatures = weir_trust::find(&gathered.registry, &target)
        .await
        .map_err(|e| refused(format!("cannot look for signatures: {}", chain(&e))))?;
    let verified = verify(&target, &signatures, &policy).map_err(|e| refused(chain(&e)))?;
    let message = format!("{}{}", verdict_on(&resolved.revision), verified.evidence());
    draft.set(SOURCE_VERIFIED, Status::True, reason::SUCCEEDED, &message, now);
    Ok(verified.into())
}

/// How the condition's message begins for a revision: the status remembers by it what the verdict was about.
pub(crate) fn verdict_on(revision: &str) -> String {
    format!("verified signature of revision {revision}: ")
}

fn policy(keys: &[(String, Vec<u8>)]) -> Result<weir_verify::Policy, Failed> {
    let mut read = Vec::with_capacity(keys.len());
    for (name, pem) in keys {
        let key = std::str::from_utf8(pem)
            .map_err(|_| refused(format!("spec.verify.secretRef: '{name}' is not PEM")))
            .and_then(|pem| {
                PublicKey::from_pem(pem)
                    .map_err(|e| refused(format!("spec.verify.secretRef: '{name}': {}", chain(&e))))
            })?;
        read.push((name.clone(), key));
    }
    KeyPolicy::new(read)
        .map(weir_verify::Policy::Keys)
        .map_err(|e| refused(chain(&e)))
}

/// Flux's words first, which alerts match on; then what was found.
fn refused(why: String) -> Failed {
    let message = format!("failed to verify the signature using provider 'cosign': {why}");
    Failed {
        at: At::Verify,
        failure: Failure::retry(reason::VERIFICATION_ERROR, message),
    }
}
