//! What holds of every vendor: of the profiles that come with the program, and of one that is a file of these tests.
//!
//! Nothing here knows a vendor. Rows are made from columns, the policy is the profile's own, and what a reader finds in
//! the bucket is compared with what was put in.

mod ambient;
mod chosen;
mod claimed;
mod content;
mod diagnosed;
mod documented;
mod documents;
mod guides;
mod installed;
mod kill_nine;
mod killed;
mod limits;
mod periods;
mod place;
mod ranges;
mod schedules;
mod snapshots;
mod suite;
