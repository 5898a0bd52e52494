//! Quiet hours: times, days and zones that exist, and a gap in which messages go out.

use andon_model::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use super::{Check, nearest};
use crate::quiet::{QuietHours, WINDOWS_MAX, Window};
use crate::settings::{ContactSettings, DayName, QuietSettings};

impl Check<'_> {
    /// The quiet hours of a contact.
    pub(super) fn quiet(&mut self, path: &str, contact: &ContactSettings) -> QuietHours {
        if contact.quiet.len() > WINDOWS_MAX {
            self.error(
                format!("{path}/quiet"),
                format!(
                    "contact `{}` has {} quiet hours; at most {WINDOWS_MAX} are possible",
                    contact.name,
                    contact.quiet.len()
                ),
                Some("join those that follow one another".to_owned()),
            );
            return QuietHours::default();
        }
        let mut windows = Vec::new();
        for (index, quiet) in contact.quiet.iter().enumerate() {
            windows.extend(self.window(&format!("{path}/quiet/{index}"), quiet));
        }
        let hours = QuietHours::new(windows);
        // Which week it is does not matter for whether there is a gap at all.
        if hours.covers_all(Timestamp::EPOCH) {
            self.error(
                format!("{path}/quiet"),
                format!(
                    "the quiet hours of `{}` never end, so most messages would wait for ever",
                    contact.name
                ),
                Some("leave a gap, or give routes to this contact a higher priority".to_owned()),
            );
        }
        hours
    }

    fn window(&mut self, path: &str, quiet: &QuietSettings) -> Option<Window> {
        let from = self.time_of_day(&format!("{path}/from"), &quiet.from);
        let to = self.time_of_day(&format!("{path}/to"), &quiet.to);
        let zone = match (&quiet.time_zone, &self.settings.routing.time_zone) {
            (Some(name), _) => self.time_zone(&format!("{path}/time_zone"), name),
            (None, Some(name)) => self.time_zone("/routing/time_zone", name),
            (None, None) => {
                let hint = "set time_zone = \"Europe/Oslo\", here or for all in [routing]";
                let says = "these quiet hours have no time zone";
                self.error(path, says, Some(hint.to_owned()));
                None
            }
        };
        Some(Window {
            from: from?,
            to: to?,
            days: days(&quiet.days),
            zone: zone?,
            through: quiet.through,
        })
    }

    fn time_of_day(&mut self, path: &str, text: &str) -> Option<Time> {
        let shaped = text.len() == 5 && text.as_bytes().get(2) == Some(&b':');
        let time = shaped.then(|| text.parse().ok()).flatten();
        if time.is_none() {
            self.error(
                path,
                format!("`{}` is not a time of day", text.escape_debug()),
                Some("write hours and minutes, 00:00 to 23:59".to_owned()),
            );
        }
        time
    }

    fn time_zone(&mut self, path: &str, name: &str) -> Option<TimeZone> {
        if let Ok(zone) = TimeZone::get(name) {
            return Some(zone);
        }
        let known: Vec<String> = jiff::tz::db()
            .available()
            .map(|zone| zone.to_string())
            .collect();
        let hint = nearest(name, known.iter().map(String::as_str));
        let hint = hint
            .unwrap_or_else(|| "write the name of an IANA time zone, like Europe/Oslo".to_owned());
        let says = format!("there is no time zone `{}`", name.escape_debug());
        self.error(path, says, Some(hint));
        None
    }
}

fn days(names: &[DayName]) -> Vec<Weekday> {
    if names.is_empty() {
        return Weekday::Monday.cycle_forward().take(7).collect();
    }
    names
        .iter()
        .map(|name| match name {
            DayName::Mon => Weekday::Monday,
            DayName::Tue => Weekday::Tuesday,
            DayName::Wed => Weekday::Wednesday,
            DayName::Thu => Weekday::Thursday,
            DayName::Fri => Weekday::Friday,
            DayName::Sat => Weekday::Saturday,
            DayName::Sun => Weekday::Sunday,
        })
        .collect()
}
