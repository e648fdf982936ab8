//! Requests to the multicast database.

use vxlan_core::fdb::Mode;
use vxlan_core::mdb::{self, Request};

use super::answer::{Failure, unsupported};
use super::host::Host;
use super::model::MdbRequest;

impl From<mdb::Error> for Failure {
    fn from(error: mdb::Error) -> Self {
        Self::Refused(error.errno(), error.message().map(Into::into))
    }
}

impl Host {
    /// One request about `vx0`; `default` is its operation if it names none.
    pub(crate) fn mdb_request(
        &mut self,
        request: &MdbRequest,
        default: &str,
    ) -> Result<(), Failure> {
        let vx0 = self.named("vx0")?;
        let mut wanted = Request::new(request.group);
        wanted.source = request.source;
        wanted.remote = request.dst;
        wanted.port = request.port;
        wanted.vni = request.vni;
        let core = self.core_mut(vx0);
        // Other messages than those of the neighbour family are not in the vectors.
        match request.op.as_deref().unwrap_or(default) {
            "add" => core.mdb_add(&wanted.mode(Mode::CREATE | Mode::REPLACE), &mut |_, _| {})?,
            "del" => core.mdb_remove(&wanted, &mut |_, _| {})?,
            other => return Err(unsupported(format!("MDB operation {other}"))),
        }
        Ok(())
    }
}
