//! The corpus: inputs worth keeping, each a file below `tests/fuzz/corpus`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Files of the corpus are not larger than this, bytes.
pub(super) const KEPT_BYTES: usize = 4 << 10;

/// Inputs that a corpus holds; a run keeps no further ones that are only new.
pub(super) const KEPT_FILES: usize = 400;

/// The kinds of input, and what of the page tells of them.
const KINDS: [(&str, &str); 3] = [
    ("loader", "\n## Files\n"),
    ("answer", "\n## Answers\n"),
    ("description", "\n## Descriptions\n"),
];

/// The folder of a kind.
pub(super) fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fuzz/corpus")
        .join(kind)
}

/// Its files by their names without ending, in order.
pub(super) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the corpus is there")
        .map(|entry| entry.expect("it is readable").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "bin"))
        .map(|path| {
            let name = path.file_stem().expect("it has a name").to_string_lossy();
            let input = std::fs::read(&path).expect("it is readable");
            (name.into_owned(), input)
        })
        .collect();
    files.sort();
    files
}

#[test]
fn the_page_of_the_corpus_names_what_lies_in_it() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/README.md");
    let page = std::fs::read_to_string(page).expect("it is there");
    for (kind, title) in KINDS {
        let files = files(&folder(kind));
        let of_a_run = |name: &str| name.starts_with("new-") || name.starts_with("broken-");
        let names = files.iter().map(|(name, _)| name.clone());
        let there: BTreeSet<String> = names.filter(|name| !of_a_run(name)).collect();
        let (_, rest) = page.split_once(title).expect("each kind has a part");
        let part = rest.split("\n## ").next().unwrap_or(rest);
        let rows = part.lines().filter_map(|line| line.strip_prefix("| "));
        let named = rows.filter_map(|row| Some(row.split_once(" | ")?.0.to_owned()));
        let told: BTreeSet<String> = named.filter(|name| name != "file").collect();
        assert_eq!(there, told, "{kind}");
        assert!(files.len() <= KEPT_FILES, "{kind}: {} files", files.len());
        for (name, input) in files {
            assert!(input.len() <= KEPT_BYTES, "{kind}/{name}: {}", input.len());
        }
    }
}
