//! Accepts connections and answers their requests. What `axum::serve` does, and one thing more: a client that does
//! not get its headers across in time is cut off (s73), so that slow connections cannot be piled up.

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use std::{io::ErrorKind, pin::pin, time::Duration};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

/// How long a client may take over the headers of a request; a connection that is kept alive may idle as long.
pub const HEADERS: Duration = Duration::from_secs(30);

/// How long to wait when no connection can be had: the process has too many files open, and some will close.
const EXHAUSTED: Duration = Duration::from_millis(200);

/// Answers requests until `stop` is ready, then those under way; `headers` is how long their headers may take.
pub async fn answer(listener: TcpListener, app: Router, headers: Duration, stop: impl Future<Output = ()>) {
    let under_way = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(headers);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(e) if matches!(e.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {
                continue;
            }
            Err(e) => {
                tracing::error!("no connection can be accepted: {e}");
                tokio::time::sleep(EXHAUSTED).await;
                continue;
            }
        };
        _ = stream.set_nodelay(true);
        let app = app.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            app.clone().oneshot(request.map(Body::new))
        });
        let connection = under_way.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(e) = connection.await {
                tracing::debug!("a connection ended: {e}");
            }
        });
    }
    drop(listener);
    under_way.shutdown().await;
}
