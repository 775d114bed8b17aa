//! Jobs and plans (seed 002 §3.2.2–3.2.5).

use super::Who;
use crate::{
    answer::{Answer, Failed, success},
    body::{Body, Name, OptionalBody, Query},
    door::Door,
};
use api::{ApproveRequest, Envelope, JobCreated, JobList, JobQuery, JobRequest, Plan, RecycleJob};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use control::Created;
use types::JobId;

/// 201 for a job, 200 for a dry run.
pub(crate) fn created(made: Created) -> Response {
    match made {
        Created::Job(job) => {
            (StatusCode::CREATED, Json(Envelope::said("job created successfully", job))).into_response()
        }
        Created::Plan(plan) => success(*plan).into_response(),
    }
}

/// Plans and enlists a job; only plans if `config.dry_run`.
#[utoipa::path(post, path = "/api/v1/recycle/jobs", tag = "recycle", request_body = JobRequest,
    responses((status = 201, body = Envelope<JobCreated>), (status = 200, description = "dry run", body = Envelope<Plan>),
        (status = 400, body = api::ErrorBody), (status = 403, body = api::ErrorBody), (status = 408, body = api::ErrorBody),
        (status = 500, body = api::ErrorBody), (status = 503, body = api::ErrorBody)))]
pub(crate) async fn create(
    State(door): State<Door>,
    Who(caller): Who,
    Body(request): Body<JobRequest>,
) -> Result<Response, Failed> {
    Ok(created(door.control().create_job(&caller, request).await?))
}

/// Jobs, newest first.
#[utoipa::path(get, path = "/api/v1/recycle/jobs", tag = "recycle", params(JobQuery),
    responses((status = 200, body = Envelope<JobList>), (status = 400, body = api::ErrorBody), (status = 403, body = api::ErrorBody)))]
pub(crate) async fn list(State(door): State<Door>, Who(caller): Who, Query(query): Query<JobQuery>) -> Answer<JobList> {
    Ok(success(door.control().jobs(&caller, query).await?))
}

/// One job.
#[utoipa::path(get, path = "/api/v1/recycle/jobs/{job_id}", tag = "recycle", params(("job_id" = String, Path)),
    responses((status = 200, body = Envelope<RecycleJob>), (status = 403, body = api::ErrorBody), (status = 404, body = api::ErrorBody)))]
pub(crate) async fn show(State(door): State<Door>, Who(caller): Who, Name(id): Name) -> Answer<RecycleJob> {
    Ok(success(door.control().job(&caller, &JobId(id)).await?))
}

/// Stops a job; its statement is killed and its table left whole.
#[utoipa::path(delete, path = "/api/v1/recycle/jobs/{job_id}", tag = "recycle", params(("job_id" = String, Path)),
    responses((status = 200, description = "asked to stop"), (status = 400, description = "final already", body = api::ErrorBody),
        (status = 403, body = api::ErrorBody), (status = 404, body = api::ErrorBody)))]
pub(crate) async fn cancel(State(door): State<Door>, Who(caller): Who, Name(id): Name) -> Answer<()> {
    door.control().cancel(&caller, &JobId(id)).await?;
    Ok(Json(Envelope { code: 0, message: "job cancelled successfully".to_owned(), data: None }))
}

/// Lets a job that needs two people begin; for another admin than the one who asked.
#[utoipa::path(post, path = "/api/v1/recycle/jobs/{job_id}/approve", tag = "recycle", params(("job_id" = String, Path)),
    request_body = Option<ApproveRequest>,
    responses((status = 200, body = Envelope<RecycleJob>),
        (status = 400, description = "final, in need of nobody, or another plan", body = api::ErrorBody),
        (status = 403, description = "no admin, or the one who asked", body = api::ErrorBody),
        (status = 404, body = api::ErrorBody)))]
pub(crate) async fn approve(
    State(door): State<Door>,
    Who(caller): Who,
    Name(id): Name,
    OptionalBody(request): OptionalBody<ApproveRequest>,
) -> Answer<RecycleJob> {
    let job = door.control().approve(&caller, &JobId(id), request).await?;
    Ok(Json(Envelope::said("job approved successfully", job)))
}

/// The plan a job carries out.
#[utoipa::path(get, path = "/api/v1/recycle/jobs/{job_id}/plan", tag = "recycle", params(("job_id" = String, Path)),
    responses((status = 200, body = Envelope<Plan>), (status = 403, body = api::ErrorBody), (status = 404, body = api::ErrorBody)))]
pub(crate) async fn job_plan(State(door): State<Door>, Who(caller): Who, Name(id): Name) -> Answer<Plan> {
    Ok(success(door.control().job_plan(&caller, &JobId(id)).await?))
}

/// What a job would do; changes nothing. The twin of `recycle --dry-run`.
#[utoipa::path(post, path = "/api/v1/recycle/plan", tag = "recycle", request_body = JobRequest,
    responses((status = 200, body = Envelope<Plan>),
        (status = 400, body = api::ErrorBody), (status = 403, body = api::ErrorBody), (status = 408, body = api::ErrorBody),
        (status = 500, body = api::ErrorBody), (status = 503, body = api::ErrorBody)))]
pub(crate) async fn plan(State(door): State<Door>, Who(caller): Who, Body(request): Body<JobRequest>) -> Answer<Plan> {
    Ok(success(door.control().plan(&caller, request).await?))
}
