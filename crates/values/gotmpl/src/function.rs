//! Functions and the tables they stand in.

use std::fmt;
use std::sync::Arc;

use crate::families::Family;
use crate::table::Table;
use crate::{CallError, Env, Type, Value, builtins, ty};

/// What a function takes. Arguments are checked against it before the call, with Go's messages.
#[derive(Debug)]
pub struct Signature {
    /// The types of the parameters. For a variadic function the last one is the type of each further argument.
    pub params: &'static [Type],
    /// Whether the last parameter takes any number of arguments.
    pub variadic: bool,
}

impl Signature {
    /// A fixed number of parameters.
    pub const fn new(params: &'static [Type]) -> Self {
        Self {
            params,
            variadic: false,
        }
    }

    /// The last parameter takes any number of arguments.
    pub const fn variadic(params: &'static [Type]) -> Self {
        Self {
            params,
            variadic: true,
        }
    }
}

/// How a function of a table looks in Rust.
pub type Native = fn(&mut Env<'_>, &[Value]) -> Result<Value, CallError>;

type Closure = dyn Fn(&mut Env<'_>, &[Value]) -> Result<Value, CallError> + Send + Sync;

/// Takes what a sequence yields, a key and a value (or a value alone, as the key); says whether to go on.
pub(crate) type Yield<'y> = dyn FnMut(Value, Option<Value>) -> bool + 'y;

type Sequence = dyn Fn(&mut Yield<'_>) + Send + Sync;

#[derive(Clone)]
enum Body {
    Native(Native),
    Closure(Arc<Closure>),
    Sequence { body: Arc<Sequence>, pairs: bool },
}

/// A function, cheap to clone.
#[derive(Clone)]
pub struct Function {
    pub(crate) signature: &'static Signature,
    pub(crate) special: Option<Special>,
    ty: Type,
    body: Body,
}

/// Functions that the evaluator treats by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    And,
    Or,
    Call,
    /// Its indexes must not come through an interface, which Go forgets to look into.
    Slice,
}

impl Function {
    /// A function without state.
    pub const fn native(signature: &'static Signature, body: Native) -> Self {
        Self {
            signature,
            special: None,
            ty: &ty::FUNC,
            body: Body::Native(body),
        }
    }

    /// A function with state.
    pub fn closure(
        signature: &'static Signature,
        body: impl Fn(&mut Env<'_>, &[Value]) -> Result<Value, CallError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            signature,
            special: None,
            ty: &ty::FUNC,
            body: Body::Closure(Arc::new(body)),
        }
    }

    /// A function to `range` over, as Go's `iter.Seq`, or `iter.Seq2` if it yields pairs. It cannot be called.
    pub fn sequence(
        pairs: bool,
        body: impl Fn(&mut (dyn FnMut(Value, Option<Value>) -> bool + '_)) + Send + Sync + 'static,
    ) -> Self {
        static YIELD: Signature = Signature::new(&[&ty::FUNC]);
        Self {
            signature: &YIELD,
            special: None,
            ty: &ty::FUNC,
            body: Body::Sequence {
                body: Arc::new(body),
                pairs,
            },
        }
    }

    /// What `range` runs over, and whether it yields pairs.
    pub(crate) fn as_sequence(&self) -> Option<(&Sequence, bool)> {
        match &self.body {
            Body::Sequence { body, pairs } => Some((&**body, *pairs)),
            _ => None,
        }
    }

    /// The same with a type that says what `%T` prints: `func(string) int`.
    #[must_use]
    pub fn typed(mut self, ty: Type) -> Self {
        self.ty = ty;
        self
    }

    pub(crate) fn special(mut self, special: Special) -> Self {
        self.special = Some(special);
        self
    }

    /// Its Go type.
    pub fn ty(&self) -> Type {
        self.ty
    }

    /// Calls it. The arguments must fit the signature.
    ///
    /// # Errors
    /// What the function says.
    pub fn call(&self, env: &mut Env<'_>, args: &[Value]) -> Result<Value, CallError> {
        match &self.body {
            Body::Native(body) => body(env, args),
            Body::Closure(body) => body(env, args),
            Body::Sequence { .. } => Err(CallError::new("a sequence cannot be called from a template")),
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.ty, self.signature)
    }
}

/// One line of a family's table: a name, what it takes, what it does.
pub type Entry = (&'static str, Signature, Native);

/// A table of functions by name.
#[derive(Clone, Debug, Default)]
pub struct Functions {
    by_name: Table<Box<str>, u32>,
    all: Vec<Function>,
}

impl Functions {
    /// Go's own: `and`, `call`, `eq`, `index`, `printf` and so on.
    pub fn builtins() -> Self {
        let mut functions = Self::default();
        builtins::register(&mut functions);
        functions
    }

    /// Adds a family, or puts it over functions of the same names.
    #[must_use]
    pub fn with(mut self, family: Family) -> Self {
        for (name, signature, body) in family.iter().copied().flatten() {
            self.insert(name, Function::native(signature, *body));
        }
        self
    }

    /// Adds a function, or puts it over the one of that name.
    pub fn insert(&mut self, name: &str, function: Function) {
        if let Some(slot) = self
            .by_name
            .get(name)
            .and_then(|index| self.all.get_mut(*index as usize))
        {
            *slot = function;
            return;
        }
        let index = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.by_name.insert(name.into(), index);
        self.all.push(function);
    }

    /// Takes a name out of the table.
    pub fn remove(&mut self, name: &str) {
        self.by_name.remove(name);
    }

    /// Whether there is a function of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// The function of that name.
    pub fn get(&self, name: &str) -> Option<&Function> {
        self.index(name).and_then(|index| self.at(index))
    }

    /// All names, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.by_name.keys().map(|name| &**name).collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn index(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn at(&self, index: u32) -> Option<&Function> {
        self.all.get(index as usize)
    }
}
