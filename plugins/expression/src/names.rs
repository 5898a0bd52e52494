//! What the names in an expression stand for.

use std::collections::BTreeMap;

use andon_plugin::prelude::*;

/// Words with a meaning of their own; no tag is called so.
pub(crate) const RESERVED: [&str; 6] = ["and", "or", "not", "for", "true", "false"];

/// Names with the place of the input that they stand for.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_name: BTreeMap<String, Meaning>,
}

#[derive(Debug)]
enum Meaning {
    Input(usize),
    /// Several tags end with this name.
    Any(Vec<String>),
}

impl Names {
    /// Names of the inputs: those that the settings give, the whole names of the tags, and the last
    /// parts of them where that is clear.
    pub(crate) fn new(inputs: &Inputs, given: &BTreeMap<String, String>) -> Result<Self, Failure> {
        let mut names = Self::default();
        for (place, input) in inputs.iter().enumerate() {
            names.add_last_part(place, &input.tag, inputs);
        }
        for (place, input) in inputs.iter().enumerate() {
            let whole = Meaning::Input(place);
            names.by_name.insert(input.tag.clone(), whole);
        }
        for (name, tag) in given {
            check_name(name)?;
            let place = inputs.iter().position(|input| input.tag == *tag);
            let place = place.ok_or_else(|| {
                Failure::new(
                    "bad-parameter",
                    format!(
                        "parameter `names.{name}`: the tag `{tag}` is not bound to `inputs`; bound are {}",
                        listed(inputs.iter().map(|input| input.tag.as_str()))
                    ),
                )
            })?;
            names.by_name.insert(name.clone(), Meaning::Input(place));
        }
        Ok(names)
    }

    fn add_last_part(&mut self, place: usize, tag: &str, inputs: &Inputs) {
        let name = last_part(tag);
        match self.by_name.get_mut(&name) {
            None => {
                self.by_name.insert(name, Meaning::Input(place));
            }
            Some(Meaning::Any(tags)) => tags.push(tag.to_owned()),
            Some(meaning @ Meaning::Input(_)) => {
                let tags = inputs.iter().map(|input| input.tag.clone());
                let alike = tags.filter(|other| last_part(other) == name).collect();
                *meaning = Meaning::Any(alike);
            }
        }
    }

    /// The place of the input that a name stands for.
    pub(crate) fn place(&self, name: &str) -> Result<usize, String> {
        match self.by_name.get(name) {
            Some(Meaning::Input(place)) => Ok(*place),
            Some(Meaning::Any(tags)) => Err(format!(
                "`{name}` could be {}: write the whole name of the tag, or give it a name under `names`",
                listed(tags.iter().map(String::as_str))
            )),
            None => Err(format!(
                "`{name}` is not known; known are {}",
                listed(self.known().iter().map(String::as_str))
            )),
        }
    }

    /// All names that stand for one input.
    pub(crate) fn known(&self) -> Vec<String> {
        let clear = |(name, meaning): (&String, &Meaning)| match meaning {
            Meaning::Input(_) => Some(name.clone()),
            Meaning::Any(_) => None,
        };
        self.by_name.iter().filter_map(clear).collect()
    }
}

/// `level` of `tank1.level`; what no name can hold becomes `_`.
fn last_part(tag: &str) -> String {
    let part = tag.rsplit(['.', '/']).next().unwrap_or(tag);
    let name: String = part
        .chars()
        .map(|letter| if is_name_letter(letter) { letter } else { '_' })
        .collect();
    if name.starts_with(|letter: char| letter.is_ascii_digit()) {
        format!("_{name}")
    } else {
        name
    }
}

pub(crate) const fn is_name_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn check_name(name: &str) -> Result<(), Failure> {
    let starts_well =
        name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    let reserved = RESERVED.contains(&name.to_ascii_lowercase().as_str());
    if starts_well && name.chars().all(is_name_letter) && !reserved {
        return Ok(());
    }
    Err(Failure::new(
        "bad-parameter",
        format!(
            "parameter `names`: `{name}` cannot be a name: use letters, digits and `_`, a letter first, and none of {}",
            listed(RESERVED)
        ),
    ))
}

pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() {
        "none".to_owned()
    } else {
        quoted.join(", ")
    }
}
