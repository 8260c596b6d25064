//! What each of several policies thinks of one artifact's signatures, found once for each.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::Timestamp;
use weir_oci::Digest;

use crate::judge::examine;
use crate::policy::{Policy, PredicateTypes};
use crate::signatures::SignatureSet;
use crate::verdict::{Examined, Target};

/// Examinations of what was stated about an artifact, whatever kind of statement it is.
pub(super) struct Examinations<'s> {
    target: &'s Target,
    signatures: &'s SignatureSet,
    /// By the policy's fingerprint: rules often ask for several statements by the same authorities.
    known: RefCell<BTreeMap<Digest, Rc<Vec<Examined>>>>,
}

impl<'s> Examinations<'s> {
    pub(super) fn new(target: &'s Target, signatures: &'s SignatureSet) -> Self {
        Self {
            target,
            signatures,
            known: RefCell::default(),
        }
    }

    /// What `policy` thinks of every signature; statements of all kinds count.
    pub(super) fn by(&self, policy: &Policy, now: Timestamp) -> Rc<Vec<Examined>> {
        let policy = policy.clone().with_predicate_types(PredicateTypes::Any);
        let fingerprint = policy.fingerprint();
        if let Some(known) = self.known.borrow().get(&fingerprint) {
            return known.clone();
        }
        let found = Rc::new(examine(self.target, self.signatures, &policy, now));
        self.known.borrow_mut().insert(fingerprint, found.clone());
        found
    }
}
