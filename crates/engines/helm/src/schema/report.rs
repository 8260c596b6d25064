//! What a schema has against values, as Helm's validator puts it together: santhosh-tekuri/jsonschema v6.0.2.
//!
//! Our validator gives a flat list, each with its way through the schema. Helm's gives a tree, and goes no further into a
//! schema whose `type`, `const`, `enum` or `format` does not fit. The ways lead from the one to the other.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::paths::Location;
use jsonschema::{ValidationError, Validator};
use serde_json::Value as Json;

use super::words;

/// Keywords without which Helm looks at no other of the same schema; nothing stands for the schema `false`.
const FIRST: [&str; 5] = ["", "type", "const", "enum", "format"];

/// Schemas that are compiled again for what lies within: a stranger's values are not to ask for more (N12).
const MOST_AGAIN: usize = 64;

/// Something that a schema has against values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// The keys and indices that lead to the value, as Helm counts them.
    pub(super) place: Vec<String>,
    pub(super) message: String,
    /// What belongs together below it.
    pub(super) within: Vec<Self>,
    /// Whether it says no more than that there are several below it.
    is_group: bool,
}

impl Finding {
    fn new(place: &[String], message: String) -> Self {
        Self {
            place: place.to_vec(),
            message,
            within: Vec::new(),
            is_group: false,
        }
    }

    fn with(self, within: Vec<Self>) -> Self {
        Self { within, ..self }
    }

    /// One for several at a place.
    fn of_all(place: &[String], mut all: Vec<Self>) -> Option<Self> {
        if all.len() < 2 {
            return all.pop();
        }
        Some(Self {
            is_group: true,
            ..Self::new(place, "validation failed".to_owned()).with(all)
        })
    }
}

/// A schema, and those of its parts that are asked again.
pub(super) struct Report<'s> {
    schema: &'s Json,
    compile: &'s dyn Fn(&str) -> Option<Validator>,
    again: BTreeMap<String, Option<Rc<Validator>>>,
}

impl<'s> Report<'s> {
    /// Of a schema, and of what compiles the part of it that a JSON pointer names.
    pub(super) fn of(schema: &'s Json, compile: &'s dyn Fn(&str) -> Option<Validator>) -> Self {
        Self {
            schema,
            compile,
            again: BTreeMap::new(),
        }
    }

    /// All that is wrong with values.
    pub(super) fn findings(&mut self, errors: &[ValidationError<'_>], values: &Json) -> Vec<Finding> {
        let root = Frame::of(Some(String::new()), Vec::new(), Some(values));
        self.top(root, errors, Skip::default())
    }

    /// What a schema says that was asked by itself: a group at its top is no more than what it holds.
    fn top<'e>(
        &mut self,
        mut frame: Frame<'e>,
        errors: impl IntoIterator<Item = &'e ValidationError<'e>>,
        skip: Skip,
    ) -> Vec<Finding> {
        for error in errors {
            frame.add(self.schema, error, skip);
        }
        let mut all = self.of_frame(&frame);
        match all.pop() {
            Some(one) if all.is_empty() && one.is_group => one.within,
            last => all.into_iter().chain(last).collect(),
        }
    }

    fn node(&mut self, frame: &Frame<'_>) -> Option<Finding> {
        let all = self.of_frame(frame);
        if frame.form == Form::All {
            let failed = Finding::new(&frame.place, "'allOf' failed".to_owned());
            return (!all.is_empty()).then(|| failed.with(all));
        }
        let one = Finding::of_all(&frame.place, all)?;
        // A reference is seen only where it leads to several, which are said to be here.
        let is_seen = frame.form == Form::Reference && one.is_group;
        Some(if is_seen {
            Finding::new(&frame.place, one.message).with(one.within)
        } else {
            one
        })
    }

    /// What is wrong with one value for one schema.
    fn of_frame(&mut self, frame: &Frame<'_>) -> Vec<Finding> {
        let first = FIRST.iter().find_map(|word| {
            frame.parts.iter().find_map(|part| match part {
                Part::Own(keyword, error) if keyword == word => Some(*error),
                _ => None,
            })
        });
        if let Some(error) = first {
            return vec![Finding::new(&frame.place, words::of(error))];
        }
        let mut said = BTreeSet::new();
        let mut all = Vec::new();
        for part in &frame.parts {
            match part {
                Part::Below(key) => all.extend(frame.below.get(key).and_then(|below| self.node(below))),
                Part::Own(keyword, error) => self.own(frame, keyword, error, &mut said, &mut all),
            }
        }
        all
    }

    /// What one keyword has against a value; some are said once for several errors.
    fn own<'e>(
        &mut self,
        frame: &Frame<'e>,
        keyword: &'e str,
        error: &'e ValidationError<'e>,
        said: &mut BTreeSet<&'e str>,
        all: &mut Vec<Finding>,
    ) {
        let place = &frame.place;
        let finding = |message: String| Finding::new(place, message);
        match error.kind() {
            Kind::Required { .. } => {
                if !said.insert(keyword) {
                    return;
                }
                let depending = frame.depending(self.schema, keyword);
                let lacks = frame.lacks(keyword);
                if depending.is_empty() && !lacks.is_empty() {
                    all.push(finding(words::missing(&lacks)));
                }
                for (property, missing) in depending {
                    all.push(finding(words::depending(&property, &missing)));
                }
            }
            Kind::FalseSchema if keyword == "additionalProperties" => {
                all.push(finding(words::additional(&frame.keys())));
            }
            Kind::FalseSchema if keyword == "propertyNames" => {
                for name in frame.keys() {
                    // Names are looked at by themselves, which is why Helm names no place.
                    let cause = Finding::new(&[], "false schema".to_owned());
                    all.push(Finding::new(&[], words::name(&name)).with(vec![cause]));
                }
            }
            Kind::PropertyNames { .. } => {
                if said.insert(keyword) {
                    all.extend(self.names(frame));
                }
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                let skip = Skip {
                    way: tokens(error.evaluation_path()).len() + 1,
                    values: tokens(error.instance_path()).len(),
                };
                let mut within = Vec::new();
                for (at, errors) in context.iter().enumerate() {
                    let schema = frame
                        .schema
                        .as_ref()
                        .map(|schema| format!("{schema}/{keyword}/{at}"));
                    let mut below = Frame::of(schema, place.clone(), frame.value);
                    for error in errors {
                        below.add(self.schema, error, skip);
                    }
                    within.extend(self.node(&below));
                }
                all.push(finding(words::of(error)).with(within));
            }
            Kind::Contains => all.push(self.contains(frame, keyword)),
            Kind::UnevaluatedProperties { unexpected } => {
                for name in unexpected {
                    all.extend(self.unevaluated(frame, keyword, name));
                }
            }
            Kind::UnevaluatedItems { unexpected } => {
                for at in frame.unevaluated_items(unexpected) {
                    all.extend(self.unevaluated(frame, keyword, &at.to_string()));
                }
            }
            _ => all.push(finding(words::of(error))),
        }
    }

    fn names(&mut self, frame: &Frame<'_>) -> Vec<Finding> {
        let mut names: Vec<(&str, Vec<&ValidationError<'_>>)> = Vec::new();
        for part in &frame.parts {
            let Part::Own(_, outer) = part else { continue };
            let Kind::PropertyNames { error } = outer.kind() else {
                continue;
            };
            let name = error.instance().as_str().unwrap_or_default();
            match names.last_mut() {
                Some((last, errors)) if *last == name => errors.push(error),
                _ => names.push((name, vec![error])),
            }
        }
        let schema = frame
            .schema
            .as_ref()
            .map(|schema| format!("{schema}/propertyNames"));
        names
            .into_iter()
            .map(|(name, errors)| {
                let skip = Skip {
                    way: frame.way + 1,
                    values: frame.depth,
                };
                let below = Frame::of(schema.clone(), Vec::new(), None);
                Finding::new(&[], words::name(name)).with(self.top(below, errors, skip))
            })
            .collect()
    }

    /// What each item has that is not what a list must contain.
    fn contains(&mut self, frame: &Frame<'_>, keyword: &str) -> Finding {
        let schema = frame.schema.as_ref().map(|schema| format!("{schema}/contains"));
        let (mut matched, mut within) = (Vec::new(), Vec::new());
        for (at, item) in frame.items().iter().enumerate() {
            let place = [frame.place.as_slice(), &[at.to_string()]].concat();
            match self.ask(schema.as_deref(), place, item) {
                Some(finding) => within.push(finding),
                None => matched.push(at.to_string()),
            }
        }
        let limit = frame.keyword(self.schema, keyword).and_then(Json::as_f64);
        let message = match keyword {
            // One is asked for before there may be too many.
            "maxContains" if matched.is_empty() => words::contains("contains", limit, &matched),
            _ => words::contains(keyword, limit, &matched),
        };
        if keyword == "maxContains" && !matched.is_empty() {
            within.clear();
        }
        Finding::new(&frame.place, message).with(within)
    }

    /// What is wrong with a value that no other keyword has looked at.
    fn unevaluated(&mut self, frame: &Frame<'_>, keyword: &str, key: &str) -> Option<Finding> {
        let place = [frame.place.as_slice(), &[key.to_owned()]].concat();
        let schema = frame.schema.as_ref().map(|schema| format!("{schema}/{keyword}"));
        let is_false = frame.keyword(self.schema, keyword) == Some(&Json::Bool(false));
        let value = frame.value.and_then(|value| member(value, key));
        match value {
            Some(value) if !is_false && schema.is_some() => self.ask(schema.as_deref(), place, value),
            _ => Some(Finding::new(&place, "false schema".to_owned())),
        }
    }

    /// What a part of the schema has against a value.
    fn ask(&mut self, schema: Option<&str>, place: Vec<String>, value: &Json) -> Option<Finding> {
        let pointer = schema?;
        if !self.again.contains_key(pointer) {
            let compiled = (self.again.len() < MOST_AGAIN)
                .then(|| (self.compile)(pointer))
                .flatten()
                .map(Rc::new);
            self.again.insert(pointer.to_owned(), compiled);
        }
        let validator = Rc::clone(self.again.get(pointer)?.as_ref()?);
        let errors: Vec<ValidationError<'_>> = validator.iter_errors(value).collect();
        let mut frame = Frame::of(Some(pointer.to_owned()), place, Some(value));
        for error in &errors {
            // The way begins with the reference to the part.
            frame.add(self.schema, error, Skip { way: 1, values: 0 });
        }
        self.node(&frame)
    }
}

/// How much of an error's ways lies behind.
#[derive(Clone, Copy, Debug, Default)]
struct Skip {
    way: usize,
    values: usize,
}

/// What stands for what in Helm's tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Schema,
    /// What a `$ref` names.
    Reference,
    /// All of `allOf`.
    All,
}

/// A value that a schema has looked at.
#[derive(Debug)]
struct Frame<'e> {
    form: Form,
    /// A JSON pointer to the schema, where that is known.
    schema: Option<String>,
    place: Vec<String>,
    value: Option<&'e Json>,
    /// Steps that led here through the schema and the values.
    way: usize,
    depth: usize,
    parts: Vec<Part<'e>>,
    /// Frames below, by the steps that lead there.
    below: BTreeMap<Vec<String>, Self>,
}

#[derive(Debug)]
enum Part<'e> {
    /// Against the value itself, by this keyword.
    Own(String, &'e ValidationError<'e>),
    /// The frame that these steps lead to.
    Below(Vec<String>),
}

/// A step of an error's way through the schema.
struct Step {
    form: Form,
    /// Parts of the way that it takes.
    length: usize,
    /// Whether it leads into the value.
    is_into: bool,
}

impl Step {
    /// The step that a way begins with, unless that is the keyword that failed.
    fn of(form: Form, way: &[String]) -> Option<Self> {
        let is_number = |text: &String| text.bytes().all(|byte| byte.is_ascii_digit());
        let (form, length, is_into) = match way.first()?.as_str() {
            _ if form == Form::All => (Form::Schema, 1, false),
            "properties" | "patternProperties" | "prefixItems" => (Form::Schema, 2, true),
            "items" if way.get(1).is_some_and(is_number) => (Form::Schema, 2, true),
            "items" | "additionalItems" | "additionalProperties" => (Form::Schema, 1, true),
            "dependentSchemas" | "dependencies" => (Form::Schema, 2, false),
            "then" | "else" => (Form::Schema, 1, false),
            "$ref" | "$dynamicRef" | "$recursiveRef" => (Form::Reference, 1, false),
            "allOf" => (Form::All, 1, false),
            _ => return None,
        };
        Some(Self {
            form,
            length,
            is_into,
        })
    }
}

impl<'e> Frame<'e> {
    fn of(schema: Option<String>, place: Vec<String>, value: Option<&'e Json>) -> Self {
        Self {
            form: Form::Schema,
            schema,
            place,
            value,
            way: 0,
            depth: 0,
            parts: Vec::new(),
            below: BTreeMap::new(),
        }
    }

    /// Puts an error where it belongs.
    fn add(&mut self, root: &Json, error: &'e ValidationError<'e>, skip: Skip) {
        let (way, values) = (tokens(error.evaluation_path()), tokens(error.instance_path()));
        let (mut way_at, mut value_at) = (skip.way, skip.values);
        (self.way, self.depth) = (way_at, value_at);
        let mut frame = self;
        loop {
            let rest = way.get(way_at..).unwrap_or_default();
            let step = Step::of(frame.form, rest).filter(|step| match rest.len() {
                length if length > step.length => true,
                // The schema itself is `false`.
                length if length == step.length => {
                    matches!(error.kind(), Kind::FalseSchema) && (!step.is_into || value_at < values.len())
                }
                _ => false,
            });
            let Some(step) = step else {
                let keyword = rest.first().cloned().unwrap_or_default();
                frame.parts.push(Part::Own(keyword, error));
                return;
            };
            let taken = rest.get(..step.length).unwrap_or_default();
            let into = if step.is_into { values.get(value_at) } else { None };
            way_at += step.length;
            value_at += usize::from(step.is_into);
            frame = frame.enter(root, &step, taken, into);
            (frame.way, frame.depth) = (way_at, value_at);
        }
    }

    /// The frame that a step leads to.
    fn enter(&mut self, root: &Json, step: &Step, taken: &[String], into: Option<&String>) -> &mut Self {
        let key: Vec<String> = taken.iter().chain(into).cloned().collect();
        if !self.below.contains_key(&key) {
            let below = self.next(root, step, taken, into);
            self.below.insert(key.clone(), below);
            self.parts.push(Part::Below(key.clone()));
        }
        self.below
            .entry(key)
            .or_insert_with(|| Self::of(None, Vec::new(), None))
    }

    fn next(&self, root: &Json, step: &Step, taken: &[String], into: Option<&String>) -> Self {
        let schema = match step.form {
            Form::Reference => taken
                .first()
                .and_then(|keyword| self.keyword(root, keyword))
                .and_then(Json::as_str)
                .and_then(|reference| reference.strip_prefix('#'))
                .filter(|pointer| !pointer.contains('%') && root.pointer(pointer).is_some())
                .map(str::to_owned),
            _ => self.schema.as_ref().map(|schema| {
                taken.iter().fold(schema.clone(), |schema, part| {
                    format!("{schema}/{}", escaped(part))
                })
            }),
        };
        let mut place = self.place.clone();
        place.extend(into.map(|key| self.counted(root, taken, key)));
        Self {
            form: step.form,
            ..Self::of(
                schema,
                place,
                match into {
                    Some(key) => self.value.and_then(|value| member(value, key)),
                    None => self.value,
                },
            )
        }
    }

    /// An index as Helm counts it: items behind those that have schemas of their own begin at 0 again.
    fn counted(&self, root: &Json, taken: &[String], key: &str) -> String {
        let before = match taken {
            [one] if one == "additionalItems" => "items",
            [one] if one == "items" && !is_before_2020(root) => "prefixItems",
            _ => return key.to_owned(),
        };
        let before = self
            .keyword(root, before)
            .and_then(Json::as_array)
            .map_or(0, Vec::len);
        match key.parse::<usize>() {
            Ok(at) => at.saturating_sub(before).to_string(),
            Err(_) => key.to_owned(),
        }
    }

    /// What a keyword of the schema says.
    fn keyword<'s>(&self, root: &'s Json, keyword: &str) -> Option<&'s Json> {
        root.pointer(self.schema.as_deref()?)?.get(keyword)
    }

    fn keys(&self) -> Vec<String> {
        let table = self.value.and_then(Json::as_object);
        table
            .into_iter()
            .flat_map(|table| table.keys().cloned())
            .collect()
    }

    fn items(&self) -> &'e [Json] {
        self.value.and_then(Json::as_array).map_or(&[], Vec::as_slice)
    }

    /// Properties that a keyword asks for in vain. The validator names some that are there, where no others may be.
    fn lacks(&self, keyword: &str) -> Vec<String> {
        let table = self.value.and_then(Json::as_object);
        let is_there = |name: &&str| table.is_some_and(|table| table.contains_key(*name));
        let lacking = self.parts.iter().filter_map(|part| match part {
            Part::Own(own, error) if own == keyword => match error.kind() {
                Kind::Required { property } => property.as_str(),
                _ => None,
            },
            _ => None,
        });
        lacking
            .filter(|name| !is_there(name))
            .map(str::to_owned)
            .collect()
    }

    /// Properties that ask for others, and what is missing of these.
    fn depending(&self, root: &Json, keyword: &str) -> Vec<(String, Vec<String>)> {
        let (Some(Json::Object(rules)), Some(Json::Object(table))) =
            (self.keyword(root, keyword), self.value)
        else {
            return Vec::new();
        };
        rules
            .iter()
            .filter(|(property, _)| table.contains_key(*property))
            .filter_map(|(property, asked)| {
                let asked = asked.as_array()?.iter().filter_map(Json::as_str);
                let missing = asked.filter(|name| !table.contains_key(*name));
                Some((property.clone(), missing.map(str::to_owned).collect::<Vec<_>>()))
            })
            .filter(|(_, missing)| !missing.is_empty())
            .collect()
    }

    /// The indices of items that are known by their JSON only; the last ones that look so.
    fn unevaluated_items(&self, unexpected: &[String]) -> Vec<usize> {
        let mut found = Vec::new();
        let mut left = unexpected.iter().rev().peekable();
        for (at, item) in self.items().iter().enumerate().rev() {
            if left
                .peek()
                .is_some_and(|text| text.as_str() == item.to_string().as_str())
            {
                left.next();
                found.push(at);
            }
        }
        found.reverse();
        found
    }
}

fn member<'v>(value: &'v Json, key: &str) -> Option<&'v Json> {
    match value {
        Json::Object(table) => table.get(key),
        Json::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => None,
    }
}

fn is_before_2020(schema: &Json) -> bool {
    let named = schema.get("$schema").and_then(Json::as_str);
    named.is_some_and(|named| named.contains("/draft-0") || named.contains("2019-09"))
}

fn tokens(location: &Location) -> Vec<String> {
    let parts = location.as_str().split('/').skip(1);
    parts
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// A part of a JSON pointer.
pub(super) fn escaped(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}
