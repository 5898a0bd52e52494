//! `[courier]` in the settings: how long to insist on a channel before the next one is tried.

use std::time::Duration;

use andon_model::{DurationText, Finding};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the courier retries, gives up a channel and stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CourierSettings {
    /// A contact's next channel is tried when this one has not taken the message for so long.
    pub failover_after: DurationText,
    /// The next channel is also tried after so many tries by this one.
    pub tries_before_failover: u32,
    /// Wait before the second try; every further wait is twice as long.
    pub retry_delay: DurationText,
    /// The longest wait between two tries.
    pub retry_delay_max: DurationText,
    /// First wait after a provider asked to slow down without saying for how long.
    pub throttled_delay: DurationText,
    /// First wait after a sink could send nothing at all and the contact has no other channel.
    pub sink_failed_delay: DurationText,
    /// The longest wait in that case.
    pub sink_failed_delay_max: DurationText,
    /// How long after a send with unknown result the provider is asked what became of it.
    pub look_up_after: DurationText,
    /// A sink that has not answered a send for so long is taken as "result unknown".
    pub send_time_max: DurationText,
    /// How long a stopping host waits for sends that are under way.
    pub drain_time_max: DurationText,
}

impl Default for CourierSettings {
    fn default() -> Self {
        Self {
            failover_after: DurationText::from_secs(30),
            tries_before_failover: 5,
            retry_delay: DurationText::from_secs(2),
            retry_delay_max: DurationText::from_secs(60),
            throttled_delay: DurationText::from_secs(5),
            sink_failed_delay: DurationText::from_secs(30),
            sink_failed_delay_max: DurationText::from_secs(600),
            look_up_after: DurationText::from_secs(5),
            send_time_max: DurationText::from_secs(120),
            drain_time_max: DurationText::from_secs(8),
        }
    }
}

impl CourierSettings {
    /// What is wrong with them, all at once; paths are relative to `[courier]`.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.tries_before_failover == 0 {
            findings.push(
                Finding::error(
                    "/tries_before_failover",
                    "0 tries would give every channel up before it is tried",
                )
                .hint("write 1 or more"),
            );
        }
        let least = Duration::from_millis(100);
        for (path, value) in [
            ("/retry_delay", self.retry_delay),
            ("/throttled_delay", self.throttled_delay),
            ("/sink_failed_delay", self.sink_failed_delay),
            ("/send_time_max", self.send_time_max),
        ] {
            if value.0 < least {
                findings.push(
                    Finding::error(path, format!("`{value}` is too short"))
                        .hint("write 100ms or more"),
                );
            }
        }
        for (path, longest, first, name) in [
            (
                "/retry_delay_max",
                self.retry_delay_max,
                self.retry_delay,
                "retry_delay",
            ),
            (
                "/sink_failed_delay_max",
                self.sink_failed_delay_max,
                self.sink_failed_delay,
                "sink_failed_delay",
            ),
        ] {
            if longest < first {
                findings.push(Finding::error(
                    path,
                    format!("`{longest}` is shorter than {name}, which is `{first}`"),
                ));
            }
        }
        findings
    }

    /// The part of the settings that [`super::settle`] decides by.
    #[must_use]
    pub fn policy(&self) -> CourierPolicy {
        CourierPolicy {
            failover_after: self.failover_after.0,
            tries_before_failover: self.tries_before_failover,
            retry: BackOff {
                first: self.retry_delay.0,
                longest: self.retry_delay_max.0,
            },
            throttled: BackOff {
                first: self.throttled_delay.0,
                longest: self.retry_delay_max.0.max(self.throttled_delay.0),
            },
            sink_failed: BackOff {
                first: self.sink_failed_delay.0,
                longest: self.sink_failed_delay_max.0,
            },
        }
    }
}

/// What [`super::settle`] decides by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourierPolicy {
    /// See [`CourierSettings::failover_after`].
    pub failover_after: Duration,
    /// See [`CourierSettings::tries_before_failover`].
    pub tries_before_failover: u32,
    /// After a try that surely failed, or whose result is unknown.
    pub retry: BackOff,
    /// After the provider asked to slow down.
    pub throttled: BackOff,
    /// After the sink could send nothing.
    pub sink_failed: BackOff,
}

impl Default for CourierPolicy {
    fn default() -> Self {
        CourierSettings::default().policy()
    }
}

/// Waits that double from try to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    /// After the first try.
    pub first: Duration,
    /// No wait is longer, jitter aside.
    pub longest: Duration,
}

impl BackOff {
    /// The wait after try number `tries` (from 1), without jitter.
    #[must_use]
    pub fn after(self, tries: u32) -> Duration {
        let doublings = tries.saturating_sub(1).min(20);
        self.first
            .saturating_mul(1_u32 << doublings)
            .min(self.longest)
    }
}
