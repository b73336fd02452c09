//! The in-memory transport: an AWS SDK client talks to the emulator without a socket.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::SystemTime;

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bucketproof_clock::Clock;

use crate::fault::AnswerLost;
use crate::front::Front;
use crate::wire_body::WireBody;

/// Loopback, as the address of an in-memory caller.
pub(crate) const SOURCE_IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The emulator as an HTTP client of the SDK.
#[derive(Clone, Debug)]
pub(crate) struct InMemory(pub(crate) Arc<Front>);

impl HttpConnector for InMemory {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let front = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let response = front.call(request, SOURCE_IP).await;
            if response.extensions().get::<AnswerLost>().is_some() {
                return Err(ConnectorError::io("the connection was closed before an answer came".into()));
            }
            let response = WireBody::of(response).map(SdkBody::from_body_1_x);
            HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

impl HttpClient for InMemory {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// The emulator's clock as the SDK's: signatures and credential expiry follow it, and back-off takes no real time on
/// a manual clock.
#[derive(Clone, Debug)]
pub(crate) struct SdkClock(pub(crate) Clock);

impl TimeSource for SdkClock {
    fn now(&self) -> SystemTime {
        self.0.system_time()
    }
}

impl AsyncSleep for SdkClock {
    fn sleep(&self, duration: std::time::Duration) -> Sleep {
        let clock = self.0.clone();
        Sleep::new(async move { clock.sleep(duration).await })
    }
}
