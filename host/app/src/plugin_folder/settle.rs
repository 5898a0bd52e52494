//! Which files have settled: pure, so that every order of events can be tried.
//!
//! A file is *pending* from the look at which it differs from what was told until it looked the
//! same for the settle time. Being gone settles in the same way, because editors remove and rename.

use std::collections::BTreeMap;
use std::time::Duration;

use andon_model::Timestamp;

use super::disk::Look;

/// What is known of each file.
#[derive(Debug, Default)]
pub(super) struct Settling {
    files: BTreeMap<String, Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// How it looked when it was told last.
    told: Option<Look>,
    /// Fingerprint of what was told last.
    digest: Option<String>,
    /// How it looks now (`None`: gone) and since when, if that differs from what was told; a
    /// moment to come puts the next try off.
    pending: Option<(Option<Look>, Timestamp)>,
}

/// What has settled.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settled {
    /// To be read.
    pub(super) ready: Vec<(String, Look)>,
    /// Told before and gone now.
    pub(super) removed: Vec<String>,
    /// Some files are still pending.
    pub(super) pending: bool,
}

impl Settling {
    /// Takes in a look at the folder.
    pub(super) fn observe(
        &mut self,
        files: &BTreeMap<String, Look>,
        settle: Duration,
        now: Timestamp,
    ) -> Settled {
        for name in files.keys() {
            if !self.files.contains_key(name) {
                self.files.insert(name.clone(), Known::default());
            }
        }
        let mut settled = Settled::default();
        let mut forgotten = Vec::new();
        for (name, known) in &mut self.files {
            let look = files.get(name);
            if look == known.told.as_ref() {
                known.pending = None;
                if look.is_none() && known.digest.is_none() {
                    forgotten.push(name.clone());
                }
                continue;
            }
            match &known.pending {
                Some((seen, since)) if seen.as_ref() == look => {
                    if now.since(*since) < settle {
                        // A try that is put off is no reason to look often.
                        settled.pending |= *since <= now;
                    } else if let Some(look) = look {
                        settled.ready.push((name.clone(), look.clone()));
                    } else {
                        if known.digest.is_some() {
                            settled.removed.push(name.clone());
                        }
                        forgotten.push(name.clone());
                    }
                }
                Some(_) | None => {
                    known.pending = Some((look.cloned(), now));
                    settled.pending = true;
                }
            }
        }
        for name in forgotten {
            self.files.remove(&name);
        }
        settled
    }

    /// The file was read as it settled. Answers whether its content differs from what was told.
    pub(super) fn told(&mut self, name: &str, look: Look, digest: String, again: Again) -> bool {
        let known = self.files.entry(name.to_owned()).or_default();
        let differs = known.digest.as_ref() != Some(&digest);
        known.digest = Some(digest);
        (known.told, known.pending) = match again {
            Again::WhenItChanges => (Some(look), None),
            Again::From(moment) => (None, Some((Some(look), moment))),
        };
        differs
    }

    /// The file changed while it was read.
    pub(super) fn moved(&mut self, name: &str) {
        if let Some(known) = self.files.get_mut(name) {
            known.pending = None;
        }
    }
}

/// When a file that was told is read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// When its look changes.
    WhenItChanges,
    /// From then on in any case: it could not be read, and the reason may go without a trace on
    /// the file.
    From(Timestamp),
}
