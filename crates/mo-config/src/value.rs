//! One value of a file: what is expected under a key, and what was found.

use crate::{
    bytes, reach,
    tree::{Node, What},
};
use std::time::Duration;
use types::Span;

/// What is expected under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// A list of texts.
    Texts,
    /// `host:port`, or nothing.
    Address,
    /// A list of `host:port`.
    Addresses,
    /// `true` or `false`.
    Flag,
    /// A whole number, 0 or more.
    Whole,
    /// 0 to 65535.
    Port,
    /// A number of bytes, or text such as `100MB`.
    Bytes,
    /// Go's text for a time, such as `1m30s`.
    Span,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Texts(Vec<String>),
    Flag(bool),
    Whole(u64),
    Span(Duration),
}

impl Kind {
    /// In the words of someone who writes a file.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Text => "a text in quotes",
            Self::Texts => "a list of texts",
            Self::Address => "an address such as \"10.0.0.1:32001\"",
            Self::Addresses => "a list of addresses such as [\"10.0.0.1:32001\"]",
            Self::Flag => "true or false, without quotes",
            Self::Whole => "a whole number, 0 or more",
            Self::Port => "a number from 0 to 65535",
            Self::Bytes => "a number of bytes, or a size such as \"100MB\"",
            Self::Span => "a time such as \"100ms\", \"5s\", \"1m30s\" or \"2h\"",
        }
    }

    /// What a node says, if it is of this kind.
    pub(crate) fn read(self, node: &Node) -> Option<Value> {
        match (self, &node.what) {
            (Self::Texts | Self::Addresses, What::List(list)) => self.list(list),
            (Self::Flag, What::Flag(flag)) => Some(Value::Flag(*flag)),
            (Self::Whole | Self::Port | Self::Bytes, What::Whole(number)) => self.number((*number)?),
            (Self::Span, What::Whole(Some(0))) => Some(Value::Span(Duration::ZERO)),
            (Self::Text | Self::Address | Self::Bytes | Self::Span, What::Text(text)) => self.text(text),
            _ => None,
        }
    }

    fn list(self, list: &[Node]) -> Option<Value> {
        let text = |node: &Node| match &node.what {
            What::Text(text) if self == Self::Texts || reach::split(text).is_some() => Some(text.clone()),
            _ => None,
        };
        list.iter().map(text).collect::<Option<_>>().map(Value::Texts)
    }

    fn number(self, number: i64) -> Option<Value> {
        let number = u64::try_from(number).ok()?;
        (self != Self::Port || u16::try_from(number).is_ok()).then_some(Value::Whole(number))
    }

    /// Also the way defaults are read, so that the schema's text is the only place they stand.
    pub(crate) fn text(self, text: &str) -> Option<Value> {
        match self {
            Self::Text => Some(Value::Text(text.to_owned())),
            Self::Address if text.is_empty() || reach::split(text).is_some() => Some(Value::Text(text.to_owned())),
            Self::Bytes => bytes::read(text).map(Value::Whole),
            Self::Span if text == "0" => Some(Value::Span(Duration::ZERO)),
            Self::Span => text.parse::<Span>().ok().map(|span| Value::Span(span.0)),
            _ => None,
        }
    }

    /// The value a key has when no file says anything.
    pub(crate) fn default(self, text: &str) -> Option<Value> {
        match self {
            Self::Texts | Self::Addresses => Some(Value::Texts(text.split_whitespace().map(str::to_owned).collect())),
            Self::Flag => text.parse().ok().map(Value::Flag),
            Self::Whole | Self::Port => text.parse().ok().map(Value::Whole),
            _ => self.text(text),
        }
    }
}
