use super::judge;
use crate::config::Config;

/// Claims PER-50.
#[test]
fn keys_that_the_layout_does_not_make_are_told_apart() {
    let config = Config::parse(
        "profile = \"suprsend_s3_v2\"\nenabled = true\ndatasets = [\"messages\"]\n\
         [bucket]\nname = \"logs\"\nregion = \"eu-central-1\"\nprefix = \"exports\"\n\
         [auth]\nmode = \"static_keys\"\naccess_key_id = \"A\"\nsecret_access_key = { env = \"S\" }\n\
         [state]\ndir = \"state\"\n",
        "c.toml",
    )
    .unwrap();
    let profile = config.load_profile().unwrap();
    let hour = "exports/year=2025/month=01/day=15/hour=14";
    let keys = [
        format!("{hour}/messages.parquet"),
        format!("{hour}/mails.parquet"),
        format!("{hour}/messages.csv"),
        "exports/year=2025/month=1/day=15/hour=14/messages.parquet".to_owned(),
        "exports/year=2025/month=13/day=15/hour=14/messages.parquet".to_owned(),
    ];
    let report = judge(&config, &profile, keys.to_vec());
    assert_eq!(report.conforming, 1);
    assert_eq!(report.unknown_dataset, [keys[1].clone()]);
    assert_eq!(report.foreign, keys[2..]);
    assert!(!report.conforms());
    assert!(judge(&config, &profile, keys[..1].to_vec()).conforms());
}
