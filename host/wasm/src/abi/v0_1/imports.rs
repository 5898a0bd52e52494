//! The host interfaces of the contract, each a thin layer over `Host`.

use andon_model::Timestamp;

use crate::host::Host;
use crate::limits::STATE_KEYS_MAX;
use crate::log::Level;
use crate::state::StateFull;

use super::bindings::andon::plugin::{log, state, tags, timer, types};

impl types::Host for Host {}

impl tags::Host for Host {
    fn text(&mut self, input: u32) -> Option<String> {
        Host::text(self, input).map(|text| text.to_string())
    }

    fn window(&mut self, input: u32, since: i64) -> types::SamplesResult {
        let columns = Host::window(self, input, Timestamp::from_nanos(since));
        types::SamplesResult {
            input: columns.input,
            value: columns.value,
            quality: columns.quality,
            time: columns.time,
        }
    }
}

impl state::Host for Host {
    fn get(&mut self, key: String) -> Option<Vec<u8>> {
        self.recall(&key).map(|value| value.to_vec())
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), types::Failure> {
        self.remember(key, &value).map_err(|full| types::Failure {
            code: "state-full".to_owned(),
            message: match full {
                StateFull::Bytes { needed, bytes_max } => format!(
                    "the state would need {needed} bytes and the instance may have {bytes_max}: \
                     remember less, or raise that limit"
                ),
                StateFull::Keys => format!(
                    "the state has {STATE_KEYS_MAX} keys and may have no more: remember more \
                     under each key, or delete some"
                ),
            },
            attributes: Vec::new(),
        })
    }

    fn delete(&mut self, key: String) {
        self.forget_key(key);
    }
}

impl timer::Host for Host {
    fn wake_at(&mut self, time: i64) {
        Host::wake_at(self, Timestamp::from_nanos(time));
    }
}

impl log::Host for Host {
    fn write(&mut self, level: log::Level, message: String) {
        let level = match level {
            log::Level::Debug => Level::Debug,
            log::Level::Info => Level::Info,
            log::Level::Warn => Level::Warn,
            log::Level::Error => Level::Error,
        };
        self.write_log(level, message);
    }
}
