//! Who pays, and how fast it may go: request payment and transfer acceleration.

use super::configuration::Configuration;
use super::document::{Document, Element};
use crate::error::AwsError;
use crate::operation::Op;
use crate::state::{Bucket, World};
use serde::{Deserialize, Serialize};

/// Who pays for requests and transfer.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum Payer {
    #[default]
    BucketOwner,
    /// Requests of other accounts must say that they know.
    Requester,
}

/// Whether the bucket has an accelerated endpoint; there is no way back to never having had one.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum Acceleration {
    #[default]
    Never,
    Enabled,
    Suspended,
}

impl Document for Payer {
    const ROOT: &'static str = "RequestPaymentConfiguration";

    fn read(root: &Element) -> Result<Self, AwsError> {
        root.only(&["Payer"])?;
        match root.required_value("Payer")? {
            "BucketOwner" => Ok(Self::BucketOwner),
            "Requester" => Ok(Self::Requester),
            _ => Err(AwsError::malformed_xml()),
        }
    }

    fn write(&self) -> Element {
        let payer = match self {
            Self::BucketOwner => "BucketOwner",
            Self::Requester => "Requester",
        };
        Element::new(Self::ROOT).with_text("Payer", payer)
    }
}

impl Configuration for Payer {
    const GET: Op = Op::GetBucketRequestPayment;
    const PUT: Op = Op::PutBucketRequestPayment;
    const GET_ACTION: &'static str = "s3:GetBucketRequestPayment";
    const PUT_ACTION: &'static str = "s3:PutBucketRequestPayment";

    fn get(bucket: &Bucket) -> Result<Self, AwsError> {
        Ok(bucket.settings.payer)
    }

    fn check(&self, _: &Bucket, _: &World) -> Result<(), AwsError> {
        Ok(())
    }

    fn put(self, bucket: &mut Bucket) {
        bucket.settings.payer = self;
    }
}

impl Document for Acceleration {
    const ROOT: &'static str = "AccelerateConfiguration";

    fn read(root: &Element) -> Result<Self, AwsError> {
        root.only(&["Status"])?;
        match root.required_value("Status")? {
            "Enabled" => Ok(Self::Enabled),
            "Suspended" => Ok(Self::Suspended),
            _ => Err(AwsError::malformed_xml()),
        }
    }

    fn write(&self) -> Element {
        let status = match self {
            Self::Never => None,
            Self::Enabled => Some("Enabled"),
            Self::Suspended => Some("Suspended"),
        };
        Element::new(Self::ROOT).with_some("Status", status)
    }
}

impl Configuration for Acceleration {
    const GET: Op = Op::GetBucketAccelerateConfiguration;
    const PUT: Op = Op::PutBucketAccelerateConfiguration;
    const GET_ACTION: &'static str = "s3:GetAccelerateConfiguration";
    const PUT_ACTION: &'static str = "s3:PutAccelerateConfiguration";

    fn get(bucket: &Bucket) -> Result<Self, AwsError> {
        Ok(bucket.settings.acceleration)
    }

    /// Recorded: a status that there is not is told only of buckets that can have one.
    fn admits(bucket: &Bucket) -> Result<(), AwsError> {
        if bucket.name.contains('.') {
            let text =
                "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names";
            return Err(AwsError::invalid_request(text));
        }
        Ok(())
    }

    fn check(&self, _: &Bucket, _: &World) -> Result<(), AwsError> {
        Ok(())
    }

    fn put(self, bucket: &mut Bucket) {
        bucket.settings.acceleration = self;
    }
}
