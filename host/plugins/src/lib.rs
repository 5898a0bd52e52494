//! Which instance gets which samples: functions before rules, strikes and quarantine.
