//! What the workshop shows of itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use andon_kpi::KpiPlan;

use super::sink_components::SinkComponentView;

/// What is wrong with files, and what could be gone back to.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkshopView {
    /// The first set is in place: the host does its job.
    pub(crate) in_place: bool,
    /// Why new settings were refused.
    pub(crate) settings_problems: Vec<String>,
    /// What is wrong, by file of the plugins folder.
    pub(crate) problems: BTreeMap<String, Vec<String>>,
    /// Components that wait for a `.toml`.
    pub(crate) waiting: Vec<String>,
    /// Files whose component is being fetched: its reference, by file.
    pub(crate) pulling: BTreeMap<String, String>,
    /// What is wrong with the plugins folder itself.
    pub(crate) folder_problems: Vec<String>,
    /// Earlier good versions by component, newest first.
    pub(crate) earlier: BTreeMap<String, Vec<String>>,
    /// By what components are trusted, by whole hash; empty where no rule asks.
    pub(crate) trusted: BTreeMap<String, String>,
    /// Sinks of the settings: name and kind.
    pub(crate) sinks: Vec<(String, String)>,
    /// Sink components, by sink.
    pub(crate) sink_components: Vec<SinkComponentView>,
    /// Sink components that no sink names.
    pub(crate) unnamed_sinks: Vec<String>,
    /// How alarm figures are counted.
    pub(crate) kpi: Arc<KpiPlan>,
    /// Contacts, by name.
    pub(crate) contacts: Vec<andon_web::ContactView>,
    /// Rules that are in place.
    pub(crate) rules: usize,
    /// Functions that are in place.
    pub(crate) functions: usize,
}
