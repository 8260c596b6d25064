//! Where comments are printed again. What is expected is what kyaml of kustomize v5.8.1 prints.

use weir_yaml::{emit, parse_all};

fn printed(text: &str) -> String {
    let documents = parse_all(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    emit::document(&documents[0], emit::SequenceIndent::Compact)
}

fn prints(text: &str, expected: &str) {
    assert_eq!(printed(text), expected, "{text:?}");
}

#[test]
fn comments_of_what_is_empty_stay() {
    prints("e:\n#\n\n", "e:\n\n#\n");
    prints("{}\n#\n\n", "{}\n\n#\n");
    prints("! #\nb: b #\n1:", "b: b #\n1: #\n");
    prints("- y: ! #\n-", "- y:\n- #\n");
}

#[test]
fn comments_within_flow_collections_stay() {
    prints("[0,#\n'']", "[0, #\n  '']\n");
    prints("[7,[a,#\n]]", "[7, [a, #\n  ]]\n");
    prints("{\"\" #\n,2: []}", "{\"\": '', #\n  2: []}\n");
    prints("[{t,#\n}]", "[{t: '', #\n}]\n");
    prints("\n{~: []}\n#", "{~: [],}\n#\n");
}

#[test]
fn a_comment_behind_a_key_that_finds_no_place_goes_to_the_next_value() {
    prints("? h #\n: e #\na:", "h: e #\na: #\n");
    prints("-:\n a: &a #\na:", "'-':\n  a: &a\na: #\n");
    prints("    - ? 0 #\n      : []\n    - a:", "- 0: []\n- a: #\n");
    prints("? [] #", "[] #\n:\n");
    prints("? {{}} #", "? {{}: ''} #\n:\n");
}

#[test]
fn a_comment_behind_the_key_of_a_list_stays_there() {
    prints("key: # this\n  - first\n", "key: # this\n- first\n");
    prints("key: # this\n\n  - first\n", "key: # this\n- first\n");
}

#[test]
fn a_comment_is_below_what_is_before_it_or_above_what_follows_by_blank_lines_and_columns() {
    prints("a: 1\n# above\nb: 2\n", "a: 1\n# above\nb: 2\n");
    prints("a: 1\n# below\n\nb: 2\n", "a: 1\n# below\n\nb: 2\n");
    prints(
        "a:\n  b: 1\n  # of b\n# of c\nc: 2\n",
        "a:\n  b: 1\n  # of b\n# of c\nc: 2\n",
    );
    prints(
        "# of the document\n\n# of a\na: 1\n",
        "# of the document\n\n# of a\na: 1\n",
    );
    prints("a: 1\n\n# end\n", "a: 1\n\n# end\n");
}

#[test]
fn a_comment_below_a_key_that_is_a_collection_is_below_its_entry_alone() {
    prints("? -\n#", "? -\n:\n#\n");
    prints("b: 1\n? - a\n# c\n", "b: 1\n? - a\n:\n# c\n");
    prints("? [a]\n# c\n", "? [a]\n:\n\n# c\n");
}

#[test]
fn a_key_that_is_a_collection_is_none_the_less_for_a_tag_that_says_null() {
    prints("? !!null\n-\n", "? !!null\n-\n:\n");
    prints("? !!null {}\n", "!!null {}:\n");
}

#[test]
fn tags_are_escaped_and_aliases_stand_before_their_colon() {
    prints("!!!", "!!%21\n");
    prints("![!", "![%21\n");
    prints("- &a ''\n- ? *a\n#", "- &a ''\n- *a:\n\n#\n");
}
