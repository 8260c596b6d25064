//! Numbers in headers: octal text, or binary where octal is too short.

/// Reads a field as Go does. None when it is no number, or one that no archive has.
pub(super) fn parse(field: &[u8]) -> Option<u64> {
    match field.first() {
        Some(first) if first & 0x80 != 0 => parse_binary(*first, field),
        _ => parse_octal(field),
    }
}

/// Base 256 with the top bit set. Negative numbers are refused: no size or mode is one.
fn parse_binary(first: u8, field: &[u8]) -> Option<u64> {
    if first & 0x40 != 0 {
        return None;
    }
    field
        .iter()
        .skip(1)
        .try_fold(u64::from(first & 0x3f), |value, byte| {
            value.checked_mul(256)?.checked_add(u64::from(*byte))
        })
}

/// Whether a field holds a time: a number as above, or a negative one in base 256, for times before 1970.
pub(super) fn is_time(field: &[u8]) -> bool {
    match field.split_first() {
        Some((first, rest)) if first & 0xc0 == 0xc0 => {
            // Two's complement: the leading bytes beyond 64 bits, and the sign's own bit, repeat the sign.
            let (lead, value) = rest.split_at(rest.len().saturating_sub(8));
            first | 0x80 == 0xff
                && lead.iter().all(|byte| *byte == 0xff)
                && value.first().is_none_or(|top| top & 0x80 != 0)
        }
        _ => parse(field).is_some_and(|value| i64::try_from(value).is_ok()),
    }
}

/// Octal digits between blanks and NULs; nothing at all is zero.
fn parse_octal(field: &[u8]) -> Option<u64> {
    let blank = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !blank(byte)).unwrap_or(field.len());
    let text = field.get(start..).unwrap_or_default();
    // The digits end at the first NUL; blanks before it are trimmed.
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let end = text
        .iter()
        .rposition(|byte| !blank(byte))
        .map_or(0, |last| last + 1);
    text.get(..end)
        .unwrap_or_default()
        .iter()
        .try_fold(0_u64, |value, byte| {
            let digit = byte.checked_sub(b'0').filter(|digit| *digit < 8)?;
            value.checked_mul(8)?.checked_add(u64::from(digit))
        })
}

/// `length` bytes of octal digits with leading zeros and a NUL at the end; none when the value does not fit.
pub(super) fn octal(value: u64, length: usize) -> Option<Vec<u8>> {
    let digits = length.saturating_sub(1);
    let mut text = format!("{value:0digits$o}").into_bytes();
    (text.len() == digits).then(|| {
        text.push(0);
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        assert_eq!(parse(b"0000644\0"), Some(0o644));
        assert_eq!(parse(b"    644 "), Some(0o644));
        assert_eq!(parse(b"\0\0\0\0"), Some(0));
        assert_eq!(parse(b"644\x00777"), Some(0o644));
        assert_eq!(parse(b"0000648\0"), None);
        assert_eq!(parse(b"-000001\0"), None);
        assert_eq!(parse(b"6 4\0"), None);
        assert_eq!(parse(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]), Some(258));
        assert_eq!(parse(&[0xff; 12]), None);
        assert_eq!(parse(&[0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]), None);
    }

    #[test]
    fn times_may_lie_before_1970_and_not_before_everything() {
        assert!(is_time(b"00000000000\0"));
        assert!(is_time(&[0xff; 12]));
        assert!(is_time(&[0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]));
        assert!(!is_time(&[0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0]));
        assert!(!is_time(&[0xff, 0, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0]));
        assert!(!is_time(&[0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0]));
        assert!(!is_time(b"0000000000x\0"));
    }

    #[test]
    fn octal_fills_the_field_or_fails() {
        assert_eq!(octal(0o644, 8).as_deref(), Some(b"0000644\0".as_slice()));
        assert_eq!(octal(0o7_777_777, 8).as_deref(), Some(b"7777777\0".as_slice()));
        assert_eq!(octal(0o10_000_000, 8), None);
    }
}
