//! Counters of a device as `ip -statistics link` prints them.

use core::fmt::Write;

use vxlan_core::Stats;

use super::super::json::Json;

/// The heads of the columns, as wide as the columns are at least.
const WIDTHS: [usize; 6] = [10, 7, 6, 7, 7, 7];

/// The values of the six columns of the four tables.
struct Tables {
    rx: [u64; 6],
    rx_errors: [u64; 6],
    tx: [u64; 6],
    tx_errors: [u64; 6],
}

impl Tables {
    /// Nothing here misses frames or counts multicast, like the kernel's driver.
    const fn new(stats: &Stats) -> Self {
        Self {
            rx: [
                stats.rx_bytes,
                stats.rx_packets,
                stats.rx_errors,
                stats.rx_dropped,
                0,
                0,
            ],
            rx_errors: [0, stats.rx_length_errors, 0, stats.rx_frame_errors, 0, 0],
            tx: [
                stats.tx_bytes,
                stats.tx_packets,
                stats.tx_errors,
                stats.tx_dropped,
                stats.tx_carrier_errors,
                stats.collisions,
            ],
            tx_errors: [0, stats.tx_aborted_errors, 0, 0, 0, 0],
        }
    }
}

/// Two tables; with `all` four.
pub(super) fn text(stats: &Stats, all: bool) -> String {
    let tables = Tables::new(stats);
    let mut widths = WIDTHS;
    let shown = if all { 4 } else { 2 };
    let values = [tables.rx, tables.tx, tables.rx_errors, tables.tx_errors];
    for row in values.iter().take(shown) {
        for (width, value) in widths.iter_mut().zip(row) {
            *width = (*width).max(value.to_string().len());
        }
    }
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, &tables, widths, all);
    out
}

fn write(out: &mut String, tables: &Tables, widths: [usize; 6], all: bool) -> core::fmt::Result {
    let [a, b, c, d, e, f] = widths;
    let first = a - 4;
    for (name, last_two, values, errors, error_names) in [
        (
            "RX",
            ["missed", "mcast"],
            tables.rx,
            tables.rx_errors,
            ["length", "crc", "frame", "fifo", "overrun"],
        ),
        (
            "TX",
            ["carrier", "collsns"],
            tables.tx,
            tables.tx_errors,
            ["aborted", "fifo", "window", "heartbt", "transns"],
        ),
    ] {
        let [fifth, sixth] = last_two;
        writeln!(
            out,
            "    {name}: {:>first$} {:>b$} {:>c$} {:>d$} {fifth:>e$} {sixth:>f$} {:10}",
            "bytes", "packets", "errors", "dropped", ""
        )?;
        let [v0, v1, v2, v3, v4, v5] = values;
        writeln!(
            out,
            "    {v0:>a$} {v1:>b$} {v2:>c$} {v3:>d$} {v4:>e$} {v5:>f$} "
        )?;
        if all {
            let [n1, n2, n3, n4, n5] = error_names;
            let gap = a - 10;
            writeln!(
                out,
                "    {name} errors:{:gap$} {n1:>b$} {n2:>c$} {n3:>d$} {n4:>e$} {n5:>f$}",
                ""
            )?;
            let [_, v1, v2, v3, v4, v5] = errors;
            writeln!(
                out,
                "    {:a$} {v1:>b$} {v2:>c$} {v3:>d$} {v4:>e$} {v5:>f$} ",
                ""
            )?;
        }
    }
    Ok(())
}

/// The object `stats64`.
pub(super) fn json(stats: &Stats, all: bool) -> Json {
    let zero = 0_u64;
    let mut rx = vec![
        ("bytes", stats.rx_bytes.into()),
        ("packets", stats.rx_packets.into()),
        ("errors", stats.rx_errors.into()),
        ("dropped", stats.rx_dropped.into()),
        ("over_errors", zero.into()),
        ("multicast", zero.into()),
    ];
    let mut tx = vec![
        ("bytes", stats.tx_bytes.into()),
        ("packets", stats.tx_packets.into()),
        ("errors", stats.tx_errors.into()),
        ("dropped", stats.tx_dropped.into()),
        ("carrier_errors", stats.tx_carrier_errors.into()),
        ("collisions", stats.collisions.into()),
    ];
    if all {
        rx.extend([
            ("length_errors", stats.rx_length_errors.into()),
            ("crc_errors", zero.into()),
            ("frame_errors", stats.rx_frame_errors.into()),
            ("fifo_errors", zero.into()),
            ("missed_errors", zero.into()),
        ]);
        tx.extend([
            ("aborted_errors", stats.tx_aborted_errors.into()),
            ("fifo_errors", zero.into()),
            ("window_errors", zero.into()),
            ("heartbeat_errors", zero.into()),
            ("carrier_changes", zero.into()),
        ]);
    }
    Json::Object(vec![("rx", Json::Object(rx)), ("tx", Json::Object(tx))])
}
