//! Where a source is, for policies that ask that it goes forward only (security case N26): remembered in the status of its artifact.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use weir_apis::artifact::Artifact;
use weir_apis::key;
use weir_oci::choice::Spelling;
use weir_oci::{Digest, Repository, Tag};
use weir_semver::Version;
use weir_verify::{Follows, Offer, Standing};

/// What a registry offers, and where the source is.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    /// Nothing before its first artifact.
    pub(crate) stands: Option<Standing>,
    pub(crate) offer: Offer,
}

/// What a source follows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Followed {
    Tag,
    Versions(Spelling),
}

impl Course {
    /// The course of a source that is offered `tag`.
    pub(crate) fn new(
        stands: Option<Standing>,
        repository: &Repository,
        (tag, digest): (&Tag, Digest),
        followed: Followed,
    ) -> Self {
        let (stands, follows) = match followed {
            Followed::Tag => (stands, Follows::Tag),
            Followed::Versions(spelling) => {
                let version = |tag: &Tag| Version::parse(&spelling.version(tag.as_str())).ok();
                let known = stands.as_ref().and_then(|one| version(&one.tag));
                match (version(tag), known) {
                    (Some(offered), Some(known)) => (stands, Follows::Versions(offered.cmp(&known))),
                    // A tag that was no version, before versions were followed.
                    _ => (None, Follows::Versions(Ordering::Greater)),
                }
            }
        };
        let offer = Offer {
            repository: repository.clone(),
            tag: tag.clone(),
            digest,
            follows,
        };
        Self { stands, offer }
    }
}

/// Where a source is by what its status remembers.
pub(crate) fn remembered(artifact: Option<&Artifact>) -> Option<Standing> {
    let text = artifact?.metadata.get(key::STANDING)?;
    Standing::from_json(&serde_json::from_str(text).ok()?)
}

/// Where a source is whose policies did not ask before: at what it has stored.
pub(crate) fn stored(artifact: Option<&Artifact>, repository: &Repository) -> Option<Standing> {
    let (tag, digest) = artifact?.revision.split_once('@')?;
    Some(Standing {
        repository: repository.clone(),
        tag: tag.parse().ok()?,
        digest: Some(digest.parse().ok()?),
        promotion: None,
    })
}

/// Writes down where a source is. What a manifest's annotations say under these names is not taken: they are anybody's.
pub(crate) fn note(metadata: &mut BTreeMap<String, String>, standing: Option<&Standing>) {
    for name in [key::STANDING, key::SEQUENCE] {
        metadata.remove(name);
    }
    let Some(standing) = standing else { return };
    metadata.insert(key::STANDING.to_owned(), standing.to_json().to_string());
    if let Some(record) = &standing.promotion {
        metadata.insert(key::SEQUENCE.to_owned(), record.sequence.to_string());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn repository() -> Repository {
        "registry.example/app".parse().unwrap()
    }

    fn artifact(revision: &str) -> Artifact {
        serde_json::from_value(
            json!({"lastUpdateTime": "2026-01-01T00:00:00Z", "path": "p", "url": "u", "revision": revision}),
        )
        .unwrap()
    }

    fn order(known: &str, offered: &str) -> (bool, Follows) {
        let digest = Digest::of(b"a");
        let stands = stored(Some(&artifact(&format!("{known}@{digest}"))), &repository());
        assert!(stands.is_some());
        let tag = offered.parse().unwrap();
        let course = Course::new(
            stands,
            &repository(),
            (&tag, digest),
            Followed::Versions(Spelling::Helm),
        );
        (course.stands.is_some(), course.offer.follows)
    }

    #[test]
    fn versions_compare_as_versions() {
        assert_eq!(
            order("1.9.0", "1.10.0"),
            (true, Follows::Versions(Ordering::Greater))
        );
        assert_eq!(
            order("1.9.0", "v1.9.0"),
            (true, Follows::Versions(Ordering::Equal))
        );
        assert_eq!(
            order("1.9.0_b", "1.9.0_c"),
            (true, Follows::Versions(Ordering::Equal))
        );
        assert_eq!(
            order("1.9.0", "1.9.0-rc.1"),
            (true, Follows::Versions(Ordering::Less))
        );
        assert_eq!(
            order("latest", "1.0.0"),
            (false, Follows::Versions(Ordering::Greater))
        );
    }

    #[test]
    fn n26_what_is_remembered_is_read_again_and_annotations_do_not_count() {
        let standing = stored(
            Some(&artifact(&format!("stable@{}", Digest::of(b"a")))),
            &repository(),
        )
        .unwrap();
        let mut one = artifact("stable");
        one.metadata = BTreeMap::from([
            (key::STANDING.to_owned(), "forged".to_owned()),
            (key::SEQUENCE.to_owned(), "99".to_owned()),
            ("team".to_owned(), "a".to_owned()),
        ]);
        note(&mut one.metadata, Some(&standing));
        assert_eq!(remembered(Some(&one)), Some(standing));
        assert!(!one.metadata.contains_key(key::SEQUENCE));
        note(&mut one.metadata, None);
        assert_eq!(
            one.metadata,
            BTreeMap::from([("team".to_owned(), "a".to_owned())])
        );
        assert_eq!(remembered(Some(&one)), None);
        // An artifact that was asked for by its digest was named by no tag.
        assert_eq!(
            stored(Some(&artifact(&Digest::of(b"a").to_string())), &repository()),
            None
        );
    }
}
