//! Writing DER.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// An element of `tag` around `parts`.
pub(crate) fn tagged(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = vec![tag];
    match u8::try_from(length) {
        Ok(length) if length < 0x80 => out.push(length),
        _ => {
            let bytes = length.to_be_bytes();
            let significant: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
            out.push(0x80 | u8::try_from(significant.len()).expect("a length has at most eight bytes"));
            out.extend(significant);
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tagged(0x30, parts)
}

/// A set of elements, in the order that DER asks for.
pub(crate) fn set(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    tagged(0x31, &parts)
}

/// A number of big-endian bytes, taken as positive.
pub(crate) fn integer(bytes: &[u8]) -> Vec<u8> {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let significant = bytes.get(first..).unwrap_or_default();
    // A first bit that is set, or nothing at all, needs a zero before it.
    let lead: &[u8] = match significant.first() {
        Some(byte) if *byte < 0x80 => &[],
        _ => &[0],
    };
    tagged(0x02, &[lead, significant])
}

pub(crate) fn octets(content: &[u8]) -> Vec<u8> {
    tagged(0x04, &[content])
}

pub(crate) fn bits(content: &[u8]) -> Vec<u8> {
    tagged(0x03, &[&[0], content])
}

pub(crate) fn utf8(text: &str) -> Vec<u8> {
    tagged(0x0C, &[text.as_bytes()])
}

/// An object identifier in dotted form.
pub(crate) fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted
        .split('.')
        .map(|arc| arc.parse().expect("arcs are numbers"))
        .collect();
    let [first, second, rest @ ..] = arcs.as_slice() else {
        return tagged(0x06, &[]);
    };
    let mut content = Vec::new();
    for arc in std::iter::once(&(first * 40 + second)).chain(rest) {
        let mut bytes = vec![u8::try_from(arc & 0x7F).expect("seven bits fit")];
        let mut left = arc >> 7;
        while left > 0 {
            bytes.push(0x80 | u8::try_from(left & 0x7F).expect("seven bits fit"));
            left >>= 7;
        }
        bytes.reverse();
        content.extend(bytes);
    }
    tagged(0x06, &[&content])
}

/// A time of a certificate's validity (RFC 5280, 4.1.2.5).
pub(crate) fn time(at: Timestamp) -> Vec<u8> {
    let civil = at.to_zoned(TimeZone::UTC).datetime();
    if civil.year() < 2050 {
        return tagged(0x17, &[civil.strftime("%y%m%d%H%M%SZ").to_string().as_bytes()]);
    }
    generalized_time(at)
}

pub(crate) fn generalized_time(at: Timestamp) -> Vec<u8> {
    let civil = at.to_zoned(TimeZone::UTC).datetime();
    tagged(0x18, &[civil.strftime("%Y%m%d%H%M%SZ").to_string().as_bytes()])
}
