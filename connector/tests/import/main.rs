//! Imports from outside: whole files against an emulator that grants what the vendor documents, and nothing more.

#[cfg(test)]
mod files;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod model;
#[cfg(test)]
mod program;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod whole;
