//! The D2 repositories, built and compared with what kustomize prints.

use weir_kustomize::{Options, build};

use crate::support::{shared, tree};

#[test]
fn d2_trees_build_byte_for_byte() {
    let Some(root) = shared("WEIR_D2", "d2") else {
        return;
    };
    let files = tree(&root.join("repos"), "");
    let mut count = 0;
    let mut different = Vec::new();
    for entry in std::fs::read_dir(root.join("expected/kustomize")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let directory = format!("/{}", name.replace("__", "/"));
        let expected = std::fs::read_to_string(&path).unwrap();
        count += 1;
        match build(&files, &directory, &Options::default()) {
            Ok(resources) if resources.to_yaml() == expected => {}
            Ok(resources) => {
                if let Some(folder) = std::env::var_os("WEIR_KEEP") {
                    let kept = std::path::Path::new(&folder).join(format!("{name}.yaml"));
                    std::fs::write(kept, resources.to_yaml()).unwrap();
                }
                different.push(format!("{name}: output differs"));
            }
            Err(error) => different.push(format!("{name}: {}", error.chain())),
        }
    }
    eprintln!("d2: {} met, {} not met", count - different.len(), different.len());
    assert!(different.is_empty(), "{different:#?}");
}
