//! Entries of forwarding databases are made, changed, asked for and taken away.

use vxlan_core::fdb::Mode;
use vxlan_core::netlink::neighbour::{DELETE, GET, NEW, Operation};

use crate::kernel::{CREATE_EXCL, Kernel, NEW_LINK};
use crate::links::hex;
use crate::message::{Answer, attribute, attributes, link};
use crate::ours::Ours;
use crate::random::{Random, requests};
use crate::runner::Skip;

const BULK: u16 = 0x200;
/// Where the ages of an entry are.
const CACHEINFO: u16 = 3;

/// F-01: what a request about entries is answered, and what is dumped then.
pub(crate) fn compare(name: &str) -> Result<(), Skip> {
    let mut kernel = Kernel::new(name)?;
    let mut ours = Ours::new(kernel.lower);
    nexthops(&kernel, &mut ours);
    let mut random = Random::new();
    let mut counts = [0; 2];
    while counts.iter().sum::<usize>() < requests(30_000) {
        let v6 = random.once_in(3);
        let number = device(&mut kernel, &mut ours, &mut random, 0, v6);
        for _ in 0..150 {
            let request = Wish::any(&mut random, number, kernel.lower, v6);
            let granted = request.compare(&mut kernel, &mut ours, number);
            counts[usize::from(granted)] += 1;
            compare_with(&dump(&mut kernel, number), &ours, number, None);
        }
        kernel.delete(number);
        ours.delete(number);
    }
    let [refused, granted] = counts;
    let (heard, referred) = (ours.heard, ours.referred);
    println!(
        "entries: {granted} granted, {refused} refused, {heard} told, {referred} by the reference, 0 differences"
    );
    assert!(
        heard > granted / 4,
        "the kernel told too little: {heard} of {granted}"
    );
    assert!(
        granted * 10 > refused,
        "the requests are too wild: {granted} of {refused}"
    );
    Ok(())
}

/// Nexthops that can be used and such as cannot.
pub(crate) fn nexthops(kernel: &Kernel, ours: &mut Ours) {
    use vxlan_core::fdb::NexthopError;
    for words in [
        "id 1 via 10.0.0.2 fdb",
        "id 2 via fd00::2 fdb",
        "id 5 group 1 fdb",
        "id 6 group 2 fdb",
        "id 7 blackhole",
    ] {
        kernel.namespace.ip(&format!("nexthop add {words}"));
    }
    let all = &mut ours.facts.nexthops;
    all.insert(1, Err(NexthopError::NotGroup));
    all.insert(2, Err(NexthopError::NotGroup));
    all.insert(5, Ok(false));
    all.insert(6, Ok(true));
    all.insert(7, Err(NexthopError::NotFdb));
}

/// A device for VNI 100 + `at`; its number.
pub(crate) fn device(
    kernel: &mut Kernel,
    ours: &mut Ours,
    random: &mut Random,
    at: u32,
    v6: bool,
) -> u32 {
    let external = random.once_in(3);
    let mut data = attribute(1, &(100 + at).to_ne_bytes());
    // Of its own: a socket is shared by devices of one kind only.
    let port = u16::try_from(5000 + at).unwrap();
    data.extend(attribute(15, &port.to_be_bytes()));
    if external {
        data.extend(attribute(25, &[1]));
    }
    data.extend(match v6 {
        true => attribute(17, &[0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        false => attribute(4, &[10, 0, 0, 1]),
    });
    if random.once_in(2) {
        data.extend(match v6 {
            true => attribute(16, &[0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]),
            false => attribute(2, &[10, 0, 0, 9]),
        });
    }
    if random.once_in(2) {
        data.extend(attribute(9, &random.of(&[1u32, 3, 5]).to_ne_bytes()));
    }
    data.extend(attribute(8, &random.of(&[1u32, 3, 6, 12]).to_ne_bytes()));
    let kind = attribute(1, b"vxlan");
    let info = attribute(18, &[kind, attribute(2, &data)].concat());
    let name = format!("vx{at}");
    let all = [attribute(3, &[name.as_bytes(), &[0]].concat()), info].concat();
    assert_eq!(
        kernel.ask(NEW_LINK, CREATE_EXCL, &link(0, &all)).0,
        Answer(0, None)
    );
    let (answer, id) = ours.create(&all);
    assert_eq!(answer, Answer(0, None));
    let number = kernel.number(&name);
    ours.made(number, id.unwrap());
    number
}

/// One request.
#[derive(Debug)]
pub(crate) struct Wish {
    operation: Operation,
    kind: u16,
    flags: u16,
    content: Vec<u8>,
}

impl Wish {
    pub(crate) fn any(random: &mut Random, number: u32, lower: u32, v6: bool) -> Self {
        let (operation, kind, flags) = match random.below(12) {
            0..=5 => {
                let mode = random.of(&[
                    Mode::CREATE | Mode::EXCL,
                    Mode::CREATE | Mode::APPEND,
                    Mode::CREATE | Mode::REPLACE,
                    Mode::CREATE,
                    Mode::empty(),
                    Mode::REPLACE,
                    Mode::APPEND,
                    Mode::CREATE | Mode::APPEND | Mode::REPLACE,
                ]);
                (Operation::Update(mode), NEW, mode.bits())
            }
            6..=8 => (Operation::Remove, DELETE, 0),
            9 => (Operation::Flush, DELETE, BULK),
            _ => (Operation::Get, GET, 0),
        };
        let content = content(random, operation, number, lower, v6);
        Self {
            operation,
            kind,
            flags,
            content,
        }
    }

    /// Asks both; whether it was granted.
    pub(crate) fn compare(&self, kernel: &mut Kernel, ours: &mut Ours, number: u32) -> bool {
        if ours.hides_a_remote(number, self.operation, &self.content) {
            return false;
        }
        // What it told by itself, of age or of a new device.
        drop(kernel.news(number));
        let (theirs, shown) = kernel.ask(self.kind, self.flags, &self.content);
        let (mine, entry) = ours.entries(number, self.operation, &self.content);
        // An answer to a question comes alone or with a remark, which is not the driver's.
        let shown = shown.into_iter().next();
        let text = format!("{:?} {}", self.operation, hex(&self.content));
        assert_eq!(mine, theirs, "{text}");
        let ageless = |entry: Option<Vec<u8>>| entry.map(|entry| split(&entry).0);
        assert_eq!(ageless(entry), ageless(shown), "{text}");
        let heard = kernel.news(number);
        let plain = |all: &[(u16, Vec<u8>)]| -> Vec<String> {
            let line = |(kind, entry): &(u16, Vec<u8>)| format!("{kind} {}", hex(&split(entry).0));
            all.iter().map(line).collect()
        };
        assert_eq!(plain(&ours.news(number)), plain(&heard), "{text}");
        ours.heard += heard.len();
        mine.0 == 0
    }
}

/// `struct ndmsg` and attributes, mostly sound.
fn content(
    random: &mut Random,
    operation: Operation,
    number: u32,
    lower: u32,
    v6: bool,
) -> Vec<u8> {
    let update = matches!(operation, Operation::Update(_));
    let wild = random.once_in(6);
    let mut all = vec![7, 0, 0, 0];
    if wild && random.once_in(10) {
        all[1] = 1;
    }
    let interface = if wild && random.once_in(8) {
        random.of(&[0, 9999])
    } else {
        number
    };
    all.extend(interface.to_ne_bytes());
    let state: u16 = match operation {
        Operation::Update(_) => random.of(&[
            0x80,
            0x82,
            0x02,
            0x42,
            0x02,
            0x80,
            if wild { 0x40 } else { 0x02 },
        ]),
        Operation::Flush => random.of(&[0, 0, 0x40, 0x80, if wild { 2 } else { 0 }]),
        _ => {
            if wild {
                random.of(&[0, 1])
            } else {
                0
            }
        }
    };
    all.extend(state.to_ne_bytes());
    let flags: u8 = match (wild, operation) {
        (true, _) => random.of(&[0, 2, 2, 3, 4, 6, 0x12, 0x22, 0x42, 0x82, 0xff]),
        (_, Operation::Get) => 2,
        (_, Operation::Flush) => random.of(&[2, 2, 2, 0x12, 0x82]),
        _ => random.of(&[2, 2, 2, 2, 3, 0x12, 0x42, 0x82]),
    };
    all.extend([flags, 0]);
    let macs = [
        [0; 6],
        [0xff; 6],
        [1, 0, 0x5e, 0, 0, 1],
        [2, 0, 0, 0, 0, 1],
        [2, 0, 0, 0, 0, 2],
        [2, 0, 0, 0, 0, 3],
    ];
    let usual = |number: u16| match operation {
        Operation::Get => number == 7,
        Operation::Flush => matches!(number, 1 | 6 | 7 | 11 | 13 | 16 | 17),
        _ => matches!(number, 1 | 6 | 7 | 8 | 11 | 13),
    };
    let nexthop = update && random.once_in(5);
    for number in 0..20u16 {
        let often = match number {
            2 if operation == Operation::Flush => wild && random.once_in(6),
            2 => !(wild && random.once_in(20)),
            1 if nexthop => wild && random.once_in(8),
            1 if update => !(wild && random.once_in(8)),
            13 if update => nexthop,
            _ if nexthop && matches!(number, 6..=8) => wild && random.once_in(8),
            _ if usual(number) => random.once_in(4),
            5 if operation != Operation::Flush => random.once_in(30),
            _ => wild && random.once_in(20),
        };
        if !often {
            continue;
        }
        let payload = match number {
            _ if wild && random.once_in(12) => {
                let count = random.below(20);
                random.bytes(count)
            }
            1 if v6 != (wild && random.once_in(4)) => {
                let last = random.of(&[0, 2, 3, 9]);
                let mut addr = [0; 16];
                if last != 0 {
                    addr[0] = 0xfd
                }
                addr[15] = last;
                addr.to_vec()
            }
            1 => random
                .of(&[[10, 0, 0, 2], [10, 0, 0, 3], [10, 0, 0, 9], [0; 4]])
                .to_vec(),
            2 => random.of(&macs).to_vec(),
            5 => random.of(&[5u16, 0, 4094, 4095]).to_ne_bytes().to_vec(),
            6 => random.of(&[[0x21u8, 0x18], [0x12, 0xb5], [0, 0]]).to_vec(),
            7 | 11 => random
                .of(&[100u32, 100, 0, 5, 0x100_0005])
                .to_ne_bytes()
                .to_vec(),
            8 => random
                .of(&[lower, lower, 1, 0, 9999])
                .to_ne_bytes()
                .to_vec(),
            13 => random
                .of(&[5u32, 5, 6, 1, 2, 7, 77, 0])
                .to_ne_bytes()
                .to_vec(),
            16 => random.of(&[0u16, 0x40, 0x80, 0xc0]).to_ne_bytes().to_vec(),
            17 => vec![random.of(&[0, 0x10, 0x80, 0x90])],
            _ => {
                let count = random.below(9);
                random.bytes(count)
            }
        };
        all.extend(attribute(number, &payload));
    }
    if wild && random.once_in(12) {
        all.extend([1, 2, 3]);
    }
    if wild && random.once_in(40) {
        all.truncate(random.of(&[1, 8, 11]));
    }
    all
}

/// A message without its ages, and these: used and updated, in ticks.
fn split(entry: &[u8]) -> (Vec<u8>, [u32; 2]) {
    let mut rest = entry[..12].to_vec();
    let mut ages = [0; 2];
    for (number, payload) in attributes(&entry[12..]) {
        if number == CACHEINFO {
            for (age, bytes) in ages.iter_mut().zip(payload[4..12].chunks(4)) {
                *age = u32::from_ne_bytes(bytes.try_into().unwrap());
            }
            rest.extend(attribute(number, &[]));
        } else {
            rest.extend(attribute(number, payload));
        }
    }
    (rest, ages)
}

/// The kernel's whole table, in order.
pub(crate) fn dump(kernel: &mut Kernel, number: u32) -> Vec<Vec<u8>> {
    let mut header = vec![7, 0, 0, 0];
    header.extend(number.to_ne_bytes());
    header.extend([0; 4]);
    let mut all = kernel.dump(GET, &header);
    all.retain(|entry| entry[4..8] == number.to_ne_bytes());
    all
}

/// That table and ours; the ages up to so many ticks if they count.
pub(crate) fn compare_with(theirs: &[Vec<u8>], ours: &Ours, number: u32, slack: Option<u32>) {
    let theirs: Vec<_> = theirs.iter().map(|entry| split(entry)).collect();
    let mine: Vec<_> = ours.dump(number).iter().map(|entry| split(entry)).collect();
    let show = |all: &[(Vec<u8>, [u32; 2])]| -> Vec<String> {
        let line = |(entry, ages): &(Vec<u8>, [u32; 2])| format!("{} {ages:?}", hex(entry));
        all.iter().map(line).collect()
    };
    let alike = mine.len() == theirs.len()
        && mine
            .iter()
            .zip(&theirs)
            .all(|((mine, my), (theirs, their))| {
                let near = my
                    .iter()
                    .zip(their)
                    .all(|(my, their)| slack.is_none_or(|slack| my.abs_diff(*their) <= slack));
                mine == theirs && near
            });
    assert!(
        alike,
        "ours {:#?}, the kernel's {:#?}",
        show(&mine),
        show(&theirs)
    );
}
