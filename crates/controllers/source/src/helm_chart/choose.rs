//! Which chart: its version, and where it is. The only place where a tag is looked at (security case N22).

use url::Url;
use weir_apis::artifact::Artifact;
use weir_apis::kind::HelmChartSpec;
use weir_apis::reason;
use weir_charts::{RegistryError, Repository, Web, tag_of};
use weir_helm::{NotFound, highest_tag};
use weir_oci::Digest;
use weir_re2::Pattern;
use weir_registry::Client;
use weir_runtime::verdict::chain;
use weir_semver::{Version, tags};

use super::indexes::Indexes;
use crate::access::Access;
use crate::gather::{again, invalid};
use crate::keep::Keeper;
use crate::status::{At, Failed};

/// Names that a chart may have in a repository.
const NAME: &str = r"^([-a-z0-9]+/?\.?)+$";

/// A version of a chart.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// The version that the chart is published as.
    pub(crate) published: String,
    /// The version that is stored: with the generation of the object where its values are merged.
    pub(crate) version: String,
    pub(crate) place: Place,
}

/// Where a chart is.
#[derive(Debug)]
pub(crate) enum Place {
    /// A server.
    Http {
        url: Url,
        repository: Box<Repository>,
        web: Web,
        /// What the index says of the archive.
        digest: Option<Digest>,
    },
    /// A registry.
    Oci {
        repository: weir_oci::Repository,
        registry: Client,
    },
}

/// The values files that ask for another package; the chart's own file alone does not.
pub(crate) fn values_files(spec: &HelmChartSpec) -> &[String] {
    match spec.values_files.as_slice() {
        [only] if only.trim_start_matches("./") == "values.yaml" => &[],
        files => files,
    }
}

/// Chooses the version that the spec asks for. `index` is the stored artifact of a repository with an index.
pub(crate) async fn choose(
    spec: &HelmChartSpec,
    generation: i64,
    access: Access,
    index: Option<&Artifact>,
    indexes: &Indexes,
    keeper: &Keeper,
) -> Result<Chosen, Failed> {
    let bad = |why: String| {
        invalid(
            reason::INVALID_CHART_REFERENCE,
            format!("invalid chart reference: {why}"),
        )
    };
    if spec.chart.is_empty() {
        return Err(bad("no name set for remote chart reference".to_owned()));
    }
    let is_name = Pattern::new(NAME).is_ok_and(|name| name.is_match(&spec.chart));
    if !is_name {
        return Err(bad(format!(
            "invalid chart name '{}': a valid name must be lower case letters and numbers and MAY be separated with dashes (-), slashes (/) or periods (.)",
            spec.chart
        )));
    }
    let range = spec.version.as_deref().unwrap_or("*");
    let missed = |why: String| format!("failed to get chart version for remote reference: {why}");
    let (published, place) = match access {
        Access::Http(repository, web) => {
            let artifact = index.ok_or_else(|| bad("the repository has no index".to_owned()))?;
            let index = indexes.load(keeper, artifact).await?;
            let entry = index
                .latest(&spec.chart, range)
                .map_err(|error| bad(missed(error.to_string())))?;
            let failed = |why: String| again(reason::CHART_PULL_ERROR, format!("chart pull error: {why}"));
            let address = entry
                .urls
                .first()
                .ok_or_else(|| failed(format!("chart '{}' has no downloadable URLs", spec.chart)))?;
            let url = repository
                .resolve(address)
                .map_err(|error| failed(error.to_string()))?;
            let place = Place::Http {
                url,
                repository: Box::new(repository),
                web,
                digest: digest(&entry.digest),
            };
            (entry.version.to_string(), place)
        }
        Access::Oci(base, registry) => {
            let repository = base.child(&spec.chart).map_err(|error| bad(chain(&error)))?;
            let published = tagged(&registry, &repository, range)
                .await
                .map_err(|error| match error {
                    Untagged::Range(error @ NotFound::Range(_)) => bad(missed(error.to_string())),
                    Untagged::Range(error) => again(
                        reason::CHART_PULL_ERROR,
                        format!("chart pull error: {}", missed(error.to_string())),
                    ),
                    Untagged::Registry(error) => refused(
                        &RegistryError::Registry(error),
                        &missed(format!("could not get tags for {:?}", spec.chart)),
                    ),
                })?;
            (published, Place::Oci { repository, registry })
        }
    };
    let version = if values_files(spec).is_empty() {
        published.clone()
    } else {
        built(&published, generation)?
    };
    Ok(Chosen {
        published,
        version,
        place,
    })
}

enum Untagged {
    Range(NotFound),
    Registry(weir_registry::Error),
}

/// The version that a range means in a registry. A whole version needs no list of tags.
async fn tagged(
    registry: &Client,
    repository: &weir_oci::Repository,
    range: &str,
) -> Result<String, Untagged> {
    if tags::parse(range).is_ok() {
        return Ok(range.to_owned());
    }
    let all = registry.tags(repository).await.map_err(Untagged::Registry)?;
    highest_tag(all.iter().map(String::as_str), range).map_err(Untagged::Range)
}

/// The version of a chart whose values are merged: consumers see by it that something changed.
fn built(version: &str, generation: i64) -> Result<String, Failed> {
    Version::parse(version)
        .and_then(|version| version.with_metadata(&generation.to_string()))
        .map(|version| version.to_string())
        .map_err(|error| Failed {
            at: At::Build,
            failure: weir_runtime::Failure::stalled(
                reason::METADATA_PATCH_ERROR,
                format!(
                    "chart metadata patch error: failed to set SemVer metadata on chart version '{version}': {error}"
                ),
            ),
        })
}

/// The digest in an index: hexadecimal digits, perhaps after the name of the algorithm. What is none says nothing.
fn digest(text: &str) -> Option<Digest> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    format!("sha256:{hex}").parse().ok()
}

/// The digest that the tag of a version points to, asked once.
pub(crate) async fn resolve(
    registry: &Client,
    repository: &weir_oci::Repository,
    version: &str,
) -> Result<Digest, Failed> {
    let tag =
        tag_of(version).map_err(|error| refused(&error, "failed to download chart for remote reference"))?;
    match registry.resolve(&repository.at_tag(tag)).await {
        Ok(found) => Ok(found.digest),
        Err(error) => Err(refused(
            &RegistryError::Registry(error),
            "failed to download chart for remote reference",
        )),
    }
}

/// A registry's refusal, with the hint that its error carries.
pub(crate) fn refused(error: &RegistryError, what: &str) -> Failed {
    let hint = match error {
        RegistryError::Registry(error) => error.hint(),
        _ => None,
    };
    let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
    match error {
        RegistryError::Registry(refusal) if refusal.is_access() => again(
            reason::AUTHENTICATION_FAILED,
            format!(
                "failed to authenticate with the Helm repository: {}{hint}",
                chain(error)
            ),
        ),
        _ => again(
            reason::CHART_PULL_ERROR,
            format!("chart pull error: {what}: {}{hint}", chain(error)),
        ),
    }
}
