//! The table against the reference.

use core::net::IpAddr;
use core::time::Duration;
use std::vec::Vec;

use proptest::collection::vec as list;
use proptest::prelude::*;
use proptest::sample::select;

use super::reference::{Model, Room, To};
use super::*;
use crate::IfIndex;

#[derive(Clone, Debug)]
enum Op {
    Wait(Duration),
    Update(Update, u32),
    Remove(Key, Option<Remote>, bool),
    Migrate(Key, IpAddr),
    Age(Ageing),
    Flush(Filter),
    TouchUpdated(Key),
    TouchUsed(Key),
    Count(bool),
}

/// What an operation answers with.
#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Nothing,
    Told(Result<Option<Record>, Error>),
    Gone(Result<Vec<Record>, Error>),
    Aged(Vec<Record>, Option<Instant>),
    Counted(Result<(), Full>),
}

impl Op {
    /// `look` is how many records of those that go the caller looks at.
    fn model(&self, now: Instant, look: usize, model: &mut Model) -> Answer {
        let some = |mut records: Vec<Record>| {
            records.truncate(look);
            records
        };
        match self {
            Self::Wait(_) => Answer::Nothing,
            Self::Update(update, src_vni) => Answer::Told(model.update(now, *src_vni, update)),
            Self::Remove(key, remote, strict) => {
                Answer::Gone(model.remove(key, remote.as_ref(), *strict).map(some))
            }
            Self::Migrate(key, addr) => Answer::Told(Ok(model.migrate(now, key, *addr))),
            Self::Age(ageing) => {
                let (records, next) = model.age(now, ageing);
                Answer::Aged(some(records), (look != 1).then_some(next))
            }
            Self::Flush(filter) => Answer::Gone(Ok(some(model.flush(filter)))),
            Self::TouchUpdated(key) => {
                if let Some(at) = model.at(key) {
                    model.lines[at].updated = now;
                }
                Answer::Nothing
            }
            Self::TouchUsed(key) => {
                if let Some(at) = model.at(key) {
                    model.lines[at].used = now;
                }
                Answer::Nothing
            }
            Self::Count(on) => {
                if model.full {
                    return Answer::Counted(Err(Full::Remotes));
                }
                model.counts = *on;
                Answer::Counted(Ok(()))
            }
        }
    }

    fn run<S: Storage>(&self, now: Instant, look: usize, fdb: &mut Fdb<S>) -> Answer {
        match self {
            Self::Wait(_) => Answer::Nothing,
            Self::Update(update, src_vni) if *src_vni == update.key.vni => {
                Answer::Told(fdb.update(now, update))
            }
            Self::Update(update, src_vni) => Answer::Told(fdb.update_as(now, *src_vni, update)),
            Self::Remove(key, remote, strict) => {
                let removed = match strict {
                    true => fdb.remove_strictly(key, remote.as_ref()),
                    false => fdb.remove(key, remote.as_ref()),
                };
                Answer::Gone(removed.map(|removed| removed.take(look).collect()))
            }
            Self::Migrate(key, addr) => Answer::Told(Ok(fdb.migrate(now, key, *addr))),
            Self::Age(ageing) => {
                let mut aged = fdb.age(now, *ageing);
                let records = aged.by_ref().take(look).collect();
                Answer::Aged(records, (look != 1).then(|| aged.deadline()))
            }
            Self::Flush(filter) => Answer::Gone(Ok(fdb.flush(*filter).take(look).collect())),
            Self::TouchUpdated(key) => {
                if let Some(entry) = fdb.find(key) {
                    entry.touch_updated(now);
                }
                Answer::Nothing
            }
            Self::TouchUsed(key) => {
                if let Some(entry) = fdb.find(key) {
                    entry.touch_used(now);
                }
                Answer::Nothing
            }
            Self::Count(on) => Answer::Counted(fdb.count_learned(*on)),
        }
    }
}

const MACS: [Mac; 5] = [Mac::ZERO, Mac::BROADCAST, GROUP, STATION, OTHER];
const VNIS: [u32; 2] = [VNI, u32::MAX];

fn any_key() -> impl Strategy<Value = Key> {
    (select(&MACS), select(&VNIS)).prop_map(|(mac, vni)| Key { mac, vni })
}

const ADDRS: [&str; 5] = ["0.0.0.0", "::", "192.0.2.1", "192.0.2.2", "2001:db8::1"];

fn any_addr() -> impl Strategy<Value = IpAddr> {
    select(&ADDRS).prop_map(|text| text.parse().unwrap())
}

fn any_remote() -> impl Strategy<Value = Remote> {
    (any_addr(), 0u16..2, 0u32..2, 0u32..2).prop_map(|(addr, port, vni, ifindex)| Remote {
        addr,
        port,
        vni,
        ifindex: IfIndex::new(ifindex),
    })
}

fn any_nexthop() -> impl Strategy<Value = NexthopId> {
    (1u32..3).prop_map(|id| NexthopId::new(id).unwrap())
}

fn any_target() -> impl Strategy<Value = Target> {
    let nexthop = (any_nexthop(), any::<bool>()).prop_map(|(id, usable)| Target::Nexthop {
        id,
        validity: if usable {
            Ok(())
        } else {
            Err(NexthopError::Unknown)
        },
    });
    prop_oneof![4 => any_remote().prop_map(Target::from), 1 => nexthop]
}

fn any_state() -> impl Strategy<Value = State> {
    select(&[0x02, 0x80, 0x82, 0x42, 0x8002]).prop_map(State::from_bits_retain)
}

fn any_flags() -> impl Strategy<Value = Flags> {
    select(&[0x02, 0x03, 0x12, 0x102, 0x103, 0x112, 0x82]).prop_map(Flags::from_bits_retain)
}

fn any_mode() -> impl Strategy<Value = Mode> {
    let create = any::<u16>().prop_map(|bits| Mode::from_bits_truncate(bits) | Mode::CREATE);
    prop_oneof![
        create,
        any::<u16>().prop_map(Mode::from_bits_truncate),
        Just(APPEND),
        Just(REPLACE)
    ]
}

fn any_update() -> impl Strategy<Value = Op> {
    let limit = prop_oneof![4 => Just(0), 1 => 1u32..5];
    let vni = prop_oneof![4 => Just(None), 1 => select(&VNIS).prop_map(Some)];
    let parts = (
        any_key(),
        any_state(),
        any_flags(),
        any_mode(),
        any_target(),
        limit,
        vni,
    );
    parts.prop_map(|(key, state, flags, mode, destination, limit, vni)| {
        let update = Update {
            key,
            state,
            flags,
            mode,
            destination,
            limit,
        };
        Op::Update(update, vni.unwrap_or(key.vni))
    })
}

fn any_ageing() -> impl Strategy<Value = Ageing> {
    let interval = (0u64..30).prop_map(Duration::from_secs);
    (interval, any::<bool>()).prop_map(|(interval, modern)| match modern {
        true => Ageing::new(interval),
        false => Ageing {
            clock: Clock::Used,
            exempt_state: State::PERMANENT,
            exempt_flags: Flags::empty(),
            interval,
        },
    })
}

fn any_filter() -> impl Strategy<Value = Filter> {
    let rarely = proptest::option::weighted::<BoxedStrategy<u32>>;
    let keep = prop_oneof![
        Just(Keep::Nothing),
        any_key().prop_map(Keep::Entry),
        Just(Keep::ZeroMac)
    ];
    let parts = (
        any_state(),
        select(&[0, 0x80, 0xc2]),
        any_flags(),
        select(&[0, 0x10]),
        rarely(0.2, select(&VNIS).boxed()),
        proptest::option::weighted(0.1, any_nexthop()),
        rarely(0.2, (0u32..2).boxed()),
        rarely(0.2, (0u32..2).boxed()),
        proptest::option::weighted(0.2, any_addr()),
        keep,
    );
    parts.prop_map(
        |(state, state_mask, flags, flags_mask, src_vni, nexthop, vni, port, addr, keep)| Filter {
            state: state & State::from_bits_retain(state_mask),
            state_mask: State::from_bits_retain(state_mask),
            flags: flags & Flags::from_bits_retain(flags_mask),
            flags_mask: Flags::from_bits_retain(flags_mask),
            src_vni,
            nexthop,
            vni,
            port: port.map(|port| port as u16),
            addr,
            keep,
        },
    )
}

fn any_op() -> impl Strategy<Value = Op> {
    let remote = proptest::option::of(any_remote());
    prop_oneof![
        20 => any_update(),
        4 => (0u64..12_000).prop_map(|millis| Op::Wait(Duration::from_millis(millis))),
        4 => (any_key(), remote, any::<bool>())
            .prop_map(|(key, remote, strict)| Op::Remove(key, remote, strict)),
        2 => (any_key(), any_addr()).prop_map(|(key, addr)| Op::Migrate(key, addr)),
        1 => any_ageing().prop_map(Op::Age),
        1 => any_filter().prop_map(Op::Flush),
        1 => any_key().prop_map(Op::TouchUpdated),
        1 => any_key().prop_map(Op::TouchUsed),
        1 => any::<bool>().prop_map(Op::Count),
    ]
}

/// The operations with how many of the records that go are looked at.
fn any_ops() -> impl Strategy<Value = Vec<(Op, usize)>> {
    let look = prop_oneof![3 => Just(usize::MAX), 1 => 0usize..4];
    list((any_op(), look), 1..80)
}

/// Table and model tell the same story.
fn compare<S: Storage>(
    mut fdb: Fdb<S>,
    room: Room,
    start: Instant,
    ops: &[(Op, usize)],
) -> Result<(), TestCaseError> {
    let mut model = Model::new(room);
    let mut now = start;
    for (op, look) in ops {
        if let Op::Wait(time) = op {
            now = now + *time;
        }
        // The model keeps what the table can: steps of 10 ms.
        let step = Instant::from_millis(now.as_millis() / 10 * 10);
        let got = op.run(step, *look, &mut fdb);
        model.full = match (&got, op) {
            (Answer::Told(Err(Error::Full(Full::Remotes))), _) => true,
            (Answer::Told(Ok(None)), Op::Migrate(key, _)) => {
                fdb.find(key).is_some_and(|entry| entry.nexthop().is_none())
            }
            (Answer::Counted(Err(_)), _) => true,
            _ => false,
        };
        // The operation may ask for one slot for a remote and one to count with.
        let short = match op {
            Op::Count(_) => model.tallies(),
            _ => usize::from(model.counts),
        };
        prop_assert!(
            !model.full || model.slots() + short >= model.room.remotes,
            "{:?}",
            op
        );
        model.place = match &got {
            Answer::Told(Ok(Some(record))) => {
                let place = fdb.entries().position(|entry| entry.key() == record.key);
                place.unwrap_or(usize::MAX)
            }
            _ => 0,
        };
        let known = model.lines.len();
        let want = op.model(step, *look, &mut model);
        prop_assert_eq!(got, want, "{:?}", op);
        // The newest first, unless a storage of a fixed size has no other place.
        let fixed = model.room.entries != usize::MAX;
        prop_assert!(model.place == 0 || model.lines.len() == known || fixed);

        let dump: Vec<Record> = fdb.iter().collect();
        prop_assert_eq!(&dump, &model.dump(), "{:?}", op);
        prop_assert_eq!(fdb.len(), model.lines.len());
        for addr in ADDRS.map(|text| text.parse().unwrap()) {
            let learned = fdb.learned(addr).map(|count| count as usize);
            prop_assert_eq!(
                learned,
                model.counts.then(|| model.learned(addr)),
                "{:?}",
                op
            );
        }
        prop_assert_eq!(fdb.is_empty(), model.lines.is_empty());
        for resume in 0..dump.len() {
            prop_assert!(fdb.iter().skip(resume).eq(dump[resume..].iter().copied()));
        }
        for (mac, vni) in MACS.iter().flat_map(|mac| VNIS.map(|vni| (*mac, vni))) {
            let key = Key { mac, vni };
            let found = fdb.find(&key);
            prop_assert_eq!(found.is_some(), model.at(&key).is_some());
            let Some((entry, at)) = found.zip(model.at(&key)) else {
                continue;
            };
            let line = &model.lines[at];
            prop_assert_eq!(entry.key(), line.key);
            prop_assert_eq!(entry.is_learned(), line.learned().is_some());
            let (remotes, nexthop) = match &line.to {
                To::Remotes(remotes) => (&remotes[..], None),
                To::Nexthop(id) => (&[][..], Some(*id)),
            };
            prop_assert!(entry.remotes().eq(remotes));
            prop_assert_eq!(entry.first_remote(), remotes.first());
            prop_assert_eq!(entry.nexthop(), nexthop);
        }
    }
    Ok(())
}

const UNBOUNDED: Room = Room {
    entries: usize::MAX,
    remotes: usize::MAX,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// T-03, F-01, F-02, F-04, M-03: equal to the model whatever the storage, the salt and the
    /// time, with one bucket (all collide) as with many.
    #[test]
    fn t03_f01_f02_f04_m03_equal_to_the_model(
        ops in any_ops(),
        salt: [u8; 16],
        start in prop_oneof![
            Just(0),
            0..100_000u64,
            (1u64 << 32) * 10 - 200_000..(1u64 << 32) * 10,
        ],
    ) {
        let salt = Salt::new(salt);
        let start = Instant::from_millis(start);
        let tight = Room { entries: 4, remotes: 6 };
        compare(Fdb::new(Fixed::<1, 4, 6>::new(), Salt::default()), tight, start, &ops)?;
        compare(Fdb::new(Fixed::<8, 4, 6>::new(), salt), tight, start, &ops)?;

        let mut buckets = [Bucket::EMPTY; 3];
        let mut entries = [const { EntrySlot::EMPTY }; 16];
        let mut remotes = [const { RemoteSlot::EMPTY }; 5];
        let borrowed = Borrowed::new(&mut buckets, &mut entries, &mut remotes);
        compare(Fdb::new(borrowed, salt), Room { entries: 16, remotes: 5 }, start, &ops)?;

        compare(Fdb::new(Growable::new(), salt), UNBOUNDED, start, &ops)?;
    }
}
