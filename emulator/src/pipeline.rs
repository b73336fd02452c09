//! The life of a request, top to bottom.
//!
//! receive, classify, authenticate, verify the body, decode, authorize, apply, encode, journal. Faults stand around
//! it, never inside a decision. The steps of decode to encode meet in [`Exchange::perform`], which every service
//! calls with its operation.

mod for_codec;
mod website;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bucketproof_clock::Clock;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, DATE, SERVER};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt;
use s3s::service::{S3Service, S3ServiceBuilder};

use self::for_codec::for_codec;
use crate::addressing::{Domains, Host};
use crate::admin::{self, AdminToken};
use crate::authenticate::{self, Authenticated, Decoded, sha256_hex};
use crate::control::Control;
use crate::delivery::certificate_answer;
use crate::error::{AwsError, Protocol};
use crate::exchange::{Address, Exchange, Outcome};
use crate::fault::Matched;
use crate::head::Head;
use crate::iam;
use crate::ids::RequestIds;
use crate::instant;
use crate::journal::Entry;
use crate::kms;
use crate::operation::Op;
use crate::query;
use crate::s3::{
    Form, PUT_BYTES_MAX, PreflightRequest, S3Codec, answer_control, check_headers, check_subresource,
    cors_headers, is_control, is_form_post, is_preflight, post_object, reword, with_display_names,
};
use crate::service::Service;
use crate::sns;
use crate::sqs;
use crate::state::Content;
use crate::sts;
use crate::xml;

/// The largest body that is read: a PUT of 5 GiB and its framing.
const BODY_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024 + 64 * 1024 * 1024;
/// How much memory is set aside for a body on the client's word alone.
const BODY_BYTES_TRUSTED: u64 = 64 * 1024 * 1024;
/// How much of a refused body is read so that the client gets to see the refusal.
const DRAIN_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// What the pipeline is told about the network.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) domains: Domains,
    /// How long a client may leave a body unfinished without sending anything, in real time.
    pub(crate) idle_timeout: Duration,
    /// What callers of the admin API must have; absent to let in callers on loopback alone.
    pub(crate) admin_token: Option<AdminToken>,
}

/// AWS closes idle connections too; its time is not documented.
impl Default for Network {
    fn default() -> Self {
        Self { domains: Domains::default(), idle_timeout: Duration::from_secs(20), admin_token: None }
    }
}

/// All that a request passes through.
pub(crate) struct Pipeline {
    control: Arc<Control>,
    codec: S3Service,
    /// By which clients time out, whatever the emulator's clock does.
    real_time: Clock,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").field("clock", &self.control.ground.clock).finish_non_exhaustive()
    }
}

impl Pipeline {
    pub(crate) fn new(control: Arc<Control>) -> Self {
        let mut builder = S3ServiceBuilder::new(S3Codec);
        builder.set_host(Host(control.network.domains.clone()));
        Self { control, codec: builder.build(), real_time: Clock::system() }
    }

    /// Answers one request, whatever it is.
    pub(crate) async fn call<B>(&self, request: Request<B>, source_ip: IpAddr) -> Response<Content>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: std::fmt::Display,
    {
        let (parts, body) = request.into_parts();
        let head = Head::new(parts, source_ip, &self.control.network.domains);
        if admin::is_admin(&head) {
            return self.administrate(&head, body).await;
        }
        let ground = &self.control.ground;
        let seed = || ground.world.lock().topics.signing_seed();
        if let Some(answer) = certificate_answer(&head, seed, &ground.certificates) {
            return answer;
        }
        let ids = Arc::new(RequestIds::draw(&self.control.entropy));
        let service = Service::of(&head);
        let address = Address::of(&head);
        let mut entry = Entry {
            request_id: ids.request_id.clone(),
            service: service.name().to_owned(),
            bucket: address.bucket.filter(|_| service == Service::S3),
            key: address.key.filter(|_| service == Service::S3),
            ..Entry::received(&head, self.control.ground.clock.now())
        };
        let method = head.method.clone();
        let from_script =
            (service == Service::S3 && !is_preflight(&head) && head.headers.contains_key("origin"))
                .then(|| head.clone());
        let is_control = is_control(&head);
        let (answer, outcome) = match self.authenticated(head, body, &service, &mut entry).await {
            Err(refusal) => (Err(refusal), Outcome::default()),
            Ok(mut exchange) => {
                exchange.ids = Some(Arc::clone(&ids));
                let exchange = Arc::new(exchange);
                let answer = match &service {
                    // Before its body was sent: the refusal is in the outcome.
                    _ if exchange.is_refused() => Err(AwsError::internal()),
                    Service::S3 if exchange.form.is_some() => posted(&exchange),
                    Service::S3 if is_preflight(&exchange.head) => preflight(&exchange),
                    Service::S3 if exchange.head.website.is_some() => Ok(self.website(&exchange, &ids).await),
                    Service::S3 if is_control => {
                        answer_control(&exchange).map(|response| response.map(Content::from))
                    }
                    Service::S3 => self.s3(&exchange).await,
                    Service::Sts => sts::answer(&exchange, &ids).map(|response| response.map(Content::from)),
                    Service::Sns => sns::answer(&exchange, &ids).map(|response| response.map(Content::from)),
                    Service::Sqs => sqs::answer(&exchange).await.map(|response| response.map(Content::from)),
                    Service::Kms => kms::answer(&exchange).map(|response| response.map(Content::from)),
                    Service::Iam => iam::answer(&exchange, &ids).map(|response| response.map(Content::from)),
                    Service::Other(name) => Err(Service::refusal(name)),
                };
                let mut outcome = exchange.take_outcome();
                // The codec carries a refusal past `s3s`, which would reword it.
                let answer = outcome.refusal.take().map_or(answer, Err);
                let answer = kept(&mut outcome).await.and(answer);
                (answer, outcome)
            }
        };
        let mut response = match answer {
            Ok(response) => response,
            Err(refusal) => {
                let refusal = service.word(refusal);
                entry.code = Some(refusal.code.clone().into_owned());
                let protocol = match service {
                    Service::S3 if is_control => Protocol::S3Control,
                    _ => service.protocol(&refusal),
                };
                refusal.render(protocol, &method, &ids).map(Content::from)
            }
        };
        if let Some(headers) =
            from_script.and_then(|head| cors_headers(&head, &self.control.ground.world.lock()))
        {
            response.headers_mut().extend(headers);
        }
        sign_off(&mut response, &service, &ids, &self.control.ground.clock);
        for fault in &outcome.matched {
            response = fault.spoil(response);
            entry.faults.push(fault.description.clone());
        }
        let decided_at = self.control.ground.clock.now();
        let delay = outcome.matched.iter().map(Matched::delay).fold(Duration::ZERO, Duration::saturating_add);
        if !delay.is_zero() {
            self.control.ground.clock.sleep(delay).await;
        }
        entry.code = entry.code.take().or(outcome.code);
        entry.operation = outcome.op;
        entry.status = response.status().as_u16();
        entry.response_bytes = response.body().len();
        entry.note_answer(response.headers());
        entry.answered_at = self.control.ground.clock.now();
        entry.record(outcome.decided, decided_at);
        self.control.journal.add(entry);
        response
    }

    /// Answers a request to the admin API; the journal does not hear of it.
    async fn administrate<B>(&self, head: &Head, body: B) -> Response<Content>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: std::fmt::Display,
    {
        let mut body = Box::pin(body);
        match admin::admit(head, &self.control) {
            Err(refusal) => {
                drain(&mut body, head).await;
                *refusal
            }
            Ok(admitted) => {
                let body = self.read_at_most(&mut body, head, admin::BODY_BYTES_MAX).await;
                admin::answer(&admitted, head, body, &self.control)
            }
        }
    }

    /// From a head and an unread body to an exchange with a known caller and a verified body.
    async fn authenticated<B>(
        &self,
        mut head: Head,
        body: B,
        service: &Service,
        entry: &mut Entry,
    ) -> Result<Exchange, AwsError>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: std::fmt::Display,
    {
        let mut body = Box::pin(body);
        if let Err(refusal) = check_form(&head, service) {
            drain(&mut body, &head).await;
            return Err(refusal);
        }
        if *service == Service::S3 && head.website.is_some() {
            // The website endpoint knows nobody, whatever credentials are sent.
            let decoded = Decoded { body: self.read(&mut body, &head).await?, trailers: Vec::new() };
            return Ok(Exchange::new(head, Authenticated::anonymous(), decoded, &self.control.ground));
        }
        if *service == Service::S3 && is_form_post(&head) {
            return self.posted(head, body, entry).await;
        }
        let mut received = None;
        let mut is_open = false;
        if *service != Service::S3 {
            // The other services sign the hash of the body without saying it in a header.
            let bytes = self.read(&mut body, &head).await?;
            if *service == Service::Sts {
                sts::check_unsigned(&head, &bytes)?;
            }
            is_open = *service == Service::Sns && sns::is_open(&head, &bytes);
            if let Ok(hash) = HeaderValue::from_str(&sha256_hex(&bytes)) {
                head.headers.insert(HeaderName::from_static("x-amz-content-sha256"), hash);
            }
            received = Some(bytes);
        }
        let authenticated = if is_open {
            Ok(Authenticated::anonymous())
        } else {
            self.authenticate(&mut head, service, entry)
        };
        let authenticated = match authenticated {
            Ok(authenticated) => authenticated,
            Err(refusal) => {
                drain(&mut body, &head).await;
                return Err(refusal);
            }
        };
        entry.principal =
            authenticated.caller.identity().and_then(|identity| identity.principal.arn().map(str::to_owned));
        let bytes = if let Some(bytes) = received {
            bytes
        } else {
            if let Some(refused) = self.foresee(&head, &authenticated).await {
                return Ok(refused);
            }
            self.read(&mut body, &head).await?
        };
        entry.request_bytes = bytes.len() as u64;
        let decoded = authenticated.payload.verify(&head, bytes)?;
        if *service == Service::S3 {
            check_headers(&head)?;
            if !is_preflight(&head) {
                check_subresource(&head)?;
            }
        }
        Ok(Exchange::new(head, authenticated, decoded, &self.control.ground))
    }

    /// A client that waits for `100 Continue` is told at once that its upload will be refused.
    async fn foresee(&self, head: &Head, authenticated: &Authenticated) -> Option<Exchange> {
        let waits = head.header("expect").is_some_and(|text| text.eq_ignore_ascii_case("100-continue"));
        if !waits || head.method != Method::PUT || is_control(head) {
            return None;
        }
        check_headers(head).and_then(|()| check_subresource(head)).ok()?;
        let exchange =
            Arc::new(Exchange::rehearsal(head.clone(), authenticated.clone(), &self.control.ground));
        let _rehearsed = self.codec.call(for_codec(&exchange).ok()?).await;
        exchange.with_outcome(|outcome| outcome.refusal = outcome.foreseen.take());
        let exchange = Arc::into_inner(exchange)?;
        exchange.is_refused().then_some(exchange)
    }

    /// From an upload by form to the exchange of a `PutObject` that says the same.
    async fn posted<B>(
        &self,
        head: Head,
        mut body: std::pin::Pin<Box<B>>,
        entry: &mut Entry,
    ) -> Result<Exchange, AwsError>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: std::fmt::Display,
    {
        if let Err(refusal) = Form::check_head(&head) {
            drain(&mut body, &head).await;
            return Err(refusal);
        }
        let bytes = self.read(&mut body, &head).await?;
        entry.request_bytes = bytes.len() as u64;
        let form = Form::parse(&head, &bytes)?;
        entry.key = Some(form.key().to_owned());
        let now = self.control.ground.clock.now();
        let authenticated =
            authenticate::authenticate_form(&form, &head, &self.control.ground.world.lock().accounts, now)?;
        entry.principal =
            authenticated.caller.identity().and_then(|identity| identity.principal.arn().map(str::to_owned));
        form.check_policy(&head, now)?;
        let head = form.head(&head);
        check_headers(&head)?;
        let body = Decoded { body: form.file(), trailers: Vec::new() };
        let mut exchange = Exchange::new(head, authenticated, body, &self.control.ground);
        exchange.form = Some(form);
        Ok(exchange)
    }

    /// Reads a body whole, up to the limit.
    async fn read<B>(&self, body: &mut std::pin::Pin<Box<B>>, head: &Head) -> Result<Bytes, AwsError>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: std::fmt::Display,
    {
        let number = |name| head.header(name).and_then(|text| text.parse::<u64>().ok());
        // What is in chunks says how much it is without their frames.
        let content_bytes = number("x-amz-decoded-content-length").or_else(|| number("content-length"));
        if let Some(bytes) =
            content_bytes.filter(|bytes| head.method == Method::PUT && *bytes > PUT_BYTES_MAX)
        {
            return Err(AwsError::entity_too_large(bytes, PUT_BYTES_MAX));
        }
        self.read_at_most(body, head, BODY_BYTES_MAX).await
    }

    async fn read_at_most<B>(
        &self,
        body: &mut std::pin::Pin<Box<B>>,
        head: &Head,
        limit: u64,
    ) -> Result<Bytes, AwsError>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: std::fmt::Display,
    {
        let announced = head.header("content-length").and_then(|text| text.parse::<u64>().ok());
        if announced.is_some_and(|bytes| bytes > limit) {
            return Err(AwsError::entity_too_large(announced.unwrap_or_default(), limit));
        }
        let incomplete = || {
            AwsError::incomplete_body(
                "You did not provide the number of bytes specified by the Content-Length HTTP header",
            )
        };
        let mut first: Option<Bytes> = None;
        let mut rest = BytesMut::new();
        let mut total = 0_u64;
        loop {
            let frame = tokio::select! {
                biased;
                frame = body.frame() => frame,
                () = self.real_time.sleep(self.control.network.idle_timeout) => return Err(AwsError::request_timeout()),
            };
            let Some(frame) = frame else { break };
            let Ok(data) = frame.map_err(|_| incomplete())?.into_data() else { continue };
            total += data.len() as u64;
            if total > limit {
                return Err(AwsError::entity_too_large(total, limit));
            }
            // A body that comes in one piece is kept as it is.
            match &first {
                None => first = Some(data),
                Some(start) => {
                    if rest.is_empty() {
                        let expected = announced.unwrap_or_default().min(BODY_BYTES_TRUSTED);
                        rest.reserve(
                            usize::try_from(expected).unwrap_or_default().max(start.len() + data.len()),
                        );
                        rest.extend_from_slice(start);
                    }
                    rest.extend_from_slice(&data);
                }
            }
        }
        if announced.is_some_and(|bytes| bytes != total) {
            return Err(incomplete());
        }
        Ok(if rest.is_empty() { first.unwrap_or_default() } else { rest.freeze() })
    }

    fn authenticate(
        &self,
        head: &mut Head,
        service: &Service,
        entry: &mut Entry,
    ) -> Result<Authenticated, AwsError> {
        if *service == Service::S3 && is_preflight(head) {
            // Browsers ask without credentials, also where a presigned URL is meant.
            return Ok(Authenticated::anonymous());
        }
        if *service == Service::S3 {
            authenticate::adopt_signed(head)?;
        }
        let mut now = self.control.ground.clock.now();
        let faults = &self.control.ground.faults;
        let early =
            if faults.are_none() { Vec::new() } else { faults.matching_early(&Address::of(head), now) };
        for fault in early {
            now = now.saturating_add(fault.skew()).unwrap_or(now);
            entry.faults.push(fault.description);
        }
        let world = self.control.ground.world.lock();
        let authenticated = authenticate::authenticate(head, service, &world.accounts, now)?;
        if *service == Service::S3 && authenticated.is_presigned() {
            authenticate::adopt_all(head)?;
        }
        if let Some(identity) = authenticated.caller.identity() {
            let region = authenticated.region.as_deref().unwrap_or("us-east-1");
            world.accounts.note_use(&identity.access_key_id, service.name(), region, now);
        }
        Ok(authenticated)
    }

    /// Lets `s3s` route and parse; it calls the codec, which performs.
    async fn s3(&self, exchange: &Arc<Exchange>) -> Result<Response<Content>, AwsError> {
        let request = for_codec(exchange)?;
        let response = self.codec.call(request).await.map_err(|_| AwsError::internal())?;
        let (mut parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|_| AwsError::internal())?.to_bytes();
        if parts.status.as_u16() >= 400 {
            return Err(reword(parts.status, &body, &exchange.head));
        }
        let mut outcome_content = None;
        exchange.with_outcome(|outcome| {
            outcome_content = outcome.content.take();
            parts.status = outcome.status.unwrap_or(parts.status);
            for (name, value) in &outcome.headers {
                parts.headers.insert(name, value.clone());
            }
        });
        let body = || {
            let body = with_display_names(body, &self.control.ground.world.lock());
            Content::from(xml::finish_document(body))
        };
        Ok(Response::from_parts(parts, outcome_content.unwrap_or_else(body)))
    }
}

/// Stores what came as a form.
fn posted(exchange: &Exchange) -> Result<Response<Content>, AwsError> {
    match &exchange.form {
        Some(form) => post_object(exchange, form),
        None => Err(AwsError::internal()),
    }
}

/// Answers a browser that asks before it lets a script send a request.
fn preflight(exchange: &Exchange) -> Result<Response<Content>, AwsError> {
    let head = exchange.begin(Op::PreflightRequest)?;
    let headers = exchange.perform(&head, PreflightRequest::of(&head)?)?;
    let mut response = Response::new(Content::default());
    *response.headers_mut() = headers;
    Ok(response)
}

/// Waits until what the request changed is on disk.
async fn kept(outcome: &mut Outcome) -> Result<(), AwsError> {
    for ticket in std::mem::take(&mut outcome.tickets) {
        let written = match ticket {
            Ok(ticket) => ticket.await.unwrap_or_else(|_| Err("its writer has ended".to_owned())),
            Err(error) => Err(error),
        };
        written.map_err(|reason| AwsError::not_kept(&reason))?;
    }
    Ok(())
}

/// What can be said of a request before anything else: is it for a service that is spoken, can it be read.
fn check_form(head: &Head, service: &Service) -> Result<(), AwsError> {
    if let Service::Other(name) = service {
        return Err(Service::refusal(name));
    }
    head.check()?;
    if service.speaks_query() {
        query::refuse_bare_get(head)?;
    }
    // AWS takes a body of unknown length only if its framing says the length.
    let is_unbounded = head.headers.contains_key(http::header::TRANSFER_ENCODING)
        && !head.headers.contains_key("x-amz-decoded-content-length");
    if *service == Service::S3 && head.method == Method::PUT && is_unbounded {
        return Err(AwsError::missing_content_length());
    }
    Ok(())
}

/// Reads on for a while: a client that is still writing sees the refusal only when it is done.
///
/// A client that asked first, with `Expect: 100-continue`, has sent nothing and is not told to.
async fn drain<B>(body: &mut std::pin::Pin<Box<B>>, head: &Head)
where
    B: Body<Data = Bytes> + Send,
{
    if head.header("expect").is_some() {
        return;
    }
    let mut total = 0_u64;
    while let Some(Ok(frame)) = body.frame().await {
        total += frame.data_ref().map_or(0, |data| data.len() as u64);
        if total > DRAIN_BYTES_MAX {
            return;
        }
    }
}

/// The headers that every answer carries.
fn sign_off(response: &mut Response<Content>, service: &Service, ids: &RequestIds, clock: &Clock) {
    let bodiless = matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let bytes = response.body().len();
    let headers = response.headers_mut();
    headers.reserve(8);
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    match service {
        Service::S3 => {
            set(HeaderName::from_static("x-amz-request-id"), &ids.request_id);
            set(HeaderName::from_static("x-amz-id-2"), &ids.host_id);
            set(SERVER, "AmazonS3");
        }
        Service::Sts => {
            set(HeaderName::from_static("x-amzn-requestid"), &ids.uuid);
            set(HeaderName::from_static("x-amz-sts-extended-request-id"), &ids.host_id);
        }
        _ => set(HeaderName::from_static("x-amzn-requestid"), &ids.uuid),
    }
    // The id under which the decision trace is found, also for services that word their ids otherwise.
    set(HeaderName::from_static("x-bucketproof-trace"), &ids.request_id);
    set(DATE, &instant::http_date(clock.now()));
    if !bodiless && !headers.contains_key(CONTENT_LENGTH) {
        headers.insert(CONTENT_LENGTH, bytes.into());
    }
    if bodiless {
        headers.remove(CONTENT_LENGTH);
    }
}
