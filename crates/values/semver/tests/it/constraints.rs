//! What Flux and Helm users write, and how other libraries differ. Every answer is the Go library's.

use weir_semver::{Constraint, Version};

#[track_caller]
fn check(constraint: &str, version: &str, expected: bool) {
    let parsed = Constraint::parse(constraint).unwrap();
    let found = parsed.matches(&Version::parse(version).unwrap());
    assert_eq!(found, expected, "{constraint} on {version}");
    let reasons = parsed.validate(&Version::parse(version).unwrap());
    assert_eq!(
        reasons.is_ok(),
        expected,
        "{constraint} on {version}: {reasons:?}"
    );
}

#[track_caller]
fn refused(constraint: &str, message: &str) {
    assert_eq!(
        Constraint::parse(constraint).map_err(|error| error.to_string()),
        Err(message.to_owned())
    );
}

#[test]
fn prereleases_follow_the_go_library_and_not_npm() {
    check(">=1.0.0-0", "1.2.3-rc.1", true);
    check("^1.2.3-beta.2", "1.2.4-alpha", true);
    check("*", "1.0.0-rc", false);
    check(">=1.0.0-0 <2.0.0", "1.5.0-rc.1", true);
    check(">=1.0.0-0 || ~2", "2.0.0-rc", true);
    check("~2 || >=3.0.0-0", "2.1.0-rc", false);
}

#[test]
fn operators_and_partial_versions() {
    check("!=1.2.3", "1.2.4", true);
    check("=>1.0", "1.1.0", true);
    check("1.2 - 1.4.5", "1.4.0", true);
    check(">=1.2 <2 || >3", "3.1.0", false);
    check("~>1.2", "1.9.0", false);
    check(">1.2", "1.2.5", false);
    check("^*", "1.0.0", false);
    check("<=*", "0.0.9", true);
    check("<=*", "0.1.0", false);
    check("!=*", "0.0.9", true);
    check(">*", "0.0.9", true);
}

#[test]
fn hyphen_ranges_are_rewritten_before_reading() {
    check("3 - 4 || 7", "4.9.9", true);
    check("3 - 4 || 7", "7.1.0", true);
    check("1 - 2 3 - 4", "2.0.0", false);
    check("1||2 - 3", "2.5.0", true);
    check("1 - 2||5", "5.1.0", true);
    refused(">=1.0 - 2.0", "improper constraint: \">=>= 1.0, <= 2.0 \"");
    refused("1 - 2foo", "improper constraint: \">= 1, <= 2 foo\"");
    refused("1 -2", "improper constraint: \"1 -2\"");
}

#[test]
fn what_is_no_constraint_is_refused() {
    refused("", "improper constraint: \"\"");
    refused("1.0.0 ||", "improper constraint: \"\"");
    refused("1,,2", "improper constraint: \"1,,2\"");
    refused("1.0.0,", "improper constraint: \"1.0.0,\"");
    refused("> = 1", "improper constraint: \"> = 1\"");
    refused("1x", "constraint parser error");
    refused("1.2.3-01", "constraint parser error");
    refused("1|2", "constraint parser error");
    refused(
        "1\u{b}2",
        "improper constraint: \"1\\v2\"".replace("\\v", "\\u{b}").as_str(),
    );
}

#[test]
fn n16_length_and_groups_are_limited() {
    let groups = |count: usize| vec!["1"; count].join("||");
    assert!(Constraint::parse(&groups(32)).is_ok());
    refused(&groups(33), "too many constraint groups (max 32)");
    let long = |bytes: usize| format!("{}1", " ".repeat(bytes - 1));
    assert!(Constraint::parse(&long(512)).is_ok());
    refused(&long(513), "constraint string is too long (max 512 bytes)");
    assert!(Version::parse(&format!("1.0.0-{}", "a".repeat(250))).is_ok());
    assert!(Version::parse(&format!("1.0.0-{}", "a".repeat(251))).is_err());
}

#[test]
fn the_reasons_name_both_versions() {
    let reasons = |constraint: &str, version: &str| -> Vec<String> {
        let constraint = Constraint::parse(constraint).unwrap();
        let found = constraint
            .validate(&Version::parse(version).unwrap())
            .unwrap_err();
        found.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        reasons("~1.1", "1.2.3"),
        ["\"1.2.3\" does not have same major and minor version as \"1.1\""]
    );
    assert_eq!(
        reasons("<1 || >2", "1.5.0-rc"),
        ["\"1.5.0-rc\" is a prerelease version and the constraint is only looking for release versions"]
    );
    assert_eq!(
        reasons("=2 <1", "1.0.0"),
        [
            "\"1.0.0\" is less than \"2\"",
            "\"1.0.0\" is greater than or equal to \"1\""
        ]
    );
}
