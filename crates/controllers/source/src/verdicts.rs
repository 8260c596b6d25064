//! Good verdicts that need not be found again: many objects take the same artifact under the same policy.

use jiff::Timestamp;
use weir_oci::Digest;
use weir_verify::{Admission, Target};

use crate::kept::Kept;

/// How many verdicts are kept; each has less than two kilobytes.
const MOST: usize = 1024;

/// What a verdict depends on. A tag is no part of it, and every part of the policy is, its trust root too
/// (security case N23). The time is not: a signature that was good stays good under the same policy. What is stated may become
/// too old; such a verdict says when it ends.
type Key = (String, Digest, Digest);

/// Verdicts by artifact, repository and policy. Only good ones: a signature may come at any time.
#[derive(Debug)]
pub(crate) struct Verdicts(Kept<Key, Admission>);

impl Default for Verdicts {
    fn default() -> Self {
        Self(Kept::new(MOST))
    }
}

impl Verdicts {
    /// The verdict on `target` under the policy with this fingerprint, if it holds at this time.
    pub(crate) fn get(&self, target: &Target, policy: Digest, now: Timestamp) -> Option<Admission> {
        let admission = self.0.get(&key(target, policy))?;
        let holds = admission.until.is_none_or(|until| now <= until);
        holds.then_some(admission)
    }

    /// Keeps a verdict.
    pub(crate) fn keep(&self, target: &Target, policy: Digest, admission: &Admission) {
        self.0.put(key(target, policy), admission.clone());
    }
}

fn key(target: &Target, policy: Digest) -> Key {
    (target.repository().to_string(), target.digest(), policy)
}

#[cfg(test)]
mod tests {
    use weir_standin_sigstore::{Holder, Rekor, Sigstore};
    use weir_verify::{
        Demands, FoundBundle, IdentityPolicy, Policy, SignatureSet, Statement, TrustRoot, admit,
    };

    use super::*;

    fn now() -> Timestamp {
        "2026-02-01T00:00:00Z".parse().unwrap()
    }

    fn target(name: &str, digest: Digest) -> Target {
        Target::new(format!("registry.example/{name}").parse().unwrap(), digest)
    }

    fn verified(digest: Digest) -> Admission {
        let sigstore = Sigstore::new("2026-01-01T00:00:00Z".parse().unwrap());
        let statement = serde_json::to_vec(&Statement::cosign_signature(digest)).unwrap();
        let holder = Holder::new("https://accounts.example", "a@example.org");
        let content = sigstore
            .sign_statement(&holder, &statement, now(), Rekor::V1)
            .to_string()
            .into_bytes();
        let set = SignatureSet {
            bundles: vec![FoundBundle {
                manifest: digest,
                content,
            }],
            ..SignatureSet::default()
        };
        let root = TrustRoot::from_json(sigstore.trusted_root().to_string().as_bytes()).unwrap();
        let demands = Demands {
            own: Some(Policy::Identities(IdentityPolicy::any_identity_unsafe(root))),
            rules: Vec::new(),
        };
        admit(&target("a", digest), &set, &demands, now()).unwrap()
    }

    #[test]
    fn n23_a_verdict_is_remembered_for_its_digest_repository_and_policy_only() {
        let (digest, policy) = (Digest::of(b"artifact"), Digest::of(b"policy"));
        let verdicts = Verdicts::default();
        verdicts.keep(&target("a", digest), policy, &verified(digest));
        let kept = verdicts.get(&target("a", digest), policy, now()).unwrap();
        assert_eq!(*kept.admitted.get(), digest);
        assert!(verdicts.get(&target("b", digest), policy, now()).is_none());
        assert!(
            verdicts
                .get(&target("a", Digest::of(b"x")), policy, now())
                .is_none()
        );
        assert!(
            verdicts
                .get(&target("a", digest), Digest::of(b"another policy"), now())
                .is_none()
        );
    }

    #[test]
    fn n23_a_verdict_that_ends_is_not_given_after_its_end() {
        let (digest, policy) = (Digest::of(b"artifact"), Digest::of(b"policy"));
        let admission = Admission {
            until: Some(now()),
            ..verified(digest)
        };
        let verdicts = Verdicts::default();
        verdicts.keep(&target("a", digest), policy, &admission);
        assert!(verdicts.get(&target("a", digest), policy, now()).is_some());
        let later = now() + jiff::SignedDuration::from_secs(1);
        assert!(verdicts.get(&target("a", digest), policy, later).is_none());
    }
}
