//! The engine from outside: whole syncs over a bucket in memory, and the program itself.

#[cfg(test)]
mod crash;
#[cfg(test)]
mod damaged;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod emulated;
#[cfg(test)]
mod fenced;
#[cfg(test)]
mod pausing;
#[cfg(test)]
mod program;
#[cfg(test)]
mod redaction;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod running;
#[cfg(test)]
mod s3;
#[cfg(test)]
mod sync;
#[cfg(test)]
mod tables;
#[cfg(test)]
mod tails;
#[cfg(test)]
mod toggles;
#[cfg(test)]
mod vendors;
#[cfg(test)]
mod writers;
