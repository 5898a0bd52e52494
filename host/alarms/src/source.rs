//! Who speaks to the book: a rule instance with its settings, or the host itself.

use andon_model::{AlarmId, InstancePlan, Labels, Origin};

/// Whether an alarm that returned to normal waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AcknowledgementNeed {
    /// B goes to D on clear, and only a person ends it.
    #[default]
    Needed,
    /// B goes to A on clear.
    NotNeeded,
}

/// Whether an alarm that returned to normal waits for a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResetNeed {
    /// A person must reset it once it is back to normal and acknowledged: it latches.
    Needed,
    /// It is over by itself.
    #[default]
    NotNeeded,
}

/// The instance whose actions are applied, with the settings that bear on its alarms.
///
/// The settings of the moment count: an alarm that was raised while an acknowledgement was needed
/// clears to A once the settings say that none is.
#[derive(Debug, Clone, PartialEq)]
pub struct Source<'a> {
    /// Name of the instance.
    pub instance: &'a str,
    /// Labels from its settings; they win over a rule's attributes.
    pub labels: &'a Labels,
    /// Whether its alarms wait for a person.
    pub acknowledgement: AcknowledgementNeed,
    /// Whether its alarms latch.
    pub reset: ResetNeed,
    /// Where the samples came from: alarms from a test are marked.
    pub origin: Origin,
}

static NO_LABELS: Labels = Labels::new();

impl<'a> Source<'a> {
    /// The source that a planned instance is.
    #[must_use]
    pub fn of(plan: &'a InstancePlan, origin: Origin) -> Self {
        Self {
            instance: &plan.name,
            labels: &plan.labels,
            acknowledgement: if plan.needs_acknowledgement {
                AcknowledgementNeed::Needed
            } else {
                AcknowledgementNeed::NotNeeded
            },
            reset: if plan.latching {
                ResetNeed::Needed
            } else {
                ResetNeed::NotNeeded
            },
            origin,
        }
    }

    /// The host itself, which no limit of [`crate::AlarmLimits`] binds: it raises a few alarms for
    /// each device, plugin and sink at most.
    #[must_use]
    pub fn host() -> Source<'static> {
        Source {
            instance: AlarmId::HOST,
            labels: &NO_LABELS,
            acknowledgement: AcknowledgementNeed::Needed,
            reset: ResetNeed::NotNeeded,
            origin: Origin::Device,
        }
    }

    /// Most attributes of one request that become labels.
    pub const ATTRIBUTES_MAX: usize = 64;

    /// Labels of an alarm: the rule's attributes, over them the settings' labels, over them
    /// `instance`, which nobody can forge. The priority is a field of the record, not a label.
    ///
    /// Attributes above [`Source::ATTRIBUTES_MAX`] are left out, and label `attributes-left-out`
    /// says how many.
    pub(crate) fn labels_with(&self, attributes: Vec<(String, String)>) -> Labels {
        let left_out = attributes.len().saturating_sub(Self::ATTRIBUTES_MAX);
        let mut labels: Labels = attributes
            .into_iter()
            .take(Self::ATTRIBUTES_MAX)
            .filter(|(name, _)| !name.is_empty())
            .collect();
        if left_out > 0 {
            labels.insert("attributes-left-out".to_owned(), left_out.to_string());
        }
        labels.extend(
            self.labels
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        labels.insert("instance".to_owned(), self.instance.to_owned());
        labels
    }
}
