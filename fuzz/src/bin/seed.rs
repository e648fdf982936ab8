//! Fills the corpora with the frames of the recorded vectors.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// As many inputs a target: more only slow the start.
const MOST: usize = 2_000;

/// Where the dumps of links go.
const LINKS: usize = 3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut frames = [
        ("receive", "rx", BTreeSet::new()),
        ("transmit", "tx", BTreeSet::new()),
        ("suppress", "tx", BTreeSet::new()),
        ("netlink", "link", BTreeSet::new()),
    ];
    let mut files: Vec<_> = fs::read_dir(here.join("../vxlan-core/tests/vectors"))?
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "jsonl")
        })
        .collect();
    files.sort();
    for file in files {
        for line in fs::read_to_string(&file)?.lines() {
            let vector: serde_json::Value = serde_json::from_str(line)?;
            for step in vector["steps"].as_array().into_iter().flatten() {
                let input = &step["input"];
                if let Some(data) = step["expect"]["link"]["info_data"].as_str() {
                    frames[LINKS].2.insert(unhex(data));
                }
                for (_, direction, frames) in &mut frames {
                    if input["direction"] == *direction
                        && let Some(frame) = input["frame"].as_str()
                        && frame.len() < 4096
                    {
                        frames.insert(unhex(frame));
                    }
                }
            }
        }
    }
    for (target, _, frames) in frames {
        let corpus = here.join("corpus").join(target);
        fs::create_dir_all(&corpus)?;
        let step = frames.len().div_ceil(MOST).max(1);
        let mut written = 0;
        for (number, frame) in frames.iter().enumerate().step_by(step) {
            // Options vary with the number, so that every configuration is seeded.
            let mut input = vec![(number * 37) as u8];
            if target == "netlink" {
                // The attributes of a dump, as those of a request.
                input = vec![1];
            }
            if target == "suppress" {
                // A neighbour that is known for good.
                input.extend([2, 128, 80]);
            }
            input.extend_from_slice(frame);
            fs::write(corpus.join(format!("vector-{number:05}")), input)?;
            written += 1;
        }
        println!("{target}: {written} inputs of {} frames", frames.len());
    }
    Ok(())
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
