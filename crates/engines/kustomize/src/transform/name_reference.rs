//! References by name, brought up to date after names changed.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use weir_yaml::{Data, List, Node, Tag, Text, Texts};

use crate::config::NameReference;
use crate::error::{Error, Result, Within};
use crate::fieldspec::{parts_of, visit};
use crate::id::{DEFAULT_NAMESPACE, Gvk, IdRef, NO_NAMESPACE, ResId};
use crate::ops::{self, Kind};
use crate::resmap::ResMap;
use crate::resource::{Resource, same_ending};
use crate::schema::Schema;

/// Updates every reference to an object whose name or namespace changed.
pub(crate) fn fix(references: &[NameReference], map: &mut ResMap, schema: &Schema) -> Result<()> {
    let targets = Targets::new(map, schema);
    // Objects of one type have the same fields that may refer to others.
    let mut fields: HashMap<Gvk, Vec<Fields<'_>>> = HashMap::new();
    for resource in map.list_mut() {
        let original = resource.original_ref(schema).to_gvk();
        let fields = fields.entry(original).or_insert_with_key(|gvk| {
            references
                .iter()
                .flat_map(|reference| reference.referrers.iter().map(move |spec| (spec, &reference.gvk)))
                .filter(|(spec, _)| gvk.is_selected_by(&spec.gvk))
                .map(|(spec, target)| Fields {
                    parts: parts_of(&spec.path),
                    path: &spec.path,
                    target,
                })
                .collect()
        });
        if fields.is_empty() || resource.is_empty() {
            continue;
        }
        let referrer = Referrer::new(resource, schema)?;
        let Some(node) = &mut resource.node else {
            continue;
        };
        for Fields { path, parts, target } in fields {
            let field = Field {
                targets: &targets,
                referrer: &referrer,
                target,
                path,
            };
            visit(path, parts, node, &mut |node| field.update(node))
                .within(|| format!("updating name reference in '{path}' field of '{}'", referrer.id))?;
        }
    }
    Ok(())
}

/// Fields of a type of objects that refer to a type.
struct Fields<'a> {
    path: &'a str,
    parts: Vec<Text>,
    target: &'a Gvk,
}

/// An object that may be referred to. Objects are many and their trees are all there at the same time, so what they have
/// in common is shared.
struct Target {
    current: Id,
    past: Rc<Past>,
}

/// What became of an object on its way, which is nearly always what became of the one before it.
struct Past {
    /// Types that it once had.
    types: Vec<Arc<Gvk>>,
    original_namespace: Text,
    prefixes: List<Text>,
    suffixes: List<Text>,
}

impl Past {
    fn is(&self, types: &[Arc<Gvk>], original_namespace: &Text, resource: &Resource) -> bool {
        self.types == types
            && self.original_namespace == *original_namespace
            && self.prefixes.as_slice() == resource.prefixes.as_slice()
            && self.suffixes.as_slice() == resource.suffixes.as_slice()
    }
}

/// A [`ResId`] whose parts are shared.
struct Id {
    gvk: Arc<Gvk>,
    /// Shared with the object itself, and with those that refer to it.
    name: Text,
    namespace: Text,
    cluster_scoped: bool,
}

impl Id {
    fn as_ref(&self) -> IdRef<'_> {
        IdRef {
            group: &self.gvk.group,
            version: &self.gvk.version,
            kind: &self.gvk.kind,
            name: &self.name,
            namespace: &self.namespace,
            cluster_scoped: self.cluster_scoped,
        }
    }

    /// See [`ResId::effective_namespace`].
    fn effective_namespace(&self) -> &str {
        self.as_ref().effective_namespace()
    }
}

/// Texts and types that were there before.
#[derive(Default)]
struct Known {
    texts: Texts,
    types: HashSet<Arc<Gvk>>,
}

impl Known {
    fn text(&mut self, text: &str) -> Text {
        self.texts.share(text.into())
    }

    fn gvk(&mut self, id: &IdRef<'_>) -> Arc<Gvk> {
        let gvk = id.to_gvk();
        if let Some(known) = self.types.get(&gvk) {
            return Arc::clone(known);
        }
        let new = Arc::new(gvk);
        self.types.insert(Arc::clone(&new));
        new
    }
}

/// All objects, found by the names they once had.
struct Targets {
    list: Vec<Target>,
    by_name: HashMap<Text, Named>,
    by_original_namespace: HashMap<Text, Sight>,
}

/// The objects that had a name.
enum Named {
    /// Nearly always it is one.
    One(usize),
    Many(Box<Many>),
}

/// Several objects of a name.
struct Many {
    all: Vec<usize>,
    /// By the effective namespaces that they have now.
    by_namespace: HashMap<String, Vec<usize>>,
}

impl Named {
    /// Adds the place of an object that comes behind all others.
    fn add(&mut self, at: usize, list: &[Target], namespace: &str) {
        if let Self::One(first) = self {
            let first = *first;
            let namespace = list.get(first).map(|first| first.current.effective_namespace());
            *self = Self::Many(Box::new(Many {
                all: vec![first],
                by_namespace: [(namespace.unwrap_or_default().to_owned(), vec![first])].into(),
            }));
        }
        if let Self::Many(many) = self {
            many.all.push(at);
            many.by_namespace
                .entry(namespace.to_owned())
                .or_default()
                .push(at);
        }
    }
}

/// From where the objects of a namespace are seen.
#[derive(Default)]
struct Sight {
    /// One of them is cluster-scoped.
    everywhere: bool,
    /// The effective namespaces that they have now.
    effective: HashSet<String>,
    /// Those namespaces as they are written.
    written: HashSet<String>,
}

impl Targets {
    fn new(map: &ResMap, schema: &Schema) -> Self {
        let mut targets = Self {
            list: Vec::with_capacity(map.list().len()),
            by_name: HashMap::new(),
            by_original_namespace: HashMap::new(),
        };
        let mut shared = Known::default();
        let mut types: Vec<Arc<Gvk>> = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for (at, resource) in map.iter().enumerate() {
            let id = resource.id_ref(schema);
            let current = Id {
                gvk: shared.gvk(&id),
                name: resource.name_text(),
                namespace: shared.text(id.namespace),
                cluster_scoped: id.cluster_scoped,
            };
            types.clear();
            names.clear();
            for (id, previous) in resource.previous_refs().zip(&resource.previous) {
                let gvk = shared.gvk(&id);
                if !types.contains(&gvk) {
                    types.push(gvk);
                }
                if names.contains(&id.name) {
                    continue;
                }
                names.push(id.name);
                match targets.by_name.get_mut(id.name) {
                    Some(named) => named.add(at, &targets.list, current.effective_namespace()),
                    None => {
                        targets.by_name.insert(previous.name.clone(), Named::One(at));
                    }
                }
            }
            let original_namespace = shared.text(resource.original_ref(schema).effective_namespace());
            let sight = targets
                .by_original_namespace
                .entry(original_namespace.clone())
                .or_default();
            sight.everywhere |= current.cluster_scoped;
            if !sight.effective.contains(current.effective_namespace()) {
                sight.effective.insert(current.effective_namespace().to_owned());
            }
            if !sight.written.contains(current.namespace.as_str()) {
                sight.written.insert(current.namespace.to_string());
            }
            let past = match targets.list.last() {
                Some(last) if last.past.is(&types, &original_namespace, resource) => Rc::clone(&last.past),
                _ => Rc::new(Past {
                    types: types.clone(),
                    original_namespace,
                    prefixes: resource.prefixes.clone(),
                    suffixes: resource.suffixes.clone(),
                }),
            };
            targets.list.push(Target { current, past });
        }
        targets
    }
}

/// The object that refers.
struct Referrer {
    id: ResId,
    prefixes: List<Text>,
    suffixes: List<Text>,
    /// Namespaces of the service accounts that a role binding names.
    subject_namespaces: HashSet<String>,
    /// Type that a binding's `roleRef` names.
    role: Option<Gvk>,
}

impl Referrer {
    fn new(resource: &Resource, schema: &Schema) -> Result<Self> {
        let id = resource.id(schema);
        let mut subject_namespaces = HashSet::new();
        if id.gvk.kind == "RoleBinding" && !id.cluster_scoped {
            let subjects = resource.node().get("subjects").and_then(Node::items);
            for subject in subjects.unwrap_or_default() {
                if subject.entries().is_none() {
                    return Err(Error::invalid(format!("subjects of \"{id}\" must be mappings")));
                }
                let is_account = subject.get("kind").and_then(Node::as_str) == Some("ServiceAccount");
                let Some(namespace) = subject.get("namespace").filter(|_| is_account) else {
                    continue;
                };
                if namespace.tag() != Tag::Str && namespace.tag() != Tag::None {
                    return Err(Error::invalid(format!(
                        "Invalid Input: namespace is blank for resource \"{id}\""
                    )));
                }
                subject_namespaces.insert(ops::text(namespace).to_owned());
            }
        }
        let role = resource.node().get("roleRef").and_then(|role| {
            Some(Gvk {
                group: ops::text(role.get("apiGroup")?).to_owned(),
                version: String::new(),
                kind: ops::text(role.get("kind")?).to_owned(),
            })
        });
        Ok(Self {
            id,
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
            subject_namespaces,
            role,
        })
    }

    /// Whether an object is within sight: cluster-scoped, in the same namespace, or in that of a
    /// bound service account.
    fn sees(&self, target: &Target) -> bool {
        self.id.cluster_scoped
            || target.current.cluster_scoped
            || target.current.effective_namespace() == self.id.effective_namespace()
            || self
                .subject_namespaces
                .contains(target.current.namespace.as_ref())
    }

    /// Whether any of the objects of a namespace is within sight.
    fn sees_any(&self, sight: &Sight) -> bool {
        self.id.cluster_scoped
            || sight.everywhere
            || sight.effective.contains(self.id.effective_namespace())
            || self
                .subject_namespaces
                .iter()
                .any(|namespace| sight.written.contains(namespace))
    }

    /// The objects of a name that may be within sight, in order.
    fn near(&self, named: &Named) -> Vec<usize> {
        let Many { all, by_namespace } = match named {
            // Whether it is within sight is looked at in any case.
            Named::One(at) => return vec![*at],
            Named::Many(many) => &**many,
        };
        if self.id.cluster_scoped {
            return all.clone();
        }
        let effective = |namespace: &String| match namespace.as_str() {
            "" => DEFAULT_NAMESPACE.to_owned(),
            _ => namespace.clone(),
        };
        let mut namespaces: Vec<String> = self.subject_namespaces.iter().map(effective).collect();
        namespaces.push(NO_NAMESPACE.to_owned());
        namespaces.push(self.id.effective_namespace().to_owned());
        namespaces.sort();
        namespaces.dedup();
        let mut places: Vec<usize> = namespaces
            .iter()
            .filter_map(|namespace| by_namespace.get(namespace))
            .flatten()
            .copied()
            .collect();
        places.sort_unstable();
        places
    }

    /// Whether an object may be meant where no namespace is written.
    fn shares_namespace(&self, target: &Target) -> bool {
        self.id.cluster_scoped
            || target.current.cluster_scoped
            || target.current.gvk.kind == "ServiceAccount"
            || target.current.effective_namespace() == self.id.effective_namespace()
    }

    fn same_affixes(&self, target: &Target, allow_empty: bool) -> bool {
        let same =
            |a: &[Text], b: &[Text]| (allow_empty && (a.is_empty() || b.is_empty())) || same_ending(a, b);
        same(&target.past.prefixes, &self.prefixes) && same(&target.past.suffixes, &self.suffixes)
    }
}

/// A field that refers to objects of a type.
struct Field<'a> {
    targets: &'a Targets,
    referrer: &'a Referrer,
    target: &'a Gvk,
    path: &'a str,
}

impl<'a> Field<'a> {
    fn update(&self, node: &mut Node) -> Result<()> {
        if node.is_null() {
            return Ok(());
        }
        match node.data_mut() {
            Data::Scalar(_) | Data::Alias(_) => self.scalar(node),
            Data::Mapping(_) => self.mapping(node),
            Data::Sequence(items) => {
                for item in items {
                    match Kind::of(item) {
                        _ if item.is_null() => {}
                        Kind::Scalar => self.scalar(item)?,
                        Kind::Mapping => self.mapping(item)?,
                        Kind::Sequence => {
                            return Err(Error::invalid(
                                "item is expected to be either a string or a map of string",
                            ));
                        }
                    }
                }
                Ok(())
            }
        }
    }

    fn scalar(&self, node: &mut Node) -> Result<()> {
        let Some(name) = node.as_str() else {
            return Ok(());
        };
        match self.referral(name, None, |a, b| a.current.name == b.current.name)? {
            Some(target) if target.current.name.as_str() != name => {
                ops::set_scalar(node, &target.current.name, Tag::None)
            }
            _ => Ok(()),
        }
    }

    /// A map that names an object, and perhaps its namespace.
    fn mapping(&self, node: &mut Node) -> Result<()> {
        let Some(name) = node.get("name") else {
            return Err(Error::invalid("path config error; no 'name' field in node"));
        };
        let name = name.as_str().unwrap_or_default();
        let namespace = node.get("namespace").map(|n| n.as_str().unwrap_or_default());
        let same = |a: &Target, b: &Target| {
            a.current.name == b.current.name && a.current.namespace == b.current.namespace
        };
        let Some(target) = self.referral(name, namespace, same)? else {
            return Ok(());
        };
        let (new_name, new_namespace) = (&target.current.name, &target.current.namespace);
        if new_name.as_str() == name && new_namespace.is_empty() {
            return Ok(());
        }
        ops::set_field(node, "name", Node::plain(new_name))?;
        // An empty namespace says nothing about `default`.
        if new_namespace.is_empty() {
            return Ok(());
        }
        ops::set_field(node, "namespace", Node::plain(new_namespace.as_ref()))
    }

    /// The object that an old name means, if there is one.
    fn referral(
        &self,
        name: &str,
        namespace: Option<&str>,
        identical: impl Fn(&Target, &Target) -> bool,
    ) -> Result<Option<&'a Target>> {
        let Some(named) = self.targets.by_name.get(name) else {
            return Ok(None);
        };
        let by_original = namespace.map(|namespace| {
            namespace != NO_NAMESPACE
                && self
                    .targets
                    .by_original_namespace
                    .get(namespace)
                    .is_some_and(|sight| self.referrer.sees_any(sight))
        });
        let in_namespace = |target: &Target| match (namespace, by_original) {
            (Some(namespace), Some(true)) => target.past.original_namespace.as_ref() == namespace,
            (Some(namespace), _) => {
                namespace != NO_NAMESPACE && target.current.effective_namespace() == namespace
            }
            (None, _) => true,
        };
        let role = self
            .referrer
            .role
            .as_ref()
            .filter(|_| self.path.ends_with("roleRef/name"));
        let near = self.referrer.near(named);
        let mut candidates: Vec<&Target> = near
            .iter()
            .filter_map(|at| self.targets.list.get(*at))
            .filter(|target| self.referrer.sees(target) && in_namespace(target))
            .filter(|target| was(target, self.target) && role.is_none_or(|role| was(target, role)))
            .filter(|target| self.referrer.shares_namespace(target))
            .collect();
        if candidates.len() > 1 {
            candidates.retain(|target| self.referrer.same_affixes(target, true));
        } else if let [only] = candidates.as_slice() {
            return Ok(Some(only));
        }
        if candidates.len() > 1 {
            candidates.retain(|target| self.referrer.same_affixes(target, false));
        }
        let Some(first) = candidates.first() else {
            return Ok(None);
        };
        if candidates.iter().all(|other| identical(first, other)) {
            return Ok(Some(first));
        }
        let ids: Vec<String> = candidates
            .iter()
            .map(|target| target.current.as_ref().to_res_id().to_string())
            .collect();
        Err(Error::invalid(format!(
            "found multiple possible referrals: {} for the name '{name}'",
            ids.join(", ")
        )))
    }
}

/// Whether an object once was of a type.
fn was(target: &Target, gvk: &Gvk) -> bool {
    target.past.types.iter().any(|of| of.is_selected_by(gvk))
}
