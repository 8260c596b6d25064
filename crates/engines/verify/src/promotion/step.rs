//! The record that a move of a tag needs: what follows from where the tag is.

use jiff::Timestamp;
use weir_oci::{Digest, Repository, Tag};

use super::{Action, Hold, Promotion, Recorded, Rollback};

/// What somebody wants to do with a tag.
#[derive(Clone, Debug)]
pub struct Step {
    /// The tag's repository.
    pub repository: Repository,
    /// The tag.
    pub tag: Tag,
    /// What it is to name.
    pub digest: Digest,
    /// Why it is moved.
    pub kind: StepKind,
    /// What was asked for; see [`Promotion::from`].
    pub from: Option<String>,
    /// By whom, for the record.
    pub by: String,
    /// Why, for the record.
    pub reason: Option<String>,
    /// Whether a hold on the digest ends with this.
    pub release_hold: bool,
    /// The least number of the new record, for a tag whose last record is lost; 1 is no condition.
    pub at_least: u64,
}

/// Why somebody wants to move a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// A new artifact was built for it.
    Publish,
    /// It gets what is there already.
    Promote,
    /// It goes back, and what it names now is held back.
    Rollback {
        /// When the hold ends by itself, if it does.
        until: Option<Timestamp>,
    },
}

/// Where a tag is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagState {
    /// What it names, if it is there.
    pub digest: Option<Digest>,
    /// The record that counts for it there.
    pub record: Option<Recorded>,
}

/// What is left to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: the tag is there, with this record.
    Done(Recorded),
    /// The tag is to be moved; this record was made before and fits.
    Move(Recorded),
    /// This record is to be made, then the tag is to be moved.
    Record(Promotion),
}

/// The step must not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepRefused {
    /// The digest is held back.
    #[error("{digest} must not become {tag:?}: {rollback}")]
    Held {
        /// The tag.
        tag: String,
        /// The digest.
        digest: Digest,
        /// Who holds it back, when, why and until when.
        rollback: Box<Rollback>,
    },
    /// There is nothing to go back from.
    #[error("there is no tag {0:?} to roll back")]
    NoTag(String),
    /// It is there already, and by no rollback.
    #[error("tag {tag:?} names {digest} already")]
    NotBack {
        /// The tag.
        tag: String,
        /// The digest.
        digest: Digest,
    },
    /// The numbers are used up.
    #[error("tag {0:?} has the highest number there is")]
    Numbers(String),
}

impl Step {
    /// What is left to do, from where the tag is. `prepared` are the records about the digest that count for the tag;
    /// one that a run before this one made, and that still fits, is taken.
    ///
    /// # Errors
    /// See [`StepRefused`].
    pub fn next(&self, state: &TagState, prepared: &[Recorded], now: Timestamp) -> Result<Next, StepRefused> {
        let tag = || self.tag.to_string();
        let last = state.record.as_ref().map(|recorded| &recorded.promotion);
        let held = last.and_then(|last| last.blocks(self.digest, now));
        if let Some(rollback) = held.filter(|_| !self.release_hold) {
            return Err(StepRefused::Held {
                tag: tag(),
                digest: self.digest,
                rollback: Box::new(rollback),
            });
        }
        if state.digest == Some(self.digest) {
            let goes_back = matches!(self.kind, StepKind::Rollback { .. });
            match &state.record {
                Some(record) if !goes_back || matches!(record.promotion.action, Action::Rollback(_)) => {
                    return Ok(Next::Done(record.clone()));
                }
                _ if goes_back => {
                    return Err(StepRefused::NotBack {
                        tag: tag(),
                        digest: self.digest,
                    });
                }
                _ => {}
            }
        }
        let mut promotion = self.promotion(state, now)?;
        let least = last
            .map_or(0, |last| last.sequence)
            .max(self.at_least.saturating_sub(1));
        let fits = |record: &&Recorded| {
            record.promotion.sequence > least && record.promotion.is_same_step(&promotion)
        };
        if let Some(record) = prepared.iter().find(fits) {
            return Ok(Next::Move(record.clone()));
        }
        let own = prepared.iter().map(|record| record.promotion.sequence);
        let last = own.fold(least, u64::max);
        promotion.sequence = last.checked_add(1).ok_or_else(|| StepRefused::Numbers(tag()))?;
        Ok(Next::Record(promotion))
    }

    /// The number of the record by which the tag was to name the digest before, where another one has led it on since: whoever
    /// does not roll back does not expect that. After a rollback what comes next may well have been there before.
    pub fn comes_again(&self, state: &TagState, prepared: &[Recorded]) -> Option<u64> {
        let last = &state.record.as_ref()?.promotion;
        let is_back = |action: &Action| matches!(action, Action::Rollback(_));
        if matches!(self.kind, StepKind::Rollback { .. })
            || is_back(&last.action)
            || self.release_hold
            || state.digest == Some(self.digest)
        {
            return None;
        }
        let earlier = prepared.iter().map(|record| record.promotion.sequence).max()?;
        (earlier < last.sequence).then_some(earlier)
    }

    /// The record, without its number.
    fn promotion(&self, state: &TagState, now: Timestamp) -> Result<Promotion, StepRefused> {
        let action = match (&self.kind, state.digest) {
            (StepKind::Publish, _) => Action::Publish,
            (StepKind::Promote, _) => Action::Promote,
            (StepKind::Rollback { .. }, None) => return Err(StepRefused::NoTag(self.tag.to_string())),
            (StepKind::Rollback { until }, Some(bad)) => Action::Rollback(Hold {
                until: *until,
                blocked: vec![bad],
            }),
        };
        let last = state.record.as_ref().map(|recorded| &recorded.promotion);
        let mut holds = last.map(Promotion::holds).unwrap_or_default();
        let mut releases = Vec::new();
        for rollback in &mut holds {
            if self.release_hold && rollback.hold.blocks(self.digest, now) {
                rollback.hold.blocked.retain(|digest| *digest != self.digest);
                releases = vec![self.digest];
            }
        }
        holds.retain(|rollback| {
            let hold = &rollback.hold;
            hold.blocked.iter().any(|digest| hold.blocks(*digest, now))
        });
        Ok(Promotion {
            action,
            repository: self.repository.clone(),
            tag: self.tag.clone(),
            sequence: 0,
            previous: state.digest,
            from: self.from.clone(),
            time: now,
            by: self.by.clone(),
            reason: self.reason.clone(),
            earlier_holds: holds,
            releases,
        })
    }
}

impl Promotion {
    /// Whether both say the same but for number, time, author and reason.
    fn is_same_step(&self, other: &Self) -> bool {
        let mut same = other.clone();
        same.sequence = self.sequence;
        same.time = self.time;
        same.by.clone_from(&self.by);
        same.reason.clone_from(&self.reason);
        same == *self
    }
}
