//! Labels: what a rule and its settings say of an alarm, so that routes can choose.

use std::collections::BTreeMap;

/// Names and values, sorted by name. Routes match on them.
pub type Labels = BTreeMap<String, String>;
