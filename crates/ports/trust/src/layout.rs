//! Names that both finding and signing use.

use weir_oci::{Digest, Tag};

/// The annotation of a payload layer that holds the signature, in base64.
pub(crate) const SIGNATURE_ANNOTATION: &str = "dev.cosignproject.cosign/signature";

/// The annotation with the signer's certificate, as PEM.
pub(crate) const CERTIFICATE_ANNOTATION: &str = "dev.sigstore.cosign/certificate";
/// The annotation with the certificates above it, as PEM.
pub(crate) const CHAIN_ANNOTATION: &str = "dev.sigstore.cosign/chain";
/// The annotation with the entry in the transparency log.
pub(crate) const LOG_ENTRY_ANNOTATION: &str = "dev.sigstore.cosign/bundle";
/// The annotation with a timestamp.
pub(crate) const TIMESTAMP_ANNOTATION: &str = "dev.sigstore.cosign/rfc3161timestamp";

/// The annotation of an attestation's layer, and of nothing else, that repeats its predicate type.
pub(crate) const PREDICATE_TYPE_ANNOTATION: &str = "predicateType";

/// The tag of cosign's older layout for the artifact with this digest: `sha256-<hex>.sig`.
pub fn legacy_tag(digest: &Digest) -> Tag {
    tag_with(digest, "sig")
}

/// The tag of its attestations in that layout: `sha256-<hex>.att`.
pub fn attestation_tag(digest: &Digest) -> Tag {
    tag_with(digest, "att")
}

fn tag_with(digest: &Digest, end: &str) -> Tag {
    // The tag of a digest is 71 characters of the tag alphabet, so with four more it is still a tag.
    Tag::new(format!("{}.{end}", digest.referrers_tag())).expect("a digest with a suffix is a tag")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tags_are_cosigns() {
        let digest = Digest::of(b"");
        let start = "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(legacy_tag(&digest).as_str(), format!("{start}.sig"));
        assert_eq!(attestation_tag(&digest).as_str(), format!("{start}.att"));
    }
}
