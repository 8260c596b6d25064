//! A parsed text, and filling it in.

use crate::Variables;
use crate::error::{Position, Problem, SubstituteError};
use crate::functions::Function;
use crate::parse::{Expression, Node, parse};

/// The longest result, in bytes. It is far above what an API server takes for one object, and below what a few
/// lines that repeat a long value could ask for.
pub const MAX_OUTPUT_BYTES: usize = 32 * 1024 * 1024;

/// What a variable without a value and without a default means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The empty text.
    #[default]
    Lenient,
    /// An error.
    Strict,
}

/// A text whose expressions have been read, to be filled in once or often.
#[derive(Clone, Debug)]
pub struct Template<'t> {
    text: &'t str,
    nodes: Vec<Node>,
}

/// Replaces every `${…}` of `text`. See the crate's documentation for what the forms mean.
///
/// # Errors
/// When an expression cannot be read, when a variable is not set in strict mode, or at the limits.
pub fn substitute(text: &str, variables: &Variables, mode: Mode) -> Result<String, SubstituteError> {
    Template::parse(text)?.render(variables, mode)
}

impl<'t> Template<'t> {
    /// Reads the expressions of `text`.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn parse(text: &'t str) -> Result<Self, SubstituteError> {
        Ok(Self {
            text,
            nodes: parse(text)?,
        })
    }

    /// Fills in the values.
    ///
    /// # Errors
    /// When a variable is not set in strict mode, or at the limits.
    pub fn render(&self, variables: &Variables, mode: Mode) -> Result<String, SubstituteError> {
        let mut out = String::with_capacity(self.text.len());
        let renderer = Renderer {
            text: self.text,
            variables,
            mode,
        };
        for node in &self.nodes {
            renderer.node(node, &mut out)?;
        }
        Ok(out)
    }

    /// The names of all variables in the text, in the order of their first appearance.
    pub fn variables(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for node in &self.nodes {
            collect(node, &mut names);
        }
        names
    }
}

fn collect<'n>(node: &'n Node, names: &mut Vec<&'n str>) {
    let Node::Expression(expression) = node else {
        return;
    };
    if !names.contains(&expression.variable.as_str()) {
        names.push(&expression.variable);
    }
    for argument in &expression.arguments {
        collect(argument, names);
    }
}

struct Renderer<'r> {
    text: &'r str,
    variables: &'r Variables,
    mode: Mode,
}

impl Renderer<'_> {
    fn node(&self, node: &Node, out: &mut String) -> Result<(), SubstituteError> {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Expression(expression) => {
                let result = self.expression(expression)?;
                if out.len().saturating_add(result.len()) > MAX_OUTPUT_BYTES {
                    return Err(self.error(expression, Problem::TooLong));
                }
                out.push_str(&result);
            }
        }
        Ok(())
    }

    fn expression(&self, expression: &Expression) -> Result<String, SubstituteError> {
        let mut arguments = Vec::with_capacity(expression.arguments.len());
        for argument in &expression.arguments {
            let mut text = String::new();
            self.node(argument, &mut text)?;
            arguments.push(text);
        }
        let value = self.variables.get(&expression.variable);
        if value.is_none() && self.mode == Mode::Strict && expression.function != Function::Default {
            return Err(self.error(expression, Problem::NotSet(expression.variable.clone())));
        }
        let applied = expression.function.apply(value.unwrap_or_default(), &arguments);
        applied.map_err(|problem| self.error(expression, problem))
    }

    fn error(&self, expression: &Expression, problem: Problem) -> SubstituteError {
        SubstituteError {
            problem,
            position: Position::of(self.text, expression.offset),
            variable: Some(expression.variable.clone()),
        }
    }
}
