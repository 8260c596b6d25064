//! A repository with a tag, a digest, both or neither.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Digest, InvalidDigest, InvalidRepository, InvalidTag, Repository, Tag};

/// `repository[:tag][@digest]`, perhaps after `oci://`.
///
/// With both a tag and a digest, the digest is what is meant and the tag is a remark, as in Docker and Helm.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    repository: Repository,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

impl Reference {
    /// Puts a reference together.
    pub const fn new(repository: Repository, tag: Option<Tag>, digest: Option<Digest>) -> Self {
        Self {
            repository,
            tag,
            digest,
        }
    }

    /// The repository.
    pub const fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The tag, when one was written.
    pub const fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The digest, when one was written.
    pub const fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// What to put after `/manifests/`: the digest, else the tag, else `latest`.
    pub fn selector(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.to_string(),
            (None, None) => Tag::latest().to_string(),
        }
    }

    /// The same repository and tag, pinned to `digest`.
    #[must_use]
    pub fn pinned(&self, digest: Digest) -> Self {
        Self {
            digest: Some(digest),
            ..self.clone()
        }
    }
}

impl From<Repository> for Reference {
    fn from(repository: Repository) -> Self {
        Self::new(repository, None, None)
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        // A colon after the last slash starts the tag; one before it is a port's.
        let slash = rest.rfind('/').map_or(0, |at| at + 1);
        let (head, last) = rest.split_at_checked(slash).unwrap_or((rest, ""));
        let (repository, tag) = match last.split_once(':') {
            Some((name, tag)) => (format!("{head}{name}").parse()?, Some(tag.parse()?)),
            None => (rest.parse()?, None),
        };
        Ok(Self {
            repository,
            tag,
            digest,
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reference({self})")
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Why text is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// The repository part is wrong.
    #[error(transparent)]
    Repository(#[from] InvalidRepository),
    /// The part after the colon is wrong.
    #[error(transparent)]
    Tag(#[from] InvalidTag),
    /// The part after the `@` is wrong.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
}

#[cfg(test)]
mod tests {
    use super::*;

    const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn parse(text: &str) -> Reference {
        text.parse().unwrap()
    }

    #[test]
    fn tag_and_digest_may_come_together() {
        let reference = parse(&format!("oci://localhost:5000/a/b:v1@{D}"));
        assert_eq!(reference.repository().to_string(), "localhost:5000/a/b");
        assert_eq!(reference.tag().unwrap().as_str(), "v1");
        assert_eq!(reference.selector(), D);
        assert_eq!(reference.to_string(), format!("localhost:5000/a/b:v1@{D}"));
    }

    #[test]
    fn a_port_is_no_tag() {
        assert_eq!(parse("localhost:5000/a").tag(), None);
        assert_eq!(parse("ghcr.io/a").selector(), "latest");
        assert_eq!(
            parse("nginx:1.27").to_string(),
            "index.docker.io/library/nginx:1.27"
        );
    }

    #[test]
    fn half_references_are_refused() {
        for text in [
            "",
            ":v1",
            "ghcr.io/a:",
            "ghcr.io/a@",
            "ghcr.io/a@sha256:12",
            "ghcr.io/a:b:c",
            "@",
            "a@b@c",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }
}
