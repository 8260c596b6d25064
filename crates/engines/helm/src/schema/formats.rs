//! Formats of texts, as Helm's validator knows them: santhosh-tekuri/jsonschema v6.0.2, on Go 1.26. They are not what the
//! standards say in all places, and each is known to every draft.

use weir_gotmpl::UrlParts;
use weir_re2::Pattern;

/// Whether a text is of a format.
type Check = fn(&str) -> bool;

/// All of them, by name.
pub(super) const ALL: [(&str, Check); 19] = [
    ("json-pointer", is_pointer),
    ("relative-json-pointer", is_relative_pointer),
    ("uuid", is_uuid),
    ("duration", is_duration),
    ("period", is_period),
    ("ipv4", is_ipv4),
    ("ipv6", is_ipv6),
    ("hostname", is_hostname),
    ("email", is_email),
    ("date", is_date),
    ("time", is_time),
    ("date-time", is_date_time),
    ("uri", is_uri),
    ("iri", is_uri),
    ("uri-reference", is_uri_reference),
    ("iri-reference", is_uri_reference),
    ("uri-template", is_uri_template),
    ("semver", is_semver),
    ("regex", is_regex),
];

/// Formats of standards that Helm's validator does not know, and passes over.
pub(super) const UNKNOWN: [&str; 2] = ["idn-email", "idn-hostname"];

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Splits digits from what follows them.
fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

fn is_pointer(text: &str) -> bool {
    let is_escaped = |part: &str| part.starts_with(['0', '1']);
    text.is_empty() || text.starts_with('/') && text.split('~').skip(1).all(is_escaped)
}

fn is_relative_pointer(text: &str) -> bool {
    let (number, rest) = digits(text);
    let is_canonical = number == "0" || !number.is_empty() && !number.starts_with('0');
    is_canonical && (rest == "#" || is_pointer(rest))
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_hex = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(is_hex)
}

fn is_duration(text: &str) -> bool {
    let Some(text) = text.strip_prefix('P').filter(|text| !text.is_empty()) else {
        return false;
    };
    if let Some(weeks) = text.strip_suffix('W') {
        return is_number(weeks);
    }
    match text.split_once('T') {
        None => has_units(text, "YMD"),
        Some((date, time)) => has_units(date, "YMD") && !time.is_empty() && has_units(time, "HMS"),
    }
}

/// Numbers with units in their order, each at most once.
fn has_units(mut text: &str, mut units: &str) -> bool {
    while !text.is_empty() {
        let (number, rest) = digits(text);
        let Some(unit) = rest.chars().next().filter(|_| !number.is_empty()) else {
            return false;
        };
        let Some((_, left)) = units.split_once(unit) else {
            return false;
        };
        units = left;
        text = rest.get(unit.len_utf8()..).unwrap_or_default();
    }
    true
}

fn is_period(text: &str) -> bool {
    let Some((start, end)) = text.split_once('/') else {
        return false;
    };
    if start.starts_with('P') {
        return is_duration(start) && is_date_time(end);
    }
    let is_end = if end.starts_with('P') {
        is_duration
    } else {
        is_date_time
    };
    is_date_time(start) && is_end(end)
}

/// Go's `strconv.Atoi`.
fn go_int(text: &str) -> Option<i64> {
    let number = text.strip_prefix(['+', '-']).unwrap_or(text);
    is_number(number).then(|| text.parse().ok()).flatten()
}

fn is_ipv4(text: &str) -> bool {
    let groups: Vec<&str> = text.split('.').collect();
    let is_byte = |group: &&str| {
        let is_padded = group.len() > 1 && group.starts_with('0');
        !is_padded && go_int(group).is_some_and(|number| (0..=255).contains(&number))
    };
    groups.len() == 4 && groups.iter().all(is_byte)
}

fn is_ipv6(text: &str) -> bool {
    // What Go takes between the brackets of a URL is the same, zones aside, where the old addresses are refused too.
    text.contains(':') && !text.contains(['%', ']', '[']) && UrlParts::of(&format!("//[{text}]")).is_ok()
}

fn is_hostname(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(is_sign)
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_email(text: &str) -> bool {
    const SIGNS: &[u8] = b".!#$%&'*+-/=?^_`{|}~";
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    if text.len() > 254 || local.len() > 64 {
        return false;
    }
    let is_local = if local.len() > 1 && local.starts_with('"') {
        // The last sign is taken for the second quote, whatever it is.
        let within = local.as_bytes().get(1..local.len() - 1).unwrap_or_default();
        !within.iter().any(|byte| b"\\\"".contains(byte))
    } else {
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || SIGNS.contains(&byte);
        !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local.bytes().all(is_sign)
    };
    let literal = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_domain = match literal {
        Some(literal) => literal
            .strip_prefix("IPv6:")
            .map_or_else(|| is_ipv4(literal), is_ipv6),
        None => is_hostname(domain),
    };
    is_local && is_domain
}

/// `2006-01-02`
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return false;
    };
    let is_written = [*year, *month, *day].into_iter().all(is_number);
    let (Ok(year_of), Ok(month_of), Ok(day_of)) = (year.parse(), month.parse(), day.parse()) else {
        return false;
    };
    is_written
        && (year.len(), month.len(), day.len()) == (4, 2, 2)
        && jiff::civil::Date::new(year_of, month_of, day_of).is_ok()
}

/// Hours, minutes and, if there are three, seconds.
fn clock(text: &str) -> Option<(i64, i64, i64)> {
    let mut parts = text.splitn(3, ':').map(go_int);
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().unwrap_or(Some(0))?;
    let fits = (0..24).contains(&hours) && (0..60).contains(&minutes) && (0..=60).contains(&seconds);
    fits.then_some((hours, minutes, seconds))
}

/// A time with its zone; a leap second is at the end of a day.
fn is_time(text: &str) -> bool {
    let colon = |text: &str, at: usize| text.as_bytes().get(at) == Some(&b':');
    let Some((time, mut zone)) = text.split_at_checked(8) else {
        return false;
    };
    if zone.is_empty() || !colon(time, 2) || !colon(time, 5) {
        return false;
    }
    let Some((hours, minutes, seconds)) = clock(time) else {
        return false;
    };
    if let Some(fraction) = zone.strip_prefix('.') {
        let (number, rest) = digits(fraction);
        if number.is_empty() {
            return false;
        }
        zone = rest;
    }
    let mut of_day = hours * 60 + minutes;
    if zone != "z" && zone != "Z" {
        let sign = match zone.as_bytes().first() {
            Some(b'+') => -1,
            Some(b'-') => 1,
            _ => return false,
        };
        let offset = zone.get(1..).unwrap_or_default();
        if offset.len() != 5 || !colon(offset, 2) {
            return false;
        }
        let Some((hours, minutes, 0)) = clock(offset) else {
            return false;
        };
        of_day += sign * (hours * 60 + minutes);
        if of_day < 0 {
            of_day += 24 * 60;
        }
    }
    seconds < 60 || of_day == 23 * 60 + 59
}

fn is_date_time(text: &str) -> bool {
    let is_t = |c: u8| matches!(c, b't' | b'T');
    let halves = text.get(..10).zip(text.get(11..));
    text.as_bytes().get(10).copied().is_some_and(is_t)
        && halves.is_some_and(|(date, time)| is_date(date) && is_time(time))
}

/// A URL whose host is no IPv6 address, or one in brackets without a zone.
fn url(text: &str) -> Option<UrlParts> {
    let url = UrlParts::of(text).ok()?;
    let host = String::from_utf8_lossy(&url.host);
    let name = hostname(&host);
    let is_right = !name.contains(':') || host.contains('[') && host.contains(']') && is_ipv6(name);
    is_right.then_some(url)
}

/// Go's `URL.Hostname`: without the port and without brackets.
fn hostname(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.is_empty() || is_number(port) => name,
        _ => host,
    };
    name.strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name)
}

fn is_uri(text: &str) -> bool {
    url(text).is_some_and(|url| !url.scheme.is_empty())
}

fn is_uri_reference(text: &str) -> bool {
    !text.contains('\\') && url(text).is_some()
}

/// Braces are looked at in the parts of the path, and only if one stands there without an escape.
fn is_uri_template(text: &str) -> bool {
    let is_plain = !text.contains(['{', '}']);
    url(text).is_some_and(|url| {
        is_plain
            || url.path.split(|byte| *byte == b'/').all(|part| {
                let mut braces = part.iter().filter(|byte| b"{}".contains(byte));
                let mut is_open = false;
                braces.all(|brace| {
                    is_open = !is_open;
                    (*brace == b'{') == is_open
                }) && !is_open
            })
    })
}

fn is_semver(text: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(is_sign);
    let is_padded = |number: &str| number.len() > 1 && number.starts_with('0') && is_number(number);
    let (text, build) = text
        .split_once('+')
        .map_or((text, None), |(text, build)| (text, Some(build)));
    let (core, before) = text
        .split_once('-')
        .map_or((text, None), |(core, before)| (core, Some(before)));
    let numbers: Vec<&str> = core.split('.').collect();
    numbers.len() == 3
        && numbers
            .iter()
            .all(|number| is_number(number) && !is_padded(number))
        && before.is_none_or(|before| before.split('.').all(|name| is_name(name) && !is_padded(name)))
        && build.is_none_or(|build| build.split('.').all(is_name))
}

fn is_regex(text: &str) -> bool {
    Pattern::new(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, good: &[&str], bad: &[&str]) {
        let (_, is_right) = ALL.iter().find(|(name, _)| *name == format).unwrap();
        for text in good {
            assert!(is_right(text), "{format}: {text}");
        }
        for text in bad {
            assert!(!is_right(text), "{format}: {text}");
        }
    }

    /// Verdicts of santhosh-tekuri/jsonschema v6.0.2.
    #[test]
    fn texts_are_of_the_formats_that_helm_takes_them_for() {
        check("json-pointer", &["", "/a~0b", "/"], &["a", "/~", "/~2"]);
        check(
            "relative-json-pointer",
            &["0", "1/a", "10#"],
            &["", "01", "1a", "#"],
        );
        check(
            "uuid",
            &["123E4567-e89b-12d3-a456-426614174000"],
            &[
                "123e4567e89b12d3a456426614174000",
                "g23e4567-e89b-12d3-a456-426614174000",
            ],
        );
        check(
            "duration",
            &["P1Y2M3DT4H5M6S", "P2W", "PT1S", "P1D"],
            &["P", "PT", "1Y", "P1DT", "P1M1Y", "PW", "P1YW", "P1"],
        );
        check(
            "period",
            &["2024-01-01T00:00:00Z/P1D", "P1D/2024-01-01T00:00:00Z"],
            &["P1D/P1D", "2024-01-01T00:00:00Z"],
        );
        check(
            "ipv4",
            &["1.2.3.4", "+1.2.3.4"],
            &["1.2.3", "01.2.3.4", "256.1.1.1", "1.2.3.x"],
        );
        check(
            "ipv6",
            &["::1", "1:2::3.4.5.6"],
            &["::1%en0", "1.2.3.4", "[::1]", "1::2::3"],
        );
        check(
            "hostname",
            &["a.b", "1.2", "a.", "A-b"],
            &["", "-a", "a-", "a_b", "é.de", "a..b"],
        );
        check(
            "email",
            &["a@b", "\"a b\"@b", "a@[1.2.3.4]", "a@[IPv6:::1]", "@b"],
            &["a", ".a@b", "a..b@c", "é@b", "a@b_c", "a@[x]", "\"a\\b\"@c"],
        );
        check(
            "date",
            &["2024-02-29", "0000-01-01"],
            &["2023-02-29", "24-1-1", "2024-1-01", "2024-01-01x"],
        );
        check(
            "time",
            &[
                "01:02:03Z",
                "01:02:03.5+01:00",
                "23:59:60Z",
                "00:59:60+01:00",
                "+1:02:03z",
            ],
            &[
                "01:02:03",
                "24:00:00Z",
                "01:02:60Z",
                "01:02:03.Z",
                "01:02:03+1:00",
                "01-02-03Z",
            ],
        );
        check(
            "date-time",
            &["2024-01-01T00:00:00Z", "2024-01-01t00:00:00z"],
            &["2024-01-01 00:00:00Z"],
        );
        check(
            "uri",
            &["a:b", "http://[::1]/", "http://é.de"],
            &["/a", "http://a b", "http://[::1%25en0]/", "http://::1/"],
        );
        check("iri-reference", &["", "/a", "x y", "#é"], &["a\\b", ":", "%zz"]);
        check(
            "uri-template",
            &["/a/{b}/c", "%7B", "x"],
            &["/{a", "/a}", "/{{a}}", "/{a/b}"],
        );
        check(
            "semver",
            &["1.2.3", "1.2.3-a.1+b"],
            &["1.2", "01.2.3", "1.2.3-01", "1.2.3+", "v1.2.3"],
        );
        check("regex", &["a+", "\\pL"], &["(?=a)", "["]);
    }
}
