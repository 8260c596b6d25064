//! Manifests by tag and digest.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Method, StatusCode};
use weir_oci::{Digest, Manifest};

use super::{SMALL_BODY, empty, is_selector, not_allowed, problem};
use crate::Registry;
use crate::state::{State, Stored};

impl Registry {
    pub(super) async fn manifest_verb(
        &self,
        parts: &Parts,
        body: Body,
        name: &str,
        selector: &str,
    ) -> Response {
        if !is_selector(selector) {
            return problem(
                StatusCode::BAD_REQUEST,
                "MANIFEST_INVALID",
                "neither tag nor digest",
            );
        }
        match parts.method {
            Method::GET | Method::HEAD => self.send_manifest(parts.method == Method::HEAD, name, selector),
            Method::DELETE if self.options().deletion => self.delete_manifest(name, selector),
            Method::PUT => match axum::body::to_bytes(body, SMALL_BODY).await {
                Ok(raw) => self.receive_manifest(parts, raw, name, selector),
                Err(_) => problem(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "SIZE_INVALID",
                    "manifest too large or broken off",
                ),
            },
            _ => not_allowed(),
        }
    }

    fn send_manifest(&self, head: bool, name: &str, selector: &str) -> Response {
        let Some((digest, stored)) = self.state().manifest(name, selector) else {
            return problem(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "manifest unknown");
        };
        let mut response = empty(
            StatusCode::OK,
            &[
                ("content-type", stored.media_type),
                ("content-length", stored.raw.len().to_string()),
                ("docker-content-digest", digest.to_string()),
            ],
        );
        if !head {
            *response.body_mut() = Body::from(stored.raw);
        }
        response
    }

    fn receive_manifest(&self, parts: &Parts, raw: Bytes, name: &str, selector: &str) -> Response {
        let media_type = parts
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let manifest = match Manifest::parse(&media_type, &raw) {
            Ok(manifest) => manifest,
            Err(err) => return problem(StatusCode::BAD_REQUEST, "MANIFEST_INVALID", &err.to_string()),
        };
        let digest = Digest::of(&raw);
        let mut state = self.state();
        if !self.options().incomplete_manifests
            && let Some(missing) = missing(&state, name, &manifest)
        {
            let message = format!("{missing} is not in the repository");
            return problem(StatusCode::NOT_FOUND, "MANIFEST_BLOB_UNKNOWN", &message);
        }
        match selector.parse::<Digest>() {
            Ok(named) if named != digest => {
                return problem(
                    StatusCode::BAD_REQUEST,
                    "DIGEST_INVALID",
                    "the content has another digest",
                );
            }
            Ok(_) => {}
            Err(_) => {
                let tags = &mut state.repository(name).tags;
                let moved = tags.get(selector).is_some_and(|now| *now != digest);
                if moved && self.options().immutable_tags {
                    return problem(StatusCode::CONFLICT, "TAG_INVALID", "the tag is immutable");
                }
                tags.insert(selector.to_owned(), digest);
            }
        }
        state
            .repository(name)
            .manifests
            .insert(digest, Stored { raw, media_type });
        let mut headers = vec![
            ("location", format!("/v2/{name}/manifests/{digest}")),
            ("docker-content-digest", digest.to_string()),
            ("content-length", "0".to_owned()),
        ];
        if let Some(subject) = manifest.subject().filter(|_| self.options().referrers_api) {
            headers.push(("oci-subject", subject.digest.to_string()));
        }
        empty(StatusCode::CREATED, &headers)
    }

    fn delete_manifest(&self, name: &str, selector: &str) -> Response {
        let mut state = self.state();
        let unknown = || problem(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "manifest unknown");
        let Some(repository) = state.repositories.get_mut(name) else {
            return unknown();
        };
        let gone = match selector.parse::<Digest>() {
            Ok(digest) => {
                repository.tags.retain(|_, target| *target != digest);
                repository.manifests.remove(&digest).is_some()
            }
            Err(_) => repository.tags.remove(selector).is_some(),
        };
        if gone {
            empty(StatusCode::ACCEPTED, &[])
        } else {
            unknown()
        }
    }
}

/// The first content that a manifest names and the repository does not have. A subject may be missing.
fn missing(state: &State, name: &str, manifest: &Manifest) -> Option<Digest> {
    let repository = state.repositories.get(name);
    match manifest {
        Manifest::Image(image) => std::iter::once(&image.config)
            .chain(&image.layers)
            // Layers with addresses of their own are not stored in registries.
            .filter(|entry| entry.urls.is_empty())
            .map(|entry| entry.digest)
            .find(|digest| !repository.is_some_and(|held| held.blobs.contains(digest))),
        Manifest::Index(index) => index
            .manifests
            .iter()
            .map(|entry| entry.digest)
            .find(|digest| !repository.is_some_and(|held| held.manifests.contains_key(digest))),
    }
}
