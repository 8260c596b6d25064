//! Charts, and a web server that publishes them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use tokio::task::JoinHandle;
use weir_charts::{Tgz, pack};
use weir_helm::{Chart, File};
use weir_oci::Digest;

use crate::Ground;

/// The chart's template: a ConfigMap with the chart's version, so that it shows which one was released.
const SETTINGS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-settings\ndata:\n  colour: {{ .Values.colour | quote }}\n  version: {{ .Chart.Version | quote }}\n";

type Pages = Arc<Mutex<BTreeMap<String, Bytes>>>;

/// The chart `web` with a template and two values files, packed.
pub fn web(version: &str) -> Result<Bytes> {
    let definition = format!("apiVersion: v2\nname: web\nversion: {version}\n");
    let files = [
        ("Chart.yaml", definition.as_str()),
        ("values.yaml", "colour: blue\nsize: {width: 1, height: 2}\n"),
        ("values-red.yaml", "colour: red\nsize: {height: 3}\n"),
        ("templates/settings.yaml", SETTINGS),
    ];
    let files = files.map(|(name, content)| File::new(name, content.to_owned()));
    let chart = Chart::from_folder(files.into(), &Tgz)?;
    Ok(pack(&chart, jiff::Timestamp::UNIX_EPOCH)?)
}

/// A web server with a repository of charts.
#[derive(Debug)]
pub struct ChartServer {
    pages: Pages,
    serving: JoinHandle<()>,
    /// `http://127.0.0.1:…`
    pub url: String,
}

impl Drop for ChartServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl ChartServer {
    /// An empty server.
    pub async fn start() -> Result<Self> {
        let pages = Pages::default();
        let app = Router::new().fallback(answer).with_state(pages.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::warn!(%error, "the chart server has stopped");
            }
        });
        Ok(Self { pages, serving, url })
    }

    /// Puts bytes under a path.
    pub fn put(&self, path: &str, content: impl Into<Bytes>) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.insert(path.to_owned(), content.into());
    }

    /// Takes a path away.
    pub fn remove(&self, path: &str) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.remove(path);
    }

    /// Publishes versions of the chart `web` with an index, and gives the digest of the index.
    pub fn publish(&self, versions: &[&str]) -> Result<Digest> {
        let mut index = String::from("apiVersion: v1\nentries:\n  web:\n");
        for version in versions {
            let archive = web(version)?;
            let digest = Digest::of(&archive).hex();
            writeln!(
                index,
                "  - {{apiVersion: v2, name: web, version: {version}, digest: {digest}, urls: [web-{version}.tgz]}}"
            )?;
            self.put(&format!("/web-{version}.tgz"), archive);
        }
        self.put("/index.yaml", index.clone());
        Ok(Digest::of(index.as_bytes()))
    }
}

async fn answer(State(pages): State<Pages>, request: Request) -> Response {
    let pages = pages.lock().unwrap_or_else(PoisonError::into_inner);
    match pages.get(request.uri().path()) {
        Some(content) => content.clone().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Ground {
    /// Pushes the chart `web` into the repository `<below>/web` of the ground's registry.
    pub async fn push_web(&self, below: &str, version: &str) -> Result<Digest> {
        self.push_chart(&format!("{below}/web"), web(version)?).await
    }

    /// Pushes a packed chart into a repository of the ground's registry, under the tag of its version.
    pub async fn push_chart(&self, repository: &str, archive: Bytes) -> Result<Digest> {
        let chart = Chart::from_archive(&archive, &Tgz)?;
        let repository = self.repository(repository)?;
        let created = "2026-01-01T00:00:00Z";
        let pushed = weir_charts::push(
            &self.registry,
            &repository,
            &chart.metadata,
            archive,
            None,
            created,
        )
        .await?;
        Ok(pushed.digest)
    }
}
