//! One device, many threads: frames are decided about without a lock while one thread changes the
//! tables.
//!
//! There are two copies of the device. Readers use the one that is published. The writer changes
//! the other one, publishes that, waits until the last reader has let go of the first, and makes
//! the same change there. A reader never waits and never sees half a change.
//!
//! What a reader learns from a packet it hands to the writer through a queue of a fixed length.
//! The times at which entries were used are written to the copy at hand; the writer brings them
//! together before it needs them. Counters belong to each thread's
//! [`Worker`](vxlan_core::Worker); [`Totals`] adds them up.
//!
//! ```
//! use std::thread;
//! use vxlan_core::{Config, Device, Ingress, Instant, Mac, Packet, Underlay, Vni, Worker, fdb};
//! use vxlan_std::shared;
//!
//! // Called twice: one for each copy.
//! let make = || {
//!     let mac = Mac::new([2, 0, 0, 0, 0, 1]);
//!     Device::new(Config::new(Vni::MIN), mac, fdb::Growable::new(), Instant::ZERO)
//! };
//! let (reader, mut writer) = shared::share(make, 1024)?;
//! writer.change(|device| device.set_up(true));
//! thread::scope(|scope| {
//!     scope.spawn(move || {
//!         let mut bytes = [0; 30]; // a VXLAN header, then a frame
//!         bytes[0] = 0x08;
//!         bytes[14..20].copy_from_slice(&[2, 0, 0, 0, 0, 9]); // inner source
//!         let mut datagram = Packet::new(&mut bytes, 0, 30).expect("it fits");
//!         let from = Underlay::new([192, 0, 2, 2].into());
//!         let ingress = reader.receive(&mut Worker::new(Instant::ZERO), &from, &mut datagram);
//!         assert!(matches!(ingress, Ingress::Deliver(_, None)));
//!     });
//! });
//! let mut learned = 0;
//! writer.learn(|_event| learned += 1);
//! assert_eq!((learned, writer.device().fdb().len()), (1, 1));
//! # Ok::<(), vxlan_core::ConfigError>(())
//! ```

mod reader;
mod sync;
mod totals;
mod writer;

pub use reader::{Current, Reader};
pub use totals::Totals;
pub use writer::Writer;

use sync::{Arc, Published};
use vxlan_core::Device;

/// Two copies of the device that `make` makes, for readers and one writer.
///
/// `queue` is how many packets with something to learn may wait for [`Writer::learn`]. What does
/// not fit is lost and counted ([`Writer::missed`]); the next packet from the same source tries
/// again.
///
/// # Errors
/// That of `make`.
pub fn share<S, E>(
    mut make: impl FnMut() -> Result<Device<S>, E>,
    queue: usize,
) -> Result<(Reader<S>, Writer<S>), E> {
    let published = Arc::new(Published::new(Arc::new(make()?)));
    let spare = Arc::new(make()?);
    let (sender, receiver) = sync::queue(queue);
    let reader = Reader::new(Arc::clone(&published), sender);
    let missed = reader.missed();
    Ok((reader, Writer::new(published, spare, receiver, missed)))
}
