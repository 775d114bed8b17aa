//! Named clusters: configured ones, and those connected since the start; their credentials never leave.

use crate::{Caller, ClusterSettings, Control, Created, Decision, Role, hall::lock, hands, input, work};
use api::{
    ClusterInfo, ClusterJobRequest, ClusterTopology, ConnectRequest, DatabaseTarget, DiskCensus, JobRequest, Plan,
    TableSpace,
};
use mysql::Endpoint;
use types::{Address, Code, Failure};

fn unknown(name: &str, known: &[String]) -> Failure {
    let next = match known {
        [] => "connect one with POST /api/v1/clusters, or add it under database.clusters".to_owned(),
        known => format!("use one of: {}", known.join(", ")),
    };
    Failure::new(Code::InvalidArgument, format!("no cluster is named `{name}`"), next).with("cluster", name)
}

impl Control {
    /// Every cluster by name; a configured one hides one connected under the same name.
    pub(crate) fn known(&self) -> Vec<(ClusterSettings, &'static str)> {
        let settings = self.settings();
        let configured = settings.clusters.iter().cloned().map(|cluster| (cluster, "config"));
        let guests: Vec<_> = lock(&self.hall.guests).values().cloned().map(|cluster| (cluster, "session")).collect();
        let named = |name: &str| settings.clusters.iter().any(|cluster| cluster.name == name);
        configured.chain(guests.into_iter().filter(|(cluster, _)| !named(&cluster.name))).collect()
    }

    /// A cluster that is there for the caller; any other answers as one that is not there at all.
    fn cluster(&self, caller: &Caller, name: &str) -> Result<ClusterSettings, Failure> {
        let known = self.known_to(caller);
        let names = || known.iter().map(|(cluster, _)| cluster.name.clone()).collect::<Vec<_>>();
        let found = known.iter().find(|(cluster, _)| cluster.name == name);
        found.map(|(cluster, _)| cluster.clone()).ok_or_else(|| unknown(name, &names()))
    }

    /// The way in to a cluster's first member: its own password, else, for a configured one, `RECYCLER_DB_PASSWORD`. One that
    /// somebody connected gets none but its own: a password of ours must not be drawn out by a host someone made up.
    pub(crate) fn way_in(&self, cluster: &ClusterSettings) -> Endpoint {
        let settings = self.settings();
        let own = Some(cluster.password.clone()).filter(|password| !password.is_empty());
        let lent = settings.password.clone().filter(|_| settings.clusters.contains(cluster));
        let password = own.or(lent).unwrap_or_default();
        settings.database.endpoint(cluster.address.clone(), &cluster.username, password)
    }

    fn info(&self, cluster: &ClusterSettings, origin: &str) -> ClusterInfo {
        ClusterInfo {
            name: cluster.name.clone(),
            host: cluster.address.host.clone(),
            port: cluster.address.port,
            username: cluster.username.clone(),
            has_password: !self.way_in(cluster).password.is_empty(),
            origin: origin.to_owned(),
        }
    }

    /// Clusters the server knows a way into, by name. Viewer.
    #[allow(clippy::unused_async, reason = "use cases are called alike")]
    pub async fn clusters(&self, caller: &Caller) -> Result<Vec<ClusterInfo>, Failure> {
        caller.require_role(Role::Viewer, "clusters.read")?;
        Ok(self.known_to(caller).iter().map(|(cluster, origin)| self.info(cluster, origin)).collect())
    }

    /// Keeps credentials in memory under a name, after they were seen to work. Admin.
    pub async fn connect_cluster(&self, caller: &Caller, request: ConnectRequest) -> Result<ClusterInfo, Failure> {
        let (control, allowed) = (self.clone(), caller.require(Role::Admin, "clusters.connect"));
        let decision = caller.decision.clone();
        let subject = format!("{} {}:{}", request.name, request.host, request.port);
        self.audited(caller, "clusters.connect", subject, async move {
            allowed?;
            control.connect(request, &decision).await
        })
        .await
    }

    async fn connect(&self, request: ConnectRequest, decision: &Decision) -> Result<ClusterInfo, Failure> {
        input::cluster_name(&request.name)?;
        input::address(&request.host, request.port, &request.username)?;
        if self.settings().clusters.iter().any(|cluster| cluster.name == request.name) {
            return Err(input::bad("name", request.name, "a name the configuration does not use"));
        }
        let address = Address::new(request.host, request.port);
        let (name, username, password) = (request.name, request.username, request.password);
        let cluster =
            ClusterSettings { name: name.clone(), address, username, password, members: Vec::new(), group: None };
        let endpoint = self.way_in(&cluster);
        self.ask("connecting", hands::try_login(&endpoint)).await?;
        decision.begin()?;
        self.hall.keyring.keep(&cluster.address, &cluster.username, &endpoint.password);
        let info = self.info(&cluster, "session");
        lock(&self.hall.seen).remove(&name);
        lock(&self.hall.guests).insert(name, cluster);
        Ok(info)
    }

    /// Topology of a named cluster: the last one found, or a new look if `refresh` or none yet. Viewer.
    pub async fn cluster_topology(
        &self,
        caller: &Caller,
        name: &str,
        refresh: bool,
    ) -> Result<ClusterTopology, Failure> {
        caller.require_role(Role::Viewer, "clusters.read")?;
        let cluster = self.cluster(caller, name)?;
        match self.last_seen(&cluster) {
            Some(topology) if !refresh => Ok(topology),
            _ => self.ask("discovery", self.look_at(&cluster)).await,
        }
    }

    /// Discovers a named cluster and remembers what was found.
    pub(crate) async fn look_at(&self, cluster: &ClusterSettings) -> Result<ClusterTopology, Failure> {
        let settings = self.settings();
        let name = Some(cluster.name.as_str());
        let topology = hands::discover(&self.way_in(cluster), hands::DEPTH, name, &settings, self.hall.clock).await?;
        self.remember(cluster, topology.clone());
        Ok(topology)
    }

    /// Tables by space, every reachable member of a named cluster. Viewer.
    pub async fn space(&self, caller: &Caller, name: &str) -> Result<Vec<TableSpace>, Failure> {
        let members = self.members(caller, name).await?;
        let settings = self.settings();
        self.ask("the survey", hands::space(&members, &settings, self.hall.clock)).await
    }

    /// Where the disk went, every reachable member of a named cluster. Viewer.
    pub async fn census(&self, caller: &Caller, name: &str) -> Result<Vec<DiskCensus>, Failure> {
        let members = self.members(caller, name).await?;
        let settings = self.settings();
        self.ask("the census", hands::census(&members, &settings)).await
    }

    /// Ways into every reachable member.
    async fn members(&self, caller: &Caller, name: &str) -> Result<Vec<Endpoint>, Failure> {
        let topology = self.cluster_topology(caller, name, false).await?;
        let way_in = self.way_in(&self.cluster(caller, name)?);
        let foreign = self.foreign(caller);
        let reached = topology.nodes.iter().filter(|node| node.reach == api::Reach::Reached);
        let reached = reached.filter(|node| !foreign.contains(&node.address));
        Ok(reached.map(|node| way_in.at(node.address.clone())).collect())
    }

    async fn job_request(
        &self,
        caller: &Caller,
        name: &str,
        request: ClusterJobRequest,
    ) -> Result<(JobRequest, Option<String>), Failure> {
        let cluster = self.cluster(caller, name)?;
        let host = request.host.unwrap_or_else(|| cluster.address.host.clone());
        let address = Address::new(host, request.port.unwrap_or(cluster.address.port));
        if address != cluster.address {
            self.is_member(caller, name, &address).await?;
        }
        let password = self.way_in(&cluster).password;
        // One that was connected since the start has no owner, and its name may become another's in the configuration.
        let owner = self.settings().clusters.contains(&cluster).then(|| cluster.name.clone());
        let target = DatabaseTarget { host: address.host, port: address.port, username: cluster.username, password };
        Ok((JobRequest { target, config: request.config, plan_digest: request.plan_digest }, owner))
    }

    /// The cluster's credentials go to its members only, never to a host the request made up.
    async fn is_member(&self, caller: &Caller, name: &str, address: &Address) -> Result<(), Failure> {
        let topology = self.cluster_topology(caller, name, false).await?;
        let theirs = self.foreign(caller).contains(address);
        if !theirs && topology.nodes.iter().any(|node| node.address == *address) {
            return Ok(());
        }
        let error = format!("{address} is not a member of the cluster `{name}`");
        let next = "name a member as its topology shows it, or look anew with refresh=true";
        Err(Failure::new(Code::InvalidArgument, error, next).with("field", "host").at(address))
    }

    /// The request as it stands for a host, or why not; refusals are recorded, for a name is what strangers try first.
    async fn admitted(
        &self,
        caller: &Caller,
        action: &'static str,
        name: &str,
        request: ClusterJobRequest,
        allowed: Result<(), Failure>,
    ) -> Result<(JobRequest, Option<String>), Failure> {
        let outcome = match allowed {
            Ok(()) => self.job_request(caller, name, request).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = &outcome {
            self.note(caller.actor.clone(), action, format!("cluster {name}"), Some(failure)).await;
        }
        outcome
    }

    /// As [`Control::plan`], with the named cluster's credentials. Operator.
    pub async fn cluster_plan(&self, caller: &Caller, name: &str, request: ClusterJobRequest) -> Result<Plan, Failure> {
        // Before the name is looked up: a name's existence is not for everyone to learn.
        let allowed = caller.require_role(Role::Operator, "jobs.plan");
        let (request, _) = self.admitted(caller, "jobs.plan", name, request, allowed).await?;
        self.plan_allowed(caller, request, Ok(())).await
    }

    /// As [`Control::create_job`], with the named cluster's credentials. Operator.
    pub async fn create_cluster_job(
        &self,
        caller: &Caller,
        name: &str,
        request: ClusterJobRequest,
    ) -> Result<Created, Failure> {
        let allowed = caller.require_role(Role::Operator, "jobs.create");
        let (request, owner) = self.admitted(caller, "jobs.create", name, request, allowed).await?;
        let role = work::needed(&request.config, self.settings().defaults.exclude_primary);
        let allowed = caller.require_role(role, "jobs.create");
        self.create_allowed(caller, request, owner, allowed).await
    }
}
