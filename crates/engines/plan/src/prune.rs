//! Deleting what left the source (flux-controllers.md §3.7, §3.8).

use std::str::FromStr;

use weir_apis::inventory::{Entry, InvalidEntry, Inventory};
use weir_apis::{Object, ObjectRef};

use crate::owner::Owner;
use crate::policy::{Policy, SkipReason};
use crate::stage::sort_for_deletion;

/// What a desired set without objects means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EmptySet {
    /// A mistake upstream: delete nothing.
    #[default]
    Refuse,
    /// What the user asked for: delete everything.
    Allow,
}

/// How much one prune may delete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Budget {
    /// As much as is stale.
    #[default]
    Unlimited,
    /// At most so many objects.
    Objects(usize),
    /// At most this share of the inventory, in per cent, rounded down, and at least one object.
    Percent(u8),
}

impl Budget {
    fn limit(self, total: usize) -> Option<usize> {
        match self {
            Self::Unlimited => None,
            Self::Objects(count) => Some(count),
            Self::Percent(share) => Some((total.saturating_mul(usize::from(share)) / 100).max(1)),
        }
    }
}

impl FromStr for Budget {
    type Err = InvalidBudget;

    /// Reads `12` (objects), `25%` (of the inventory) or `unlimited`.
    fn from_str(text: &str) -> Result<Self, InvalidBudget> {
        let invalid = || InvalidBudget(text.chars().take(40).collect());
        if text == "unlimited" {
            return Ok(Self::Unlimited);
        }
        match text.strip_suffix('%') {
            Some(share) => match share.parse() {
                Ok(share) if share <= 100 => Ok(Self::Percent(share)),
                _ => Err(invalid()),
            },
            None => text.parse().map(Self::Objects).map_err(|_| invalid()),
        }
    }
}

/// Text that is no [`Budget`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no deletion budget: expected a number of objects, a share such as 25%, or unlimited")]
pub struct InvalidBudget(String);

/// What keeps a prune from deleting more than anyone meant (security case N65).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guard {
    /// What a desired set without objects means.
    pub empty: EmptySet,
    /// How much may be deleted.
    pub budget: Budget,
}

/// A prune that must not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PruneRefused {
    /// The source has no objects, the inventory has.
    #[error("the source holds no objects while {inventory} are applied: refusing to delete all of them")]
    EmptySet {
        /// How many objects are in the inventory.
        inventory: usize,
    },
    /// More would be deleted than the budget allows.
    #[error("{stale} of {inventory} objects left the source: the deletion budget allows {allowed}")]
    OverBudget {
        /// How many objects would be deleted.
        stale: usize,
        /// How many objects are in the inventory.
        inventory: usize,
        /// How many may be deleted.
        allowed: usize,
    },
}

/// What to delete, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrunePlan {
    objects: Vec<ObjectRef>,
    unreadable: Vec<(Entry, InvalidEntry)>,
}

impl PrunePlan {
    /// What `old` has and `new` has not.
    pub fn new(old: &Inventory, new: &Inventory, guard: Guard) -> Result<Self, PruneRefused> {
        let inventory = old.entries.len();
        let stale = old.stale(new);
        if stale.is_empty() {
            return Ok(Self::default());
        }
        if new.entries.is_empty() && guard.empty == EmptySet::Refuse {
            return Err(PruneRefused::EmptySet { inventory });
        }
        match guard.budget.limit(inventory) {
            Some(allowed) if stale.len() > allowed => Err(PruneRefused::OverBudget {
                stale: stale.len(),
                inventory,
                allowed,
            }),
            _ => Ok(Self::of(stale)),
        }
    }

    /// Everything of an inventory: the owner itself is being deleted.
    pub fn everything(inventory: &Inventory) -> Self {
        Self::of(inventory.entries.iter().collect())
    }

    fn of(entries: Vec<&Entry>) -> Self {
        let mut plan = Self::default();
        for entry in entries {
            match entry.reference() {
                Ok(object) => plan.objects.push(object),
                Err(invalid) => plan.unreadable.push((entry.clone(), invalid)),
            }
        }
        sort_for_deletion(&mut plan.objects);
        plan
    }

    /// The objects to delete, in order. Each must be read and put to [`Deletion::decide`] first.
    pub fn objects(&self) -> &[ObjectRef] {
        &self.objects
    }

    /// Entries whose object can't be told. Keep them in the inventory and report them: what they stand for
    /// may still exist.
    pub fn unreadable(&self) -> impl Iterator<Item = (&Entry, &InvalidEntry)> {
        self.unreadable.iter().map(|(entry, error)| (entry, error))
    }

    /// Puts the unreadable entries back into the inventory that will be stored.
    pub fn carry_over(&self, inventory: &mut Inventory) {
        for (entry, _) in &self.unreadable {
            if !inventory.entries.iter().any(|e| e.id == entry.id) {
                inventory.entries.push(entry.clone());
            }
        }
    }

    /// Whether there is nothing to delete and nothing to report.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.unreadable.is_empty()
    }
}

/// What to do about one stale object, now that it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    /// Delete it in the background.
    Delete(Delete),
    /// It does not exist: done.
    Gone,
    /// Leave it.
    Skip(SkipReason),
}

/// Leave to delete one object. Only [`Deletion::decide`] gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete {
    object: ObjectRef,
    uid: String,
}

impl Delete {
    /// The object.
    pub fn object(&self) -> &ObjectRef {
        &self.object
    }

    /// Its uid, as the precondition of the deletion: another object under the same name is not ours.
    pub fn uid(&self) -> &str {
        &self.uid
    }
}

impl Deletion {
    /// Decides from the live object: it is deleted only while it carries the owner's labels and has not opted
    /// out.
    pub fn decide(object: &ObjectRef, live: Option<&Object>, owner: &Owner) -> Self {
        let Some(live) = live else {
            return Self::Gone;
        };
        if !owner.owns(live) {
            return Self::Skip(SkipReason::NotOwned);
        }
        match SkipReason::before_delete(Policy::of(live)) {
            Some(reason) => Self::Skip(reason),
            None => Self::Delete(Delete {
                object: object.clone(),
                uid: live.uid().into(),
            }),
        }
    }
}
