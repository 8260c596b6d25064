//! A trust root without what was not alive.

use jiff::Timestamp;
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::TimeRange;

use crate::certificate;

/// `root` without authorities of which a certificate was not valid at one of `times`, and without whatever begins
/// after `now`; nothing when that is all of it.
pub(super) fn living(root: &TrustedRoot, times: &[Timestamp], now: Timestamp) -> Option<TrustedRoot> {
    let begun = |window: Option<TimeRange>| window.is_none_or(|window| window.has_started_by(now));
    let mut living = root.clone();
    living.certificate_authorities.retain(|authority| {
        let mut chain = authority.cert_chain.certificates.iter();
        begun(authority.valid_for) && chain.all(|one| alive(one.raw_bytes.as_bytes(), times))
    });
    living.timestamp_authorities.retain(|authority| {
        let mut chain = authority.cert_chain.certificates.iter();
        begun(authority.valid_for) && chain.all(|one| alive(one.raw_bytes.as_bytes(), times))
    });
    living.tlogs.retain(|log| begun(log.public_key.valid_for));
    living.ctlogs.retain(|log| begun(log.public_key.valid_for));
    (size(&living) != size(root)).then_some(living)
}

fn size(root: &TrustedRoot) -> usize {
    root.certificate_authorities.len()
        + root.timestamp_authorities.len()
        + root.tlogs.len()
        + root.ctlogs.len()
}

fn alive(certificate: &[u8], times: &[Timestamp]) -> bool {
    certificate::validity(certificate).is_some_and(|(not_before, not_after)| {
        times.iter().all(|time| (not_before..=not_after).contains(time))
    })
}
