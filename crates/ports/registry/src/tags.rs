//! The list of tags.

use serde::Deserialize;
use weir_oci::Repository;

use crate::auth::{Access, Scopes};
use crate::error::{ErrorKind, Operation, Target};
use crate::transport::Call;
use crate::{Client, Result, link};

/// Tags asked for at a time. Registries may give fewer.
const PAGE: &str = "1000";

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Client {
    /// All tags of a repository, in the registry's order. It is the whole list or an error: a version chosen
    /// from a part of it could be an old one (security case N64).
    ///
    /// # Errors
    /// When the repository is unknown, access or the connection fails, or the list is longer than the limits
    /// allow (security case N25).
    pub async fn tags(&self, repository: &Repository) -> Result<Vec<String>> {
        let target = Target::repository(Operation::ListTags, repository);
        let endpoint = self.endpoint(&target, repository).await?;
        let limits = &self.options().limits;
        let mut url = endpoint.url("tags/list", &[("n", PAGE)]);
        let mut tags = Vec::new();
        for _ in 0..limits.pages {
            let scopes = Scopes::one(&endpoint.wire, Access::Pull);
            let answer = self
                .send(&Call::get(&target, &endpoint, url.clone(), scopes, self))
                .await?;
            if !answer.status().is_success() {
                return Err(self.refusal(&target, answer).await);
            }
            let next = link::next(answer.response.headers(), &answer.url);
            let body = self
                .read(&target, answer, limits.answer_bytes, "bytes of a list")
                .await?;
            let page: Page = serde_json::from_slice(&body).map_err(|err| {
                target.error(ErrorKind::Protocol(format!("a list of tags that is none: {err}")))
            })?;
            tags.extend(page.tags.unwrap_or_default());
            if tags.len() > limits.tags {
                return Err(target.error(ErrorKind::TooLarge {
                    what: "tags",
                    limit: limits.tags as u64,
                }));
            }
            match next {
                None => return Ok(tags),
                Some(next) => url = link::next_page(&target, &endpoint, &url, next)?,
            }
        }
        Err(target.error(ErrorKind::TooLarge {
            what: "pages of a list",
            limit: limits.pages as u64,
        }))
    }
}
