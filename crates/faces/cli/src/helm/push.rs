//! `weir helm push`.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use weir_charts::push;
use weir_helm::Chart;

use super::location::{Asking, about_underscores};
use super::source::Tgz;
use crate::global::Context;
use crate::remote::read_repository;
use crate::{CommandError, Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir helm push web-1.2.3.tgz oci://ghcr.io/org/charts
  weir helm package ./charts/web && weir helm push web-1.2.3.tgz oci://localhost:5000/charts";

/// Put a chart into a registry
///
/// It goes into the repository of its name below REMOTE, under the tag of its version; a provenance file beside the
/// archive goes along. The manifest is Helm's byte for byte. Prints the digest.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Push {
    /// The chart's archive
    #[arg(value_name = "CHART")]
    chart: PathBuf,
    /// Where to put it: oci://HOST/PATH
    #[arg(value_name = "REMOTE")]
    remote: String,
    #[command(flatten)]
    asking: Asking,
}

impl Push {
    pub(super) async fn run(self, cx: &mut Context<'_>) -> Result {
        let Some(place) = self.remote.strip_prefix("oci://") else {
            let message = match self.remote.split_once("://") {
                Some((scheme, _)) => format!("scheme {scheme:?} not supported"),
                None => "scheme prefix missing from remote (e.g. \"oci://\")".to_owned(),
            };
            return Err(CommandError::user(message).hint("write oci://HOST/PATH"));
        };
        let metadata = match fs::metadata(&self.chart) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(CommandError::user(format!(
                    "{}: no such file",
                    self.chart.display()
                )));
            }
            Err(error) => return Err(CommandError::file("open", &self.chart, &error)),
        };
        if metadata.is_dir() {
            return Err(
                CommandError::user("cannot push directory, must provide chart archive (.tgz)")
                    .hint("pack it with `weir helm package`"),
            );
        }
        let archive =
            fs::read(&self.chart).map_err(|error| CommandError::file("read", &self.chart, &error))?;
        let archive = bytes::Bytes::from(archive);
        let chart =
            Chart::from_archive(&archive, &Tgz).map_err(|error| CommandError::user(error.to_string()))?;
        let mut beside = self.chart.clone().into_os_string();
        beside.push(".prov");
        let provenance = fs::read(&beside).ok().map(bytes::Bytes::from);
        let name = format!("{}/{}", place.trim_end_matches('/'), chart.name());
        let repository = read_repository(&name)
            .map_err(|why| CommandError::user(format!("{} cannot hold a chart: {why}", self.remote)))?;
        let client = self.asking.client(cx, &repository)?;
        let created = metadata
            .modified()
            .ok()
            .and_then(|time| Timestamp::try_from(time).ok())
            .unwrap_or_else(|| cx.io.now());
        let created = written(created);
        let pushing = async {
            Ok(push(
                &client,
                &repository,
                &chart.metadata,
                archive,
                provenance,
                &created,
            )
            .await?)
        };
        let pushed = cx.in_time("the upload", pushing).await?;
        let reference = repository.at_tag(pushed.tag);
        cx.io.print(&format!(
            "Pushed: {reference}\nDigest: {}\n{}",
            pushed.digest,
            about_underscores(&reference)
        ))?;
        Ok(Exit::Success)
    }
}

/// A time as Helm writes it into the annotations: of this machine's zone, to the second.
fn written(at: Timestamp) -> String {
    let zone = TimeZone::system();
    let offset = zone.to_offset(at);
    let whole = Timestamp::from_second(
        at.as_nanosecond()
            .div_euclid(1_000_000_000)
            .try_into()
            .unwrap_or_default(),
    );
    let whole = whole.unwrap_or(at);
    if offset.seconds() == 0 {
        whole.to_string()
    } else {
        whole.display_with_offset(offset).to_string()
    }
}
