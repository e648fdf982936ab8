//! The table against a map of a few plain lines: any requests in any order must get the same
//! answers, tell the same and leave the same behind.

use alloc::collections::BTreeMap;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
struct Member {
    made: u64,
    remote: Remote,
    filter: FilterMode,
    blocked: bool,
    protocol: u8,
    sources: Vec<IpAddr>,
}

/// Entries by key: when each was made, and its remotes, newest first.
#[derive(Default)]
struct Model {
    entries: BTreeMap<Key, (u64, Vec<Member>)>,
    made: u64,
    notices: Notices,
}

impl Model {
    fn member(&mut self, key: &Key, addr: IpAddr) -> Option<&mut Member> {
        let (_, members) = self.entries.get_mut(key)?;
        members.iter_mut().find(|member| member.remote.addr == addr)
    }

    fn tell(&mut self, message: Message, key: Key, member: &Member) {
        self.notices.push((message, line(key, member)));
    }

    fn insert(&mut self, key: Key, mut member: Member) {
        let made = self.made;
        let (_, members) = self.entries.entry(key).or_insert((made, Vec::new()));
        member.made = made + 1;
        members.insert(0, member);
        self.made += 2;
    }

    fn delete(&mut self, key: Key, addr: IpAddr) -> Option<Member> {
        let (_, members) = self.entries.get_mut(&key)?;
        let at = members.iter().position(|m| m.remote.addr == addr)?;
        let member = members.remove(at);
        if members.is_empty() {
            self.entries.remove(&key);
        }
        Some(member)
    }

    fn delete_told(&mut self, key: Key, addr: IpAddr) -> bool {
        let Some(member) = self.delete(key, addr) else {
            return false;
        };
        self.tell(Message::Delete, key, &member);
        for source in &member.sources {
            self.delete_told(with(key, *source), addr);
        }
        true
    }

    /// A remote without regard to sources, or `None` if the mode forbids it.
    fn put(&mut self, key: Key, new: &Member, mode: Mode) -> Result<(), Error> {
        match self.member(&key, new.remote.addr) {
            Some(_) if !mode.contains(REPLACE) => return Err(Error::Exists),
            None if !mode.contains(CREATE) => return Err(Error::NotCreated),
            Some(old) => {
                *old = Member {
                    made: old.made,
                    sources: old.sources.clone(),
                    ..new.clone()
                }
            }
            None => self.insert(key, new.clone()),
        }
        Ok(())
    }

    fn add(&mut self, request: &Request<'_>) -> Result<(), Error> {
        request.check()?;
        let key = request.key(DEFAULTS.vni);
        let one_source = key.source.is_some_and(|source| !source.is_unspecified());
        let new = Member {
            made: 0,
            remote: Remote {
                addr: request.remote.unwrap(),
                port: request.port.unwrap_or(DEFAULTS.port),
                vni: request.vni.unwrap_or(DEFAULTS.vni),
                ifindex: request.ifindex,
            },
            filter: request.filter.unwrap_or(match one_source {
                true => FilterMode::Include,
                false => FilterMode::Exclude,
            }),
            blocked: false,
            protocol: request.protocol,
            sources: Vec::new(),
        };
        let addr = new.remote.addr;
        let before = self.member(&key, addr).map(|member| member.clone());
        self.put(key, &new, request.mode)?;
        // Until the sources are done it is as it was.
        if let Some(before) = &before {
            *self.member(&key, addr).unwrap() = before.clone();
        }
        let existed = before.is_some();
        let old = before.map_or(Vec::new(), |member| member.sources);
        let mut list = old.clone();
        let forward = Member {
            filter: FilterMode::Include,
            blocked: new.filter == FilterMode::Exclude,
            ..new.clone()
        };
        let wanted = request.sources.unwrap_or_default();
        for source in wanted {
            let known = list.contains(source);
            let result = match known && !request.mode.contains(REPLACE) {
                true => Err(Error::SourceExists),
                false => self.put(with(key, *source), &forward, request.mode),
            };
            if let Err(error) = result {
                for made in list.iter().filter(|source| !old.contains(source)) {
                    self.delete_told(with(key, *made), addr);
                }
                if !existed {
                    self.delete(key, addr);
                }
                return Err(error);
            }
            let made = self.member(&with(key, *source), addr).unwrap().clone();
            self.tell(Message::New, with(key, *source), &made);
            if !known {
                list.insert(0, *source);
            }
        }
        for gone in list.iter().filter(|source| !wanted.contains(source)) {
            self.delete_told(with(key, *gone), addr);
        }
        list.retain(|source| wanted.contains(source));
        let member = self.member(&key, addr).unwrap();
        *member = Member {
            made: member.made,
            sources: list,
            ..new
        };
        let member = member.clone();
        self.tell(Message::New, key, &member);
        Ok(())
    }

    fn remove(&mut self, request: &Request<'_>) -> Result<(), Error> {
        request.check()?;
        let key = request.key(DEFAULTS.vni);
        if !self.entries.contains_key(&key) {
            return Err(Error::NotFound);
        }
        match self.delete_told(key, request.remote.unwrap()) {
            true => Ok(()),
            false => Err(Error::RemoteNotFound),
        }
    }

    /// Newest first, and each that is still there when its turn comes.
    fn flush(&mut self, filter: &Filter) {
        for line in self.lines() {
            let Line {
                key,
                remote,
                protocol,
                ..
            } = line;
            if filter.network.is_none_or(|network| network == key.vni)
                && filter.protocol.is_none_or(|wanted| wanted == protocol)
                && filter.addr.is_none_or(|addr| addr == remote.addr)
                && filter.port.is_none_or(|port| port == remote.port)
                && filter.vni.is_none_or(|vni| vni == remote.vni)
            {
                self.delete_told(key, remote.addr);
            }
        }
    }

    fn lines(&self) -> Vec<Line> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|(_, (made, _))| core::cmp::Reverse(*made));
        let lines = |(key, (_, members)): (&Key, &(u64, Vec<Member>))| {
            let key = *key;
            members
                .iter()
                .map(move |m| line(key, m))
                .collect::<Vec<_>>()
        };
        entries.into_iter().flat_map(lines).collect()
    }

    fn copies(&self, source: IpAddr, group: IpAddr, vni: u32) -> Option<Vec<IpAddr>> {
        let key = |source, group| Key { group, source, vni };
        let (all, local) = match group {
            IpAddr::V4(v4) => ([0; 4].into(), v4.octets()[..3] == [224, 0, 0]),
            IpAddr::V6(v6) => ([0; 16].into(), v6.segments()[0] & 0xff0f == 0xff02),
        };
        let mut keys = [Some(key(Some(source), group)), Some(key(None, group)), None];
        if !local {
            keys[2] = Some(key(None, all));
        }
        let (found, (_, members)) = keys
            .into_iter()
            .flatten()
            .find_map(|key| self.entries.get_key_value(&key))?;
        let any = !found.group.is_unspecified()
            && found.source.is_none_or(|source| source.is_unspecified());
        let mut usable: Vec<IpAddr> = members
            .iter()
            .filter(|m| !(m.blocked || any && m.filter == FilterMode::Include))
            .map(|m| m.remote.addr)
            .collect();
        if !usable.is_empty() {
            usable.rotate_left(1);
        }
        Some(usable)
    }
}

fn with(key: Key, source: IpAddr) -> Key {
    Key {
        source: Some(source),
        ..key
    }
}

fn line(key: Key, member: &Member) -> Line {
    Line {
        key,
        remote: member.remote,
        filter: member.filter,
        blocked: member.blocked,
        protocol: member.protocol,
        sources: member.sources.clone(),
    }
}

#[derive(Clone, Debug)]
struct Op1 {
    request: Request<'static>,
    sources: Option<Vec<IpAddr>>,
}

impl Op1 {
    fn request(&self) -> Request<'_> {
        Request {
            sources: self.sources.as_deref(),
            ..self.request
        }
    }
}

fn few(prefix: [u8; 3], count: u8) -> impl Strategy<Value = IpAddr> {
    (1..=count).prop_map(move |last| [prefix[0], prefix[1], prefix[2], last].into())
}

fn groups() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        8 => few([239, 1, 1], 3),
        1 => Just(ip("0.0.0.0")),
        1 => Just(ip("ff0e::1")),
        1 => Just(ip("::")),
    ]
}

fn sources() -> impl Strategy<Value = IpAddr> {
    prop_oneof![12 => few([10, 0, 0], 4), 1 => Just(ip("0.0.0.0")), 1 => Just(ip("fd00::1"))]
}

prop_compose! {
    fn requests()(
        group in groups(),
        source in prop::option::weighted(0.3, sources()),
        network in prop::option::weighted(0.2, 41u32..44),
        filter in prop::option::of(prop_oneof![
            Just(FilterMode::Include),
            Just(FilterMode::Exclude)
        ]),
        sources in prop::option::of(prop::collection::vec(sources(), 0..4)),
        remote in few([192, 0, 2], 3),
        port in prop::option::weighted(0.2, 0u16..3),
        vni in prop::option::weighted(0.2, 0u32..3),
        protocol in 4u8..6,
        mode in prop_oneof![
            4 => Just(CREATE),
            4 => Just(CREATE | REPLACE),
            1 => Just(REPLACE),
            1 => Just(Mode::empty()),
        ],
    ) -> Op1 {
        let request = Request {
            source,
            network,
            filter,
            remote: Some(remote),
            port,
            vni,
            protocol,
            mode,
            ..Request::new(group)
        };
        Op1 { request, sources }
    }
}

prop_compose! {
    fn filters()(
        network in prop::option::weighted(0.3, 41u32..44),
        protocol in prop::option::weighted(0.3, 4u8..6),
        addr in prop::option::weighted(0.7, few([192, 0, 2], 3)),
        port in prop::option::weighted(0.2, 0u16..3),
        vni in prop::option::weighted(0.2, 0u32..3),
    ) -> Filter {
        Filter { network, protocol, addr, port, vni }
    }
}

#[derive(Clone, Debug)]
enum Op {
    Add(Op1),
    Remove(Op1),
    Flush(Filter),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        10 => requests().prop_map(Op::Add),
        4 => requests().prop_map(Op::Remove),
        1 => filters().prop_map(Op::Flush),
    ];
    prop::collection::vec(op, 0..60)
}

fn same<M: Storage>(memory: M, ops: &[Op]) -> Result<(), TestCaseError> {
    let (mut told, mut model) = (Told::new(memory), Model::default());
    for op in ops {
        let (got, want) = match op {
            Op::Add(op) => (told.add(&op.request()), model.add(&op.request())),
            Op::Remove(op) => (told.remove(&op.request()), model.remove(&op.request())),
            Op::Flush(filter) => {
                told.flush(filter);
                model.flush(filter);
                (Ok(()), Ok(()))
            }
        };
        prop_assert_eq!(got, want, "{:?}", op);
        prop_assert_eq!(&told.notices, &model.notices, "{:?}", op);
        prop_assert_eq!(lines(&told.mdb), model.lines(), "{:?}", op);
        prop_assert_eq!(told.mdb.table().len(), model.entries.len());
        told.notices.clear();
        model.notices.clear();
    }
    for group in [
        "239.1.1.1",
        "239.1.1.2",
        "239.9.9.9",
        "224.0.0.9",
        "ff0e::1",
        "ff02::9",
    ] {
        for from in ["10.0.0.1", "10.0.0.9", "0.0.0.0", "fd00::1", "fd00::9"] {
            let (from, group) = (ip(from), ip(group));
            let copies = |entry: Entry<'_>| -> Vec<IpAddr> {
                entry
                    .copies()
                    .into_iter()
                    .flatten()
                    .map(|remote| remote.addr)
                    .collect()
            };
            let got = told.mdb.table().lookup(from, group, 42).map(copies);
            prop_assert_eq!(got, model.copies(from, group, 42));
        }
    }
    // What is emptied is as good as new.
    told.flush(&Filter::default());
    prop_assert!(told.mdb.table().is_empty() && told.mdb.table().iter().next().is_none());
    Ok(())
}

proptest! {
    /// T-28, F-01: the same answers, notifications, dumps and decisions as the model.
    #[test]
    fn t28_equals_the_model(ops in ops()) {
        same(Growable::new(), &ops)?;
        same(Fixed::<3, 128, 128, 64>::new(), &ops)?;
    }
}
