//! Reading a promotion record.

use serde_json::Value;
use weir_oci::Repository;

use super::{Action, Hold, Promotion, Rollback};
use crate::predicate::{InvalidPredicate, Shape};

/// What is said of digests that are none.
const NO_DIGEST: &str = "is no digest such as \"sha256:...\"";
const NO_DIGESTS: &str = "is no list of digests such as \"sha256:...\"";

impl Promotion {
    /// Reads the predicate of a statement. Fields that are not known are ignored; an action that is not known is an error,
    /// because nobody can tell what follows from it.
    ///
    /// # Errors
    /// When a field is missing or is something else than it must be.
    pub fn from_predicate(predicate: &Value) -> Result<Self, InvalidPredicate> {
        let shape = Shape::of("promotion record", predicate)?;
        let action = action(&shape)?;
        if action == Action::Promote {
            shape.text(&["from"])?;
        }
        Ok(Self {
            action,
            repository: repository(&shape)?,
            tag: shape.read(&["tag"], "is no tag")?,
            sequence: shape.read_count(&["sequence"])?,
            previous: previous(&shape)?,
            from: optional_text(&shape, "from")?,
            time: shape.read_time(&["time"])?,
            by: shape.read_text(&["by"])?.to_owned(),
            reason: optional_text(&shape, "reason")?,
            earlier_holds: if shape.has_value("earlierHolds") {
                let holds = shape.parts("earlierHolds")?;
                holds.iter().map(rollback).collect::<Result<_, _>>()?
            } else {
                Vec::new()
            },
            releases: if shape.has_value("releases") {
                shape.read_list(&["releases"], NO_DIGESTS)?
            } else {
                Vec::new()
            },
        })
    }
}

fn action(shape: &Shape<'_>) -> Result<Action, InvalidPredicate> {
    let action = match shape.read_text(&["action"])? {
        "publish" => Action::Publish,
        "promote" => Action::Promote,
        "rollback" => return Ok(Action::Rollback(hold(&shape.part("hold")?)?)),
        _ => {
            return Err(shape.wrong(&["action"], "is not \"publish\", \"promote\" or \"rollback\""));
        }
    };
    if shape.has_value("hold") {
        return Err(shape.wrong(&["hold"], "is there, and only a rollback has one"));
    }
    Ok(action)
}

/// As it is compared: no scheme, no default left out.
fn repository(shape: &Shape<'_>) -> Result<Repository, InvalidPredicate> {
    let problem = "is no repository such as \"ghcr.io/org/app\"";
    let repository: Repository = shape.read(&["repository"], problem)?;
    if repository.to_string() == shape.read_text(&["repository"])? {
        return Ok(repository);
    }
    Err(shape.wrong(&["repository"], problem))
}

/// It must be said, even that there was none.
fn previous(shape: &Shape<'_>) -> Result<Option<weir_oci::Digest>, InvalidPredicate> {
    if shape.has("previous") && !shape.has_value("previous") {
        return Ok(None);
    }
    shape.read(&["previous"], NO_DIGEST).map(Some)
}

fn optional_text(shape: &Shape<'_>, name: &str) -> Result<Option<String>, InvalidPredicate> {
    if !shape.has_value(name) {
        return Ok(None);
    }
    shape.read_text(&[name]).map(|text| Some(text.to_owned()))
}

fn hold(shape: &Shape<'_>) -> Result<Hold, InvalidPredicate> {
    Ok(Hold {
        until: if shape.has_value("until") {
            Some(shape.read_time(&["until"])?)
        } else {
            None
        },
        blocked: shape.read_list(&["blocked"], NO_DIGESTS)?,
    })
}

fn rollback(shape: &Shape<'_>) -> Result<Rollback, InvalidPredicate> {
    Ok(Rollback {
        hold: hold(shape)?,
        sequence: shape.read_count(&["sequence"])?,
        time: shape.read_time(&["time"])?,
        by: shape.read_text(&["by"])?.to_owned(),
        reason: optional_text(shape, "reason")?,
    })
}
