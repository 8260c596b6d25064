//! The namespace of all namespaced objects.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use weir_yaml::{Node, Tag, Text};

use crate::error::{Error, Result, Within};
use crate::fieldspec::{Create, FieldSpec, Specs};
use crate::ops::{self, Kind};
use crate::resmap::ResMap;
use crate::resource::{self, HELM_GENERATED, Resource};
use crate::schema::Schema;

/// Which subjects of role bindings follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SubjectMode {
    /// Those named `default`.
    #[default]
    DefaultOnly,
    /// All service accounts.
    AllServiceAccounts,
    /// None.
    None,
}

impl SubjectMode {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text {
            "" | "defaultOnly" => Ok(Self::DefaultOnly),
            "allServiceAccounts" => Ok(Self::AllServiceAccounts),
            "none" => Ok(Self::None),
            _ => Err(Error::invalid(format!(
                "invalid value \"{text}\" for setRoleBindingSubjects: must be one of \
                 \"defaultOnly\", \"none\" or \"allServiceAccounts\""
            ))),
        }
    }
}

const PATH: &str = "metadata/namespace";

/// Sets the namespace.
pub(super) fn run(
    namespace: &str,
    specs: &[FieldSpec],
    unset_only: bool,
    subjects: SubjectMode,
    map: &mut ResMap,
    schema: &Schema,
) -> Result<()> {
    if namespace.is_empty() {
        return Ok(());
    }
    let own = FieldSpec::created(PATH);
    let setter = Setter {
        namespace: namespace.into(),
        own: Specs::new([&own]),
        unset_only,
    };
    let mut specs = Ready::new(specs);
    // How many objects have an id at any moment: moving one onto another is an error.
    let state = RandomState::new();
    let key = |resource: &Resource| state.hash_one(resource.id_ref(schema).parts());
    let mut count: HashMap<u64, usize> = HashMap::new();
    for resource in map.iter() {
        *count.entry(key(resource)).or_default() += 1;
    }
    for resource in map.list_mut() {
        if resource.is_empty() || is_of_helm(resource.node()) {
            continue;
        }
        let before = key(resource);
        let cluster_scoped = resource.id_ref(schema).cluster_scoped;
        resource.store_previous(schema);
        if let Some(node) = &mut resource.node {
            setter.object(node, &mut specs, subjects, cluster_scoped)?;
        }
        if let Some(before) = count.get_mut(&before) {
            *before -= 1;
        }
        let same = count.entry(key(resource)).or_default();
        *same += 1;
        if *same > 1 {
            let after = resource.id(schema);
            return Err(Error::invalid(format!(
                "namespace transformation produces ID conflict: {after} comes from several objects"
            )));
        }
    }
    Ok(())
}

fn is_of_helm(node: &Node) -> bool {
    let mark = node.at(&["metadata", "annotations", HELM_GENERATED]);
    mark.and_then(Node::as_str) == Some("true")
}

/// Sets the namespace of one object, as the transformer that adds values does for this field.
pub(super) fn set_one(namespace: &str, node: &mut Node, schema: &Schema) -> Result<()> {
    let own = FieldSpec::created(PATH);
    let setter = Setter {
        namespace: namespace.into(),
        own: Specs::new([&own]),
        unset_only: false,
    };
    let cluster_scoped = schema.is_cluster_scoped(resource::api_version(node), resource::kind(node));
    setter.object(
        node,
        &mut Ready::new(&[]),
        SubjectMode::DefaultOnly,
        cluster_scoped,
    )
}

/// The specs that are left for objects of each sort: the object's own namespace is done apart,
/// `metadata/name` is for core Namespaces only, and the subjects of bindings follow rules of their
/// own.
struct Ready<'a> {
    specs: &'a [FieldSpec],
    /// By whether the object is of version `v1`, and whether it is a binding.
    sorts: [Option<Specs<'a>>; 4],
}

impl<'a> Ready<'a> {
    fn new(specs: &'a [FieldSpec]) -> Self {
        Self {
            specs,
            sorts: [None, None, None, None],
        }
    }

    fn of(&mut self, is_v1: bool, is_binding: bool) -> Option<&mut Specs<'a>> {
        let specs = self.specs;
        let sort = self
            .sorts
            .get_mut(usize::from(is_v1) * 2 + usize::from(is_binding))?;
        Some(sort.get_or_insert_with(|| {
            Specs::new(
                specs
                    .iter()
                    .filter(|spec| spec.path != PATH && (is_v1 || spec.path != "metadata/name"))
                    .filter(|spec| {
                        !(is_binding && is_role_binding(&spec.gvk.kind) && spec.path == "subjects/namespace")
                    }),
            )
        }))
    }
}

struct Setter<'a> {
    namespace: Text,
    /// An object's own namespace.
    own: Specs<'a>,
    unset_only: bool,
}

impl Setter<'_> {
    fn object(
        &self,
        node: &mut Node,
        specs: &mut Ready<'_>,
        subjects: SubjectMode,
        cluster_scoped: bool,
    ) -> Result<()> {
        let create = Create::new(Kind::Scalar, Tag::Str);
        let is_v1 = resource::api_version(node) == "v1";
        if !cluster_scoped {
            self.own
                .apply(&[0], node, Some(&create), &mut |node| self.set(node))?;
        }
        let is_binding = is_role_binding(resource::kind(node));
        if is_binding {
            self.subjects(node, subjects)?;
        }
        let Some(own) = specs.of(is_v1, is_binding) else {
            return Ok(());
        };
        own.apply_all(node, Some(&create), &mut |node| self.set(node))
            .map_err(|error| {
                let message = if error.chain().contains("wrong node kind: expected ScalarNode") {
                    "namespace field specs must target scalar nodes"
                } else {
                    "namespace transformation failed"
                };
                error.within(message)
            })
    }

    fn set(&self, node: &mut Node) -> Result<()> {
        if self.unset_only && !ops::text(node).is_empty() {
            return Ok(());
        }
        ops::set_scalar(node, &self.namespace, Tag::Str)
    }

    fn subjects(&self, node: &mut Node, mode: SubjectMode) -> Result<()> {
        let (field, wanted) = match mode {
            SubjectMode::None => return Ok(()),
            SubjectMode::DefaultOnly => ("name", "default"),
            SubjectMode::AllServiceAccounts => ("kind", "ServiceAccount"),
        };
        let Some(subjects) = node.get_mut("subjects").filter(|node| !node.is_null()) else {
            return Ok(());
        };
        ops::expect(subjects, Kind::Sequence)
            .within(|| "setting namespace on (cluster)role binding subjects".into())?;
        for subject in subjects.items_mut().into_iter().flatten() {
            ops::expect(subject, Kind::Mapping)
                .within(|| format!("looking up {field} on (cluster)role binding subject"))?;
            if let Some(value) = subject.get(field) {
                ops::expect(value, Kind::Scalar)
                    .within(|| format!("looking up {field} on (cluster)role binding subject"))?;
            }
            if subject.get(field).is_some_and(|value| ops::text(value) == wanted) {
                self.set(ops::lookup_create(subject, &["namespace"], Kind::Scalar)?)?;
            }
        }
        Ok(())
    }
}

fn is_role_binding(kind: &str) -> bool {
    matches!(kind, "RoleBinding" | "ClusterRoleBinding")
}
