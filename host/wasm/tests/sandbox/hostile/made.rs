//! Hostile components that are too large for a file, each made by a function of its name.

use std::fmt::Write as _;

/// The bytes of a text.
fn parsed(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text is right")
}

/// Components that each hold two instances of the one before, thirty levels of them: a billion
/// core instances out of a kilobyte.
pub(super) fn instances_doubled() -> Vec<u8> {
    let mut text =
        "(component (component $c0 (core module $m) (core instance (instantiate $m)))\n".to_owned();
    for level in 1..=30 {
        let below = level - 1;
        let line = format!(
            "(component $c{level} (instance (instantiate $c{below})) (instance (instantiate $c{below})))\n"
        );
        text.push_str(&line);
    }
    text.push_str("(instance (instantiate $c30)))");
    parsed(&text)
}

/// One function of seven million bytes.
pub(super) fn giant_function() -> Vec<u8> {
    let body = "(local.set 0 (i32.add (local.get 0) (call $f (local.get 1) (local.get 0))))\n";
    let text = format!(
        "(component (core module (func $f (param i32 i32) (result i32)\n{}(local.get 0))))",
        body.repeat(500_000)
    );
    parsed(&text)
}

/// Functions, two hundred thousand of them.
pub(super) fn many_functions() -> Vec<u8> {
    let function =
        "(func (param i32) (result i32) (i32.mul (local.get 0) (i32.load (local.get 0))))\n";
    let text = format!(
        "(component (core module (memory 1)\n{}))",
        function.repeat(200_000)
    );
    parsed(&text)
}

/// Functions of fifty thousand variables, a thousand of them, in six kilobytes.
pub(super) fn many_variables() -> Vec<u8> {
    // The text would name each variable; the binary counts them: `50,000 of i64`.
    let body = [
        0x0c, 0x01, 0xd0, 0x86, 0x03, 0x7e, 0x20, 0x00, 0x1a, 0x20, 0x01, 0x1a, 0x0b,
    ];
    let count = 1_000_usize;
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    section(&mut module, 1, &[1, 0x60, 0, 0]);
    let mut functions = leb(count);
    functions.extend(vec![0; count]);
    section(&mut module, 3, &functions);
    let mut code = leb(count);
    (0..count).for_each(|_| code.extend(body));
    section(&mut module, 10, &code);
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    section(&mut component, 1, &module);
    component
}

/// A function of blocks in blocks, a hundred thousand deep.
pub(super) fn deep_blocks() -> Vec<u8> {
    let depth = 100_000;
    let mut body = vec![0_u8];
    body.extend([0x02, 0x40].repeat(depth));
    body.extend(vec![0x0b; depth + 1]);
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    section(&mut module, 1, &[1, 0x60, 0, 0]);
    section(&mut module, 3, &[1, 0]);
    let mut code = vec![1];
    code.extend(leb(body.len()));
    code.extend(body);
    section(&mut module, 10, &code);
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    section(&mut component, 1, &module);
    component
}

/// Components in components, twenty thousand deep.
pub(super) fn deep_components() -> Vec<u8> {
    let mut inner = b"\0asm\x0d\0\x01\0".to_vec();
    for _ in 0..20_000 {
        let mut outer = b"\0asm\x0d\0\x01\0".to_vec();
        section(&mut outer, 4, &inner);
        inner = outer;
        if inner.len() > 200_000 {
            break;
        }
    }
    inner
}

/// An import whose name has ninety thousand characters.
pub(super) fn long_import_name() -> Vec<u8> {
    let name = "x".repeat(90_000);
    parsed(&format!("(component (import \"{name}:a/b\" (instance)))"))
}

/// An export that names a version of the contract of ninety thousand characters.
pub(super) fn long_version() -> Vec<u8> {
    let version = format!("9.0.0-{}", "x".repeat(90_000));
    let text = format!(
        "(component (instance $i) (export \"andon:plugin/plugin@{version}\" (instance $i)))"
    );
    parsed(&text)
}

/// Imports of what is linked, in nine hundred versions; a thousand is what a file may have.
pub(super) fn many_imports() -> Vec<u8> {
    let mut text = String::new();
    for version in 0..900 {
        let written = writeln!(text, "(import \"wasi:io/error@0.2.{version}\" (instance))");
        written.expect("a string takes all");
    }
    super::shell::component(&text_with_module(&text))
}

/// Exports beside those of the contract, nine hundred of them.
pub(super) fn many_exports() -> Vec<u8> {
    let mut text = "(instance $nothing)\n".to_owned();
    for number in 0..900 {
        let written = writeln!(text, "(export \"extra-x{number}\" (instance $nothing))");
        written.expect("a string takes all");
    }
    super::shell::component(&text_with_module(&text))
}

fn text_with_module(fields: &str) -> String {
    format!("{fields}(core module $bad-module)(core instance $bad (instantiate $bad-module))")
}

fn section(to: &mut Vec<u8>, id: u8, content: &[u8]) {
    to.push(id);
    to.extend(leb(content.len()));
    to.extend(content);
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).expect("seven bits"));
    bytes
}
