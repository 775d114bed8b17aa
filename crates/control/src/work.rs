//! Use cases that plan, enlist and stop jobs.

use crate::{Caller, Control, Role, approval, hands, input};
use api::{ClusterTopology, DiscoverRequest, JobConfig, JobCreated, JobRequest, Plan, RecycleConfig, RecycleDocument};
use mysql::Endpoint;
use types::{Address, Code, Failure, JobId, Secret};

/// What creating a job came to.
#[derive(Debug, Clone)]
pub enum Created {
    /// It is on the list.
    Job(JobCreated),
    /// `dry_run` was set: only this, and nothing was changed.
    Plan(Box<Plan>),
}

/// The right a job needs: letting one touch a writer takes the highest.
pub(crate) fn needed(config: &JobConfig, defaults: bool) -> Role {
    if config.exclude_primary.unwrap_or(defaults) { Role::Operator } else { Role::Admin }
}

impl Control {
    /// Works out the topology around one member. Operator.
    pub async fn discover(&self, caller: &Caller, request: DiscoverRequest) -> Result<ClusterTopology, Failure> {
        let allowed = caller.require(Role::Operator, "topology.discover");
        let subject = format!("{}:{}", request.host, request.port);
        let outcome = match allowed {
            Ok(()) => self.discover_checked(request).await,
            Err(failure) => Err(failure),
        };
        self.note(caller.actor.clone(), "topology.discover", subject, outcome.as_ref().err()).await;
        outcome
    }

    async fn discover_checked(&self, request: DiscoverRequest) -> Result<ClusterTopology, Failure> {
        input::address(&request.host, request.port, &request.username)?;
        if request.max_depth == 0 || request.max_depth > 1000 {
            return Err(input::bad("max_depth", request.max_depth, "1 to 1000 hops"));
        }
        let address = Address::new(request.host, request.port);
        let endpoint = self.endpoint(&address, &request.username, &request.password);
        let settings = self.settings();
        let known = settings.clusters.iter().find(|cluster| cluster.address == address);
        let name = known.map(|cluster| cluster.name.as_str());
        self.ask("discovery", hands::discover(&endpoint, request.max_depth, name, &settings, self.hall.clock)).await
    }

    /// A way in with the request's password. Without one, only a configured cluster that begins at this very member
    /// lends its own: a password of ours must not be drawn out by a host someone made up.
    fn endpoint(&self, address: &Address, username: &str, given: &Secret) -> Endpoint {
        let settings = self.settings();
        let here = |cluster: &&crate::ClusterSettings| cluster.address == *address && cluster.username == username;
        match settings.clusters.iter().find(here) {
            Some(cluster) if given.is_empty() => self.way_in(cluster),
            _ => settings.database.endpoint(address.clone(), username, given.clone()),
        }
    }

    /// What a job would do; changes nothing. Operator.
    pub async fn plan(&self, caller: &Caller, request: JobRequest) -> Result<Plan, Failure> {
        let allowed = caller.require(Role::Operator, "jobs.plan");
        self.plan_allowed(caller, request, allowed).await
    }

    /// [`Control::plan`] for whoever asked for a host, or for a cluster that is there for them.
    pub(crate) async fn plan_allowed(
        &self,
        caller: &Caller,
        request: JobRequest,
        allowed: Result<(), Failure>,
    ) -> Result<Plan, Failure> {
        let subject = format!("{}:{}", request.target.host, request.target.port);
        let outcome = match allowed {
            Ok(()) => self.planned(caller, &request).await.map(|(_, plan)| plan),
            Err(failure) => Err(failure),
        };
        self.note(caller.actor.clone(), "jobs.plan", subject, outcome.as_ref().err()).await;
        outcome
    }

    async fn planned(&self, caller: &Caller, request: &JobRequest) -> Result<(RecycleConfig, Plan), Failure> {
        let settings = self.settings();
        let config = input::resolve(request, &settings)?;
        let address = Address::new(config.target.host.clone(), config.target.port);
        let endpoint = self.endpoint(&address, &config.target.username, &request.target.password);
        let store = self.hall.store.clone();
        let plan = hands::plan(&endpoint, &config, &settings, store, self.hall.clock);
        let plan = self.ask("planning", plan).await?;
        self.stays_home(caller, &plan)?;
        Ok((config, plan))
    }

    /// Plans and enlists a job, or only plans if `dry_run`. Operator; admin if `exclude_primary` is false.
    pub async fn create_job(&self, caller: &Caller, request: JobRequest) -> Result<Created, Failure> {
        let role = needed(&request.config, self.settings().defaults.exclude_primary);
        let allowed = caller.require(role, "jobs.create");
        self.create_allowed(caller, request, None, allowed).await
    }

    /// [`Control::create_job`] for whoever named a host, or a cluster that is there for them and that owns the job from now on.
    pub(crate) async fn create_allowed(
        &self,
        caller: &Caller,
        request: JobRequest,
        owner: Option<String>,
        allowed: Result<(), Failure>,
    ) -> Result<Created, Failure> {
        if request.config.dry_run == Some(true) {
            // Looking takes no more than planning does, whatever the job itself would take.
            let allowed = match owner {
                Some(_) => caller.require_role(Role::Operator, "jobs.plan"),
                None => caller.require(Role::Operator, "jobs.plan"),
            };
            let plan = Box::pin(self.plan_allowed(caller, request, allowed)).await;
            return plan.map(|plan| Created::Plan(Box::new(plan)));
        }
        let subject = format!("{}:{}", request.target.host, request.target.port);
        let (control, asker) = (self.clone(), caller.clone());
        self.audited(caller, "jobs.create", subject, async move {
            allowed?;
            Box::pin(control.enlist(request, owner, &asker)).await.map(Created::Job)
        })
        .await
    }

    /// Plans, remembers the password the plan was made with, and hands the job to the workers.
    async fn enlist(&self, request: JobRequest, owner: Option<String>, asker: &Caller) -> Result<JobCreated, Failure> {
        let runner = self.hall.runner.get().ok_or_else(|| {
            Failure::new(Code::JobCreateFailed, "this process runs no jobs", "start the server, or use `recycle`")
        })?;
        let (config, plan) = self.planned(asker, &request).await?;
        hands::refused(&plan)?;
        agreed(request.plan_digest.as_deref(), &plan)?;
        let target = &request.target;
        let address = Address::new(target.host.clone(), target.port);
        let endpoint = self.endpoint(&address, &target.username, &target.password);
        self.hall.keyring.keep(&address, &target.username, &endpoint.password);
        let mut document = RecycleDocument::new(config, plan, self.hall.clock.now());
        document.job.cluster = owner;
        approval::mark(&mut document, &self.settings(), &asker.actor);
        let body = serde_json::to_value(document).map_err(|error| {
            Failure::new(Code::JobCreateFailed, format!("the plan cannot be stored: {error}"), "report this")
        })?;
        asker.decision.begin()?;
        let record = runner.submit(reclaim::trade::KIND, body).await?;
        Ok(JobCreated { job_id: record.id, status: record.status, created_at: record.created_at })
    }

    /// Asks a job to stop; its statement is killed and its table left whole. 1007 if it is final. Operator.
    pub async fn cancel(&self, caller: &Caller, id: &JobId) -> Result<(), Failure> {
        let (control, allowed) = (self.clone(), caller.require_role(Role::Operator, "jobs.cancel"));
        let (id, asker, decision) = (id.clone(), caller.clone(), caller.decision.clone());
        self.audited(caller, "jobs.cancel", id.to_string(), async move {
            allowed?;
            decision.begin()?;
            control.stop(&asker, &id).await
        })
        .await
    }

    async fn stop(&self, caller: &Caller, id: &JobId) -> Result<(), Failure> {
        let record = self.stored(caller, id).await?;
        if let Some(runner) = self.hall.runner.get() {
            return runner.cancel(id).await.map(drop);
        }
        if record.status.is_final() {
            let error = format!("job {id} is {} already", record.status.as_str());
            let failure = Failure::new(Code::JobState, error, "only pending and running jobs can be cancelled");
            return Err(failure.with("job_id", id.as_str()).with("status", record.status.as_str()));
        }
        Ok(self.hall.store.request_cancel(id).await?)
    }
}

/// What was agreed to must be what would be done now.
fn agreed(digest: Option<&str>, plan: &Plan) -> Result<(), Failure> {
    match digest {
        Some(digest) if digest != plan.digest => {
            let next = "make the plan again, look at it, and start the job with its digest";
            Err(Failure::new(Code::JobState, "what would be done now is not the plan that was agreed to", next)
                .with("plan_digest", plan.digest.clone()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touching_a_writer_takes_an_admin() {
        let asked = |exclude| JobConfig { exclude_primary: exclude, ..JobConfig::default() };
        assert_eq!(needed(&asked(Some(true)), true), Role::Operator);
        assert_eq!(needed(&asked(Some(false)), true), Role::Admin);
        assert_eq!(needed(&asked(None), true), Role::Operator);
        assert_eq!(needed(&asked(None), false), Role::Admin, "the default counts as asked for");
    }
}
