//! `s3s-fs` in this process: another implementation of S3 on a folder, to compare with.

use std::io;
use std::net::SocketAddr;

use aws_credential_types::Credentials;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder as Connection;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const KEY_ID: &str = "AKIALOCALREFERENCE00";
const SECRET: &str = "secret of the local reference";

/// A server on the loopback interface that ends when it is dropped.
#[derive(Debug)]
pub struct LocalReference {
    address: SocketAddr,
    serving: JoinHandle<()>,
    _folder: TempDir,
}

/// Why it cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum LocalReferenceError {
    /// No folder, no socket.
    #[error("cannot start the local reference: {0}")]
    Io(#[from] io::Error),
    /// It refuses its folder.
    #[error("cannot start the local reference: {0}")]
    FileSystem(String),
}

impl LocalReference {
    /// Starts it on a free port over an empty folder.
    pub async fn start() -> Result<Self, LocalReferenceError> {
        let folder = TempDir::new()?;
        let files = s3s_fs::FileSystem::new(folder.path())
            .map_err(|error| LocalReferenceError::FileSystem(format!("{error:?}")))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let server = Connection::new(TokioExecutor::new());
                    // A connection that breaks ends; the client sees it.
                    let _ended = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Ok(Self { address, serving, _folder: folder })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The one account that it has.
    pub fn credentials() -> Credentials {
        Credentials::new(KEY_ID, SECRET, None, None, "local reference")
    }
}

impl Drop for LocalReference {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
