//! Serving stored artifacts over HTTP, as source-controller does on its port 9090: plain files by path, for
//! consumers that check their digests themselves.

use std::path::PathBuf;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, StatusCode};

use crate::store::{Store, check_path};

/// A router (a tower service) that serves the files of `store` by their [`crate::Stored::path`]. There are no
/// listings, and nothing outside the store, hidden or under way can be had.
pub fn router(store: &Store) -> Router {
    Router::new().fallback(handle).with_state(store.root().to_owned())
}

async fn handle(State(root): State<PathBuf>, request: Request) -> Response {
    let is_head = request.method() == Method::HEAD;
    if !is_head && request.method() != Method::GET {
        let mut response = status(StatusCode::METHOD_NOT_ALLOWED);
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    // Colons may come escaped; nothing else in a stored path can.
    let path = request
        .uri()
        .path()
        .trim_start_matches('/')
        .replace("%3A", ":")
        .replace("%3a", ":");
    if check_path(&path).is_err() {
        return status(StatusCode::NOT_FOUND);
    }
    match open(root.join(&path)).await {
        Ok((file, length)) => {
            let mut response = status(StatusCode::OK);
            let headers = response.headers_mut();
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(&path)));
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            if !is_head {
                *response.body_mut() = Body::from_stream(tokio_util::io::ReaderStream::new(file));
            }
            response
        }
        // Not there, a folder, or not ours to read: the asker learns no more than that.
        Err(_) => status(StatusCode::NOT_FOUND),
    }
}

async fn open(path: PathBuf) -> std::io::Result<(tokio::fs::File, u64)> {
    let file = tokio::fs::File::open(path).await?;
    let metadata = file.metadata().await?;
    if !metadata.is_file() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    Ok((file, metadata.len()))
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("gz" | "tgz") => "application/gzip",
        Some("yaml" | "yml") => "application/yaml",
        _ => "application/octet-stream",
    }
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
