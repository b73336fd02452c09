//! `AddPermission` and `RemovePermission`: statements of the topic policy by a label.

use bucketproof_authz::Arn;
use serde_json::{Value, json};

use super::action::{Action, Scope, Who, on_topic};
use super::form::Form;
use super::topic_attributes::topic_policy;
use crate::error::AwsError;
use crate::operation::{Op, Requirement};
use crate::query::Fields;
use crate::state::World;

#[derive(Debug)]
pub(super) struct AddPermission {
    arn: Arn,
    label: String,
    accounts: Vec<String>,
    actions: Vec<String>,
}

#[derive(Debug)]
pub(super) struct RemovePermission {
    arn: Arn,
    label: String,
}

impl Scope<'_> {
    /// Changes the statements of the policy of a topic.
    fn change_policy(
        &mut self,
        arn: &Arn,
        change: impl FnOnce(&mut Vec<Value>) -> Result<(), AwsError>,
    ) -> Result<(), AwsError> {
        let topic = self.topic(arn)?;
        let text = self.world.accounts.shown(&topic.policy);
        let mut document: Value = serde_json::from_str(&text).map_err(|_| AwsError::internal())?;
        let statements = document.get_mut("Statement").ok_or_else(AwsError::internal)?;
        if !statements.is_array() {
            *statements = json!([statements.take()]);
        }
        change(statements.as_array_mut().ok_or_else(AwsError::internal)?)?;
        let policy = topic_policy(&document.to_string(), &topic.name, &self.world.accounts)?;
        self.topic_mut(arn)?.policy = policy;
        Ok(())
    }
}

fn has_label(statement: &Value, label: &str) -> bool {
    statement.get("Sid").and_then(Value::as_str) == Some(label)
}

/// AWS writes a list of one as a text.
fn one_or_many(mut texts: Vec<String>) -> Value {
    match texts.pop() {
        Some(only) if texts.is_empty() => only.into(),
        last => texts.into_iter().chain(last).collect(),
    }
}

impl Action for AddPermission {
    const OP: Op = Op::AddPermission;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        let texts = |name: &str| -> Result<Vec<String>, AwsError> {
            let list: Vec<String> = form.parameters.list(name).into_iter().map(str::to_owned).collect();
            if list.is_empty() { Err(AwsError::sns_no_value(name)) } else { Ok(list) }
        };
        Ok(Self {
            arn: form.topic("TopicArn")?,
            label: form.required("Label")?,
            accounts: texts("AWSAccountId")?,
            actions: texts("ActionName")?,
        })
    }

    fn requirements(&self, _: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![on_topic("SNS:AddPermission", &self.arn, world)?])
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let Self { arn, label, accounts, actions } = self;
        let principals = accounts.iter().map(|account| format!("arn:aws:iam::{account}:root")).collect();
        let actions = actions.iter().map(|action| format!("SNS:{action}")).collect();
        let statement = json!({
            "Sid": label,
            "Effect": "Allow",
            "Principal": { "AWS": one_or_many(principals) },
            "Action": one_or_many(actions),
            "Resource": arn.as_str(),
        });
        scope.change_policy(&arn, |statements| {
            if statements.iter().any(|statement| has_label(statement, &label)) {
                return Err(AwsError::sns_invalid("Statement already exists"));
            }
            statements.push(statement);
            Ok(())
        })?;
        Ok(None)
    }
}

impl Action for RemovePermission {
    const OP: Op = Op::RemovePermission;

    fn read(form: &Form<'_>) -> Result<Self, AwsError> {
        Ok(Self { arn: form.topic("TopicArn")?, label: form.required("Label")? })
    }

    fn requirements(&self, _: &Who, world: &World) -> Result<Vec<Requirement>, AwsError> {
        Ok(vec![on_topic("SNS:RemovePermission", &self.arn, world)?])
    }

    /// A label that is not there is no error; unverified.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        scope.topic(&self.arn)?;
        scope.change_policy(&self.arn, |statements| {
            statements.retain(|statement| !has_label(statement, &self.label));
            Ok(())
        })?;
        Ok(None)
    }
}
