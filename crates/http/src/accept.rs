//! Time limits of a connection: a head that does not come, an answer nobody takes, a connection nobody uses.

use crate::HttpSettings;
use axum::{
    body::Body,
    http::{Request, Response, StatusCode},
};
use axum_server::accept::Accept;
use futures::future::BoxFuture;
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// The configured limits.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// From the first byte of a request to the end of its head.
    read: Duration,
    /// For a piece of an answer to be taken.
    write: Duration,
    /// Without a request.
    idle: Duration,
}

/// What the stream must know of the requests on it.
#[derive(Debug, Default)]
struct Traffic {
    /// Handlers at work: while there are any, silence is theirs and not the client's.
    answering: AtomicUsize,
    /// It has become a WebSocket, which keeps its own time.
    upgraded: AtomicBool,
    /// Bytes came since the last answer: a head has begun.
    begun: AtomicBool,
}

/// An acceptor that puts limits on what the one inside accepts.
#[derive(Debug, Clone)]
pub(crate) struct Timed<A> {
    inner: A,
    limits: Limits,
}

impl<A> Timed<A> {
    pub(crate) fn new(inner: A, settings: &HttpSettings) -> Self {
        let limits = Limits { read: settings.read_timeout, write: settings.write_timeout, idle: settings.idle_timeout };
        Self { inner, limits }
    }
}

impl<A, I, S> Accept<I, S> for Timed<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = TimedStream<A::Stream>;
    type Service = Counted<A::Service>;
    type Future = BoxFuture<'static, io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let (limits, accepted) = (self.limits, self.inner.accept(stream, service));
        Box::pin(async move {
            let (stream, service) = accepted.await?;
            let traffic = Arc::new(Traffic::default());
            Ok((TimedStream::new(stream, limits, Arc::clone(&traffic)), Counted { inner: service, traffic }))
        })
    }
}

/// A service that tells its connection when it is at work.
#[derive(Debug, Clone)]
pub(crate) struct Counted<S> {
    inner: S,
    traffic: Arc<Traffic>,
}

/// Counts one request for as long as its handler runs.
struct Turn(Arc<Traffic>);

impl Turn {
    fn new(traffic: &Arc<Traffic>) -> Self {
        traffic.answering.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(traffic))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.begun.store(false, Ordering::Release);
        self.0.answering.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<S, B> tower_service::Service<Request<B>> for Counted<S>
where
    S: tower_service::Service<Request<B>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let turn = Turn::new(&self.traffic);
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
                turn.0.upgraded.store(true, Ordering::Release);
            }
            Ok(answer)
        })
    }
}

/// A stream that ends when it is silent for too long.
pub(crate) struct TimedStream<I> {
    inner: I,
    limits: Limits,
    traffic: Arc<Traffic>,
    reading: Option<(bool, Pin<Box<Sleep>>)>,
    writing: Option<Pin<Box<Sleep>>>,
}

fn late(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

impl<I> TimedStream<I> {
    fn new(inner: I, limits: Limits, traffic: Arc<Traffic>) -> Self {
        Self { inner, limits, traffic, reading: None, writing: None }
    }

    /// Waits for the client: nothing to wait for while a handler works, else idle or, once a head has begun, reading.
    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let traffic = &self.traffic;
        if traffic.answering.load(Ordering::Acquire) > 0 || traffic.upgraded.load(Ordering::Acquire) {
            self.reading = None;
            return Poll::Pending;
        }
        let begun = traffic.begun.load(Ordering::Acquire);
        if self.reading.as_ref().is_none_or(|(phase, _)| *phase != begun) {
            let span = if begun { self.limits.read } else { self.limits.idle };
            self.reading = Some((begun, Box::pin(sleep(span))));
        }
        let Some((_, timer)) = self.reading.as_mut() else { return Poll::Pending };
        ready!(timer.as_mut().poll(context));
        Poll::Ready(late(if begun { "the request did not arrive in time" } else { "no request came in time" }))
    }

    /// Waits for the client to take what is written.
    fn poll_stall(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let span = self.limits.write;
        let timer = self.writing.get_or_insert_with(|| Box::pin(sleep(span)));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(late("the answer was not taken in time"))
    }

    fn timed<T>(&mut self, done: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.writing = None;
            return done;
        }
        self.poll_stall(context).map(Err)
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for TimedStream<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if read.is_ready() {
            if buffer.filled().len() > before {
                self.traffic.begun.store(true, Ordering::Release);
            }
            return read;
        }
        self.poll_silence(context).map(Err)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for TimedStream<I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.timed(done, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.inner).poll_flush(context);
        self.timed(done, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.inner).poll_shutdown(context);
        self.timed(done, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.inner).poll_write_vectored(context, bytes);
        self.timed(done, context)
    }
}
