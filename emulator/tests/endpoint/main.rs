//! The emulator from outside: through the AWS SDK in memory, as bytes over a socket, and as a program.
//!
//! One program holds all areas, because each would have to link the SDK anew.

#[cfg(test)]
mod authentication;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod wire;
