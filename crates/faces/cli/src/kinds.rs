//! The kinds that day-two commands work on, by the words people use for them.

use clap::Args;
use weir_apis::kind::{HelmChart, HelmRelease, HelmRepository, Kustomization, OciRepository};
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_cluster::ApiError;

use crate::CommandError;
use crate::global::{Cluster, Context};
use crate::run::Result;

/// One kind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
    /// Besides kind and plural in lower case.
    words: &'static [&'static str],
    /// Whether it fetches artifacts, so that others can build from it.
    source: bool,
}

/// Every kind, sources first: that is the order in which things happen.
const KNOWN: [Known; 5] = [
    Known {
        group: OciRepository::GROUP,
        version: OciRepository::VERSION,
        kind: OciRepository::KIND,
        plural: OciRepository::PLURAL,
        words: &["oci", "ocirepo"],
        source: true,
    },
    Known {
        group: HelmRepository::GROUP,
        version: HelmRepository::VERSION,
        kind: HelmRepository::KIND,
        plural: HelmRepository::PLURAL,
        words: &["helm", "helmrepo"],
        source: true,
    },
    Known {
        group: HelmChart::GROUP,
        version: HelmChart::VERSION,
        kind: HelmChart::KIND,
        plural: HelmChart::PLURAL,
        words: &["chart", "hc"],
        source: true,
    },
    Known {
        group: Kustomization::GROUP,
        version: Kustomization::VERSION,
        kind: Kustomization::KIND,
        plural: Kustomization::PLURAL,
        words: &["ks"],
        source: false,
    },
    Known {
        group: HelmRelease::GROUP,
        version: HelmRelease::VERSION,
        kind: HelmRelease::KIND,
        plural: HelmRelease::PLURAL,
        words: &["hr"],
        source: false,
    },
];

impl Known {
    pub(crate) fn gvk(&self) -> GroupVersionKind {
        GroupVersionKind::new(self.group, self.version, self.kind)
    }

    pub(crate) fn is_source(&self) -> bool {
        self.source
    }

    pub(crate) fn answers_to(&self, word: &str) -> bool {
        word.eq_ignore_ascii_case(self.kind)
            || word.eq_ignore_ascii_case(self.plural)
            || self.words.iter().any(|known| word.eq_ignore_ascii_case(known))
    }

    /// `kustomization`, as commands and rows of `get all` write it.
    pub(crate) fn word(&self) -> String {
        self.kind.to_ascii_lowercase()
    }

    /// `kustomization.kustomize.toolkit.fluxcd.io/apps`, as kubectl prints and takes names.
    pub(crate) fn full_name(&self, name: &str) -> String {
        format!("{}.{}/{name}", self.word(), self.group)
    }

    /// Every kind.
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        KNOWN.iter()
    }

    /// The kind of an object.
    pub(crate) fn of(group: &str, kind: &str) -> Option<&'static Self> {
        KNOWN
            .iter()
            .find(|known| known.group == group && known.kind == kind)
    }
}

/// `KIND [NAME]...` on the command line.
#[derive(Debug, Clone, Args)]
pub(crate) struct Words {
    /// What kind: `ocirepository` (`oci`, `source oci`), `helmrepository` (`source helm`), `helmchart` (`source chart`),
    /// `kustomization` (`ks`) or `helmrelease` (`hr`)
    #[arg(value_name = "KIND")]
    kind: String,
    /// Names of objects; `KIND/NAME` in one word works as well
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// Kinds and names that were asked for.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) kinds: Vec<&'static Known>,
    pub(crate) names: Vec<String>,
}

impl Words {
    /// What the words mean. `groups` says whether `all` and `sources` are words too.
    pub(crate) fn select(&self, groups: bool) -> Result<Selection> {
        let mut names: Vec<String> = self.names.clone();
        let mut word = self.kind.clone();
        if let Some((kind, name)) = self.kind.split_once('/') {
            names.insert(0, name.to_owned());
            kind.clone_into(&mut word);
        }
        // `source oci NAME`, as flux has it.
        if matches!(word.as_str(), "source" | "sources")
            && let Some(first) = names.first()
            && let Some(kind) = KNOWN.iter().find(|known| known.source && known.answers_to(first))
        {
            names.remove(0);
            return Ok(Selection {
                kinds: vec![kind],
                names,
            });
        }
        let kinds: Vec<&'static Known> = match word.as_str() {
            "all" if groups => KNOWN.iter().collect(),
            "source" | "sources" if groups => KNOWN.iter().filter(|known| known.source).collect(),
            word => KNOWN.iter().filter(|known| known.answers_to(word)).collect(),
        };
        if kinds.is_empty() {
            let mut words: Vec<String> = KNOWN.iter().map(Known::word).collect();
            if groups {
                words.extend(["sources".to_owned(), "all".to_owned()]);
            }
            return Err(CommandError::usage(format!("there is no kind `{word}` here"))
                .hint(format!("one of {}", words.join(", "))));
        }
        if let Some(empty) = names.iter().find(|name| name.is_empty() || name.contains('/')) {
            return Err(CommandError::usage(format!("`{empty}` is no name of an object")));
        }
        Ok(Selection { kinds, names })
    }

    /// One kind and at least one name.
    pub(crate) fn named(&self) -> Result<(&'static Known, Vec<String>)> {
        let Selection { kinds, names } = self.select(false)?;
        match kinds.first() {
            Some(kind) if !names.is_empty() => Ok((kind, names)),
            _ => Err(CommandError::usage("no name was given").hint("name an object, such as `apps`")),
        }
    }
}

impl Cluster {
    /// The reference of a kind's object in the chosen namespace.
    pub(crate) fn reference(&self, kind: &Known, name: &str) -> ObjectRef {
        ObjectRef::new(kind.gvk(), self.namespace.clone(), name)
    }

    /// Reads an object that must exist.
    pub(crate) async fn must_get(&self, reference: &ObjectRef) -> Result<Object> {
        if let Some(object) = self.client.get(reference).await? {
            return Ok(object);
        }
        let word = reference.gvk.kind.to_ascii_lowercase();
        let place = if reference.namespace.is_empty() {
            String::new()
        } else {
            format!(" in namespace {}", reference.namespace)
        };
        Err(
            CommandError::user(format!("there is no {word} {}{place}", reference.name))
                .hint(format!("`weir get {word} --all-namespaces` lists them all")),
        )
    }

    /// The objects of a kind, by namespace and name: those named, or all.
    pub(crate) async fn find(
        &self,
        kind: &Known,
        names: &[String],
        everywhere: bool,
        selector: &str,
    ) -> Result<Vec<Object>> {
        if names.is_empty() || everywhere {
            let namespace = if everywhere { "" } else { &self.namespace };
            let mut objects = self.client.list(&kind.gvk(), namespace, selector).await?;
            objects.retain(|object| names.is_empty() || names.iter().any(|name| name == object.name()));
            objects.sort_by(|a, b| (a.namespace(), a.name()).cmp(&(b.namespace(), b.name())));
            return Ok(objects);
        }
        let mut objects = Vec::new();
        for name in names {
            objects.push(self.must_get(&self.reference(kind, name)).await?);
        }
        Ok(objects)
    }
}

/// Whether an error says that the kind's definition is not installed.
pub(crate) fn is_absent(error: &ApiError) -> bool {
    matches!(error, ApiError::UnknownKind(_))
}

impl Context<'_> {
    /// Whether the cluster serves a kind. Other failures are errors.
    pub(crate) async fn serves(&self, cluster: &Cluster, kind: &Known) -> Result<bool> {
        match cluster.client.resource(&kind.gvk()).await {
            Ok(_) => Ok(true),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(words: &[&str], groups: bool) -> Option<(Vec<&'static str>, Vec<String>)> {
        let (kind, names) = words.split_first()?;
        let words = Words {
            kind: (*kind).to_owned(),
            names: names.iter().map(|&name| name.to_owned()).collect(),
        };
        let selection = words.select(groups).ok()?;
        Some((
            selection.kinds.iter().map(|kind| kind.kind).collect(),
            selection.names,
        ))
    }

    #[test]
    fn words_of_flux_and_kubectl_mean_the_same() {
        for words in [
            &["oci", "apps"][..],
            &["source", "oci", "apps"],
            &["sources", "oci", "apps"],
            &["OCIRepository/apps"],
            &["ocirepositories", "apps"],
        ] {
            assert_eq!(
                select(words, true),
                Some((vec!["OCIRepository"], vec!["apps".to_owned()])),
                "{words:?}"
            );
        }
        assert_eq!(
            select(&["all"], true),
            Some((
                vec![
                    "OCIRepository",
                    "HelmRepository",
                    "HelmChart",
                    "Kustomization",
                    "HelmRelease"
                ],
                vec![]
            ))
        );
        assert_eq!(
            select(&["sources"], true),
            Some((vec!["OCIRepository", "HelmRepository", "HelmChart"], vec![]))
        );
        assert_eq!(
            select(&["source", "helm", "podinfo"], true),
            Some((vec!["HelmRepository"], vec!["podinfo".to_owned()]))
        );
        assert_eq!(select(&["all"], false), None);
        assert_eq!(select(&["pod"], true), None);
        assert_eq!(select(&["ks", "a/b"], true), None);
    }
}
