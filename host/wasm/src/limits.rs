//! Bounds on what a guest holds: memory, tables, handles, bytes that cross over.
//!
//! Memory is counted over all memories of an instance together, at the moment of growth. A growth
//! that is refused answers -1 to the guest, as WebAssembly has it; most guests then trap, and the
//! refusal that is remembered here makes the sentence for people. A growth that the machine then
//! fails stays counted: taking it off again would let a guest count itself down by growths that
//! its own memory type forbids.

use andon_model::Limits;
use wasmtime::ResourceLimiter;

/// Core instances in one component; interpreters of scripting languages have some 30.
const CORE_INSTANCES_MAX: usize = 200;

/// Memories in one component.
const MEMORIES_MAX: usize = 50;

/// Tables in one component.
const TABLES_MAX: usize = 200;

/// Live handles of one instance: streams and pollables. A further one traps.
pub(crate) const HANDLES_MAX: usize = 1_000;

/// Handles that the engine itself counts. More than [`HANDLES_MAX`], so that the host's own table,
/// whose refusal can be told apart, is full first.
pub(crate) const ENGINE_HANDLES_MAX: usize = 2 * HANDLES_MAX;

/// Things that a component may import; interpreters of scripting languages have some 40.
pub(crate) const IMPORTS_MAX: usize = 200;

/// Inputs and outputs, each, that `describe` may list.
pub(crate) const PORTS_MAX: usize = 1_000;

/// Characters of a name that a component gives: its own, that of a port.
pub(crate) const NAME_CHARS_MAX: usize = 100;

/// Keys of a state. Each costs the host some hundred bytes and a row of the database beside what
/// is counted in bytes.
pub(crate) const STATE_KEYS_MAX: usize = 10_000;

/// Random bytes for one request; a larger request traps.
pub(crate) const RANDOM_BYTES_MAX: u64 = 1 << 20;

/// Body of one HTTP request of a sink, bytes; a larger one is refused.
pub(crate) const REQUEST_BYTES_MAX: usize = 1 << 20;

/// Bytes of the id that a sink's provider gives.
pub(crate) const PROVIDER_ID_CHARS_MAX: usize = 256;

/// Attributes of one alarm.
pub(crate) const ATTRIBUTES_MAX: usize = 64;

/// Bytes of what `describe` answers.
pub(crate) const DESCRIPTION_BYTES_MAX: usize = 1 << 20;

/// Bytes that may cross from guest to host in one call or answer, unless many rows are allowed.
const CROSSING_BYTES_MIN: usize = 16 << 20;

/// Bytes that may cross from guest to host in one call or answer. Without this bound a guest could
/// answer a list of many texts that are all the same large piece of its memory.
pub(crate) fn crossing_bytes(limits: &Limits) -> usize {
    limits
        .answer_rows
        .saturating_mul(1 << 10)
        .max(limits.state_bytes.saturating_mul(2))
        .max(CROSSING_BYTES_MIN)
}

/// What a guest wanted more of than it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Linear memory.
    Memory,
    /// Elements of tables.
    Table,
}

/// Counts what a guest holds.
#[derive(Debug)]
pub(crate) struct Holdings {
    memory_bytes: usize,
    memory_bytes_max: usize,
    table_elements: usize,
    table_elements_max: usize,
    /// The last refusal of the call that runs.
    pub(crate) refused: Option<Refused>,
}

impl Holdings {
    /// Nothing yet.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            memory_bytes: 0,
            memory_bytes_max: limits.memory_bytes,
            table_elements: 0,
            table_elements_max: limits.table_elements,
            refused: None,
        }
    }

    /// Linear memory of all memories together, bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }
}

impl ResourceLimiter for Holdings {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self
            .memory_bytes
            .saturating_add(desired.saturating_sub(current));
        if total > self.memory_bytes_max {
            self.refused = Some(Refused::Memory);
            return Ok(false);
        }
        self.memory_bytes = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self
            .table_elements
            .saturating_add(desired.saturating_sub(current));
        if total > self.table_elements_max {
            self.refused = Some(Refused::Table);
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        TABLES_MAX
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX
    }
}
