//! A PostgreSQL server of one's own: the machine's programs, on loopback, in a temporary directory.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tokio_postgres::{Client, NoTls};

pub(super) struct Server {
    programs: PathBuf,
    directory: tempfile::TempDir,
    port: u16,
}

impl Server {
    /// Starts one with more lines of its configuration; `None`, and a word about it, if the machine has no PostgreSQL.
    pub(super) fn start(prepare: impl FnOnce(&Path) -> String) -> Option<Self> {
        let Some(programs) = programs() else {
            println!(
                "skipped: there is no PostgreSQL in /usr/lib/postgresql (Debian: apt-get install postgresql)"
            );
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { programs, directory, port };
        let path = server.directory.path();
        open_to_all(path);
        let data = path.join("data");
        std::fs::create_dir(&data).unwrap();
        if is_root() {
            assert!(Command::new("chown").arg("postgres").arg(&data).status().unwrap().success());
        }
        server
            .run("initdb", &["--auth=trust", "--username=tester", "--no-sync", "-D", data.to_str().unwrap()]);
        let more = prepare(&data);
        if is_root() {
            assert!(Command::new("chown").args(["-R", "postgres"]).arg(&data).status().unwrap().success());
        }
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off {more}"
        );
        let log = data.join("log");
        let arguments =
            ["-w", "-D", data.to_str().unwrap(), "-l", log.to_str().unwrap(), "-o", &options, "start"];
        server.run("pg_ctl", &arguments);
        Some(server)
    }

    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        if !is_root() {
            return Command::new(path);
        }
        // The server refuses to run as root.
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(path);
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = self.command(program);
        let outcome = command
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(outcome.success(), "{program} {arguments:?}: {outcome}");
    }

    pub(super) fn url(&self) -> String {
        format!("postgresql://tester@127.0.0.1:{}/postgres", self.port)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await.unwrap();
        tokio::spawn(async move { drop(connection.await) });
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.directory.path().join("data");
        let arguments = ["-D", data.to_str().unwrap(), "-m", "immediate", "-w", "stop"];
        let mut command = self.command("pg_ctl");
        drop(command.args(arguments).current_dir("/").stdout(Stdio::null()).stderr(Stdio::null()).status());
    }
}

fn programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists() && bin.join("pg_ctl").exists())
        .collect();
    versions.sort();
    versions.pop()
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn open_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
