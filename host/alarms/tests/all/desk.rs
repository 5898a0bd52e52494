//! A book with a clock, as short words for the tests.

use andon_alarms::{
    AcknowledgementNeed, AlarmBook, AlarmLimits, Answered, Applied, Source, Target,
};
use andon_model::{
    Acknowledgement, Action, AlarmEvent, AlarmId, AlarmRecord, AlarmRequest, Labels, OccurrenceId,
    Origin, Priority, Timestamp,
};

pub(crate) struct Desk {
    pub(crate) book: AlarmBook,
    pub(crate) now: Timestamp,
    pub(crate) labels: Labels,
    pub(crate) need: AcknowledgementNeed,
    pub(crate) origin: Origin,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with_limits(AlarmLimits::default())
    }

    pub(crate) fn with_limits(limits: AlarmLimits) -> Self {
        Self {
            book: AlarmBook::restore(Vec::new(), OccurrenceId(0), limits),
            now: Timestamp::from_secs(1_000),
            labels: Labels::new(),
            need: AcknowledgementNeed::Needed,
            origin: Origin::Device,
        }
    }

    pub(crate) fn apply(&mut self, instance: &str, actions: Vec<Action>) -> Applied {
        self.now = self.now.plus(std::time::Duration::from_secs(1));
        let source = Source {
            instance,
            labels: &self.labels,
            acknowledgement: self.need,
            origin: self.origin,
        };
        self.book.apply(self.now, &source, actions)
    }

    /// Applies one action of rule `tanks` and gives its only event.
    pub(crate) fn event(&mut self, action: Action) -> AlarmEvent {
        let mut events = self.apply("tanks", vec![action]).events;
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }

    /// Applies one action of rule `tanks` that must change nothing.
    pub(crate) fn nothing(&mut self, action: Action) {
        assert_eq!(self.apply("tanks", vec![action]), Applied::default());
    }

    pub(crate) fn acknowledge(&mut self, target: &Target, by: &str) -> Answered {
        let by = self.by(by);
        self.book.acknowledge(target, by)
    }

    pub(crate) fn by(&mut self, by: &str) -> Acknowledgement {
        self.now = self.now.plus(std::time::Duration::from_secs(1));
        Acknowledgement {
            by: by.to_owned(),
            at: self.now,
            how: "sms".to_owned(),
        }
    }

    pub(crate) fn high(&self) -> Option<&AlarmRecord> {
        self.book.get(&AlarmId::new("tanks", "high"))
    }
}

pub(crate) fn request(key: &str, message: &str) -> AlarmRequest {
    AlarmRequest {
        key: key.to_owned(),
        priority: Priority::High,
        message: message.to_owned(),
        attributes: Vec::new(),
    }
}

pub(crate) fn raise(message: &str) -> Action {
    Action::Raise(request("high", message))
}

pub(crate) fn clear() -> Action {
    Action::Clear("high".to_owned())
}
