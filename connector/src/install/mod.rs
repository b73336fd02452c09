//! Installing an export over HTTP: the vendor's request becomes a configuration in a directory of its own, which `run`
//! takes from there.
//!
//! Path, fields, variants and delivery modes are the profile's. What is secret goes into files that only their owner can
//! read; the configuration names the files, and no answer, log or error repeats their content. The same request twice is
//! one installation; another one of the same name is refused.

mod front;
mod installation;
mod request;

pub use front::{InstallFront, InstallFrontError, InstallToken};
pub use installation::{Installation, Installer};
pub use request::{FieldProblem, InstallRefusal};
