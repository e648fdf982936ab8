//! VNI filters: requests, and what the lists come to.

use serde_json::{Map, Value, json};
use vxlan_core::vni_filter::{Entry, Request};

use super::answer::{Failure, unsupported};
use super::host::Host;
use super::model::VniRequest;

impl Host {
    /// Adds or deletes VNIs (`vxlan_vnifilter_process()`).
    pub(crate) fn vni_request(&mut self, request: &VniRequest) -> Result<(), Failure> {
        let at = self.named(&request.device)?;
        let id = self.devices[at].id;
        let asked = Request {
            start: request.start,
            end: request.end,
            group: request.group,
        };
        let task = match request.op.as_str() {
            "add" => self.world.add_vnis(id, &asked, self.now)?,
            "del" => self.world.remove_vnis(id, &asked)?,
            op => return Err(unsupported(format!("VNI operation {op}"))),
        };
        self.run(task)
    }

    /// The lists of all devices that have one; the recorder asked for them if the vector's own
    /// device has a filter.
    pub(crate) fn vni_lists(&self) -> Option<Value> {
        let mut lists = Map::new();
        for at in 0..self.devices.len() {
            let list: Vec<Value> = self.core(at).vnis().iter().map(line).collect();
            if !list.is_empty() {
                lists.insert(self.devices[at].name.clone(), list.into());
            }
        }
        self.wants_vni_lists.then_some(lists.into())
    }
}

/// An entry with the counters that are not zero.
fn line(entry: Entry<'_>) -> Value {
    let stats: Map<String, Value> = entry
        .stats()
        .named()
        .into_iter()
        .filter(|(_, count)| *count != 0)
        .map(|(name, count)| (name.into(), count.into()))
        .collect();
    let mut line = json!({ "start": entry.vni(), "end": entry.vni(), "stats": stats });
    if let Some(group) = entry.group() {
        line["group"] = group.to_string().into();
    }
    line
}
