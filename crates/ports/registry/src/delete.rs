//! Removing manifests and tags. Blobs are left to the registry's own collection.

use http::Method;
use weir_oci::{Digest, Repository, Tag};

use crate::auth::{Access, Scopes};
use crate::error::{Operation, Target};
use crate::transport::Call;
use crate::{Client, Result};

impl Client {
    /// Removes a manifest, and with it every tag that points to it.
    ///
    /// # Errors
    /// When it is not there, the registry does not allow deletion (status 405), or access or the connection
    /// fails.
    pub async fn delete_manifest(&self, repository: &Repository, digest: &Digest) -> Result<()> {
        let target = Target::digest(Operation::Delete, repository, digest);
        self.delete(&target, repository, &digest.to_string()).await
    }

    /// Removes a tag and leaves what it points to.
    ///
    /// # Errors
    /// As for [`Client::delete_manifest`].
    pub async fn delete_tag(&self, repository: &Repository, tag: &Tag) -> Result<()> {
        let target = Target::reference(Operation::Delete, &repository.at_tag(tag.clone()));
        self.delete(&target, repository, tag.as_str()).await
    }

    async fn delete(&self, target: &Target, repository: &Repository, selector: &str) -> Result<()> {
        let endpoint = self.endpoint(target, repository).await?;
        let url = endpoint.url(&format!("manifests/{selector}"), &[]);
        let scopes = Scopes::one(&endpoint.wire, Access::Delete);
        let answer = self
            .send(&Call::get(target, &endpoint, url, scopes, self).method(Method::DELETE))
            .await?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(self.refusal(target, answer).await)
        }
    }
}
