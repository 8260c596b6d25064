//! Go's `fmt`: `print`, `println`, `printf` and how `{{ . }}` shows a value.

mod float;
mod number;
mod printf;
mod value;

use crate::{CallError, Env, Shape, Value};

pub(crate) use float::{format_float, go_float};
pub(crate) use printf::printf;
use value::Printer;
pub(crate) use value::rune_starts;

/// How deep values may nest when they are printed or encoded. Go prints a map that holds itself until its stack
/// ends, and the process with it.
pub(crate) const MAX_NESTING: usize = 400;

/// `fmt.Sprint`
pub(crate) fn print(env: &mut Env<'_>, args: &[Value]) -> Result<Vec<u8>, CallError> {
    let mut printer = Printer::new(env);
    let mut before_is_string = false;
    for (index, arg) in args.iter().enumerate() {
        let is_string = matches!(arg, Value::Str(_) | Value::Number(_));
        if index > 0 && !is_string && !before_is_string {
            printer.out.push(b' ');
        }
        printer.arg(arg, 'v')?;
        before_is_string = is_string;
    }
    printer.finish()
}

/// `fmt.Sprintln`
pub(crate) fn println(env: &mut Env<'_>, args: &[Value]) -> Result<Vec<u8>, CallError> {
    let mut printer = Printer::new(env);
    for (index, arg) in args.iter().enumerate() {
        if index > 0 {
            printer.out.push(b' ');
        }
        printer.arg(arg, 'v')?;
    }
    printer.out.push(b'\n');
    printer.finish()
}

/// One value as `%v`, where nil comes from reflection.
pub(crate) fn reflected(env: &mut Env<'_>, value: &Value) -> Result<Vec<u8>, CallError> {
    if matches!(value, Value::Nil) {
        return Ok(b"<invalid reflect.Value>".to_vec());
    }
    print(env, std::slice::from_ref(value))
}

/// What a chain of pointers leads to.
pub(crate) fn indirect(mut value: Value) -> Value {
    // A hundred is more than anybody points through; it ends a pointer to itself.
    for _ in 0..100 {
        match &value {
            Value::Object(object) => match object.shape() {
                Shape::Pointer(Some(target)) => value = target,
                _ => break,
            },
            _ => break,
        }
    }
    value
}

/// What is printed for a value: behind pointers, unless the pointer itself knows how to print.
pub(crate) fn printable(value: &Value) -> Value {
    match value {
        Value::Nil => Value::from("<no value>"),
        Value::Object(object) if object.text().is_none() => {
            let target = indirect(value.clone());
            // A struct inside a pointer can be reached by methods of the pointer, which has none here.
            target
        }
        value => value.clone(),
    }
}
