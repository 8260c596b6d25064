//! That log entries come from the log they name.

use jiff::Timestamp;
use sigstore_verify::crypto::VerificationKey;
use sigstore_verify::trust_root::{TransparencyLog, TrustedRoot};
use sigstore_verify::types::bundle::InclusionProof;
use sigstore_verify::types::{Bundle, KindVersion, MediaType, TransparencyLogEntry};

use super::{Part, Untrusted};

/// An entry in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Logged {
    /// Where the log is.
    pub(crate) log: String,
    /// What the log calls itself: the digest of its key.
    pub(crate) log_id: Vec<u8>,
    /// The entry's place in it.
    pub(crate) index: u64,
}

/// Whether there is an entry, and each is of a known log, comes with something that can be checked, and once only.
pub(super) fn check_presence(root: &TrustedRoot, bundle: &Bundle) -> Result<(), Untrusted> {
    let entries = &bundle.verification_material.tlog_entries;
    if entries.is_empty() {
        let detail = "signature has no entry of a transparency log";
        return Err(Untrusted::new(Part::LogEntry, detail));
    }
    for (at, entry) in entries.iter().enumerate() {
        known(root, entry)?;
        let promised = bundle.media_type() == MediaType::Bundle0_1 && entry.inclusion_promise.is_some();
        if entry.inclusion_proof.is_none() && !promised {
            let detail = format!("log entry {} has no inclusion proof", entry.log_index.get());
            return Err(Untrusted::new(Part::InclusionProof, detail));
        }
        let same = |other: &TransparencyLogEntry| {
            other.log_id == entry.log_id && other.log_index.get() == entry.log_index.get()
        };
        if entries.iter().take(at).any(same) {
            let detail = format!("log entry {} is there twice", entry.log_index.get());
            return Err(Untrusted::new(Part::LogEntry, detail));
        }
    }
    Ok(())
}

/// Whether each entry's log was trusted at all of `times`, and the entry's checkpoint is by that log.
pub(super) fn check(
    root: &TrustedRoot,
    bundle: &Bundle,
    times: &[Timestamp],
    now: Timestamp,
) -> Result<Vec<Logged>, Untrusted> {
    let mut logged = Vec::new();
    for entry in &bundle.verification_material.tlog_entries {
        let log = known(root, entry)?;
        if let Some(window) = log.public_key.valid_for {
            let outside = times.iter().find(|time| !window.contains(**time));
            if let Some(time) = outside.or((!window.has_started_by(now)).then_some(&now)) {
                let detail = format!("log {} is not trusted at {time}", log.base_url);
                return Err(Untrusted::new(Part::LogEntry, detail));
            }
        }
        if let Some(proof) = &entry.inclusion_proof {
            check_checkpoint(log, entry, proof)?;
        }
        logged.push(Logged {
            log: log.base_url.clone(),
            log_id: log.log_id.key_id.as_bytes().to_vec(),
            index: entry.log_index.get(),
        });
    }
    Ok(logged)
}

fn known<'r>(root: &'r TrustedRoot, entry: &TransparencyLogEntry) -> Result<&'r TransparencyLog, Untrusted> {
    let mut logs = root.tlogs.iter();
    logs.find(|log| log.log_id.key_id == entry.log_id.key_id)
        .ok_or_else(|| {
            let detail = format!("log entry is of the unknown log {}", entry.log_id.key_id);
            Untrusted::new(Part::LogEntry, detail)
        })
}

fn check_checkpoint(
    log: &TransparencyLog,
    entry: &TransparencyLogEntry,
    proof: &InclusionProof,
) -> Result<(), Untrusted> {
    let wrong = |detail: String| Untrusted::new(Part::Checkpoint, detail);
    let checkpoint = proof
        .checkpoint
        .checkpoint()
        .ok_or_else(|| wrong("inclusion proof has no checkpoint".to_owned()))?;
    let key = VerificationKey::from_spki(&log.public_key.raw_bytes)
        .map_err(|error| Untrusted::new(Part::TrustRoot, error.to_string()))?;
    let hint = log.log_id.key_id.as_bytes();
    // Rekor v1's name is set by its operator and need not be its host; its key alone tells whose signature it is.
    let named = |name: &str| {
        entry.kind_version != KindVersion::HashedRekordV002
            || (name == checkpoint.origin() && is_host_of(name, &log.base_url))
    };
    let signed = checkpoint.signatures().iter().any(|signature| {
        hint.starts_with(signature.key_id.as_bytes())
            && named(&signature.name)
            && key.verify(checkpoint.signed_data(), &signature.signature).is_ok()
    });
    if signed {
        return Ok(());
    }
    Err(wrong(format!(
        "checkpoint is not signed by {}, the log that the entry names",
        log.base_url
    )))
}

/// Whether `name` is what a tiled log at `url` signs under: the URL without its scheme, with or without the port.
fn is_host_of(name: &str, url: &str) -> bool {
    let rest = url
        .split_once("://")
        .map_or(url, |(_, rest)| rest)
        .trim_end_matches('/');
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    [authority, host]
        .into_iter()
        .any(|start| name == start || name.strip_prefix(start) == Some(path))
}

#[cfg(test)]
mod tests {
    use super::is_host_of;

    #[test]
    fn a_tiled_logs_name_is_its_host() {
        assert!(is_host_of(
            "log2025-1.rekor.sigstore.dev",
            "https://log2025-1.rekor.sigstore.dev"
        ));
        assert!(is_host_of(
            "log2025-1.rekor.sigstore.dev",
            "https://log2025-1.rekor.sigstore.dev/"
        ));
        assert!(is_host_of("localhost", "http://localhost:3003"));
        assert!(is_host_of("localhost:3003", "http://localhost:3003"));
        assert!(is_host_of("a.example/log", "https://a.example/log"));
        assert!(!is_host_of(
            "log2025-1.rekor.sigstore.dev.evil",
            "https://log2025-1.rekor.sigstore.dev"
        ));
        assert!(!is_host_of("", "https://a.example"));
        assert!(!is_host_of("evil/log", "https://a.example/log"));
    }
}
