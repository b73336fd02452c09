//! Where a check plays: an emulator with the scenario, the faults and the clock that the check is given.

mod export;
mod ground;
mod inbound;
mod lossy_store;
mod rows;
mod sample_rows;
mod text_rows;
mod vendor;

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_smithy_async::time::TimeSource;
use bucketproof_clock::Clock;
use bucketproof_emulator::{Emulator, FaultGuard, Scenario};
use bucketproof_fixtures::scenario;
use tempfile::TempDir;

pub(crate) use export::{Export, ExportStop, Way};
pub(crate) use ground::{Ground, on_ground};
pub(crate) use inbound::{Inbound, InboundSetup, events_file};
pub(crate) use rows::{Table, parquet_metadata, parquet_schema, read_table};
pub(crate) use text_rows::{TextTable, read_csv, read_json_lines, unpacked_text};
pub(crate) use vendor::{
    CUSTOMER_BUCKET, DOCUMENTED_POLICY, EVERYTHING, Element, KMS_KEY_ARN, Setup, USELESS_ACTION, VENDOR_USER,
    VendorStage, documented_policy, falsified_policy, profile_under_test, without,
};

use crate::context::CheckContext;
use crate::falsifier::Falsifier;
use crate::outcome::{Failure, Stop};
use crate::step::step;

/// When every check begins, on the emulator's clock and the clients'.
const START: &str = "2025-01-15T18:00:00Z";

/// The scenario of the checks that no vendor asks for.
const SUITE: &str = include_str!("suite.toml");

/// The bucket of the suite's scenario.
pub(crate) const BUCKET: &str = "suite-logs";

/// A clock as the SDK's.
#[derive(Debug)]
struct ClientTime(Clock);

impl TimeSource for ClientTime {
    fn now(&self) -> SystemTime {
        self.0.system_time()
    }
}

/// An emulator in which one check plays.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) emulator: Emulator,
    /// The clients' clock; the emulator's own may be falsified.
    pub(crate) clock: Clock,
    context: CheckContext,
    folder: TempDir,
    /// Keeps the falsifying fault in force.
    _fault: Option<FaultGuard>,
}

impl Stage {
    /// The stage of checks of the endpoint itself: administrator, reader, partner.
    pub(crate) async fn suite(context: CheckContext) -> Result<Self, Stop> {
        let text = match context.falsifier() {
            Some(Falsifier::ScenarioEdit(edit)) => step("falsify the scenario").works(edit.apply(SUITE))?,
            _ => SUITE.to_owned(),
        };
        let scenario = step("read the suite's scenario").works(Scenario::from_toml(&text))?;
        Self::open(context, scenario).await
    }

    /// The stage of a vendor's checks: the scenario under test.
    pub(crate) async fn vendor(context: CheckContext) -> Result<Self, Stop> {
        let scenario = context.scenario().falsified(context.falsifier());
        let scenario = step("read the scenario").works(scenario)?;
        Self::open(context, scenario).await
    }

    /// The stage of a vendor's checks, with another text in place of one policy of the scenario.
    /// `needed` says what the policy must be like, so that `change` can make its text.
    pub(crate) async fn vendor_with_policy(
        context: CheckContext,
        file: &str,
        needed: &str,
        change: impl FnOnce(&str) -> Option<String>,
    ) -> Result<Self, Stop> {
        let scenario = step("read the scenario").works(context.scenario().falsified(context.falsifier()))?;
        let changed = scenario.file(file).and_then(change);
        let changed = step(format!("change the policy `{file}`")).some(needed, changed)?;
        let scenario = scenario.with_file(file, changed);
        Self::open(context, scenario).await
    }

    async fn open(context: CheckContext, scenario: Scenario) -> Result<Self, Stop> {
        let start = step("read the start time").works(START.parse())?;
        let clock = Clock::manual(start);
        let emulator_clock = match context.falsifier() {
            Some(Falsifier::ClockStands) => Clock::manual(start),
            Some(Falsifier::ClockAhead(by)) => {
                let ahead = Clock::manual(start);
                ahead.advance(*by);
                ahead
            }
            _ => clock.clone(),
        };
        let builder = Emulator::builder().scenario(scenario).clock(emulator_clock).seed(context.seed());
        let emulator = step("start the emulator").works(builder.start().await)?;
        let fault = match context.falsifier() {
            Some(Falsifier::Fault(fault)) => Some(emulator.inject(fault.clone())),
            _ => None,
        };
        let folder = step("make a folder").works(TempDir::new())?;
        Ok(Self { emulator, clock, context, folder, _fault: fault })
    }

    /// The change that must make this check fail, while that is being tried.
    pub(crate) fn falsifier(&self) -> Option<&Falsifier> {
        self.context.falsifier()
    }

    /// An S3 client of a user of the scenario, on the clients' clock.
    pub(crate) fn s3(&self, user: &str) -> Client {
        on_clock(&self.emulator.s3(user), self.clock.clone())
    }

    /// An S3 client with these credentials, on the clients' clock.
    pub(crate) fn s3_with(&self, credentials: Credentials) -> Client {
        on_clock(&self.emulator.s3_with(credentials), self.clock.clone())
    }

    /// An STS client of a user of the scenario.
    pub(crate) fn sts(&self, user: &str) -> aws_sdk_sts::Client {
        self.emulator.sts(user)
    }

    /// The administrator's S3 client.
    pub(crate) fn administrator(&self) -> Client {
        self.s3(scenario::ADMINISTRATOR.principal)
    }

    /// Lets time pass, for clients and endpoint alike.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Adds to a failure what the emulator denied: the missing permissions and the trace of the last denial.
    pub(crate) fn explain(&self, mut failure: Failure) -> Failure {
        let denied = self.emulator.journal().denied();
        for decision in &denied {
            failure = failure.missing(decision.action.as_str(), decision.resource.as_str());
        }
        match denied.last() {
            Some(last) => failure.trace(last.explain()),
            None => failure,
        }
    }
}

/// The same client with another clock.
pub(crate) fn on_clock(client: &Client, clock: Clock) -> Client {
    Client::from_conf(client.config().to_builder().time_source(ClientTime(clock)).build())
}
