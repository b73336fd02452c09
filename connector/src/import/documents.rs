//! What the owner of a bucket is to set up, as documents: policies of bucket and topic, notification of events.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::config::{ImportConfig, InboundConnection};

/// Why there is no such document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentsError {
    /// Nobody to be named in a policy.
    #[error("connection `{connection}`: nobody is known whom the policy could name")]
    NoPrincipal {
        /// The connection.
        connection: String,
    },
    /// There is no policy in the text.
    #[error("not a policy document: {reason}")]
    NoPolicy {
        /// What is wrong with it.
        reason: String,
    },
    /// An identity's policy, in which the statement could not stand.
    #[error(
        "the document is the policy of an identity: {sign}; the statement `{sid}` names a principal, and its name is not one for \
         identities, which are named by letters and digits alone"
    )]
    IdentityPolicy {
        /// What it is known by.
        sign: &'static str,
        /// The statement's name.
        sid: String,
    },
}

impl DocumentsError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoPrincipal { .. } => "give it with `--principal`, or set `role_arn` of the import",
            Self::NoPolicy { .. } => {
                "give what `aws sns get-topic-attributes` prints as `Policy`: a JSON object with `Statement`"
            }
            Self::IdentityPolicy { .. } => {
                "give the policy of the topic, which `aws sns get-topic-attributes` prints as `Policy`"
            }
        }
    }
}

impl ImportConfig {
    /// The policy that each connection's bucket needs, by the name of the connection, as the vendor documents it.
    ///
    /// `principal` goes before whom the configuration names.
    pub fn bucket_policies(
        &self,
        principal: Option<&str>,
    ) -> Result<BTreeMap<String, Value>, DocumentsError> {
        let of = |connection: &InboundConnection| {
            let principal = principal
                .or_else(|| connection.principal(self))
                .ok_or_else(|| DocumentsError::NoPrincipal { connection: connection.name.clone() })?;
            let arn = format!("arn:aws:s3:::{}", connection.bucket.name);
            let fill = |resource: &String| {
                resource
                    .replace("{bucket}", &arn)
                    .replace("{data}", &connection.data_prefix)
                    .replace("{status}", &format!("{}/", connection.status_folder))
            };
            let statements = self.profile.policy.iter().map(|grant| {
                json!({
                    "Effect": "Allow",
                    "Principal": { "AWS": principal },
                    "Action": grant.actions,
                    "Resource": grant.resources.iter().map(fill).collect::<Vec<_>>(),
                })
            });
            let policy = json!({ "Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>() });
            Ok((connection.name.clone(), policy))
        };
        self.connections.iter().map(of).collect()
    }

    /// The policy that each connection's topic needs, by the name of the connection; of those that name a topic.
    ///
    /// The statement is added to `existing`, all of which is kept. `account` owns the bucket; that of the topic if absent.
    pub fn topic_policies(
        &self,
        existing: Option<&Value>,
        account: Option<&str>,
    ) -> Result<BTreeMap<String, Value>, DocumentsError> {
        let mut policies = BTreeMap::new();
        for connection in &self.connections {
            let Some(topic) = &connection.topic_arn else { continue };
            let account = account.unwrap_or_else(|| topic.split(':').nth(4).unwrap_or_default());
            let bucket = connection.bucket.name.as_str();
            let statement = json!({
                "Sid": self.profile.topic_sid,
                "Effect": "Allow",
                "Principal": { "Service": "s3.amazonaws.com" },
                "Action": "SNS:Publish",
                "Resource": topic,
                "Condition": {
                    "StringEquals": { "aws:SourceAccount": account },
                    "ArnLike": { "aws:SourceArn": format!("arn:aws:s3:::{bucket}") },
                },
            });
            let policy = merged(existing, statement, bucket)?;
            policies.insert(connection.name.clone(), policy);
        }
        Ok(policies)
    }

    /// The notification that each connection's bucket needs, by the name of the connection, as
    /// `aws s3api put-bucket-notification-configuration` takes it; of those that name a topic.
    pub fn notifications(&self) -> BTreeMap<String, Value> {
        let of = |connection: &InboundConnection| {
            let topic = connection.topic_arn.as_ref()?;
            let rules: Vec<Value> = [
                ("prefix", Some(connection.data_prefix.as_str()).filter(|prefix| !prefix.is_empty())),
                ("suffix", connection.suffix.as_deref()),
            ]
            .into_iter()
            .filter_map(|(name, value)| Some(json!({ "Name": name, "Value": value? })))
            .collect();
            let mut rule = json!({
                "Id": connection.name,
                "TopicArn": topic,
                "Events": ["s3:ObjectCreated:*"],
            });
            if let (false, Some(rule)) = (rules.is_empty(), rule.as_object_mut()) {
                rule.insert("Filter".to_owned(), json!({ "Key": { "FilterRules": rules } }));
            }
            Some((connection.name.clone(), json!({ "TopicConfigurations": [rule] })))
        };
        self.connections.iter().filter_map(of).collect()
    }
}

/// A policy with a statement more; the same one, if it says as much already. Sids stay unique.
fn merged(existing: Option<&Value>, mut statement: Value, bucket: &str) -> Result<Value, DocumentsError> {
    let no_policy = |reason: &str| DocumentsError::NoPolicy { reason: reason.to_owned() };
    let Some(existing) = existing else {
        return Ok(json!({ "Version": "2012-10-17", "Statement": [statement] }));
    };
    let mut policy = existing.as_object().cloned().ok_or_else(|| no_policy("it is no JSON object"))?;
    let mut statements = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        // One statement may stand alone.
        Some(Value::Object(alone)) => vec![Value::Object(alone.clone())],
        _ => return Err(no_policy("it has no `Statement`")),
    };
    // Policies of topics say of each statement whom it is about; those of users and roles of none.
    let is_about_somebody = |own: &Value| own.get("Principal").is_some() || own.get("NotPrincipal").is_some();
    if !statements.is_empty() && !statements.iter().any(is_about_somebody) {
        let sid = statement.get("Sid").and_then(Value::as_str).unwrap_or_default().to_owned();
        return Err(DocumentsError::IdentityPolicy { sign: "no statement of it has a `Principal`", sid });
    }
    if statements.iter().all(|own| without_sid(own) != without_sid(&statement)) {
        let is_taken = |sid: &Value| statements.iter().any(|own| own.get("Sid") == Some(sid));
        let wanted = statement.get("Sid").and_then(Value::as_str).unwrap_or_default().to_owned();
        let names = std::iter::once(wanted.clone())
            .chain((1..).map(|number| match number {
                1 => format!("{wanted} {bucket}"),
                number => format!("{wanted} {bucket} {number}"),
            }))
            .map(Value::from);
        if let Some(free) = names.into_iter().find(|name| !is_taken(name))
            && let Some(statement) = statement.as_object_mut()
        {
            statement.insert("Sid".to_owned(), free);
        }
        statements.push(statement);
    }
    policy.insert("Statement".to_owned(), Value::Array(statements));
    Ok(Value::Object(policy))
}

fn without_sid(statement: &Value) -> Value {
    let mut statement = statement.clone();
    if let Some(members) = statement.as_object_mut() {
        members.remove("Sid");
    }
    statement
}
