//! Limits, and that no pattern does harm.

use proptest::prelude::*;
use weir_re2::{ErrorCode, Pattern, escape};

#[test]
fn n16_nesting_is_limited() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Pattern::new(&nested(249)).unwrap().is_match("a"));
    assert_eq!(
        Pattern::new(&nested(250)).unwrap_err().code,
        ErrorCode::NestingDepth
    );
}

#[test]
fn n16_size_is_limited() {
    assert!(Pattern::new(r"\pL{1000}").is_ok());
    assert_eq!(
        Pattern::new(&r"(\pL{500}\PN{500})".repeat(40)).unwrap_err().code,
        ErrorCode::Large
    );
    assert_eq!(
        Pattern::new(&"(a{1000})".repeat(4000)).unwrap_err().code,
        ErrorCode::Large
    );
}

#[test]
fn n16_matching_takes_linear_time() {
    let text = "a".repeat(20_000);
    assert!(!Pattern::new("(a*)*(a|aa)+$b").unwrap().is_match(&text));
}

#[test]
fn n38_patterns_are_searched_and_a_dot_is_any_character() {
    let pattern = Pattern::new("github.com/org").unwrap();
    assert!(pattern.is_match("https://githubXcom/org/repo"));
    assert!(
        !Pattern::new(r"^https://github\.com/org/")
            .unwrap()
            .is_match("https://githubXcom/org/repo")
    );
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(16),
        ..ProptestConfig::default()
    })]

    #[test]
    fn an_escaped_text_matches_itself_only(text in "\\PC{0,20}", other in "\\PC{0,20}") {
        let pattern = Pattern::new(&format!("^{}$", escape(&text))).unwrap();
        prop_assert!(pattern.is_match(&text));
        prop_assert_eq!(pattern.is_match(&other), text == other);
    }

    #[test]
    fn no_pattern_panics(source in "([\\\\\\[\\]()?*+{}|^$.:<>PQEpx-]|[a-z0-9é]){0,16}", text in "\\PC{0,8}") {
        if let Ok(pattern) = Pattern::new(&source) {
            pattern.replace_all(&text, "$0${1}$");
            pattern.split(&text, None);
        }
    }
}
