//! The chart: downloaded, looked into, and packed anew where the spec asks for other default values.

use bytes::Bytes;
use jiff::Timestamp;
use weir_apis::kind::HelmChartSpec;
use weir_apis::reason;
use weir_charts::{Tgz, pack, pull};
use weir_helm::Chart;
use weir_oci::Digest;
use weir_runtime::Failure;
use weir_runtime::verdict::chain;
use weir_store::Storable;
use weir_verify::{Admitted, Digested};

use super::choose::{Chosen, Place, refused, values_files};
use crate::gather::again;
use crate::status::{At, Failed};

/// Largest archive of a chart, in bytes, as in Flux.
const MAX_CHART: u64 = 10 << 20;

/// A chart for the store.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    /// Digest of what was downloaded: of the manifest from a registry, of the archive from elsewhere.
    origin: Digest,
    file: Bytes,
    /// Name in its Chart.yaml.
    pub(crate) name: String,
    /// Values files that were merged.
    pub(crate) merged: Vec<String>,
}

impl Digested for Built {
    fn digest(&self) -> Digest {
        self.origin
    }
}

impl Storable for Built {
    fn content(&self) -> &Bytes {
        &self.file
    }
}

/// Takes the chart. From a registry it goes by the admitted digest and nothing else; `None` where there is no policy and
/// nothing to go by.
pub(crate) async fn build(
    spec: &HelmChartSpec,
    chosen: &Chosen,
    admitted: Option<Admitted<Digest>>,
    now: Timestamp,
) -> Result<Admitted<Built>, Failed> {
    let what = "failed to download chart for remote reference";
    let failed = |why: String| again(reason::CHART_PULL_ERROR, format!("chart pull error: {why}"));
    let (admitted, archive) = match (&chosen.place, admitted) {
        (Place::Oci { repository, registry }, Some(admitted)) => {
            let pulled = pull(registry, repository, admitted.get(), false, MAX_CHART)
                .await
                .map_err(|error| refused(&error, what))?;
            (admitted, pulled.archive)
        }
        (Place::Oci { .. }, None) => return Err(failed("nobody said which digest is meant".to_owned())),
        (
            Place::Http {
                url,
                repository,
                web,
                digest,
            },
            _,
        ) => {
            let archive = web.archive(url, repository, MAX_CHART).await.map_err(|error| {
                if error.is_access() {
                    let message = format!(
                        "failed to authenticate with the Helm repository: {what}: {}",
                        chain(&error)
                    );
                    return again(reason::AUTHENTICATION_FAILED, message);
                }
                failed(format!("{what}: {}", chain(&error)))
            })?;
            let found = Digest::of(&archive);
            if let Some(wanted) = digest.filter(|wanted| *wanted != found) {
                return Err(failed(format!(
                    "{what}: {url} has the digest {found} and not {wanted}, as the index says"
                )));
            }
            // Charts from such repositories carry no signatures; a policy for them was refused before.
            (Admitted::without_policy(found), archive)
        }
    };
    let origin = *admitted.get();
    let (files, ignore_missing) = (spec.values_files.clone(), spec.ignore_missing_values_files);
    let version = (!values_files(spec).is_empty()).then(|| chosen.version.clone());
    let task =
        tokio::task::spawn_blocking(move || package(origin, archive, version, &files, ignore_missing, now));
    let built = match task.await {
        Ok(built) => built?,
        Err(error) => return Err(failed(format!("reading the chart did not end: {error}"))),
    };
    admitted.bind(built).map_err(|error| failed(chain(&error)))
}

/// Looks into a chart, and packs it anew where it gets another version.
fn package(
    origin: Digest,
    archive: Bytes,
    version: Option<String>,
    files: &[String],
    ignore_missing: bool,
    now: Timestamp,
) -> Result<Built, Failed> {
    let chart = Chart::from_archive(&archive, &Tgz);
    let Some(version) = version else {
        let chart = chart.map_err(|error| {
            let message = format!("chart pull error: failed to load the downloaded chart: {error}");
            again(reason::CHART_PULL_ERROR, message)
        })?;
        return Ok(Built {
            origin,
            file: archive,
            name: chart.metadata.name,
            merged: Vec::new(),
        });
    };
    let not_packed = |why: String| Failed {
        at: At::Build,
        failure: Failure::retry(reason::CHART_PACKAGE_ERROR, format!("chart package error: {why}")),
    };
    let mut chart = chart.map_err(|error| not_packed(format!("failed to load downloaded chart: {error}")))?;
    chart.metadata.version = version;
    let merged = chart
        .merge_values_files(files, ignore_missing)
        .map_err(|error| Failed {
            at: At::Build,
            failure: Failure::stalled(
                reason::VALUES_FILES_ERROR,
                format!("values files merge error: {error}"),
            ),
        })?;
    let file = pack(&chart, now)
        .map_err(|error| not_packed(format!("failed to package chart: {}", chain(&error))))?;
    Ok(Built {
        origin,
        file,
        name: chart.metadata.name,
        merged,
    })
}
