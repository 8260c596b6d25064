//! The real helm, with a home of its own.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use weir_control_plane::tools;
use weir_helm::Chart;

use crate::ground::Ground;

/// helm for one namespace.
pub(super) struct Helm {
    program: PathBuf,
    kubeconfig: PathBuf,
    namespace: String,
    home: tempfile::TempDir,
}

impl Helm {
    pub(super) fn new(ground: &Ground, namespace: &str) -> Result<Self> {
        Ok(Self {
            program: tools::find("helm").context("helm is not built")?,
            kubeconfig: ground.kubeconfig().context("a real control plane")?,
            namespace: namespace.to_owned(),
            home: tempfile::tempdir()?,
        })
    }

    /// Runs a command and gives what it prints.
    pub(super) async fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("KUBECONFIG", &self.kubeconfig)
            .args(["--namespace", &self.namespace])
            .args(arguments)
            .stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        if !output.status.success() {
            bail!("helm {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The same, as JSON.
    pub(super) async fn json(&self, arguments: &[&str]) -> Result<Value> {
        let mut all = arguments.to_vec();
        all.extend(["--output", "json"]);
        Ok(serde_json::from_str(&self.run(&all).await?)?)
    }

    /// Writes a chart to disk, for helm to read.
    pub(super) fn unpack(&self, chart: &Chart) -> Result<String> {
        let folder = self.home.path().join(format!("chart-{}", chart.metadata.version));
        for file in chart.raw.iter() {
            let path = folder.join(&file.name);
            std::fs::create_dir_all(path.parent().context("a folder")?)?;
            std::fs::write(&path, &file.data)?;
        }
        Ok(folder.display().to_string())
    }
}
