//! Messages from phones: who asks, for what, and what they are answered.
//!
//! Only a contact's own number is listened to. Anybody else learns nothing, not even that there is
//! a host. Alphanumeric senders and short numbers are no numbers in E.164 and so never a contact's.
//! Answers are counted per number, so that two machines cannot keep each other talking.
//!
//! A repeated message (the same provider's id) is recognised by the store before it comes here.

mod grammar;
mod words;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use andon_model::{
    AlarmRecord, Channel, DeliveryKind, Incoming, OccurrenceId, PhoneNumber, Priority, Reason,
    ShortCode, Timestamp, Why,
};
use serde_json::json;

use crate::desk::{Decision, Desk, NewDelivery, new_delivery};
use crate::journal;
use crate::limits::{
    ANSWER_EXPIRY, ANSWERS_MAX, PUZZLED_ANSWERS_MAX, REPLY_WINDOW, STRANGER_LINES_MAX,
};
use crate::text;

pub use grammar::Wish;
use grammar::{Meaning, meaning};

/// What a message from a phone came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heard {
    /// Somebody wants something of an alarm: ask the alarm book, then give its answer to
    /// [`Desk::answer`].
    pub request: Option<ReplyRequest>,
    /// What to commit in any case.
    pub decision: Decision,
}

/// A contact wants something of an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyRequest {
    /// Name of the contact.
    pub contact: String,
    /// What.
    pub wish: Wish,
    /// Of which alarm.
    pub target: ReplyTarget,
    /// Where the answer goes.
    pub reply_to: Channel,
}

/// Which alarm a contact speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyTarget {
    /// The one of this code.
    Code(ShortCode),
    /// The one of the newest alert that went to this phone.
    Newest {
        /// Its occurrence.
        occurrence: OccurrenceId,
        /// Its code.
        code: ShortCode,
    },
}

impl ReplyTarget {
    /// The code that the person knows the alarm by.
    #[must_use]
    pub const fn code(&self) -> &ShortCode {
        match self {
            Self::Code(code) | Self::Newest { code, .. } => code,
        }
    }
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum ReplyResult {
    /// It is so now.
    Done(Box<AlarmRecord>),
    /// It was so before; the record says by whom.
    Already(Box<AlarmRecord>),
    /// The acknowledgement counts, and more people have to.
    Counted {
        /// As it is.
        record: Box<AlarmRecord>,
        /// How many different people acknowledged by now.
        have: u32,
        /// How many have to.
        need: u32,
        /// Whether this person acknowledged before.
        repeated: bool,
    },
    /// The occurrence is over.
    Over {
        /// As it ended.
        record: Box<AlarmRecord>,
        /// The same condition stands again.
        again: Option<Box<AlarmRecord>>,
    },
    /// No alarm of that name stands or ended lately.
    Unknown,
    /// It may not be; a sentence says why and what to do.
    Refused(String),
}

impl ReplyResult {
    fn occurrence(&self) -> Option<OccurrenceId> {
        match self {
            Self::Done(record)
            | Self::Already(record)
            | Self::Counted { record, .. }
            | Self::Over { record, .. } => Some(record.occurrence),
            Self::Unknown | Self::Refused(_) => None,
        }
    }
}

/// Counts answers and strangers over ten minutes. Numbers in it are those of contacts, so their
/// count is bounded by the settings.
#[derive(Debug, Default)]
pub(crate) struct ReplyGuard {
    answers: HashMap<PhoneNumber, VecDeque<Timestamp>>,
    puzzled: HashMap<PhoneNumber, VecDeque<Timestamp>>,
    strangers: VecDeque<Timestamp>,
}

/// Whether something may happen once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Allowance {
    Within,
    /// This is the first one beyond the bound.
    JustSpent,
    Spent,
}

fn spend(times: &mut VecDeque<Timestamp>, max: usize, now: Timestamp) -> Allowance {
    while times
        .front()
        .is_some_and(|at| now.since(*at) > REPLY_WINDOW)
    {
        times.pop_front();
    }
    // One more than the bound is remembered, so that the first one beyond it is known.
    if times.len() > max {
        return Allowance::Spent;
    }
    times.push_back(now);
    if times.len() > max {
        Allowance::JustSpent
    } else {
        Allowance::Within
    }
}

impl Desk {
    /// A message from a phone that was not taken in before. `fresh` gives an occurrence number
    /// that nothing else has, for an answer that belongs to no alarm; it is asked at most once.
    pub fn on_incoming(
        &mut self,
        sink: &str,
        message: &Incoming,
        fresh: impl FnOnce() -> OccurrenceId,
        now: Timestamp,
    ) -> Heard {
        let mut out = self.begin(now);
        let plan = Arc::clone(&self.plan);
        let known = phone_of(&message.from)
            .and_then(|phone| Some((plan.person_of_phone(&phone)?.name.to_string(), phone)));
        let Some((contact, phone)) = known else {
            self.refuse_stranger(sink, message, now, &mut out);
            return Heard {
                request: None,
                decision: out,
            };
        };
        let reply_to = Channel {
            sink: sink.to_owned(),
            address: phone.as_str().to_owned(),
        };
        let words = match meaning(&message.text) {
            Meaning::Wish(wish, code) => match self.target(&contact, &phone, code) {
                Some(target) => {
                    let request = Some(ReplyRequest {
                        contact,
                        wish,
                        target,
                        reply_to,
                    });
                    return Heard {
                        request,
                        decision: out,
                    };
                }
                None => words::NOTHING_SENT.to_owned(),
            },
            Meaning::Help => {
                let why = Why::new(Reason::OperatorAsked, format!("{contact} asked for help"));
                if self.may_answer(&reply_to, None, now, &mut out) {
                    let help = (fresh(), words::HELP.to_owned(), why);
                    self.owe_answer(&contact, &reply_to, help, now, &mut out);
                }
                return Heard {
                    request: None,
                    decision: out,
                };
            }
            Meaning::Unclear(what) => words::unclear(what).to_owned(),
        };
        if let Some(why) = self.puzzled(&contact, &reply_to, &message.text, now, &mut out) {
            self.owe_answer(&contact, &reply_to, (fresh(), words, why), now, &mut out);
        }
        Heard {
            request: None,
            decision: out,
        }
    }

    /// The alarm of a code, or of the newest alert that went to this phone.
    fn target(
        &self,
        contact: &str,
        phone: &PhoneNumber,
        code: Option<ShortCode>,
    ) -> Option<ReplyTarget> {
        if let Some(code) = code {
            return Some(ReplyTarget::Code(code));
        }
        let row = self.ledger.newest_alert_to(contact, phone.as_str())?;
        Some(ReplyTarget::Newest {
            occurrence: row.occurrence,
            code: row.code.clone()?,
        })
    }

    /// Owes the answer to a request, once the alarm book has decided. `fresh` as above.
    pub fn answer(
        &mut self,
        request: &ReplyRequest,
        result: &ReplyResult,
        fresh: impl FnOnce() -> OccurrenceId,
        now: Timestamp,
    ) -> Decision {
        let mut out = self.begin(now);
        let plan = Arc::clone(&self.plan);
        let display = |name: &str| {
            plan.person(name)
                .map_or_else(|| name.to_owned(), |p| p.display_name.to_string())
        };
        let words = words::answer(request, result, display, now, plan.text_chars_max);
        let (code, verb) = (request.target.code(), request.wish.verb());
        let detail = format!("{} asked to {verb} {code}", request.contact);
        let why = Why::new(Reason::OperatorAsked, detail);
        let occurrence = result.occurrence();
        if !self.may_answer(&request.reply_to, occurrence, now, &mut out) {
            return out;
        }
        let occurrence = occurrence.unwrap_or_else(fresh);
        self.owe_answer(
            &request.contact,
            &request.reply_to,
            (occurrence, words, why),
            now,
            &mut out,
        );
        out
    }

    fn refuse_stranger(
        &mut self,
        sink: &str,
        message: &Incoming,
        now: Timestamp,
        out: &mut Decision,
    ) {
        let why = match spend(&mut self.guard.strangers, STRANGER_LINES_MAX, now) {
            Allowance::Spent => return,
            Allowance::JustSpent => Why::new(
                Reason::LimitReached,
                "many messages from unknown numbers; further ones are refused without a line each",
            ),
            Allowance::Within => Why::new(
                Reason::StrangerRefused,
                "no contact has this number; nothing was done or answered",
            ),
        };
        let from = text::shortened(&text::clean(&message.from), 40);
        let said = text::shortened(&text::clean(&message.text), 160);
        let data = json!({ "sink": sink, "text": said });
        out.journal
            .push(journal::of_sender(&from, None, "refused", why, data, now));
    }

    /// Journals what names no alarm; answers the reason for an answer if one may be sent.
    fn puzzled(
        &mut self,
        contact: &str,
        reply_to: &Channel,
        text: &str,
        now: Timestamp,
        out: &mut Decision,
    ) -> Option<Why> {
        let said = text::shortened(&text::clean(text), 160);
        let why = Why::new(
            Reason::ReplyNotUnderstood,
            format!("{contact} sent something that names no alarm"),
        );
        let data = json!({ "sink": reply_to.sink, "text": said });
        let line = journal::of_sender(contact, None, "not understood", why.clone(), data, now);
        out.journal.push(line);
        let times = self
            .guard
            .puzzled
            .entry(phone_of(&reply_to.address)?)
            .or_default();
        let allowed = spend(times, PUZZLED_ANSWERS_MAX, now) == Allowance::Within
            && self.may_answer(reply_to, None, now, out);
        allowed.then_some(why)
    }

    fn may_answer(
        &mut self,
        reply_to: &Channel,
        occurrence: Option<OccurrenceId>,
        now: Timestamp,
        out: &mut Decision,
    ) -> bool {
        let Some(phone) = phone_of(&reply_to.address) else {
            return false;
        };
        let times = self.guard.answers.entry(phone).or_default();
        let allowance = spend(times, ANSWERS_MAX, now);
        if allowance != Allowance::Within {
            let why = Why::new(
                Reason::LimitReached,
                format!(
                    "{ANSWERS_MAX} answers went to this number within ten minutes; no answer is sent"
                ),
            );
            let from = &reply_to.address;
            out.journal.push(journal::of_sender(
                from,
                occurrence,
                "not answered",
                why,
                json!({}),
                now,
            ));
        }
        allowance == Allowance::Within
    }

    fn owe_answer(
        &mut self,
        contact: &str,
        reply_to: &Channel,
        (occurrence, words, why): (OccurrenceId, String, Why),
        now: Timestamp,
        out: &mut Decision,
    ) {
        // Steps number the answers of one occurrence. Seconds keep them apart over a restart too,
        // and two within a second are kept apart by counting on.
        let seconds = now.nanos().div_euclid(1_000_000_000).rem_euclid(1 << 31);
        let mut step = u32::try_from(seconds).unwrap_or(0);
        let row = loop {
            let row = new_delivery(NewDelivery {
                occurrence,
                kind: DeliveryKind::Answer,
                step,
                contact,
                channel: reply_to.clone(),
                channels: vec![reply_to.clone()],
                priority: Priority::High,
                text: words.clone(),
                why: why.clone(),
                created_at: now,
                expires_at: now.plus(ANSWER_EXPIRY),
            });
            if self.ledger.get(&row.id).is_none() {
                break row;
            }
            step = step.wrapping_add(1);
        };
        out.journal
            .push(journal::of_delivery(&row, "queued", row.why.clone(), now));
        self.owe(row, false, now, out);
    }
}

/// The number of a sender: E.164 with its `+`, or the bare digits of an international number.
/// Names and short numbers are none.
fn phone_of(from: &str) -> Option<PhoneNumber> {
    let from = from.trim();
    from.parse().ok().or_else(|| {
        let digits = from.len() >= 7 && from.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| format!("+{from}").parse().ok()).flatten()
    })
}
