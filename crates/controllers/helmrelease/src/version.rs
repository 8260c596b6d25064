//! The chart's version with the digest of its artifact in it (flux-controllers.md §4.2 step 8): a tag that moved is
//! another version, so that it is noticed and Helm's history shows it.

use weir_semver::Version;

/// How many digits of the digest go into the version.
const DIGITS: usize = 12;

/// A chart and an artifact that don't go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MutateError {
    #[error("invalid chart version {0}")]
    Version(String),
    #[error("artifact revision {revision} does not match chart version {version}")]
    Mismatch { revision: String, version: String },
    #[error("invalid artifact revision {0}")]
    Revision(String),
}

/// A version, and the digest that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mutated {
    pub(crate) version: String,
    /// In full, `sha256:<hex>`.
    pub(crate) digest: String,
}

/// Puts the digest of a source's revision, `<tag>@<digest>` or `<digest>`, into a chart's version.
pub(crate) fn mutate(version: &str, revision: &str) -> Result<Mutated, MutateError> {
    let own = Version::parse(version).map_err(|_| MutateError::Version(version.to_owned()))?;
    let (tag, digest) = match revision.split_once('@') {
        Some((tag, digest)) => (Some(tag), digest),
        None => (None, revision),
    };
    // Tags cannot hold `+`; Helm writes `_` there.
    let tagged = tag.and_then(|tag| Version::parse(&tag.replace('_', "+")).ok());
    if let (Some(tag), Some(tagged)) = (tag, tagged)
        && tagged != own
    {
        return Err(MutateError::Mismatch {
            revision: tag.to_owned(),
            version: version.to_owned(),
        });
    }
    let invalid = || MutateError::Revision(revision.to_owned());
    let (_, hex) = digest.split_once(':').ok_or_else(invalid)?;
    let start = hex.get(..DIGITS).ok_or_else(invalid)?;
    let mutated = own.with_metadata(start).map_err(|_| invalid())?;
    Ok(Mutated {
        version: mutated.to_string(),
        digest: digest.to_owned(),
    })
}

/// The digest in a revision, `<name>@<digest>` or `<digest>`, where there is one.
pub(crate) fn digest_of(revision: &str) -> Option<&str> {
    let digest = revision.rsplit_once('@').map_or(revision, |(_, digest)| digest);
    let (algorithm, hex) = digest.split_once(':')?;
    let is_digest =
        !algorithm.is_empty() && hex.len() >= DIGITS && hex.bytes().all(|b| b.is_ascii_hexdigit());
    is_digest.then_some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_becomes_build_metadata() {
        let digest = format!("sha256:{}", "abcdef0123456789".repeat(4));
        for (version, tag, wanted) in [
            ("1.20.2", "1.20.2@", Ok("1.20.2+abcdef012345")),
            ("v1.20.2", "1.20.2@", Ok("1.20.2+abcdef012345")),
            ("1.20.2", "latest@", Ok("1.20.2+abcdef012345")),
            ("1.20.2", "", Ok("1.20.2+abcdef012345")),
            ("1.20.2+old", "1.20.2_old@", Ok("1.20.2+abcdef012345")),
            ("1.20.2-rc.1", "1.20.2-rc.1@", Ok("1.20.2-rc.1+abcdef012345")),
            (
                "1.20.2",
                "1.20.3@",
                Err("artifact revision 1.20.3 does not match chart version 1.20.2"),
            ),
            ("x", "latest@", Err("invalid chart version x")),
        ] {
            let revision = format!("{tag}{digest}");
            let found = mutate(version, &revision);
            match wanted {
                Ok(wanted) => {
                    let found = found.unwrap();
                    assert_eq!((found.version.as_str(), &found.digest), (wanted, &digest));
                }
                Err(wanted) => assert_eq!(found.unwrap_err().to_string(), wanted),
            }
        }
        for revision in ["latest", "latest@sha256", "sha256:abc", ""] {
            assert!(mutate("1.0.0", revision).is_err(), "{revision}");
        }
    }
}
