//! The emulator as a value: built, asked, dropped.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use bucketproof_clock::{Clock, Entropy};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::actor::Actor;
use crate::addressing::Domains;
use crate::admin::AdminToken;
use crate::control::{Control, RestoreError, Snapshot};
use crate::data_dir::{DataDir, DataDirError};
use crate::delivery::{Courier, Deliveries, SigningCertificates};
use crate::exchange::Ground;
use crate::fault::{AnswerLost, Fault, FaultGuard, Faults};
use crate::front::Front;
use crate::ids;
use crate::journal::Journal;
use crate::listener::Listener;
use crate::pipeline::{Network, Pipeline};
use crate::s3::{Days, LifecycleClock};
use crate::scenario::{self, Scenario, ScenarioError};
use crate::state::{Content, Defaults, Holder, World};
use crate::tls::Tls;
use crate::transport::{InMemory, SOURCE_IP};

/// Where in-memory clients believe the endpoint to be; nothing listens there.
pub(crate) const IN_MEMORY_ENDPOINT: &str = "http://127.0.0.1";

/// A running emulator. Clones share it; it ends with the last of them.
///
/// ```
/// use bucketproof_emulator::{Emulator, Scenario};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let emulator = Emulator::builder().start().await?;
/// let s3 = emulator.s3("administrator");
/// s3.create_bucket().bucket("logs").send().await.expect("an administrator may create a bucket");
/// assert!(emulator.journal().denied().is_empty());
/// # Ok::<(), bucketproof_emulator::StartError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Emulator {
    inner: Arc<Inner>,
}

struct Inner {
    control: Arc<Control>,
    front: Arc<Front>,
    listener: Option<Listener>,
    courier: Courier,
    background: Option<Background>,
}

/// A task that ends with the emulator.
#[derive(Debug)]
struct Background(tokio::task::JoinHandle<()>);

impl Drop for Background {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(data_dir) = &self.control.ground.data_dir {
            data_dir.close();
        }
    }
}

/// How an emulator is to start; every setting has a safe default.
#[derive(Debug, Default)]
pub struct Builder {
    scenario: Option<Scenario>,
    defaults: Defaults,
    clock: Option<Clock>,
    seed: Option<u64>,
    listen: Option<SocketAddr>,
    lifecycle_day: Option<Duration>,
    tls: Option<Tls>,
    domains: Vec<String>,
    idle_timeout: Option<Duration>,
    data_dir: Option<PathBuf>,
    delivers_by_itself: bool,
    public_url: Option<String>,
    admin_token: Option<AdminToken>,
    journal_limit: Option<usize>,
}

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The scenario contradicts itself or names something unknown.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
}

impl Builder {
    /// The accounts, users, roles, policies and buckets to begin with.
    ///
    /// Without one there is one account with the user `administrator`, who may do everything.
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        self.scenario = Some(scenario);
        self
    }

    /// Gives new buckets, those of the scenario included, the defaults that AWS had before April 2023: ACLs count, the
    /// writer owns what it writes, and Block Public Access is off. For software that was written for those; without
    /// this call buckets begin as they do on AWS today.
    pub fn legacy_defaults(mut self) -> Self {
        self.defaults = Defaults::Legacy;
        self
    }

    /// The clock for signatures, sessions and time stamps; the system's if none is given.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Makes every id and secret a function of this number; else they are unpredictable.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Adds a socket; port 0 picks a free port. The in-memory transport is always there.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = Some(address);
        self
    }

    /// Speaks TLS on the socket.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Takes `BUCKET.domain` for the address of a bucket, as it does `BUCKET.localhost` anyway.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domains.push(domain.into());
        self
    }

    /// How long a client may pause within a body, in real time, before it is told `RequestTimeout`; 20 seconds if
    /// nothing is said.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// Keeps the state in this folder: what is in it goes on, and the scenario counts only for a new one.
    ///
    /// Every answer waits until what it acknowledges is on disk. The folder holds the secret keys of emulated users and
    /// is made readable for its owner alone.
    pub fn data_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(path.into());
        self
    }

    /// Delivers events and notifications by itself as soon as they are due, as a served emulator does. Without this call
    /// they wait for [`Emulator::deliver`].
    pub fn deliver_by_itself(mut self) -> Self {
        self.delivers_by_itself = true;
        self
    }

    /// The URL, without a slash at its end, under which those who get notifications find the emulator: it stands in
    /// `SubscribeURL`, `UnsubscribeURL` and `SigningCertURL`. That of the socket if nothing is said.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Lets callers from anywhere use the admin API if they have this token, and nobody else. Without one it is for
    /// callers on loopback alone.
    pub fn admin_token(mut self, token: AdminToken) -> Self {
        self.admin_token = Some(token);
        self
    }

    /// How many requests the journal keeps, 10,000 if nothing is said; the oldest give way.
    pub fn journal_limit(mut self, requests: usize) -> Self {
        self.journal_limit = Some(requests);
        self
    }

    /// Makes the days of lifecycle rules this long, and end when they end instead of at midnight.
    ///
    /// What answers say of expirations stays in days of the calendar.
    pub fn lifecycle_day(mut self, length: Duration) -> Self {
        self.lifecycle_day = Some(length);
        self
    }

    /// Starts the emulator.
    pub async fn start(self) -> Result<Emulator, StartError> {
        let seed = self.seed.unwrap_or_else(|| Entropy::machine().next_u64());
        let entropy = self.seed.map_or_else(Entropy::machine, Entropy::seeded);
        let clock = self.clock.unwrap_or_else(Clock::system);
        let origin = self.scenario.as_ref().map_or_else(|| "default".to_owned(), Scenario::fingerprint);
        let scenario = match self.scenario {
            Some(scenario) => scenario,
            None => Scenario::single_account(
                &ids::access_key_id(&entropy, "AKIA"),
                &ids::secret_access_key(&entropy),
            )?,
        };
        let (scenario, origin) = match self.defaults {
            Defaults::Modern => (scenario, origin),
            Defaults::Legacy => (scenario.with_legacy_defaults(), format!("{origin}, legacy defaults")),
        };
        let (mut world, data_dir) = match &self.data_dir {
            None => (scenario::build(&scenario, entropy.clone(), clock.now())?, None),
            Some(path) => {
                let (world, data_dir) = keep(path, &origin, &scenario, &entropy, clock.now()).await?;
                (world, Some(data_dir))
            }
        };
        if let Some(length) = self.lifecycle_day {
            let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
            world.lifecycle = LifecycleClock::with_days(Days::Simulated(length));
        }
        let world = Arc::new(Mutex::new(world));
        let faults = Faults::new(seed);
        faults.give(scenario::faults(&scenario)?);
        let mut network = Network { domains: Domains::with(self.domains), ..Network::default() };
        network.idle_timeout = self.idle_timeout.unwrap_or(network.idle_timeout);
        network.admin_token = self.admin_token;
        let ground = Ground {
            world,
            data_dir,
            clock,
            faults,
            wake: Arc::default(),
            certificates: SigningCertificates::default(),
            base_url: Arc::default(),
            deliveries: Deliveries::default(),
        };
        if let Some(url) = self.public_url {
            let _first = ground.base_url.set(url);
        }
        let journal = self.journal_limit.map_or_else(Journal::default, Journal::with_limit);
        let control = Control::new(ground, entropy, network, journal);
        let emulator = Emulator::of(control, self.listen, self.tls)?;
        Ok(if self.delivers_by_itself { emulator.delivering() } else { emulator })
    }
}

/// The state of a data directory: what is in it, or a new one from the scenario.
async fn keep(
    path: &Path,
    origin: &str,
    scenario: &Scenario,
    entropy: &Entropy,
    now: Timestamp,
) -> Result<(World, Arc<DataDir>), StartError> {
    let opened = DataDir::open(path, origin)?;
    // A second start from one seed must not draw the ids of the first again.
    let entropy = (0..opened.starts).fold(entropy.clone(), |entropy, _| Entropy::seeded(entropy.next_u64()));
    let unusable = |reason| DataDirError::Unusable { path: path.to_owned(), reason };
    let mut world = match opened.world {
        Some(stored) => World::restore(&stored.sections, stored.buckets, entropy).map_err(unusable)?,
        None => scenario::build(scenario, entropy, now)?,
    };
    if let Some(ticket) = opened.dir.note(&mut world).map_err(unusable)? {
        let written = ticket.await.unwrap_or_else(|_| Err("its writer has ended".to_owned()));
        written.map_err(unusable)?;
    }
    Ok((world, Arc::new(opened.dir)))
}

/// Shows where it is; not what it holds, which may be large or secret.
impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("endpoint_url", &self.endpoint_url()).finish_non_exhaustive()
    }
}

impl Emulator {
    /// Begins a new emulator.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn of(control: Control, listen: Option<SocketAddr>, tls: Option<Tls>) -> Result<Self, StartError> {
        let mut emulator = Self::in_memory(control);
        if let Some(address) = listen {
            let front = Arc::clone(&emulator.inner.front);
            let listener = Listener::bind(address, front, tls);
            let listener = listener.map_err(|source| StartError::Listen { address, source })?;
            emulator.inner.courier.set_base_url(listener.url());
            if let Some(inner) = Arc::get_mut(&mut emulator.inner) {
                inner.listener = Some(listener);
            }
        }
        Ok(emulator)
    }

    /// The same, which delivers by itself from now on.
    fn delivering(mut self) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.background = Some(Background(tokio::spawn(inner.courier.clone().run())));
        }
        self
    }

    /// A fork for callers over the network: it has a socket, and delivers by itself.
    pub(crate) fn forked_on(control: &Control, address: SocketAddr) -> Result<Self, StartError> {
        Ok(Self::of(control.fork(), Some(address), None)?.delivering())
    }

    fn in_memory(control: Control) -> Self {
        let control = Arc::new(control);
        let courier = Courier::new(control.ground.clone(), control.entropy.clone(), control.journal.clone());
        let front = Arc::new(Front::new(Pipeline::new(Arc::clone(&control))));
        Self { inner: Arc::new(Inner { control, front, listener: None, courier, background: None }) }
    }

    /// A copy that goes its own way, in memory: the same state and time, and the same ids to come; its journal is empty
    /// and no fault is in force.
    ///
    /// It copies no object: a prepared world can be had anew for each test.
    ///
    /// ```
    /// use bucketproof_emulator::Emulator;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let prepared = Emulator::builder().start().await?;
    /// prepared.s3("administrator").create_bucket().bucket("logs").send().await.unwrap();
    /// let fork = prepared.fork();
    /// fork.s3("administrator").delete_bucket().bucket("logs").send().await.unwrap();
    /// prepared.s3("administrator").head_bucket().bucket("logs").send().await.expect("still there");
    /// # Ok::<(), bucketproof_emulator::StartError>(())
    /// # }).unwrap();
    /// ```
    pub fn fork(&self) -> Self {
        Self::in_memory(self.inner.control.fork())
    }

    /// The same with a socket; port 0 picks a free port.
    #[expect(
        clippy::unused_async,
        reason = "a listener needs a runtime, and what starts others is asynchronous too"
    )]
    pub async fn fork_on(&self, address: SocketAddr) -> Result<Self, StartError> {
        Self::of(self.inner.control.fork(), Some(address), None)
    }

    /// Keeps the whole state as it is now; copies no object.
    pub fn snapshot(&self) -> Snapshot {
        self.inner.control.snapshot()
    }

    /// Puts a state back: objects, principals, keys, and the time if the clock is a manual or frozen one.
    ///
    /// With a seed the ids that follow are those that followed the snapshot. The journal and the faults stay.
    ///
    /// # Errors
    /// [`RestoreError::Kept`] with a data directory.
    pub fn restore(&self, snapshot: &Snapshot) -> Result<(), RestoreError> {
        self.inner.control.restore(snapshot)
    }

    /// Begins again: the state and time of the start, an empty journal, no faults but those of the scenario.
    ///
    /// # Errors
    /// [`RestoreError::Kept`] with a data directory.
    pub fn reset(&self) -> Result<(), RestoreError> {
        self.inner.control.reset()
    }

    /// The clock that this emulator lives by.
    pub fn clock(&self) -> &Clock {
        self.inner.control.clock()
    }

    /// The record of all requests.
    pub fn journal(&self) -> &Journal {
        &self.inner.control.journal
    }

    /// Makes requests go wrong until the guard is dropped.
    pub fn inject(&self, fault: Fault) -> FaultGuard {
        self.inner.control.ground.faults.inject(fault, &self.inner.control.journal)
    }

    /// The present state as the text of a scenario file; what a scenario cannot say is named in comments.
    ///
    /// It holds the secret keys of emulated users.
    pub fn export_scenario(&self) -> String {
        scenario::export(&self.inner.control.ground.world.lock())
    }

    /// Delivers all events and notifications that are due on the emulator's clock, and what follows from them at once.
    ///
    /// What a receiver could not take is tried again later: move the clock on, then deliver again.
    pub async fn deliver(&self) {
        self.inner.courier.deliver().await;
    }

    /// How often the fault of that name has acted, such as one of the scenario; `None` if there is none.
    pub fn fault_hits(&self, name: &str) -> Option<u64> {
        self.inner.control.ground.faults.hits(name)
    }

    /// The address listened on, if any.
    pub fn address(&self) -> Option<SocketAddr> {
        self.inner.listener.as_ref().map(|listener| listener.address)
    }

    /// The URL for clients: that of the socket, or one that only [`Emulator::http_client`] can reach.
    pub fn endpoint_url(&self) -> String {
        self.inner.listener.as_ref().map_or_else(|| IN_MEMORY_ENDPOINT.to_owned(), Listener::url)
    }

    /// An HTTP client for the AWS SDK that reaches this emulator in memory, whatever the URL.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(InMemory(Arc::clone(&self.inner.front)))
    }

    /// Sends a raw request in memory, for what an SDK would not send; the caller seems to be on loopback.
    ///
    /// # Errors
    /// [`AnswerLost`] if a fault lost the answer.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, AnswerLost> {
        let response = self.inner.front.call(request.map(Full::new), SOURCE_IP).await;
        match response.extensions().get::<AnswerLost>() {
            Some(lost) => Err(*lost),
            None => Ok(response.map(Content::into_bytes)),
        }
    }

    /// The access key of a user: `name`, or `account id/name` where two accounts have a user of that name; `root`
    /// stands for the root user.
    pub fn credentials(&self, user: &str) -> Option<Credentials> {
        let (account, name) =
            user.split_once('/').map_or((None, user), |(account, name)| (Some(account), name));
        let world = self.inner.control.ground.world.lock();
        let mut keys = world.accounts.keys().filter(|key| match &key.holder {
            Holder::User { account: id, name: own } => {
                own == name && account.is_none_or(|account| account == id.as_str())
            }
            Holder::Root { account: id } => {
                name == "root" && account.is_none_or(|account| account == id.as_str())
            }
            Holder::Session(_) => false,
        });
        let key = keys.next()?;
        Some(Credentials::new(key.id.as_str(), key.secret.expose(), None, None, "scenario"))
    }

    /// A user of the scenario as a caller, named as for [`Emulator::credentials`].
    ///
    /// # Panics
    /// If the scenario has no such user with an access key.
    #[expect(clippy::panic, reason = "a test that names a user its scenario does not have is itself wrong")]
    pub fn actor(&self, user: &str) -> Actor {
        let credentials = self.credentials(user).unwrap_or_else(|| {
            panic!("the scenario has no user `{user}` with an access key; it has {}", self.users())
        });
        self.actor_with(credentials)
    }

    /// Whoever has these credentials as a caller.
    pub fn actor_with(&self, credentials: Credentials) -> Actor {
        Actor::new(self.clone(), credentials)
    }

    /// Who could be meant: each user with an access key.
    fn users(&self) -> String {
        let world = self.inner.control.ground.world.lock();
        let holders = world.accounts.keys().filter_map(|key| match &key.holder {
            Holder::User { account, name } => Some(format!("`{account}/{name}`")),
            Holder::Root { account } => Some(format!("`{account}/root`")),
            Holder::Session(_) => None,
        });
        let mut names: Vec<String> = holders.collect();
        names.sort();
        names.dedup();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }

    /// An S3 client of a user, in memory, in `us-east-1`, on the emulator's clock.
    ///
    /// # Panics
    /// If the scenario has no such user with an access key.
    pub fn s3(&self, user: &str) -> aws_sdk_s3::Client {
        self.actor(user).s3()
    }

    /// An S3 client with these credentials, in memory, in `us-east-1`, on the emulator's clock.
    pub fn s3_with(&self, credentials: Credentials) -> aws_sdk_s3::Client {
        self.actor_with(credentials).s3()
    }

    /// An STS client of a user, in memory, in `us-east-1`, on the emulator's clock.
    ///
    /// # Panics
    /// If the scenario has no such user with an access key.
    pub fn sts(&self, user: &str) -> aws_sdk_sts::Client {
        self.actor(user).sts()
    }

    /// An STS client with these credentials, in memory, in `us-east-1`, on the emulator's clock.
    pub fn sts_with(&self, credentials: Credentials) -> aws_sdk_sts::Client {
        self.actor_with(credentials).sts()
    }

    /// A KMS client of a user, in memory, in `us-east-1`, on the emulator's clock.
    ///
    /// # Panics
    /// If the scenario has no such user with an access key.
    pub fn kms(&self, user: &str) -> aws_sdk_kms::Client {
        self.actor(user).kms()
    }

    /// A KMS client with these credentials, in memory, in `us-east-1`, on the emulator's clock.
    pub fn kms_with(&self, credentials: Credentials) -> aws_sdk_kms::Client {
        self.actor_with(credentials).kms()
    }
}
