//! A PostgreSQL of one's own, durable as usual: the machine's programs, on loopback, in a temporary directory.

use std::error::Error;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(Debug)]
pub(crate) struct Server {
    programs: PathBuf,
    data: PathBuf,
    port: u16,
    _directory: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let programs = programs().ok_or("there is no PostgreSQL in /usr/lib/postgresql")?;
        let directory = tempfile::tempdir()?;
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755))?;
        let data = directory.path().join("data");
        std::fs::create_dir(&data)?;
        if is_root() {
            done(Command::new("chown").arg("postgres").arg(&data))?;
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let server = Self { programs, data, port, _directory: directory };
        let options = format!("-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories=''");
        done(server.command("initdb").args(["--auth=trust", "--username=importer", "-D"]).arg(&server.data))?;
        let log = server.data.join("log");
        let mut start = server.command("pg_ctl");
        done(start.args(["-w", "-D"]).arg(&server.data).arg("-l").arg(log).args(["-o", &options, "start"]))?;
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("postgresql://importer@127.0.0.1:{}/postgres", self.port)
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
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = self.command("pg_ctl");
        let stopped = done(stop.args(["-w", "-m", "immediate", "-D"]).arg(&self.data).arg("stop"));
        drop(stopped);
    }
}

fn done(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let quiet = command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = quiet.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

/// Those of the newest version.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    versions.retain(|bin: &PathBuf| bin.join("initdb").exists() && bin.join("pg_ctl").exists());
    versions.sort();
    versions.pop()
}

fn is_root() -> bool {
    std::fs::metadata(Path::new("/proc/self")).is_ok_and(|own| own.uid() == 0)
}
