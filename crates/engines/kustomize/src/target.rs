//! One kustomization directory: what it accumulates, in which order its fields act.

use serde_json::Value;
use weir_yaml::{Data, Node};

use crate::accumulator::Accumulator;
use crate::config::Config;
use crate::crds;
use crate::effects::Effects;
use crate::error::{Error, ErrorKind, Result, Within};
use crate::fieldspec::{FieldSpec, merge_all, merge_one};
use crate::generate;
use crate::kustomization::{FILE_NAMES, Kustomization};
use crate::load;
use crate::loader::Loader;
use crate::origin::Origin;
use crate::place::Place;
use crate::plugins;
use crate::resmap::ResMap;
use crate::resource::{LOCAL_CONFIG, Resource};
use crate::shared::Build;
use crate::transform::{
    PatchTransformer, SubjectMode, Transformer, fix_name_references, load_replacements,
    load_strategic_merge_patches, resolve_vars,
};

/// A directory with its kustomization file.
pub(crate) struct Target<'a> {
    build: &'a Build<'a>,
    loader: Loader<'a>,
    pub(crate) file: Kustomization,
    file_name: &'static str,
    /// Set if origins are to be recorded.
    origin: Option<Origin>,
    /// `namespace` of the nearest directory above that has one: charts without one are rendered for it.
    namespace_above: String,
}

impl<'a> Target<'a> {
    /// Reads the kustomization file of a directory.
    pub(crate) fn load(build: &'a Build<'a>, loader: Loader<'a>) -> Result<Self> {
        let root = loader.root().to_owned();
        let mut found = FILE_NAMES.iter().filter(|name| loader.has(name));
        let file_name = *found.next().ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!(
                    "unable to find one of 'kustomization.yaml', 'kustomization.yml' or \
                     'Kustomization' in directory '{root}'"
                ),
            )
        })?;
        if found.next().is_some() {
            return Err(Error::invalid(format!(
                "Found multiple kustomization files under: {root}"
            )));
        }
        let path = join(&root, file_name);
        let file = Kustomization::parse(&loader.load_text(file_name)?, &root)
            .map_err(|error| error.in_file(&path))?;
        let target = Self {
            build,
            loader,
            file,
            file_name,
            origin: None,
            namespace_above: String::new(),
        };
        target.warn();
        Ok(target)
    }

    fn warn(&self) {
        for (old, new) in &self.file.deprecated {
            self.build.warnings.borrow_mut().push(format!(
                "'{old}' is deprecated. Please use '{new}' instead. ({}/{})",
                self.loader.root(),
                self.file_name
            ));
        }
    }

    /// Builds this directory as the one that was asked for.
    pub(crate) fn make(mut self) -> Result<(ResMap, Kustomization)> {
        self.build.set_schema(&self.file.openapi, &self.loader)?;
        if !self.file.build_metadata.is_empty() {
            self.origin = Some(Origin::default());
        }
        let mut all = self.accumulate(Accumulator::default())?;
        self.build.forget_texts();
        let schema = self.build.schema();
        Transformer::Hash.run(&mut all.map, &schema, &mut Effects::unwatched())?;
        let config = all.config.take().unwrap_or_default();
        fix_name_references(&config.name_reference, &mut all.map, &schema)?;
        all.map.align_twins(&schema);
        let idle = resolve_vars(&all.vars, &config.var_reference, &mut all.map)?;
        self.build.note_effects(|trace| trace.idle_vars = idle);
        all.map.align_twins(&schema);
        let mut failed = Ok(());
        all.map.list_mut().retain(|resource| {
            if failed.is_ok() && !resource.is_empty() {
                failed = load::validate(resource.node());
            }
            let local = resource.annotations().get(LOCAL_CONFIG).cloned();
            local.is_none_or(|value| value == "false")
        });
        failed?;
        // Replacements may have given two objects one name.
        let list = std::mem::take(all.map.list_mut());
        all.map.append_all(list, &schema)?;
        Ok((all.map, self.file))
    }

    fn accumulate(&self, mut all: Accumulator) -> Result<Accumulator> {
        let file = &self.file;
        self.resources(&mut all, "resources", &file.resources)
            .within(|| "accumulating resources".into())?;
        let merged = if file.configurations.is_empty() {
            self.build
                .builtin_config()
                .and_then(|config| all.merge_config(config))
        } else {
            all.add_config(&self.configurations(&file.configurations)?)
        };
        merged.within(|| "merging config".into())?;
        if !file.crds.is_empty() {
            let crds = crds::load(&file.crds, &self.loader)
                .within(|| format!("loading CRDs [{}]", file.crds.join(" ")))
                .at(|| self.place("crds", None))?;
            all.add_config(&crds).within(|| "merging CRDs".into())?;
        }
        self.generators(&mut all)?;
        for (number, path) in file.components.iter().enumerate() {
            all = self
                .component(all, path)
                .within(|| "accumulating components".into())
                .at(|| self.place("components", Some(number)))?;
        }
        self.transform(&mut all)?;
        self.validators(&all)?;
        all.merge_vars(&file.vars, &self.build.schema())
            .within(|| "merging vars".into())
            .at(|| self.place("vars", None))?;
        Ok(all)
    }

    /// The rules of the files that `configurations` lists, on top of kustomize's own.
    fn configurations(&self, paths: &[String]) -> Result<Config> {
        let mut own = Config::default();
        for (number, path) in paths.iter().enumerate() {
            let more = self
                .loader
                .load_text(path)
                .and_then(|text| Config::parse(&text))
                .within(|| format!("configuration '{path}'"))
                .at(|| self.place("configurations", Some(number)))?;
            own.merge(&more)?;
        }
        // The files agree with each other before kustomize's own rules come in.
        let mut config = Config::builtin();
        config.merge(&own)?;
        Ok(config)
    }

    /// A field of this kustomization's file, or an entry of it.
    fn place(&self, field: &str, item: Option<usize>) -> Place {
        Place::new(join(self.loader.root(), self.file_name), field, item)
    }

    /// Takes in the paths that a field lists.
    fn resources(&self, all: &mut Accumulator, field: &str, paths: &[String]) -> Result<()> {
        for (number, path) in paths.iter().enumerate() {
            self.resource(all, path).at(|| self.place(field, Some(number)))?;
        }
        Ok(())
    }

    /// Takes in a path as a file of objects or, failing that, as a directory.
    fn resource(&self, all: &mut Accumulator, path: &str) -> Result<()> {
        let Err(file_error) = self.file(all, path) else {
            return Ok(());
        };
        if file_error.kind() == ErrorKind::Remote {
            return Err(file_error);
        }
        let loader = match self.loader.enter(path) {
            Ok(loader) => loader,
            // The path surely was meant as a file.
            Err(_) if load::is_malformed(&file_error) => return Err(file_error),
            Err(error) => {
                // A file that is out of reach is why this fails, whatever else is wrong.
                let kind = match file_error.kind() {
                    ErrorKind::Security => ErrorKind::Security,
                    _ => error.kind(),
                };
                let message = format!("accumulation err='{}'", file_error.messages());
                return Err(error.within(message).of_kind(kind));
            }
        };
        self.directory(all, loader, path)
            .within(|| format!("accumulation err='{}'", file_error.messages()))
    }

    fn file(&self, all: &mut Accumulator, path: &str) -> Result<()> {
        let mut resources = self
            .loader
            .load(path)
            .and_then(|bytes| self.build.resources(&bytes))
            .within(|| format!("accumulating resources from '{path}'"))?;
        self.build.note(&resources);
        if let Some(origin) = &self.origin {
            for resource in &mut resources {
                resource.origin = Some(Box::new(origin.append(path)));
            }
        }
        all.map
            .append_all(resources, &self.build.schema())
            .within(|| format!("merging resources from '{path}'"))
    }

    fn enter(&self, loader: Loader<'a>, path: &str) -> Result<Self> {
        let root = loader.root().to_owned();
        let mut target =
            Self::load(self.build, loader).within(|| format!("couldn't make target for path '{root}'"))?;
        target.file.build_metadata.clone_from(&self.file.build_metadata);
        target.origin = self.origin.as_ref().map(|origin| origin.append(path));
        self.namespace().clone_into(&mut target.namespace_above);
        self.build.set_schema(&target.file.openapi, &target.loader)?;
        Ok(target)
    }

    fn directory(&self, all: &mut Accumulator, loader: Loader<'a>, path: &str) -> Result<()> {
        let target = self.enter(loader, path)?;
        let root = target.loader.root().to_owned();
        if target.file.is_component() {
            return Err(Error::invalid(format!(
                "expected kind != 'Component' for path '{root}'"
            )));
        }
        let sub = target
            .accumulate(Accumulator::default())
            .within(|| format!("recursed accumulation of path '{root}'"))?;
        all.merge(sub, &self.build.schema())
            .within(|| format!("recursed merging from path '{root}'"))
    }

    /// Lets a component work on what has been accumulated so far.
    fn component(&self, all: Accumulator, path: &str) -> Result<Accumulator> {
        let flat = |error: Error, what: &str| {
            let flat = Error::new(error.kind(), format!("{what} {:?}", error.messages()))
                .helped(error.help().map(str::to_owned));
            match error.places().last() {
                Some(innermost) => flat.at(Place::clone(innermost)),
                None => flat,
            }
        };
        let loader = self
            .loader
            .enter(path)
            .map_err(|error| flat(error, "loader.New"))?;
        let target = self
            .enter(loader, path)
            .map_err(|error| flat(error, "accumulateDirectory:"))?;
        let root = target.loader.root().to_owned();
        if !target.file.is_component() {
            let error = Error::invalid(format!(
                "expected kind 'Component' for path '{root}' but got '{}'",
                target.file.kind
            ));
            return Err(flat(error, "accumulateDirectory:"));
        }
        let sub = target
            .accumulate(all)
            .within(|| format!("recursed accumulation of path '{root}'"))
            .map_err(|error| flat(error, "accumulateDirectory:"))?;
        let mut fresh = Accumulator::default();
        fresh
            .merge(sub, &self.build.schema())
            .within(|| format!("recursed merging from path '{root}'"))
            .map_err(|error| flat(error, "accumulateDirectory:"))?;
        Ok(fresh)
    }

    /// The namespace that this file, or one above, gives its objects.
    fn namespace(&self) -> &str {
        match self.file.namespace.as_str() {
            "" => &self.namespace_above,
            own => own,
        }
    }

    /// The origin of what a field of this file makes or changes.
    fn builtin_origin(&self, kind: &str) -> Option<Origin> {
        self.origin
            .as_ref()
            .map(|origin| origin.builtin(self.file_name, kind))
    }

    fn generators(&self, all: &mut Accumulator) -> Result<()> {
        let file = &self.file;
        let schema = self.build.schema();
        let absorb = |all: &mut Accumulator, mut made: Vec<Resource>, origin: Option<&Origin>| {
            for resource in &mut made {
                if resource.origin.is_none() {
                    resource.origin = origin.cloned().map(Box::new);
                }
            }
            self.build.share(&mut made);
            all.map
                .absorb_all(made, &schema)
                .within(|| "merging from generator".into())
        };
        // All are read before any is run.
        let plugins = self
            .plugins("generators", &file.generators)
            .within(|| "loading generator plugins".into())?;
        for (number, args) in file.config_map_generator.iter().enumerate() {
            let args = generate::with_global(args.clone(), file.generator_options.as_ref());
            let made = generate::config_map(&args, &self.loader)
                .within(|| format!("configMapGenerator '{}'", args.name))
                .at(|| self.place("configMapGenerator", Some(number)))?;
            absorb(
                all,
                vec![made],
                self.builtin_origin("ConfigMapGenerator").as_ref(),
            )
            .at(|| self.place("configMapGenerator", Some(number)))?;
        }
        for (number, args) in file.secret_generator.iter().enumerate() {
            let args = generate::with_global(args.clone(), file.generator_options.as_ref());
            let made = generate::secret(&args, &self.loader)
                .within(|| format!("secretGenerator '{}'", args.name))
                .at(|| self.place("secretGenerator", Some(number)))?;
            absorb(all, vec![made], self.builtin_origin("SecretGenerator").as_ref())
                .at(|| self.place("secretGenerator", Some(number)))?;
        }
        for (number, chart) in file.helm_charts.iter().enumerate() {
            let globals = file.helm_globals.as_ref().unwrap_or(&Value::Null);
            let made =
                generate::helm_chart(globals, chart, self.namespace(), &self.loader, self.build.charts)
                    .at(|| self.place("helmCharts", Some(number)))?;
            absorb(
                all,
                made,
                self.builtin_origin("HelmChartInflationGenerator").as_ref(),
            )
            .at(|| self.place("helmCharts", Some(number)))?;
        }
        for plugin in &plugins {
            let made = plugins::generate(plugin, &self.loader, self.build.charts)?;
            absorb(all, made, plugin_origin(plugin).as_ref())?;
        }
        Ok(())
    }

    /// The configuration objects that a list of paths or texts names.
    fn plugins(&self, field: &str, list: &[String]) -> Result<Vec<Resource>> {
        let mut all = Accumulator::default();
        let mut paths = Vec::new();
        for entry in list {
            match load::resources(entry.as_bytes()) {
                Ok(mut inline) => {
                    self.build.note(&inline);
                    if let Some(origin) = &self.origin {
                        for resource in &mut inline {
                            resource.origin = Some(Box::new(origin.append(self.file_name)));
                        }
                    }
                    all.map.append_all(inline, &self.build.schema())?;
                }
                Err(_) => paths.push(entry.clone()),
            }
        }
        if paths.len() == list.len() {
            self.resources(&mut all, field, &paths)?;
        } else {
            // Some entries are texts: the numbers of the paths are not those of the file.
            for path in &paths {
                self.resource(&mut all, path).at(|| self.place(field, None))?;
            }
        }
        Ok(all.map.into_list())
    }

    fn transform(&self, all: &mut Accumulator) -> Result<()> {
        let mut list: Vec<(Transformer, Option<Origin>, Place)> = Vec::new();
        let config = all.config.clone().unwrap_or_default();
        for own in self.builtin_transformers(&config)? {
            list.push((own.transformer, self.builtin_origin(own.kind), own.place));
        }
        for plugin in self.plugins("transformers", &self.file.transformers)? {
            let place = self.place("transformers", None);
            let read = plugins::transformers(&plugin, &self.loader).at(|| place.clone())?;
            // One that acts as two is noted once.
            let last = read.len().saturating_sub(1);
            for (number, transformer) in read.into_iter().enumerate() {
                let origin = plugin_origin(&plugin).filter(|_| number == last);
                list.push((transformer, origin, place.clone()));
            }
        }
        let schema = self.build.schema();
        for (transformer, origin, place) in list {
            let mut effects = self.build.effects();
            if !transformer.is_patch() {
                all.map.drop_empty();
            }
            transformer
                .run(&mut all.map, &schema, &mut effects)
                .within(|| format!("kustomization in '{}'", self.loader.root()))
                .at(|| place.clone())?;
            self.build.note_merges(&effects);
            self.build.note_effects(|trace| trace.record(&place, effects));
            all.map.align_twins(&schema);
            if let Some(origin) = origin {
                for resource in all.map.notes_mut() {
                    if resource.origin.is_none() {
                        resource.origin = Some(Box::new(origin.clone()));
                    } else {
                        resource.transformations.push(origin.clone());
                    }
                    resource.rewrite_annotations()?;
                }
            }
        }
        all.map.drop_empty();
        Ok(())
    }

    /// The transformers of this file's own fields, in kustomize's order.
    fn builtin_transformers(&self, config: &Config) -> Result<Vec<Own>> {
        let file = &self.file;
        let mut list: Vec<Own> = Vec::new();
        let own = |kind: &'static str, transformer: Transformer, field: &str, item: Option<usize>| Own {
            kind,
            transformer,
            place: self.place(field, item),
        };
        if !file.patches_strategic_merge.is_empty() {
            let patches = load_strategic_merge_patches(&file.patches_strategic_merge, &self.loader)
                .within(|| "patchesStrategicMerge".into())
                .at(|| self.place("patchesStrategicMerge", None))?;
            let transformer = Transformer::PatchStrategicMerge(patches);
            list.push(own(
                "PatchStrategicMergeTransformer",
                transformer,
                "patchesStrategicMerge",
                None,
            ));
        }
        for (number, patch) in file.patches.iter().enumerate() {
            let patch = PatchTransformer::load(patch, &self.loader)
                .within(|| format!("patches[{number}]"))
                .at(|| self.place("patches", Some(number)))?;
            list.push(own(
                "PatchTransformer",
                Transformer::Patch(patch),
                "patches",
                Some(number),
            ));
        }
        if !file.namespace.is_empty() {
            let transformer = Transformer::Namespace {
                namespace: file.namespace.clone(),
                specs: config.namespace.clone(),
                unset_only: false,
                subjects: SubjectMode::DefaultOnly,
            };
            list.push(own("NamespaceTransformer", transformer, "namespace", None));
        }
        if !file.name_prefix.is_empty() {
            let specs = config.name_prefix.clone();
            let prefix = file.name_prefix.clone();
            list.push(own(
                "PrefixTransformer",
                Transformer::Prefix { prefix, specs },
                "namePrefix",
                None,
            ));
        }
        if !file.name_suffix.is_empty() {
            let specs = config.name_suffix.clone();
            let suffix = file.name_suffix.clone();
            list.push(own(
                "SuffixTransformer",
                Transformer::Suffix { suffix, specs },
                "nameSuffix",
                None,
            ));
        }
        self.label_transformers(config, &mut list)?;
        if !file.common_annotations.is_empty() {
            let specs = config.common_annotations.clone();
            let annotations = file.common_annotations.clone();
            let transformer = Transformer::Annotations { annotations, specs };
            list.push(own(
                "AnnotationsTransformer",
                transformer,
                "commonAnnotations",
                None,
            ));
        }
        for (number, patch) in file.patches_json6902.iter().enumerate() {
            let transformer =
                plugins::json6902(patch.target.clone(), &patch.path, &patch.patch, &self.loader)
                    .within(|| format!("patchesJson6902[{number}]"))
                    .at(|| self.place("patchesJson6902", Some(number)))?;
            list.push(own(
                "PatchJson6902Transformer",
                transformer,
                "patchesJson6902",
                Some(number),
            ));
        }
        for (number, replica) in file.replicas.iter().enumerate() {
            let specs = config.replicas.clone();
            let replica = replica.clone();
            let transformer = Transformer::Replicas { replica, specs };
            list.push(own(
                "ReplicaCountTransformer",
                transformer,
                "replicas",
                Some(number),
            ));
        }
        // One transformer for all of them; with origins each leaves a trace of its own.
        let together = if self.origin.is_some() {
            1
        } else {
            file.images.len().max(1)
        };
        for (number, images) in file.images.chunks(together).enumerate() {
            let specs = config.images.clone();
            let images = images.to_vec();
            list.push(own(
                "ImageTagTransformer",
                Transformer::Images { images, specs },
                "images",
                Some(number),
            ));
        }
        if !file.replacements.is_empty() {
            let loaded = load_replacements(&file.replacements, &self.loader)
                .within(|| "replacements".into())
                .at(|| self.place("replacements", None))?;
            let transformer = Transformer::Replacements(loaded);
            list.push(own("ReplacementTransformer", transformer, "replacements", None));
        }
        Ok(list)
    }

    fn label_transformers(&self, config: &Config, list: &mut Vec<Own>) -> Result<()> {
        let file = &self.file;
        if file.labels.is_empty() && file.common_labels.is_empty() {
            return Ok(());
        }
        for (number, label) in file.labels.iter().enumerate() {
            let mut specs = label.fields.clone();
            let message = || "failed to merge labels".to_owned();
            merge_all(&mut specs, &config.labels).within(message)?;
            if label.include_selectors {
                merge_all(&mut specs, &config.common_labels).within(message)?;
            } else {
                if label.include_templates {
                    merge_all(&mut specs, &config.template_labels).within(message)?;
                }
                merge_one(&mut specs, &FieldSpec::created("metadata/labels")).within(message)?;
            }
            let labels = label.pairs.clone();
            list.push(Own {
                kind: "LabelTransformer",
                transformer: Transformer::Labels { labels, specs },
                place: self.place("labels", Some(number)),
            });
        }
        list.push(Own {
            kind: "LabelTransformer",
            transformer: Transformer::Labels {
                labels: file.common_labels.clone(),
                specs: config.common_labels.clone(),
            },
            place: self.place("commonLabels", None),
        });
        Ok(())
    }

    /// Runs validators on a copy, which they must not change.
    fn validators(&self, all: &Accumulator) -> Result<()> {
        let schema = self.build.schema();
        for plugin in self.plugins("validators", &self.file.validators)? {
            for transformer in plugins::transformers(&plugin, &self.loader)? {
                let mut copy = all.map.clone();
                let mut effects = Effects::unwatched();
                transformer
                    .run(&mut copy, &schema, &mut effects)
                    .at(|| self.place("validators", None))?;
                self.build.note_merges(&effects);
                if !unchanged(&all.map, &copy) {
                    return Err(Error::invalid(format!(
                        "validator shouldn't modify the resource map: {}",
                        plugin.gvk()
                    )));
                }
            }
        }
        Ok(())
    }
}

/// A transformer that a field of the file asks for.
struct Own {
    /// kustomize's name of it.
    kind: &'static str,
    transformer: Transformer,
    place: Place,
}

fn join(root: &str, name: &str) -> String {
    format!("{}/{name}", root.trim_end_matches('/'))
}

/// Whether objects are equal as kustomize compares them before and after a validator: node by node, with types, styles
/// and comments.
fn unchanged(before: &ResMap, after: &ResMap) -> bool {
    before.list().len() == after.list().len()
        && before
            .iter()
            .zip(after.iter())
            .all(|(a, b)| same_nodes(a.node(), b.node()))
}

fn same_nodes(a: &Node, b: &Node) -> bool {
    let data = match (a.data(), b.data()) {
        (Data::Sequence(a), Data::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_nodes(a, b))
        }
        (Data::Mapping(a), Data::Mapping(b)) => {
            let same = |((ak, av), (bk, bv)): (&(Node, Node), &(Node, Node))| {
                same_nodes(ak, bk) && same_nodes(av, bv)
            };
            a.len() == b.len() && a.iter().zip(b).all(same)
        }
        _ => a.as_str() == b.as_str() && a.as_str().is_some(),
    };
    data && a.tag_text() == b.tag_text() && a.style() == b.style() && a.comments() == b.comments()
}

/// The origin of what a configured plugin makes or changes.
fn plugin_origin(plugin: &Resource) -> Option<Origin> {
    plugin.origin.as_ref().map(|origin| Origin {
        path: String::new(),
        configured_in: origin.path.clone(),
        api_version: plugin.api_version().to_owned(),
        kind: plugin.kind().to_owned(),
        name: plugin.name().to_owned(),
        namespace: plugin.namespace().to_owned(),
    })
}
