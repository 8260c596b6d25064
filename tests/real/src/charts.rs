//! Charts, and a web server that publishes them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use http::header::AUTHORIZATION;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use weir_charts::{Tgz, pack};
use weir_helm::{Chart, File};
use weir_oci::Digest;

use crate::Ground;
use crate::tls::Authority;

/// The chart's template: a ConfigMap with the chart's version, so that it shows which one was released.
const SETTINGS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-settings\ndata:\n  colour: {{ .Values.colour | quote }}\n  version: {{ .Chart.Version | quote }}\n";

/// What a server has, and what it has seen.
#[derive(Debug, Default)]
struct Site {
    pages: BTreeMap<String, Bytes>,
    /// The `Authorization` that it asks for.
    login: Option<String>,
    /// Those that it was shown.
    shown: Vec<String>,
}

type Shared = Arc<Mutex<Site>>;

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
    site: Shared,
    serving: JoinHandle<()>,
    /// `http://127.0.0.1:…`, or `https://`.
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
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        Ok(Self::serve(listener, url))
    }

    /// An empty server behind TLS, with a certificate of this authority.
    pub async fn start_behind(authority: &Authority) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("https://{}", listener.local_addr()?);
        Ok(Self::serve(authority.behind(listener)?, url))
    }

    fn serve<L: Listener<Addr = SocketAddr>>(listener: L, url: String) -> Self {
        let site = Shared::default();
        let app = Router::new().fallback(answer).with_state(site.clone());
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::warn!(%error, "the chart server has stopped");
            }
        });
        Self { site, serving, url }
    }

    fn site(&self) -> MutexGuard<'_, Site> {
        self.site.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts bytes under a path.
    pub fn put(&self, path: &str, content: impl Into<Bytes>) {
        self.site().pages.insert(path.to_owned(), content.into());
    }

    /// Takes a path away.
    pub fn remove(&self, path: &str) {
        self.site().pages.remove(path);
    }

    /// Asks for this user name and password from now on.
    pub fn ask_for(&self, (user, password): (&str, &str)) {
        let login = STANDARD.encode(format!("{user}:{password}"));
        self.site().login = Some(format!("Basic {login}"));
    }

    /// The credentials that it was shown.
    pub fn logins(&self) -> Vec<String> {
        self.site().shown.clone()
    }

    /// Publishes versions of the chart `web` with an index, and gives the digest of the index.
    pub fn publish(&self, versions: &[&str]) -> Result<Digest> {
        for version in versions {
            self.put(&format!("/web-{version}.tgz"), web(version)?);
        }
        self.publish_index(versions, "")
    }

    /// Publishes an index of versions of the chart `web` that are below another address, and gives its digest.
    pub fn publish_index(&self, versions: &[&str], at: &str) -> Result<Digest> {
        let mut index = String::from("apiVersion: v1\nentries:\n  web:\n");
        let before = if at.is_empty() {
            String::new()
        } else {
            format!("{at}/")
        };
        for version in versions {
            let digest = Digest::of(&web(version)?).hex();
            writeln!(
                index,
                "  - {{apiVersion: v2, name: web, version: {version}, digest: {digest}, urls: [\"{before}web-{version}.tgz\"]}}"
            )?;
        }
        self.put("/index.yaml", index.clone());
        Ok(Digest::of(index.as_bytes()))
    }
}

async fn answer(State(site): State<Shared>, request: Request) -> Response {
    let mut site = site.lock().unwrap_or_else(PoisonError::into_inner);
    let shown = request.headers().get(AUTHORIZATION);
    let shown = shown.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let is_welcome = site.login.is_none() || shown == site.login;
    site.shown.extend(shown);
    if !is_welcome {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match site.pages.get(request.uri().path()) {
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
