//! Attestations that a rule asks for: somebody must have stated something about the artifact, and what they stated must hold.

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use weir_oci::Digest;

use super::ends::ends;
use super::examined::Examinations;
use super::{Authorities, Authority};
use crate::error::{Rejection, clip};
use crate::predicate::{PredicateType, UnreadableTime};
use crate::statement::Statement;
use crate::verdict::{Evidence, Signer};

/// How far ahead the clock of whoever states something may be.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// How many statements of the right kind, each by the authority, expressions are evaluated for. Whoever may state things could
/// otherwise make a verdict take as long as they like.
const MOST_STATEMENTS: usize = 16;

/// How many statements of the right kind a refusal lists, and how much of an expression, in characters.
const MOST_LISTED: usize = 8;
const LONGEST_TEXT: usize = 300;

/// Something that must hold of a statement. What language it is written in is the business of whoever asks.
pub trait Condition: fmt::Debug + Send + Sync {
    /// How it is written: two with the same text decide the same.
    fn text(&self) -> &str;

    /// Whether what it says of one statement may change with time.
    fn depends_on_time(&self) -> bool;

    /// Whether it holds.
    ///
    /// # Errors
    /// When it does not, or nobody can tell.
    fn check(&self, statement: &Statement, now: Timestamp) -> Result<(), Fails>;
}

/// A condition that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fails {
    /// It is false of this: the fields that it looks at and what is there, for people.
    False(String),
    /// It cannot be told, for this reason.
    Undecided(String),
}

/// An attestation that must be there: a statement that counts by itself is enough, whatever others there are.
#[derive(Clone, Debug)]
pub struct Attestation {
    /// What kind of statement it is.
    pub predicate_type: PredicateType,
    /// Who must have stated it.
    pub authorities: Authorities,
    /// What must hold of it, all of it.
    pub conditions: Vec<Arc<dyn Condition>>,
    /// How old it may be; see [`PredicateType::time_of`] for where the age begins. Where the kind has no time of its own, that of
    /// the signature counts, which a log or a timestamp authority proves.
    pub max_age: Option<SignedDuration>,
    /// How long it may be, in bytes, with all that is around it; see [`crate::DEFAULT_BUNDLE_BYTES`].
    pub max_bytes: u64,
}

/// An attestation that was found.
#[derive(Clone, Debug)]
pub struct Attested {
    /// Its kind.
    pub predicate_type: PredicateType,
    /// The authorities whose statements it is, and what that rests on.
    pub by: Vec<(String, Evidence)>,
    /// What it says of itself that was asked for, besides who states it.
    pub conditions: usize,
    /// Until when it is sure to count; nothing when time does not matter.
    pub until: Option<Timestamp>,
    /// When it counts no more, as far as was looked ahead.
    pub ends: Option<Timestamp>,
}

/// What a statement that counts rests on, and how long it does.
type Fitting = (Evidence, Term);

/// How long something counts.
#[derive(Clone, Copy, Debug, Default)]
struct Term {
    /// Until when it is sure to.
    until: Option<Timestamp>,
    /// When it does no more, if that is known.
    ends: Option<Timestamp>,
}

impl Term {
    /// As long as both.
    fn and(self, other: Self) -> Self {
        Self {
            until: earlier(self.until, other.until),
            ends: earlier(self.ends, other.ends),
        }
    }
}

/// An attestation that is missing, and why nothing that was found is it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAttested {
    /// Its kind.
    pub predicate_type: PredicateType,
    /// For each authority that is missing the statements that were found, and why they do not count.
    pub missing: Vec<(String, Vec<(Digest, Unfit)>)>,
}

/// Why a statement is not the one that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is no statement by the authority.
    #[error("{0}")]
    Rejected(Rejection),
    /// It states something else.
    #[error("'{text}' is false: {saw}")]
    False {
        /// The condition.
        text: String,
        /// What it looked at.
        saw: String,
    },
    /// It cannot be told whether a condition holds.
    #[error("'{text}' cannot be told: {why}")]
    Undecided {
        /// The condition.
        text: String,
        /// Why.
        why: String,
    },
    /// It is too old.
    #[error("it is of {time} ({what}), which is more than {limit:#} ago")]
    Old {
        /// Where its age begins.
        time: Timestamp,
        /// What happened then.
        what: &'static str,
        /// How old it may be.
        limit: SignedDuration,
    },
    /// Its time has not come.
    #[error("it is of {time} ({what}), which is yet to come")]
    Early {
        /// The time it names.
        time: Timestamp,
        /// What is to happen then.
        what: &'static str,
    },
    /// Its age is asked for, and what it says of its time cannot be read.
    #[error("its age is asked for, and {0}")]
    Time(UnreadableTime),
    /// Its age is asked for, and it has none.
    #[error(
        "its age is asked for, and neither does it say of when it is nor is there a proof of when it was signed"
    )]
    Undated,
    /// Enough others were looked at.
    #[error("it was not looked at, being one of more than {MOST_STATEMENTS}")]
    Unread,
}

impl Attestation {
    /// What of it decides.
    pub(super) fn describe(&self, parts: &mut Vec<String>) {
        let age = self
            .max_age
            .map_or(String::new(), |age| age.as_nanos().to_string());
        parts.extend([
            "attestation".to_owned(),
            self.predicate_type.uri().to_owned(),
            age,
            self.max_bytes.to_string(),
        ]);
        parts.push(self.conditions.len().to_string());
        parts.extend(self.conditions.iter().map(|one| one.text().to_owned()));
        self.authorities.describe(parts);
    }

    /// Whether it is there.
    pub(super) fn found_in(&self, examinations: &Examinations<'_>) -> Result<Attested, NotAttested> {
        let mut by = Vec::new();
        let mut all = Term::default();
        let mut note = |authority: &Authority, (evidence, term): Fitting| {
            by.push((authority.name.clone(), evidence));
            all = all.and(term);
        };
        let mut missing = Vec::new();
        for one in &self.authorities.any_of {
            match self.stated_by(one, examinations) {
                Ok(found) => {
                    note(one, found);
                    missing.clear();
                    break;
                }
                Err(why) => missing.push((one.name.clone(), why)),
            }
        }
        for one in &self.authorities.all_of {
            match self.stated_by(one, examinations) {
                Ok(found) => note(one, found),
                Err(why) => missing.push((one.name.clone(), why)),
            }
        }
        if !missing.is_empty() {
            return Err(NotAttested {
                predicate_type: self.predicate_type.clone(),
                missing,
            });
        }
        Ok(Attested {
            predicate_type: self.predicate_type.clone(),
            by,
            conditions: self.conditions.len(),
            until: all.until,
            ends: all.ends,
        })
    }

    fn stated_by(
        &self,
        authority: &Authority,
        examinations: &Examinations<'_>,
    ) -> Result<Fitting, Vec<(Digest, Unfit)>> {
        let mut unfit = Vec::new();
        let mut looked_at = 0;
        for examined in &*examinations.by(&authority.policy) {
            let verified = match &examined.verdict {
                Ok(verified) => verified,
                Err(why) => {
                    unfit.push((examined.source, Unfit::Rejected(why.clone())));
                    continue;
                }
            };
            // A signature of the older layout states nothing.
            let Some(statement) = &verified.get().statement else {
                continue;
            };
            if statement.predicate_type != self.predicate_type.uri() {
                let other = Rejection::PredicateType(clip(&statement.predicate_type));
                unfit.push((examined.source, Unfit::Rejected(other)));
                continue;
            }
            let bytes = u64::try_from(examined.bytes).unwrap_or(u64::MAX);
            if bytes > self.max_bytes {
                let limit = self.max_bytes;
                let large = Rejection::TooLarge { bytes, limit };
                unfit.push((examined.source, Unfit::Rejected(large)));
                continue;
            }
            looked_at += 1;
            if looked_at > MOST_STATEMENTS {
                unfit.push((examined.source, Unfit::Unread));
                continue;
            }
            match self.fits(statement, verified.evidence(), examinations) {
                Ok(term) => return Ok((verified.evidence().clone(), term)),
                Err(why) => unfit.push((examined.source, why)),
            }
        }
        Err(unfit)
    }

    fn fits(
        &self,
        statement: &Statement,
        evidence: &Evidence,
        examinations: &Examinations<'_>,
    ) -> Result<Term, Unfit> {
        let (now, ahead) = (examinations.now, examinations.ahead);
        let mut all = Term::default();
        if let Some(limit) = self.max_age {
            let (time, what) = self.dated(statement, evidence)?;
            if time.duration_since(now) > AHEAD {
                return Err(Unfit::Early { time, what });
            }
            let end = time.checked_add(limit).unwrap_or(Timestamp::MAX);
            if now > end {
                return Err(Unfit::Old { time, what, limit });
            }
            all.until = Some(end);
            all.ends = end.checked_add(SignedDuration::from_millis(1)).ok();
        }
        for condition in &self.conditions {
            if let Err(fails) = condition.check(statement, now) {
                let text = condition.text().chars().take(LONGEST_TEXT).collect();
                return Err(match fails {
                    Fails::False(saw) => Unfit::False { text, saw },
                    Fails::Undecided(why) => Unfit::Undecided { text, why },
                });
            }
            if condition.depends_on_time() {
                all = all.and(Term {
                    // Nobody can tell for how long, but whether it does at some other time.
                    until: Some(now),
                    ends: ends(now, ahead, |at| condition.check(statement, at).is_ok()),
                });
            }
        }
        Ok(all)
    }

    /// Where a statement's age begins.
    fn dated(&self, statement: &Statement, evidence: &Evidence) -> Result<(Timestamp, &'static str), Unfit> {
        let stated = self.predicate_type.time_of(&statement.predicate);
        match (stated.map_err(Unfit::Time)?, &evidence.signer) {
            (Some(stated), _) => Ok(stated),
            (None, Signer::Identity { signed_at, .. }) => Ok((*signed_at, "when it was signed")),
            (None, Signer::Key { .. }) => Err(Unfit::Undated),
        }
    }
}

/// The earlier of two ends, where there are any.
pub(super) fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// How messages call a kind: by its short name, where it has one.
fn called(kind: &PredicateType) -> String {
    match PredicateType::short_name(kind.uri()) {
        Some(name) => format!("attestation {name} ({kind})"),
        None => format!("attestation {kind}"),
    }
}

impl fmt::Display for Attested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&called(&self.predicate_type))?;
        for (index, (authority, evidence)) in self.by.iter().enumerate() {
            let separator = if index == 0 { "" } else { " and" };
            write!(f, "{separator} by authority '{authority}': {}", evidence.signer)?;
        }
        match self.conditions {
            0 => Ok(()),
            1 => f.write_str(", 1 expression true"),
            count => write!(f, ", {count} expressions true"),
        }
    }
}

impl fmt::Display for NotAttested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is missing", called(&self.predicate_type))?;
        // Why others of another kind are not this one goes without saying, where there are some of this kind.
        for (authority, found) in &self.missing {
            let is_close =
                |(_, why): &&(Digest, Unfit)| !matches!(why, Unfit::Rejected(Rejection::PredicateType(_)));
            let mut close = found.iter().filter(is_close).peekable();
            write!(f, "; of authority '{authority}': ")?;
            if close.peek().is_none() {
                f.write_str("nothing of this kind was found")?;
                continue;
            }
            for (index, (source, why)) in close.by_ref().take(MOST_LISTED).enumerate() {
                let separator = if index == 0 { "" } else { ", " };
                write!(f, "{separator}{source}: {why}")?;
            }
            match close.count() {
                0 => {}
                more => write!(f, ", and {more} more")?,
            }
        }
        Ok(())
    }
}
