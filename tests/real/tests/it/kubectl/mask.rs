//! Takes out of a text what is never the same twice.

/// Keys whose values are masked wherever they stand alone in a line.
const KEYS: &[&str] = &[
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "time",
    "clusterIP",
    "lastTransitionTime",
    "lastUpdateTime",
    "expirationTimestamp",
    "token",
    "firstTimestamp",
    "lastTimestamp",
    "ca.crt",
    "kubernetes.io/config.mirror",
];

/// The text with its volatile parts masked. Columns are made one space apart, since their width depends on what was
/// masked; YAML keeps its indentation.
pub(super) fn volatile(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let words: Vec<String> = line.split_whitespace().map(word).collect();
        let line = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["Resource", "Version:", _] => "Resource Version: <masked>".to_owned(),
            [first, _, ..] if is_masked(first) => format!("{first} <masked>"),
            words => words.join(" "),
        };
        out.push_str(&" ".repeat(indent));
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// What `kubectl explain` prints, with each description cut after its first sentence: the stand-in has no more of
/// those of built-in types.
pub(super) fn first_sentences(text: &str) -> String {
    let mut out = String::new();
    let mut description = String::new();
    for line in text.lines().chain([""]) {
        let is_text = line.starts_with("    ") && !line.trim().is_empty();
        if is_text {
            description.push_str(line.trim());
            description.push(' ');
            continue;
        }
        if !description.is_empty() {
            let end = description.find(". ").map_or(description.len(), |at| at + 1);
            out.push_str("    ");
            out.push_str(description[..end].trim_end());
            out.push('\n');
            description.clear();
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn is_masked(first: &str) -> bool {
    let key = first.trim_matches(|c| matches!(c, '"' | ':' | ',' | '+' | '-'));
    first.ends_with(':') && KEYS.contains(&key)
}

fn word(word: &str) -> String {
    let core = word.trim_matches(|c: char| matches!(c, '"' | '\'' | ',' | ':' | '(' | ')' | '[' | ']'));
    let mask = if is_age(core) {
        "<age>"
    } else if is_address(core) {
        "<address>"
    } else if is_time(core) {
        "<time>"
    } else if is_uid(core) {
        "<uid>"
    } else {
        return word.to_owned();
    };
    word.replace(core, mask)
}

/// `5s`, `2m3s`, `450ms`.
fn is_age(text: &str) -> bool {
    let (mut digits, mut units) = (0, 0);
    for c in text.chars() {
        match c {
            '0'..='9' => digits += 1,
            's' | 'm' | 'h' | 'd' if digits > 0 => units += 1,
            _ => return false,
        }
    }
    units > 0 && text.starts_with(|c: char| c.is_ascii_digit())
}

/// An address of IPv4, with or without a port.
fn is_address(text: &str) -> bool {
    let host = text.rsplit_once(':').map_or(text, |(host, _)| host);
    let host = host.rsplit_once("//").map_or(host, |(_, host)| host);
    host.parse::<std::net::Ipv4Addr>()
        .is_ok_and(|address| !address.is_unspecified())
}

fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}

fn is_uid(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

#[test]
fn what_changes_is_masked_and_nothing_else() {
    let text = "NAME   AGE\nweb    12s\n  uid: 0e5f4fb4-3b2a-4f8e-9f4e-aaaaaaaaaaaa\n  replicas: 3\n";
    let masked = "NAME AGE\nweb <age>\n  uid: <masked>\n  replicas: 3\n";
    assert_eq!(volatile(text), masked);
    let text = "DESCRIPTION:\n    One thing. And\n    another.\n\nFIELDS:\n  a\t<string>\n    The a. More.\n";
    let cut = "DESCRIPTION:\n    One thing.\n\nFIELDS:\n  a\t<string>\n    The a.\n\n";
    assert_eq!(first_sentences(text), cut);
    assert_eq!(volatile("at 10.0.0.1:80, v1.2\n"), "at <address>, v1.2\n");
}
