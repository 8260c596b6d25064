//! What holds for any tree, and for any bytes.

use proptest::prelude::*;
use weir_store::archive::{Form, pack_tree};
use weir_store::extract::{self, Symlinks};
use weir_store::{Entry, Limits, Tree};

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,6}", "[a-zäöA-Z0-9_-]{1,40}", "x{90,110}"]
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let file = (
        prop::collection::vec(name(), 1..5),
        prop::collection::vec(any::<u8>(), 0..1500),
        any::<bool>(),
    );
    prop::collection::vec(file, 0..12).prop_map(|files| {
        let mut tree = Tree::default();
        for (path, bytes, executable) in files {
            // Two paths may be in each other's way; the first stays.
            drop(tree.insert_entry(
                &path.join("/"),
                Entry {
                    bytes: bytes.into(),
                    executable,
                },
            ));
        }
        tree
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_packed_is_unpacked(tree in any_tree()) {
        for form in [Form::Push, Form::Source] {
            let packed = pack_tree(&tree, form).unwrap();
            let again = extract::tree(&packed.bytes[..], &Limits::default(), Symlinks::Refuse).unwrap();
            prop_assert_eq!(&again, &tree);
            prop_assert_eq!(pack_tree(&again, form).unwrap().digest(), packed.digest());
        }
    }

    #[test]
    fn the_order_of_insertion_does_not_matter(tree in any_tree()) {
        let mut backwards = Tree::default();
        let files: Vec<_> = tree.files().collect();
        for (path, entry) in files.into_iter().rev() {
            backwards.insert_entry(path, entry.clone()).unwrap();
        }
        for folder in tree.folders() {
            backwards.insert_folder(folder).unwrap();
        }
        let packed = |tree| pack_tree(tree, Form::Push).unwrap().digest();
        prop_assert_eq!(packed(&backwards), packed(&tree));
    }

    #[test]
    fn n05_changed_archives_never_panic_or_lead_out(
        tree in any_tree(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let packed = pack_tree(&tree, Form::Push).unwrap();
        let mut tar = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed.bytes[..]), &mut tar).unwrap();
        for (at, byte) in &changes {
            let at = at.index(tar.len());
            tar[at] = *byte;
        }
        if let Ok(tree) = extract::tree(&tar[..], &Limits::default(), Symlinks::Drop) {
            for (path, _) in tree.files() {
                prop_assert!(!path.split('/').any(|part| matches!(part, "" | "." | "..")), "{}", path);
            }
        }
    }

    #[test]
    fn n06_any_bytes_are_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..3000), kind in 0..3) {
        let magic: &[u8] = [&[][..], &[0x1f, 0x8b, 8, 0], &[0x28, 0xb5, 0x2f, 0xfd]][usize::try_from(kind).unwrap()];
        let archive = [magic, &bytes].concat();
        drop(extract::tree(&archive[..], &Limits::default(), Symlinks::Drop));
    }
}
