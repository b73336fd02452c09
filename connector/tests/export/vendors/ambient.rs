//! What a machine has, taken by the program itself: environment, profile files, a process, a container, an instance.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;

use bucketproof_connector::profile::VendorProfile;

use super::place::{KEY_ID, Place, SECRET};

/// Answers every request of a metadata service on loopback with a session, for as long as the test lasts.
fn metadata(session: &aws_sdk_sts::types::Credentials) -> String {
    let credentials = format!(
        "{{\"Code\":\"Success\",\"Type\":\"AWS-HMAC\",\"LastUpdated\":\"2026-01-01T00:00:00Z\",\"AccessKeyId\":\"{}\",\
         \"SecretAccessKey\":\"{}\",\"Token\":\"{}\",\"Expiration\":\"2099-01-01T00:00:00Z\"}}",
        session.access_key_id(),
        session.secret_access_key(),
        session.session_token()
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                continue;
            }
            let mut header = String::new();
            while reader.read_line(&mut header).unwrap_or(0) > 2 {
                header.clear();
            }
            let body = match line.split(' ').nth(1).unwrap_or_default() {
                "/latest/api/token" => "token".to_owned(),
                path if path.ends_with("/iam/security-credentials/") => "machine".to_owned(),
                _ => credentials.clone(),
            };
            let _gone = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nx-aws-ec2-metadata-token-ttl-seconds: 21600\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    format!("http://{address}")
}

async fn place() -> Place {
    let text = VendorProfile::embedded().find(|(id, _)| *id == "split_impressions_export").unwrap().1;
    let place = Place::served(text).await;
    place.write_rows(0..5);
    place
}

/// Exit code, standard output and standard error of a command with this `[auth]` and this environment.
async fn run(
    place: &Place,
    command: &str,
    auth: &str,
    environment: &[(&str, &str)],
) -> (i32, String, String) {
    let text = place.config_text();
    let (head, rest) = text.split_once("[auth]\n").unwrap();
    let (_, rest) = rest.split_once("[state]\n").unwrap();
    std::fs::write(place.path().join("c.toml"), format!("{head}[auth]\n{auth}[state]\n{rest}")).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_bucketproof-connector"));
    program
        .args([command, "--config", "c.toml"])
        .current_dir(place.path())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", place.path())
        .env("BUCKETPROOF_LOG", "trace,hyper=off")
        .envs(environment.iter().copied());
    // On this one thread the emulator works meanwhile.
    let output = tokio::task::spawn_blocking(move || program.output()).await.unwrap().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(!stdout.contains(SECRET) && !stderr.contains(SECRET), "a secret is seen:\n{stdout}{stderr}");
    (output.status.code().unwrap(), stdout, stderr)
}

/// Name and value of a variable of the environment.
type Variable<'a> = (&'a str, &'a str);

/// No metadata service is asked.
const ALONE: (&str, &str) = ("AWS_EC2_METADATA_DISABLED", "true");

/// Claims ENG-09.
#[tokio::test]
async fn credentials_of_the_machine_are_found_wherever_the_sdk_finds_them() {
    let place = place().await;
    let folder = place.path().to_path_buf();
    let files = format!(
        "[export]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n[default]\naws_access_key_id = AKIANOBODY0000000000\n\
         aws_secret_access_key = no\n"
    );
    std::fs::write(folder.join("credentials"), files).unwrap();
    let process = folder.join("process.sh");
    let answer = format!("{{\"Version\":1,\"AccessKeyId\":\"{KEY_ID}\",\"SecretAccessKey\":\"{SECRET}\"}}");
    std::fs::write(&process, format!("echo '{answer}'\n")).unwrap();
    let config = format!("[profile helper]\ncredential_process = sh {}\n", process.display());
    std::fs::write(folder.join("config"), config).unwrap();
    let (credentials, config) = (folder.join("credentials"), folder.join("config"));
    let credentials = ("AWS_SHARED_CREDENTIALS_FILE", credentials.to_str().unwrap());
    let config = ("AWS_CONFIG_FILE", config.to_str().unwrap());
    let session = place.emulator.sts("exporter").get_session_token().send().await.unwrap();
    let service = metadata(session.credentials().unwrap());
    let container = format!("{service}/credentials");
    let ambient = "mode = \"ambient\"\n";
    let places: [(&str, &str, &[Variable<'_>]); 6] = [
        ("environment", ambient, &[ALONE, ("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", SECRET)]),
        ("a profile by name", "mode = \"ambient\"\naws_profile = \"export\"\n", &[ALONE, credentials]),
        ("a profile by AWS_PROFILE", ambient, &[ALONE, credentials, ("AWS_PROFILE", "export")]),
        ("a process", "mode = \"ambient\"\naws_profile = \"helper\"\n", &[ALONE, config]),
        ("a container", ambient, &[ALONE, ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container)]),
        ("an instance", ambient, &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &service)]),
    ];
    for (what, auth, environment) in places {
        let (code, _, stderr) = run(&place, "sync", auth, environment).await;
        assert_eq!(code, 0, "{what}: {stderr}");
    }
    assert_eq!(place.objects().await.len(), 1, "the rows were exported once");
    assert!(place.emulator.journal().denied().is_empty());
}

#[tokio::test]
async fn a_machine_that_has_nothing_is_told_so_by_name() {
    let place = place().await;
    let ambient = "mode = \"ambient\"\n";
    for command in ["sync", "doctor"] {
        let (code, stdout, stderr) = run(&place, command, ambient, &[ALONE]).await;
        assert_eq!(code, 1, "{stderr}");
        let said = format!("{stdout}{stderr}");
        assert!(said.contains("neither environment variables nor profile files"), "{said}");
        assert!(said.contains("help: ") && said.contains("AWS_ACCESS_KEY_ID"), "{said}");
    }
    let (code, stdout, _) = run(&place, "status", ambient, &[ALONE]).await;
    assert!(code == 0 && stdout.to_lowercase().contains("credentials rejected"), "{stdout}");
    let half = run(&place, "sync", ambient, &[ALONE, ("AWS_ACCESS_KEY_ID", KEY_ID)]).await;
    assert!(half.2.contains("`AWS_ACCESS_KEY_ID` is set without `AWS_SECRET_ACCESS_KEY`"), "{}", half.2);
    let absent = "mode = \"ambient\"\naws_profile = \"absent\"\n";
    let (code, _, stderr) = run(&place, "sync", absent, &[ALONE]).await;
    assert!(code == 1 && stderr.contains("profile `absent` of the AWS files"), "{stderr}");
    // A process that fails, and one that says something else than it should: what they write is not repeated.
    for (script, word) in [
        (format!("echo {SECRET} >&2; exit 3"), "exited"),
        (format!("echo '{{\"Version\":1,\"Secret\":\"{SECRET}\"'"), "could not parse"),
    ] {
        std::fs::write(place.path().join("process.sh"), script).unwrap();
        let config = place.path().join("config");
        let process = place.path().join("process.sh");
        std::fs::write(&config, format!("[default]\ncredential_process = sh {}\n", process.display()))
            .unwrap();
        let environment = [ALONE, ("AWS_CONFIG_FILE", config.to_str().unwrap())];
        let (code, _, stderr) = run(&place, "sync", ambient, &environment).await;
        assert!(code == 1 && stderr.contains(word), "{stderr}");
    }
}

/// Claims SUP-52, ENG-09: the machine assumes the customer's role, with the external id and never without it.
#[tokio::test]
async fn a_role_is_assumed_by_whoever_the_machine_is() {
    let text = VendorProfile::embedded().find(|(id, _)| *id == "suprsend_s3_v2").unwrap().1;
    let place = Place::served(text).await;
    place.write_rows(0..3);
    let role = "mode = \"assume_role\"\nrole_arn = \"arn:aws:iam::111122223333:role/export\"\n";
    let machine = [ALONE, ("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let (code, _, stderr) = run(&place, "sync", &format!("{role}external_id = \"e-1234\"\n"), &machine).await;
    assert_eq!(code, 0, "{stderr}");
    let (code, _, stderr) = run(&place, "sync", role, &machine).await;
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains("assumes roles with an external id alone") && stderr.contains("help: add"),
        "{stderr}"
    );
    let (code, _, stderr) = run(&place, "sync", &format!("{role}external_id = \"e-1234\"\n"), &[ALONE]).await;
    assert!(code == 1 && stderr.contains("no credentials are found"), "{stderr}");
}

/// Claims ADA-10: the file of credentials that AWS offers is taken as it is, byte order mark and all.
#[tokio::test]
async fn the_file_of_credentials_that_aws_offers_is_taken_as_it_is() {
    let text = VendorProfile::embedded().find(|(id, _)| *id == "adapty_s3").unwrap().1;
    let place = Place::served(text).await;
    place.write_rows(0..3);
    let auth = "mode = \"static_keys\"\ncredentials_csv = \"rootkey.csv\"\n";
    let file = place.path().join("rootkey.csv");
    for content in [
        format!("\u{feff}Access key ID,Secret access key\r\n{KEY_ID},{SECRET}\r\n"),
        format!(
            "User name,Password,Access key ID,Secret access key,Console login link\r\nadapty,,{KEY_ID},{SECRET},https://x\r\n"
        ),
    ] {
        std::fs::write(&file, content).unwrap();
        let (code, _, stderr) = run(&place, "sync", auth, &[]).await;
        assert_eq!(code, 0, "{stderr}");
    }
    for (content, word) in [
        ("User name,Password\r\nadapty,x\r\n".to_owned(), "it has no column `Access key ID`"),
        ("Access key ID,Secret access key\r\n".to_owned(), "it has no row"),
        (format!("Access key ID,Secret access key\r\n{KEY_ID},\r\n"), "its `Secret access key` is empty"),
        (format!("Secret access key,Access key ID\r\n{KEY_ID},{SECRET}\r\n"), "is no access key id"),
    ] {
        std::fs::write(&file, content).unwrap();
        let (code, _, stderr) = run(&place, "sync", auth, &[]).await;
        assert!(code == 2 && stderr.contains(word) && stderr.contains("rootkey.csv"), "{stderr}");
    }
}
