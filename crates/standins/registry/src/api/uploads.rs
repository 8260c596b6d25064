//! Blobs on their way in.

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use http::header::CONTENT_RANGE;
use http::request::Parts;
use http::{Method, StatusCode};
use weir_oci::Digest;

use super::{digest, empty, not_allowed, problem, query};
use crate::Registry;
use crate::access::{Want, random};
use crate::state::Upload;

impl Registry {
    /// POST: takes a blob over, takes one in whole, or opens an upload.
    pub(super) async fn start_upload(&self, parts: &Parts, body: Body, name: &str) -> Response {
        if parts.method != Method::POST {
            return not_allowed();
        }
        if let Some(text) = query(parts, "mount") {
            let digest = match digest(&text) {
                Ok(digest) => digest,
                Err(refusal) => return refusal,
            };
            if let Some(response) = self.mount(parts, name, &digest) {
                return response;
            }
        } else if let Some(text) = query(parts, "digest") {
            let id = self.open(name);
            return match self.append(&id, body).await {
                Ok(()) => self.close(name, &id, &text),
                Err(refusal) => refusal,
            };
        }
        let id = self.open(name);
        session(StatusCode::ACCEPTED, name, &id, 0)
    }

    /// Answers when the blob could be taken over; the caller opens an upload otherwise.
    fn mount(&self, parts: &Parts, name: &str, digest: &Digest) -> Option<Response> {
        let from = query(parts, "from")?;
        let want = Want {
            repository: &from,
            action: "pull",
        };
        if self.check(parts, &[want]).is_some() {
            return None;
        }
        let mut state = self.state();
        let content = state.blob(&from, digest)?;
        state.keep_blob(name, *digest, content);
        Some(created(name, digest))
    }

    pub(super) async fn upload_verb(&self, parts: &Parts, body: Body, name: &str, id: &str) -> Response {
        let Some(held) = self.length(name, id) else {
            return problem(
                StatusCode::NOT_FOUND,
                "BLOB_UPLOAD_UNKNOWN",
                "upload unknown to registry",
            );
        };
        match parts.method {
            Method::GET => session(StatusCode::NO_CONTENT, name, id, held),
            Method::DELETE => {
                self.state().uploads.remove(id);
                empty(StatusCode::NO_CONTENT, &[])
            }
            Method::PATCH => {
                if out_of_order(parts, held) {
                    return session(StatusCode::RANGE_NOT_SATISFIABLE, name, id, held);
                }
                match self.append(id, body).await {
                    Ok(()) => session(StatusCode::ACCEPTED, name, id, self.length(name, id).unwrap_or(0)),
                    Err(refusal) => refusal,
                }
            }
            Method::PUT => {
                if out_of_order(parts, held) {
                    return session(StatusCode::RANGE_NOT_SATISFIABLE, name, id, held);
                }
                let Some(text) = query(parts, "digest") else {
                    return problem(StatusCode::BAD_REQUEST, "DIGEST_INVALID", "no digest");
                };
                match self.append(id, body).await {
                    Ok(()) => self.close(name, id, &text),
                    Err(refusal) => refusal,
                }
            }
            _ => not_allowed(),
        }
    }

    fn open(&self, name: &str) -> String {
        let id = random();
        let upload = Upload {
            repository: name.to_owned(),
            content: BytesMut::new(),
        };
        self.state().uploads.insert(id.clone(), upload);
        id
    }

    fn length(&self, name: &str, id: &str) -> Option<usize> {
        let state = self.state();
        let upload = state.uploads.get(id).filter(|upload| upload.repository == name)?;
        Some(upload.content.len())
    }

    /// Adds what comes. What came before a broken connection stays, so that a client can go on from there.
    async fn append(&self, id: &str, body: Body) -> Result<(), Response> {
        let mut stream = body.into_data_stream();
        while let Some(chunk) = stream.next().await {
            let Ok(chunk) = chunk else {
                return Err(problem(
                    StatusCode::BAD_REQUEST,
                    "BLOB_UPLOAD_INVALID",
                    "the body broke off",
                ));
            };
            let mut state = self.state();
            let Some(upload) = state.uploads.get_mut(id) else {
                return Err(problem(
                    StatusCode::NOT_FOUND,
                    "BLOB_UPLOAD_UNKNOWN",
                    "upload unknown to registry",
                ));
            };
            if upload.content.len().saturating_add(chunk.len()) > self.options().blob_limit {
                return Err(problem(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "SIZE_INVALID",
                    "blob too large",
                ));
            }
            upload.content.extend_from_slice(&chunk);
        }
        Ok(())
    }

    fn close(&self, name: &str, id: &str, text: &str) -> Response {
        let digest = match digest(text) {
            Ok(digest) => digest,
            Err(refusal) => return refusal,
        };
        let mut state = self.state();
        let Some(upload) = state.uploads.remove(id) else {
            return problem(
                StatusCode::NOT_FOUND,
                "BLOB_UPLOAD_UNKNOWN",
                "upload unknown to registry",
            );
        };
        let content: Bytes = upload.content.freeze();
        if Digest::of(&content) != digest {
            return problem(
                StatusCode::BAD_REQUEST,
                "DIGEST_INVALID",
                "the content has another digest",
            );
        }
        state.keep_blob(name, digest, content);
        created(name, &digest)
    }
}

/// Whether a chunk says that it belongs elsewhere than at the end of what is there.
fn out_of_order(parts: &Parts, held: usize) -> bool {
    let Some(range) = parts.headers.get(CONTENT_RANGE) else {
        return false;
    };
    let start = range
        .to_str()
        .ok()
        .and_then(|range| range.split_once('-')?.0.parse::<usize>().ok());
    start != Some(held)
}

fn session(status: StatusCode, name: &str, id: &str, held: usize) -> Response {
    empty(
        status,
        &[
            ("location", format!("/v2/{name}/blobs/uploads/{id}")),
            ("range", format!("0-{}", held.saturating_sub(1))),
            ("docker-upload-uuid", id.to_owned()),
            ("content-length", "0".to_owned()),
        ],
    )
}

fn created(name: &str, digest: &Digest) -> Response {
    empty(
        StatusCode::CREATED,
        &[
            ("location", format!("/v2/{name}/blobs/{digest}")),
            ("docker-content-digest", digest.to_string()),
            ("content-length", "0".to_owned()),
        ],
    )
}
