//! What the tree keeps.

use weir_yaml::{
    Dialect, Duplicates, Node, ParseOptions, Span, Style, Tag, parse_all, parse_all_with, parse_one, to_json,
};

#[test]
fn scalars_know_their_place_style_and_comment() {
    let text = "spec:\n  image: \"app:1.0\" # {\"$imagepolicy\": \"a:b\"}\n";
    let root = parse_one(text).unwrap();
    let image = root.at(&["spec", "image"]).unwrap();
    assert_eq!(image.as_str(), Some("app:1.0"));
    assert_eq!(image.style(), Style::DoubleQuoted);
    assert_eq!((image.span().line, image.span().column), (2, 10));
    let comments = image.comments().unwrap();
    assert_eq!(comments.line, "# {\"$imagepolicy\": \"a:b\"}");
}

#[test]
fn empty_and_written_nulls_are_told_apart() {
    let root = parse_one("a:\nb: ~\nc: null\n").unwrap();
    let texts: Vec<_> = root
        .entries()
        .unwrap()
        .iter()
        .map(|(_, v)| v.as_str().unwrap())
        .collect();
    assert_eq!(texts, ["", "~", "null"]);
    assert!(
        root.entries()
            .unwrap()
            .iter()
            .all(|(_, value)| value.tag() == Tag::Null)
    );
}

#[test]
fn documents_are_counted_and_empty_ones_have_no_content() {
    let documents = parse_all("a: 1\n---\n# nothing\n---\nb: 2\n").unwrap();
    assert_eq!(documents.len(), 3);
    assert!(documents[1].root.as_ref().is_none_or(weir_yaml::Node::is_null));
}

#[test]
fn merge_keys_yield_to_own_keys_and_earlier_sources() {
    let root = parse_one("base: &b {x: 1, w: 1}\nother: &o {w: 2, z: 2}\nmerged:\n  <<: [*b, *o]\n  x: 3\n")
        .unwrap();
    for dialect in [Dialect::Sigs, Dialect::Kyaml] {
        let value = to_json(&root, dialect).unwrap();
        assert_eq!(value["merged"].to_string(), r#"{"w":1,"x":3,"z":2}"#);
    }
}

#[test]
fn the_dialects_differ_on_words_dates_and_keys() {
    let root = parse_one("y: yes\ndate: 2024-01-01\noctal: 0755\n").unwrap();
    let sigs = to_json(&root, Dialect::Sigs).unwrap();
    assert_eq!(sigs["true"], true);
    assert_eq!(sigs["date"], "2024-01-01");
    let kyaml = to_json(&root, Dialect::Kyaml).unwrap();
    assert_eq!(kyaml["y"], "yes");
    assert_eq!(kyaml["date"], "2024-01-01T00:00:00Z");
    assert_eq!((&sigs["octal"], &kyaml["octal"]), (&493.into(), &493.into()));
}

#[test]
fn a_value_that_a_later_one_replaces_may_be_anything() {
    let options = ParseOptions {
        duplicates: Duplicates::Keep,
        ..ParseOptions::default()
    };
    for text in ["a: .nan\na: 1\n", "a: {~: 1}\na: 1\n"] {
        let documents = parse_all_with(text, options).unwrap();
        let value = to_json(documents[0].root.as_ref().unwrap(), Dialect::Sigs).unwrap();
        assert_eq!(value.to_string(), r#"{"a":1}"#);
    }
    // Keys are the same if they have the same value in Go. A zero below zero is zero.
    for (text, json) in [
        ("1: {~: 1}\n01: 3\n", r#"{"1":3}"#),
        ("true: .inf\ny: 3\n", r#"{"true":3}"#),
        ("0.0: .inf\n-0.0: 3\n", r#"{"-0":3}"#),
        ("a: .inf\n!!binary YQ==: 3\n", r#"{"a":3}"#),
        (
            "m: &m {1: x}\nb: {01: .inf, <<: *m, 0x1: z}\n",
            r#"{"b":{"1":"z"},"m":{"1":"x"}}"#,
        ),
    ] {
        let documents = parse_all_with(text, options).unwrap();
        let value = to_json(documents[0].root.as_ref().unwrap(), Dialect::Sigs).unwrap();
        assert_eq!(value.to_string(), json, "{text}");
    }
    // What cannot be read at all, sigs.k8s.io/yaml refuses there too.
    for text in [
        "a: !!binary =\na: 1\n",
        "a: !!int x\na: 1\n",
        "a: {!!int x: 1}\na: 1\n",
        "m: &m {a: 1}\nb: {a: {? [] : 1}, <<: *m}\n",
        "a: {? {} : 1}\na: 1\n",
        "a: {? {} : !!timestamp }\na: 1\n",
        "a: [.nan, {? [] : 1}]\na: 1\n",
    ] {
        let documents = parse_all_with(text, options).unwrap();
        to_json(documents[0].root.as_ref().unwrap(), Dialect::Sigs).unwrap_err();
    }
}

#[test]
fn what_stands_under_null_has_no_place_in_kyamls_json() {
    let root = parse_one("~: 1\na: 2\n").unwrap();
    assert_eq!(to_json(&root, Dialect::Kyaml).unwrap().to_string(), r#"{"a":2}"#);
    // A type that it says it has must fit.
    assert_eq!(
        both("!!null a: 1\n").1,
        "yaml: line 1: cannot decode !!str `a` as a !!null"
    );
    assert_eq!(
        both("- !!null 7: 1\n").1,
        "yaml: line 1: cannot decode !!int `7` as a !!null"
    );
    // What stands there is not read, either, unless it stands deeper.
    assert_eq!(both("~: &a\n- *a\n").1, "{}");
    assert_eq!(
        both("b: {~: &a [*a]}\n").1,
        "yaml: line 1: anchor 'a' value contains itself"
    );
    assert_eq!(
        both("b:\n  ~: {? [] : 1}\n").1,
        "yaml: line 2: unsupported map key: not a scalar"
    );
}

#[test]
fn an_alias_stands_for_what_its_anchor_was_printed_as() {
    for (text, kyaml) in [
        ("? &a\n: *a\n", r#"{"":""}"#),
        ("- [&a ]\n- *a\n", r#"[[""],""]"#),
        ("- &a\n- [*a]\n", "[null,[null]]"),
        ("- &a >\n  a\n   b\n- [*a]\n", r#"["a\n\n b\n",["a\n\n b\n"]]"#),
        (
            "- &a 2001-01-01 00:00:00\n- [*a]\n",
            r#"["2001-01-01T00:00:00Z",["2001-01-01T00:00:00Z"]]"#,
        ),
        (
            "- [&a 2001-01-01 00:00:00]\n- *a\n",
            r#"[["2001-01-01 00:00:00"],"2001-01-01 00:00:00"]"#,
        ),
        ("[! 2001-2-4t1:9:0-05:00]\n", r#"["2001-2-4t1:9:0-05:00"]"#),
        // A text that the foot comment reaches is not that of the alias.
        ("a: &a |+\n  x\n\nb: *a\n# c\n", r#"{"a":"x\n\n","b":"x\n\n"}"#),
        ("b: &b |+\n  x\n\n# c\n", r#"{"b":"x\n\n\n"}"#),
        ("b: !!str |+\n  x\n\n# c\n", r#"{"b":"x\n\n\n"}"#),
    ] {
        assert_eq!(both(text).1, kyaml, "{text}");
    }
}

#[test]
fn a_comment_at_the_margin_ends_a_block_scalar_that_is_the_whole_document() {
    for text in ["|\n#", "|\n# c\n", ">+ # a\n# b\n", "--- |\n# c\n"] {
        assert_eq!(both(text), (r#""""#.into(), r#""""#.into()), "{text}");
    }
    assert_eq!(both("|+\n\n# c\n").0, r#""\n""#);
}

fn both(text: &str) -> (String, String) {
    let options = ParseOptions {
        duplicates: Duplicates::Keep,
        ..ParseOptions::default()
    };
    let document = parse_all_with(text, options).unwrap().swap_remove(0);
    let root = document.into_root().unwrap();
    let json = |dialect| to_json(&root, dialect).map_or_else(|error| error.to_string(), |v| v.to_string());
    (json(Dialect::Sigs), json(Dialect::Kyaml))
}

#[test]
fn the_open_tag_makes_a_string_for_sigs_alone() {
    let (sigs, kyaml) = both("a: ! 5\nb: !\n");
    assert_eq!(sigs, r#"{"a":"5","b":""}"#);
    assert_eq!(kyaml, r#"{"a":5,"b":null}"#);
}

#[test]
fn merged_keys_win_over_those_above_them_for_sigs_alone() {
    let (sigs, kyaml) = both("m: &m {a: 1, b: 2}\nx: {a: own, <<: *m, b: own}\n");
    assert_eq!(sigs, r#"{"m":{"a":1,"b":2},"x":{"a":1,"b":"own"}}"#);
    assert_eq!(kyaml, r#"{"m":{"a":1,"b":2},"x":{"a":"own","b":"own"}}"#);
}

#[test]
fn a_merge_key_takes_no_alias_of_a_list() {
    let problem = "yaml: line 2: map merge requires map or sequence of maps as the value";
    assert_eq!(both("a: &a []\nb: {<<: *a}\n"), (problem.into(), problem.into()));
    // A tag that says nothing takes nothing from it. Found by the fuzzer.
    let merged = r#"{"a":"x"}"#;
    assert_eq!(both("! <<: {a: x}\n"), (merged.into(), merged.into()));
}

#[test]
fn an_anchor_within_takes_the_name_over() {
    let (sigs, _) = both("a: &x\n- &x in\nb: *x\n");
    assert_eq!(sigs, r#"{"a":["in"],"b":"in"}"#);
}

#[test]
fn repeated_keys_are_refused_where_kyaml_makes_a_map() {
    let problem = "yaml: line 2: mapping key \"a\" already defined at line 1";
    assert_eq!(both("a: 1\na: 2\n"), (r#"{"a":2}"#.into(), problem.into()));
    assert_eq!(both("a: &a {b: 1}\n<<: *a\na: 2\n").1, problem.replace('2', "3"));
    // What stands under null is gone before that.
    assert_eq!(both("~:\n  a: 1\n  a: 2\nb: 3\n").1, r#"{"b":3}"#);
}

#[test]
fn binary_text_has_a_replacement_for_each_byte_that_is_no_character() {
    assert_eq!(
        both("a: !!binary 5678\n").1,
        "{\"a\":\"\u{fffd}\u{fffd}\u{fffd}\"}"
    );
}

#[test]
fn binary_text_may_have_line_breaks_in_it_and_bits_left_over_but_no_blanks() {
    let sigs = |text: &str| both(text).0;
    assert_eq!(sigs("a: !!binary |\n  YW\n  I=\n"), r#"{"a":"ab"}"#);
    assert_eq!(sigs("a: !!binary YR==\n"), r#"{"a":"a"}"#);
    for text in ["\"YQ = =\"", "\" YQ==\"", "YQ", "YQ==YQ=="] {
        let problem = "yaml: line 1: !!binary value contains invalid base64 data";
        assert_eq!(sigs(&format!("a: !!binary {text}\n")), problem, "{text}");
    }
}

#[test]
fn a_float_is_made_of_a_signed_integer_alone() {
    let most = r#"{"a":9223372036854775807}"#.parse::<serde_json::Value>().unwrap()["a"].as_f64();
    let (sigs, kyaml) = both("a: !!float 9223372036854775807\n");
    for json in [sigs, kyaml] {
        assert_eq!(json.parse::<serde_json::Value>().unwrap()["a"].as_f64(), most);
    }
    let problem = "yaml: line 1: cannot decode !!int `9223372036854775808` as a !!float";
    assert_eq!(
        both("a: !!float 9223372036854775808\n"),
        (problem.into(), problem.into())
    );
}

#[test]
fn a_key_has_the_type_that_it_says_it_has() {
    let kyaml = |text: &str| both(text).1;
    assert_eq!(kyaml("!!binary YWI=: 1\n"), r#"{"ab":1}"#);
    assert_eq!(kyaml("{!!binary name: 1}\n"), "{\"\u{fffd}\u{fffd}\u{fffd}\":1}");
    assert_eq!(kyaml("!!int 0x1: 1\n"), r#"{"0x1":1}"#);
    assert_eq!(
        kyaml("!!float 1: 1\n!x 2001-01-01: 1\n"),
        r#"{"1":1,"2001-01-01":1}"#
    );
    assert_eq!(
        kyaml("!!int x: 1\n"),
        "yaml: line 1: cannot decode !!str `x` as a !!int"
    );
}

#[test]
fn a_foot_comment_adds_a_break_to_a_text_that_keeps_its_own() {
    let (sigs, kyaml) = both("a: |+\n  x\n\n# foot\n");
    assert_eq!(sigs, r#"{"a":"x\n\n"}"#);
    assert_eq!(kyaml, r#"{"a":"x\n\n\n"}"#);
    assert_eq!(both("1: |+ # c\n\n#").1, r#"{"1":"\n\n"}"#);
}

#[test]
fn a_comment_that_finds_no_place_breaks_what_kyaml_prints() {
    let problem = "yaml: line 1: a comment breaks what is printed: could not find expected ':'";
    for text in ["- a: ! #\n- {}\n", "? a #\n: &r\n-\n"] {
        assert_eq!(both(text).1, problem, "{text}");
    }
    assert_eq!(both("a:\n  b: # c\n    {}\nd: 1\n").1, r#"{"a":{"b":{}},"d":1}"#);
    // As kustomize v5.8.1 refuses what a patch makes of `securityContext: # why` and a field that it takes away.
    let mut emptied = parse_one("a: # c\n  b: 1\nd: 1\n").unwrap();
    emptied.get_mut("a").unwrap().remove("b");
    let error = to_json(&emptied, Dialect::Kyaml).unwrap_err();
    assert_eq!(error.to_string(), problem);
    // Most find one.
    assert_eq!(both("a: ! # c\nb: 2\n").1, r#"{"a":null,"b":2}"#);
    assert_eq!(
        both("a: # b\n  - c # d\ne: # f\n  g: h # i\nj: |+ # k\n  l\n\n").1,
        r#"{"a":["c"],"e":{"g":"h"},"j":"l\n\n"}"#
    );
}

#[test]
fn block_scalars_within_flow_collections_keep_their_text() {
    let mut root = parse_one("a: [x]\n").unwrap();
    let mut text = weir_yaml::Node::string("a\n  b\n");
    text.set_style(Style::Folded);
    root.get_mut("a").unwrap().items_mut().unwrap().push(text);
    assert_eq!(to_json(&root, Dialect::Kyaml).unwrap()["a"][1], "a\n  b\n");
}

#[test]
fn float_keys_have_single_precision_in_sigs() {
    assert_eq!(both("12345678.5: 1\n").0, r#"{"1.2345678e+07":1}"#);
}

#[test]
fn a_line_separator_ends_a_block_scalar() {
    let error = parse_one("a: |\n  b: \"x\u{2028}y\"\n").unwrap_err().to_string();
    assert!(error.contains("could not find expected ':'"), "{error}");
    assert_eq!(
        parse_one("a: \"x\u{2028}y\"\n")
            .unwrap()
            .get("a")
            .unwrap()
            .as_str(),
        Some("x\u{2028}y")
    );
}

#[test]
fn comments_that_are_passed_over_change_no_value() {
    let without = ParseOptions {
        without_comments: true,
        ..ParseOptions::default()
    };
    for text in [
        "# head\na: 1 # line\n# between\nb:\n  # in\n  - x # y\n  # foot\n# end\n",
        "# only\n",
        "a: \"nginx\"#latest\nb: [1, # one\n 2]\n",
        "a: |\n  text\n  # text too\n# no text\nb: >- # why\n  folded\n",
        "--- # first\na: 1\n--- # second\nb: 2\n",
        "a: # nothing\nb: '#' # mark\n",
    ] {
        let values = |options| -> Vec<_> {
            let documents = parse_all_with(text, options).unwrap();
            let roots = documents.iter().map(|document| document.root.as_ref());
            roots
                .map(|root| root.map(|root| to_json(root, Dialect::Sigs).unwrap().to_string()))
                .collect()
        };
        assert_eq!(values(without), values(ParseOptions::default()), "{text}");
        let documents = parse_all_with(text, without).unwrap();
        let has_comments = |document: &weir_yaml::Document| {
            document.head_comment.is_some() || document.foot_comment.is_some()
        };
        assert!(!documents.iter().any(has_comments), "{text}");
    }
}

#[test]
fn places_beyond_what_a_node_has_room_for_are_cut() {
    let mut node = Node::plain("a");
    for (line, column, cut) in [
        (0, 0, (0, 0)),
        (70_000, 65_534, (70_000, 65_534)),
        (16_777_214, 65_535, (16_777_214, 65_535)),
        (u32::MAX, 65_536, (16_777_215, 65_535)),
    ] {
        node.set_span(Span { line, column });
        assert_eq!((node.span().line, node.span().column), cut);
    }
}

#[test]
fn what_few_nodes_have_changes_nothing_else() {
    let mut node = parse_one("a: [1, 2]\n").unwrap().remove("a").unwrap();
    node.set_tag_is_explicit(true);
    let before = (node.span(), node.style(), node.tag());
    node.rare_mut().comments.line = "# here".to_owned();
    assert_eq!((node.span(), node.style(), node.tag()), before);
    assert!(node.tag_is_explicit());
    assert_eq!(node.items().unwrap().len(), 2);
    node.set_data(weir_yaml::Data::Scalar("b".into()));
    node.set_style(Style::SingleQuoted);
    assert!(node.tag_is_explicit());
    assert_eq!(node.as_str(), Some("b"));
    assert_eq!(node.comments().unwrap().line, "# here");
}
