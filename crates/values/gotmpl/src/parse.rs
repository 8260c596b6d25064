//! From text to trees.

mod lex;
mod node;
mod number;
mod parser;
mod print;
#[cfg(test)]
mod tests;

pub(crate) use lex::count_lines;
pub(crate) use node::{Arg, Branch, Command, List, Node, Number, Part, Pipe, Tree, Variable};
pub(crate) use number::{float, int};
pub(crate) use parser::{Mode, parse};
pub(crate) use print::Place;
