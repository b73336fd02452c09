//! `verify`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_credential_types::Credentials;
use bucketproof_clock::Clock;
use bucketproof_connector::profile::VendorProfile;

use super::arguments::VerifyArguments;
use super::report_files::ReportFile;
use super::target::credentials_of_the_environment;
use super::usage::UsageError;
use super::{CommandError, Ended, print};
use crate::exit::ExitStatus;
use crate::target::{EndpointUrl, client};
use crate::verify::{self, Place, VerifySettings};

const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

pub(super) fn verify(arguments: VerifyArguments, out: &mut dyn Write) -> Ended {
    let by_file = arguments.profile.contains(['/', '.']);
    let profile = if by_file {
        VendorProfile::load(Path::new(&arguments.profile))
    } else {
        VendorProfile::named(&arguments.profile)
    };
    let profile = profile.map_err(UsageError::VendorProfile)?;
    let place = place(&arguments)?;
    let json = arguments.json.map(ReportFile::create).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| CommandError::Broken(format!("cannot start the runtime: {error}")))?;
    let settings = VerifySettings {
        fresh_within: arguments.fresh_within,
        encryption: arguments.encryption.clone(),
        objects_max: arguments.max_objects.get(),
        now: Clock::system().now(),
    };
    let judged = runtime.block_on(verify::verify(&profile, &place, &settings));
    let report = judged.map_err(CommandError::Place)?;
    print(out, &report.text())?;
    if let Some(file) = json {
        let text = serde_json::to_string_pretty(&report);
        file.write(&(text.map_err(|error| CommandError::Broken(error.to_string()))? + "\n"))?;
    }
    Ok(match (report.objects, report.conforms(arguments.strict)) {
        (0, _) => ExitStatus::NothingSelected,
        (_, true) => ExitStatus::Done,
        (_, false) => ExitStatus::AnswerIsNo,
    })
}

/// What the words name: a place in a bucket, or a folder.
fn place(arguments: &VerifyArguments) -> Result<Place, UsageError> {
    let Some(rest) = arguments.place.strip_prefix("s3://") else {
        return Ok(Place::Folder(PathBuf::from(&arguments.place)));
    };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(UsageError::NoBucket { place: arguments.place.clone() });
    }
    let url = arguments.endpoint_url.as_deref().map(EndpointUrl::parse).transpose();
    let url = url.map_err(UsageError::Url)?;
    let credentials: Credentials = credentials_of_the_environment(&arguments.place)?;
    let prefix = match prefix {
        "" => String::new(),
        prefix if prefix.ends_with('/') => prefix.to_owned(),
        prefix => format!("{prefix}/"),
    };
    let s3 = client(url.as_ref(), &arguments.region, credentials, ANSWER_TIMEOUT);
    Ok(Place::Bucket { s3, bucket: bucket.to_owned(), prefix })
}
