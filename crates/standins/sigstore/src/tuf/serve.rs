//! A repository's mirror on a port of this machine.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::{File, TufRepository};
use crate::loopback::{Port, Served};

/// How much of what never ends is sent at a time, in bytes.
const PIECE: usize = 64 << 10;

/// A mirror that listens on loopback until it is dropped.
#[derive(Debug)]
pub struct TufServer {
    repository: TufRepository,
    served: Served,
}

impl TufRepository {
    /// The mirror, to be served by the caller.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/{*path}", axum::routing::get(answer))
            .with_state(self.clone())
    }
}

impl TufServer {
    /// Serves a repository.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(repository: TufRepository) -> std::io::Result<Self> {
        let served = Port::bind().await?.serve(repository.router());
        Ok(Self { repository, served })
    }

    /// The repository.
    pub const fn repository(&self) -> &TufRepository {
        &self.repository
    }

    /// Where it is, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.served.address)
    }
}

async fn answer(State(repository): State<TufRepository>, Path(path): Path<String>) -> Response {
    let file = repository.state().files.get(&path).cloned();
    match file {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(File::Content(content)) => content.into_response(),
        Some(File::Endless) => {
            let pieces =
                futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; PIECE])));
            Body::from_stream(pieces).into_response()
        }
    }
}
