//! What a command prints, kept within bounds: the beginning, where a compiler tells the first error,
//! and the end.

use std::collections::VecDeque;
use std::io::{self, Read};

/// Bytes that are kept of the beginning, and as many of the end.
const KEPT_BYTES: usize = 32 << 10;
/// Lines that are shown of the beginning.
const FIRST_LINES: usize = 40;
/// Lines that are shown of the end.
const LAST_LINES: usize = 20;

/// Reads all that a command prints and gives what is worth showing.
pub(crate) fn read(mut from: impl Read) -> io::Result<String> {
    let mut first: Vec<u8> = Vec::new();
    let mut last: VecDeque<u8> = VecDeque::new();
    let mut buffer = [0; 8 << 10];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = buffer.get(..count).unwrap_or_default();
        let (head, tail) = piece.split_at(piece.len().min(KEPT_BYTES - first.len()));
        first.extend(head);
        last.extend(tail);
        last.drain(..last.len().saturating_sub(KEPT_BYTES));
    }
    // Where nothing was lost between them, the end goes on where the beginning stops.
    first.extend(last);
    Ok(shorten(&String::from_utf8_lossy(&first)))
}

fn shorten(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let left_out = lines.len().saturating_sub(FIRST_LINES + LAST_LINES);
    if left_out == 0 {
        return lines.join("\n");
    }
    let first = lines.iter().take(FIRST_LINES).copied();
    let last = lines.iter().skip(FIRST_LINES + left_out).copied();
    let between = format!("… {left_out} lines …");
    let shown: Vec<&str> = first.chain([between.as_str()]).chain(last).collect();
    shown.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_output_is_kept_whole() {
        assert_eq!(read(&b"one\ntwo\n"[..]).expect("it is read"), "one\ntwo");
    }

    #[test]
    fn a_long_output_keeps_its_beginning_and_its_end() {
        let text: String = (1..=1000).map(|line| format!("line {line}\n")).collect();
        let kept = read(text.as_bytes()).expect("it is read");
        assert!(kept.starts_with("line 1\n") && kept.ends_with("line 1000"));
        assert!(kept.contains("… 940 lines …"), "{kept}");
    }

    #[test]
    fn an_endless_line_is_bounded() {
        let kept = read(vec![b'x'; 1 << 20].as_slice()).expect("it is read");
        assert_eq!(kept.len(), 2 * KEPT_BYTES);
    }
}
