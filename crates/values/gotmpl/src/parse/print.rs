//! Trees as Go prints them: in messages, and in the parser's own tests.

use super::lex::count_lines;
use super::node::{Arg, Branch, Command, List, Node, Pipe, Tree, Variable};
use crate::quote::quote;

/// What a message is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'t> {
    Node(&'t Node),
    Pipe(&'t Pipe),
    Command(&'t Command),
    Arg(&'t Arg),
}

impl Place<'_> {
    pub(crate) fn pos(self) -> u32 {
        match self {
            Self::Node(node) => node.pos(),
            Self::Pipe(pipe) => pipe.pos,
            Self::Command(command) => command.pos,
            Self::Arg(arg) => arg.pos(),
        }
    }

    pub(crate) fn print(self, text: &str) -> String {
        let mut out = String::new();
        match self {
            Self::Node(node) => print_node(&mut out, node, Source { text, quoted: false }),
            Self::Pipe(pipe) => print_pipe(&mut out, pipe, text),
            Self::Command(command) => print_command(&mut out, command, text),
            Self::Arg(arg) => print_arg(&mut out, arg, text),
        }
        out
    }
}

impl Tree {
    /// The whole tree.
    #[cfg(test)]
    pub(crate) fn print(&self) -> String {
        let mut out = String::new();
        print_list(
            &mut out,
            &self.root,
            Source {
                text: &self.text,
                quoted: true,
            },
        );
        out
    }

    /// Line and column (in bytes, from 0) of a position. Go counts the first line's columns from 0 and those of
    /// others from 0 as well.
    pub(crate) fn locate(&self, pos: u32) -> (usize, usize) {
        let before = self.text.as_bytes().get(..pos as usize).unwrap_or_default();
        let line = 1 + count_lines(before);
        let column = before.iter().rev().take_while(|b| **b != b'\n').count();
        (line, column)
    }
}

/// The text that nodes point into.
#[derive(Clone, Copy)]
struct Source<'t> {
    text: &'t str,
    /// Whether text nodes are printed in quotes, as the parser's tests have it.
    quoted: bool,
}

fn print_list(out: &mut String, list: &List, text: Source<'_>) {
    for node in &list.nodes {
        print_node(out, node, text);
    }
}

fn print_node(out: &mut String, node: &Node, text: Source<'_>) {
    match node {
        Node::Text(part) if text.quoted => {
            out.push_str(&quote(part.of(text.text).as_bytes(), false));
        }
        Node::Text(part) => out.push_str(part.of(text.text)),
        Node::Comment(part) => {
            out.push_str("{{");
            out.push_str(part.of(text.text));
            out.push_str("}}");
        }
        Node::Action(pipe) => {
            out.push_str("{{");
            print_pipe(out, pipe, text.text);
            out.push_str("}}");
        }
        Node::If(branch) => print_branch(out, "if", branch, text),
        Node::Range(branch) => print_branch(out, "range", branch, text),
        Node::With(branch) => print_branch(out, "with", branch, text),
        Node::Template { name, pipe, .. } => {
            out.push_str("{{template ");
            out.push_str(&quote(name.as_bytes(), false));
            if let Some(pipe) = pipe {
                out.push(' ');
                print_pipe(out, pipe, text.text);
            }
            out.push_str("}}");
        }
        Node::Break { .. } => out.push_str("{{break}}"),
        Node::Continue { .. } => out.push_str("{{continue}}"),
    }
}

fn print_branch(out: &mut String, word: &str, branch: &Branch, text: Source<'_>) {
    out.push_str("{{");
    out.push_str(word);
    out.push(' ');
    print_pipe(out, &branch.pipe, text.text);
    out.push_str("}}");
    print_list(out, &branch.list, text);
    if let Some(list) = &branch.otherwise {
        out.push_str("{{else}}");
        print_list(out, list, text);
    }
    out.push_str("{{end}}");
}

fn print_pipe(out: &mut String, pipe: &Pipe, text: &str) {
    for (index, Variable { name, .. }) in pipe.declares.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        out.push_str(name.of(text));
    }
    if !pipe.declares.is_empty() {
        out.push_str(if pipe.is_assign { " = " } else { " := " });
    }
    for (index, command) in pipe.commands.iter().enumerate() {
        if index > 0 {
            out.push_str(" | ");
        }
        print_command(out, command, text);
    }
}

fn print_command(out: &mut String, command: &Command, text: &str) {
    for (index, arg) in command.args.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        print_enclosed(out, arg, text);
    }
}

fn print_enclosed(out: &mut String, arg: &Arg, text: &str) {
    if let Arg::Pipe(pipe) = arg {
        out.push('(');
        print_pipe(out, pipe, text);
        out.push(')');
    } else {
        print_arg(out, arg, text);
    }
}

pub(crate) fn print_arg(out: &mut String, arg: &Arg, text: &str) {
    match arg {
        Arg::Identifier { name, .. } => out.push_str(name.of(text)),
        Arg::Field { path, .. } => out.push_str(path.of(text)),
        Arg::Variable { variable, path, .. } => {
            out.push_str(variable.name.of(text));
            out.push_str(path.of(text));
        }
        Arg::Dot { .. } => out.push('.'),
        Arg::Nil { .. } => out.push_str("nil"),
        Arg::Chain { base, path, .. } => {
            print_enclosed(out, base, text);
            out.push_str(path.of(text));
        }
        Arg::Bool { value, .. } => out.push_str(if *value { "true" } else { "false" }),
        Arg::Number(number) => out.push_str(&number.text),
        Arg::Text { quoted, .. } => out.push_str(quoted.of(text)),
        Arg::Pipe(pipe) => print_pipe(out, pipe, text),
    }
}
