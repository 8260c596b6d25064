//! Parse trees, which are also what is executed.

use std::sync::Arc;

use crate::Str;

/// One template.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) name: Arc<str>,
    /// The name of the text it stands in, for messages.
    pub(crate) file: Arc<str>,
    /// The text it stands in.
    pub(crate) text: Arc<str>,
    pub(crate) root: List,
}

#[derive(Debug, Default)]
pub(crate) struct List {
    pub(crate) nodes: Vec<Node>,
}

#[derive(Debug)]
pub(crate) enum Node {
    /// A part of the tree's text.
    Text {
        start: u32,
        end: u32,
    },
    Comment {
        start: u32,
        end: u32,
    },
    Action(Pipe),
    If(Box<Branch>),
    Range(Box<Branch>),
    With(Box<Branch>),
    Template {
        pos: u32,
        name: Str,
        pipe: Option<Pipe>,
    },
    Break {
        pos: u32,
    },
    Continue {
        pos: u32,
    },
}

#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) pipe: Pipe,
    pub(crate) list: List,
    pub(crate) otherwise: Option<List>,
}

#[derive(Debug, Default)]
pub(crate) struct Pipe {
    pub(crate) pos: u32,
    pub(crate) is_assign: bool,
    pub(crate) declares: Vec<Variable>,
    pub(crate) commands: Vec<Command>,
}

#[derive(Debug)]
pub(crate) struct Variable {
    /// With the dollar sign.
    pub(crate) name: Box<str>,
    /// Equal names of one text have equal numbers. `$` is 0.
    pub(crate) id: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Command {
    pub(crate) pos: u32,
    /// Never empty.
    pub(crate) args: Vec<Arg>,
}

#[derive(Debug)]
pub(crate) enum Arg {
    Identifier {
        pos: u32,
        name: Box<str>,
        function: u32,
    },
    Field {
        pos: u32,
        path: Box<[Box<str>]>,
    },
    Variable {
        pos: u32,
        variable: Variable,
        path: Box<[Box<str>]>,
    },
    Dot {
        pos: u32,
    },
    Nil {
        pos: u32,
    },
    Chain {
        pos: u32,
        base: Box<Self>,
        path: Box<[Box<str>]>,
    },
    Bool {
        pos: u32,
        value: bool,
    },
    Number(Box<Number>),
    Text {
        pos: u32,
        quoted: Box<str>,
        value: Str,
    },
    Pipe(Box<Pipe>),
}

/// A number, as everything that it can be read as.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Number {
    pub(crate) pos: u32,
    pub(crate) text: Box<str>,
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    pub(crate) complex: Option<(f64, f64)>,
}

impl Node {
    pub(crate) fn pos(&self) -> u32 {
        match self {
            Self::Text { start, .. } | Self::Comment { start, .. } => *start,
            Self::Action(pipe) => pipe.pos,
            Self::If(branch) | Self::Range(branch) | Self::With(branch) => branch.pipe.pos,
            Self::Template { pos, .. } | Self::Break { pos } | Self::Continue { pos } => *pos,
        }
    }
}

impl Arg {
    pub(crate) fn pos(&self) -> u32 {
        match self {
            Self::Identifier { pos, .. }
            | Self::Field { pos, .. }
            | Self::Variable { pos, .. }
            | Self::Dot { pos }
            | Self::Nil { pos }
            | Self::Chain { pos, .. }
            | Self::Bool { pos, .. }
            | Self::Text { pos, .. } => *pos,
            Self::Number(number) => number.pos,
            Self::Pipe(pipe) => pipe.pos,
        }
    }
}

impl List {
    /// Whether there is nothing in it but space and comments.
    pub(crate) fn is_empty(&self, text: &str) -> bool {
        self.nodes.iter().all(|node| match node {
            Node::Comment { .. } => true,
            Node::Text { start, end } => text
                .get(*start as usize..*end as usize)
                .is_some_and(|text| text.trim().is_empty()),
            _ => false,
        })
    }
}
