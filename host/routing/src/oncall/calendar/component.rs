//! `BEGIN` and `END`: from the lines of a file to its events and time zones.

use super::Refused;
use super::lines::{Line, lines};

/// Deepest nesting; alarms in events in a calendar are three.
const DEPTH_MAX: usize = 8;

/// What stands between `BEGIN` and `END`, without what is nested in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Component {
    /// In capitals: `VEVENT`, `VTIMEZONE`, `STANDARD`.
    pub(crate) name: String,
    /// Where it begins in the file.
    pub(crate) line: usize,
    pub(crate) properties: Vec<Line>,
    pub(crate) children: Vec<Self>,
}

impl Component {
    /// The first property of this name, given in capitals.
    pub(crate) fn property(&self, name: &str) -> Option<&Line> {
        self.properties.iter().find(|line| line.name == name)
    }

    /// All properties of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.properties.iter().filter(move |line| line.name == name)
    }
}

/// All that stands in the calendars of a file, and what is wrong with its form.
pub(crate) fn components(text: &str) -> (Vec<Component>, Vec<Refused>) {
    let (lines, bad) = lines(text);
    let mut refused: Vec<Refused> = bad
        .into_iter()
        .map(|(line, says)| Refused::new(line, says, "export the calendar again as .ics"))
        .collect();
    let mut found = Vec::new();
    let mut open: Vec<Component> = Vec::new();
    let mut calendars = 0;
    for line in lines {
        let ends = || line.value.trim().to_ascii_uppercase();
        match line.name.as_str() {
            "BEGIN" if open.len() >= DEPTH_MAX => {
                let says = format!("more than {DEPTH_MAX} BEGIN stand within each other");
                refused.push(Refused::new(
                    line.number,
                    says,
                    "export the calendar again as .ics",
                ));
                return (found, refused);
            }
            "BEGIN" => open.push(Component {
                name: ends(),
                line: line.number,
                ..Component::default()
            }),
            "END" => {
                let closed = open.pop().filter(|one| one.name == ends());
                match (closed, open.last_mut()) {
                    (Some(closed), None) if closed.name == "VCALENDAR" => {
                        calendars += 1;
                        found.extend(closed.children);
                    }
                    (Some(closed), Some(around)) => around.children.push(closed),
                    (Some(_), None) => {}
                    (None, _) => {
                        let says = format!("END:{} has no BEGIN", ends());
                        let hint = "export the calendar again as .ics";
                        refused.push(Refused::new(line.number, says, hint));
                        return (found, refused);
                    }
                }
            }
            _ => {
                if let Some(around) = open.last_mut() {
                    around.properties.push(line);
                }
            }
        }
    }
    if let Some(unclosed) = open.first() {
        let says = format!("BEGIN:{} has no END: the file is cut off", unclosed.name);
        let hint = "export the calendar again as .ics";
        refused.push(Refused::new(unclosed.line, says, hint));
    } else if calendars == 0 {
        let hint = "it begins with BEGIN:VCALENDAR; export the calendar as .ics";
        refused.push(Refused::new(1, "this is not an iCalendar file", hint));
    }
    (found, refused)
}
