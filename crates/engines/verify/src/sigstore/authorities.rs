//! A trust root without what was not alive.

use jiff::Timestamp;
use sigstore_verify::trust_root::{CertificateAuthority, TimestampAuthority, TrustedRoot};
use sigstore_verify::types::TimeRange;

use crate::certificate;

/// When the certificates of each authority are valid, in the root's order.
#[derive(Clone, Debug)]
pub(crate) struct Lives {
    certificate: Vec<Life>,
    timestamp: Vec<Life>,
}

/// From when to when all certificates of a chain are valid, both included; nothing where one cannot be read.
type Life = Option<(Timestamp, Timestamp)>;

impl Lives {
    /// Reads the certificates of a root's authorities.
    pub(crate) fn of(root: &TrustedRoot) -> Self {
        let of_certificates = |one: &CertificateAuthority| {
            let certificates = one.cert_chain.certificates.iter();
            life(certificates.map(|one| one.raw_bytes.as_bytes()))
        };
        let of_timestamps = |one: &TimestampAuthority| {
            let certificates = one.cert_chain.certificates.iter();
            life(certificates.map(|one| one.raw_bytes.as_bytes()))
        };
        Self {
            certificate: root.certificate_authorities.iter().map(of_certificates).collect(),
            timestamp: root.timestamp_authorities.iter().map(of_timestamps).collect(),
        }
    }
}

fn life<'c>(chain: impl Iterator<Item = &'c [u8]>) -> Life {
    let mut all = (Timestamp::MIN, Timestamp::MAX);
    for certificate in chain {
        let (not_before, not_after) = certificate::validity(certificate)?;
        all = (all.0.max(not_before), all.1.min(not_after));
    }
    Some(all)
}

/// `root` without authorities of which a certificate was not valid at one of `times`, and without whatever begins
/// after `now`; nothing when that is all of it.
pub(super) fn living(
    root: &TrustedRoot,
    lives: &Lives,
    times: &[Timestamp],
    now: Timestamp,
) -> Option<TrustedRoot> {
    let begun = |window: Option<TimeRange>| window.is_none_or(|window| window.has_started_by(now));
    let alive = |life: &Life| {
        life.is_some_and(|(not_before, not_after)| {
            times.iter().all(|time| (not_before..=not_after).contains(time))
        })
    };
    let certificate = root.certificate_authorities.iter().zip(&lives.certificate);
    let certificate: Vec<bool> = certificate
        .map(|(one, life)| begun(one.valid_for) && alive(life))
        .collect();
    let timestamp = root.timestamp_authorities.iter().zip(&lives.timestamp);
    let timestamp: Vec<bool> = timestamp
        .map(|(one, life)| begun(one.valid_for) && alive(life))
        .collect();
    let logs = root.tlogs.iter().map(|log| log.public_key.valid_for);
    let mut logs = logs.chain(root.ctlogs.iter().map(|log| log.public_key.valid_for));
    if certificate.iter().chain(&timestamp).all(|one| *one) && logs.all(begun) {
        return None;
    }
    let mut living = root.clone();
    keep(&mut living.certificate_authorities, &certificate);
    keep(&mut living.timestamp_authorities, &timestamp);
    living.tlogs.retain(|log| begun(log.public_key.valid_for));
    living.ctlogs.retain(|log| begun(log.public_key.valid_for));
    Some(living)
}

/// Leaves out those that are not marked.
fn keep<T>(list: &mut Vec<T>, marked: &[bool]) {
    let mut marked = marked.iter();
    list.retain(|_| marked.next().is_some_and(|one| *one));
}
