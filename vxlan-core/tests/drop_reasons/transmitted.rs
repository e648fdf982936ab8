//! How a frame can be lost on its way out.

use super::*;

/// What ends on its way out.
pub(super) fn transmitted() -> Vec<Case> {
    use DropReason as D;
    const NONE: &[&str] = &[];
    let dropped: &[&str] = &["tx_dropped"];
    let here = Some((NETWORK, &["tx_drops"][..]));
    let failed = Some((NETWORK, &["tx_errors"][..]));
    let refused = Some((NETWORK, &["tx_packets"][..]));
    // Linux looks at these before it knows the VNI.
    let nowhere = Some((0, &["tx_drops"][..]));
    let send = |asked: &Asked| Run::new(filter()).transmit(asked);
    let no_route = |error| {
        send(&Asked {
            route: Err(error),
            ..Asked::new()
        })
    };
    let mut by_nexthop = Asked::bridged();
    let nexthop = NexthopId::new(1);
    by_nexthop
        .info
        .iter_mut()
        .for_each(|info| info.nexthop = nexthop);
    let mut whole = Asked::new();
    whole
        .info
        .iter_mut()
        .for_each(|info| info.dont_fragment = true);
    whole.route = Ok(Route::new(ip("192.0.2.1"), 68));
    let cut = Asked {
        frame: frame(mac(8), mac(9), 0x0800, &[0; 19]),
        ..Asked::new()
    };
    let gso = Some(Gso {
        kind: GsoKind::TcpV4,
        size: 100,
    });
    let other_family = Ok(Route::new(ip("2001:db8::1"), 1500));
    let unknown = Asked {
        protocol: EtherType::new(0x88b5),
        ..Asked::new()
    };
    let mut bypass = Run::new(config());
    bypass.device.drop_local(&mut bypass.worker);
    let any = Run::new(filter()).with_entry(mac(8), "0.0.0.0");
    vec![
        case(D::NoRemote, dropped, here, send(&Asked::bridged())),
        case(
            D::AnyRemote,
            dropped,
            nowhere,
            any.transmit(&Asked::bridged()),
        ),
        case(D::NoNexthopPath, dropped, here, send(&by_nexthop)),
        case(D::InnerHeaderTruncated, dropped, nowhere, send(&cut)),
        case(
            D::NoRoute,
            &["tx_errors", "tx_carrier_errors"],
            failed,
            no_route(RouteError::Unreachable),
        ),
        case(
            D::RouteLoop,
            &["tx_errors", "collisions"],
            failed,
            no_route(RouteError::Loop),
        ),
        case(
            D::NoSocket,
            &["tx_errors"],
            failed,
            no_route(RouteError::NoSocket),
        ),
        case(D::LocalVniNotFound, &["tx_errors"], None, bypass),
        case(
            D::Unsegmentable,
            dropped,
            refused,
            send(&Asked {
                gso,
                ..Asked::new()
            }),
        ),
        case(D::PacketTooBig, dropped, refused, send(&whole)),
        case(
            D::NoHeadroom,
            &["tx_errors"],
            failed,
            send(&Asked {
                headroom: 35,
                ..Asked::new()
            }),
        ),
        case(
            D::AddressFamily,
            &["tx_errors"],
            failed,
            send(&Asked {
                route: other_family,
                ..Asked::new()
            }),
        ),
        case(
            D::NoTunnelInfo,
            NONE,
            None,
            send(&Asked {
                info: None,
                ..Asked::new()
            }),
        ),
        case(
            D::UnknownProtocol,
            &["tx_errors"],
            failed,
            Run::new(raw()).transmit(&unknown),
        ),
        case(
            D::ArpTruncated,
            dropped,
            here,
            Run::new(filter().proxy(true)).transmit(&Asked {
                frame: frame(Mac::BROADCAST, mac(9), 0x0806, &[0, 1, 8, 0]),
                ..Asked::bridged()
            }),
        ),
    ]
}
