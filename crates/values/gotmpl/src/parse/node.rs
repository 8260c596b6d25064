//! Parse trees, which are also what is executed.

use std::sync::Arc;

use crate::Str;

/// One template.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) name: Arc<str>,
    /// The name of the text it stands in, for messages.
    pub(crate) file: Arc<str>,
    /// The text it stands in, shared with whoever gave it.
    pub(crate) text: Arc<String>,
    pub(crate) root: List,
}

/// A part of the tree's text. Names are not copied: templates are mostly names.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Part {
    start: u32,
    end: u32,
}

impl Part {
    pub(crate) fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// With what follows right behind it.
    pub(crate) fn up_to(self, end: Self) -> Self {
        Self {
            start: self.start,
            end: end.end,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct List {
    pub(crate) nodes: Vec<Node>,
}

#[derive(Debug)]
pub(crate) enum Node {
    /// A part of the tree's text.
    Text(Part),
    Comment(Part),
    Action(Pipe),
    If(Box<Branch>),
    Range(Box<Branch>),
    With(Box<Branch>),
    Template {
        pos: u32,
        name: Str,
        pipe: Option<Box<Pipe>>,
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
    pub(crate) declares: Box<[Variable]>,
    pub(crate) commands: Box<[Command]>,
}

#[derive(Debug)]
pub(crate) struct Variable {
    /// With the dollar sign.
    pub(crate) name: Part,
    /// Equal names of one text have equal numbers. `$` is 0.
    pub(crate) id: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Command {
    pub(crate) pos: u32,
    /// Never empty.
    pub(crate) args: Box<[Arg]>,
}

#[derive(Debug)]
pub(crate) enum Arg {
    Identifier {
        pos: u32,
        name: Part,
        function: u32,
    },
    Field {
        pos: u32,
        /// `.X.Y.Z`
        path: Part,
    },
    Variable {
        pos: u32,
        variable: Variable,
        /// `.X.Y.Z`, or empty.
        path: Part,
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
        /// `.X.Y.Z`
        path: Part,
    },
    Bool {
        pos: u32,
        value: bool,
    },
    Number(Box<Number>),
    Text {
        pos: u32,
        quoted: Part,
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
            Self::Text(part) | Self::Comment(part) => part.start,
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
            Node::Comment(_) => true,
            Node::Text(part) => part.of(text).trim().is_empty(),
            _ => false,
        })
    }
}
