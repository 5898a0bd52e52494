//! Patterns for names, as routes have them: `*`, `?`, `[…]`, `{a,b}`.
//!
//! Beside matching, two patterns can be asked whether any name fits both, which is how circles of
//! suppressions are found before they hide anything. That answer errs to one side: a class of
//! characters (`[ab]`) counts as any character, so it may say yes where no name fits both.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::Chars;

use globset::{Glob, GlobMatcher};

/// A checked pattern.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    text: String,
    /// Nothing where the text has no special signs: then it is compared as it is.
    matcher: Option<GlobMatcher>,
}

impl Pattern {
    /// Longest text of a pattern, in bytes.
    pub(crate) const TEXT_MAX: usize = 500;

    /// Reads a pattern.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        if text.len() > Self::TEXT_MAX {
            return Err(format!(
                "a pattern of {} bytes is too long: at most {} are read",
                text.len(),
                Self::TEXT_MAX
            ));
        }
        let matcher = if text.contains(['*', '?', '[', '{', '\\']) {
            let glob = Glob::new(text)
                .map_err(|error| format!("`{text}` is not a pattern: {}", error.kind()))?;
            Some(glob.compile_matcher())
        } else {
            None
        };
        Ok(Self {
            text: text.to_owned(),
            matcher,
        })
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        match &self.matcher {
            Some(matcher) => matcher.is_match(name),
            None => self.text == name,
        }
    }

    /// Whether some name may fit both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        match (&self.matcher, &other.matcher) {
            (None, _) => other.matches(&self.text),
            (_, None) => self.matches(&other.text),
            (Some(_), Some(_)) => {
                let others = shapes(&other.text);
                shapes(&self.text)
                    .iter()
                    .any(|one| others.iter().any(|other| meet(one, other)))
            }
        }
    }
}

/// One step of a pattern without alternatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// This character.
    Exactly(char),
    /// Any one character.
    One,
    /// Any characters, or none.
    Any,
}

type Shape = Vec<Sign>;

/// Most shapes that alternatives are written out to; beyond it a pattern counts as `*`.
const SHAPES_MAX: usize = 256;

/// The pattern with its alternatives written out.
fn shapes(text: &str) -> Vec<Shape> {
    let all = alternatives(&mut text.chars().peekable(), 0);
    if all.len() > SHAPES_MAX {
        vec![vec![Sign::Any]]
    } else {
        all
    }
}

/// Everything up to the end of the text, or of the braces at this depth.
fn alternatives(signs: &mut Peekable<Chars<'_>>, depth: usize) -> Vec<Shape> {
    let mut done: Vec<Shape> = Vec::new();
    let mut current: Vec<Shape> = vec![Vec::new()];
    while let Some(sign) = signs.next() {
        let step = match sign {
            '*' => Sign::Any,
            '?' => Sign::One,
            '[' => {
                skip_class(signs);
                Sign::One
            }
            '{' => {
                let inner = alternatives(signs, depth + 1);
                current = product(&current, &inner);
                continue;
            }
            ',' if depth > 0 => {
                done.append(&mut current);
                current = vec![Vec::new()];
                continue;
            }
            '}' if depth > 0 => break,
            '\\' => Sign::Exactly(signs.next().unwrap_or('\\')),
            other => Sign::Exactly(other),
        };
        for shape in &mut current {
            shape.push(step);
        }
    }
    done.append(&mut current);
    done.truncate(SHAPES_MAX + 1);
    done
}

fn skip_class(signs: &mut Peekable<Chars<'_>>) {
    if signs.peek().is_some_and(|sign| matches!(sign, '!' | '^')) {
        signs.next();
    }
    // A bracket that closes at once is a member of the class.
    signs.next();
    for sign in signs.by_ref() {
        if sign == ']' {
            break;
        }
    }
}

fn product(heads: &[Shape], tails: &[Shape]) -> Vec<Shape> {
    heads
        .iter()
        .flat_map(|head| {
            tails.iter().map(move |tail| {
                let mut shape = head.clone();
                shape.extend(tail);
                shape
            })
        })
        .take(SHAPES_MAX + 1)
        .collect()
}

/// Whether some text fits both shapes: a walk over the pairs of places in them.
fn meet(one: &[Sign], other: &[Sign]) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![(0_usize, 0_usize)];
    while let Some(place) = open.pop() {
        if !seen.insert(place) {
            continue;
        }
        let (left, right) = (one.get(place.0), other.get(place.1));
        let (next_left, next_right) = ((place.0 + 1, place.1), (place.0, place.1 + 1));
        match (left, right) {
            (None, None) => return true,
            (Some(Sign::Any), Some(_)) => open.extend([next_left, next_right]),
            (Some(_), Some(Sign::Any)) => open.extend([next_right, next_left]),
            (Some(Sign::Any), None) => open.push(next_left),
            (None, Some(Sign::Any)) => open.push(next_right),
            (Some(Sign::Exactly(a)), Some(Sign::Exactly(b))) if a != b => {}
            (Some(_), Some(_)) => open.push((place.0 + 1, place.1 + 1)),
            (Some(_), None) | (None, Some(_)) => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap(one: &str, other: &str) -> bool {
        let (one, other) = (Pattern::new(one).unwrap(), Pattern::new(other).unwrap());
        assert_eq!(one.overlaps(&other), other.overlaps(&one));
        one.overlaps(&other)
    }

    #[test]
    fn patterns_overlap_where_a_name_fits_both() {
        assert!(overlap("tank1", "tank1"));
        assert!(overlap("tank*", "*.level"));
        assert!(overlap("tank?.{level,flow}", "tank1.*w"));
        assert!(overlap("*", "x"));
        assert!(overlap("a[0-9]b", "a7*"));
        assert!(!overlap("tank1", "tank2"));
        assert!(!overlap("tank*", "pump*"));
        assert!(!overlap("*.level", "*.flow"));
        assert!(!overlap("tank?", "tank10"));
        assert!(!overlap("{a,b}*", "{c,d}*"));
        assert!(overlap("{a,{b,c}}x", "c?"));
    }

    #[test]
    fn too_many_alternatives_count_as_everything() {
        let wide = "{a,b}".repeat(9);
        assert!(overlap(&wide, "zzz*"));
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_its_text() {
        assert!(Pattern::new("tank{1").unwrap_err().contains("tank{1"));
        assert!(Pattern::new(&"a".repeat(501)).is_err());
    }
}
