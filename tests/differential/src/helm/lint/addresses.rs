//! Addresses for mail and of pages, most of which somebody refuses.

use std::fmt::Write as _;

use crate::dice::Dice;

/// A text as YAML has it in double quotes, in ASCII.
pub(super) fn quoted(text: &str) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        let _written = match c {
            '"' | '\\' => write!(out, "\\{c}"),
            ' '..='~' => write!(out, "{c}"),
            _ => write!(out, "\\U{:08x}", u32::from(c)),
        };
    }
    out + "\""
}

/// An address for mail.
pub(super) fn email(dice: &mut Dice) -> String {
    let local = match dice.below(3) {
        0 => in_quotes(dice),
        1 => parts(dice, &LOCAL),
        _ => dice.pick(&LOCAL).to_owned(),
    };
    let domain = if dice.chance(20) {
        parts(dice, &DOMAIN)
    } else {
        dice.pick(&DOMAIN).to_owned()
    };
    format!("{local}@{domain}")
}

const LOCAL: [&str; 26] = [
    "a",
    "b.c",
    "\"q q\"",
    "é",
    "日本",
    "-",
    "_",
    "a..b",
    ".a",
    "a b",
    "1",
    "",
    "a+b",
    "\"\\(x\"",
    "\"a\"",
    "\"",
    "a(c)",
    "<a>",
    "a@b",
    "\t",
    "\u{7f}",
    "\u{a0}",
    "\u{85}",
    "\u{fdd0}",
    "\u{1f600}",
    "a,b",
];

const DOMAIN: [&str; 22] = [
    "b.c",
    "b",
    "b.c1",
    "é.de",
    "-b.c",
    "b_.c",
    "b.c.",
    "[1.2.3.4]",
    "[IPv6:::1]",
    "b..c",
    "x-y.example.com",
    "b.c-d",
    "b.C~d",
    "a_b.c",
    "",
    "日本.日本",
    "xn--e1.com",
    "b.c\u{e9}1",
    "1.2.3.4",
    "b.c ",
    "b.\u{fff0}",
    "b.c\n",
];

fn parts(dice: &mut Dice, from: &[&str]) -> String {
    (0..=dice.below(4)).map(|_| dice.pick(from)).collect()
}

/// Signs each behind a quote, or blanks, as govalidator wants them, and otherwise.
fn in_quotes(dice: &mut Dice) -> String {
    let mut text = String::new();
    for _ in 0..dice.below(3) {
        let blank = dice.pick(&["", "", " ", "\t", "\r\n ", " \r\n\t", "\r\n"]);
        let sign = dice.pick(&["q", "é", "(", "(\"", "(é", "!", "\u{1}", "\\", "ab", ""]);
        let _written = write!(text, "\"{blank}{sign}");
    }
    text + dice.pick(&["\"", "\"", "\"", " \"", ""])
}

/// The address of a page.
pub(super) fn url(dice: &mut Dice) -> String {
    let scheme = dice.pick(&[
        "",
        "http://",
        "https://",
        "ftp://",
        "gopher://",
        "//",
        "///",
        "https://u:p@",
        "https://u@v@",
        "http://é@",
        "http://%zz@",
        "HTTP://",
        "1a://",
        "wss://",
        "a:",
        "http:/",
        "mailto:",
        "mongodb://",
        "oci://",
    ]);
    let host = match dice.below(40) {
        0 => "x".repeat(2100),
        1 => "é".repeat(1040),
        _ => dice.pick(&HOSTS).to_owned(),
    };
    let port = dice.pick(&["", "", "", ":80", ":0", ":999999", ":x", ":", ":80:80"]);
    let path = dice.pick(&[
        "",
        "",
        "/",
        "/x y",
        "?q",
        "?a b",
        "#f",
        "#%zz",
        "/%zz",
        "/%41",
        "/a/b?c=d#e",
        "x",
        "/é",
        "/\u{1}",
        "/\t",
        "/\u{a0}",
        "/\u{2028}",
        "?",
        "/a:b[c]",
    ]);
    format!("{scheme}{host}{port}{path}")
}

const HOSTS: [&str; 46] = [
    "a",
    "a.b",
    "localhost",
    "1.2.3.4",
    "0.1.2.3",
    "224.1.1.1",
    "999.1.1.1",
    "[::1]",
    "[1:2:3:4:5:6:7:8]",
    "[1:2:3:4:5:6:7:8:9]",
    "[1::2::3]",
    "[fe80::1%25en0]",
    "[fe80::1%25]",
    "[fe80::1%25%2f]",
    "[fe80::1%25%20]",
    "[fe80::1%en0]",
    "[1.2.3.4]",
    "[x]",
    "[]",
    "[::1",
    "::1",
    "a[::1]",
    "a:1,b:2",
    "a_b.c",
    "é.fr",
    "日本.jp",
    "\u{1f600}.x",
    "\u{ffff}.x",
    "-a",
    "a--b.c",
    "a-.b",
    "www.x",
    "x.",
    "example.com",
    "",
    ".x",
    "..",
    "a b",
    "a<b>",
    "a\"b",
    "a%41",
    "a%C3%A9",
    "a%25",
    "*",
    "sub.example.co.uk",
    "[::ffff:1.2.3.4]",
];
