//! What sends numbered LUTs: to a hub, or to many servers at once.

use crate::load;
use anyhow::{Context, anyhow};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use virtual_gpu_lut_box::hald::EntryOrder;
use virtual_gpu_lut_box::lut::{GridSize, Lut3d};
use virtual_gpu_lut_box::wire::client;

/// LUTs that a connection may be behind by.
const MOST_BEHIND: usize = 256;

/// A message of a LUT that has its number in the red of its first entry.
pub struct Numbered {
    message: Vec<u8>,
    /// Where that is.
    at: usize,
}

impl Numbered {
    pub fn new(size: u64, channel: Option<&str>) -> anyhow::Result<Numbered> {
        const MARK: f32 = 123_456.79;
        let size = GridSize::new(size)?;
        let identity = Lut3d::identity(size);
        let lut = Lut3d::from_fn(size, |p| if p == [0; 3] { [MARK, 0.0, 0.0] } else { identity.at(p) });
        let message = client::set_lut(channel, &lut, EntryOrder::BlueFastest);
        let at = message.windows(4).position(|four| four == MARK.to_le_bytes()).context("no first entry")?;
        Ok(Numbered { message, at })
    }

    /// The message with this number.
    fn with(&mut self, number: usize) -> &[u8] {
        self.message[self.at..self.at + 4].copy_from_slice(&(number as f32).to_le_bytes());
        &self.message
    }
}

/// Sends numbered LUTs. When `send` returns a LUT is where it is given out from.
pub trait Sender {
    fn send(&mut self, number: usize) -> anyhow::Result<()>;
}

/// A connection to a hub.
pub struct ToHub {
    stream: TcpStream,
    lut: Numbered,
}

impl ToHub {
    pub fn start(to: SocketAddr, lut: Numbered) -> anyhow::Result<ToHub> {
        Ok(ToHub { stream: load::connect(to)?, lut })
    }
}

impl Sender for ToHub {
    /// To the answer.
    fn send(&mut self, number: usize) -> anyhow::Result<()> {
        load::send(&mut self.stream, self.lut.with(number))
    }
}

/// A connection and a thread for each of many servers: what a relay without a cluster does.
pub struct Relays {
    queues: Vec<SyncSender<Arc<Vec<u8>>>>,
    threads: Vec<JoinHandle<anyhow::Result<()>>>,
    lut: Numbered,
}

impl Relays {
    pub fn start(to: impl Iterator<Item = SocketAddr>, lut: Numbered) -> anyhow::Result<Relays> {
        let mut relays = Relays { queues: Vec::new(), threads: Vec::new(), lut };
        for address in to {
            let mut stream = load::connect(address)?;
            let (queue, messages) = sync_channel::<Arc<Vec<u8>>>(MOST_BEHIND);
            relays.queues.push(queue);
            let run = move || messages.iter().try_for_each(|message| load::send(&mut stream, &message));
            relays.threads.push(std::thread::spawn(run));
        }
        Ok(relays)
    }
}

impl Sender for Relays {
    /// Before its first byte is sent.
    fn send(&mut self, number: usize) -> anyhow::Result<()> {
        let message = Arc::new(self.lut.with(number).to_vec());
        for queue in &self.queues {
            match queue.try_send(message.clone()) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => return Err(anyhow!("a server is {MOST_BEHIND} LUTs behind")),
                Err(TrySendError::Disconnected(_)) => return Err(anyhow!("a server takes no LUTs any more")),
            }
        }
        Ok(())
    }
}

impl Drop for Relays {
    fn drop(&mut self) {
        self.queues.clear();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
