//! Delivery policies: how often and how fast a failed delivery is tried again, and as what it is sent.
//!
//! Source: SNS Developer Guide, "Amazon SNS message delivery retries".

use std::time::Duration;

use serde_json::{Map, Value, json};

/// The parameters of the four phases of retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetryPolicy {
    min_delay_secs: u64,
    max_delay_secs: u64,
    retries: u64,
    retries_without_delay: u64,
    retries_at_min_delay: u64,
    retries_at_max_delay: u64,
    backoff: Backoff,
}

/// How the delay grows from the smallest to the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backoff {
    Linear,
    Arithmetic,
    Geometric,
    Exponential,
}

/// How a request looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestPolicy {
    pub(crate) content_type: String,
}

const CONTENT_TYPE: &str = "text/plain; charset=UTF-8";
/// What a whole policy may take.
const TOTAL_SECS_MAX: u64 = 3600;

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            min_delay_secs: 20,
            max_delay_secs: 20,
            retries: 3,
            retries_without_delay: 0,
            retries_at_min_delay: 0,
            retries_at_max_delay: 0,
            backoff: Backoff::Linear,
        }
    }
}

impl Backoff {
    const ALL: [(&str, Self); 4] = [
        ("linear", Self::Linear),
        ("arithmetic", Self::Arithmetic),
        ("geometric", Self::Geometric),
        ("exponential", Self::Exponential),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, own)| *own == self).map_or("linear", |(name, _)| name)
    }
}

impl RetryPolicy {
    /// The policy of a subscription, unless its topic overrides it; then that of the topic, then the default.
    pub(crate) fn in_force(subscription: Option<&str>, topic: Option<&str>) -> Self {
        let of_topic = topic.and_then(topic_part);
        let overrides = of_topic
            .as_ref()
            .and_then(|http| http.get("disableSubscriptionOverrides")?.as_bool())
            .unwrap_or_default();
        let own = subscription.and_then(object).and_then(|own| own.get("healthyRetryPolicy").cloned());
        let given = own
            .filter(|_| !overrides)
            .or_else(|| of_topic.and_then(|http| http.get("defaultHealthyRetryPolicy").cloned()));
        given.and_then(|given| Self::read(&given).ok()).unwrap_or_default()
    }

    fn read(given: &Value) -> Result<Self, String> {
        let default = Self::default();
        let number = |name: &str, default: u64| match given.get(name) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => value.as_u64().ok_or_else(|| format!("{name} must be a whole number")),
        };
        let backoff = match given.get("backoffFunction").and_then(Value::as_str) {
            None => default.backoff,
            Some(name) => {
                Backoff::ALL.iter().find(|(own, _)| *own == name).map(|(_, backoff)| *backoff).ok_or_else(
                    || "backoffFunction must be linear, arithmetic, geometric or exponential".to_owned(),
                )?
            }
        };
        let policy = Self {
            min_delay_secs: number("minDelayTarget", default.min_delay_secs)?,
            max_delay_secs: number("maxDelayTarget", default.max_delay_secs)?,
            retries: number("numRetries", default.retries)?,
            retries_without_delay: number("numNoDelayRetries", 0)?,
            retries_at_min_delay: number("numMinDelayRetries", 0)?,
            retries_at_max_delay: number("numMaxDelayRetries", 0)?,
            backoff,
        };
        policy.check()?;
        Ok(policy)
    }

    fn check(&self) -> Result<(), String> {
        let fixed = self.retries_without_delay + self.retries_at_min_delay + self.retries_at_max_delay;
        if self.min_delay_secs == 0 || self.min_delay_secs > self.max_delay_secs {
            return Err("minDelayTarget must be between 1 and maxDelayTarget".to_owned());
        }
        if self.max_delay_secs > 3600 {
            return Err("maxDelayTarget must be at most 3600".to_owned());
        }
        if self.retries > 100 || fixed > self.retries {
            return Err(
                "numRetries must be at most 100 and no less than the retries of the phases".to_owned()
            );
        }
        let total: u64 = (0..self.retries).filter_map(|retry| Some(self.delay(retry)?.as_secs())).sum();
        if total > TOTAL_SECS_MAX {
            return Err(format!("the policy takes {total} seconds, and may take {TOTAL_SECS_MAX}"));
        }
        Ok(())
    }

    /// How long to wait before a retry, from 0; absent when there is none left.
    pub(crate) fn delay(&self, retry: u64) -> Option<Duration> {
        if retry >= self.retries {
            return None;
        }
        let Some(retry) = retry.checked_sub(self.retries_without_delay) else { return Some(Duration::ZERO) };
        let Some(step) = retry.checked_sub(self.retries_at_min_delay) else {
            return Some(Duration::from_secs(self.min_delay_secs));
        };
        let fixed = self.retries_without_delay + self.retries_at_min_delay + self.retries_at_max_delay;
        let steps = self.retries.saturating_sub(fixed);
        if step >= steps {
            return Some(Duration::from_secs(self.max_delay_secs));
        }
        Some(Duration::from_secs(self.backed_off(step, steps)))
    }

    /// The delay of a step of the phase in which it grows; AWS gives names and curves, no formulas.
    fn backed_off(&self, step: u64, steps: u64) -> u64 {
        let (min, max) = (self.min_delay_secs, self.max_delay_secs);
        let last = steps.saturating_sub(1).max(1);
        let range = max - min;
        let fraction = |weight: u64, whole: u64| min + range.saturating_mul(weight) / whole.max(1);
        match self.backoff {
            Backoff::Linear => fraction(step, last),
            Backoff::Arithmetic => fraction(step * (step + 1), last * (last + 1)),
            Backoff::Geometric => fraction(step * step, last * last),
            Backoff::Exponential => {
                fraction((1 << step.min(32)) - 1, (1_u64 << last.min(32)).saturating_sub(1))
            }
        }
    }

    fn shown(&self) -> Value {
        json!({
            "minDelayTarget": self.min_delay_secs,
            "maxDelayTarget": self.max_delay_secs,
            "numRetries": self.retries,
            "numMaxDelayRetries": self.retries_at_max_delay,
            "numNoDelayRetries": self.retries_without_delay,
            "numMinDelayRetries": self.retries_at_min_delay,
            "backoffFunction": self.backoff.name(),
        })
    }

    /// What is wrong with the delivery policy of a topic or, without `http`, of a subscription.
    pub(crate) fn check_text(text: &str, of_topic: bool) -> Result<(), String> {
        let Some(whole) = object(text) else { return Err("the policy is not a JSON object".to_owned()) };
        let (given, names): (_, &[&str]) = if of_topic {
            let Some(http) = whole.get("http").and_then(Value::as_object).cloned() else {
                return Err("the policy has no object http".to_owned());
            };
            (http, &["defaultHealthyRetryPolicy", "disableSubscriptionOverrides", "defaultRequestPolicy"])
        } else {
            (whole, &["healthyRetryPolicy", "requestPolicy"])
        };
        if let Some((name, _)) =
            given.iter().find(|(name, value)| !names.contains(&name.as_str()) && !value.is_null())
        {
            return Err(format!("{name} is not supported"));
        }
        match given.get("defaultHealthyRetryPolicy").or_else(|| given.get("healthyRetryPolicy")) {
            None | Some(Value::Null) => Ok(()),
            Some(policy) => Self::read(policy).map(|_| ()),
        }
    }

    /// `EffectiveDeliveryPolicy` of a topic.
    pub(crate) fn effective_of_topic(text: Option<&str>) -> String {
        let overrides = text
            .and_then(topic_part)
            .and_then(|http| http.get("disableSubscriptionOverrides")?.as_bool())
            .unwrap_or_default();
        json!({ "http": {
            "defaultHealthyRetryPolicy": Self::in_force(None, text).shown(),
            "disableSubscriptionOverrides": overrides,
            "defaultRequestPolicy": { "headerContentType": RequestPolicy::in_force(None, text).content_type },
        }})
        .to_string()
    }

    /// `EffectiveDeliveryPolicy` of a subscription.
    pub(crate) fn effective_of_subscription(own: Option<&str>, topic: Option<&str>) -> String {
        json!({
            "healthyRetryPolicy": Self::in_force(own, topic).shown(),
            "requestPolicy": { "headerContentType": RequestPolicy::in_force(own, topic).content_type },
        })
        .to_string()
    }
}

impl RequestPolicy {
    pub(crate) fn in_force(subscription: Option<&str>, topic: Option<&str>) -> Self {
        let content_type = |policy: &Map<String, Value>, name: &str| {
            Some(policy.get(name)?.get("headerContentType")?.as_str()?.to_owned())
        };
        let own = subscription.and_then(object).and_then(|own| content_type(&own, "requestPolicy"));
        let of_topic =
            || topic.and_then(topic_part).and_then(|http| content_type(&http, "defaultRequestPolicy"));
        Self { content_type: own.or_else(of_topic).unwrap_or_else(|| CONTENT_TYPE.to_owned()) }
    }
}

fn object(text: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

fn topic_part(text: &str) -> Option<Map<String, Value>> {
    object(text)?.get("http")?.as_object().cloned()
}

#[cfg(test)]
mod tests {
    use super::RetryPolicy;

    fn delays(policy: &str) -> Vec<u64> {
        let policy = format!("{{\"healthyRetryPolicy\":{policy}}}");
        RetryPolicy::check_text(&policy, false).unwrap();
        let policy = RetryPolicy::in_force(Some(&policy), None);
        (0..200).map_while(|retry| policy.delay(retry)).map(|delay| delay.as_secs()).collect()
    }

    #[test]
    fn the_phases_follow_each_other() {
        assert_eq!(delays("{}"), [20, 20, 20]);
        let phases = r#"{"minDelayTarget":1,"maxDelayTarget":9,"numRetries":9,"numNoDelayRetries":2,
            "numMinDelayRetries":1,"numMaxDelayRetries":1,"backoffFunction":"linear"}"#;
        assert_eq!(delays(phases), [0, 0, 1, 1, 3, 5, 7, 9, 9]);
        let exponential =
            r#"{"minDelayTarget":1,"maxDelayTarget":8,"numRetries":4,"backoffFunction":"exponential"}"#;
        assert_eq!(delays(exponential), [1, 2, 4, 8]);
    }

    #[test]
    fn a_topic_may_forbid_policies_of_subscriptions() {
        let own = r#"{"healthyRetryPolicy":{"numRetries":0}}"#;
        let topic = r#"{"http":{"disableSubscriptionOverrides":true}}"#;
        assert_eq!(RetryPolicy::in_force(Some(own), None).delay(0), None);
        assert!(RetryPolicy::in_force(Some(own), Some(topic)).delay(2).is_some());
        assert!(RetryPolicy::check_text(r#"{"healthyRetryPolicy":{"numRetries":101}}"#, false).is_err());
        assert!(RetryPolicy::check_text(r#"{"throttlePolicy":{"maxReceivesPerSecond":1}}"#, false).is_err());
    }
}
