//! Where YAML 1.1, as the Go libraries read it, and YAML 1.2 part. Each answer is that of go.yaml.in/yaml v3.0.3 and v2.4.2.

use weir_yaml::{Dialect, parse_all, parse_one, to_json};

const NO_KEY: &str = "did not find expected key";
const TAB: &str = "found a tab character";

fn refused(text: &str, message: &str) {
    match parse_all(text) {
        Ok(_) => panic!("{text:?} is read"),
        Err(error) => assert!(error.message.starts_with(message), "{text:?}: {error}"),
    }
}

fn read(text: &str, json: &str) {
    let root = parse_one(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!(
        to_json(&root, Dialect::Kyaml).unwrap().to_string(),
        json,
        "{text:?}"
    );
}

#[test]
fn a_key_that_is_nothing_at_all_is_refused_unless_a_question_mark_says_that_it_comes() {
    for text in [
        ": \"0\"\n",
        "labels:\n  a: b\n  : \"0\"\n",
        "a: b?\n: c\n",
        "- : a\n",
        "a: {: b}\n",
        "a: [: b]\n",
        "a: {b: c, : d}\n",
        "# c\n: a\n",
    ] {
        refused(text, NO_KEY);
    }
    read("a:\n  ? b\n  :\n", "{\"a\":{\"b\":null}}");
    read("a:\n  ? b # c\n  # d\n  : e\n", "{\"a\":{\"b\":\"e\"}}");
    for text in ["?\n: a\n", "? # c\n: a\n", "&a : b\n", "!!str : b\n"] {
        assert!(parse_all(text).is_ok(), "{text:?}");
    }
}

#[test]
fn a_colon_within_a_flow_collection_ends_a_key_only_before_a_blank() {
    read("args: [--x=a:]\n", "{\"args\":[\"--x=a:\"]}");
    read("args: [a:, 'b', c:d:]\n", "{\"args\":[\"a:\",\"b\",\"c:d:\"]}");
    read("a: [b :]\n", "{\"a\":[\"b :\"]}");
    read("a: {b:, c: d:}\n", "{\"a\":{\"b:\":\"\",\"c\":\"d:\"}}");
    read("a: {b: , 'c':}\n", "{\"a\":{\"b\":\"\",\"c\":\"\"}}");
    read("a: ['b':, \"c\":[]]\n", "{\"a\":[{\"b\":\"\"},{\"c\":[]}]}");
    read("a: b:]\n", "{\"a\":\"b:]\"}");
}

#[test]
fn a_comment_begins_wherever_a_token_could() {
    read("image: \"nginx\"#latest\n", "{\"image\":\"nginx\"}");
    read("a:\n- 'b'#c\n- d\n", "{\"a\":[\"b\",\"d\"]}");
    read(
        "a: [#c\n  b,#d\n  \"e\"#f\n  ]#g\nh: 1\n",
        "{\"a\":[\"b\",\"e\"],\"h\":1}",
    );
    read(
        "a: {#c\n  b: d,#e\n  'f': g}#h\n",
        "{\"a\":{\"b\":\"d\",\"f\":\"g\"}}",
    );
    read("[[#\n]]", "[[]]");
    read("a: |#c\n  b\n", "{\"a\":\"b\\n\"}");
    // Behind a plain text it is part of that.
    read("a: [b, c#d\n  ]\n", "{\"a\":[\"b\",\"c#d\"]}");
    read("a: b#c\n", "{\"a\":\"b#c\"}");
    assert!(parse_all("a: {\"b\"#c\n: d}\n").is_err());
}

#[test]
fn tabs_are_refused_where_a_key_could_stand() {
    for text in [
        "\ta: 1\n",
        "a:\n\t\n  b: 1\n",
        "a:\n \tb\n",
        "a: 1\n\t#c\nb: 2\n",
        "a: 'x'\n  \t\nb: 2\n",
        "a: 1 # c\n  \t#d\nb: 2\n",
        "a:\n  - b\n  \t\n  - c\n",
        "a: |\n \tb\n",
        "a: |\n  x\n\t# c\nb: 1\n",
        "-\ta\n",
        "- \ta: 1\n",
        "---\n\t# c\na: 1\n",
    ] {
        refused(text, TAB);
    }
}

#[test]
fn tabs_are_read_where_no_key_could_stand() {
    read("a:\tb\n", "{\"a\":\"b\"}");
    read("a: 1\n  \t\nb: 2\n", "{\"a\":1,\"b\":2}");
    read("a: 1\n  \t#d\nb: 2\n", "{\"a\":1,\"b\":2}");
    read("a: [x,\n\t#c\n\ty]\n", "{\"a\":[\"x\",\"y\"]}");
    read("a: |\n  x\n  \ty\n", "{\"a\":\"x\\n\\ty\\n\"}");
    read("a: 'x\n\ty'\n", "{\"a\":\"x y\"}");
    read("a:\t# c\n  b: 1\n", "{\"a\":{\"b\":1}}");
    read("# c\n\t# d\na: 1\n", "{\"a\":1}");
}

#[test]
fn a_byte_order_mark_is_one_at_the_start_alone() {
    read("\u{feff}b: 5\n \"\n", "{\"b\":\"5 \\\"\"}");
    refused("c:\n\u{feff}", "could not find expected ':'");
}

#[test]
fn control_characters_are_refused() {
    for character in [
        '\0', '\u{1}', '\u{1f}', '\u{7f}', '\u{80}', '\u{9f}', '\u{fffe}', '\u{ffff}',
    ] {
        refused(
            &format!("a: b\nc: \"é{character}\"\n"),
            "control characters are not allowed",
        );
    }
    for character in ['\t', '\u{a0}', '\u{e9}', '\u{fffd}', '\u{1f600}'] {
        assert!(
            parse_all(&format!("a: \"é{character}\"\n")).is_ok(),
            "{character:?}"
        );
    }
}

#[test]
fn errors_say_where_a_collection_begins_and_what_is_missing() {
    let message = |text: &str| parse_all(text).unwrap_err().to_string();
    assert_eq!(
        message("a: [1,\n  2\nb: 3\n"),
        "yaml: line 3, column 2: did not find expected ',' or ']' in the list that begins on line 1"
    );
    assert_eq!(
        message("a:\n  b: 1\n c: 2\n"),
        "yaml: line 3, column 2: did not find expected key in the mapping that begins on line 1"
    );
    assert_eq!(
        message("a: b\nc: [d,\n  {e: f}\n"),
        "yaml: line 2, column 4: did not find expected ',' or ']': this '[' is never closed"
    );
    assert_eq!(
        message("a: {b: [c\n"),
        "yaml: line 1, column 8: did not find expected ',' or ']': this '[' is never closed"
    );
    assert_eq!(
        message("a: \"b\nc: d\n"),
        "yaml: line 1, column 4: found unexpected end of stream: this quoted text has no end"
    );
    assert_eq!(
        message("a: @b\n"),
        "yaml: line 1, column 4: found character that cannot start any token: `@` at the start of a text needs quotes around it"
    );
    assert_eq!(
        message("a:\n\tb: 1\n"),
        "yaml: line 2, column 1: found a tab character that cannot start any token: YAML is indented with spaces"
    );
}
