//! Who is on call, as the API tells it.

use andon_model::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn rfc_3339<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

/// What a schedule says.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Schedule {
    /// Name in the settings.
    schedule: String,
    /// Time zone of the local times.
    time_zone: String,
    /// The moment that was asked for.
    #[serde(serialize_with = "rfc_3339")]
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The same by the clock of the schedule.
    at_local: String,
    /// Who is on call at that moment; empty for nobody.
    on_call: Vec<Duty>,
    /// When other people are on call after that, in order.
    coming: Vec<Handover>,
}

/// Somebody on call.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Duty {
    /// Name of the contact.
    contact: String,
    /// What says so: a rotation, an override or an event.
    by: String,
    /// When the shift began.
    #[serde(serialize_with = "rfc_3339")]
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// When the shift ends, unless something of a higher rank comes first.
    #[serde(serialize_with = "rfc_3339")]
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// The same by the clock of the schedule.
    until_local: String,
}

/// A handover.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Handover {
    /// When.
    #[serde(serialize_with = "rfc_3339")]
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// The same by the clock of the schedule.
    from_local: String,
    /// Who is on call from then on; empty for nobody.
    on_call: Vec<Duty>,
}
