//! Which names an expression uses, and whether there are such.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use kube_cel::cel::common::ast::operators::{INDEX, OPT_INDEX, OPT_SELECT};
use kube_cel::cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue};

use regex::RegexBuilder;

use super::InvalidExpression;

/// Deepest syntax tree. Evaluation uses the stack, a frame or two a level: what is accepted must run on the two
/// megabytes of a worker thread in a debug build.
const MAX_DEPTH: usize = 32;

/// Largest compiled pattern, in bytes.
const MAX_PATTERN: usize = 1 << 20;

/// Functions whose argument is a regular expression.
pub(super) const MATCHING: [&str; 3] = ["matches", "find", "findAll"];

/// Functions that exist, as they are called.
const FUNCTIONS: &str = "
    add asApproximateFloat asInteger base64.decode base64.encode bool bytes charAt cidr compareTo contains
    containsCIDR containsIP distinct double duration dyn endsWith family find findAll first flatten format
    format.byte format.date format.datetime format.dns1035Label format.dns1035LabelPrefix
    format.dns1123Label format.dns1123LabelPrefix format.dns1123Subdomain format.dns1123SubdomainPrefix
    format.labelValue format.named format.qualifiedName format.uri format.uuid getDate getDayOfMonth
    getDayOfWeek getDayOfYear getEscapedPath getFullYear getHost getHostname getHours getMilliseconds
    getMinutes getMonth getPort getQuery getScheme getSeconds hasValue indexOf int ip ip.isCanonical isCIDR
    isGlobalUnicast isGreaterThan isIP isInteger isLessThan isLinkLocalMulticast isLinkLocalUnicast
    isLoopback isQuantity isSemver isSorted isURL isUnspecified join jsonpatch.escapeKey last lastIndexOf
    lists.range lowerAscii major masked matches math.abs math.bitAnd math.bitNot math.bitOr
    math.bitShiftLeft math.bitShiftRight math.bitXor math.ceil math.floor math.greatest math.isFinite
    math.isInf math.isNaN math.least math.round math.sign math.sqrt math.trunc max min minor optional.none
    optional.of optional.ofNonZeroValue or orValue patch prefixLength quantity replace reverse semver
    sets.contains sets.equivalent sets.intersects sign size slice sort split startsWith string
    strings.quote sub substring sum timestamp trim uint upperAscii url validate value
";

static KNOWN: LazyLock<BTreeSet<&str>> = LazyLock::new(|| FUNCTIONS.split_whitespace().collect());

/// What an expression refers to. Variables of macros are not among it.
pub(super) struct Names {
    /// Variables.
    pub(super) variables: BTreeSet<String>,
    /// The fields that are selected from variables by names that are written out: the variable, then the names. Only the longest
    /// of those that begin alike.
    pub(super) paths: BTreeSet<Vec<String>>,
}

/// Checks that every function exists, and gives what the expression refers to.
pub(super) fn check(source: &str, ast: &IdedExpr) -> Result<Names, InvalidExpression> {
    let mut walk = Walk {
        source,
        variables: BTreeSet::new(),
        paths: BTreeSet::new(),
        scopes: Vec::new(),
    };
    walk.expr(ast, MAX_DEPTH)?;
    let all = walk.paths;
    // In the order of the set, what begins with a path comes right after it.
    let mut after = all.iter().skip(1);
    let mut paths = BTreeSet::new();
    for path in &all {
        if !after.next().is_some_and(|next| next.starts_with(path)) {
            paths.insert(path.clone());
        }
    }
    Ok(Names {
        variables: walk.variables,
        paths,
    })
}

struct Walk<'a> {
    source: &'a str,
    variables: BTreeSet<String>,
    paths: BTreeSet<Vec<String>>,
    /// Variables of the macros around.
    scopes: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    fn expr(&mut self, expr: &'a IdedExpr, depth: usize) -> Result<(), InvalidExpression> {
        let depth = depth.checked_sub(1).ok_or_else(|| InvalidExpression::TooDeep {
            expression: self.source.into(),
        })?;
        if let Some(path) = self.path(expr) {
            self.paths.insert(path);
        }
        match &expr.expr {
            Expr::Literal(_) => Ok(()),
            Expr::Unspecified => Err(self.unsupported("an empty expression")),
            Expr::Struct(_) => Err(self.unsupported("a message literal")),
            Expr::Ident(name) => {
                if !self.scopes.contains(&name.as_str()) {
                    self.variables.insert(name.clone());
                }
                Ok(())
            }
            Expr::Select(select) => self.expr(&select.operand, depth),
            Expr::List(list) => list.elements.iter().try_for_each(|e| self.expr(e, depth)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    self.expr(&entry.key, depth)?;
                    self.expr(&entry.value, depth)
                }
                EntryExpr::StructField(_) => Err(self.unsupported("a message literal")),
            }),
            Expr::Call(call) => self.call(call, depth),
            Expr::Comprehension(c) => {
                self.expr(&c.iter_range, depth)?;
                self.expr(&c.accu_init, depth)?;
                let outer = self.scopes.len();
                self.scopes.push(&c.iter_var);
                self.scopes.extend(c.iter_var2.as_deref());
                self.scopes.push(&c.accu_var);
                self.expr(&c.loop_cond, depth)?;
                self.expr(&c.loop_step, depth)?;
                self.expr(&c.result, depth)?;
                self.scopes.truncate(outer);
                Ok(())
            }
        }
    }

    /// The variable and the names that lead to what is selected, where all of them are written out.
    fn path(&self, expr: &IdedExpr) -> Option<Vec<String>> {
        let (operand, name) = match &expr.expr {
            Expr::Ident(name) => {
                return (!self.scopes.contains(&name.as_str())).then(|| vec![name.clone()]);
            }
            Expr::Select(select) => (&*select.operand, select.field.clone()),
            Expr::Call(call) if [INDEX, OPT_INDEX, OPT_SELECT].contains(&call.func_name.as_str()) => {
                let [operand, key] = call.args.as_slice() else {
                    return None;
                };
                let name = match &key.expr {
                    Expr::Literal(LiteralValue::String(name)) => name.inner().to_owned(),
                    Expr::Literal(LiteralValue::Int(index)) => index.inner().to_string(),
                    _ => return None,
                };
                (operand, name)
            }
            _ => return None,
        };
        let mut path = self.path(operand)?;
        path.push(name);
        Some(path)
    }

    fn call(&mut self, call: &'a CallExpr, depth: usize) -> Result<(), InvalidExpression> {
        call.args.iter().try_for_each(|arg| self.expr(arg, depth))?;
        if MATCHING.contains(&call.func_name.as_str()) {
            self.pattern(call)?;
        }
        if let Some(target) = &call.target {
            // `base64.decode(x)` looks like a method of a variable; a variable of that name comes first.
            if let Expr::Ident(namespace) = &target.expr
                && !self.scopes.contains(&namespace.as_str())
                && is_function(&format!("{namespace}.{}", call.func_name))
            {
                return Ok(());
            }
            self.expr(target, depth)?;
        }
        if is_operator(&call.func_name) || is_function(&call.func_name) {
            Ok(())
        } else {
            Err(InvalidExpression::UnknownFunction {
                expression: self.source.into(),
                name: call.func_name.clone(),
            })
        }
    }

    /// A pattern that is written out must be usable, and small: it is compiled on every call.
    fn pattern(&self, call: &CallExpr) -> Result<(), InvalidExpression> {
        // `text.matches(pattern)` or `matches(text, pattern)`.
        let ((Some(_), [pattern, ..]) | (None, [_, pattern, ..])) = (&call.target, call.args.as_slice())
        else {
            return Ok(());
        };
        let Expr::Literal(LiteralValue::String(pattern)) = &pattern.expr else {
            return Ok(());
        };
        match RegexBuilder::new(pattern.inner()).size_limit(MAX_PATTERN).build() {
            Ok(_) => Ok(()),
            Err(error) => Err(InvalidExpression::Syntax {
                expression: self.source.into(),
                message: error.to_string(),
            }),
        }
    }

    fn unsupported(&self, what: &'static str) -> InvalidExpression {
        InvalidExpression::Unsupported {
            expression: self.source.into(),
            what,
        }
    }
}

fn is_function(name: &str) -> bool {
    KNOWN.contains(name)
}

/// Operators are calls whose name no user can write.
fn is_operator(name: &str) -> bool {
    name.contains(['_', '@']) || name == "!_"
}

/// The type of the result, where the outermost node tells it for sure.
pub(super) fn certain_type(ast: &IdedExpr) -> Option<&'static str> {
    match &ast.expr {
        Expr::Literal(literal) => Some(match literal {
            LiteralValue::Boolean(_) => "bool",
            LiteralValue::Bytes(_) => "bytes",
            LiteralValue::Double(_) => "double",
            LiteralValue::Int(_) => "int",
            LiteralValue::Null => "null",
            LiteralValue::String(_) => "string",
            LiteralValue::UInt(_) => "uint",
        }),
        Expr::List(_) => Some("list"),
        Expr::Map(_) => Some("map"),
        Expr::Call(call) => match call.func_name.as_str() {
            "size" | "int" => Some("int"),
            "string" => Some("string"),
            "_-_" | "_*_" | "_/_" | "_%_" | "-_" => Some("number"),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use kube_cel::cel::ExecutionError;
    use kube_cel::cel::parser::Parser;

    use super::*;

    #[test]
    fn every_function_of_the_list_exists() {
        let mut unknown = Vec::new();
        for name in KNOWN.iter() {
            for source in [
                format!("{name}()"),
                format!("{name}(1)"),
                format!("{name}('a', 'b')"),
            ] {
                let ast = Parser::new().parse(&source).unwrap();
                if let Err(ExecutionError::UndeclaredReference(_)) = super::super::FUNCTIONS.resolve(&ast) {
                    unknown.push(*name);
                }
            }
        }
        assert_eq!(unknown, [""; 0]);
    }
}
