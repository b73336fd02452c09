//! Exit statuses, which scripts rely on.

use std::process::ExitCode;

use crate::report::{Report, Status};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: done, and the answer is yes. Skipped checks are counted in the report.
    Done,
    /// 1: the answer is no: at least one check failed, whatever else happened.
    AnswerIsNo,
    /// 2: the command line or a file that it names is wrong; nothing ran.
    Usage,
    /// 3: a check or the program itself broke, and no check failed.
    Broken,
    /// 4: no check was selected, or every selected one was skipped. That is no pass.
    NothingSelected,
}

impl ExitStatus {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::AnswerIsNo => 1,
            Self::Usage => 2,
            Self::Broken => 3,
            Self::NothingSelected => 4,
        }
    }

    /// The status that `report` leads to.
    pub fn of(report: &Report) -> Self {
        let has = |status| report.checks.iter().any(|check| check.status == status);
        if has(Status::Failed) {
            Self::AnswerIsNo
        } else if has(Status::Errored) || !report.left_behind.is_empty() {
            Self::Broken
        } else if has(Status::Passed) {
            Self::Done
        } else {
            Self::NothingSelected
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

#[cfg(test)]
mod tests;
