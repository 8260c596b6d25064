//! What each of several policies thinks of one artifact's signatures, found once for each.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use weir_oci::Digest;

use crate::judge::Candidates;
use crate::policy::{Policy, PredicateTypes};
use crate::verdict::Examined;

/// Examinations of what was stated about an artifact, whatever kind of statement it is.
pub(super) struct Examinations<'c> {
    candidates: &'c Candidates<'c>,
    pub(super) now: Timestamp,
    /// How far ahead to look for the end of what depends on the time.
    pub(super) ahead: SignedDuration,
    /// By the policy's fingerprint: rules often ask for several statements by the same authorities.
    known: RefCell<BTreeMap<Digest, Rc<Vec<Examined>>>>,
}

impl<'c> Examinations<'c> {
    pub(super) fn new(candidates: &'c Candidates<'c>, now: Timestamp, ahead: SignedDuration) -> Self {
        Self {
            candidates,
            now,
            ahead,
            known: RefCell::default(),
        }
    }

    /// What `policy` thinks of every signature; statements of all kinds count.
    pub(super) fn by(&self, policy: &Policy) -> Rc<Vec<Examined>> {
        let policy = policy.clone().with_predicate_types(PredicateTypes::Any);
        let fingerprint = policy.fingerprint();
        if let Some(known) = self.known.borrow().get(&fingerprint) {
            return known.clone();
        }
        let found = Rc::new(self.candidates.examine(&policy));
        self.known.borrow_mut().insert(fingerprint, found.clone());
        found
    }
}
