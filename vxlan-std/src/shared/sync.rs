//! What the two sides share: the published copy and the queue.
//!
//! With `--cfg loom` stand-ins that loom can see take the places of `arc_swap` and of the channel:
//! the models then try every order of loads, swaps and pushes.

#[cfg(not(loom))]
mod real {
    use std::sync::mpsc;

    use arc_swap::{ArcSwap, Guard};

    pub(in super::super) use std::sync::Arc;
    pub(in super::super) use std::sync::atomic::{AtomicU64, Ordering};

    /// The copy that readers use.
    #[derive(Debug)]
    pub(in super::super) struct Published<T>(ArcSwap<T>);

    /// A reader's hold on a copy.
    pub(in super::super) type Held<T> = Guard<Arc<T>>;

    impl<T> Published<T> {
        pub(in super::super) fn new(copy: Arc<T>) -> Self {
            Self(ArcSwap::new(copy))
        }

        pub(in super::super) fn load(&self) -> Held<T> {
            self.0.load()
        }

        pub(in super::super) fn swap(&self, copy: Arc<T>) -> Arc<T> {
            self.0.swap(copy)
        }
    }

    /// The end of the queue that takes.
    #[derive(Debug)]
    pub(in super::super) struct Sender<T>(mpsc::SyncSender<T>);

    impl<T> Clone for Sender<T> {
        fn clone(&self) -> Self {
            Self(self.0.clone())
        }
    }

    impl<T> Sender<T> {
        /// Whether it fitted. Never waits.
        pub(in super::super) fn push(&self, item: T) -> bool {
            self.0.try_send(item).is_ok()
        }
    }

    /// The end of the queue that gives.
    #[derive(Debug)]
    pub(in super::super) struct Receiver<T>(mpsc::Receiver<T>);

    impl<T> Receiver<T> {
        pub(in super::super) fn pop(&self) -> Option<T> {
            self.0.try_recv().ok()
        }
    }

    pub(in super::super) fn queue<T>(len: usize) -> (Sender<T>, Receiver<T>) {
        // A channel without room would only pass items from hand to hand.
        let (sender, receiver) = mpsc::sync_channel(len.max(1));
        (Sender(sender), Receiver(receiver))
    }

    /// One more turn of waiting for readers: they hold on for a packet or a batch of them.
    pub(in super::super) fn wait(turn: u32) {
        match turn {
            0..64 => std::hint::spin_loop(),
            64..128 => std::thread::yield_now(),
            _ => std::thread::sleep(std::time::Duration::from_micros(50)),
        }
    }
}

#[cfg(loom)]
mod modelled {
    use std::collections::VecDeque;

    use loom::sync::Mutex;

    pub(in super::super) use loom::sync::Arc;
    pub(in super::super) use loom::sync::atomic::{AtomicU64, Ordering};

    #[derive(Debug)]
    pub(in super::super) struct Published<T>(Mutex<Arc<T>>);

    pub(in super::super) type Held<T> = Arc<T>;

    impl<T> Published<T> {
        pub(in super::super) fn new(copy: Arc<T>) -> Self {
            Self(Mutex::new(copy))
        }

        pub(in super::super) fn load(&self) -> Held<T> {
            Arc::clone(&self.0.lock().unwrap())
        }

        pub(in super::super) fn swap(&self, copy: Arc<T>) -> Arc<T> {
            core::mem::replace(&mut self.0.lock().unwrap(), copy)
        }
    }

    #[derive(Debug)]
    struct Queue<T> {
        len: usize,
        items: Mutex<VecDeque<T>>,
    }

    #[derive(Debug)]
    pub(in super::super) struct Sender<T>(Arc<Queue<T>>);

    impl<T> Clone for Sender<T> {
        fn clone(&self) -> Self {
            Self(Arc::clone(&self.0))
        }
    }

    impl<T> Sender<T> {
        pub(in super::super) fn push(&self, item: T) -> bool {
            let mut items = self.0.items.lock().unwrap();
            let fits = items.len() < self.0.len;
            if fits {
                items.push_back(item);
            }
            fits
        }
    }

    #[derive(Debug)]
    pub(in super::super) struct Receiver<T>(Arc<Queue<T>>);

    impl<T> Receiver<T> {
        pub(in super::super) fn pop(&self) -> Option<T> {
            self.0.items.lock().unwrap().pop_front()
        }
    }

    pub(in super::super) fn queue<T>(len: usize) -> (Sender<T>, Receiver<T>) {
        let queue = Arc::new(Queue {
            len: len.max(1),
            items: Mutex::new(VecDeque::new()),
        });
        (Sender(Arc::clone(&queue)), Receiver(queue))
    }

    pub(in super::super) fn wait(_turn: u32) {
        loom::thread::yield_now();
    }
}

#[cfg(loom)]
pub(super) use modelled::*;
#[cfg(not(loom))]
pub(super) use real::*;
