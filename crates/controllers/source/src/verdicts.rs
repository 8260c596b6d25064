//! Good verdicts that need not be found again: many objects take the same artifact under the same policy.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use weir_oci::Digest;
use weir_verify::{Admission, Target};

/// How many verdicts are kept; each has less than two kilobytes.
const CAPACITY: usize = 1024;

/// What a verdict depends on. A tag is no part of it, and every part of the policy is, its trust root too
/// (security case N23). The time is not: a signature that was good stays good under the same policy. What is stated may become
/// too old; such a verdict says when it ends.
type Key = (String, Digest, Digest);

/// Verdicts by artifact, repository and policy. Only good ones: a signature may come at any time.
#[derive(Debug, Default)]
pub(crate) struct Verdicts(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    verdicts: HashMap<Key, Admission>,
    /// In the order of their coming.
    order: VecDeque<Key>,
}

impl Verdicts {
    /// The verdict on `target` under the policy with this fingerprint, if it holds at this time.
    pub(crate) fn get(&self, target: &Target, policy: Digest, now: Timestamp) -> Option<Admission> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let admission = kept.verdicts.get(&key(target, policy))?;
        let holds = admission.until.is_none_or(|until| now <= until);
        holds.then(|| admission.clone())
    }

    /// Keeps a verdict, and forgets the oldest when there are too many.
    pub(crate) fn keep(&self, target: &Target, policy: Digest, admission: &Admission) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key(target, policy);
        if kept.verdicts.insert(key.clone(), admission.clone()).is_none() {
            kept.order.push_back(key);
        }
        while kept.order.len() > CAPACITY {
            if let Some(oldest) = kept.order.pop_front() {
                kept.verdicts.remove(&oldest);
            }
        }
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

    #[test]
    fn the_oldest_are_forgotten() {
        let digest = Digest::of(b"artifact");
        let (verdicts, one) = (Verdicts::default(), verified(digest));
        let policy = |index: usize| Digest::of(&index.to_be_bytes());
        for index in 0..=CAPACITY {
            verdicts.keep(&target("a", digest), policy(index), &one);
            verdicts.keep(&target("a", digest), policy(index), &one);
        }
        assert!(verdicts.get(&target("a", digest), policy(0), now()).is_none());
        assert!(verdicts.get(&target("a", digest), policy(1), now()).is_some());
        assert!(
            verdicts
                .get(&target("a", digest), policy(CAPACITY), now())
                .is_some()
        );
    }
}
