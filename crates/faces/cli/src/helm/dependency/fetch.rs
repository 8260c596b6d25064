//! Where dependencies are fetched from: indexes that were read, registries that were asked.

use std::collections::BTreeMap;

use bytes::Bytes;
use weir_charts::{MAX_ARCHIVE, Repository, Web, pull, tag_of};
use weir_helm::{Dependency, Index};
use weir_semver::Version;

use super::super::location::{Asking, PATIENCE, about_underscores, file_name, read_index};
use super::repositories::Known;
use super::resolve::Origin;
use crate::global::Context;
use crate::{CommandError, run::Result};

/// A repository and its index.
#[derive(Debug)]
struct Stall {
    repository: Repository,
    web: Web,
    index: Index,
}

/// Everything that dependencies may come from.
#[derive(Debug)]
pub(super) struct Market<'a> {
    asking: &'a Asking,
    stalls: BTreeMap<String, Stall>,
}

fn key(url: &str) -> &str {
    url.trim_end_matches('/')
}

/// The name of a dependency's archive. What Chart.yaml calls the dependency does not lead out of charts/.
fn file_of(one: &Dependency) -> Result<String> {
    file_name(&format!("{}-{}.tgz", one.name, one.version))
}

impl<'a> Market<'a> {
    pub(super) fn new(asking: &'a Asking) -> Self {
        Self {
            asking,
            stalls: BTreeMap::new(),
        }
    }

    /// Reads the indexes of unmanaged repositories and of those known by name that are needed, and says so in Helm's words.
    pub(super) async fn open(
        &mut self,
        cx: &mut Context<'_>,
        needed: &[Dependency],
        known: &[Known],
        quietly: bool,
    ) -> Result<()> {
        let is_index = |one: &&Dependency| {
            let url = one.repository.as_str();
            !url.is_empty() && !url.starts_with("file://") && !url.starts_with("oci://")
        };
        let mut unmanaged: Vec<&str> = Vec::new();
        for one in needed.iter().filter(is_index) {
            let is_known = known.iter().any(|known| key(&known.url) == key(&one.repository));
            if !is_known && !unmanaged.iter().any(|url| key(url) == key(&one.repository)) {
                unmanaged.push(&one.repository);
            }
        }
        if !unmanaged.is_empty() && !quietly {
            cx.io
                .print("Getting updates for unmanaged Helm repositories...\n")?;
        }
        for url in unmanaged {
            let repository = Repository::new(url)?;
            let web = Web::new(&self.asking.options(cx)?, PATIENCE)?;
            self.stand(cx, url, url, repository, web, quietly).await?;
        }
        if known.is_empty() {
            return Ok(());
        }
        if !quietly {
            cx.io
                .print("Hang tight while we grab the latest from your chart repositories...\n")?;
        }
        for one in known {
            if needed
                .iter()
                .any(|needed| key(&needed.repository) == key(&one.url))
            {
                let (repository, web) = one.reach(cx, self.asking)?;
                self.stand(cx, &one.url, &one.name, repository, web, quietly)
                    .await?;
            }
        }
        if !quietly {
            cx.io.print("Update Complete. ⎈Happy Helming!⎈\n")?;
        }
        Ok(())
    }

    async fn stand(
        &mut self,
        cx: &mut Context<'_>,
        url: &str,
        name: &str,
        repository: Repository,
        web: Web,
        quietly: bool,
    ) -> Result<()> {
        let reading = async { read_index(&web, &repository).await };
        let index = cx.in_time("the download of the index", reading).await?;
        if !quietly {
            cx.io.print(&format!(
                "...Successfully got an update from the {name:?} chart repository\n"
            ))?;
        }
        let stall = Stall {
            repository,
            web,
            index,
        };
        self.stalls.insert(key(url).to_owned(), stall);
        Ok(())
    }

    fn stall(&self, url: &str) -> Result<&Stall> {
        self.stalls
            .get(key(url))
            .ok_or_else(|| CommandError::user(format!("the index of {url} was not read")))
    }

    pub(super) fn index(&self, url: &str) -> Result<&Index> {
        Ok(&self.stall(url)?.index)
    }

    pub(super) async fn tags(
        &self,
        cx: &Context<'_>,
        repository: &weir_oci::Repository,
    ) -> Result<Vec<String>> {
        let client = self.asking.client(cx, repository)?;
        let asking = async { Ok(client.tags(repository).await?) };
        cx.in_time("the look at the registry", asking).await
    }

    /// Fetches one version; what Helm prints about it comes along. `None` where it was fetched already.
    pub(super) async fn fetch(
        &self,
        cx: &Context<'_>,
        one: &Dependency,
        origin: &Origin,
        done: &mut Vec<String>,
    ) -> Result<Option<(String, Bytes, String)>> {
        if let Origin::Registry(repository) = origin {
            let address = format!("{repository}:{}", one.version);
            if done.contains(&address) {
                return Ok(None);
            }
            let client = self.asking.client(cx, repository)?;
            let reference = repository.at_tag(tag_of(&one.version)?);
            let fetching = async {
                let found = client.resolve(&reference).await?;
                let pulled = pull(&client, repository, &found.digest, false, MAX_ARCHIVE).await?;
                Ok((found.digest, pulled.archive))
            };
            let (digest, archive) = cx.in_time("the download", fetching).await?;
            let said = format!(
                "Pulled: {reference}\nDigest: {digest}\n{}",
                about_underscores(&reference)
            );
            done.push(address);
            Ok(Some((file_of(one)?, archive, said)))
        } else {
            let stall = self.stall(&one.repository)?;
            let is_it = |version: &str| match (Version::parse(version), Version::parse(&one.version)) {
                (Ok(found), Ok(wanted)) => found == wanted,
                _ => version == one.version,
            };
            let versions = stall.index.versions(&one.name).unwrap_or_default();
            let entry = versions
                .iter()
                .find(|entry| !entry.urls.is_empty() && is_it(&entry.version));
            let address = entry.and_then(|entry| entry.urls.first()).ok_or_else(|| {
                CommandError::user(format!("could not find {}: no matching version", one.name))
            })?;
            let url = stall.repository.resolve(address)?;
            if done.contains(&url.to_string()) {
                return Ok(None);
            }
            let fetching = async { Ok(stall.web.archive(&url, &stall.repository, MAX_ARCHIVE).await?) };
            let archive = cx.in_time("the download", fetching).await?;
            done.push(url.to_string());
            Ok(Some((file_of(one)?, archive, String::new())))
        }
    }
}
