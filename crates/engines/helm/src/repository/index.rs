//! index.yaml, as much of it as is needed to find a chart.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use weir_semver::Version;

use super::read::{self, IndexError, Keep};
use crate::gojson::{self, Indented};
use crate::time::Time;

/// One version of a chart in an index. An index has up to a hundred thousand of them, so that this is all that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexEntry {
    /// Name of the chart.
    pub name: Box<str>,
    /// Its version.
    pub version: Box<str>,
    /// Version of what it installs; empty if it does not say.
    pub app_version: Box<str>,
    /// Where its archive is: whole addresses, or such as are relative to the repository's.
    pub urls: Box<[Box<str>]>,
    /// SHA-256 of the archive in hexadecimal digits, perhaps after `sha256:`; empty if it does not say.
    pub digest: Box<str>,
    /// When the version was published.
    pub created: Option<Time>,
    /// Whether it should no longer be used.
    pub deprecated: bool,
    /// The whole entry in Go's JSON, where it was asked for.
    pub(super) json: Box<str>,
}

/// The charts of a repository, the versions of each from the highest down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    pub(super) entries: BTreeMap<Box<str>, Vec<IndexEntry>>,
    /// What Go writes before and behind the entries, where it was asked for.
    pub(super) frame: Option<(String, String)>,
    skipped: usize,
    warnings: Vec<String>,
}

/// How many skipped entries are told of.
const MOST_WARNINGS: usize = 10;

impl Index {
    /// Reads an index, JSON or YAML, and keeps what [`IndexEntry`] holds. The text is gone through piece by piece, so that
    /// the memory needed is a part of its size. As in Helm, entries that break a rule of Chart.yaml are skipped, with
    /// the exception of aliases that are used twice; malformed YAML, unknown fields and repeated keys in YAML refuse it.
    pub fn read(content: &[u8]) -> Result<Self, IndexError> {
        read::read(content, Keep::Chosen)
    }

    /// The same, and keeps everything for [`Index::to_json`].
    pub fn read_whole(content: &[u8]) -> Result<Self, IndexError> {
        read::read(content, Keep::Everything)
    }

    /// The names of the charts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(AsRef::as_ref)
    }

    /// The versions of a chart from the highest down; `None` if the index does not have it.
    pub fn versions(&self, name: &str) -> Option<&[IndexEntry]> {
        self.entries.get(name).map(Vec::as_slice)
    }

    /// How many versions of all charts there are.
    pub fn len(&self) -> usize {
        self.entries.values().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many entries were skipped because they break a rule.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// What is wrong with the first few of the skipped entries.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The index as Go writes it, the entries sorted; empty for one that was not read by [`Index::read_whole`].
    pub fn to_json(&self) -> String {
        let Some((before, behind)) = &self.frame else {
            return String::new();
        };
        let size: usize = self
            .entries
            .values()
            .flatten()
            .map(|entry| entry.json.len())
            .sum();
        // Nothing is written twice: of a large index the JSON takes more than all else that is kept of it.
        let mut out = Indented::with_capacity(size + size / 2);
        out.push(before);
        let mut name_before = '{';
        for (name, versions) in &self.entries {
            let mut key = String::from(name_before);
            gojson::string(name, &mut key);
            key.push_str(":[");
            out.push(&key);
            for (n, entry) in versions.iter().enumerate() {
                if n > 0 {
                    out.push(",");
                }
                out.push(&entry.json);
            }
            out.push("]");
            name_before = ',';
        }
        out.push(if self.entries.is_empty() { "{}" } else { "}" });
        out.push(behind);
        out.finish()
    }

    pub(super) fn skip(&mut self, chart: &str, version: &str, why: &str) {
        self.skipped += 1;
        if self.warnings.len() < MOST_WARNINGS {
            let warning = format!("skipped an entry of chart {chart:?}, version {version:?}: {why}");
            self.warnings.push(warning);
        }
    }

    /// Sorts the versions of each chart; those of one precedence stay in the order of the text.
    pub(super) fn sort(&mut self) {
        for versions in self.entries.values_mut() {
            versions.sort_by_cached_key(|entry| Reverse(Version::parse(&entry.version).ok()));
            versions.shrink_to_fit();
        }
    }
}
