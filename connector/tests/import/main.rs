//! Imports from outside: whole files against an emulator that grants what the vendor documents, and nothing more.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod checked;
#[cfg(test)]
mod customer;
#[cfg(test)]
#[path = "../export/tables/database.rs"]
#[expect(dead_code, reason = "exports ask more of a server")]
mod database;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod endpoint;
#[cfg(test)]
mod files;
#[cfg(test)]
mod lzo;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod model;
#[cfg(test)]
mod notified;
#[cfg(test)]
mod program;
#[cfg(test)]
mod queued;
#[cfg(test)]
mod reporting;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod targets;
#[cfg(test)]
mod versions;
#[cfg(test)]
mod whole;
