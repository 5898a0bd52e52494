//! What comes back from people and providers: outcomes, receipts, replies, requests.

use andon_alarms::{Answered, Changed, Operator, OrderError, ShelveOrder, ShelveTime, Target};
use andon_model::{
    Acknowledgement, AlarmEvent, AlarmId, Delivery, DeliveryId, Incoming, JournalEntry,
    JournalKind, OccurrenceId, Outcome, Reason, Receipt, Taken, Why,
};
use andon_routing::{ReplyRequest, ReplyResult, ReplyTarget, Tally, TestScope, Wish};
use andon_sinks::courier::{CourierPolicy, settle};
use andon_web::{AlarmWish, Refusal};
use serde_json::{Value, json};

use super::draft::Draft;

impl Draft<'_> {
    /// A try to send ended.
    pub(super) fn outcome(
        &mut self,
        policy: &CourierPolicy,
        id: &DeliveryId,
        attempt: u32,
        sink_outcome: Outcome,
        jitter: f64,
    ) {
        let Some(row) = self.desk.delivery(id).cloned() else {
            tracing::warn!(delivery = %id, "an outcome came for a delivery that is no longer remembered");
            return;
        };
        let label = vec![
            ("sink".to_owned(), row.channel.sink.clone()),
            ("outcome".to_owned(), word(&sink_outcome).to_owned()),
        ];
        self.metrics.outcomes.get_or_create(&label).inc();
        tracing::info!(delivery = %id, contact = row.contact, sink = row.channel.sink, attempt, outcome = word(&sink_outcome), "delivery");
        let settled = settle(policy, &row, sink_outcome, self.now, jitter);
        let decision = self
            .desk
            .on_settled(settled.delivery, settled.give_up_channel, self.now);
        self.decision(decision);
    }

    /// Rows are about to go out.
    pub(super) fn claim(&mut self, rows: Vec<Delivery>) {
        for row in rows {
            let decision = self.desk.on_settled(row, false, self.now);
            self.decision(decision);
        }
    }

    /// A delivery report came.
    pub(super) fn receipt(&mut self, sink: &str, receipt: &Receipt) {
        let decision = self.desk.on_receipt(sink, receipt, self.now);
        self.decision(decision);
    }

    /// A message from a phone came that was not taken in before.
    pub(super) fn incoming(&mut self, sink: &str, message: &Incoming) {
        if !message.provider_id.is_empty() {
            self.commit
                .incoming
                .push((sink.to_owned(), message.provider_id.clone()));
        }
        let mut given = None;
        let book = &mut *self.book;
        let heard = self.desk.on_incoming(
            sink,
            message,
            || *given.insert(book.next_occurrence()),
            self.now,
        );
        self.number(given);
        self.decision(heard.decision);
        if let Some(request) = heard.request {
            self.reply(&request);
        }
    }

    /// Does what a contact wants of an alarm, and owes the answer.
    fn reply(&mut self, request: &ReplyRequest) {
        let target = match &request.target {
            ReplyTarget::Code(code) => Target::Code(code.clone()),
            ReplyTarget::Newest { occurrence, .. } => Target::Occurrence(*occurrence),
        };
        let result = self.grant(&request.wish, &target, &request.contact, "sms");
        let mut given = None;
        let book = &mut *self.book;
        let decision = self.desk.answer(
            request,
            &result,
            || *given.insert(book.next_occurrence()),
            self.now,
        );
        self.number(given);
        self.decision(decision);
    }

    /// Does what a person wants of an alarm.
    fn grant(&mut self, wish: &Wish, target: &Target, by: &str, how: &str) -> ReplyResult {
        let acknowledgement = Acknowledgement {
            by: by.to_owned(),
            at: self.now,
            how: how.to_owned(),
        };
        let taken = Taken {
            by: by.to_owned(),
            at: self.now,
            how: how.to_owned(),
        };
        let answered = match wish {
            Wish::Acknowledge => return self.recognise(target, acknowledgement),
            Wish::Take => return self.take(target, taken, acknowledgement),
            Wish::Escalate => match self.book.standing_of(target) {
                Some(record) if !self.desk.can_escalate(record.occurrence) => {
                    Answered::Already(Box::new(record.clone()))
                }
                Some(_) | None => self.book.escalate(target, &taken),
            },
            Wish::Shelve { time, reason } => {
                let order = ShelveOrder {
                    target: target.clone(),
                    time: ShelveTime::For(*time),
                    reason: reason.clone(),
                    priority: None,
                    by: self.operator(by, how),
                };
                let shelved = self.book.shelve(order);
                return self.ordered(shelved);
            }
            Wish::Unshelve => {
                let unshelved = self.book.unshelve(target, &self.operator(by, how));
                return self.ordered(unshelved);
            }
        };
        self.granted(answered)
    }

    /// Acknowledges an alarm, or counts it where more people have to.
    fn recognise(&mut self, target: &Target, by: Acknowledgement) -> ReplyResult {
        let waiting = self.book.standing_of(target).cloned();
        let waiting = waiting.filter(|record| record.state.is_unacknowledged());
        if let Some(record) = waiting.map(Box::new) {
            let (tally, decision) = self.desk.count_acknowledgement(&record, &by, self.now);
            self.decision(decision);
            let (have, need, repeated) = match tally {
                Tally::Enough => {
                    let answered = self.book.acknowledge(target, by);
                    return self.granted(answered);
                }
                Tally::Counted { have, need } => (have, need, false),
                Tally::Repeated { have, need } => (have, need, true),
            };
            return ReplyResult::Counted {
                record,
                have,
                need,
                repeated,
            };
        }
        let answered = self.book.acknowledge(target, by);
        self.granted(answered)
    }

    /// Lets a person take an alarm. Who takes it has recognised it, so it is acknowledged too.
    fn take(&mut self, target: &Target, by: Taken, recognised: Acknowledgement) -> ReplyResult {
        let taken = self.book.take(target, by);
        let waits = self
            .book
            .standing_of(target)
            .is_some_and(|record| record.state.is_unacknowledged());
        let taken = self.granted(taken);
        if !waits {
            return taken;
        }
        match self.recognise(target, recognised) {
            done @ ReplyResult::Done(_) => done,
            ReplyResult::Counted { .. }
            | ReplyResult::Already(_)
            | ReplyResult::Over { .. }
            | ReplyResult::Unknown
            | ReplyResult::Refused(_) => taken,
        }
    }

    /// Records what the alarm book did.
    fn granted(&mut self, answered: Answered) -> ReplyResult {
        match answered {
            Answered::Done(event) => {
                self.events(std::slice::from_ref(&*event), None);
                let AlarmEvent { record, .. } = *event;
                ReplyResult::Done(Box::new(record))
            }
            Answered::Already(record) => ReplyResult::Already(record),
            Answered::Over { record, again } => ReplyResult::Over { record, again },
            Answered::Unknown => ReplyResult::Unknown,
        }
    }

    fn operator(&self, by: &str, how: &str) -> Operator {
        Operator {
            name: by.to_owned(),
            at: self.now,
            how: how.to_owned(),
        }
    }

    /// What came of a silence that a person ordered.
    fn ordered(&mut self, order: Result<Changed, OrderError>) -> ReplyResult {
        let changed = match order {
            Ok(changed) => changed,
            Err(refused) => return ReplyResult::Refused(refused.to_string()),
        };
        self.events(changed.event.as_slice(), None);
        let stands = changed.event.map(|event| event.record);
        // Of a condition that is normal the last alarm is told.
        let record = stands.or_else(|| self.book.latest(&changed.id));
        record.map_or(ReplyResult::Unknown, |record| {
            ReplyResult::Done(Box::new(record))
        })
    }

    /// A number that was given stays given over a restart.
    pub(super) fn number(&mut self, given: Option<OccurrenceId>) {
        self.commit.last_occurrence = self.commit.last_occurrence.max(given);
    }

    /// Acknowledges for a person at the command line. What could be a code is looked up as one
    /// first, then as a number.
    pub(super) fn acknowledge(&mut self, alarm: &str, by: &str) -> Result<Value, Refusal> {
        let by = Acknowledgement {
            by: by.to_owned(),
            at: self.now,
            how: "command line".into(),
        };
        for target in targets(alarm) {
            match self.recognise(&target, by.clone()) {
                ReplyResult::Done(record) => {
                    return Ok(json!({ "result": "acknowledged", "alarm": record }));
                }
                ReplyResult::Counted {
                    record, have, need, ..
                } => {
                    return Ok(json!({
                        "result": format!("acknowledged by {have} of {need}"),
                        "have": have, "need": need, "alarm": record,
                    }));
                }
                ReplyResult::Already(record) => {
                    return Ok(json!({ "result": "already acknowledged", "alarm": record }));
                }
                ReplyResult::Over { record, again } => {
                    return Ok(
                        json!({ "result": "already over", "alarm": record, "again": again }),
                    );
                }
                ReplyResult::Unknown | ReplyResult::Refused(_) => {}
            }
        }
        Err(Refusal::new(format!(
            "no alarm is called `{alarm}`: `andon alarms` lists those that stand"
        )))
    }

    /// Does what a person wants of an alarm by the API.
    pub(super) fn wish(&mut self, asked: &andon_web::Wish) -> Result<Value, Refusal> {
        let andon_web::Wish { alarm, by, how, .. } = asked;
        let wish = match asked.wish {
            AlarmWish::Acknowledge => Wish::Acknowledge,
            AlarmWish::Take => Wish::Take,
            AlarmWish::Escalate => Wish::Escalate,
        };
        let condition = alarm.split_once('/');
        let condition = condition.map(|(instance, key)| Target::Alarm(AlarmId::new(instance, key)));
        for target in targets(alarm).into_iter().chain(condition) {
            let (result, record, again) = match self.grant(&wish, &target, by, how) {
                ReplyResult::Done(record) => ("done", record, None),
                ReplyResult::Already(record) => ("already", record, None),
                ReplyResult::Counted { record, .. } => ("counted", record, None),
                ReplyResult::Over { record, again } => ("over", record, again),
                ReplyResult::Refused(says) => return Err(Refusal::new(says)),
                ReplyResult::Unknown => continue,
            };
            return Ok(json!({ "result": result, "alarm": record, "again": again }));
        }
        Err(Refusal::unknown(format!(
            "no alarm is called `{alarm}`: give the code or number of one that stands, or INSTANCE/KEY"
        )))
    }

    /// Journals a line as it is, but with the time of now.
    pub(super) fn note(&mut self, line: JournalEntry) -> Result<Value, Refusal> {
        let at = self.now;
        self.commit.journal.push(JournalEntry { at, ..line });
        Ok(Value::Null)
    }

    /// Owes a test message.
    pub(super) fn send_test(
        &mut self,
        contact: &str,
        every_channel: bool,
    ) -> Result<Value, Refusal> {
        let scope = if every_channel {
            TestScope::EachChannel
        } else {
            TestScope::AsAlarm
        };
        let number = self.book.next_occurrence();
        let decision = self
            .desk
            .test_message(contact, scope, number, self.now)
            .map_err(|error| Refusal::new(error.to_string()))?;
        self.number(Some(number));
        let ids: Vec<String> = decision
            .deliveries
            .iter()
            .map(|row| row.id.to_string())
            .collect();
        self.decision(decision);
        Ok(json!({ "occurrence": number, "deliveries": ids }))
    }

    /// Journals that a person did something.
    pub(super) fn journal_operator(
        &mut self,
        subject: &str,
        event: &str,
        detail: String,
        data: Value,
    ) {
        self.commit.journal.push(JournalEntry {
            at: self.now,
            kind: JournalKind::Operator,
            occurrence: None,
            subject: subject.to_owned(),
            event: event.to_owned(),
            why: Why::new(Reason::OperatorAsked, detail),
            data,
        });
    }
}

/// What a person may mean: a short code, or the number of an occurrence.
pub(super) fn targets(alarm: &str) -> Vec<Target> {
    let code = alarm.parse().ok().map(Target::Code);
    let number = alarm.trim_start_matches('#').parse().ok();
    code.into_iter()
        .chain(number.map(|number| Target::Occurrence(OccurrenceId(number))))
        .collect()
}

const fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Sent { .. } => "sent",
        Outcome::Retry { .. } => "retry",
        Outcome::Dead { .. } => "dead",
        Outcome::SinkFailed { .. } => "sink failed",
        Outcome::Expired { .. } => "expired",
        Outcome::Unknown { .. } => "unknown",
    }
}
