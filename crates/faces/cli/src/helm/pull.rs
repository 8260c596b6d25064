//! `weir helm pull`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use weir_helm::Chart;

use super::location::Location;
use super::source::Tgz;
use crate::global::Context;
use crate::{CommandError, Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir helm pull oci://ghcr.io/stefanprodan/charts/podinfo --version 6.9.1
  weir helm pull podinfo --repo https://stefanprodan.github.io/podinfo -d charts
  weir helm pull https://charts.example/web-1.2.3.tgz --untar";

/// Fetch charts into files
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Pull {
    /// What to fetch: oci://HOST/REPOSITORY[:VERSION][@DIGEST], an address, or a name in `--repo`
    #[arg(value_name = "CHART", required = true)]
    charts: Vec<String>,
    #[command(flatten)]
    location: Location,
    /// Folder to write to
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    destination: PathBuf,
    /// Unpack the chart
    #[arg(long)]
    untar: bool,
    /// Folder to unpack into, below the one of `--destination`
    #[arg(long, value_name = "DIR", default_value = ".")]
    untardir: PathBuf,
    /// Fetch the provenance file too
    #[arg(long)]
    prov: bool,
}

impl Pull {
    pub(super) async fn run(self, cx: &mut Context<'_>) -> Result {
        for name in &self.charts {
            let found = self.location.fetch(cx, name, self.prov).await?;
            cx.io.print(&found.said)?;
            if self.untar {
                unpack(&self.destination.join(&self.untardir), &found.archive)?;
                continue;
            }
            if !self.destination.is_dir() {
                let error = std::io::Error::from(std::io::ErrorKind::NotFound);
                return Err(CommandError::file("open", &self.destination, &error));
            }
            write(&self.destination, &found.name, &found.archive)?;
            if let Some(provenance) = &found.provenance {
                write(&self.destination, &format!("{}.prov", found.name), provenance)?;
            }
        }
        Ok(Exit::Success)
    }
}

/// Writes a file at once. A link of that name is replaced, not followed.
pub(super) fn write(folder: &Path, name: &str, content: &[u8]) -> Result<()> {
    let target = folder.join(name);
    let failed = |error: std::io::Error| CommandError::file("write", &target, &error);
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(mode).map_err(failed)?;
    }
    file.persist(&target).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Unpacks a chart into a folder of its name, which must not be there: nothing in the archive leads out of it.
fn unpack(folder: &Path, archive: &Bytes) -> Result<()> {
    let chart = Chart::from_archive(archive, &Tgz).map_err(|error| CommandError::user(error.to_string()))?;
    let target = folder.join(chart.name());
    if target.symlink_metadata().is_ok() {
        return Err(CommandError::user(format!(
            "failed to untar: a file or directory with the name {} already exists",
            target.display()
        )));
    }
    for file in chart.raw.iter() {
        let path = target.join(&file.name);
        let failed = |error| CommandError::file("write", &path, &error);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        fs::write(&path, &file.data).map_err(failed)?;
    }
    Ok(())
}
