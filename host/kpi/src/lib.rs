//! How good the alarms are: the figures of ISA-18.2 (clause 16.4) and EEMUA 191, counted from the
//! journal, for each operator group.
//!
//! [`Counting`] goes once through the lines of a period in the order of time and makes a
//! [`Report`]; [`Rolling`] keeps the figures of the last minutes beside a running host.
//! Both are pure: the journal is handed in line by line, and `now` is an argument.
//!
//! | word | meaning here |
//! |---|---|
//! | activation | a condition began to hold, whether anybody was told or not |
//! | annunciation | an alarm called for a person: raised, raised again after its re-alarm time, or freed from shelving, suppression or out of service while it still held |
//! | operator group | alarms that one operator position answers for: a value of a label, or patterns of labels |
//! | interval | ten minutes, the first begins with the period |
//! | flood | begins with more than 10 annunciations in 10 minutes, ends with fewer than 5 |
//!
//! The two counts are never mixed: targets are held against annunciations alone, and what is
//! shelved or suppressed still counts as activations.
//! A restart of the host writes no line that raises, so what stands is not counted again.
//! Tests are left out, and alarms of the host itself are a group apart.
//!
//! Memory grows with groups and conditions, never with lines; [`Counting`] states its bounds.

mod account;
mod comings;
mod condition;
mod counting;
mod figures;
mod flood;
mod groups;
mod life;
mod period;
pub mod render;
mod report;
mod rolling;
mod settings;
mod spread;
mod step;
mod tally;

pub use counting::Counting;
pub use figures::{Bound, Figure, Mark, Target};
pub use flood::{Flood, FloodWatch};
pub use groups::{KpiPlan, check};
pub use period::{Period, PeriodError, moment};
pub use report::{
    Acknowledgements, ChatteringAlarm, DayFigures, FleetingAlarm, FloodReport, FrequentAlarm,
    GroupKind, GroupReport, LeftOut, PeriodFigures, PriorityShare, Report, Silences, StaleAlarm,
    TimeInState,
};
pub use rolling::{LiveFigures, Rolling, Took};
pub use settings::{ChatteringSettings, FleetingSettings, KpiGroupSettings, KpiSettings};
pub use step::Line;

/// The zone whose days are counted, as [`Period`] takes it.
pub use jiff::tz::TimeZone;
