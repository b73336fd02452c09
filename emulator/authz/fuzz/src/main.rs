//! Fuzzes the target that the first argument names.

#[path = "../targets/mod.rs"]
mod targets;

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    let Some(target) = targets::TARGETS.into_iter().find(|target| target.name == name) else {
        panic!("there is no target `{name}`: use one of {:?}", targets::TARGETS.map(|target| target.name));
    };
    afl::fuzz!(|input: &[u8]| (target.run)(input));
}
