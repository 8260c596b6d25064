//! What a certificate of Fulcio says about its holder. Whether to believe it is decided before, by its chain.

use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::der::{
    GENERALIZED_TIME, OBJECT_ID, OCTET_STRING, SEQUENCE, SET, UTC_TIME, UTF8_STRING, any, element,
};

/// 2.5.29.17, subjectAltName
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 0x11];
/// 2.5.4.3, commonName
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.4.10, organizationName
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0A];
/// 1.3.6.1.4.1.57264.1, the arc of Fulcio's extensions
const FULCIO: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x83, 0xBF, 0x30, 0x01];
/// 1.3.6.1.4.1.57264.1.1, the issuer as bare text
const ISSUER_V1: u8 = 1;
/// 1.3.6.1.4.1.57264.1.7, a user name as an otherName
const USERNAME: u8 = 7;
/// 1.3.6.1.4.1.57264.1.8, the issuer as a UTF8String
const ISSUER_V2: u8 = 8;
/// 1.3.6.1.4.1.57264.1.12, the repository the workload ran for
const SOURCE_REPOSITORY: u8 = 12;
/// 1.3.6.1.4.1.57264.1.13, the commit it ran for
const SOURCE_DIGEST: u8 = 13;

/// Holder and life of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Every subject alternative name that is text: e-mail addresses, URIs, DNS names, addresses, user names.
    pub(crate) names: Vec<String>,
    /// Who vouched for the holder.
    pub(crate) issuer: Option<String>,
    /// The source repository and the commit in it, where the holder is a build.
    pub(crate) source: Option<(String, Option<String>)>,
}

/// From when to when a certificate is valid, both included.
pub(crate) fn validity(der: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let (validity, _) = element(to_validity(der)?, SEQUENCE)?;
    let (not_before, rest) = time(validity)?;
    let (not_after, _) = time(rest)?;
    Some((not_before, not_after))
}

/// Whom a certificate names: common name and organisation, as far as it has them.
pub(crate) fn holder(der: &[u8]) -> (Option<String>, Option<String>) {
    let (mut common, mut organization) = (None, None);
    let subject = issuer_and_subject(der).and_then(|(_, subject)| element(subject, SEQUENCE));
    let mut names = subject.map(|(names, _)| names).unwrap_or_default();
    while let Some((set, after)) = element(names, SET) {
        names = after;
        let attribute = element(set, SEQUENCE).and_then(|(attribute, _)| element(attribute, OBJECT_ID));
        // Whichever kind of text it is: all that are in use have ASCII in common.
        let Some((id, (_, text, _))) = attribute.and_then(|(id, value)| Some((id, any(value)?))) else {
            continue;
        };
        let text = || Some(String::from_utf8_lossy(text).into_owned());
        match id {
            COMMON_NAME => common = text(),
            ORGANIZATION => organization = text(),
            _ => {}
        }
    }
    (common, organization)
}

/// The names of who signed a certificate and of whom it is about, in DER.
pub(crate) fn issuer_and_subject(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = to_issuer(der)?;
    let (issuer, rest) = whole(rest)?;
    let (_validity, rest) = element(rest, SEQUENCE)?;
    let (subject, _) = whole(rest)?;
    Some((issuer, subject))
}

/// The element at the front with its tag and length, and what follows it.
fn whole(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, _, rest) = any(der)?;
    der.split_at_checked(der.len() - rest.len())
}

/// What a certificate says; nothing when it cannot be read.
pub(crate) fn facts(der: &[u8]) -> Option<Facts> {
    let (_, rest) = element(to_validity(der)?, SEQUENCE)?;
    let (_subject, rest) = element(rest, SEQUENCE)?;
    let (_key, mut rest) = element(rest, SEQUENCE)?;
    let mut facts = Facts {
        names: Vec::new(),
        issuer: None,
        source: None,
    };
    let (mut issuer_v1, mut repository, mut commit) = (None, None, None);
    while !rest.is_empty() {
        let (tag, content, after) = any(rest)?;
        rest = after;
        // [3], the extensions; before them there can be unique identifiers.
        if tag != 0xA3 {
            continue;
        }
        let (mut extensions, _) = element(content, SEQUENCE)?;
        while !extensions.is_empty() {
            let (extension, after) = element(extensions, SEQUENCE)?;
            extensions = after;
            let (id, value) = extension_value(extension)?;
            if id == SUBJECT_ALT_NAME {
                facts.names.extend(names(value)?);
            }
            match id.strip_prefix(FULCIO) {
                Some([ISSUER_V1]) => issuer_v1 = Some(bare_text(value)?),
                Some([ISSUER_V2]) => facts.issuer = Some(utf8(value)?),
                Some([SOURCE_REPOSITORY]) => repository = Some(utf8(value)?),
                Some([SOURCE_DIGEST]) => commit = Some(utf8(value)?),
                _ => {}
            }
        }
    }
    facts.issuer = facts.issuer.or(issuer_v1);
    facts.source = repository.map(|repository| (repository, commit));
    Some(facts)
}

/// The certificate from its validity on.
fn to_validity(der: &[u8]) -> Option<&[u8]> {
    let (_issuer, rest) = whole(to_issuer(der)?)?;
    Some(rest)
}

/// The certificate from its issuer on.
fn to_issuer(der: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    // [0], the version, may be missing; then serial number and algorithm.
    if let Some((_, after)) = element(rest, 0xA0) {
        rest = after;
    }
    for _ in 0..2 {
        (_, _, rest) = any(rest)?;
    }
    Some(rest)
}

fn extension_value(extension: &[u8]) -> Option<(&[u8], &[u8])> {
    let (id, rest) = element(extension, OBJECT_ID)?;
    let (tag, content, rest) = any(rest)?;
    if tag == OCTET_STRING {
        return Some((id, content));
    }
    // The flag "critical" comes before the value.
    let (value, _) = element(rest, OCTET_STRING)?;
    Some((id, value))
}

fn names(value: &[u8]) -> Option<Vec<String>> {
    let (mut rest, _) = element(value, SEQUENCE)?;
    let mut names = Vec::new();
    while !rest.is_empty() {
        let (tag, content, after) = any(rest)?;
        rest = after;
        match tag {
            // rfc822Name, dNSName, uniformResourceIdentifier are IA5: anything else in them is a forgery.
            0x81 | 0x82 | 0x86 if content.is_ascii() => {
                names.push(String::from_utf8(content.to_vec()).ok()?);
            }
            0x81 | 0x82 | 0x86 => return None,
            0x87 => names.extend(address(content)),
            0xA0 => names.extend(user_name(content)),
            _ => {}
        }
    }
    Some(names)
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(bytes).to_string());
    }
    let bytes = <[u8; 16]>::try_from(bytes).ok()?;
    Some(Ipv6Addr::from(bytes).to_string())
}

fn user_name(other_name: &[u8]) -> Option<String> {
    let (id, rest) = element(other_name, OBJECT_ID)?;
    let (value, _) = element(rest, 0xA0)?;
    (id.strip_prefix(FULCIO) == Some(&[USERNAME]))
        .then(|| utf8(value))
        .flatten()
}

fn utf8(value: &[u8]) -> Option<String> {
    let (text, _) = element(value, UTF8_STRING)?;
    String::from_utf8(text.to_vec()).ok()
}

fn bare_text(value: &[u8]) -> Option<String> {
    utf8(value).or_else(|| String::from_utf8(value.to_vec()).ok())
}

fn time(der: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (tag, content, rest) = any(der)?;
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let full = match tag {
        // RFC 5280, 4.1.2.5.1: two digits of the year, from 1950 to 2049.
        UTC_TIME if text.len() == 12 => {
            let century = if text.get(..2)? < "50" { "20" } else { "19" };
            format!("{century}{text}")
        }
        GENERALIZED_TIME if text.len() == 14 => text.to_owned(),
        _ => return None,
    };
    let civil = DateTime::strptime("%Y%m%d%H%M%S", &full).ok()?;
    let instant = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some((instant, rest))
}
