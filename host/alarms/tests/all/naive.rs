//! The naive model of the life of alarms: what each input must make of a map of conditions, with
//! no index, no agenda and no row. Time goes by looking through everything.

use std::collections::{BTreeMap, BTreeSet};

/// Instance and key.
pub(crate) type Id = (&'static str, &'static str);

/// The word of an event, its occurrence, the letter after it and the letters of its silence.
pub(crate) type Said = Vec<(&'static str, u64, char, String)>;

/// Seconds that settings of the test allow, by whether the alarm is urgent.
pub(crate) const SHELVING_MAX: [u64; 2] = [400, 100];
/// Seconds until an urgent alarm that stays acknowledged is told again.
pub(crate) const RE_ALARM_AFTER: u64 = 60;
/// How often at most.
pub(crate) const RE_ALARMS_MAX: u32 = 2;

/// An alarm that is not over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alarm {
    pub(crate) occurrence: u64,
    pub(crate) letter: char,
    pub(crate) urgent: bool,
    pub(crate) latching: bool,
    pub(crate) suppressed: bool,
    acknowledged_at: Option<u64>,
    re_alarms: u32,
}

/// What people silenced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shelf {
    pub(crate) until: u64,
    at: u64,
    one_shot: bool,
    /// As it was known when it was shelved or raised last.
    urgent: Option<bool>,
}

#[derive(Debug, Default)]
pub(crate) struct Naive {
    pub(crate) alarms: BTreeMap<Id, Alarm>,
    pub(crate) shelves: BTreeMap<Id, Shelf>,
    pub(crate) out: BTreeMap<Id, ()>,
    /// The last urgency of each condition that a record was kept of.
    known: BTreeMap<Id, bool>,
    /// Conditions of which only what silences them was kept over a restart; with it goes the rest.
    kept_by_silence: BTreeSet<Id>,
    pub(crate) last: u64,
}

impl Naive {
    pub(crate) fn is_silent(&self, id: Id) -> bool {
        !self.letters(id).is_empty()
    }

    pub(crate) fn letters(&self, id: Id) -> String {
        let suppressed = self.alarms.get(&id).is_some_and(|alarm| alarm.suppressed);
        [
            (self.shelves.contains_key(&id), 'E'),
            (suppressed, 'F'),
            (self.out.contains_key(&id), 'G'),
        ]
        .into_iter()
        .filter_map(|(holds, letter)| holds.then_some(letter))
        .collect()
    }

    fn say(&self, word: &'static str, id: Id) -> (&'static str, u64, char, String) {
        let alarm = &self.alarms[&id];
        (word, alarm.occurrence, alarm.letter, self.letters(id))
    }

    /// Takes an alarm out if it is in A; what was said of it stays right.
    fn bury(&mut self, id: Id) {
        if self.alarms[&id].letter == 'A' {
            self.alarms.remove(&id);
        }
    }

    pub(crate) fn raise(&mut self, id: Id, urgent: bool, latching: bool, now: u64) -> Said {
        let mut said = Said::new();
        let unfit = self.unfit(id, urgent, now);
        self.known.insert(id, urgent);
        self.kept_by_silence.remove(&id);
        match self.alarms.get_mut(&id) {
            Some(alarm) if matches!(alarm.letter, 'B' | 'C') => {
                let changed = alarm.urgent != urgent;
                alarm.urgent = urgent;
                alarm.latching = latching;
                if changed {
                    said.push(self.say("updated", id));
                }
                if unfit {
                    said.extend(self.end_shelf(id));
                }
            }
            older => {
                let suppressed = older.is_some_and(|older| older.suppressed);
                self.last += 1;
                if unfit {
                    self.shelves.remove(&id);
                }
                let alarm = Alarm {
                    occurrence: self.last,
                    letter: 'B',
                    urgent,
                    latching,
                    suppressed,
                    acknowledged_at: None,
                    re_alarms: 0,
                };
                self.alarms.insert(id, alarm);
                said.push(self.say("raised", id));
            }
        }
        said
    }

    /// Cuts a shelving to what the new urgency allows; answers whether nothing is left of it.
    fn unfit(&mut self, id: Id, urgent: bool, now: u64) -> bool {
        let Some(shelf) = self.shelves.get_mut(&id) else {
            return false;
        };
        if shelf.urgent == Some(urgent) {
            return false;
        }
        shelf.urgent = Some(urgent);
        let until = shelf.at + SHELVING_MAX[usize::from(urgent)];
        shelf.until = shelf.until.min(until);
        until <= now
    }

    pub(crate) fn clear(&mut self, id: Id, need: bool, latching: bool) -> Said {
        let Some(alarm) = self.alarms.get_mut(&id) else {
            return vec![];
        };
        let ended = if latching { 'L' } else { 'A' };
        alarm.letter = match alarm.letter {
            'B' if need => 'D',
            'B' | 'C' => ended,
            _ => return vec![],
        };
        alarm.latching = latching;
        let mut said = vec![self.say("cleared", id)];
        let standing = self.alarms[&id].letter != 'A';
        if self.shelves.get(&id).is_some_and(|shelf| shelf.one_shot) {
            if standing {
                said.extend(self.end_shelf(id));
            } else {
                self.shelves.remove(&id);
            }
        }
        self.bury(id);
        said
    }

    pub(crate) fn acknowledge(&mut self, id: Id, now: u64) -> Said {
        let Some(alarm) = self.alarms.get_mut(&id) else {
            return vec![];
        };
        alarm.letter = match (alarm.letter, alarm.latching) {
            ('B', _) => 'C',
            ('D', true) => 'L',
            ('D', false) => 'A',
            _ => return vec![],
        };
        alarm.acknowledged_at = Some(now);
        let said = vec![self.say("acknowledged", id)];
        self.bury(id);
        said
    }

    pub(crate) fn reset(&mut self, id: Id) -> Option<Said> {
        let alarm = self.alarms.get_mut(&id)?;
        if alarm.letter != 'L' {
            return None;
        }
        alarm.letter = 'A';
        let said = vec![self.say("reset", id)];
        self.bury(id);
        Some(said)
    }

    /// `None` where it is refused.
    pub(crate) fn shelve(&mut self, id: Id, time: Option<u64>, now: u64) -> Option<Said> {
        if self.shelves.contains_key(&id) {
            return None;
        }
        let urgent = self.known.get(&id).copied();
        // Of what nobody knows the shortest counts.
        let max = SHELVING_MAX[usize::from(urgent.unwrap_or(true))];
        let time = time.unwrap_or(max + 1_000);
        let one_shot = time > 1_000;
        if !one_shot && time > max {
            return None;
        }
        let shelf = Shelf {
            until: now + if one_shot { max } else { time },
            at: now,
            one_shot,
            urgent,
        };
        self.shelves.insert(id, shelf);
        Some(self.step("shelved", id))
    }

    pub(crate) fn unshelve(&mut self, id: Id) -> Option<Said> {
        self.shelves.contains_key(&id).then(|| self.end_shelf(id))
    }

    pub(crate) fn take_out(&mut self, id: Id) -> Option<Said> {
        if self.out.insert(id, ()).is_some() {
            return None;
        }
        Some(self.step("out of service", id))
    }

    pub(crate) fn bring_back(&mut self, id: Id) -> Option<Said> {
        self.out.remove(&id)?;
        self.lapse(id);
        self.come_back(id);
        Some(self.step("returned to service", id))
    }

    pub(crate) fn suppress(&mut self, id: Id, suppressed: bool) -> Said {
        match self.alarms.get_mut(&id) {
            Some(alarm) if alarm.suppressed != suppressed => alarm.suppressed = suppressed,
            _ => return vec![],
        }
        if suppressed {
            return self.step("suppressed", id);
        }
        self.come_back(id);
        self.step("unsuppressed", id)
    }

    fn end_shelf(&mut self, id: Id) -> Said {
        self.shelves.remove(&id);
        self.lapse(id);
        self.come_back(id);
        self.step("unshelved", id)
    }

    /// What holds and is no longer silent calls for people, whoever acknowledged it.
    fn come_back(&mut self, id: Id) {
        let silent = self.is_silent(id);
        if let Some(alarm) = self.alarms.get_mut(&id)
            && !silent
            && alarm.letter == 'C'
        {
            alarm.letter = 'B';
            alarm.acknowledged_at = None;
        }
    }

    fn step(&self, word: &'static str, id: Id) -> Said {
        let stands = self.alarms.contains_key(&id);
        stands.then(|| self.say(word, id)).into_iter().collect()
    }

    /// A restart forgets what is over: only alarms that stand and what people silenced are stored.
    pub(crate) fn forget(&mut self) {
        let (alarms, shelves, out) = (&self.alarms, &self.shelves, &self.out);
        self.known.retain(|id, _| {
            alarms.contains_key(id) || shelves.contains_key(id) || out.contains_key(id)
        });
        let silenced = self.known.keys().filter(|id| !alarms.contains_key(*id));
        self.kept_by_silence = silenced.copied().collect();
    }

    /// What a silence alone kept is forgotten with the last silence.
    fn lapse(&mut self, id: Id) {
        let silenced = self.shelves.contains_key(&id) || self.out.contains_key(&id);
        if !silenced && self.kept_by_silence.remove(&id) {
            self.known.remove(&id);
        }
    }

    /// All that is due by now, in any order.
    pub(crate) fn pass(&mut self, now: u64) -> Said {
        let mut said = Said::new();
        let over: Vec<Id> = self
            .shelves
            .iter()
            .filter(|(_, shelf)| shelf.until <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            said.extend(self.end_shelf(id));
        }
        let ids: Vec<Id> = self.alarms.keys().copied().collect();
        for id in ids {
            let silent = self.is_silent(id);
            let Some(alarm) = self.alarms.get_mut(&id) else {
                continue;
            };
            let due = alarm
                .acknowledged_at
                .is_some_and(|at| at + RE_ALARM_AFTER <= now);
            let may = alarm.urgent && alarm.re_alarms < RE_ALARMS_MAX;
            if alarm.letter == 'C' && due && may && !silent {
                alarm.letter = 'B';
                alarm.acknowledged_at = None;
                alarm.re_alarms += 1;
                said.push(self.say("re-alarmed", id));
            }
        }
        said
    }
}
