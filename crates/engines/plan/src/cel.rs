//! CEL expressions: `healthCheckExprs` and `readyExpr` (flux-controllers.md §1.10).
//!
//! The language is kube-cel's, behind a type of our own. What it adds: unknown functions and, where the
//! variables are known, unknown variables are refused when the expression is read; an expression whose work
//! could grow beyond a bound on the data at hand is not evaluated (security case N16); and errors never
//! repeat a value (security case N56), since the data may be a Secret's.

mod bound;
mod names;
mod rewrite;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use kube_cel::KubeCelExt as _;
use kube_cel::cel;
use kube_cel::cel::common::ast::IdedExpr;
use kube_cel::cel::objects::{Key, Map as CelMap};
use kube_cel::cel::parser::Parser;
use kube_cel::cel::{Context, ExecutionError, FunctionContext};
use serde_json::{Map, Value};

/// Longest expression, in bytes.
const MAX_SOURCE: usize = 4096;

/// Stack of the parser, in bytes: what the deepest expression that [`bound::may_nest_deeply`] lets pass takes in
/// a debug build, twice over. Only what is used takes memory.
const PARSER_STACK: usize = 64 << 20;

/// Deepest nesting of data that is handed to an expression: deeper than any object the API server stores.
const MAX_DATA_DEPTH: usize = 256;

/// Building the function table takes longer than most evaluations: it is built once.
static FUNCTIONS: LazyLock<Context<'static>> = LazyLock::new(|| {
    let mut context = Context::default().with_all();
    // Two functions of the standard that the interpreter lacks.
    context.add_function("dyn", |value: cel::Value| Ok::<cel::Value, ExecutionError>(value));
    context.add_function("bool", to_bool);
    context.add_function(rewrite::EQUAL, |a: cel::Value, b: cel::Value| {
        rewrite::equal(&a, &b)
    });
    context
});

/// A readable expression.
#[derive(Clone)]
pub struct Expr {
    source: Arc<str>,
    ast: Arc<IdedExpr>,
    variables: BTreeSet<String>,
    paths: BTreeSet<Vec<String>>,
}

/// An expression that can't be used, whatever the data. Trying again is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidExpression {
    /// The text is no CEL.
    #[error("failed to parse the CEL expression '{expression}': {message}")]
    Syntax {
        /// The expression.
        expression: String,
        /// Where and why.
        message: String,
    },
    /// The text is longer than 4096 bytes.
    #[error("CEL expression of {length} bytes is longer than {MAX_SOURCE}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// Operators or parentheses are nested too deeply.
    #[error("CEL expression '{expression}' is nested too deeply")]
    TooDeep {
        /// The expression.
        expression: String,
    },
    /// A part of CEL that is not offered.
    #[error("CEL expression '{expression}' uses {what}, which is not supported")]
    Unsupported {
        /// The expression.
        expression: String,
        /// What it uses.
        what: &'static str,
    },
    /// A function does not exist.
    #[error("CEL expression '{expression}' calls an unknown function '{name}'")]
    UnknownFunction {
        /// The expression.
        expression: String,
        /// The function.
        name: String,
    },
    /// A variable does not exist.
    #[error("CEL expression '{expression}' refers to an undeclared variable '{name}'")]
    UnknownVariable {
        /// The expression.
        expression: String,
        /// The variable.
        name: String,
    },
    /// The result can't be what it must be.
    #[error("CEL expression '{expression}' yields {got}, expected bool")]
    NotBoolean {
        /// The expression.
        expression: String,
        /// What it yields.
        got: &'static str,
    },
}

/// An expression that could not be evaluated on this data. Other data may do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// The evaluation failed.
    #[error("failed to evaluate the CEL expression '{expression}': {cause}")]
    Failed {
        /// The expression.
        expression: String,
        /// Why; it holds no value of the data.
        cause: String,
    },
    /// The result is of another type.
    #[error("failed to evaluate CEL expression as {expected}: '{expression}'")]
    Type {
        /// The expression.
        expression: String,
        /// The type that was asked for.
        expected: &'static str,
    },
    /// On this data the work could be without bound.
    #[error("CEL expression '{expression}' may need too much work or memory on this object")]
    TooCostly {
        /// The expression.
        expression: String,
    },
}

impl Expr {
    /// Reads an expression whose variables are not known: it is checked for syntax and functions.
    pub fn parse(source: &str) -> Result<Self, InvalidExpression> {
        if source.len() > MAX_SOURCE {
            return Err(InvalidExpression::TooLong { length: source.len() });
        }
        let expression = || source.to_owned();
        if bound::may_nest_deeply(source) {
            return Err(InvalidExpression::TooDeep {
                expression: expression(),
            });
        }
        let mut ast = parse(source).map_err(|message| InvalidExpression::Syntax {
            expression: expression(),
            message,
        })?;
        let names::Names { variables, paths } = names::check(source, &ast)?;
        rewrite::rewrite(&mut ast);
        Ok(Self {
            source: source.into(),
            ast: Arc::new(ast),
            variables,
            paths,
        })
    }

    /// Reads an expression that may refer to these variables only and must yield a boolean, as far as that
    /// can be told before it is evaluated.
    pub fn compile(source: &str, variables: &[&str]) -> Result<Self, InvalidExpression> {
        let this = Self::parse(source)?;
        if let Some(name) = this.variables.iter().find(|v| !variables.contains(&v.as_str())) {
            return Err(InvalidExpression::UnknownVariable {
                expression: source.into(),
                name: name.clone(),
            });
        }
        match names::certain_type(&this.ast) {
            Some(got) if got != "bool" => Err(InvalidExpression::NotBoolean {
                expression: source.into(),
                got,
            }),
            _ => Ok(this),
        }
    }

    /// The text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The variables it refers to.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(String::as_str)
    }

    /// The fields it selects from variables by names that are written out: the variable, then the names, and positions in lists as
    /// numbers. For those who want to say what an expression looked at.
    pub fn paths(&self) -> impl Iterator<Item = &[String]> {
        self.paths.iter().map(Vec::as_slice)
    }

    /// Evaluates to a boolean.
    pub fn evaluate_bool(&self, data: &Map<String, Value>) -> Result<bool, EvaluationError> {
        match self.run(data)? {
            cel::Value::Bool(value) => Ok(value),
            _ => Err(EvaluationError::Type {
                expression: self.source.to_string(),
                expected: "boolean",
            }),
        }
    }

    /// Evaluates to a JSON value.
    pub fn evaluate(&self, data: &Map<String, Value>) -> Result<Value, EvaluationError> {
        from_cel(&self.run(data)?).ok_or_else(|| EvaluationError::Type {
            expression: self.source.to_string(),
            expected: "JSON value",
        })
    }

    fn run(&self, data: &Map<String, Value>) -> Result<cel::Value, EvaluationError> {
        let too_costly = || EvaluationError::TooCostly {
            expression: self.source.to_string(),
        };
        if !bound::is_affordable(&self.ast, data) {
            return Err(too_costly());
        }
        let mut scope = FUNCTIONS.new_inner_scope();
        for name in &self.variables {
            if let Some(value) = data.get(name) {
                let value = to_cel(value, MAX_DATA_DEPTH).ok_or_else(too_costly)?;
                scope.add_variable_from_value(name.clone(), value);
            }
        }
        let failed = |cause: String| EvaluationError::Failed {
            expression: self.source.to_string(),
            cause,
        };
        // The interpreter has arms that panic on values it does not expect.
        catch_unwind(AssertUnwindSafe(|| scope.resolve(&self.ast)))
            .map_err(|_| failed("the interpreter gave up".into()))?
            .map_err(|error| failed(describe(&error, &self.source)))
    }
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expr({:?})", self.source)
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// Parses a text. The parser is generated code that goes a dozen calls deeper for each bracket and has panicked
/// on odd input before, so it gets a stack of its own, and a panic is an error.
fn parse(source: &str) -> Result<IdedExpr, String> {
    let gave_up = || "the parser gave up".to_owned();
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(PARSER_STACK)
            .spawn_scoped(scope, || {
                Parser::new()
                    .enable_optional_syntax(true)
                    .parse(source)
                    .map_err(|errors| errors.to_string())
            })
            .map_err(|_| gave_up())?
            .join()
            .map_err(|_| gave_up())?
    })
}

/// `bool(x)`, with the spellings that cel-go takes.
fn to_bool(context: &FunctionContext, value: cel::Value) -> Result<cel::Value, ExecutionError> {
    let parsed = match &value {
        cel::Value::Bool(value) => Some(*value),
        cel::Value::String(text) => match text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
            _ => None,
        },
        _ => None,
    };
    parsed
        .map(cel::Value::Bool)
        .ok_or_else(|| context.error("type conversion error"))
}

/// JSON as Kubernetes' CEL sees it: whole numbers are `int`. `None` where it is nested too deeply.
fn to_cel(value: &Value, depth: usize) -> Option<cel::Value> {
    let depth = depth.checked_sub(1)?;
    Some(match value {
        Value::Null => cel::Value::Null,
        Value::Bool(b) => cel::Value::Bool(*b),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => cel::Value::Int(int),
            (None, float) => cel::Value::Float(float.unwrap_or(f64::NAN)),
        },
        Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        Value::Array(list) => {
            let items: Option<Vec<_>> = list.iter().map(|v| to_cel(v, depth)).collect();
            cel::Value::List(Arc::new(items?))
        }
        Value::Object(map) => {
            let entries: Option<_> = map
                .iter()
                .map(|(key, v)| Some((Key::String(Arc::new(key.clone())), to_cel(v, depth)?)))
                .collect();
            cel::Value::Map(CelMap {
                map: Arc::new(entries?),
            })
        }
    })
}

/// A result as JSON; `None` where it has no such form (a duration, a quantity).
fn from_cel(value: &cel::Value) -> Option<Value> {
    Some(match value {
        cel::Value::Null => Value::Null,
        cel::Value::Bool(b) => (*b).into(),
        cel::Value::Int(int) => (*int).into(),
        cel::Value::UInt(int) => (*int).into(),
        cel::Value::Float(float) => (*float).into(),
        cel::Value::String(text) => text.as_str().into(),
        cel::Value::List(list) => list.iter().map(from_cel).collect::<Option<Vec<_>>>()?.into(),
        cel::Value::Map(map) => {
            let entries: Option<BTreeMap<String, Value>> = map
                .map
                .iter()
                .map(|(key, value)| Some((key.to_string(), from_cel(value)?)))
                .collect();
            Value::Object(entries?.into_iter().collect())
        }
        _ => return None,
    })
}

/// What went wrong, without the values that the interpreter's own text repeats.
fn describe(error: &ExecutionError, source: &str) -> String {
    match error {
        // A key that the expression does not name was computed from the data.
        ExecutionError::NoSuchKey(key) if source.contains(key.as_str()) => format!("no such key: {key}"),
        ExecutionError::NoSuchKey(_) => "no such key".into(),
        ExecutionError::UndeclaredReference(name) => format!("no such attribute(s): {name}"),
        ExecutionError::NoSuchOverload
        | ExecutionError::UnsupportedUnaryOperator(..)
        | ExecutionError::UnsupportedBinaryOperator(..)
        | ExecutionError::ValuesNotComparable(..) => "no such overload".into(),
        ExecutionError::InvalidArgumentCount { expected, actual } => {
            format!("function expects {expected} arguments, got {actual}")
        }
        ExecutionError::UnexpectedType { got, want } => format!("got '{got}', want '{want}'"),
        ExecutionError::NotSupportedAsMethod { method, .. } => {
            format!("method '{method}' is not supported on this type")
        }
        ExecutionError::DivisionByZero(_) => "division by zero".into(),
        ExecutionError::RemainderByZero(_) => "modulus by zero".into(),
        ExecutionError::Overflow(..) => "integer overflow".into(),
        ExecutionError::IndexOutOfBounds(_) => "index out of bounds".into(),
        ExecutionError::UnsupportedMapIndex(_)
        | ExecutionError::UnsupportedListIndex(_)
        | ExecutionError::UnsupportedIndex(..)
        | ExecutionError::UnsupportedKeyType(_) => "unsupported index or key type".into(),
        // The message may quote an argument.
        ExecutionError::FunctionError { function, .. } => format!("function '{function}' failed"),
        _ => "unsupported operation".into(),
    }
}
