//! The user tier in front of any app (`UPSTREAM_URL`): the crate `upstream`, which knows the app, and `lastcall`, which knows the sessions.

mod errors;
mod exposure;
mod metrics;
mod pages;
mod proxy;
mod tunnel;

use axum::Router;
use futures_util::Stream;
use lastcall::{Config, Lastcall, Listeners, PlainPages, ServeError, Signal};
use tokio::sync::watch;
use upstream::{Availability, Upstream};

use crate::options::UpstreamOptions;
use metrics::Metrics;
use pages::PageScripts;
use proxy::Proxy;

/// Serves the app until a signal has come and the drain that it begins is over.
///
/// # Errors
/// Where a part of the service fails; requests cannot cause this.
pub async fn serve(
    options: UpstreamOptions,
    config: Config,
    switch: watch::Receiver<bool>,
    listeners: Listeners,
    signals: impl Stream<Item = Signal> + Send + 'static,
) -> Result<(), ServeError> {
    exposure::warn_if_reachable(&options.address).await;
    let availability = Availability::start(options.address.clone(), options.timeouts.connect);
    let pages = PlainPages::new(config.route_prefix.clone());
    let pod = config.pod.clone();
    let builder = Lastcall::builder(pod.clone())
        .with_config(config)
        .foreign_app()
        .readiness_of("upstream", availability.subscribe())
        .pages(pages.clone())
        .histogram_buckets(metrics::REQUEST_SECONDS, metrics::BUCKETS)
        .maintenance(switch);
    let builder = match options.logout_redirect {
        Some(path) => builder.logout_redirect(path),
        None => builder,
    };
    let lastcall = builder.build();
    let metrics = Metrics::new(&lastcall.recorder(), availability.subscribe());
    let check = availability.checker();
    let upstream = Upstream::new(options.address.clone(), options.timeouts, {
        let metrics = metrics.clone();
        move |kind| {
            metrics.error(kind.as_str());
            check();
        }
    });
    let up = metrics.follow_availability();
    let proxy = Proxy::new(&pod, upstream, metrics, pages, PageScripts::new(&lastcall, options.injects_script));
    let app: Router = proxy.router();
    let served = lastcall.serve(app, listeners, signals).await;
    up.abort();
    served
}
