//! SQLite: journal, alarm states, plugin state, timers, outbox; one commit a batch.
