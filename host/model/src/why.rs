//! The reason that travels with each decision, so that `andon explain` can tell it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A decision's reason: a stable code for machines and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// Stable code.
    pub reason: Reason,
    /// What a person reads; no secret, no full stop needed.
    pub detail: String,
}

impl Why {
    /// A reason with its sentence.
    #[must_use]
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detail.is_empty() {
            f.write_str(self.reason.code())
        } else {
            f.write_str(&self.detail)
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $code:literal,)*) => {
        /// Stable codes of reasons; they are stored, so a code never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[$doc])* #[serde(rename = $code)] $variant,)*
        }

        impl Reason {
            /// The code as it is stored and shown.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }
        }
    };
}

reasons! {
    /// A rule raised a condition that was normal.
    FirstRaise = "first-raise",
    /// A rule raised it again before its return was acknowledged: a new occurrence (D to B).
    ReAlarm = "re-alarm",
    /// A rule raised what was raised: message or priority changed, nobody is told again.
    RaiseUpdate = "raise-update",
    /// A rule cleared it.
    RuleCleared = "rule-cleared",
    /// A rule asked to tell people once.
    RuleNotified = "rule-notified",
    /// The host itself found something that people must know.
    System = "system",
    /// A person acknowledged.
    OperatorAcknowledged = "operator-acknowledged",
    /// A person asked for it at the command line, by API or by reply.
    OperatorAsked = "operator-asked",
    /// The rule that held the alarm is gone or down and its settings say to clear.
    RuleGone = "rule-gone",
    /// A route chose the contact.
    RouteMatched = "route-matched",
    /// No route matched, so the fallback contacts are told.
    NoRouteMatched = "no-route-matched",
    /// The priority is diagnostic: journalled, never sent.
    DiagnosticOnly = "diagnostic-only",
    /// The contact was told of the occurrence and is told that it is over.
    WasTold = "was-told",
    /// The contact was never reached about the occurrence, so its end is not sent.
    NeverTold = "never-told",
    /// The channel before it failed for good.
    Failover = "failover",
    /// Every channel of the contact failed.
    ChannelsExhausted = "channels-exhausted",
    /// Not sent now, will be tried again.
    RetryLater = "retry-later",
    /// The provider asked to slow down.
    Throttled = "throttled",
    /// The provider took it.
    ProviderAccepted = "provider-accepted",
    /// The provider says that it arrived.
    ReceiptDelivered = "receipt-delivered",
    /// The provider says that it will not arrive.
    ReceiptFailed = "receipt-failed",
    /// The message itself was refused.
    MessageRefused = "message-refused",
    /// The recipient cannot be reached by this channel.
    RecipientRefused = "recipient-refused",
    /// The provider is down or refuses everything.
    ProviderFailed = "provider-failed",
    /// Settings of the sink are wrong (credentials, sender).
    SinkMisconfigured = "sink-misconfigured",
    /// The result of a send is unknown (time-out, crash), so it may go out again, marked.
    ResultUnknown = "result-unknown",
    /// Older than its limit: sending it would wake somebody for nothing.
    Expired = "expired",
    /// The sink is no longer in the settings.
    SinkRemoved = "sink-removed",
    /// A reply came from a number that no contact has.
    StrangerRefused = "stranger-refused",
    /// A reply did not say anything that the host understands.
    ReplyNotUnderstood = "reply-not-understood",
    /// A plugin call failed and counted as a strike.
    PluginStrike = "plugin-strike",
    /// A plugin was taken out of service for a time.
    PluginQuarantined = "plugin-quarantined",
    /// A plugin answered with a failure of its own; it lives on.
    PluginDeclined = "plugin-declined",
    /// A plugin that was down works again.
    PluginBack = "plugin-back",
    /// A plugin left the settings.
    PluginRemoved = "plugin-removed",
    /// A plugin's guest was made anew between two batches, as planned.
    PluginRenewed = "plugin-renewed",
    /// A plugin was loaded, swapped or rolled back.
    PluginSwapped = "plugin-swapped",
    /// A new version of a plugin was refused; the old one goes on.
    PluginRefused = "plugin-refused",
    /// A changed plugin runs beside the old one and is compared with it.
    PluginShadow = "plugin-shadow",
    /// A person shelved the alarm.
    Shelved = "shelved",
    /// The time of a shelving is over.
    ShelvingOver = "shelving-over",
    /// The settings suppress the alarm while something else holds.
    Suppressed = "suppressed",
    /// What suppressed it no longer holds.
    SuppressionOver = "suppression-over",
    /// The alarm was taken out of service.
    OutOfService = "out-of-service",
    /// It was brought back.
    BackInService = "back-in-service",
    /// A latched alarm was reset by a person.
    Reset = "reset",
    /// It stayed acknowledged and active for longer than its re-alarm time.
    ReAlarmTime = "re-alarm-time",
    /// A raise waits for its on-delay.
    OnDelay = "on-delay",
    /// A clear waits for its off-delay.
    OffDelay = "off-delay",
    /// It comes and goes too often.
    Chattering = "chattering",
    /// It was gone before anybody could act.
    Fleeting = "fleeting",
    /// It has been active for too long.
    Stale = "stale",
    /// It was the first of its group.
    FirstOut = "first-out",
    /// More alarms come than people can act on, so they are told in digests.
    Flood = "flood",
    /// A step of an escalation is due.
    EscalationStep = "escalation-step",
    /// A message is repeated because nobody answered.
    NobodyAnswered = "nobody-answered",
    /// A person took the alarm.
    Taken = "taken",
    /// The message is part of a digest.
    InDigest = "in-digest",
    /// The contact has quiet hours.
    QuietHours = "quiet-hours",
    /// The contact is on call.
    OnCall = "on-call",
    /// The contact is not on call.
    OffCall = "off-call",
    /// Nobody is on call.
    NobodyOnCall = "nobody-on-call",
    /// The contact got as many messages as the budget allows; more come in a digest.
    Budget = "budget",
    /// The contact was told of it before.
    AlreadyTold = "already-told",
    /// The person may not do that.
    NotPermitted = "not-permitted",
    /// A bound was reached.
    LimitReached = "limit-reached",
    /// A person marked it as a test.
    Test = "test",
    /// Somebody showed a wrong password or token.
    AccessRefused = "access-refused",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
