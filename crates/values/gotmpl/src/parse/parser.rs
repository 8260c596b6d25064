//! The parser: one for each template of a text, all of them on one lexer.

use std::sync::Arc;

use super::lex::{Item, LexOptions, Lexer, Token};
use super::node::{Arg, Branch, Command, List, Node, Part, Pipe, Tree, Variable};
use super::number;
use super::print::print_arg;
use crate::exec::stack_address;
use crate::quote::{quote, unquoted};
use crate::table::Table;
use crate::{Delimiters, Functions, ParseError};

/// How deep control structures may nest, and how deep parentheses. Go allows 10000 parentheses, on a stack that
/// grows.
const MAX_DEPTH: usize = 250;

/// The bytes of stack that parsing may take: half of the smallest usual thread's.
const MAX_STACK: usize = 1 << 20;

/// What parsing may do besides what `Set::parse` needs; Go's parser has it, and its tests use it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mode {
    pub(crate) keep_comments: bool,
    pub(crate) any_function: bool,
    /// Another limit than [`MAX_DEPTH`].
    pub(crate) depth: Option<usize>,
}

/// Parses a text: the template of that name and those that it defines.
pub(crate) fn parse(
    name: &str,
    text: &Arc<String>,
    delimiters: &Delimiters,
    functions: &Functions,
    mode: Mode,
) -> std::result::Result<Vec<Tree>, ParseError> {
    let mut lexer = Lexer::new(text, &delimiters.left, &delimiters.right);
    lexer.options = LexOptions {
        emit_comments: mode.keep_comments,
        break_is_keyword: !functions.contains("break"),
        continue_is_keyword: !functions.contains("continue"),
    };
    let mut shared = Shared {
        lexer,
        functions,
        mode,
        name: name.into(),
        text: Arc::clone(text),
        ids: Table::from_iter([("$".into(), 0)]),
        trees: Vec::new(),
        nodes: Vec::new(),
        commands: Vec::new(),
        args: Vec::new(),
        controls: 0,
        parens: 0,
        stack: stack_address(),
    };
    let mut parser = Parser::new(&mut shared);
    let root = parser.text()?;
    parser.add(name, root)?;
    Ok(shared.trees)
}

struct Shared<'t> {
    lexer: Lexer<'t>,
    functions: &'t Functions,
    mode: Mode,
    name: Arc<str>,
    text: Arc<String>,
    ids: Table<Box<str>, u32>,
    trees: Vec<Tree>,
    /// Nodes, commands and arguments of what is being parsed, the innermost last. Once a list is whole, it is taken from
    /// here in the size that it has.
    nodes: Vec<Node>,
    commands: Vec<Command>,
    args: Vec<Arg>,
    controls: usize,
    parens: usize,
    /// Where the stack was at the beginning.
    stack: usize,
}

/// What ends a list of nodes.
enum End {
    End,
    Else,
}

enum Parsed {
    Node(Node),
    End(End),
}

struct Parser<'p, 't> {
    shared: &'p mut Shared<'t>,
    tokens: [Item<'t>; 3],
    peeked: usize,
    /// Ids of the variables that are defined here.
    variables: Vec<u32>,
    action_line: usize,
    ranges: usize,
}

type Result<T> = std::result::Result<T, ParseError>;

/// Where a token stands.
fn part(item: &Item<'_>) -> Part {
    Part::new(offset(item.pos), offset(item.pos + item.text.len()))
}

fn offset(pos: usize) -> u32 {
    u32::try_from(pos).unwrap_or(u32::MAX)
}

impl<'p, 't> Parser<'p, 't> {
    fn new(shared: &'p mut Shared<'t>) -> Self {
        let none = || Item {
            token: Token::Error,
            pos: 0,
            text: "",
            line: 0,
        };
        Self {
            shared,
            tokens: [none(), none(), none()],
            peeked: 0,
            variables: vec![0],
            action_line: 0,
            ranges: 0,
        }
    }

    // Tokens.

    #[inline]
    fn next(&mut self) -> Item<'t> {
        if self.peeked > 0 {
            self.peeked -= 1;
        } else {
            self.lex();
        }
        self.tokens.get(self.peeked).copied().unwrap_or(self.tokens[0])
    }

    #[inline(never)]
    fn lex(&mut self) {
        self.tokens[0] = self.shared.lexer.next();
    }

    fn backup(&mut self) {
        self.peeked += 1;
    }

    fn backup2(&mut self, first: Item<'t>) {
        self.tokens[1] = first;
        self.peeked = 2;
    }

    fn backup3(&mut self, first: Item<'t>, second: Item<'t>) {
        self.tokens[1] = second;
        self.tokens[2] = first;
        self.peeked = 3;
    }

    fn peek(&mut self) -> Item<'t> {
        let item = self.next();
        self.backup();
        item
    }

    /// What comes next is, without what it says.
    #[inline]
    fn peek_token(&mut self) -> Token {
        if self.peeked == 0 {
            self.lex();
            self.peeked = 1;
        }
        self.tokens.get(self.peeked - 1).unwrap_or(&self.tokens[0]).token
    }

    #[inline]
    fn skip_spaces(&mut self) {
        while self.peek_token() == Token::Space {
            self.peeked -= 1;
        }
    }

    #[inline]
    fn next_non_space(&mut self) -> Item<'t> {
        self.skip_spaces();
        self.next()
    }

    #[inline]
    fn peek_non_space(&mut self) -> Item<'t> {
        self.skip_spaces();
        self.peek()
    }

    // Errors.

    fn error(&self, message: String) -> ParseError {
        ParseError {
            name: self.shared.name.to_string(),
            line: self.tokens[0].line,
            message,
        }
    }

    fn unexpected(&self, item: &Item<'t>, context: &str) -> ParseError {
        if item.token != Token::Error {
            return self.error(format!("unexpected {} in {context}", item.describe()));
        }
        let mut extra = String::new();
        if self.action_line != 0 && self.action_line != item.line {
            // "unclosed action in action" would read badly.
            let words = if self.shared.lexer.message.ends_with(" action") {
                ""
            } else {
                " in action"
            };
            extra = format!("{words} started at {}:{}", self.shared.name, self.action_line);
        }
        self.error(format!("{}{extra}", self.shared.lexer.message))
    }

    fn expect(&mut self, token: Token, context: &str) -> Result<Item<'t>> {
        let item = self.next_non_space();
        if item.token == token {
            Ok(item)
        } else {
            Err(self.unexpected(&item, context))
        }
    }

    fn too_deep(&self) -> bool {
        self.shared.stack.abs_diff(stack_address()) > MAX_STACK
    }

    /// Goes into a control structure while `inner` runs.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.shared.controls >= MAX_DEPTH || self.too_deep() {
            return Err(self.error("max expression depth exceeded".to_owned()));
        }
        self.shared.controls += 1;
        let result = inner(self);
        self.shared.controls -= 1;
        result
    }

    // Templates.

    fn text(&mut self) -> Result<List> {
        let begin = self.shared.nodes.len();
        while self.peek_token() != Token::Eof {
            if self.peek_token() == Token::LeftDelim {
                let delim = self.next();
                if self.next_non_space().token == Token::Define {
                    Parser::new(self.shared).definition()?;
                    continue;
                }
                self.backup2(delim);
            }
            match self.text_or_action()? {
                Parsed::Node(node) => self.shared.nodes.push(node),
                Parsed::End(end) => return Err(self.error(format!("unexpected {}", end.print()))),
            }
        }
        Ok(self.nodes_from(begin))
    }

    fn definition(&mut self) -> Result<()> {
        const CONTEXT: &str = "define clause";
        let item = self.next_non_space();
        if !matches!(item.token, Token::String | Token::RawString) {
            return Err(self.unexpected(&item, CONTEXT));
        }
        let name = self.template_name(&item, CONTEXT)?;
        self.expect(Token::RightDelim, CONTEXT)?;
        let (list, end) = self.nested(Self::list)?;
        if matches!(end, End::Else) {
            return Err(self.error(format!("unexpected {} in {CONTEXT}", end.print())));
        }
        self.add(&name, list)
    }

    fn add(&mut self, name: &str, root: List) -> Result<()> {
        let text = &self.shared.text;
        let tree = Tree {
            name: name.into(),
            file: Arc::clone(&self.shared.name),
            text: Arc::clone(text),
            root,
        };
        match self.shared.trees.iter().position(|known| *known.name == *name) {
            None => self.shared.trees.push(tree),
            Some(at) => {
                let known_is_empty = self
                    .shared
                    .trees
                    .get(at)
                    .is_none_or(|known| known.root.is_empty(text));
                if known_is_empty {
                    if let Some(known) = self.shared.trees.get_mut(at) {
                        *known = tree;
                    }
                } else if !tree.root.is_empty(text) {
                    let name = quote(name.as_bytes(), false);
                    return Err(self.error(format!("template: multiple definition of template {name}")));
                }
            }
        }
        Ok(())
    }

    fn template_name(&mut self, item: &Item<'t>, context: &str) -> Result<String> {
        match item.token {
            Token::String | Token::RawString => {
                let name = unquoted(item.text).ok_or_else(|| self.error("invalid syntax".to_owned()))?;
                Ok(name.to_string())
            }
            _ => Err(self.unexpected(item, context)),
        }
    }

    // Nodes.

    fn nodes_from(&mut self, begin: usize) -> List {
        let nodes = self.shared.nodes.drain(begin..).collect();
        List { nodes }
    }

    fn list(&mut self) -> Result<(List, End)> {
        let begin = self.shared.nodes.len();
        loop {
            self.skip_spaces();
            if self.peek_token() == Token::Eof {
                break;
            }
            match self.text_or_action()? {
                Parsed::Node(node) => self.shared.nodes.push(node),
                Parsed::End(end) => return Ok((self.nodes_from(begin), end)),
            }
        }
        Err(self.error("unexpected EOF".to_owned()))
    }

    fn text_or_action(&mut self) -> Result<Parsed> {
        let item = self.next_non_space();
        match item.token {
            Token::Text => Ok(Parsed::Node(Node::Text(part(&item)))),
            Token::Comment => Ok(Parsed::Node(Node::Comment(part(&item)))),
            Token::LeftDelim => {
                self.action_line = item.line;
                let parsed = self.action();
                self.action_line = 0;
                parsed
            }
            _ => Err(self.unexpected(&item, "input")),
        }
    }

    fn action(&mut self) -> Result<Parsed> {
        let item = self.next_non_space();
        let pos = offset(item.pos);
        let node = match item.token {
            Token::Block => self.block()?,
            Token::Break => {
                self.loop_control("{{break}}")?;
                Node::Break { pos }
            }
            Token::Continue => {
                self.loop_control("{{continue}}")?;
                Node::Continue { pos }
            }
            Token::Else => {
                let next = self.peek_non_space();
                if !matches!(next.token, Token::If | Token::With) {
                    self.expect(Token::RightDelim, "else")?;
                }
                return Ok(Parsed::End(End::Else));
            }
            Token::End => {
                self.expect(Token::RightDelim, "end")?;
                return Ok(Parsed::End(End::End));
            }
            Token::If => Node::If(self.branch("if")?),
            Token::Range => Node::Range(self.branch("range")?),
            Token::With => Node::With(self.branch("with")?),
            Token::Template => self.template()?,
            _ => {
                self.backup();
                Node::Action(self.pipeline("command", Token::RightDelim)?)
            }
        };
        Ok(Parsed::Node(node))
    }

    fn loop_control(&mut self, word: &str) -> Result<()> {
        let item = self.next_non_space();
        if item.token != Token::RightDelim {
            return Err(self.unexpected(&item, word));
        }
        if self.ranges == 0 {
            return Err(self.error(format!("{word} outside {{{{range}}}}")));
        }
        Ok(())
    }

    fn branch(&mut self, context: &str) -> Result<Box<Branch>> {
        self.nested(|parser| {
            let variables = parser.variables.len();
            let branch = parser.branch_inner(context);
            parser.variables.truncate(variables);
            branch.map(Box::new)
        })
    }

    fn branch_inner(&mut self, context: &str) -> Result<Branch> {
        let pipe = self.pipeline(context, Token::RightDelim)?;
        if context == "range" {
            self.ranges += 1;
        }
        let (list, end) = self.list()?;
        if context == "range" {
            self.ranges -= 1;
        }
        if matches!(end, End::End) {
            return Ok(Branch {
                pipe,
                list,
                otherwise: None,
            });
        }
        // `else if` is an `if` inside the `else`, whose `end` serves both.
        let token = self.peek_token();
        let otherwise = if context == "if" && token == Token::If {
            self.next();
            List {
                nodes: vec![Node::If(self.branch("if")?)],
            }
        } else if context == "with" && token == Token::With {
            self.next();
            List {
                nodes: vec![Node::With(self.branch("with")?)],
            }
        } else {
            let (list, end) = self.list()?;
            if matches!(end, End::Else) {
                return Err(self.error(format!("expected end; found {}", end.print())));
            }
            list
        };
        Ok(Branch {
            pipe,
            list,
            otherwise: Some(otherwise),
        })
    }

    fn block(&mut self) -> Result<Node> {
        const CONTEXT: &str = "block clause";
        let item = self.next_non_space();
        let name = self.template_name(&item, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Token::RightDelim)?;
        let end = self.nested(|parser| {
            let mut block = Parser::new(parser.shared);
            let (list, end) = block.list()?;
            if matches!(end, End::End) {
                block.add(&name, list)?;
            }
            Ok(end)
        })?;
        if matches!(end, End::Else) {
            return Err(self.error(format!("unexpected {} in {CONTEXT}", end.print())));
        }
        Ok(Node::Template {
            pos: offset(item.pos),
            name: name.into(),
            pipe: Some(Box::new(pipe)),
        })
    }

    fn template(&mut self) -> Result<Node> {
        const CONTEXT: &str = "template clause";
        let item = self.next_non_space();
        let name = self.template_name(&item, CONTEXT)?;
        let mut pipe = None;
        if self.next_non_space().token != Token::RightDelim {
            self.backup();
            pipe = Some(Box::new(self.pipeline(CONTEXT, Token::RightDelim)?));
        }
        Ok(Node::Template {
            pos: offset(item.pos),
            name: name.into(),
            pipe,
        })
    }

    // Pipelines.

    fn variable(&mut self, item: &Item<'t>) -> Variable {
        let name = item.text;
        let next = offset(self.shared.ids.len());
        let id = if let Some(id) = self.shared.ids.get(name) {
            *id
        } else {
            self.shared.ids.insert(name.into(), next);
            next
        };
        Variable { name: part(item), id }
    }

    fn declare(&mut self, declares: &mut Vec<Variable>, name: &Item<'t>) {
        let variable = self.variable(name);
        self.variables.push(variable.id);
        declares.push(variable);
    }

    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Result<()> {
        let mut declares = Vec::new();
        let read = self.declared(pipe, &mut declares, context);
        pipe.declares = declares.into();
        read
    }

    fn declared(&mut self, pipe: &mut Pipe, declares: &mut Vec<Variable>, context: &str) -> Result<()> {
        loop {
            self.skip_spaces();
            if self.peek_token() != Token::Variable {
                break;
            }
            let name = self.next();
            // Space is a token, so `$x foo` takes three tokens to be told from `$x := foo`.
            let after = self.peek();
            let next = self.peek_non_space();
            match next.token {
                Token::Assign | Token::Declare => {
                    pipe.is_assign = next.token == Token::Assign;
                    self.next_non_space();
                    self.declare(declares, &name);
                    return Ok(());
                }
                Token::Char if next.text == "," => {
                    self.next_non_space();
                    self.declare(declares, &name);
                    if context == "range" && declares.len() < 2 {
                        let token = self.peek_non_space().token;
                        if matches!(token, Token::Variable | Token::RightDelim | Token::RightParen) {
                            continue;
                        }
                        return Err(self.error("range can only initialize variables".to_owned()));
                    }
                    return Err(self.error(format!("too many declarations in {context}")));
                }
                _ if after.token == Token::Space => self.backup3(name, after),
                _ => self.backup2(name),
            }
            return Ok(());
        }
        Ok(())
    }

    fn pipeline(&mut self, context: &str, end: Token) -> Result<Pipe> {
        let mut pipe = Pipe {
            pos: offset(self.peek_non_space().pos),
            ..Pipe::default()
        };
        self.declarations(&mut pipe, context)?;
        let begin = self.shared.commands.len();
        loop {
            let item = self.next_non_space();
            match item.token {
                token if token == end => {
                    let commands: Vec<_> = self.shared.commands.drain(begin..).collect();
                    self.check_pipeline(&commands, context)?;
                    pipe.commands = commands.into();
                    return Ok(pipe);
                }
                Token::Bool
                | Token::CharConstant
                | Token::Complex
                | Token::Dot
                | Token::Field
                | Token::Identifier
                | Token::Number
                | Token::Nil
                | Token::RawString
                | Token::String
                | Token::Variable
                | Token::LeftParen => {
                    self.backup();
                    let command = self.command()?;
                    self.shared.commands.push(command);
                }
                _ => return Err(self.unexpected(&item, context)),
            }
        }
    }

    fn check_pipeline(&self, commands: &[Command], context: &str) -> Result<()> {
        if commands.is_empty() {
            return Err(self.error(format!("missing value for {context}")));
        }
        for (index, command) in commands.iter().enumerate().skip(1) {
            if let Some(
                Arg::Bool { .. } | Arg::Dot { .. } | Arg::Nil { .. } | Arg::Number(_) | Arg::Text { .. },
            ) = command.args.first()
            {
                let message = format!("non executable command in pipeline stage {}", index + 1);
                return Err(self.error(message));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<Command> {
        let pos = offset(self.peek_non_space().pos);
        let begin = self.shared.args.len();
        loop {
            if let Some(operand) = self.operand()? {
                self.shared.args.push(operand);
            }
            let item = self.next();
            match item.token {
                Token::Space => continue,
                Token::RightDelim | Token::RightParen => self.backup(),
                Token::Pipe => {}
                _ => return Err(self.unexpected(&item, "operand")),
            }
            break;
        }
        let args: Vec<_> = self.shared.args.drain(begin..).collect();
        if args.is_empty() {
            return Err(self.error("empty command".to_owned()));
        }
        Ok(Command {
            pos,
            args: args.into(),
        })
    }

    fn operand(&mut self) -> Result<Option<Arg>> {
        let Some(term) = self.term()? else { return Ok(None) };
        let first = self.peek();
        if first.token != Token::Field {
            return Ok(Some(term));
        }
        // Fields follow each other without anything between, so that a path is one part of the text.
        let mut more = part(&first);
        while self.peek_token() == Token::Field {
            more = more.up_to(part(&self.next()));
        }
        let pos = offset(first.pos);
        Ok(Some(match term {
            Arg::Field { path, .. } => Arg::Field {
                pos,
                path: path.up_to(more),
            },
            Arg::Variable { variable, .. } => Arg::Variable {
                pos,
                variable,
                path: more,
            },
            Arg::Bool { .. } | Arg::Text { .. } | Arg::Number(_) | Arg::Nil { .. } | Arg::Dot { .. } => {
                let mut printed = String::new();
                print_arg(&mut printed, &term, &self.shared.text);
                let printed = quote(printed.as_bytes(), false);
                return Err(self.error(format!("unexpected . after term {printed}")));
            }
            base => Arg::Chain {
                pos,
                base: Box::new(base),
                path: more,
            },
        }))
    }

    fn term(&mut self) -> Result<Option<Arg>> {
        let item = self.next_non_space();
        let pos = offset(item.pos);
        Ok(Some(match item.token {
            Token::Identifier => {
                let function = self.shared.functions.index(item.text);
                if function.is_none() && !self.shared.mode.any_function {
                    let name = quote(item.text.as_bytes(), false);
                    return Err(self.error(format!("function {name} not defined")));
                }
                Arg::Identifier {
                    pos,
                    name: part(&item),
                    function: function.unwrap_or(u32::MAX),
                }
            }
            Token::Dot => Arg::Dot { pos },
            Token::Nil => Arg::Nil { pos },
            Token::Variable => {
                let variable = self.variable(&item);
                if !self.variables.contains(&variable.id) {
                    let name = quote(item.text.as_bytes(), false);
                    return Err(self.error(format!("undefined variable {name}")));
                }
                Arg::Variable {
                    pos,
                    variable,
                    path: Part::default(),
                }
            }
            Token::Field => Arg::Field {
                pos,
                path: part(&item),
            },
            Token::Bool => Arg::Bool {
                pos,
                value: item.text == "true",
            },
            Token::CharConstant | Token::Complex | Token::Number => {
                let number =
                    number::read(pos, item.text, item.token).map_err(|message| self.error(message))?;
                Arg::Number(Box::new(number))
            }
            Token::LeftParen => {
                if self.shared.parens >= self.shared.mode.depth.unwrap_or(MAX_DEPTH) || self.too_deep() {
                    return Err(self.error("max expression depth exceeded".to_owned()));
                }
                self.shared.parens += 1;
                let pipe = self.pipeline("parenthesized pipeline", Token::RightParen)?;
                self.shared.parens -= 1;
                Arg::Pipe(Box::new(pipe))
            }
            Token::String | Token::RawString => {
                let value = unquoted(item.text).ok_or_else(|| self.error("invalid syntax".to_owned()))?;
                Arg::Text {
                    pos,
                    quoted: part(&item),
                    value,
                }
            }
            _ => {
                self.backup();
                return Ok(None);
            }
        }))
    }
}

impl End {
    fn print(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}
