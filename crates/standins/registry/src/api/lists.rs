//! Tags and referrers, in pages.

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use weir_oci::{Descriptor, Digest, ImageIndex, Manifest, media_type};

use super::{digest, empty, not_allowed, problem, query};
use crate::Registry;
use crate::state::{Repository, Stored};

impl Registry {
    pub(super) fn list_tags(&self, parts: &Parts, name: &str) -> Response {
        if parts.method != Method::GET {
            return not_allowed();
        }
        let state = self.state();
        let Some(repository) = state.repositories.get(name) else {
            return problem(
                StatusCode::NOT_FOUND,
                "NAME_UNKNOWN",
                "repository unknown to registry",
            );
        };
        let limit = page_size(parts, self.options().page_size);
        let last = query(parts, "last").unwrap_or_default();
        let mut tags: Vec<&String> = repository
            .tags
            .keys()
            .filter(|tag| **tag > last)
            .take(limit + 1)
            .collect();
        let more = tags.len() > limit;
        tags.truncate(limit);
        let next = tags
            .last()
            .filter(|_| more)
            .map(|last| format!("/v2/{name}/tags/list?n={limit}&last={last}"));
        let body = serde_json::json!({"name": name, "tags": tags}).to_string();
        page("application/json", body, next)
    }

    pub(super) fn list_referrers(&self, parts: &Parts, name: &str, text: &str) -> Response {
        if !self.options().referrers_api {
            return problem(StatusCode::NOT_FOUND, "UNSUPPORTED", "no referrers here");
        }
        if parts.method != Method::GET {
            return not_allowed();
        }
        let subject = match digest(text) {
            Ok(digest) => digest,
            Err(refusal) => return refusal,
        };
        let wanted = query(parts, "artifactType");
        let last: Option<Digest> = query(parts, "last").and_then(|last| last.parse().ok());
        let limit = page_size(parts, self.options().page_size);
        let state = self.state();
        let mut found: Vec<Descriptor> = state
            .repositories
            .get(name)
            .map(|repository| referrers(repository, &subject))
            .unwrap_or_default()
            .into_iter()
            .filter(|entry| wanted.is_none() || entry.artifact_type == wanted)
            .filter(|entry| last.is_none_or(|last| entry.digest > last))
            .collect();
        let more = found.len() > limit;
        found.truncate(limit);
        let mut next = found
            .last()
            .filter(|_| more)
            .map(|last| format!("/v2/{name}/referrers/{subject}?n={limit}&last={}", last.digest));
        if let (Some(next), Some(wanted)) = (&mut next, &wanted) {
            let encoded: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
            next.push_str("&artifactType=");
            next.push_str(&encoded);
        }
        let body = serde_json::to_string(&ImageIndex::new(found)).unwrap_or_default();
        let mut response = page(media_type::OCI_INDEX, body, next);
        if wanted.is_some() {
            response
                .headers_mut()
                .insert("oci-filters-applied", HeaderValue::from_static("artifactType"));
        }
        response
    }
}

/// In the order of their digests, so that pages do not shift.
fn referrers(repository: &Repository, subject: &Digest) -> Vec<Descriptor> {
    repository
        .manifests
        .iter()
        .filter_map(|(digest, stored)| referrer(*digest, stored, subject))
        .collect()
}

fn referrer(digest: Digest, stored: &Stored, subject: &Digest) -> Option<Descriptor> {
    let manifest = Manifest::parse(&stored.media_type, &stored.raw).ok()?;
    if manifest.subject()?.digest != *subject {
        return None;
    }
    let mut entry = Descriptor::new(stored.media_type.clone(), digest, stored.raw.len() as u64);
    entry.artifact_type = match &manifest {
        Manifest::Image(image) => Some(image.effective_artifact_type().to_owned()),
        Manifest::Index(index) => index.artifact_type.clone(),
    };
    entry.annotations.clone_from(manifest.annotations());
    Some(entry)
}

fn page_size(parts: &Parts, most: usize) -> usize {
    query(parts, "n")
        .and_then(|n| n.parse().ok())
        .unwrap_or(most)
        .clamp(1, most.max(1))
}

fn page(kind: &str, body: String, next: Option<String>) -> Response {
    let mut headers = vec![("content-type", kind.to_owned())];
    headers.extend(next.map(|next| ("link", format!("<{next}>; rel=\"next\""))));
    let mut response = empty(StatusCode::OK, &headers);
    *response.body_mut() = Body::from(body);
    response
}
