//! Rules that ask that a source goes forward only.

use std::fmt;

use jiff::Timestamp;

use super::examined::Examinations;
use super::{Admission, Authorities, Lack, Mode, NotAdmitted, Unmet};
use crate::promotion::{NotOnward, Offer, Recorded, Standing, onward, records_of};
use crate::verdict::{Admitted, Target, Verified};

/// The records of an artifact that count for a rule which asks for them. They are found with its signatures and kept with the
/// verdict; whether they allow a move depends on where the source is, and is asked each time.
#[derive(Clone, Debug)]
pub struct Records {
    pub(super) found: Vec<Verified<Recorded>>,
    /// Where the source is by them, once that was asked.
    pub(super) stands: Option<Standing>,
}

impl Records {
    /// Those by any one of the authorities.
    pub(super) fn by(
        authorities: &Authorities,
        target: &Target,
        examinations: &Examinations<'_>,
    ) -> Result<Self, NotOnward> {
        let mut found: Vec<Verified<Recorded>> = Vec::new();
        for one in authorities.any_of.iter().chain(&authorities.all_of) {
            let examined = examinations.by(&one.policy);
            let records = records_of(&examined, target.repository()).map_err(NotOnward::Unreadable)?;
            for record in records {
                if found.iter().all(|known| known.get() != record.get()) {
                    found.push(record);
                }
            }
        }
        // Sorted by each authority; now all of them together.
        found.sort_by_key(|one| std::cmp::Reverse(one.get().rank()));
        Ok(Self { found, stands: None })
    }

    /// Where the source is by these, once [`Admission::onward`] was asked.
    pub const fn stands(&self) -> Option<&Standing> {
        self.stands.as_ref()
    }
}

impl Admission {
    /// What is left of this for a source that is at `stands` and is offered the artifact so: rules that ask that it goes forward are
    /// met only where it does. With it comes where the source is then, to be remembered; nothing where no rule asks.
    ///
    /// # Errors
    /// When an enforced rule does not let it.
    pub fn onward(
        mut self,
        stands: Option<&Standing>,
        offer: &Offer,
        now: Timestamp,
    ) -> Result<(Self, Option<Standing>), NotAdmitted> {
        let mut reached: Option<Standing> = None;
        let mut stays = false;
        let mut unmet = Vec::new();
        let mut met = Vec::new();
        for mut one in std::mem::take(&mut self.met) {
            let Some(records) = &mut one.records else {
                met.push(one);
                continue;
            };
            match onward(stands, offer, &records.found, now) {
                Ok(standing) => {
                    let number = |one: &Standing| one.promotion.as_ref().map(|record| record.sequence);
                    records.stands = Some(standing.clone());
                    reached = Some(match reached {
                        Some(other) if number(&other) > number(&standing) => other,
                        _ => standing,
                    });
                    met.push(one);
                }
                Err(why) => {
                    let lack = Unmet {
                        rule: one.rule,
                        lacks: vec![Lack::Onward(why)],
                    };
                    match one.mode {
                        Mode::Enforce => unmet.push(lack),
                        Mode::Audit => {
                            stays = true;
                            self.concerns.push(lack);
                        }
                    }
                }
            }
        }
        if !unmet.is_empty() {
            return Err(NotAdmitted { own: None, unmet });
        }
        if met.is_empty() && self.own.is_none() {
            self.admitted = Admitted::without_policy(*self.admitted.get());
        }
        self.met = met;
        // What an audited rule lets pass is not where the source may be: it would be news no more the next time.
        let standing = if stays { stands.cloned() } else { reached };
        Ok((self, standing))
    }
}

impl fmt::Display for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(stands) = &self.stands else {
            return Ok(());
        };
        match &stands.promotion {
            Some(record) => write!(
                f,
                "; {} is at record {} ({})",
                stands.tag,
                record.sequence,
                record.action.as_str()
            ),
            None => write!(f, "; {} is not below what was taken before", stands.tag),
        }
    }
}
