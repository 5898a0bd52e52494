//! A PLC: Modbus TCP, holding registers, a thread a connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Registers from address 0 on.
pub(crate) const REGISTERS: usize = 1_024;

/// How long anything may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A PLC that answers.
pub(crate) struct Plc {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    shown: Receiver<Shown>,
}

/// A read showed another value of register 0 than the read before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) value: u16,
    /// Just before the answer was written.
    pub(crate) at: Instant,
}

struct State {
    registers: Vec<u16>,
    /// Register 0 is 0 at every other read, and one more than before at the reads between.
    next_peak: Option<u16>,
    last: u16,
    tell: Sender<Shown>,
}

impl Plc {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, shown) = channel();
        let state = Arc::new(Mutex::new(State {
            registers: vec![0; REGISTERS],
            next_peak: None,
            last: 0,
            tell,
        }));
        let served = Arc::clone(&state);
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&served);
                // A connection that the host closes ends its thread.
                std::thread::spawn(move || serve(connection, &state).unwrap_or_default());
            }
        });
        Self {
            address,
            state,
            shown,
        }
    }

    /// Sets registers from address 0 on, all at once.
    pub(crate) fn set(&self, values: &[u16]) {
        self.lock().registers[..values.len()].copy_from_slice(values);
    }

    /// Lets register 0 change at every read, peaks beginning with this value.
    pub(crate) fn swing(&self, first_peak: u16) {
        self.lock().next_peak = Some(first_peak);
    }

    /// Stops [`Plc::swing`]; register 0 is 0.
    pub(crate) fn rest(&self) {
        let mut state = self.lock();
        state.next_peak = None;
        state.registers[0] = 0;
    }

    /// Waits until a read has shown this value in register 0.
    pub(crate) fn wait_shown(&self, value: u16) -> Instant {
        loop {
            let shown = self
                .shown
                .recv_timeout(PATIENCE)
                .expect("the host reads the PLC");
            if shown.value == value {
                return shown.at;
            }
        }
    }

    /// What was shown since the last look.
    pub(crate) fn all_shown(&self) -> Vec<Shown> {
        self.shown.try_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn serve(mut connection: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    loop {
        // MBAP header, function, start, count: twelve bytes for any read.
        let mut request = [0_u8; 12];
        connection.read_exact(&mut request)?;
        let two = |at: usize| u16::from_be_bytes([request[at], request[at + 1]]);
        let (start, count) = (usize::from(two(8)), usize::from(two(10)));
        assert_eq!(request[7], 3, "this PLC has holding registers only");
        let mut answer = request[..4].to_vec();
        let bytes = u8::try_from(2 * count).unwrap();
        answer.extend((3 + u16::from(bytes)).to_be_bytes());
        answer.extend([request[6], request[7], bytes]);
        let mut state = state.lock().unwrap();
        if start == 0 {
            state.turn();
        }
        for register in &state.registers[start..start + count] {
            answer.extend(register.to_be_bytes());
        }
        let (value, at) = (state.registers[0], Instant::now());
        if start == 0 && value != state.last {
            state.last = value;
            // Nobody listens once the bench is over.
            state.tell.send(Shown { value, at }).unwrap_or_default();
        }
        drop(state);
        connection.write_all(&answer)?;
    }
}

impl State {
    fn turn(&mut self) {
        if let Some(peak) = self.next_peak {
            if self.registers[0] == 0 {
                self.registers[0] = peak;
                self.next_peak = Some(peak + 1);
            } else {
                self.registers[0] = 0;
            }
        }
    }
}
