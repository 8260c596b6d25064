//! Step two: from a reference to a digest. The only place where a tag is looked at (security case N22).

use weir_apis::reason;
use weir_oci::choice::{Choice, Spelling, highest};
use weir_oci::{Digest, Tag};
use weir_runtime::Failure;
use weir_runtime::verdict::chain;

use crate::gather::Gathered;
use crate::status::Failed;

/// What the reference means now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) digest: Digest,
    /// `<tag>@<digest>`, or the digest alone where the spec named one.
    pub(crate) revision: String,
    /// The tag that named it.
    pub(crate) tag: Option<Tag>,
}

/// Asks the registry once.
pub(crate) async fn resolve(gathered: &Gathered) -> Result<Resolved, Failed> {
    let tag = match &gathered.choice {
        Choice::Digest(digest) => {
            return Ok(Resolved {
                digest: *digest,
                revision: digest.to_string(),
                tag: None,
            });
        }
        Choice::Tag(tag) => tag.clone(),
        Choice::Semver(range) => newest(gathered, range).await?,
    };
    let reference = gathered.repository.at_tag(tag.clone());
    let found = gathered
        .registry
        .resolve(&reference)
        .await
        .map_err(|e| failed(&e))?;
    Ok(Resolved {
        digest: found.digest,
        revision: format!("{tag}@{}", found.digest),
        tag: Some(tag),
    })
}

async fn newest(gathered: &Gathered, range: &weir_semver::Constraint) -> Result<Tag, Failed> {
    let tags = gathered
        .registry
        .tags(&gathered.repository)
        .await
        .map_err(|e| failed(&e))?;
    let spelling = Spelling::of_layer(gathered.layer.media_type.as_deref());
    let passes = |tag: &str| gathered.filter.as_ref().is_none_or(|f| f.is_match(tag));
    highest(tags.iter().map(String::as_str), range, passes, spelling).ok_or_else(|| {
        let message = format!(
            "no match found for semver: {range}; {} has {} tags, none of them a version in that range",
            gathered.repository,
            tags.len()
        );
        Failed::fetch(Failure::retry(reason::OCI_ARTIFACT_PULL_FAILED, message))
    })
}

/// A registry's refusal, with the hint that its error carries.
pub(crate) fn failed(error: &weir_registry::Error) -> Failed {
    let reason = if error.is_access() {
        reason::AUTHENTICATION_FAILED
    } else {
        reason::OCI_ARTIFACT_PULL_FAILED
    };
    let hint = error.hint().map(|h| format!(" ({h})")).unwrap_or_default();
    Failed::fetch(Failure::retry(reason, format!("{}{hint}", chain(error))))
}
