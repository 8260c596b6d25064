//! `weir helm package`.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use weir_charts::{PackError, pack};

use super::pull::write;
use super::source;
use crate::global::Context;
use crate::{CommandError, Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir helm package ./charts/web
  weir helm package ./charts/web --version 1.4.0 --app-version 2.1 -d dist";

/// Pack charts into archives
///
/// The tar within is Helm's byte for byte; the compression differs.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Package {
    /// Folders of charts
    #[arg(value_name = "DIR", required = true)]
    charts: Vec<PathBuf>,
    /// Version of the chart, in place of the one in Chart.yaml
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Version of what it installs, likewise
    #[arg(long, value_name = "VERSION")]
    app_version: Option<String>,
    /// Folder to write to
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    destination: PathBuf,
    #[arg(long, hide = true)]
    sign: bool,
    #[arg(short = 'u', long, hide = true)]
    dependency_update: bool,
}

impl Package {
    pub(super) fn run(self, cx: &mut Context<'_>) -> Result {
        if self.sign {
            return Err(
                CommandError::usage("`--sign` is refused: provenance files are not written")
                    .hint("sign what is pushed, with `weir sign`"),
            );
        }
        if self.dependency_update {
            return Err(CommandError::usage(
                "`--dependency-update` is refused: packing fetches nothing",
            ));
        }
        fs::create_dir_all(&self.destination)
            .map_err(|error| CommandError::file("create", &self.destination, &error))?;
        let folder = self
            .destination
            .canonicalize()
            .map_err(|error| CommandError::file("open", &self.destination, &error))?;
        for path in &self.charts {
            let mut chart = source::load(path)?;
            if let Some(version) = &self.version {
                chart.metadata.version.clone_from(version);
            }
            if let Some(version) = &self.app_version {
                chart.metadata.app_version.clone_from(version);
            }
            let bytes = pack(&chart, cx.io.now()).map_err(|error| match error {
                PackError::Chart(error) => CommandError::user(error.to_string()),
                PackError::Write(error) => CommandError::file("write", &folder, &error),
            })?;
            let name = format!("{}-{}.tgz", chart.metadata.name, chart.metadata.version);
            let target = folder.join(&name);
            write(&folder, &name, &bytes)?;
            cx.io.line(&format!(
                "Successfully packaged chart and saved it to: {}",
                target.display()
            ))?;
        }
        Ok(Exit::Success)
    }
}
