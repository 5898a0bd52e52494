//! Who is on call, as plain data and on the page.

use andon_model::Timestamp;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

/// What a schedule says at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnCallView {
    /// Name in the settings.
    pub schedule: String,
    /// Time zone of the local times.
    pub time_zone: String,
    /// The moment that was asked for.
    pub at: Timestamp,
    /// The same by the clock of the schedule.
    pub at_local: String,
    /// Who is on call at that moment; empty for nobody.
    pub on_call: Vec<DutyView>,
    /// When other people are on call after that, in order.
    pub coming: Vec<ComingView>,
}

/// Somebody on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DutyView {
    /// Name of the contact.
    pub contact: String,
    /// What says so: a rotation, an override or an event.
    pub by: String,
    /// When the shift began.
    pub since: Timestamp,
    /// When the shift ends, unless something of a higher rank comes first.
    pub until: Timestamp,
    /// The same by the clock of the schedule.
    pub until_local: String,
}

/// A handover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComingView {
    /// When.
    pub from: Timestamp,
    /// The same by the clock of the schedule.
    pub from_local: String,
    /// Who is on call from then on; empty for nobody.
    pub on_call: Vec<DutyView>,
}

/// The part of the page that is about schedules; nothing where there are none.
pub(crate) fn section(schedules: &[OnCallView]) -> Markup {
    html! {
        @if !schedules.is_empty() {
            h2 { "On call" }
            table {
                tr { th { "Schedule" } th { "Who" } th { "Next" } }
                @for one in schedules {
                    tr {
                        td { (one.schedule) br; span.quiet { (one.at_local) " " (one.time_zone) } }
                        td { (people(&one.on_call)) }
                        td { @if let Some(next) = one.coming.first() {
                            (next.from_local) ": " (people(&next.on_call)) } }
                    }
                }
            }
        }
    }
}

fn people(on_call: &[DutyView]) -> Markup {
    html! {
        @if on_call.is_empty() { span.down { "nobody" } }
        @for (place, one) in on_call.iter().enumerate() {
            @if place > 0 { br; }
            (one.contact) " " span.quiet { "until " (one.until_local) ", " (one.by) }
        }
    }
}
