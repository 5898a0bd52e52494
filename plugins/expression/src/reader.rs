//! Reads an expression as people write it and writes it as the engine reads it.
//!
//! Only what is listed here gets through to the engine: numbers, texts, names of inputs, a few
//! functions and operators. Whole numbers become floats, so that `1 / 2` is a half. `and`, `or` and
//! `not` become `&&`, `||` and `!`; `not` takes a whole comparison, as people mean it. Each character
//! of the result knows where it came from, so that errors point into the text that was written.

use std::iter::Peekable;
use std::str::{CharIndices, FromStr};
use std::time::Duration;

use andon_plugin::DurationText;

use crate::names::{Names, is_name_letter, listed};

/// Functions of numbers that an expression may use.
pub(crate) const FUNCTIONS: [&str; 8] = [
    "abs", "min", "max", "round", "floor", "ceiling", "sqrt", "sign",
];

/// Operators, longest first.
const OPERATORS: [&str; 14] = [
    "**", "<=", ">=", "==", "!=", "&&", "||", "<", ">", "+", "-", "*", "/", "%",
];

/// A mistake in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Counted in characters from 1.
    pub(crate) column: usize,
    pub(crate) says: String,
}

/// An expression, read.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// As the engine reads it.
    pub(crate) script: String,
    /// The column in the text, by character of the script.
    columns: Vec<usize>,
    /// Places of the inputs that are used, in the order of their first use, with their names.
    pub(crate) used: Vec<(usize, String)>,
    /// Of `for 30s`.
    pub(crate) delay: Option<Duration>,
    /// The text before `for`.
    pub(crate) condition: String,
}

impl Reading {
    /// The column of the text that a column of the script (both from 1) came from.
    pub(crate) fn column(&self, script_column: usize) -> usize {
        let place = script_column.saturating_sub(1);
        let last = self.columns.last().copied().unwrap_or(1);
        self.columns.get(place).copied().unwrap_or(last)
    }

    fn push(&mut self, text: &str, column: usize) {
        self.script.push_str(text);
        self.columns.extend(text.chars().map(|_| column));
    }
}

/// Name under which the engine knows an input.
pub(crate) fn variable(place: usize) -> String {
    format!("v{place}")
}

/// Reads an expression.
pub(crate) fn read(text: &str, names: &Names) -> Result<Reading, Mistake> {
    let mut reader = Reader {
        text,
        letters: text.char_indices().peekable(),
        column: 0,
        open: vec![Vec::new()],
        parentheses: Vec::new(),
        out: Reading::default(),
    };
    reader.out.condition = text.trim().to_owned();
    while reader.step(names)? {}
    reader.close_nots();
    if let Some(column) = reader.parentheses.last() {
        return Reader::mistake(*column, "this `(` is never closed");
    }
    Ok(reader.out)
}

struct Reader<'a> {
    text: &'a str,
    letters: Peekable<CharIndices<'a>>,
    /// Column of the letter that was taken last, from 1.
    column: usize,
    /// By open parenthesis: columns of the `not`s that reach on.
    open: Vec<Vec<usize>>,
    /// Columns of the parentheses that are open.
    parentheses: Vec<usize>,
    out: Reading,
}

impl<'a> Reader<'a> {
    fn take(&mut self) -> Option<(usize, char)> {
        let next = self.letters.next();
        self.column += usize::from(next.is_some());
        next
    }

    fn rest(&mut self) -> &'a str {
        let at = self.letters.peek().map_or(self.text.len(), |(at, _)| *at);
        self.text.get(at..).unwrap_or_default()
    }

    fn skip(&mut self, letters: usize) {
        for _ in 0..letters {
            self.take();
        }
    }

    fn mistake<T>(column: usize, says: impl Into<String>) -> Result<T, Mistake> {
        Err(Mistake {
            column,
            says: says.into(),
        })
    }

    /// Reads one word or sign; answers whether there was one.
    fn step(&mut self, names: &Names) -> Result<bool, Mistake> {
        let Some((_, letter)) = self.letters.peek().copied() else {
            return Ok(false);
        };
        let column = self.column + 1;
        match letter {
            _ if letter.is_whitespace() => {
                self.skip(1);
                self.out.push(" ", column);
            }
            '0'..='9' => self.number(column)?,
            '"' | '\'' => self.quoted(letter, column)?,
            '(' => {
                self.skip(1);
                self.open.push(Vec::new());
                self.parentheses.push(column);
                self.out.push("(", column);
            }
            ')' => self.close(column)?,
            ',' => {
                self.skip(1);
                self.close_nots();
                self.out.push(",", column);
            }
            _ if is_name_letter(letter) => self.word(column, names)?,
            _ => self.operator(letter, column)?,
        }
        Ok(true)
    }

    fn number(&mut self, column: usize) -> Result<(), Mistake> {
        let rest = self.rest();
        let mut length = digits(rest);
        let tail = |length: usize| rest.get(length..).unwrap_or_default();
        if let Some(fraction) = tail(length).strip_prefix('.') {
            length += 1 + digits(fraction);
        }
        if let Some(exponent) = tail(length).strip_prefix(['e', 'E']) {
            let signed = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits(signed) > 0 {
                length += 1 + (exponent.len() - signed.len()) + digits(signed);
            }
        }
        let written = rest.get(..length).unwrap_or_default();
        let stray = tail(length).starts_with(|next: char| is_name_letter(next) || next == '.');
        let value = f64::from_str(written)
            .ok()
            .filter(|value| value.is_finite());
        let (Some(value), false) = (value, stray) else {
            let word = rest.split(|c: char| !is_name_letter(c) && c != '.').next();
            let word = word.unwrap_or(written);
            return Self::mistake(column, format!("`{word}` is not a number"));
        };
        self.skip(length);
        // Debug always writes a point or an exponent, so the engine reads a float.
        self.out.push(&format!("{value:?}"), column);
        Ok(())
    }

    fn quoted(&mut self, quote: char, column: usize) -> Result<(), Mistake> {
        self.skip(1);
        self.out.push("\"", column);
        while let Some((_, letter)) = self.take() {
            let at = self.column;
            match letter {
                _ if letter == quote => {
                    self.out.push("\"", at);
                    return Ok(());
                }
                '"' => self.out.push("\\\"", at),
                '\\' => self.out.push("\\\\", at),
                _ if letter.is_control() => {
                    return Self::mistake(at, "a text in quotes cannot hold a line break or a tab");
                }
                _ => self.out.push(letter.encode_utf8(&mut [0; 4]), at),
            }
        }
        Self::mistake(column, format!("the text has no {quote} at its end"))
    }

    fn close(&mut self, column: usize) -> Result<(), Mistake> {
        if self.open.len() < 2 {
            return Self::mistake(column, "this `)` was never opened");
        }
        self.skip(1);
        self.close_nots();
        self.open.pop();
        self.parentheses.pop();
        self.out.push(")", column);
        Ok(())
    }

    /// Ends the `not`s of this parenthesis: they reach to the next `and`, `or`, comma or end.
    fn close_nots(&mut self) {
        let nots = self.open.last_mut().map(std::mem::take).unwrap_or_default();
        for column in nots {
            self.out.push(")", column);
        }
    }

    fn word(&mut self, column: usize, names: &Names) -> Result<(), Mistake> {
        let rest = self.rest();
        let length = word_length(rest);
        let (word, tail) = rest.split_at(length);
        self.skip(length);
        match word.to_ascii_lowercase().as_str() {
            "and" => self.join("&&", column),
            "or" => self.join("||", column),
            "not" => self.not(column),
            "for" => return self.delay(column, tail),
            constant @ ("true" | "false") => self.out.push(constant, column),
            _ if tail.trim_start().starts_with('(') => {
                if !FUNCTIONS.contains(&word) {
                    let says = format!(
                        "there is no function `{word}`; there are {}",
                        listed(FUNCTIONS)
                    );
                    return Self::mistake(column, says);
                }
                self.out.push(word, column);
            }
            _ => {
                let place = names
                    .place(word)
                    .or_else(|says| Self::mistake(column, says))?;
                if self.out.used.iter().all(|(used, _)| *used != place) {
                    self.out.used.push((place, word.to_owned()));
                }
                self.out.push(&variable(place), column);
            }
        }
        Ok(())
    }

    fn join(&mut self, operator: &str, column: usize) {
        self.close_nots();
        self.out.push(operator, column);
    }

    fn not(&mut self, column: usize) {
        self.out.push("!(", column);
        if let Some(nots) = self.open.last_mut() {
            nots.push(column);
        }
    }

    fn delay(&mut self, column: usize, tail: &str) -> Result<(), Mistake> {
        if self.open.len() > 1 {
            return Self::mistake(column, "`for` stands at the end, outside of parentheses");
        }
        let delay = DurationText::from_str(tail.trim())
            .or_else(|says| Self::mistake(column, format!("after `for`: {says}")))?;
        self.out.delay = Some(delay.0);
        let before: String = self.text.chars().take(column - 1).collect();
        self.out.condition = before.trim().to_owned();
        self.skip(tail.chars().count());
        Ok(())
    }

    fn operator(&mut self, letter: char, column: usize) -> Result<(), Mistake> {
        let rest = self.rest();
        if let Some(operator) = OPERATORS.iter().find(|known| rest.starts_with(**known)) {
            self.skip(operator.len());
            if matches!(*operator, "&&" | "||") {
                self.join(operator, column);
            } else {
                self.out.push(operator, column);
            }
            return Ok(());
        }
        match letter {
            '!' => {
                self.skip(1);
                self.out.push("!", column);
                Ok(())
            }
            '=' => Self::mistake(column, "write `==` to compare"),
            _ => Self::mistake(column, format!("`{letter}` means nothing here")),
        }
    }
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// Length of a name or the name of a tag: parts of letters, joined by points.
fn word_length(text: &str) -> usize {
    let mut length = 0;
    for part in text.split('.') {
        let letters = part
            .chars()
            .take_while(|letter| is_name_letter(*letter))
            .count();
        if letters == 0 {
            break;
        }
        length += letters + usize::from(length > 0);
        if letters < part.len() {
            break;
        }
    }
    length
}
