//! The names of Chart.yaml's fields, for readers that refuse others. An entry of a repository's index has them, too.

/// Fields of the definition itself.
pub(crate) const METADATA: [&str; 17] = [
    "name",
    "home",
    "sources",
    "version",
    "description",
    "keywords",
    "maintainers",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "deprecated",
    "annotations",
    "kubeVersion",
    "dependencies",
    "type",
];

/// Fields of one of its `maintainers`.
pub(crate) const MAINTAINER: [&str; 3] = ["name", "email", "url"];

/// Fields of one of its `dependencies`.
pub(crate) const DEPENDENCY: [&str; 8] = [
    "name",
    "version",
    "repository",
    "condition",
    "tags",
    "enabled",
    "import-values",
    "alias",
];
