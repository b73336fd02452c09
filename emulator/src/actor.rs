//! Somebody with credentials: clients of the AWS SDK, and the roles that they take on.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_sdk_sts::error::SdkError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_types::SdkConfig;

use crate::emulator::{Emulator, IN_MEMORY_ENDPOINT};
use crate::transport::SdkClock;

/// A principal of the scenario, or a session of one, as a caller of the emulator.
///
/// ```
/// use bucketproof_emulator::{Emulator, Scenario};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let scenario = Scenario::from_toml(r#"
///     [[account]]
///     id = "111122223333"
///     name = "customer"
///     [[account.bucket]]
///     name = "logs"
///     [[account.role]]
///     name = "exporter"
///     trust = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"secret-7"}}}}'
///     policies = ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*"}}']
///     [[account]]
///     id = "444455556666"
///     name = "vendor"
///     [[account.user]]
///     name = "worker"
///     policies = ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}']
///     [[account.user.access_key]]
///     id = "AKIAWORKERUSEREXAMPL"
///     secret = "worker"
/// "#)?;
/// let emulator = Emulator::builder().scenario(scenario).start().await?;
/// let role = "arn:aws:iam::111122223333:role/exporter";
/// let worker = emulator.actor("worker");
/// assert!(worker.assume(role, "wrong").await.is_err());
/// let exporter = worker.assume(role, "secret-7").await.expect("the external id is right");
/// exporter.s3().put_object().bucket("logs").key("a").send().await.expect("the role may write");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Actor {
    emulator: Emulator,
    credentials: Credentials,
}

impl Actor {
    pub(crate) fn new(emulator: Emulator, credentials: Credentials) -> Self {
        Self { emulator, credentials }
    }

    /// The access key, with its session token if it has one.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// A configuration for any client of the AWS SDK, in memory, in `us-east-1`, on the emulator's clock.
    ///
    /// `aws_sdk_iam::Client::new(&actor.sdk_config())`, and so for every service.
    pub fn sdk_config(&self) -> SdkConfig {
        self.config(IN_MEMORY_ENDPOINT).http_client(self.emulator.http_client()).build()
    }

    /// The same over the emulator's socket; absent if it has none, or speaks TLS, for which a client must be told the
    /// authority.
    pub fn sdk_config_over_tcp(&self) -> Option<SdkConfig> {
        self.emulator.address()?;
        let url = self.emulator.endpoint_url();
        let client =
            url.starts_with("http://").then(|| aws_smithy_http_client::Builder::new().build_http())?;
        Some(self.config(&url).http_client(client).build())
    }

    fn config(&self, endpoint_url: &str) -> aws_types::sdk_config::Builder {
        let clock = SdkClock(self.emulator.clock().clone());
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .endpoint_url(endpoint_url)
            .credentials_provider(SharedCredentialsProvider::new(self.credentials.clone()))
            .time_source(SharedTimeSource::new(clock.clone()))
            .sleep_impl(SharedAsyncSleep::new(clock))
    }

    /// An S3 client, in memory.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.sdk_config()).force_path_style(true);
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// An STS client, in memory.
    pub fn sts(&self) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::new(&self.sdk_config())
    }

    /// A KMS client, in memory.
    pub fn kms(&self) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::new(&self.sdk_config())
    }

    /// Takes on a role, for an hour of the emulator's clock: what comes back acts as its session `bucketproof`.
    ///
    /// Without an external id give `None`.
    pub async fn assume<'a>(
        &self,
        role_arn: &str,
        external_id: impl Into<Option<&'a str>>,
    ) -> Result<Self, SdkError<AssumeRoleError>> {
        let external_id = external_id.into().map(str::to_owned);
        let request = self.sts().assume_role().role_arn(role_arn).role_session_name("bucketproof");
        let answer = request.set_external_id(external_id).send().await?;
        let key = answer.credentials.ok_or_else(|| {
            SdkError::construction_failure("the answer to `AssumeRole` carries no credentials")
        })?;
        let expires = std::time::SystemTime::try_from(key.expiration).ok();
        let credentials = Credentials::new(
            key.access_key_id,
            key.secret_access_key,
            Some(key.session_token),
            expires,
            "AssumeRole",
        );
        Ok(Self { emulator: self.emulator.clone(), credentials })
    }
}
