//! The metrics of the host, in the OpenMetrics text format.
//!
//! Names are constants of this file; each help text gives meaning and unit. Counters end in
//! `_total` on the wire. Labels are bounded: names of instances, sinks and devices come from
//! settings.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// A family with one label each: pairs of name and value.
type Named<M> = Family<Vec<(String, String)>, M>;

/// All metrics of the host; cloning shares them.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Samples that devices changed.
    pub samples: Counter,
    /// Batches that went through.
    pub batches: Counter,
    /// Seconds from taking a batch to handing its commit to the store.
    pub batch_seconds: Histogram,
    /// Seconds from handing a commit to the store until it is durable.
    pub commit_seconds: Histogram,
    /// Calls by instance.
    pub plugin_calls: Named<Counter>,
    /// Failed calls by instance.
    pub plugin_failures: Named<Counter>,
    /// Busy microseconds by instance.
    pub plugin_busy_us: Named<Counter>,
    /// Calls of shadows by instance.
    pub shadow_calls: Named<Counter>,
    /// Failed calls of shadows by instance.
    pub shadow_failures: Named<Counter>,
    /// Busy microseconds of shadows by instance.
    pub shadow_busy_us: Named<Counter>,
    /// Differences between an instance and its shadows, by instance.
    pub shadow_differences: Named<Counter>,
    /// Alarm transitions by word.
    pub transitions: Named<Counter>,
    /// Standing alarms.
    pub alarms_standing: Gauge,
    /// Alarms that nobody acknowledged.
    pub alarms_unacknowledged: Gauge,
    /// Alarms that called for a person, by operator group and priority.
    pub alarms_annunciated: Named<Counter>,
    /// Conditions that began to hold, by operator group and priority.
    pub alarms_activated: Named<Counter>,
    /// Annunciations of the last ten minutes, by operator group.
    pub alarms_annunciated_10_minutes: Named<Gauge>,
    /// 1 while there is a flood, by operator group.
    pub alarms_flood: Named<Gauge>,
    /// Alarms that stand before people, by operator group.
    pub alarms_active: Named<Gauge>,
    /// Stale alarms, by operator group.
    pub alarms_stale: Named<Gauge>,
    /// Outcomes by sink and word.
    pub outcomes: Named<Counter>,
    /// Deliveries that are owed.
    pub deliveries_owed: Gauge,
    /// 1 while the sink can send.
    pub sink_up: Named<Gauge>,
    /// 1 while the device answers.
    pub device_up: Named<Gauge>,
    /// 1 while the store takes commits.
    pub store_up: Gauge,
    /// Rows that wait in memory for the disk.
    pub store_pending: Gauge,
    /// Commits that did not reach the disk at once.
    pub commits_late: Counter,
    /// Settings reloads by result.
    pub reloads: Named<Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let seconds = || Histogram::new(exponential_buckets(0.000_01, 4.0, 10));
        let mut metrics = Self {
            registry: Registry::with_prefix("andon"),
            samples: Counter::default(),
            batches: Counter::default(),
            batch_seconds: seconds(),
            commit_seconds: seconds(),
            plugin_calls: Family::default(),
            plugin_failures: Family::default(),
            plugin_busy_us: Family::default(),
            shadow_calls: Family::default(),
            shadow_failures: Family::default(),
            shadow_busy_us: Family::default(),
            shadow_differences: Family::default(),
            transitions: Family::default(),
            alarms_standing: Gauge::default(),
            alarms_unacknowledged: Gauge::default(),
            alarms_annunciated: Family::default(),
            alarms_activated: Family::default(),
            alarms_annunciated_10_minutes: Family::default(),
            alarms_flood: Family::default(),
            alarms_active: Family::default(),
            alarms_stale: Family::default(),
            outcomes: Family::default(),
            deliveries_owed: Gauge::default(),
            sink_up: Family::default(),
            device_up: Family::default(),
            store_up: Gauge::default(),
            store_pending: Gauge::default(),
            commits_late: Counter::default(),
            reloads: Family::default(),
        };
        metrics.register_path();
        metrics.register_plugins();
        metrics.register_people();
        metrics.register_figures();
        metrics
    }
}

impl Metrics {
    fn register_path(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "samples",
            "Samples that devices changed",
            self.samples.clone(),
        );
        registry.register(
            "batches",
            "Batches that went through the path",
            self.batches.clone(),
        );
        registry.register(
            "batch_seconds",
            "Seconds from taking a batch to handing on its commit",
            self.batch_seconds.clone(),
        );
        registry.register(
            "commit_seconds",
            "Seconds until a commit is durable",
            self.commit_seconds.clone(),
        );
        registry.register(
            "device_up",
            "1 while the device answers",
            self.device_up.clone(),
        );
        registry.register(
            "store_up",
            "1 while the store takes commits",
            self.store_up.clone(),
        );
        registry.register(
            "store_pending",
            "Commits that wait for the disk",
            self.store_pending.clone(),
        );
        registry.register(
            "commits_late",
            "Commits that did not reach the disk at once",
            self.commits_late.clone(),
        );
        registry.register(
            "reloads",
            "Settings that were read again, by result",
            self.reloads.clone(),
        );
    }

    fn register_plugins(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "plugin_calls",
            "Calls, by instance",
            self.plugin_calls.clone(),
        );
        registry.register(
            "plugin_failures",
            "Failed calls, by instance",
            self.plugin_failures.clone(),
        );
        registry.register(
            "plugin_busy_microseconds",
            "Time spent in calls, by instance",
            self.plugin_busy_us.clone(),
        );
        registry.register(
            "shadow_calls",
            "Calls of shadows, by instance",
            self.shadow_calls.clone(),
        );
        registry.register(
            "shadow_failures",
            "Failed calls of shadows, by instance",
            self.shadow_failures.clone(),
        );
        registry.register(
            "shadow_busy_microseconds",
            "Time spent in calls of shadows, by instance",
            self.shadow_busy_us.clone(),
        );
        registry.register(
            "shadow_differences",
            "Differences between an instance and its shadows, by instance",
            self.shadow_differences.clone(),
        );
    }

    fn register_people(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "alarm_transitions",
            "Steps in the life of alarms, by step",
            self.transitions.clone(),
        );
        registry.register(
            "alarms_standing",
            "Alarms that are not normal",
            self.alarms_standing.clone(),
        );
        registry.register(
            "alarms_unacknowledged",
            "Alarms that nobody acknowledged",
            self.alarms_unacknowledged.clone(),
        );
        registry.register(
            "delivery_outcomes",
            "Ends of tries to send, by sink and outcome",
            self.outcomes.clone(),
        );
        registry.register(
            "deliveries_owed",
            "Messages that are owed",
            self.deliveries_owed.clone(),
        );
        registry.register("sink_up", "1 while the sink can send", self.sink_up.clone());
    }

    fn register_figures(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "alarms_annunciated",
            "Alarms that called for a person, by operator group and priority; tests are left out",
            self.alarms_annunciated.clone(),
        );
        registry.register(
            "alarms_activated",
            "Conditions that began to hold, also silenced ones, by operator group and priority",
            self.alarms_activated.clone(),
        );
        registry.register(
            "alarms_annunciated_10_minutes",
            "Alarms that called for a person in the last ten minutes, by operator group",
            self.alarms_annunciated_10_minutes.clone(),
        );
        registry.register(
            "alarms_flood",
            "1 from more than 10 in 10 minutes until fewer than 5, by operator group",
            self.alarms_flood.clone(),
        );
        registry.register(
            "alarms_active",
            "Alarms whose condition holds and that nothing silences, by operator group",
            self.alarms_active.clone(),
        );
        registry.register(
            "alarms_stale",
            "Those of them that have been active for longer than [kpi] stale_after",
            self.alarms_stale.clone(),
        );
    }

    /// One label of a family.
    #[must_use]
    pub fn label(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), value.to_owned())]
    }

    /// The text that `/metrics` answers.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Writing to a String does not fail; say so rather than show half a page.
            Err(error) => format!("# metrics could not be encoded: {error}\n# EOF\n"),
        }
    }
}
