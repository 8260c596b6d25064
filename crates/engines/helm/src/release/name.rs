//! Names of releases.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;

/// Longest name, so that charts can append to it.
const MAX_NAME: usize = 53;

/// A name that no release can have, in Helm's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is none.
    #[error("no name provided")]
    Missing,
    /// It does not fit.
    #[error(
        "invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53"
    )]
    Invalid,
}

/// Checks a release's name: at most 53 characters, lower-case letters, digits, `-` and `.`, a letter or digit at both
/// ends of each part.
pub fn validate_name(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Missing);
    }
    let fits = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let valid = name.len() <= MAX_NAME
        && name.split('.').all(|part| {
            let bytes = part.as_bytes();
            bytes.first().is_some_and(fits)
                && bytes.last().is_some_and(fits)
                && bytes.iter().all(|byte| fits(byte) || *byte == b'-')
        });
    if valid { Ok(()) } else { Err(NameError::Invalid) }
}

/// The release's name that Flux makes of a HelmRelease's: one that is too long keeps 40 characters and gets 12 of its
/// SHA-256 (flux-controllers.md, 4.1).
pub fn flux_name(name: &str) -> String {
    if name.len() <= MAX_NAME {
        return name.to_owned();
    }
    let sum = digest(&SHA256, name.as_bytes());
    let hex = HEXLOWER.encode(sum.as_ref().get(..6).unwrap_or_default());
    let start: String = name.chars().take(40).collect();
    format!("{start}-{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dns_names_of_at_most_53_characters() {
        for name in ["a", "a-b", "a.b-c.9", &"x".repeat(53)] {
            assert_eq!(validate_name(name), Ok(()), "{name}");
        }
        for name in ["A", "-a", "a-", "a..b", ".a", "a.", "a_b", "a b", &"x".repeat(54)] {
            assert_eq!(validate_name(name), Err(NameError::Invalid), "{name}");
        }
        assert_eq!(validate_name(""), Err(NameError::Missing));
    }

    #[test]
    fn long_names_are_cut_and_told_apart_by_a_sum() {
        let name = format!("{}-{}", "n".repeat(40), "m".repeat(20));
        let short = flux_name(&name);
        assert_eq!(
            (short.len(), short.get(..41)),
            (53, Some(format!("{}-", "n".repeat(40)).as_str()))
        );
        assert_eq!(flux_name("app"), "app");
    }
}
