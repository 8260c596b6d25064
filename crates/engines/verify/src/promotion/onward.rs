//! Whether somebody who follows a tag, or versions, may go from where they are to what a registry offers (security case N26).
//!
//! A registry, or whoever may push to it, can answer with what was signed long ago. What a signer says of the tag is what counts: the
//! number of the promotion record may not go down. Versions have an order of their own, so where they are followed a higher one
//! needs no record; once there was one, there must always be one.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Value, json};
use weir_oci::{Digest, Repository, Tag};

use super::{Action, InvalidRecord, Move, Position, Promotion, Recorded, Rollback};
use crate::verdict::Verified;

/// Where somebody is: what they took last. To be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The repository.
    pub repository: Repository,
    /// The tag that named it.
    pub tag: Tag,
    /// What it named. Nothing where that was not remembered.
    pub digest: Option<Digest>,
    /// The record that said so, where there was one.
    pub promotion: Option<Promotion>,
}

/// What a registry offers.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The repository.
    pub repository: Repository,
    /// The tag that names it there.
    pub tag: Tag,
    /// The digest.
    pub digest: Digest,
    /// What is followed.
    pub follows: Follows,
}

/// What somebody follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// A tag, whatever it names.
    Tag,
    /// The highest of some versions; what is offered compares like this with where they are. [`Ordering::Greater`] for whoever is
    /// nowhere yet.
    Versions(Ordering),
}

/// Why somebody who goes forward only does not take what is offered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotOnward {
    /// No record says that the tag is to name this.
    #[error(
        "it must go forward only, and no promotion record by the policy's authorities says that {tag} is to name {digest}{}; move \
         the tag with `weir publish` or `weir promote`",
        after(*.known)
    )]
    NoRecord {
        /// The tag.
        tag: Tag,
        /// What it names.
        digest: Digest,
        /// The number that was taken before.
        known: Option<u64>,
    },
    /// The record is older than the one that was taken before.
    #[error(
        "it must go forward only, and {digest} is what {tag} was to name by record {found}, before record {known}: the registry \
         answers with something old, or the tag was moved by hand; to go back on purpose use `weir rollback`, and where earlier \
         records are lost `--sequence {}`",
        .known.saturating_add(1)
    )]
    Backwards {
        /// The tag.
        tag: Tag,
        /// What it names.
        digest: Digest,
        /// The number of its record.
        found: u64,
        /// The number that was taken before.
        known: u64,
    },
    /// Another artifact has a record of the same number.
    #[error(
        "it must go forward only, and {tag} has two records {sequence}: of {digest}, and of {known}, which was taken before; the \
         next `weir publish` or `weir promote` of the tag ends this"
    )]
    Fork {
        /// The tag.
        tag: Tag,
        /// What it names.
        digest: Digest,
        /// What was taken before.
        known: Digest,
        /// The number.
        sequence: u64,
    },
    /// It was rolled back from this, and the hold has not ended.
    #[error("{digest} is held back from {tag}: {rollback}; `weir promote --release-hold` ends the hold")]
    Held {
        /// The tag.
        tag: Tag,
        /// What it names.
        digest: Digest,
        /// Who holds it back.
        rollback: Box<Rollback>,
    },
    /// The version went down.
    #[error(
        "it must go forward only, and version {tag} is lower than {known}, which was taken before and is held back by no record of a \
         rollback; `weir rollback` makes one"
    )]
    LowerVersion {
        /// The version's tag.
        tag: Tag,
        /// The tag of the version that was taken before.
        known: Tag,
    },
    /// The same version is something else now.
    #[error(
        "it must go forward only, and version {tag} is {digest} now, something else than before, by no promotion record of the \
         policy's authorities; give a changed artifact a version of its own"
    )]
    SameVersion {
        /// The version's tag.
        tag: Tag,
        /// What it names.
        digest: Digest,
    },
    /// A record that may count cannot be read.
    #[error("it must go forward only, and what its authorities say of that cannot be read: {0}: {source}", source = .0.source)]
    Unreadable(InvalidRecord),
}

fn after(known: Option<u64>) -> String {
    match known {
        Some(known) => format!(" after record {known}"),
        None => String::new(),
    }
}

/// Whether somebody who is at `stands` may take what is offered, and where they are then. `records` are those about the offered
/// digest that count in its repository, for all tags, the one with the highest number first; see [`super::records_of`].
///
/// Who is nowhere yet, or was somewhere else (another repository, for a tag another tag), begins anew: what they take first needs a
/// record where they follow a tag.
///
/// # Errors
/// See [`NotOnward`].
pub fn onward(
    stands: Option<&Standing>,
    offer: &Offer,
    records: &[Verified<Recorded>],
    now: Timestamp,
) -> Result<Standing, NotOnward> {
    let (tag, digest) = (offer.tag.clone(), offer.digest);
    let follows_tag = offer.follows == Follows::Tag;
    let stands =
        stands.filter(|one| one.repository == offer.repository && (!follows_tag || one.tag == offer.tag));
    let record = records
        .iter()
        .map(Verified::get)
        .find(|record| record.promotion.tag == offer.tag);
    let earlier = stands.and_then(|one| one.promotion.as_ref());
    let there = |record: Option<&Recorded>| Standing {
        repository: offer.repository.clone(),
        tag: offer.tag.clone(),
        digest: Some(digest),
        promotion: record.map(|record| record.promotion.clone()),
    };
    let is_there = |one: &&Standing| match one.digest {
        Some(known) => known == digest,
        None => one.tag == offer.tag || offer.follows == Follows::Versions(Ordering::Equal),
    };
    if let Some(one) = stands.filter(is_there) {
        // Nothing moves. Under a lower version it is what it was under the higher one, which is not forgotten; a later record
        // about it counts from now on.
        if offer.follows == Follows::Versions(Ordering::Less) {
            return Ok(one.clone());
        }
        let newer = record.filter(|record| {
            earlier.is_none_or(|earlier| earlier.tag != tag || record.promotion.sequence > earlier.sequence)
        });
        let newer = newer.map(|record| record.promotion.clone());
        return Ok(Standing {
            promotion: newer.or_else(|| one.promotion.clone()),
            ..there(None)
        });
    }
    let record = match (offer.follows, stands) {
        (Follows::Versions(Ordering::Less), Some(one)) => {
            let back = records
                .iter()
                .map(Verified::get)
                .find(|record| goes_back_from(record, one, now));
            let known = one.tag.clone();
            let back = back.ok_or(NotOnward::LowerVersion { tag, known })?;
            check(back, None, offer, now)?;
            return Ok(there(Some(back)));
        }
        (Follows::Versions(Ordering::Equal), Some(_)) => {
            Some(record.ok_or(NotOnward::SameVersion { tag, digest })?)
        }
        (Follows::Versions(_), _) if earlier.is_none() => record,
        (Follows::Tag | Follows::Versions(_), _) => {
            let known = earlier
                .filter(|earlier| earlier.tag == tag)
                .map(|one| one.sequence);
            Some(record.ok_or(NotOnward::NoRecord { tag, digest, known })?)
        }
    };
    if let Some(record) = record {
        let position = earlier.zip(stands.and_then(|one| one.digest));
        check(record, position, offer, now)?;
    }
    Ok(there(record))
}

/// Whether a record says that it goes back from where somebody is, and still holds that back.
fn goes_back_from(record: &Recorded, stands: &Standing, now: Timestamp) -> bool {
    match (&record.promotion.action, stands.digest) {
        (Action::Rollback(hold), Some(digest)) => hold.blocks(digest, now),
        _ => false,
    }
}

fn check(
    record: &Recorded,
    earlier: Option<(&Promotion, Digest)>,
    offer: &Offer,
    now: Timestamp,
) -> Result<(), NotOnward> {
    let (tag, digest) = (offer.tag.clone(), offer.digest);
    let known = earlier.map(|(promotion, _)| promotion);
    let mut held = record.breaks_hold(&record.promotion, now);
    if let Some(known) = known {
        held = held.or_else(|| record.breaks_hold(known, now));
    }
    if let Some(rollback) = held {
        let rollback = Box::new(rollback);
        return Err(NotOnward::Held {
            tag,
            digest,
            rollback,
        });
    }
    // Numbers are those of a tag.
    let Some((known, known_digest)) = earlier.filter(|(known, _)| known.tag == record.promotion.tag) else {
        return Ok(());
    };
    let position = Position {
        sequence: known.sequence,
        digest: known_digest,
    };
    match record.moved_from(position) {
        Move::Repeat | Move::Forward | Move::Rollback => Ok(()),
        Move::Backwards => Err(NotOnward::Backwards {
            tag,
            digest,
            found: record.promotion.sequence,
            known: known.sequence,
        }),
        Move::Fork => Err(NotOnward::Fork {
            tag,
            digest,
            known: known_digest,
            sequence: known.sequence,
        }),
    }
}

/// How much of a remark is remembered, in characters.
const LONGEST_REMARK: usize = 300;

/// A record without the rest of long remarks.
fn shortened(record: &Promotion) -> Promotion {
    let cut = |text: &mut String| {
        if let Some((end, _)) = text.char_indices().nth(LONGEST_REMARK) {
            text.truncate(end);
        }
    };
    let mut record = record.clone();
    let own = [Some(&mut record.by), record.reason.as_mut(), record.from.as_mut()];
    own.into_iter().flatten().for_each(cut);
    for hold in &mut record.earlier_holds {
        let its = [Some(&mut hold.by), hold.reason.as_mut()];
        its.into_iter().flatten().for_each(cut);
    }
    record
}

impl Standing {
    /// As JSON, to be remembered: what decides, and of what signers remark as much as messages need. It has a place in a status, which
    /// takes no more than an API server does.
    pub fn to_json(&self) -> Value {
        json!({
            "repository": self.repository.to_string(),
            "tag": self.tag.as_str(),
            "digest": self.digest.map(|digest| digest.to_string()),
            "record": self.promotion.as_ref().map(|record| shortened(record).to_predicate()),
        })
    }

    /// Reads what [`Standing::to_json`] wrote; nothing where it is something else.
    pub fn from_json(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let some = |name: &str| value.get(name).filter(|value| !value.is_null());
        Some(Self {
            repository: text("repository")?.parse().ok()?,
            tag: text("tag")?.parse().ok()?,
            digest: match some("digest") {
                Some(digest) => Some(digest.as_str()?.parse().ok()?),
                None => None,
            },
            promotion: match some("record") {
                Some(record) => Some(Promotion::from_predicate(record).ok()?),
                None => None,
            },
        })
    }
}
