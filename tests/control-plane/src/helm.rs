//! A real helm on a control plane, with a home of its own.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::tools;

/// helm for one namespace of one cluster.
#[derive(Debug)]
pub struct Helm {
    program: PathBuf,
    kubeconfig: PathBuf,
    namespace: String,
    home: tempfile::TempDir,
}

/// What `helm history` says of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Its number.
    pub number: i64,
    /// `deployed`, `superseded`, …
    pub status: String,
    /// Name and version, joined by `-`.
    pub chart: String,
    /// What was done, in a sentence.
    pub description: String,
}

impl Revision {
    /// The revision that is said to be so.
    pub fn new(number: i64, status: &str, chart: &str, description: &str) -> Self {
        Self {
            number,
            status: status.to_owned(),
            chart: chart.to_owned(),
            description: description.to_owned(),
        }
    }
}

impl Helm {
    /// The reference program of this name, for the cluster of a kubeconfig.
    pub fn new(program: &str, kubeconfig: PathBuf, namespace: &str) -> Result<Self> {
        let found = tools::find(program);
        Ok(Self {
            program: found.with_context(|| format!("{program} is not built: `cargo xtask tools`"))?,
            kubeconfig,
            namespace: namespace.to_owned(),
            home: tempfile::tempdir()?,
        })
    }

    /// Runs a command and gives what it prints.
    pub async fn run(&self, arguments: &[&str]) -> Result<String> {
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
    pub async fn json(&self, arguments: &[&str]) -> Result<Value> {
        let mut all = arguments.to_vec();
        all.extend(["--output", "json"]);
        Ok(serde_json::from_str(&self.run(&all).await?)?)
    }

    /// The revisions of a release, the oldest first.
    pub async fn history(&self, release: &str) -> Result<Vec<Revision>> {
        let found = self.json(&["history", release]).await?;
        let entries = found.as_array().into_iter().flatten();
        let revision = |entry: &Value| {
            let text = |field: &str| entry[field].as_str().unwrap_or_default();
            let number = entry["revision"].as_i64().unwrap_or_default();
            Revision::new(number, text("status"), text("chart"), text("description"))
        };
        Ok(entries.map(revision).collect())
    }

    /// Writes a chart's files below a folder of this name, for helm to read, and gives the folder's path.
    pub fn unpack<'f>(
        &self,
        folder: &str,
        files: impl IntoIterator<Item = (&'f str, &'f [u8])>,
    ) -> Result<String> {
        let folder = self.home.path().join(folder);
        for (name, data) in files {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().context("a folder")?)?;
            std::fs::write(&path, data)?;
        }
        Ok(folder.display().to_string())
    }
}
