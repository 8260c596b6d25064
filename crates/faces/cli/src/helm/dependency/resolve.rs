//! From ranges to versions: what Chart.lock says.

use std::path::{Path, PathBuf};

use weir_helm::{Dependency, highest_tag};
use weir_oci::Repository;
use weir_semver::{Constraint, Version};

use super::super::source;
use super::fetch::Market;
use crate::global::Context;
use crate::{CommandError, remote, run::Result};

/// Where a dependency comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// `charts/` itself.
    Here,
    /// A folder.
    Folder(PathBuf),
    /// The repository below which the registry keeps it.
    Registry(Repository),
    /// A repository with an index.
    Index,
}

/// Reads the `repository` of a dependency.
pub(super) fn origin(chart: &Path, wanted: &Dependency) -> Result<Origin> {
    let repository = wanted.repository.as_str();
    if repository.is_empty() {
        return Ok(Origin::Here);
    }
    if let Some(path) = repository.strip_prefix("file://") {
        let folder = chart.join(path);
        if !folder.exists() {
            return Err(CommandError::user(format!(
                "directory {} not found",
                folder.display()
            )));
        }
        return Ok(Origin::Folder(folder));
    }
    if repository.starts_with("oci://") {
        let full = format!("{}/{}", repository.trim_end_matches('/'), wanted.name);
        return remote::read_repository(&full)
            .map(Origin::Registry)
            .map_err(|why| CommandError::user(format!("{repository} cannot hold charts: {why}")));
    }
    Ok(Origin::Index)
}

/// The versions that are taken, each within the range that is wanted.
pub(super) async fn resolve(
    cx: &Context<'_>,
    chart: &Path,
    wanted: &[Dependency],
    market: &Market<'_>,
) -> Result<Vec<Dependency>> {
    let mut locked = Vec::new();
    let mut missing = Vec::new();
    for one in wanted {
        let range = Constraint::parse(&one.version).map_err(|error| {
            CommandError::user(format!(
                "dependency {:?} has an invalid version/constraint format: {error}",
                one.name
            ))
        })?;
        let is_in = |version: &str| Version::parse(version).is_ok_and(|version| range.matches(&version));
        let version = match origin(chart, one)? {
            Origin::Here => {
                let folder = chart.join("charts").join(&one.name);
                if !folder.exists() {
                    return Err(CommandError::user(format!(
                        "directory {} not found",
                        folder.display()
                    )));
                }
                Some(one.version.clone())
            }
            Origin::Folder(folder) => {
                let version = source::load(&folder)?.metadata.version;
                Some(version).filter(|version| is_in(version))
            }
            Origin::Registry(_) if Version::parse(&one.version).is_ok() => Some(one.version.clone()),
            Origin::Registry(repository) => {
                let tags = market.tags(cx, &repository).await?;
                highest_tag(tags.iter().map(String::as_str), &one.version).ok()
            }
            Origin::Index => {
                let index = market.index(&one.repository)?;
                let versions = index.versions(&one.name).ok_or_else(|| {
                    CommandError::user(format!("{} chart not found in repo {}", one.name, one.repository))
                })?;
                let found = versions
                    .iter()
                    .find(|entry| !entry.urls.is_empty() && is_in(&entry.version));
                found.map(|entry| entry.version.to_string())
            }
        };
        match version {
            Some(version) => locked.push(Dependency {
                name: one.name.clone(),
                repository: one.repository.clone(),
                version,
                ..Dependency::default()
            }),
            None => missing.push(format!(
                "{:?} (repository {:?}, version {:?})",
                one.name, one.repository, one.version
            )),
        }
    }
    if missing.is_empty() {
        return Ok(locked);
    }
    Err(CommandError::user(format!(
        "can't get a valid version for {} subchart(s): {}. Make sure a matching chart version exists in the repo, or change the version constraint in Chart.yaml",
        missing.len(),
        missing.join(", ")
    )))
}
