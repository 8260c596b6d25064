//! The example repositories, as they lie in `examples/`, inside the binary: the demo needs nothing but itself.

/// One file of an example repository.
type File = (&'static str, &'static str);

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../../../../examples/", $path)))),*]
    };
}

/// Every file below `examples/`, by path.
pub(super) const FILES: &[File] = files![
    "apps/components/frontend/base/deployment.yaml",
    "apps/components/frontend/base/kustomization.yaml",
    "apps/components/frontend/base/service.yaml",
    "apps/components/frontend/production/disruption-budget.yaml",
    "apps/components/frontend/production/kustomization.yaml",
    "apps/components/frontend/production/resources.yaml",
    "apps/components/frontend/staging/kustomization.yaml",
    "fleet/clusters/production/apps.yaml",
    "fleet/clusters/production/infra.yaml",
    "fleet/clusters/production/runtime-info.yaml",
    "fleet/clusters/staging/apps.yaml",
    "fleet/clusters/staging/infra.yaml",
    "fleet/clusters/staging/runtime-info.yaml",
    "infra/components/tenants/base/access.yaml",
    "infra/components/tenants/base/kustomization.yaml",
    "infra/components/tenants/base/namespaces.yaml",
    "infra/components/tenants/base/quotas.yaml",
    "infra/components/tenants/production/kustomization.yaml",
    "infra/components/tenants/staging/kustomization.yaml",
];

/// The files of one repository, with paths relative to it.
pub(super) fn repository(name: &str) -> impl Iterator<Item = File> {
    let prefix = format!("{name}/");
    FILES
        .iter()
        .filter_map(move |(path, content)| path.strip_prefix(&prefix).map(|rest| (rest, *content)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().display().to_string());
            }
        }
    }

    #[test]
    fn no_example_is_forgotten() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../examples");
        let mut found = Vec::new();
        walk(&root, &root, &mut found);
        found.retain(|path| Path::new(path).extension().is_some_and(|e| e == "yaml"));
        found.sort();
        let embedded: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        assert_eq!(embedded, found);
    }
}
