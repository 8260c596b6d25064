//! Which record counts, and what a move from one to another is.

use jiff::Timestamp;
use weir_oci::{Digest, Repository, Tag};

use super::{Action, PROMOTION_PREDICATE, Promotion, Rollback};
use crate::predicate::InvalidPredicate;
use crate::verdict::{Digested, Examined, Verified};

/// A promotion record and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// The digest that the tag is to name.
    pub digest: Digest,
    /// The record.
    pub promotion: Promotion,
}

impl Digested for Recorded {
    fn digest(&self) -> Digest {
        self.digest
    }
}

/// Where in a tag's history somebody is: what a consumer must remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The number of the record.
    pub sequence: u64,
    /// What it is about.
    pub digest: Digest,
}

/// What it is to go from one position to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Move {
    /// It is where one is already.
    Repeat,
    /// Onward, to what was published or promoted later. The digest may be the same.
    Forward,
    /// Onward in the history, back to what was there before, as a signed record says.
    Rollback,
    /// To a record that an earlier one has replaced: an old answer of a registry, or a tag that was moved by hand.
    Backwards,
    /// To another digest with the same number: two moved the tag at the same time, and each came first for somebody. The
    /// next record ends it.
    Fork,
}

impl Move {
    /// Whether whoever goes forward only may go there.
    pub const fn is_allowed(self) -> bool {
        match self {
            Self::Repeat | Self::Forward | Self::Rollback => true,
            Self::Backwards | Self::Fork => false,
        }
    }
}

impl Recorded {
    /// Where this record leads.
    pub const fn position(&self) -> Position {
        Position {
            sequence: self.promotion.sequence,
            digest: self.digest,
        }
    }

    /// What it is to go from `position` to this record.
    pub fn moved_from(&self, position: Position) -> Move {
        let here = self.position();
        if here.sequence < position.sequence {
            return Move::Backwards;
        }
        if here.sequence == position.sequence {
            return if here.digest == position.digest {
                Move::Repeat
            } else {
                Move::Fork
            };
        }
        match self.promotion.action {
            Action::Publish | Action::Promote => Move::Forward,
            Action::Rollback(_) => Move::Rollback,
        }
    }

    /// The hold of `earlier`, a record of the same tag, that this one breaks at this time: it names a digest that is held
    /// back there, and does not release it.
    pub fn breaks_hold(&self, earlier: &Promotion, now: Timestamp) -> Option<Rollback> {
        if self.promotion.releases.contains(&self.digest) {
            return None;
        }
        earlier.blocks(self.digest, now)
    }

    /// Of two records about one digest and one tag the later; of two with the same number, which runs at the same time
    /// made, the one that holds something back.
    pub(crate) fn rank(&self) -> (u64, usize, Timestamp) {
        let promotion = &self.promotion;
        (promotion.sequence, promotion.holds().len(), promotion.time)
    }
}

/// A signed promotion record that says something else than it must.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signed promotion record {manifest}")]
pub struct InvalidRecord {
    /// The manifest or layer that holds it.
    pub manifest: Digest,
    /// What is wrong.
    pub source: InvalidPredicate,
}

/// The record that counts for a tag among what was stated about one digest: the first of [`records`].
///
/// # Errors
/// As for [`records`].
pub fn governing(
    examined: &[Examined],
    repository: &Repository,
    tag: &Tag,
) -> Result<Option<Verified<Recorded>>, InvalidRecord> {
    Ok(records(examined, repository, tag)?.into_iter().next())
}

/// The records for a tag among what was stated about one digest: those of [`records_of`] for exactly this tag.
///
/// # Errors
/// As for [`records_of`].
pub fn records(
    examined: &[Examined],
    repository: &Repository,
    tag: &Tag,
) -> Result<Vec<Verified<Recorded>>, InvalidRecord> {
    let mut found = records_of(examined, repository)?;
    found.retain(|one| one.get().promotion.tag == *tag);
    Ok(found)
}

/// The records for the tags of a repository among what was stated about one digest, as [`crate::examine`] gives it: those whose
/// signatures the policy takes, for exactly this repository, the one with the highest number first. What the policy does not take,
/// anybody may have put there, and it is passed over.
///
/// # Errors
/// When a record with a good signature cannot be read, whatever tag it is for: it may be the one that counts.
pub fn records_of(
    examined: &[Examined],
    repository: &Repository,
) -> Result<Vec<Verified<Recorded>>, InvalidRecord> {
    let mut found: Vec<Verified<Recorded>> = Vec::new();
    for one in examined {
        let Ok(verified) = &one.verdict else { continue };
        let Some(statement) = &verified.get().statement else {
            continue;
        };
        if statement.predicate_type != PROMOTION_PREDICATE {
            continue;
        }
        let promotion = Promotion::from_predicate(&statement.predicate);
        let promotion = promotion.map_err(|source| InvalidRecord {
            manifest: one.source,
            source,
        })?;
        if promotion.repository != *repository {
            continue;
        }
        let recorded = Recorded {
            digest: verified.get().digest,
            promotion,
        };
        found.push(Verified::new(recorded, verified.evidence().clone()));
    }
    found.sort_by_key(|one| std::cmp::Reverse(one.get().rank()));
    Ok(found)
}
