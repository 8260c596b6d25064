//! Reading the text into pieces.
//!
//! The forms are those that upstream's scanner accepts, with its limits: one argument is either a text or one
//! `${…}`, except in defaults, where they follow each other freely.

use crate::MAX_DEPTH;
use crate::error::{Position, Problem, SubstituteError};
use crate::functions::Function;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Text(String),
    Expression(Expression),
}

/// One `${…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expression {
    pub(crate) variable: String,
    pub(crate) function: Function,
    pub(crate) arguments: Vec<Node>,
    /// Where its `$` stands, in bytes.
    pub(crate) offset: usize,
}

/// Splits a text into literal text and expressions.
pub(crate) fn parse(text: &str) -> Result<Vec<Node>, SubstituteError> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
        open: None,
    };
    let mut nodes = Vec::new();
    parser.nodes(&mut nodes).map_err(|problem| {
        let (offset, variable) = parser.open.take().unwrap_or((parser.at, None));
        SubstituteError {
            problem,
            position: Position::of(text, offset),
            variable,
        }
    })?;
    Ok(nodes)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    /// The innermost expression being read: its offset, and its variable once known.
    open: Option<(usize, Option<String>)>,
}

/// Which characters a backslash makes literal besides `$$`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    None,
    Dollar,
    DollarAndBackslash,
}

impl Parser<'_> {
    fn nodes(&mut self, nodes: &mut Vec<Node>) -> Result<(), Problem> {
        while self.peek().is_some() {
            nodes.push(if self.rest().starts_with("${") {
                Node::Expression(self.expression()?)
            } else {
                Node::Text(self.literal(Escapes::Dollar, |_| true))
            });
        }
        Ok(())
    }

    fn expression(&mut self) -> Result<Expression, Problem> {
        let outer = self.open.replace((self.at, None));
        let offset = self.at;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Problem::TooDeep);
        }
        self.skip("${");
        let expression = self.form(offset)?;
        self.depth -= 1;
        self.open = outer;
        Ok(expression)
    }

    /// What stands between `${` and `}`, and the `}`.
    fn form(&mut self, offset: usize) -> Result<Expression, Problem> {
        if self.skip("#") {
            let variable = self.name().ok_or(Problem::BadSubstitution)?;
            self.close()?;
            return Ok(Expression {
                variable,
                function: Function::Length,
                arguments: Vec::new(),
                offset,
            });
        }
        let variable = self.name().ok_or(Problem::VariableName)?;
        self.open = Some((offset, Some(variable.clone())));
        let (function, arguments) = match self.peek() {
            Some(':')
                if ["=", "-", "?", "+"]
                    .iter()
                    .any(|sign| self.rest().get(1..2) == Some(*sign)) =>
            {
                self.at += 2;
                (Function::Default, self.default()?)
            }
            Some('=') => {
                self.at += 1;
                (Function::Default, self.default()?)
            }
            Some(':') => (Function::Substring, self.substring()?),
            Some(',' | '^') => (self.case(), Vec::new()),
            Some('/') => self.replacement()?,
            Some('#' | '%') => {
                let function = self.trim();
                (function, vec![self.argument(Escapes::None, |c| c != '}')?])
            }
            Some('}') => (Function::Plain, Vec::new()),
            _ => return Err(Problem::MissingBrace),
        };
        self.close()?;
        Ok(Expression {
            variable,
            function,
            arguments,
            offset,
        })
    }

    /// Letters, digits and underscores; upstream lets a name begin with a digit here.
    fn name(&mut self) -> Option<String> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let name = rest.get(..end).filter(|name| !name.is_empty())?.to_owned();
        self.at += end;
        Some(name)
    }

    fn default(&mut self) -> Result<Vec<Node>, Problem> {
        let mut arguments = Vec::new();
        while self.peek() != Some('}') {
            arguments.push(self.argument(Escapes::None, |c| c != '}')?);
        }
        Ok(arguments)
    }

    fn substring(&mut self) -> Result<Vec<Node>, Problem> {
        self.skip(":");
        // Upstream's scanner loses its place before a character of several bytes, and at the end.
        if self.peek().is_none_or(|c| !c.is_ascii()) {
            return Err(Problem::BadSubstitution);
        }
        let mut arguments = vec![self.argument(Escapes::None, |c| c != ':' && c != '}')?];
        if self.skip_all(':') {
            arguments.push(self.argument(Escapes::None, |c| c != '}')?);
        }
        Ok(arguments)
    }

    fn case(&mut self) -> Function {
        let signs = [("^^", Function::Upper), (",,", Function::Lower)];
        if let Some((_, function)) = signs.into_iter().find(|(sign, _)| self.skip(sign)) {
            return function;
        }
        // Mixed signs are read and change nothing.
        let mixed = ["^,", ",^"].iter().any(|sign| self.skip(sign));
        if mixed {
            Function::Plain
        } else if self.skip("^") {
            Function::UpperFirst
        } else {
            self.skip(",");
            Function::LowerFirst
        }
    }

    fn trim(&mut self) -> Function {
        let signs = [
            ("##", Function::TrimLongestPrefix),
            ("#", Function::TrimShortestPrefix),
            ("%%", Function::TrimLongestSuffix),
            ("%", Function::TrimShortestSuffix),
        ];
        let found = signs.into_iter().find(|(sign, _)| self.skip(sign));
        found.map_or(Function::Plain, |(_, function)| function)
    }

    fn replacement(&mut self) -> Result<(Function, Vec<Node>), Problem> {
        let signs = [
            ("//", Function::ReplaceAll),
            ("/#", Function::ReplacePrefix),
            ("/%", Function::ReplaceSuffix),
            ("/", Function::ReplaceFirst),
        ];
        let found = signs.into_iter().find(|(sign, _)| self.skip(sign));
        let function = found.map_or(Function::Plain, |(_, function)| function);
        let mut arguments = vec![self.argument(Escapes::DollarAndBackslash, |c| c != '/')?];
        if !self.skip_all('/') {
            return Err(Problem::BadSubstitution);
        }
        if self.peek() != Some('}') {
            arguments.push(self.argument(Escapes::DollarAndBackslash, |c| c != '}')?);
        }
        Ok((function, arguments))
    }

    /// One nested expression, or text of the accepted characters up to the next one; not nothing.
    fn argument(&mut self, escapes: Escapes, accepts: fn(char) -> bool) -> Result<Node, Problem> {
        if self.rest().starts_with("${") {
            return self.expression().map(Node::Expression);
        }
        let text = self.literal(escapes, accepts);
        if text.is_empty() {
            Err(Problem::Argument)
        } else {
            Ok(Node::Text(text))
        }
    }

    /// Text up to the next `${` or the first character that is not accepted. An escape is always accepted.
    fn literal(&mut self, escapes: Escapes, accepts: fn(char) -> bool) -> String {
        let mut out = String::new();
        while let Some(c) = self.peek() {
            if self.rest().starts_with("${") {
                break;
            }
            let mut next = self.rest().chars().skip(1);
            let literal = match (c, next.next()) {
                ('$', Some('$')) if escapes != Escapes::None => Some('$'),
                ('\\', Some(next @ ('/' | '\\'))) if escapes == Escapes::DollarAndBackslash => Some(next),
                _ => None,
            };
            if let Some(literal) = literal {
                out.push(literal);
                self.at += 2;
            } else if accepts(c) {
                out.push(c);
                self.at += c.len_utf8();
            } else {
                break;
            }
        }
        out
    }

    fn close(&mut self) -> Result<(), Problem> {
        if self.skip("}") {
            Ok(())
        } else {
            Err(Problem::BadSubstitution)
        }
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    /// Skips one or more of `sign`.
    fn skip_all(&mut self, sign: char) -> bool {
        let rest = self.rest();
        let count = rest.len() - rest.trim_start_matches(sign).len();
        self.at += count;
        count > 0
    }
}
