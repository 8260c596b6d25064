//! Promotion records: which digest a moving tag is to name, as a signed statement about that digest.
//!
//! A tag can be moved by whoever may push, and a registry may answer with an older one. A record cannot be made without
//! the key or identity that policies name, and its number only goes up, so that whoever remembers the last number sees
//! a move backwards whatever the registry says. A rollback is a step forward in numbers that says that it goes back.
//!
//! The predicate, in JSON, with these names (others are ignored):
//!
//! | Field | |
//! |---|---|
//! | `action` | `publish`, `promote` or `rollback` |
//! | `repository` | of the tag, such as `ghcr.io/org/app` |
//! | `tag` | the tag that is moved |
//! | `sequence` | from 1; one more than that of the record that this one follows |
//! | `previous` | the digest that the tag named before, or null |
//! | `from` | what is promoted: the tag or reference that was asked for; a `publish` has none, a `promote` must |
//! | `time`, `by`, `reason` | when (RFC 3339), by whom, why (optional). Claims: the signature is what counts |
//! | `hold` | of a `rollback`, and only there: `blocked`, the digests that the tag must not name again, and `until` when (optional) |
//! | `earlierHolds` | holds of earlier rollbacks that are still in force, with their `sequence`, `time`, `by` and `reason` |
//! | `releases` | digests whose hold ends with this record |
//!
//! The statement's subject is the digest that the tag is to name. A digest may have records for several tags, and
//! several for one: see [`governing`].

mod judge;
mod onward;
mod read;
mod step;

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use weir_oci::{Digest, Repository, Tag};

pub use judge::{InvalidRecord, Move, Position, Recorded, governing, records, records_of};
pub use onward::{Follows, NotOnward, Offer, Standing, onward};
pub use step::{Next, Step, StepKind, StepRefused, TagState};

/// The predicate type of promotion records.
pub const PROMOTION_PREDICATE: &str = "https://weir.dev/promotion/v1";

/// What a promotion record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// What was done.
    pub action: Action,
    /// The tag's repository.
    pub repository: Repository,
    /// The tag that is moved.
    pub tag: Tag,
    /// From 1; one more than that of the record that this one follows.
    pub sequence: u64,
    /// What the tag named before, if it was there.
    pub previous: Option<Digest>,
    /// What is promoted: the tag or reference that was asked for. Nothing for [`Action::Publish`].
    pub from: Option<String>,
    /// When, as its author says.
    pub time: Timestamp,
    /// By whom, as its author says.
    pub by: String,
    /// Why, as its author says.
    pub reason: Option<String>,
    /// Holds of earlier rollbacks that are carried on.
    pub earlier_holds: Vec<Rollback>,
    /// Digests whose hold ends here.
    pub releases: Vec<Digest>,
}

/// Why a tag is moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A new artifact was built for the tag.
    Publish,
    /// An artifact that was there already is given the tag.
    Promote,
    /// The tag goes back to an artifact it named before, and what it named last is held back.
    Rollback(Hold),
}

/// Digests that a tag must not name again for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// When it ends by itself; nothing: when a record releases it.
    pub until: Option<Timestamp>,
    /// The digests.
    pub blocked: Vec<Digest>,
}

/// A hold, and the rollback that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// The hold.
    pub hold: Hold,
    /// The number of the rollback's record.
    pub sequence: u64,
    /// When, as its author says.
    pub time: Timestamp,
    /// By whom, as its author says.
    pub by: String,
    /// Why, as its author says.
    pub reason: Option<String>,
}

impl Action {
    /// Its name in records.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Promote => "promote",
            Self::Rollback(_) => "rollback",
        }
    }
}

impl Hold {
    /// Whether it holds `digest` back at this time.
    pub fn blocks(&self, digest: Digest, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until) && self.blocked.contains(&digest)
    }

    fn put(&self, map: &mut Map<String, Value>) {
        let blocked: Vec<String> = self.blocked.iter().map(Digest::to_string).collect();
        map.insert("blocked".to_owned(), json!(blocked));
        if let Some(until) = self.until {
            map.insert("until".to_owned(), json!(until.to_string()));
        }
    }
}

impl Promotion {
    /// The holds that this record states: its own, then those that it carries on.
    pub fn holds(&self) -> Vec<Rollback> {
        let own = match &self.action {
            Action::Publish | Action::Promote => None,
            Action::Rollback(hold) => Some(Rollback {
                hold: hold.clone(),
                sequence: self.sequence,
                time: self.time,
                by: self.by.clone(),
                reason: self.reason.clone(),
            }),
        };
        own.into_iter()
            .chain(self.earlier_holds.iter().cloned())
            .collect()
    }

    /// The hold by which this record keeps its tag off `digest` at this time.
    pub fn blocks(&self, digest: Digest, now: Timestamp) -> Option<Rollback> {
        let mut holds = self.holds().into_iter();
        holds.find(|rollback| rollback.hold.blocks(digest, now))
    }

    /// The predicate of the statement.
    pub fn to_predicate(&self) -> Value {
        let mut value = json!({
            "action": self.action.as_str(),
            "repository": self.repository.to_string(),
            "tag": self.tag.as_str(),
            "sequence": self.sequence,
            "previous": self.previous.map(|digest| digest.to_string()),
            "time": self.time.to_string(),
            "by": self.by,
        });
        // It is an object as written above.
        let Some(map) = value.as_object_mut() else {
            return value;
        };
        if let Some(from) = &self.from {
            map.insert("from".to_owned(), json!(from));
        }
        if let Some(reason) = &self.reason {
            map.insert("reason".to_owned(), json!(reason));
        }
        if let Action::Rollback(hold) = &self.action {
            let mut fields = Map::new();
            hold.put(&mut fields);
            map.insert("hold".to_owned(), Value::Object(fields));
        }
        if !self.earlier_holds.is_empty() {
            let holds: Vec<Value> = self.earlier_holds.iter().map(Rollback::to_value).collect();
            map.insert("earlierHolds".to_owned(), Value::Array(holds));
        }
        if !self.releases.is_empty() {
            let releases: Vec<String> = self.releases.iter().map(Digest::to_string).collect();
            map.insert("releases".to_owned(), json!(releases));
        }
        value
    }
}

impl Rollback {
    fn to_value(&self) -> Value {
        let mut fields = Map::new();
        self.hold.put(&mut fields);
        fields.insert("sequence".to_owned(), json!(self.sequence));
        fields.insert("time".to_owned(), json!(self.time.to_string()));
        fields.insert("by".to_owned(), json!(self.by));
        if let Some(reason) = &self.reason {
            fields.insert("reason".to_owned(), json!(reason));
        }
        Value::Object(fields)
    }
}

/// Who, when, why and until when, for a sentence.
impl fmt::Display for Rollback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rolled back by {} at {}", self.by, self.time)?;
        if let Some(reason) = &self.reason {
            write!(f, " ({reason})")?;
        }
        match self.hold.until {
            Some(until) => write!(f, ", held until {until}"),
            None => f.write_str(", held until it is released"),
        }
    }
}
