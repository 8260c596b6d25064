//! Addresses in Chart.yaml, judged as Helm judges them: it uses the module govalidator.

use weir_gotmpl::UrlParts;
use weir_re2::Pattern;

/// Characters beyond ASCII that count as letters of an address.
const BEYOND: &str = r"\x{A0}-\x{D7FF}\x{F900}-\x{FDCF}\x{FDF0}-\x{FFEF}";

fn matches(pattern: &str, text: &str) -> bool {
    Pattern::new(pattern).is_ok_and(|pattern| pattern.is_match(text))
}

/// An address for mail: a local part, and a domain of two labels at least; `IsEmail` of govalidator of 1 March 2023.
///
/// Its expression closes a group too late for local parts in quotes: each sign of one stands behind a quote of its own, as in
/// `"a"b"@x.de`. `"a b"@x.de` is refused so, and a quote alone is a local part.
pub(super) fn is_email(text: &str) -> bool {
    let atom = format!(r"[a-zA-Z0-9!#$%&'*+\-/=?^_`{{|}}~{BEYOND}]+");
    let blank = r"(([ \t]*\r\n)?[ \t]+)?";
    let plain = format!(r"[\x01-\x08\x0b\x0c\x0e-\x1f!\x23-\x5b\x5d-\x7f{BEYOND}]");
    let behind_bracket = r"\([\x01-\x09\x0b-\x7f]";
    let quoted = format!(r#"("{blank}({plain}|{behind_bracket}))*{blank}""#);
    let local = format!(r"{atom}(\.{atom})*|{quoted}");
    let (letter, sign) = (format!("a-zA-Z{BEYOND}"), format!("a-zA-Z0-9{BEYOND}"));
    let label = format!(r"([{sign}]|[{sign}][{sign}\-._~]*[{sign}])");
    let top = format!(r"([{letter}]|[{letter}][{sign}\-_~]*[{letter}])");
    matches(&format!(r"^({local})@({label}\.)+{top}\.?$"), text)
}

/// A URL of a request: absolute, with a scheme.
pub(super) fn is_request_url(text: &str) -> bool {
    UrlParts::of_request(text).is_ok_and(|url| !url.scheme.is_empty())
}

/// A URL of a page; neither scheme nor path is needed.
pub(super) fn is_url(text: &str) -> bool {
    // Characters and bytes: both are what the module counts.
    if text.is_empty() || text.chars().count() >= 2083 || text.len() <= 3 || text.starts_with('.') {
        return false;
    }
    // A port without a scheme.
    let with_scheme = if text.contains(':') && !text.contains("://") {
        format!("http://{text}")
    } else {
        text.to_owned()
    };
    let Ok(url) = UrlParts::of(&with_scheme) else {
        return false;
    };
    if url.host.starts_with(b".") {
        return false;
    }
    if url.host.is_empty() && !url.path.is_empty() && !url.path.contains(&b'.') {
        return false;
    }
    matches(&format!("^{}$", url_pattern()), text)
}

fn url_pattern() -> String {
    let scheme = "(ftp|tcp|udp|wss?|https?)://";
    let user = r"(\S+(:\S*)?@)";
    let octet = r"(\d{1,2}|1\d\d|2[0-4]\d|25[0-5])";
    let first = r"([1-9]\d?|1\d\d|2[01]\d|22[0-3]|24\d|25[0-5])";
    let last = r"([0-9]\d?|1\d\d|2[0-4]\d|25[0-5])";
    let v4 = format!(r"{first}(\.{octet}){{2}}(\.{last})");
    let v6 = format!(r"\[{}\]", v6_pattern());
    let subdomain = r"((www\.)|([a-zA-Z0-9]+([\-_.]?[a-zA-Z0-9])*[a-zA-Z0-9]\.[a-zA-Z0-9]+))";
    let before = format!(r"(([a-zA-Z0-9]([a-zA-Z0-9\-_]+)?[a-zA-Z0-9]([\-.][a-zA-Z0-9]+)*)|({subdomain}?))?");
    let letters = r"a-zA-Z\x{a1}-\x{ffff}";
    let name = format!(r"(([{letters}0-9]+-?-?)*[{letters}0-9]+)(\.([{letters}]+))?");
    format!(r"({scheme})?{user}?({v4}|{v6}|{before}{name})\.?(:\d{{1,5}})?([/?#]\S*)?")
}

/// IPv6 in all its forms, with `::` in any place.
fn v6_pattern() -> String {
    let group = "[0-9a-fA-F]{1,4}";
    let octet = "(25[0-5]|(2[0-4]|1?[0-9])?[0-9])";
    let v4 = format!(r"({octet}\.){{3}}{octet}");
    let mut forms = vec![format!("({group}:){{7}}{group}"), format!("({group}:){{1,7}}:")];
    forms.extend((2..7).map(|before| format!("({group}:){{1,{before}}}(:{group}){{1,{}}}", 8 - before)));
    forms.push(format!("{group}:(:{group}){{1,6}}"));
    forms.push(format!(":((:{group}){{1,7}}|:)"));
    forms.push("fe80:(:[0-9a-fA-F]{0,4}){0,4}%[0-9a-zA-Z]+".to_owned());
    forms.push(format!("::(ffff(:0{{1,4}})?:)?{v4}"));
    forms.push(format!("({group}:){{1,4}}:{v4}"));
    format!("({})", forms.join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_for_mail() {
        for good in [
            "a@b.c",
            "x.y+z@sub.example.com",
            "ü@é.fr",
            "a@b-c.de.",
            "日本@日本.日本",
            "a@b.\u{a0}",
        ] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "a",
            "a@b",
            "@b.c",
            "a..b@c.de",
            "a@b.c1",
            "a b@c.de",
            "a@.de",
            "",
            "a@b.c\n",
            "a@[1.2.3.4]",
            "a(c)@b.c",
            "a@b.\u{9f}",
            "\u{1f600}@b.c",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    /// Verdicts of `helm lint` of Helm 4.2.4.
    #[test]
    fn a_local_part_in_quotes_has_a_quote_before_each_sign() {
        for good in [
            "\"@x.de",
            "\"a\"@x.de",
            "\"a\"b\"@x.de",
            " \"@x.de",
            "\" a\"@x.de",
            "\"(\"\"@x.de",
        ] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "\"\"@x.de",
            "\"ab\"@x.de",
            "\"q q\"@é.de",
            "\"(é\"@x.de",
            "\"a@x.de",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn addresses_of_pages() {
        for good in [
            "https://example.com/x?y#z",
            "example.com",
            "localhost:80",
            "http://1.2.3.4",
            "http://[::1]:80/",
        ] {
            assert!(is_url(good), "{good}");
        }
        for bad in [
            "x",
            "abc",
            ".example.com",
            "gopher://x.y",
            "http://a b",
            "/path",
            "http://x:port",
        ] {
            assert!(!is_url(bad), "{bad}");
        }
    }

    #[test]
    fn addresses_of_requests() {
        for good in [
            "https://example.com",
            "a:b",
            "file:///x",
            "data:image/png;base64,AA",
            "http://[::1]:80",
            "http://[fe80::1%25en0]/",
            "mongodb://a:1,b:2",
        ] {
            assert!(is_request_url(good), "{good}");
        }
        for bad in [
            "",
            "x",
            "/x",
            "example.com",
            ":x",
            "1a://x",
            "http://a b",
            "http://a:1:2",
            "http://[1.2.3.4]",
            "http://[x]",
            "http://a[::1]",
            "http://[::1%25]",
            "http://[::1%25%2f]",
        ] {
            assert!(!is_request_url(bad), "{bad}");
        }
    }
}
