//! Nexthop objects as `ip nexthop` prints them.

use vxlan_core::fdb::NexthopId;
use vxlan_std::nexthops::{Leg, Nexthop, Nexthops, NexthopsError};

use super::super::json::{Array, Json};
use super::super::options::Options;
use super::super::words::gateway_is_shown;

/// One object.
pub(super) fn one(
    nexthops: &Nexthops,
    id: NexthopId,
    options: Options,
) -> Result<String, NexthopsError> {
    let nexthop = nexthops.get(id).ok_or(NexthopsError::NotFound)?;
    Ok(all([(id, nexthop)].into_iter(), options))
}

/// Several.
pub(super) fn all<'n>(
    nexthops: impl Iterator<Item = (NexthopId, &'n Nexthop)>,
    options: Options,
) -> String {
    let mut out = String::new();
    if options.json {
        let mut array = Array::start(&mut out, options.pretty);
        for (id, nexthop) in nexthops {
            array.push(&mut out, &Json::Object(fields(id, nexthop, options)));
        }
        array.end(&mut out);
    } else {
        for (id, nexthop) in nexthops {
            out.push_str(&text(id, nexthop, options));
        }
    }
    out
}

fn text(id: NexthopId, nexthop: &Nexthop, options: Options) -> String {
    let mut line = format!("id {id}");
    match nexthop {
        Nexthop::Gateway(gateway) => {
            if gateway_is_shown(gateway) {
                line.push_str(&format!(" via {gateway}"));
            }
            line.push_str(" scope link");
        }
        Nexthop::Group(legs) => {
            let leg = |Leg { id, weight }: &Leg| match weight {
                1 => id.to_string(),
                _ => format!("{id},{weight}"),
            };
            let legs: Vec<String> = legs.iter().map(leg).collect();
            line.push_str(&format!(" group {}", legs.join("/")));
            if options.details {
                line.push_str(" scope global");
            }
        }
    }
    if options.details {
        line.push_str(" proto unspec");
    }
    line.push_str(" fdb\n");
    line
}

fn fields(id: NexthopId, nexthop: &Nexthop, options: Options) -> Vec<(&'static str, Json)> {
    let number = |number: u32| Json::Number(number.into());
    let mut fields = vec![("id", number(id.get()))];
    match nexthop {
        Nexthop::Gateway(gateway) => {
            if gateway_is_shown(gateway) {
                fields.push(("gateway", Json::Text(gateway.to_string())));
            }
            fields.push(("scope", Json::from("link")));
        }
        Nexthop::Group(legs) => {
            let leg = |leg: &Leg| {
                let mut fields = vec![("id", number(leg.id.get()))];
                if leg.weight != 1 {
                    fields.push(("weight", number(leg.weight.into())));
                }
                Json::Object(fields)
            };
            fields.push(("group", Json::List(legs.iter().map(leg).collect())));
            if options.details {
                fields.push(("scope", Json::from("global")));
            }
        }
    }
    if options.details {
        fields.push(("protocol", Json::from("unspec")));
    }
    fields.extend([("flags", Json::List(Vec::new())), ("fdb", Json::Null)]);
    fields
}
