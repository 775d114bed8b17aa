//! The one wrapping of every REST answer (seed 002 §3.2, chapter 6).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use types::Failure;
use utoipa::ToSchema;

/// A success: `code` is 0.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Envelope<T> {
    /// 0.
    pub code: u16,
    /// `success`, or what was done.
    pub message: String,
    /// The answer; absent where the seed has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<T>,
}

impl<T> Envelope<T> {
    /// An answer with the seed's plain `success`.
    pub fn success(data: T) -> Self {
        Self::said("success", data)
    }

    /// An answer with words of its own.
    pub fn said(message: impl Into<String>, data: T) -> Self {
        Self { code: 0, message: message.into(), data: Some(data) }
    }
}

/// An error in the seed's shape.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// 1001 to 1010.
    pub code: u16,
    /// The seed's wording of the code.
    pub message: String,
    /// `error`: what happened; `next`: what to do; and what it happened to.
    #[schema(value_type = Object)]
    pub details: Map<String, Value>,
    /// When, UTC.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Timestamp,
}

impl ErrorBody {
    /// The outer form of a failure at a moment.
    pub fn new(failure: &Failure, timestamp: Timestamp) -> Self {
        Self {
            code: failure.code.number(),
            message: failure.code.message().to_owned(),
            details: failure.details.clone(),
            timestamp,
        }
    }
}
