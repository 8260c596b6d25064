//! How an `OCIRepository` names the version it wants.
//!
//! `digest` wins over `semver`, which wins over `tag`; with none of them it is the tag `latest`. With `semver`
//! the repository's tags are listed, filtered by `semverFilter` first, and the highest version is taken.

use weir_semver::{Constraint, ConstraintError, tags};

use crate::{Digest, InvalidDigest, InvalidTag, Tag};

/// What `spec.ref` asks for, decided.
#[derive(Debug, Clone)]
pub enum Choice {
    /// Exactly this content.
    Digest(Digest),
    /// The highest version in a range.
    Semver(Constraint),
    /// Whatever this tag points to.
    Tag(Tag),
}

impl Choice {
    /// Decides between the fields of `spec.ref`; empty text counts as absent, as in Go.
    ///
    /// # Errors
    /// When the field that wins cannot be read.
    pub fn new(digest: Option<&str>, semver: Option<&str>, tag: Option<&str>) -> Result<Self, InvalidChoice> {
        let given = |field: Option<&str>| field.filter(|text| !text.is_empty()).map(str::to_owned);
        if let Some(digest) = given(digest) {
            return Ok(Self::Digest(digest.parse()?));
        }
        if let Some(semver) = given(semver) {
            return Ok(Self::Semver(semver.parse()?));
        }
        Ok(Self::Tag(given(tag).map_or_else(|| Ok(Tag::latest()), Tag::new)?))
    }
}

/// Which spelling of versions a repository's tags use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spelling {
    /// The tag is the version.
    #[default]
    Plain,
    /// Helm's: a tag cannot hold `+`, so it has `_` where the version has `+`.
    Helm,
}

impl Spelling {
    /// The spelling of artifacts whose chosen layer has `media_type`.
    pub fn of_layer(media_type: Option<&str>) -> Self {
        if media_type == Some(crate::media_type::HELM_CHART) {
            Self::Helm
        } else {
            Self::Plain
        }
    }

    /// The version that `tag` spells.
    pub fn version(self, tag: &str) -> String {
        match self {
            Self::Plain => tag.to_owned(),
            Self::Helm => tag.replace('_', "+"),
        }
    }

    /// The tag that spells `version`.
    pub fn tag(self, version: &str) -> String {
        match self {
            Self::Plain => version.to_owned(),
            Self::Helm => version.replace('+', "_"),
        }
    }
}

/// The tag of the highest version among `all` that `filter` lets through and `constraint` accepts. The filter
/// is `spec.ref.semverFilter`'s match against the tag as the registry spells it.
pub fn highest<'t>(
    all: impl IntoIterator<Item = &'t str>,
    constraint: &Constraint,
    filter: impl Fn(&str) -> bool,
    spelling: Spelling,
) -> Option<Tag> {
    let versions: Vec<String> = all
        .into_iter()
        .filter(|tag| filter(tag))
        .map(|tag| spelling.version(tag))
        .collect();
    let best = tags::latest(versions.iter().map(String::as_str), constraint)?;
    Tag::new(spelling.tag(best)).ok()
}

/// Why `spec.ref` cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InvalidChoice {
    /// `ref.digest`
    #[error("spec.ref.digest is wrong")]
    Digest(#[from] InvalidDigest),
    /// `ref.semver`
    #[error("spec.ref.semver is wrong")]
    Semver(#[from] ConstraintError),
    /// `ref.tag`
    #[error("spec.ref.tag is wrong")]
    Tag(#[from] InvalidTag),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_wins_over_semver_and_semver_over_tag() {
        let digest = Digest::of(b"").to_string();
        assert!(matches!(
            Choice::new(Some(&digest), Some("*"), Some("x")),
            Ok(Choice::Digest(_))
        ));
        assert!(matches!(
            Choice::new(None, Some("*"), Some("x")),
            Ok(Choice::Semver(_))
        ));
        assert!(
            matches!(Choice::new(Some(""), None, Some("x")), Ok(Choice::Tag(tag)) if tag.as_str() == "x")
        );
        assert!(matches!(Choice::new(None, None, None), Ok(Choice::Tag(tag)) if tag.as_str() == "latest"));
        assert!(Choice::new(Some("sha256:1"), None, Some("x")).is_err());
    }

    #[test]
    fn the_filter_comes_first_and_helm_spells_plus_as_underscore() {
        let constraint: Constraint = "*".parse().unwrap();
        let all = ["1.0.0", "1.2.0_build.1", "1.1.0", "junk"];
        let pick = |filter: fn(&str) -> bool, spelling| {
            highest(all, &constraint, filter, spelling).map(|tag| tag.to_string())
        };
        assert_eq!(pick(|_| true, Spelling::Helm).as_deref(), Some("1.2.0_build.1"));
        assert_eq!(pick(|_| true, Spelling::Plain).as_deref(), Some("1.1.0"));
        assert_eq!(
            pick(|tag| tag.ends_with("0.0"), Spelling::Plain).as_deref(),
            Some("1.0.0")
        );
        assert_eq!(pick(|_| false, Spelling::Plain), None);
    }
}
