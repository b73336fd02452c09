//! The emulator as a value: built, asked, dropped.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use bucketproof_clock::{Clock, Entropy};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::addressing::Domains;
use crate::data_dir::{DataDir, DataDirError};
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
use crate::transport::{InMemory, SOURCE_IP, SdkClock};

/// Where in-memory clients believe the endpoint to be; nothing listens there.
const IN_MEMORY_ENDPOINT: &str = "http://127.0.0.1";

/// A running emulator. Clones share it; it ends with the last of them.
///
/// ```
/// use bucketproof_emulator::{Emulator, Scenario};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
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
    world: Arc<Mutex<World>>,
    clock: Clock,
    faults: Faults,
    journal: Journal,
    front: Arc<Front>,
    listener: Option<Listener>,
    data_dir: Option<Arc<DataDir>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(data_dir) = &self.data_dir {
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

    /// Makes the days of lifecycle rules this long, and end when they end instead of at midnight.
    ///
    /// What answers say of expirations stays in days of the calendar.
    pub fn lifecycle_day(mut self, length: Duration) -> Self {
        self.lifecycle_day = Some(length);
        self
    }

    /// Starts the emulator.
    pub async fn start(self) -> Result<Emulator, StartError> {
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
        let faults = Faults::default();
        let journal = Journal::default();
        let mut network = Network { domains: Domains::with(self.domains), ..Network::default() };
        network.idle_timeout = self.idle_timeout.unwrap_or(network.idle_timeout);
        let ground = Ground {
            world: Arc::clone(&world),
            data_dir: data_dir.clone(),
            clock: clock.clone(),
            faults: faults.clone(),
        };
        let pipeline = Pipeline::new(ground, entropy, journal.clone(), network);
        let front = Arc::new(Front::new(pipeline));
        let listener = match self.listen {
            None => None,
            Some(address) => Some(
                Listener::bind(address, Arc::clone(&front), self.tls)
                    .await
                    .map_err(|source| StartError::Listen { address, source })?,
            ),
        };
        Ok(Emulator { inner: Arc::new(Inner { world, clock, faults, journal, front, listener, data_dir }) })
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

    /// The clock that this emulator lives by.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The record of all requests.
    pub fn journal(&self) -> &Journal {
        &self.inner.journal
    }

    /// Makes requests go wrong until the guard is dropped.
    pub fn inject(&self, fault: Fault) -> FaultGuard {
        self.inner.faults.inject(fault)
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
        let world = self.inner.world.lock();
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

    /// An S3 client of a user, in memory, in `us-east-1`, on the emulator's clock.
    ///
    /// # Panics
    /// If the scenario has no such user with an access key.
    pub fn s3(&self, user: &str) -> aws_sdk_s3::Client {
        self.s3_with(self.expect_credentials(user))
    }

    /// An S3 client with these credentials, in memory, in `us-east-1`, on the emulator's clock.
    pub fn s3_with(&self, credentials: Credentials) -> aws_sdk_s3::Client {
        let clock = SdkClock(self.inner.clock.clone());
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .endpoint_url(IN_MEMORY_ENDPOINT)
            .force_path_style(true)
            .http_client(self.http_client())
            .credentials_provider(credentials)
            .time_source(clock.clone())
            .sleep_impl(clock)
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// An STS client of a user, in memory, on the emulator's clock.
    ///
    /// # Panics
    /// If the scenario has no such user with an access key.
    pub fn sts(&self, user: &str) -> aws_sdk_sts::Client {
        self.sts_with(self.expect_credentials(user))
    }

    /// An STS client with these credentials, in memory, on the emulator's clock.
    pub fn sts_with(&self, credentials: Credentials) -> aws_sdk_sts::Client {
        let clock = SdkClock(self.inner.clock.clone());
        let config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .endpoint_url(IN_MEMORY_ENDPOINT)
            .http_client(self.http_client())
            .credentials_provider(credentials)
            .time_source(clock.clone())
            .sleep_impl(clock)
            .build();
        aws_sdk_sts::Client::from_conf(config)
    }

    /// A KMS client of a user, in memory, in `us-east-1`, on the emulator's clock.
    ///
    /// # Panics
    /// If the scenario has no such user with an access key.
    pub fn kms(&self, user: &str) -> aws_sdk_kms::Client {
        self.kms_with(self.expect_credentials(user))
    }

    /// A KMS client with these credentials, in memory, in `us-east-1`, on the emulator's clock.
    pub fn kms_with(&self, credentials: Credentials) -> aws_sdk_kms::Client {
        let clock = SdkClock(self.inner.clock.clone());
        let config = aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .endpoint_url(IN_MEMORY_ENDPOINT)
            .http_client(self.http_client())
            .credentials_provider(credentials)
            .time_source(clock.clone())
            .sleep_impl(clock)
            .build();
        aws_sdk_kms::Client::from_conf(config)
    }

    #[expect(clippy::panic, reason = "a test that names a user its scenario does not have is itself wrong")]
    fn expect_credentials(&self, user: &str) -> Credentials {
        self.credentials(user)
            .unwrap_or_else(|| panic!("the scenario has no user `{user}` with an access key"))
    }
}
