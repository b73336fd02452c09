//! The journal as text for other programs.

use super::{Journal, har};

impl Journal {
    /// A JSON object per request, oldest first, each on a line of its own.
    ///
    /// Every decision carries a `question`: the request with its condition keys and the policies that were in force, as
    /// `bucketproof-emulator evaluate` takes it and the `policy` commands read it. Secrets are in no line.
    ///
    /// ```
    /// # use bucketproof_emulator::Emulator;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let emulator = Emulator::builder().start().await?;
    /// emulator.s3("administrator").create_bucket().bucket("logs").send().await.unwrap();
    /// let lines = emulator.journal().to_json_lines();
    /// let request: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    /// assert_eq!(request["operation"], "CreateBucket");
    /// assert_eq!(request["decisions"][0]["question"]["request"]["action"], "s3:CreateBucket");
    /// # Ok::<(), bucketproof_emulator::StartError>(())
    /// # }).unwrap();
    /// ```
    pub fn to_json_lines(&self) -> String {
        let mut text = String::new();
        for entry in self.entries() {
            // A view has nothing that cannot be written.
            text.push_str(&serde_json::to_string(&entry.repeatable()).unwrap_or_default());
            text.push('\n');
        }
        text
    }

    /// An HTTP archive (HAR 1.2), as browsers and proxies show it: heads without secrets, sizes instead of bodies, and
    /// under `_bucketproof` who asked and what was decided.
    pub fn to_har(&self) -> String {
        har::archive(&self.entries())
    }
}
