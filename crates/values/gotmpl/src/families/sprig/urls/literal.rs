//! IP addresses in brackets, as `net/netip` of Go 1.26 reads them.

use crate::quote::quote;

/// Bytes of an address.
const SIZE: usize = 16;
/// Bytes of the older address that may stand at its end.
const OLD: usize = 4;

/// What is wrong, and the text from there on.
type Problem<'t> = (&'static str, &'t [u8]);

/// Refuses what may not stand between brackets: all but an IPv6 address, with a zone or without.
///
/// # Errors
/// What Go's `net/url` says of it.
pub(super) fn check(text: &[u8]) -> Result<(), String> {
    let read = match text.iter().find(|byte| b".:%".contains(byte)) {
        Some(b'.') => old(text).map(|()| false),
        Some(b':') => new(text).map(|()| true),
        Some(_) => Err(("missing IPv6 address", &b""[..])),
        None => Err(("unable to parse IP", &b""[..])),
    };
    match read {
        Ok(true) => Ok(()),
        Ok(false) => Err("invalid IP-literal".to_owned()),
        Err((message, at)) => {
            let place = if at.is_empty() {
                String::new()
            } else {
                format!(" (at {})", quote(at, false))
            };
            Err(format!(
                "invalid host: ParseAddr({}): {message}{place}",
                quote(text, false)
            ))
        }
    }
}

/// `1.2.3.4`
fn old(text: &[u8]) -> Result<(), Problem<'_>> {
    let (mut value, mut digits, mut dots) = (0_u32, 0, 0);
    for (at, byte) in text.iter().enumerate() {
        let rest = text.get(at..).unwrap_or_default();
        match byte {
            b'0'..=b'9' => {
                if digits == 1 && value == 0 {
                    return Err(("IPv4 field has octet with leading zero", b""));
                }
                value = value * 10 + u32::from(byte - b'0');
                digits += 1;
                if value > 255 {
                    return Err(("IPv4 field has value >255", b""));
                }
            }
            b'.' => {
                if digits == 0 || rest.len() == 1 {
                    return Err(("IPv4 field must have at least one digit", rest));
                }
                if dots == 3 {
                    return Err(("IPv4 address too long", b""));
                }
                (value, digits, dots) = (0, 0, dots + 1);
            }
            _ => return Err(("unexpected character", rest)),
        }
    }
    if dots < 3 {
        return Err(("IPv4 address too short", b""));
    }
    Ok(())
}

/// `1:2::3:4`, with a zone behind a percent sign.
fn new(text: &[u8]) -> Result<(), Problem<'_>> {
    let mut rest = text;
    if let Some(at) = text.iter().position(|byte| *byte == b'%') {
        if at + 1 == text.len() {
            return Err(("zone must be a non-empty string", b""));
        }
        rest = text.get(..at).unwrap_or_default();
    }
    // Zeros are left out somewhere.
    let mut is_short = false;
    if let Some(behind) = rest.strip_prefix(b"::") {
        is_short = true;
        rest = behind;
        if rest.is_empty() {
            return Ok(());
        }
    }
    let mut size = 0;
    while size < SIZE {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        match digits {
            0 => return Err(("each colon-separated field must have at least one digit", rest)),
            1..=4 => {}
            _ => return Err(("each group must have 4 or less digits", rest)),
        }
        let behind = rest.get(digits..).unwrap_or_default();
        if behind.starts_with(b".") {
            if !is_short && size != SIZE - OLD {
                return Err((
                    "embedded IPv4 address must replace the final 2 fields of the address",
                    rest,
                ));
            }
            if size + OLD > SIZE {
                return Err((
                    "too many hex fields to fit an embedded IPv4 at the end of the address",
                    rest,
                ));
            }
            old(rest)?;
            rest = b"";
            size += OLD;
            break;
        }
        size += 2;
        rest = behind;
        match rest {
            [] => break,
            [b':'] => return Err(("colon must be followed by more characters", rest)),
            [b':', b':', ..] if is_short => {
                return Err(("multiple :: in address", rest.get(1..).unwrap_or_default()));
            }
            [b':', b':', behind @ ..] => {
                is_short = true;
                rest = behind;
                if rest.is_empty() {
                    break;
                }
            }
            [b':', behind @ ..] => rest = behind,
            _ => return Err(("unexpected character, want colon", rest)),
        }
    }
    if !rest.is_empty() {
        return Err(("trailing garbage after address", rest));
    }
    match (size < SIZE, is_short) {
        (true, false) => Err(("address string too short", b"")),
        (false, true) => Err(("the :: must expand to at least one field of zeros", b"")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    /// Go's own verdicts.
    #[test]
    fn only_ipv6_stands_between_brackets() {
        for good in [
            "::",
            "::1",
            "1::",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:1.2.3.4",
            "::ffff:1.2.3.4",
            "fe80::1%en0",
            "fe80::1%\u{e9} x",
            "1:2:3:4:5:6:7::",
        ] {
            assert_eq!(check(good.as_bytes()), Ok(()), "{good}");
        }
        for (bad, said) in [
            ("", "invalid host: ParseAddr(\"\"): unable to parse IP"),
            ("abc", "invalid host: ParseAddr(\"abc\"): unable to parse IP"),
            ("1.2.3.4", "invalid IP-literal"),
            (
                "1.2.3",
                "invalid host: ParseAddr(\"1.2.3\"): IPv4 address too short",
            ),
            ("%en0", "invalid host: ParseAddr(\"%en0\"): missing IPv6 address"),
            (
                "::1%",
                "invalid host: ParseAddr(\"::1%\"): zone must be a non-empty string",
            ),
            (
                "1:2:3",
                "invalid host: ParseAddr(\"1:2:3\"): address string too short",
            ),
            (
                "1::2::3",
                "invalid host: ParseAddr(\"1::2::3\"): multiple :: in address (at \":3\")",
            ),
            (
                "12345::",
                "invalid host: ParseAddr(\"12345::\"): each group must have 4 or less digits (at \"12345::\")",
            ),
            (
                "1:2:3:4:5:6:7:8:9",
                "invalid host: ParseAddr(\"1:2:3:4:5:6:7:8:9\"): trailing garbage after address (at \"9\")",
            ),
            (
                "1:2:3:4::5:6:7:8",
                "invalid host: ParseAddr(\"1:2:3:4::5:6:7:8\"): the :: must expand to at least one field of zeros",
            ),
            (
                "::1.2.3.04",
                "invalid host: ParseAddr(\"::1.2.3.04\"): IPv4 field has octet with leading zero",
            ),
            (
                "1:",
                "invalid host: ParseAddr(\"1:\"): colon must be followed by more characters (at \":\")",
            ),
            (
                "1:x",
                "invalid host: ParseAddr(\"1:x\"): each colon-separated field must have at least one digit (at \"x\")",
            ),
        ] {
            assert_eq!(check(bad.as_bytes()), Err(said.to_owned()), "{bad}");
        }
    }
}
