//! Tag lists as CSV, as engineers export them from PLC tools.
//!
//! The first line names the columns, which are the keys of `[[tags]]`: [`CSV_COLUMNS`]. Case does not
//! matter, and blanks and hyphens stand for underscores: `Byte Order` is `byte_order`. `name`,
//! `device` and `address` must be there; an empty field is a key that is not said.
//! The separator is what the first line has: `;`, else a tab, else `,`. In files with `;` or tabs a
//! decimal comma is read as a decimal point. Quotes as in RFC 4180; UTF-8, with or without byte order
//! mark. Empty lines and lines that begin with `#` are passed over.

use std::fmt;
use std::str::FromStr;

use andon_model::TagTable;

use crate::nearest::nearest;
use crate::settings::{ByteOrder, TagSettings, WordOrder};

/// The columns that are known: the keys of `[[tags]]`.
pub const CSV_COLUMNS: [&str; 14] = [
    "name",
    "device",
    "unit_id",
    "address",
    "type",
    "length",
    "scale",
    "offset",
    "unit",
    "deadband",
    "poll",
    "description",
    "byte_order",
    "word_order",
];

const REQUIRED: [&str; 3] = ["name", "device", "address"];

/// One tag of a CSV file.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvTag {
    /// Line of the file on which it begins, from 1.
    pub line: u64,
    /// What it says.
    pub settings: TagSettings,
}

/// Something that is wrong in a CSV file; stops the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvProblem {
    /// Line of the file, from 1.
    pub line: u64,
    /// The column, where it is one.
    pub column: Option<String>,
    /// What is wrong, with the value that is.
    pub says: String,
    /// What to do, where that can be told.
    pub hint: Option<String>,
}

impl fmt::Display for CsvProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.says)?;
        self.hint
            .as_ref()
            .map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

/// Reads a tag list: the tags that could be read, and every problem at once. Tags count only if
/// there is no problem.
#[must_use]
pub fn parse_csv(text: &str) -> (Vec<CsvTag>, Vec<CsvProblem>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut list = List {
        text,
        separator: separator(text),
        ..List::default()
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(list.separator)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    match reader.headers() {
        Ok(header) => list.read_header(header),
        Err(error) => list.problem(1, None, format!("the first line cannot be read: {error}")),
    }
    if !list.problems.is_empty() {
        return (list.tags, list.problems);
    }
    for record in reader.records() {
        match record {
            Ok(record) => list.read_line(&record),
            Err(error) => {
                let line = list.line_of(error.position());
                list.problem(line, None, format!("the line cannot be read: {error}"));
                break;
            }
        }
        if list.tags.len() > TagTable::TAGS_MAX || list.problems.len() >= PROBLEMS_MAX {
            let line = list.tags.last().map_or(0, |tag| tag.line);
            list.problem(
                line,
                None,
                "too many tags or problems: the rest is not read".into(),
            );
            break;
        }
    }
    (list.tags, list.problems)
}

/// A file that is of another kind has a problem on each line; nobody reads more than these.
const PROBLEMS_MAX: usize = 1000;

fn separator(text: &str) -> u8 {
    let is_content = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    let first = text.lines().find(is_content).unwrap_or_default();
    [b';', b'\t']
        .into_iter()
        .find(|separator| first.contains(char::from(*separator)))
        .unwrap_or(b',')
}

#[derive(Default)]
struct List<'t> {
    text: &'t str,
    separator: u8,
    /// The known column in each place of a line.
    columns: Vec<&'static str>,
    tags: Vec<CsvTag>,
    problems: Vec<CsvProblem>,
}

impl List<'_> {
    /// The line on which a record begins. The reader's position is before the empty lines and
    /// comments that it passes over, and before the end of a line that ends in CR LF.
    fn line_of(&self, position: Option<&csv::Position>) -> u64 {
        let Some(position) = position else { return 1 };
        let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let rest = self.text.get(start..).unwrap_or_default();
        let is_passed_over =
            |line: &&str| line.starts_with('#') || line.trim_matches(['\r', '\n']).is_empty();
        let passed_over = rest
            .split_inclusive('\n')
            .take_while(is_passed_over)
            .count();
        position.line() + passed_over as u64
    }

    fn problem(&mut self, line: u64, column: Option<&str>, says: String) {
        self.problems.push(CsvProblem {
            line,
            column: column.map(str::to_owned),
            says,
            hint: None,
        });
    }

    fn hint(&mut self, hint: String) {
        if let Some(problem) = self.problems.last_mut() {
            problem.hint = Some(hint);
        }
    }

    fn read_header(&mut self, header: &csv::StringRecord) {
        let line = self.line_of(header.position());
        for title in header {
            let key = title.to_ascii_lowercase().replace([' ', '-'], "_");
            let Some(known) = CSV_COLUMNS.into_iter().find(|column| *column == key) else {
                self.problem(line, Some(title), format!("there is no column `{title}`"));
                self.hint(match nearest(&key, CSV_COLUMNS) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => format!("the columns are {}", CSV_COLUMNS.join(", ")),
                });
                continue;
            };
            if self.columns.contains(&known) {
                self.problem(
                    line,
                    Some(title),
                    format!("column `{known}` is there twice"),
                );
            }
            self.columns.push(known);
        }
        for required in REQUIRED {
            if !self.columns.contains(&required) {
                self.problem(line, None, format!("column `{required}` is missing"));
                self.hint("the first line must name the columns".into());
            }
        }
    }

    fn read_line(&mut self, record: &csv::StringRecord) {
        let line = self.line_of(record.position());
        if record.iter().all(str::is_empty) {
            return;
        }
        if record.len() > self.columns.len() {
            let says = format!(
                "{} fields, but there are {} columns",
                record.len(),
                self.columns.len()
            );
            self.problem(line, None, says);
            self.hint("put a text that holds the separator into double quotes".into());
            return;
        }
        let before = self.problems.len();
        let mut fields = Fields {
            list: self,
            record,
            line,
        };
        let settings = TagSettings {
            name: fields.required("name"),
            device: fields.required("device"),
            address: fields.required("address"),
            unit_id: fields.parsed("unit_id", "a unit id from 0 to 255"),
            value_type: fields.read("type", FromStr::from_str),
            length: fields.parsed("length", "a number of characters"),
            scale: fields.number("scale"),
            offset: fields.number("offset"),
            unit: fields.text("unit"),
            deadband: fields.number("deadband"),
            poll: fields.text("poll"),
            description: fields.text("description"),
            byte_order: fields.read("byte_order", |text| match text {
                "big" => Ok(ByteOrder::Big),
                "little" => Ok(ByteOrder::Little),
                _ => Err(format!("`{text}` is not an order: use big or little")),
            }),
            word_order: fields.read("word_order", |text| match text {
                "big" => Ok(WordOrder::Big),
                "little" => Ok(WordOrder::Little),
                _ => Err(format!("`{text}` is not an order: use big or little")),
            }),
        };
        if self.problems.len() == before {
            self.tags.push(CsvTag { line, settings });
        }
    }
}

/// The fields of one line.
struct Fields<'a, 't> {
    list: &'a mut List<'t>,
    record: &'a csv::StringRecord,
    line: u64,
}

impl Fields<'_, '_> {
    fn text(&self, column: &str) -> Option<String> {
        let place = self
            .list
            .columns
            .iter()
            .position(|known| *known == column)?;
        let text = self.record.get(place)?;
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn required(&mut self, column: &str) -> String {
        self.text(column).unwrap_or_else(|| {
            let says = format!("a tag needs its {column}, and this field is empty");
            self.list.problem(self.line, Some(column), says);
            String::new()
        })
    }

    fn read<T>(&mut self, column: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(column)?;
        read(&text.to_ascii_lowercase())
            .map_err(|says| self.list.problem(self.line, Some(column), says))
            .ok()
    }

    fn parsed<T: FromStr>(&mut self, column: &str, what: &str) -> Option<T> {
        self.read(column, |text| {
            text.parse().map_err(|_| format!("`{text}` is not {what}"))
        })
    }

    fn number(&mut self, column: &str) -> Option<f64> {
        let takes_comma = self.list.separator != b',';
        self.read(column, |text| {
            let point = if takes_comma {
                text.replace(',', ".")
            } else {
                text.to_owned()
            };
            point
                .parse()
                .map_err(|_| format!("`{text}` is not a number"))
        })
    }
}

#[cfg(test)]
mod tests {
    use andon_model::ValueType;

    use super::*;

    fn problems(text: &str) -> Vec<String> {
        parse_csv(text).1.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_list_with_commas_and_quotes_is_read() {
        let text = "name,device,address,type,description\n\
                    # comment\n\
                    a,plc,holding:1,f32,\"level, left\"\n\n\
                    b,plc,40003,,\n";
        let (tags, problems) = parse_csv(text);
        assert_eq!(problems, []);
        assert_eq!(tags.len(), 2);
        assert_eq!((tags[0].line, tags[1].line), (3, 5));
        assert_eq!(tags[0].settings.description.as_deref(), Some("level, left"));
        assert_eq!(tags[0].settings.value_type, Some(ValueType::F32));
        assert_eq!(tags[1].settings.value_type, None);
    }

    #[test]
    fn a_list_from_a_spreadsheet_has_semicolons_and_decimal_commas() {
        let text = "\u{feff}Name;Device;Unit ID;Address;Type;Scale;Byte Order\r\na;plc;7;40001;I16;0,1;Little\r\n";
        let (tags, problems) = parse_csv(text);
        assert_eq!(problems, []);
        let tag = &tags[0].settings;
        assert_eq!(tags[0].line, 2);
        assert_eq!((tag.unit_id, tag.scale), (Some(7), Some(0.1)));
        assert_eq!(tag.byte_order, Some(ByteOrder::Little));
        assert_eq!(tag.value_type, Some(ValueType::I16));
    }

    #[test]
    fn an_unknown_column_is_refused_with_the_nearest_known() {
        assert_eq!(
            problems("name,device,adress,colour\n"),
            [
                "line 1, column adress: there is no column `adress` (did you mean `address`?)",
                &format!(
                    "line 1, column colour: there is no column `colour` (the columns are {})",
                    CSV_COLUMNS.join(", ")
                ),
                "line 1: column `address` is missing (the first line must name the columns)",
            ]
        );
    }

    #[test]
    fn every_problem_is_found_at_once_with_its_line() {
        let text = "name,device,address,type,scale,unit_id,byte_order\n\
                    a,plc,1,int,x,300,middle\n\
                    b,,2,u16\n\
                    c,plc,3,u16,1,1,big,9\n\
                    d,plc,4\n";
        assert_eq!(
            problems(text),
            [
                "line 2, column unit_id: `300` is not a unit id from 0 to 255",
                "line 2, column type: `int` is not a type: use bool, i16, u16, i32, u32, i64, u64, f32, f64 or text",
                "line 2, column scale: `x` is not a number",
                "line 2, column byte_order: `middle` is not an order: use big or little",
                "line 3, column device: a tag needs its device, and this field is empty",
                "line 4: 8 fields, but there are 7 columns (put a text that holds the separator into double quotes)",
            ]
        );
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        assert!(!problems("").is_empty());
        assert!(!problems("<html>\n<body>").is_empty());
        assert!(!problems("name,name,device,address").is_empty());
        assert!(!problems("\0\0\0").is_empty());
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        #[test]
        fn any_text_is_read_or_refused(text in "[a-z;,\"\\n\\t#é]{0,80}") {
            let header = format!("name;device;address\n{text}");
            for text in [&text, &header] {
                let (tags, problems) = parse_csv(text);
                let lines = text.lines().count() as u64 + 1;
                proptest::prop_assert!(tags.iter().all(|tag| tag.line <= lines));
                proptest::prop_assert!(problems.iter().all(|p| p.line <= lines));
            }
        }
    }
}
