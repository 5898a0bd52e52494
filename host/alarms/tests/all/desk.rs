//! A book with a clock, as short words for the tests.

use std::time::Duration;

use andon_alarms::{
    AcknowledgementNeed, AlarmBook, AlarmLimits, AlarmPolicy, Answered, Applied, Changed, Operator,
    OrderError, OutOrder, ResetNeed, ShelveOrder, ShelveTime, Source, Target,
};
use andon_model::{
    Acknowledgement, Action, AlarmEvent, AlarmId, AlarmRecord, AlarmRequest, Commit, Labels,
    OccurrenceId, Origin, Priority, StageRow, Timestamp,
};

pub(crate) struct Desk {
    pub(crate) book: AlarmBook,
    pub(crate) now: Timestamp,
    pub(crate) labels: Labels,
    pub(crate) need: AcknowledgementNeed,
    pub(crate) reset: ResetNeed,
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
            reset: ResetNeed::NotNeeded,
            origin: Origin::Device,
        }
    }

    pub(crate) fn apply(&mut self, instance: &str, actions: Vec<Action>) -> Applied {
        self.now = self.now.plus(Duration::from_secs(1));
        let source = Source {
            instance,
            labels: &self.labels,
            acknowledgement: self.need,
            reset: self.reset,
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
        self.now = self.now.plus(Duration::from_secs(1));
        Acknowledgement {
            by: by.to_owned(),
            at: self.now,
            how: "sms".to_owned(),
        }
    }

    /// The person `name` at the command line, a second later.
    pub(crate) fn operator(&mut self, name: &str) -> Operator {
        self.now = self.now.plus(Duration::from_secs(1));
        Operator {
            name: name.to_owned(),
            at: self.now,
            how: "command line".to_owned(),
        }
    }

    /// Ola shelves an alarm, because of the pump.
    pub(crate) fn shelve(
        &mut self,
        target: Target,
        time: ShelveTime,
    ) -> Result<Changed, OrderError> {
        let by = self.operator("ola");
        self.book.shelve(ShelveOrder {
            target,
            time,
            reason: "the pump is being replaced".to_owned(),
            priority: None,
            by,
        })
    }

    /// Ola takes an alarm out of service.
    pub(crate) fn take_out(
        &mut self,
        target: Target,
        back_in: Option<Duration>,
    ) -> Result<Changed, OrderError> {
        let by = self.operator("ola");
        self.book.take_out_of_service(OutOrder {
            target,
            reason: "new sensor".to_owned(),
            back_by: back_in.map(|time| by.at.plus(time)),
            by,
        })
    }

    /// What happens by time alone, until this much later.
    pub(crate) fn wait(&mut self, time: Duration) -> Vec<AlarmEvent> {
        let until = self.now.plus(time);
        let mut events = Vec::new();
        while let Some(at) = self.book.next_wake().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            events.extend(self.book.on_time(self.now));
        }
        self.now = until;
        events
    }

    /// Everything that the book would commit now.
    pub(crate) fn commit(&mut self, events: &[AlarmEvent]) -> Commit {
        let mut commit = Commit::default();
        self.book.record(events, &mut commit);
        commit
    }

    /// A new book from the records that stand and these rows.
    pub(crate) fn restart(&mut self, rows: &[StageRow], policy: AlarmPolicy) {
        let stored = self.book.standing().cloned().collect();
        let last = self.book.last_occurrence();
        self.book = AlarmBook::restore(stored, last, AlarmLimits::default());
        assert_eq!(self.book.restore_rows(rows, policy), Vec::<String>::new());
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

pub(crate) fn high() -> AlarmId {
    AlarmId::new("tanks", "high")
}

pub(crate) const fn hours(count: u64) -> Duration {
    Duration::from_secs(count * 3_600)
}

pub(crate) const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

pub(crate) fn clear() -> Action {
    Action::Clear("high".to_owned())
}
