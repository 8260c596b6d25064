//! One object as it should be.

use std::collections::BTreeMap;
use std::fmt;

use weir_apis::{Object, ObjectRef};

use crate::fingerprint::Fingerprint;
use crate::normalize::normalize;
use crate::owner::Owner;
use crate::policy::{Policy, SkipReason};

/// What is written on every object of one owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// Who applies the objects.
    pub owner: Owner,
    /// Labels of `spec.commonMetadata`.
    pub labels: BTreeMap<String, String>,
    /// Annotations of `spec.commonMetadata`.
    pub annotations: BTreeMap<String, String>,
}

impl Marks {
    /// The owner's labels and nothing else.
    pub fn of(owner: Owner) -> Self {
        Self {
            owner,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
        }
    }
}

/// A manifest that is ready to be applied: normalised, labelled, its wishes read.
#[derive(Clone, PartialEq)]
pub struct Desired {
    object: Object,
    reference: ObjectRef,
    policy: Policy,
    fingerprint: Fingerprint,
}

impl fmt::Debug for Desired {
    /// Names the object and never shows it: it may be a Secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Desired({})", self.reference)
    }
}

/// What to do with an object once its live state is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It stays as it is: no dry run is needed.
    Skip(SkipReason),
    /// Ask the API server what an apply would give.
    DryRun,
}

impl Desired {
    /// Normalises a manifest and writes the marks on it. The owner's labels come last: an object whose owner
    /// labels were overridden could never be pruned.
    pub fn new(mut object: Object, marks: &Marks) -> Self {
        normalize(&mut object);
        for (key, value) in &marks.labels {
            object.set_label(key, value);
        }
        for (key, value) in &marks.annotations {
            object.set_annotation(key, value);
        }
        marks.owner.mark(&mut object);
        Self {
            reference: object.reference(),
            policy: Policy::of(&object),
            fingerprint: Fingerprint::of(&object),
            object,
        }
    }

    /// The object to send.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// Takes the object out.
    pub fn into_object(self) -> Object {
        self.object
    }

    /// Type, namespace and name as the manifest says. The API server's scope may differ: the inventory uses
    /// [`Step::reference`](crate::Step::reference).
    pub fn reference(&self) -> &ObjectRef {
        &self.reference
    }

    /// What the manifest asks for.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// A stand-in for the whole object.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Whether to ask for a dry run, given the live object.
    pub fn next(&self, live: Option<&Object>) -> Next {
        match SkipReason::before_apply(self.policy, live.map(Policy::of)) {
            Some(reason) => Next::Skip(reason),
            None => Next::DryRun,
        }
    }
}
