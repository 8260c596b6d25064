//! The evaluator: walks a tree, as text/template's `exec.go` does.
//!
//! Go's values come with a static type, which is `interface {}` for the elements of most maps and lists, and shows
//! in messages and in what nil means. Here a value that was just taken out of such a container is [`Seen`] through
//! an interface; a pipeline's result never is.

mod call;
mod field;
mod range;

use crate::fmt;
use crate::parse::{Arg, Branch, Command, List, Node, Number, Pipe, Place, Tree, Variable};
use crate::quote::quote;
use crate::types::Kind;
use crate::{CallError, Env, ExecError, Frame, Type, Value, ty};

/// A value, and whether it is seen through a variable of type `interface {}`.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) value: Value,
    pub(crate) interface: bool,
}

impl Seen {
    fn plain(value: Value) -> Self {
        Self {
            value,
            interface: false,
        }
    }

    /// An element of a container with elements of this type.
    pub(crate) fn element(value: Value, elem: Type) -> Self {
        if elem.kind == Kind::Interface {
            let value = if matches!(value, Value::Nil) {
                Value::TypedNil(elem)
            } else {
                value
            };
            Self {
                value,
                interface: true,
            }
        } else {
            Self::plain(value)
        }
    }

    /// What is inside the interface, if it is one.
    pub(crate) fn concrete(self) -> Value {
        match self.value {
            Value::TypedNil(ty) if ty.kind == Kind::Interface => Value::Nil,
            value => value,
        }
    }

    fn type_name(&self) -> &'static str {
        if self.interface {
            ty::ANY.name
        } else {
            self.value.type_name()
        }
    }
}

/// How a walk goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

struct State<'s, 'r, 't> {
    env: &'s mut Env<'r>,
    tree: &'t Tree,
    /// What is being evaluated, for messages.
    at: Place<'t>,
    variables: Vec<(u32, Seen)>,
    out: &'s mut Vec<u8>,
}

type Result<T> = std::result::Result<T, ExecError>;

/// An address on the stack, to see how much of it is used.
#[inline(never)]
pub(crate) fn stack_address() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(&here).addr()
}

/// Executes a tree.
pub(crate) fn run(env: &mut Env<'_>, tree: &Tree, data: &Value, out: &mut Vec<u8>) -> Result<()> {
    let Some(first) = tree.root.nodes.first() else {
        return Ok(());
    };
    let dot = Seen::plain(data.clone());
    env.depth += 1;
    let mut state = State {
        env,
        tree,
        at: Place::Node(first),
        variables: vec![(0, dot.clone())],
        out,
    };
    let result = if state.env.may_nest() {
        state.list(&dot, &tree.root)
    } else {
        Err(state.too_deep())
    };
    env.depth -= 1;
    result.map(|_| ())
}

impl<'t> State<'_, '_, 't> {
    // Errors.

    fn place(&self) -> (String, Frame) {
        let (line, column) = self.tree.locate(self.at.pos());
        let expression = self.at.print(&self.tree.text);
        let text = format!(
            "template: {}:{line}:{column}: executing {} at <{expression}>: ",
            self.tree.file,
            quote(self.tree.name.as_bytes(), false),
        );
        let frame = Frame {
            template: self.tree.name.to_string(),
            file: self.tree.file.to_string(),
            line,
            column,
            expression,
        };
        (text, frame)
    }

    fn fail<T>(&self, message: impl AsRef<str>) -> Result<T> {
        Err(self.error(message.as_ref()))
    }

    #[cold]
    fn error(&self, message: &str) -> ExecError {
        let (text, frame) = self.place();
        CallError::merged(text + message, frame)
    }

    #[cold]
    fn wrap(&self, error: CallError, message: &str) -> ExecError {
        let (text, frame) = self.place();
        error.at(text + message, frame)
    }

    fn too_deep(&self) -> ExecError {
        let message = if self.env.depth > self.env.limits.depth {
            format!("exceeded maximum template depth ({})", self.env.limits.depth)
        } else {
            "exceeded maximum template depth (no more stack)".to_owned()
        };
        self.wrap(CallError::limit(message), "")
    }

    fn spend(&mut self, steps: usize) -> Result<()> {
        self.env.spend(steps).map_err(|error| self.wrap(error, ""))
    }

    fn reserve(&mut self, bytes: usize) -> Result<()> {
        self.env.reserve(bytes).map_err(|error| self.wrap(error, ""))
    }

    // Variables.

    fn set_variable(&mut self, variable: &Variable, value: Seen) -> Result<()> {
        match self
            .variables
            .iter_mut()
            .rev()
            .find(|(known, _)| *known == variable.id)
        {
            Some((_, slot)) => {
                *slot = value;
                Ok(())
            }
            None => self.undefined(variable),
        }
    }

    fn undefined<T>(&self, variable: &Variable) -> Result<T> {
        let name = variable.name.of(&self.tree.text);
        self.fail(format!("undefined variable: {name}"))
    }

    fn variable(&self, variable: &Variable) -> Result<Seen> {
        match self
            .variables
            .iter()
            .rev()
            .find(|(known, _)| *known == variable.id)
        {
            Some((_, value)) => Ok(value.clone()),
            None => self.undefined(variable),
        }
    }

    fn set_top(&mut self, from_top: usize, value: Seen) {
        let at = self.variables.len().wrapping_sub(from_top);
        if let Some((_, slot)) = self.variables.get_mut(at) {
            *slot = value;
        }
    }

    // Nodes.

    fn list(&mut self, dot: &Seen, list: &'t List) -> Result<Flow> {
        if !self.env.may_nest() {
            return Err(self.too_deep());
        }
        for node in &list.nodes {
            let flow = self.node(dot, node)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, dot: &Seen, node: &'t Node) -> Result<Flow> {
        self.at = Place::Node(node);
        self.spend(1)?;
        match node {
            Node::Text(part) => {
                let tree = self.tree;
                let text = part.of(&tree.text);
                self.reserve(text.len())?;
                self.out.extend_from_slice(text.as_bytes());
            }
            Node::Comment(_) => {}
            Node::Action(pipe) => {
                let value = self.pipeline(dot, pipe)?;
                if pipe.declares.is_empty() {
                    self.print(node, &value)?;
                }
            }
            Node::If(branch) => return self.branch(dot, branch, false),
            Node::With(branch) => return self.branch(dot, branch, true),
            Node::Range(branch) => return self.range(dot, branch),
            Node::Template { name, pipe, .. } => self.template(dot, node, &name.to_str(), pipe.as_deref())?,
            Node::Break { .. } => return Ok(Flow::Break),
            Node::Continue { .. } => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn branch(&mut self, dot: &Seen, branch: &'t Branch, sets_dot: bool) -> Result<Flow> {
        let mark = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?;
        let result = if value.truth() {
            if sets_dot {
                self.list(&Seen::plain(value), &branch.list)
            } else {
                self.list(dot, &branch.list)
            }
        } else if let Some(list) = &branch.otherwise {
            self.list(dot, list)
        } else {
            Ok(Flow::On)
        };
        self.variables.truncate(mark);
        result
    }

    fn template(&mut self, dot: &Seen, node: &'t Node, name: &str, pipe: Option<&'t Pipe>) -> Result<()> {
        let Some(tree) = self.env.set.lookup(name).map(std::sync::Arc::clone) else {
            return self.fail(format!("template {} not defined", quote(name.as_bytes(), false)));
        };
        self.at = Place::Node(node);
        if !self.env.may_nest() {
            return Err(self.too_deep());
        }
        let data = match pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Value::Nil,
        };
        run(self.env, &tree, &data, self.out)
    }

    fn print(&mut self, node: &'t Node, value: &Value) -> Result<()> {
        self.at = Place::Node(node);
        match value {
            Value::Nil => {
                self.reserve(10)?;
                self.out.extend_from_slice(b"<no value>");
            }
            Value::Str(text) => {
                self.reserve(text.len())?;
                self.out.extend_from_slice(text.as_bytes());
            }
            Value::Func(function) => {
                let printed = self.at.print(&self.tree.text);
                return self.fail(format!("can't print {printed} of type {}", function.ty()));
            }
            value => {
                let printable = match value {
                    Value::Object(object) => object.pointed_text().map(Value::Str),
                    _ => None,
                };
                let printable = printable.unwrap_or_else(|| fmt::printable(value));
                let text = fmt::print(self.env, &[printable]).map_err(|error| self.wrap(error, ""))?;
                self.out.extend_from_slice(&text);
            }
        }
        Ok(())
    }

    // Pipelines.

    fn pipeline(&mut self, dot: &Seen, pipe: &'t Pipe) -> Result<Value> {
        if !self.env.may_nest() {
            return Err(self.too_deep());
        }
        self.at = Place::Pipe(pipe);
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(dot, command, value)?.concrete());
        }
        let value = value.unwrap_or_default();
        for variable in &pipe.declares {
            let seen = Seen::plain(value.clone());
            if pipe.is_assign {
                self.set_variable(variable, seen)?;
            } else {
                self.variables.push((variable.id, seen));
            }
        }
        Ok(value)
    }

    fn not_a_function(&self, args: &'t [Arg], last: Option<&Value>) -> Result<()> {
        if args.len() > 1 || last.is_some() {
            let mut printed = String::new();
            if let Some(first) = args.first() {
                printed = Place::Arg(first).print(&self.tree.text);
            }
            return self.fail(format!("can't give argument to non-function {printed}"));
        }
        Ok(())
    }

    fn command(&mut self, dot: &Seen, command: &'t Command, last: Option<Value>) -> Result<Seen> {
        let args = &*command.args;
        let Some(first) = args.first() else {
            return self.fail("empty command");
        };
        match first {
            Arg::Field { path, .. } => {
                self.at = Place::Arg(first);
                return self.fields(dot, dot, *path, first, args, last);
            }
            Arg::Chain { .. } => return self.chain(dot, first, args, last),
            Arg::Identifier { name, function, .. } => {
                self.at = Place::Arg(first);
                return self.function(dot, *function, *name, Place::Command(command), args, last);
            }
            Arg::Pipe(pipe) => {
                self.not_a_function(args, last.as_ref())?;
                return self.pipeline(dot, pipe).map(Seen::plain);
            }
            Arg::Variable { .. } => return self.variable_fields(dot, first, args, last),
            _ => {}
        }
        self.at = Place::Arg(first);
        self.not_a_function(args, last.as_ref())?;
        match first {
            Arg::Dot { .. } => Ok(dot.clone()),
            Arg::Bool { value, .. } => Ok(Seen::plain(Value::Bool(*value))),
            Arg::Number(number) => self.constant(first, number).map(Seen::plain),
            Arg::Text { value, .. } => Ok(Seen::plain(Value::Str(value.clone()))),
            _ => self.fail("nil is not a command"),
        }
    }

    /// A number where no type is asked for.
    fn constant(&mut self, arg: &'t Arg, number: &Number) -> Result<Value> {
        self.at = Place::Arg(arg);
        let text = number.text.as_bytes();
        let is_hex = matches!(text, [b'0', b'x' | b'X', _, ..]) && !number.text.contains(['p', 'P']);
        if let Some(complex) = number.complex {
            return Ok(Value::Complex(std::rc::Rc::new(complex)));
        }
        if let Some(float) = number.float
            && !is_hex
            && !number.text.starts_with('\'')
            && number.text.contains(['.', 'e', 'E', 'p', 'P'])
        {
            return Ok(Value::float(float));
        }
        match number.int {
            Some(int) => Ok(Value::int(int)),
            None => self.fail(format!("{} overflows int", number.text)),
        }
    }

    /// `$x` and `$x.Field`
    fn variable_fields(
        &mut self,
        dot: &Seen,
        arg: &'t Arg,
        args: &'t [Arg],
        last: Option<Value>,
    ) -> Result<Seen> {
        let Arg::Variable { variable, path, .. } = arg else {
            return self.fail("not a variable");
        };
        self.at = Place::Arg(arg);
        let value = self.variable(variable)?;
        if path.is_empty() {
            self.not_a_function(args, last.as_ref())?;
            return Ok(value);
        }
        self.fields(dot, &value, *path, arg, args, last)
    }

    /// `(pipeline).Field`
    fn chain(&mut self, dot: &Seen, arg: &'t Arg, args: &'t [Arg], last: Option<Value>) -> Result<Seen> {
        let Arg::Chain { base, path, .. } = arg else {
            return self.fail("not a chain");
        };
        self.at = Place::Arg(arg);
        if matches!(**base, Arg::Nil { .. }) {
            let printed = self.at.print(&self.tree.text);
            return self.fail(format!("indirection through explicit nil in {printed}"));
        }
        let value = self.arg_seen(dot, base)?;
        self.fields(dot, &value, *path, arg, args, last)
    }
}
