//! URLs, as `net/url` takes them apart and puts them together.

mod literal;

use std::fmt::Write;

use crate::families::args::{Result, fail, map, text};
use crate::quote::quote;
use crate::types::Kind;
use crate::{CallError, Entry, Env, Map, Signature, Str, Value, ty};

pub(super) static URLS: &[Entry] = &[
    ("urlParse", Signature::new(&[&ty::STRING]), url_parse),
    ("urlJoin", Signature::new(&[&ty::MAP_ANY]), url_join),
];

#[derive(Debug, Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    /// As it stands in the URL, where it differs from the usual way of writing it.
    user: Option<(Vec<u8>, Option<Vec<u8>>)>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    force_query: bool,
    fragment: Vec<u8>,
}

/// Where a piece of text stands, which decides what is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Host,
    Zone,
    Path,
    User,
    Fragment,
}

fn should_escape(byte: u8, place: Place) -> bool {
    if byte.is_ascii_alphanumeric() {
        return false;
    }
    if matches!(place, Place::Host | Place::Zone)
        && matches!(
            byte,
            b'!' | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'['
                | b']'
                | b'<'
                | b'>'
                | b'"'
        )
    {
        return false;
    }
    match byte {
        b'-' | b'_' | b'.' | b'~' => false,
        b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'?' | b'@' => match place {
            Place::Path => byte == b'?',
            Place::User => matches!(byte, b'@' | b'/' | b'?' | b':'),
            Place::Fragment => false,
            Place::Host | Place::Zone => true,
        },
        b'!' | b'(' | b')' | b'*' if place == Place::Fragment => false,
        _ => true,
    }
}

fn escape(text: &[u8], place: Place) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if should_escape(*byte, place) {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            out.push(*byte);
        }
    }
    out
}

fn unescape(text: &[u8], place: Place) -> std::result::Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'%' => {
                let digits = text
                    .get(at + 1..at + 3)
                    .and_then(|hex| std::str::from_utf8(hex).ok());
                let code = digits
                    .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok());
                let Some(code) = code else {
                    let shown = text.get(at..text.len().min(at + 3)).unwrap_or_default();
                    return Err(format!("invalid URL escape {}", quote(shown, false)));
                };
                // In a host escapes are for what is no ASCII, in a zone for what may stand there anyway; Windows has blanks in them.
                let is_refused = match place {
                    Place::Host => code < 0x80,
                    Place::Zone => code != b' ' && should_escape(code, Place::Host),
                    Place::Path | Place::User | Place::Fragment => false,
                };
                if is_refused && code != b'%' {
                    let shown = text.get(at..at + 3).unwrap_or_default();
                    return Err(format!("invalid URL escape {}", quote(shown, false)));
                }
                out.push(code);
                at += 3;
            }
            byte => {
                if matches!(place, Place::Host | Place::Zone) && *byte < 0x80 && should_escape(*byte, place) {
                    return Err(format!(
                        "invalid character {} in host name",
                        quote(&[*byte], false)
                    ));
                }
                out.push(*byte);
                at += 1;
            }
        }
    }
    Ok(out)
}

/// The scheme and what follows its colon.
fn scheme(text: &[u8]) -> std::result::Result<(&[u8], &[u8]), String> {
    for (index, byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => {
                return Ok((
                    text.get(..index).unwrap_or_default(),
                    text.get(index + 1..).unwrap_or_default(),
                ));
            }
            _ => break,
        }
    }
    Ok((b"", text))
}

fn split_at(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|b| *b == at) {
        Some(index) => (text.get(..index).unwrap_or_default(), text.get(index + 1..)),
        None => (text, None),
    }
}

/// What Go's `net/url` finds in a URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UrlParts {
    /// Without its colon, in lower case; empty where there is none.
    pub scheme: Vec<u8>,
    /// With the port.
    pub host: Vec<u8>,
    /// With its escapes resolved.
    pub path: Vec<u8>,
}

impl UrlParts {
    /// Takes a URL apart as `url.Parse` does.
    ///
    /// # Errors
    /// What Go says of a text that is none.
    pub fn of(text: &str) -> std::result::Result<Self, String> {
        parse(text.as_bytes()).map(Self::from)
    }

    /// Takes a URL apart as `url.ParseRequestURI` does: it is absolute or a path from the root, and has no fragment.
    ///
    /// # Errors
    /// What Go says of a text that is none.
    pub fn of_request(text: &str) -> std::result::Result<Self, String> {
        if text.is_empty() {
            return Err("empty url".to_owned());
        }
        parse_rest(text.as_bytes(), true).map(Self::from)
    }
}

impl From<Url> for UrlParts {
    fn from(url: Url) -> Self {
        Self {
            scheme: url.scheme,
            host: url.host,
            path: url.path,
        }
    }
}

fn parse(whole: &[u8]) -> std::result::Result<Url, String> {
    let (text, fragment) = split_at(whole, b'#');
    let shown = |text: &[u8], message: String| format!("parse {}: {message}", quote(text, false));
    let mut url = parse_rest(text, false).map_err(|message| shown(text, message))?;
    if let Some(fragment) = fragment {
        url.fragment = unescape(fragment, Place::Fragment).map_err(|message| shown(whole, message))?;
    }
    Ok(url)
}

/// `is_request`: the URL is that of a request, which is nothing relative.
fn parse_rest(text: &[u8], is_request: bool) -> std::result::Result<Url, String> {
    let mut url = Url::default();
    if text.iter().any(|b| *b < 0x20 || *b == 0x7f) {
        return Err("net/url: invalid control character in URL".to_owned());
    }
    if text == b"*" {
        url.path = b"*".to_vec();
        return Ok(url);
    }
    let (scheme, mut rest) = scheme(text)?;
    url.scheme = scheme.to_ascii_lowercase();
    if rest.ends_with(b"?") && rest.iter().position(|b| *b == b'?') == Some(rest.len() - 1) {
        url.force_query = true;
        rest = rest.strip_suffix(b"?").unwrap_or(rest);
    } else {
        let (before, query) = split_at(rest, b'?');
        rest = before;
        url.query = query.unwrap_or_default().to_vec();
    }
    if !rest.starts_with(b"/") {
        if !url.scheme.is_empty() {
            url.opaque = rest.to_vec();
            return Ok(url);
        }
        if is_request {
            return Err("invalid URI for request".to_owned());
        }
        let (segment, _) = split_at(rest, b'/');
        if segment.contains(&b':') {
            return Err("first path segment in URL cannot contain colon".to_owned());
        }
    }
    if (!url.scheme.is_empty() || !is_request && !rest.starts_with(b"///")) && rest.starts_with(b"//") {
        let after = rest.get(2..).unwrap_or_default();
        let slash = after.iter().position(|b| *b == b'/').unwrap_or(after.len());
        rest = after.get(slash..).unwrap_or_default();
        authority(&mut url, after.get(..slash).unwrap_or_default())?;
    }
    url.path = unescape(rest, Place::Path)?;
    Ok(url)
}

fn authority(url: &mut Url, text: &[u8]) -> std::result::Result<(), String> {
    let at = text.iter().rposition(|b| *b == b'@');
    let behind = text.get(at.map_or(0, |at| at + 1)..).unwrap_or_default();
    url.host = host(&url.scheme, behind)?;
    let Some(user) = at.and_then(|at| text.get(..at)) else {
        return Ok(());
    };
    let valid = |b: &u8| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(b);
    if !user.iter().all(valid) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let (name, password) = split_at(user, b':');
    let password = match password {
        Some(password) => Some(unescape(password, Place::User)?),
        None => None,
    };
    url.user = Some((unescape(name, Place::User)?, password));
    Ok(())
}

fn host(scheme: &[u8], text: &[u8]) -> std::result::Result<Vec<u8>, String> {
    let check_port = |port: &[u8]| -> std::result::Result<(), String> {
        match port.strip_prefix(b":") {
            None if port.is_empty() => Ok(()),
            Some(digits) if digits.iter().all(u8::is_ascii_digit) => Ok(()),
            _ => Err(format!("invalid port {} after host", quote(port, false))),
        }
    };
    match text.iter().rposition(|b| *b == b'[') {
        Some(0) => {
            let Some(end) = text.iter().rposition(|b| *b == b']') else {
                return Err("missing ']' in host".to_owned());
            };
            let port = text.get(end + 1..).unwrap_or_default();
            check_port(port)?;
            let port = unescape(port, Place::Host)?;
            let within = text.get(1..end).unwrap_or_default();
            let zone = within.windows(3).position(|part| part == b"%25");
            let (address, zone) = within
                .split_at_checked(zone.unwrap_or(within.len()))
                .unwrap_or_default();
            let mut address = unescape(address, Place::Host)?;
            address.extend(unescape(zone, Place::Zone)?);
            literal::check(&address)?;
            return Ok([b"[", address.as_slice(), b"]", port.as_slice()].concat());
        }
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {}
    }
    // Lists of hosts with ports are known to databases, and not to the web.
    let colon = if scheme == b"http" || scheme == b"https" {
        text.iter().position(|b| *b == b':')
    } else {
        text.iter().rposition(|b| *b == b':')
    };
    if let Some(colon) = colon {
        check_port(text.get(colon..).unwrap_or_default())?;
    }
    unescape(text, Place::Host)
}

fn hostname(host: &[u8]) -> Vec<u8> {
    let colon = host.iter().rposition(|b| *b == b':');
    let is_port = |colon: &usize| {
        host.get(colon + 1..)
            .is_some_and(|port| port.iter().all(u8::is_ascii_digit))
    };
    let name = colon
        .filter(is_port)
        .and_then(|colon| host.get(..colon))
        .unwrap_or(host);
    name.strip_prefix(b"[")
        .and_then(|name| name.strip_suffix(b"]"))
        .unwrap_or(name)
        .to_vec()
}

impl Url {
    fn userinfo(&self) -> Vec<u8> {
        let Some((name, password)) = &self.user else {
            return Vec::new();
        };
        let mut out = escape(name, Place::User);
        if let Some(password) = password {
            out.push(b':');
            out.extend(escape(password, Place::User));
        }
        out
    }

    fn print(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(&self.scheme);
            out.push(b':');
        }
        if self.opaque.is_empty() {
            if !self.scheme.is_empty() || !self.host.is_empty() || self.user.is_some() {
                if !self.host.is_empty() || !self.path.is_empty() || self.user.is_some() {
                    out.extend_from_slice(b"//");
                }
                if self.user.is_some() {
                    out.extend(self.userinfo());
                    out.push(b'@');
                }
                out.extend(escape(&self.host, Place::Host));
            }
            let path = if self.path == b"*" {
                self.path.clone()
            } else {
                escape(&self.path, Place::Path)
            };
            if !path.is_empty() && !path.starts_with(b"/") && !self.host.is_empty() {
                out.push(b'/');
            }
            // A colon in the first segment would be taken for a scheme.
            if out.is_empty() {
                let (segment, _) = split_at(&path, b'/');
                if segment.contains(&b':') {
                    out.extend_from_slice(b"./");
                }
            }
            out.extend(path);
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if self.force_query || !self.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend(escape(&self.fragment, Place::Fragment));
        }
        out
    }
}

fn url_parse(_: &mut Env<'_>, args: &[Value]) -> Result {
    let url =
        parse(text(args, 0).as_bytes()).map_err(|error| fail(format!("unable to parse url: {error}")))?;
    let out = Map::new();
    let hostname = hostname(&url.host);
    let userinfo = url.userinfo();
    let parts = [
        ("scheme", url.scheme),
        ("host", url.host),
        ("hostname", hostname),
        ("path", url.path),
        ("query", url.query),
        ("opaque", url.opaque),
        ("fragment", url.fragment),
        ("userinfo", userinfo),
    ];
    for (name, part) in parts {
        out.insert(name, Str::from(part));
    }
    Ok(out.into())
}

fn part(map: Option<&Map>, key: &str) -> std::result::Result<Vec<u8>, CallError> {
    match map.and_then(|map| map.get(key)) {
        None => Ok(Vec::new()),
        Some(Value::Str(text) | Value::Number(text)) => Ok(text.as_bytes().to_vec()),
        Some(Value::Nil) => Err(crate::families::args::nil_dereference()),
        Some(other) => {
            let mut message = String::new();
            let kind: Kind = other.kind();
            let _ = write!(
                message,
                "unable to parse {key} key, must be of type string, but {} found",
                kind.name()
            );
            Err(fail(message))
        }
    }
}

fn url_join(_: &mut Env<'_>, args: &[Value]) -> Result {
    let map = map(args, 0);
    let mut url = Url {
        scheme: part(map, "scheme")?,
        host: part(map, "host")?,
        path: part(map, "path")?,
        query: part(map, "query")?,
        opaque: part(map, "opaque")?,
        fragment: part(map, "fragment")?,
        ..Url::default()
    };
    let userinfo = part(map, "userinfo")?;
    if !userinfo.is_empty() {
        let text = [b"proto://", userinfo.as_slice(), b"@host"].concat();
        let parsed =
            parse(&text).map_err(|error| fail(format!("unable to parse userinfo in dict: {error}")))?;
        url.user = parsed.user;
    }
    Ok(Value::Str(url.print().into()))
}
