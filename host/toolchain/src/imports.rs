//! Other names for the imports of a component.
//!
//! Some tools run the code while they build, against their own idea of WASI, and then refuse packages
//! that share types with it, as `wasi:http` does. They are given the same interfaces under a namespace
//! of their own, and the finished component is told the real one here. Only the names in the component's
//! import section change; what they are within it has no names.
//!
//! A component is a preamble and sections: an id, a length, a body. The import section (id 10) is a count
//! and so many of: a byte 0 or 1, a name, and what kind of thing it is.

use std::collections::BTreeMap;

/// Length of magic number and version.
const PREAMBLE: usize = 8;

/// Id of a component's import section.
const IMPORTS: u8 = 10;

/// The bytes are no component whose imports can be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "its imports cannot be read: build it with the version of the tool that andon-plugin.toml names"
)]
pub struct UnreadableImports;

/// Gives the imports of these namespaces other ones: `from:package/interface` becomes
/// `to:package/interface`.
pub(crate) fn rename(
    component: &[u8],
    namespaces: &BTreeMap<String, String>,
) -> Result<Vec<u8>, UnreadableImports> {
    if namespaces.is_empty() {
        return Ok(component.to_vec());
    }
    let (preamble, sections) = split(component, PREAMBLE)?;
    let mut renamed = preamble.to_vec();
    let mut rest = Bytes(sections);
    // Each turn takes at least two bytes away.
    while !rest.0.is_empty() {
        let id = rest.byte()?;
        let body = rest.block()?;
        renamed.push(id);
        if id == IMPORTS {
            block(&section(body, namespaces)?, &mut renamed)?;
        } else {
            block(body, &mut renamed)?;
        }
    }
    Ok(renamed)
}

/// The body of an import section.
fn section(
    body: &[u8],
    namespaces: &BTreeMap<String, String>,
) -> Result<Vec<u8>, UnreadableImports> {
    let mut rest = Bytes(body);
    let count = rest.number()?;
    let mut renamed = Vec::new();
    number(count, &mut renamed);
    for _ in 0..count {
        let form = rest.byte()?;
        if form > 1 {
            return Err(UnreadableImports);
        }
        renamed.push(form);
        let name = rest.block()?;
        block(&other_name(name, namespaces), &mut renamed)?;
        let before = rest.0;
        rest.skip_kind()?;
        let (kind, _) = split(before, before.len() - rest.0.len())?;
        renamed.extend(kind);
    }
    if rest.0.is_empty() {
        Ok(renamed)
    } else {
        Err(UnreadableImports)
    }
}

fn other_name(name: &[u8], namespaces: &BTreeMap<String, String>) -> Vec<u8> {
    let place = name.iter().position(|byte| *byte == b':');
    let parts = place.and_then(|place| name.split_at_checked(place));
    let other = parts.and_then(|(namespace, rest)| {
        let namespace = std::str::from_utf8(namespace).ok()?;
        Some([namespaces.get(namespace)?.as_bytes(), rest].concat())
    });
    other.unwrap_or_else(|| name.to_vec())
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn byte(&mut self) -> Result<u8, UnreadableImports> {
        let (byte, rest) = self.0.split_first().ok_or(UnreadableImports)?;
        self.0 = rest;
        Ok(*byte)
    }

    /// A number in LEB128, of at most 32 bits.
    fn number(&mut self) -> Result<u32, UnreadableImports> {
        let mut number = 0_u64;
        for place in 0..5 {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return u32::try_from(number).map_err(|_too_large| UnreadableImports);
            }
        }
        Err(UnreadableImports)
    }

    /// A length, and so many bytes.
    fn block(&mut self) -> Result<&'a [u8], UnreadableImports> {
        let length = usize::try_from(self.number()?).map_err(|_too_large| UnreadableImports)?;
        let (block, rest) = split(self.0, length)?;
        self.0 = rest;
        Ok(block)
    }

    /// Passes over what kind of thing an import is.
    fn skip_kind(&mut self) -> Result<(), UnreadableImports> {
        match self.byte()? {
            // A core module, or a value: a byte says of what form.
            0 | 2 => {
                self.byte()?;
                self.number()?;
            }
            // A type: the same as another one, or a resource.
            3 => {
                if self.byte()? == 0 {
                    self.number()?;
                }
            }
            // A function, a component, an instance: its type.
            1 | 4 | 5 => {
                self.number()?;
            }
            _ => return Err(UnreadableImports),
        }
        Ok(())
    }
}

fn split(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8]), UnreadableImports> {
    bytes.split_at_checked(at).ok_or(UnreadableImports)
}

fn block(bytes: &[u8], into: &mut Vec<u8>) -> Result<(), UnreadableImports> {
    let length = u32::try_from(bytes.len()).map_err(|_too_large| UnreadableImports)?;
    number(length, into);
    into.extend(bytes);
    Ok(())
}

fn number(mut number: u32, into: &mut Vec<u8>) {
    // Five bytes hold 32 bits.
    for _ in 0..5 {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            into.push(low & 0x7f);
            return;
        }
        into.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Imports of all kinds that a component of a world has, and a use of one of them within.
    const COMPONENT: &str = r#"(component
        (import "own-wasi:io/poll@0.2.1" (instance $poll
            (export "pollable" (type $pollable (sub resource)))
            (export "[method]pollable.block" (func (param "self" (borrow $pollable))))
        ))
        (alias export $poll "pollable" (type $pollable))
        (import "wasi:io/poll@0.2.12" (instance))
        (import "own-wasi:http/types@0.2.1" (instance
            (alias outer 1 $pollable (type $outer))
            (export "pollable" (type (eq $outer)))
        ))
        (import "plain" (func))
        (import "own" (type (sub resource)))
        (import "andon:plugin/log@0.1.0" (instance))
    )"#;

    fn names() -> BTreeMap<String, String> {
        BTreeMap::from([("own-wasi".to_owned(), "wasi".to_owned())])
    }

    fn component() -> Vec<u8> {
        wat::parse_str(COMPONENT).expect("a component")
    }

    #[test]
    fn only_the_namespaces_that_are_named_change() {
        let renamed = rename(&component(), &names()).expect("it is read");
        let wanted = COMPONENT.replace("own-wasi:", "wasi:");
        assert_eq!(renamed, wat::parse_str(wanted).expect("a component"));
        assert_ne!(renamed, component());
    }

    #[test]
    fn without_names_nothing_changes() {
        let same = rename(&component(), &BTreeMap::new()).expect("nothing is read");
        assert_eq!(same, component());
    }

    #[test]
    fn a_component_that_is_cut_off_is_refused_and_never_a_panic() {
        let whole = component();
        let cut = |end: usize| rename(whole.get(..end).unwrap_or_default(), &names());
        assert!(cut(whole.len() - 1).is_err() && cut(4).is_err());
        for end in 0..whole.len() {
            drop(cut(end));
        }
        for place in PREAMBLE..whole.len() {
            let mut damaged = whole.clone();
            for byte in damaged.iter_mut().skip(place).take(1) {
                *byte ^= 0x55;
            }
            drop(rename(&damaged, &names()));
        }
    }
}
