//! Which version of a chart a range means.

use std::cmp::Reverse;

use weir_semver::{Constraint, ConstraintError, Version, tags};

use super::{Index, IndexEntry};

/// Why no version of a chart was chosen. The messages are Helm's and Flux's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// The index does not have the chart.
    #[error("no chart name found")]
    Name,
    /// The index has the chart's name, and no version of it.
    #[error("no chart version found")]
    NoVersions,
    /// The range cannot be read.
    #[error(transparent)]
    Range(#[from] ConstraintError),
    /// No version is in the range.
    #[error("no chart version found for {chart}-{range}")]
    Version {
        /// Name of the chart.
        chart: String,
        /// The range.
        range: String,
    },
    /// No version is in the range, in Flux's words.
    #[error("no '{chart}' chart with version matching '{range}' found")]
    Match {
        /// Name of the chart.
        chart: String,
        /// The range.
        range: String,
    },
    /// No tag is in the range.
    #[error("could not locate a version matching provided version string {0}")]
    Tag(String),
}

/// The range that a text means; the empty text and `*` mean every version that is no pre-release.
fn range(text: &str) -> Result<Constraint, ConstraintError> {
    Constraint::parse(if text.is_empty() { "*" } else { text })
}

/// Whether a text is a range such as `^1.2`, and not one version.
pub fn is_range(text: &str) -> bool {
    if text.contains(['^', '~', '<', '>', '=', '!', '*']) || text.contains("||") || text.contains(" - ") {
        return true;
    }
    let core = text.split(['-', '+']).next().unwrap_or_default();
    core.contains(['x', 'X'])
}

impl Index {
    /// The version that Helm takes: the one that is spelled like this, else the highest in the range.
    pub fn get(&self, chart: &str, version: &str) -> Result<&IndexEntry, NotFound> {
        let versions = self.some_versions(chart)?;
        let range = range(version)?;
        let exact = versions
            .iter()
            .find(|entry| !version.is_empty() && *entry.version == *version);
        let in_range = || versions.iter().find(|entry| is_in(&range, &entry.version));
        exact.or_else(in_range).ok_or_else(|| NotFound::Version {
            chart: chart.to_owned(),
            range: version.to_owned(),
        })
    }

    /// The version that Flux takes: the one that is spelled like this, else the highest in the range among those with
    /// three numbers, and of several that differ in build metadata only the one published last.
    pub fn latest(&self, chart: &str, version: &str) -> Result<&IndexEntry, NotFound> {
        let versions = self.some_versions(chart)?;
        if let Some(exact) = versions.iter().find(|entry| *entry.version == *version) {
            return Ok(exact);
        }
        let range = range(version)?;
        versions
            .iter()
            .filter_map(|entry| {
                let parsed = tags::parse(&entry.version).ok()?;
                range.matches(&parsed).then_some((parsed, entry))
            })
            .max_by(|(a, one), (b, other)| {
                let published = |entry: &IndexEntry| entry.created.map(|time| time.timestamp());
                a.cmp(b).then(published(one).cmp(&published(other)))
            })
            .map(|(_, entry)| entry)
            .ok_or_else(|| NotFound::Match {
                chart: chart.to_owned(),
                range: version.to_owned(),
            })
    }

    fn some_versions(&self, chart: &str) -> Result<&[IndexEntry], NotFound> {
        match self.versions(chart) {
            None => Err(NotFound::Name),
            Some([]) => Err(NotFound::NoVersions),
            Some(versions) => Ok(versions),
        }
    }
}

fn is_in(range: &Constraint, version: &str) -> bool {
    Version::parse(version).is_ok_and(|version| range.matches(&version))
}

/// The version that Helm and Flux take of a chart in a registry: among the tags that are whole versions (a tag has `_` where
/// a version has `+`) the one that is spelled like this, else the highest in the range.
pub fn highest_tag<'t>(tags: impl IntoIterator<Item = &'t str>, version: &str) -> Result<String, NotFound> {
    let mut versions: Vec<Version> = tags
        .into_iter()
        .filter_map(|tag| Version::parse_strict(&tag.replace('_', "+")).ok())
        .collect();
    if let Some(exact) = versions.iter().find(|one| one.to_string() == version) {
        return Ok(exact.to_string());
    }
    let range = range(version)?;
    versions.sort_by_cached_key(|one| Reverse(one.clone()));
    versions
        .iter()
        .find(|one| range.matches(one))
        .map(ToString::to_string)
        .ok_or_else(|| NotFound::Tag(version.to_owned()))
}
