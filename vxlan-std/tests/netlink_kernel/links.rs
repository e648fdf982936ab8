//! Devices are made, changed and taken away.

use crate::kernel::{CREATE_EXCL, Kernel, NEW_LINK};
use crate::message::{Answer, attribute, link};
use crate::ours::Ours;
use crate::random::{Random, requests};
use crate::runner::Skip;

const NAME: &[u8] = b"vx0\0";

/// M-06 to M-15: what a link request is answered, and what is dumped then.
pub(crate) fn compare(name: &str) -> Result<(), Skip> {
    let mut kernel = Kernel::new(name)?;
    let mut ours = Ours::new(kernel.lower);
    let mut random = Random::new();
    let (mut granted, mut refused) = (0, 0);
    // A device that is there already, for what may not be twice.
    let first = message(
        &info(&[attribute(1, &7u32.to_ne_bytes())].concat()),
        b"first\0",
    );
    assert_eq!(
        kernel.ask(NEW_LINK, CREATE_EXCL, &link(0, &first)).0,
        Answer(0, None)
    );
    let (_, id) = ours.create(&first);
    let number = kernel.number("first");
    ours.made(number, id.unwrap());
    while granted + refused < requests(3000) {
        let attributes = any_link(&mut random, kernel.lower);
        let all = message(&attributes, NAME);
        let (theirs, _) = kernel.ask(NEW_LINK, CREATE_EXCL, &link(0, &all));
        let (mine, id) = ours.create(&all);
        assert_eq!(mine, theirs, "{}", hex(&all));
        let Some(id) = id else {
            refused += 1;
            continue;
        };
        granted += 1;
        let number = kernel.number("vx0");
        ours.made(number, id);
        assert_eq!(ours.shown(number), kernel.shown(number), "{}", hex(&all));
        for _ in 0..random.below(12) {
            let attributes = any_link(&mut random, kernel.lower);
            let (theirs, _) = kernel.ask(NEW_LINK, 0, &link(number, &attributes));
            let mine = ours.change(number, &attributes);
            assert_eq!(mine, theirs, "{} then {}", hex(&all), hex(&attributes));
            assert_eq!(
                ours.shown(number),
                kernel.shown(number),
                "{} then {}",
                hex(&all),
                hex(&attributes)
            );
            if mine.0 == 0 {
                granted += 1
            } else {
                refused += 1
            }
        }
        kernel.delete(number);
        ours.delete(number);
    }
    println!("links: {granted} granted, {refused} refused, 0 differences");
    assert!(
        granted * 20 > refused,
        "the requests are too wild: {granted} of {refused}"
    );
    Ok(())
}

fn message(attributes: &[u8], name: &[u8]) -> Vec<u8> {
    [&attribute(3, name)[..], attributes].concat()
}

fn info(data: &[u8]) -> Vec<u8> {
    let kind = attribute(1, b"vxlan");
    attribute(18, &[kind, attribute(2, data)].concat())
}

/// Attributes of a link request, mostly sound.
fn any_link(random: &mut Random, lower: u32) -> Vec<u8> {
    let mut all = Vec::new();
    if random.once_in(6) {
        let mac = match random.below(4) {
            0 => random.bytes(6),
            1 => vec![0; 6],
            2 => {
                let count = random.below(40);
                random.bytes(count)
            }
            _ => vec![2, 0, 0, 0, 0, 3],
        };
        all.push(attribute(1, &mac));
    }
    if random.once_in(12) {
        let mtu = random.of(&[0u32, 67, 68, 1280, 1500, 9000, 65535, 65536, u32::MAX]);
        all.push(attribute(4, &mtu.to_ne_bytes()));
    }
    if random.once_in(60) {
        all.push(attribute(4, &[1]));
    }
    let mut data = Vec::new();
    let mostly = random.of(&[2, 4, 12, 30]);
    // A configuration of one family and few contradictions more often than not.
    let v6 = random.once_in(2);
    for number in 0..37u16 {
        if random.once_in(mostly) {
            let payload = payload(random, number, lower, v6);
            if !(random.once_in(3) && matches!(number, 2 | 4 | 16 | 17)) {
                data.push(attribute(number, &payload));
            }
        }
    }
    if random.once_in(4) {
        let last = data.len();
        if last > 1 {
            data.swap(0, last - 1);
        }
    }
    let mut data = data.concat();
    match random.below(60) {
        0 => data.extend([1, 2, 3]),
        1 => data.extend([200, 0, 1, 0]),
        2 => data.extend([3, 0, 1, 0]),
        _ => {}
    }
    let kind = attribute(
        1,
        if random.once_in(100) {
            b"vxlan\0"
        } else {
            b"vxlan"
        },
    );
    let mut info = vec![kind];
    if !random.once_in(50) {
        info.push(attribute(2, &data));
    }
    all.push(attribute(18, &info.concat()));
    all.concat()
}

fn payload(random: &mut Random, number: u16, lower: u32, v6: bool) -> Vec<u8> {
    if random.once_in(80) {
        let count = random.below(20);
        return random.bytes(count);
    }
    let v4s = [
        [10, 0, 0, 1],
        [10, 0, 0, 2],
        [0; 4],
        [239, 1, 1, 1],
        [127, 0, 0, 1],
        [255; 4],
    ];
    match number {
        1 => random
            .of(&[7u32, 7, 8, 8, 8, 0, 0xff_ffff, 0x100_0000])
            .to_ne_bytes()
            .to_vec(),
        2 | 4 if v6 && !random.once_in(20) => vec![],
        16 | 17 if !v6 && !random.once_in(20) => vec![],
        2 | 4 => random.of(&v4s).to_vec(),
        16 | 17 => {
            let first = random.of(&[
                [0x20u8, 1],
                [0xfe, 0x80],
                [0xff, 2],
                [0xff, 5],
                [0, 0],
                [0xfd, 0],
            ]);
            let mut addr = [0; 16];
            addr[..2].copy_from_slice(&first);
            addr[15] = u8::from(!random.once_in(3));
            addr.to_vec()
        }
        3 => random
            .of(&[0, 1, lower, lower, lower, 9999])
            .to_ne_bytes()
            .to_vec(),
        8 | 9 => random
            .of(&[0u32, 1, 300, u32::MAX / 1000, u32::MAX])
            .to_ne_bytes()
            .to_vec(),
        10 => random
            .of(&[[0u8; 4], [0x80, 0, 0x90, 0], [0, 2, 0, 1], [1, 0, 1, 0]])
            .to_vec(),
        15 => random
            .of(&[[0u8, 0], [0x12, 0xb5], [0x21, 0x18], [0x12, 0xb6]])
            .to_vec(),
        26 => random
            .of(&[0u32, 0, 1, 0xf_ffff, u32::MAX])
            .to_be_bytes()
            .to_vec(),
        32 => random.of(&[0u32, 0, 1, 2]).to_ne_bytes().to_vec(),
        23 | 24 | 27 | 28 => vec![],
        29 => vec![random.of(&[0, 1, 2, 2, 3])],
        33 => match random.below(4) {
            0 => vec![0xff; 8],
            1 => vec![0x40, 0, 0, 0, 0, 0, 0, 0],
            2 => vec![0, 0, 0, 0, 0, 0, 0, 1],
            _ => vec![0; 8],
        },
        7 => vec![random.of(&[0, 1])],
        5 | 6 => vec![random.of(&[0, 1, 64, 255])],
        31 | 34 => vec![random.of(&[0, 0, 1, 1, 1, 2])],
        30 => vec![random.of(&[0, 0, 1])],
        _ => vec![random.of(&[0, 1, 1, 7])],
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
