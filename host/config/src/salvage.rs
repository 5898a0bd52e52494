//! What can still be checked of settings that the schema refuses, so that one wrong key does not
//! hide what is wrong elsewhere.
//!
//! A refused value is taken out of a copy of the tree, and what needed it with it, until the rest
//! has the right shape. The stages then check that rest. Where something was taken out is a *gap*:
//! what a stage would say about a gap is about the hole and not about the user's text, so it is
//! left away, and a stage that needs a section with a hole too large is not asked at all.

use andon_model::Finding;
use serde_json::Value;

use crate::schema::SchemaCheck;
use crate::{Settings, document};

/// Each round takes out at least one value and what needed it; values nest no deeper.
const ROUNDS_MAX: usize = 8;

/// The part of the settings that has the right shape.
pub(crate) struct Salvaged {
    pub(crate) settings: Settings,
    /// What was refused.
    pub(crate) findings: Vec<Finding>,
    /// Pointers to what was taken out, or is not what the user wrote.
    gaps: Vec<String>,
}

/// Takes out what the schema refuses. `unresolved` are findings about texts that only stand in for
/// something that could not be read.
pub(crate) fn salvage(tree: &Value, check: &SchemaCheck, unresolved: Vec<Finding>) -> Salvaged {
    let mut tree = tree.clone();
    let mut gaps: Vec<String> = unresolved.iter().map(|one| one.path.clone()).collect();
    let mut findings = unresolved;
    let mut refused = check.check(&tree);
    findings.extend(refused.iter().cloned());
    for _ in 0..ROUNDS_MAX {
        gaps.extend(refused.iter().map(|one| take_out(&mut tree, &one.path)));
        // From the second round on it is the gaps that are refused; nobody needs to hear of them.
        refused = check.check(&tree);
        if !refused.is_empty() {
            continue;
        }
        match deserialize(&tree) {
            Ok(settings) => {
                return Salvaged {
                    settings,
                    findings,
                    gaps,
                };
            }
            Err(finding) => {
                findings.push(finding.clone());
                refused = vec![finding];
            }
        }
    }
    Salvaged {
        settings: Settings::default(),
        findings,
        gaps: vec![String::new()],
    }
}

impl Salvaged {
    /// Whether these sections can be checked: no gap but inside of an entry of a list.
    pub(crate) fn spares(&self, sections: &[&str]) -> bool {
        self.gaps.iter().all(|gap| {
            let mut parts = gap.split('/').skip(1);
            let section = parts.next().unwrap_or_default();
            let in_entry = parts.next().is_some_and(is_index) && parts.next().is_some();
            in_entry || !(section.is_empty() || sections.contains(&section))
        })
    }

    /// Whether a finding is about what the user wrote, and not about an entry with a gap.
    pub(crate) fn is_about_the_text(&self, pointer: &str) -> bool {
        let of = |pointer: &str| -> Vec<String> {
            pointer.split('/').take(3).map(str::to_owned).collect()
        };
        let entry = of(pointer);
        entry.len() < 3 || self.gaps.iter().all(|gap| of(gap) != entry)
    }
}

/// Removes the innermost key on the way to a pointer; gives the pointer of what was removed. An
/// entry of a list is never removed by itself, because that would move its neighbours.
fn take_out(tree: &mut Value, pointer: &str) -> String {
    let mut pointer = pointer;
    loop {
        let Some((above, key)) = pointer.rsplit_once('/') else {
            *tree = Value::Object(serde_json::Map::new());
            return String::new();
        };
        if let Some(Value::Object(map)) = tree.pointer_mut(above)
            && map.remove(&document::unescape(key)).is_some()
        {
            return pointer.to_owned();
        }
        pointer = above;
    }
}

/// What the schema cannot say, such as an address that is none, is told by the types themselves.
fn deserialize(tree: &Value) -> Result<Settings, Finding> {
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let path: String = error
            .path()
            .iter()
            .filter_map(|part| match part {
                serde_path_to_error::Segment::Seq { index } => Some(format!("/{index}")),
                serde_path_to_error::Segment::Map { key } => {
                    Some(format!("/{}", document::escape(key)))
                }
                serde_path_to_error::Segment::Enum { .. }
                | serde_path_to_error::Segment::Unknown => None,
            })
            .collect();
        Finding::error(path, error.inner().to_string())
    })
}

fn is_index(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|sign| sign.is_ascii_digit())
}
