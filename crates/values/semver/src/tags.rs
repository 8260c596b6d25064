//! How Flux picks a version from a list of tags.

use crate::{Constraint, Version, VersionError};

/// Reads a tag as a version the way Flux does: it must have at least three parts between dots, so that `1.2`
/// or a date is no version; a leading `v` and leading zeros are tolerated.
///
/// # Errors
/// See [`VersionError`].
pub fn parse(tag: &str) -> Result<Version, VersionError> {
    if tag.splitn(3, '.').count() < 3 {
        return Err(VersionError::Invalid);
    }
    Version::parse(tag)
}

/// The tag with the highest version that `constraint` accepts. Tags that are no versions are passed over. Of
/// tags with equal versions (`1.2.3` and `v1.2.3`, or another build), the first in `tags` is taken.
pub fn latest<'t>(tags: impl IntoIterator<Item = &'t str>, constraint: &Constraint) -> Option<&'t str> {
    let mut best: Option<(Version, &'t str)> = None;
    for tag in tags {
        let Ok(version) = parse(tag) else { continue };
        if !constraint.matches(&version) {
            continue;
        }
        if best.as_ref().is_none_or(|(highest, _)| version > *highest) {
            best = Some((version, tag));
        }
    }
    best.map(|(_, tag)| tag)
}

/// Every tag that `constraint` accepts, highest version first; equal versions keep the order of `tags`.
pub fn matching<'t>(tags: impl IntoIterator<Item = &'t str>, constraint: &Constraint) -> Vec<&'t str> {
    let mut found: Vec<(Version, &'t str)> = tags
        .into_iter()
        .filter_map(|tag| Some((parse(tag).ok()?, tag)))
        .filter(|(version, _)| constraint.matches(version))
        .collect();
    found.sort_by(|(a, _), (b, _)| b.cmp(a));
    found.into_iter().map(|(_, tag)| tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constraint(text: &str) -> Constraint {
        text.parse().unwrap()
    }

    #[test]
    fn only_tags_with_three_parts_are_versions() {
        assert!(parse("v2025.07.03").is_ok());
        assert!(parse("1.2").is_err());
        assert!(parse("1.2-5").is_err());
        assert!(parse("1.2.3.4").is_err());
    }

    #[test]
    fn the_highest_version_wins_and_not_the_last_text() {
        assert_eq!(
            latest(["1.9.0", "v1.10.0", "1.2"], &constraint("*")),
            Some("v1.10.0")
        );
        assert_eq!(latest(["2.0.0"], &constraint("1.x")), None);
    }

    #[test]
    fn prereleases_count_only_when_asked_for() {
        let tags = ["1.0.0", "1.1.0-rc.1"];
        assert_eq!(latest(tags, &constraint("*")), Some("1.0.0"));
        assert_eq!(latest(tags, &constraint(">=1.0.0-0")), Some("1.1.0-rc.1"));
    }

    #[test]
    fn of_equal_versions_the_first_is_taken() {
        assert_eq!(latest(["1.0.0+b", "1.0.0+a"], &constraint("*")), Some("1.0.0+b"));
        assert_eq!(
            matching(["1.0.0", "2.0.0", "x", "v2.0.0"], &constraint("*")),
            ["2.0.0", "v2.0.0", "1.0.0"]
        );
    }
}
