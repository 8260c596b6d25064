//! References survive printing, and no text makes the parser panic.

use proptest::prelude::*;
use weir_oci::{Digest, Reference, Repository, Tag};

fn component() -> impl Strategy<Value = String> {
    "[a-z0-9]{1,8}((\\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}"
}

fn registry() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9]{1,6}(-[a-z0-9]{1,3})?\\.[a-z]{2,5}(:[1-9][0-9]{0,3})?",
        Just("localhost".to_owned()),
        Just("[::1]:5000".to_owned()),
        Just("127.0.0.1:5000".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printing_and_parsing_are_inverse(
        registry in registry(),
        path in prop::collection::vec(component(), 1..5),
        tag in prop::option::of("[A-Za-z0-9_][A-Za-z0-9._-]{0,20}"),
        content in prop::option::of(any::<[u8; 4]>()),
    ) {
        let repository = Repository::new(&registry, &path.join("/")).unwrap();
        let reference = Reference::new(
            repository,
            tag.map(|tag| Tag::new(tag).unwrap()),
            content.map(|content| Digest::of(&content)),
        );
        prop_assert_eq!(reference.to_string().parse::<Reference>().unwrap(), reference.clone());
        prop_assert_eq!(format!("oci://{reference}").parse::<Reference>().unwrap(), reference);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        drop(text.parse::<Reference>());
        drop(text.parse::<Digest>());
    }

    #[test]
    fn n01_what_parses_never_holds_parent_paths(text in "[a-z./:@-]{0,30}") {
        if let Ok(reference) = text.parse::<Reference>() {
            prop_assert!(!reference.repository().path().split('/').any(|part| matches!(part, "" | "." | "..")));
        }
    }
}
