//! Tags of users, roles, policies and instance profiles.

use std::marker::PhantomData;

use super::action::{Access, Action, Scope};
use super::form::{Form, add_tags};
use super::page::Page;
use super::show;
use super::things::Tagged;
use crate::error::AwsError;
use crate::operation::Op;
use crate::query::Fields;
use crate::state::{Account, IamTags};

/// `TagUser` and its kin.
#[derive(Debug)]
pub(super) struct Tag<T> {
    name: String,
    tags: IamTags,
    of: PhantomData<T>,
}

/// `UntagUser` and its kin.
#[derive(Debug)]
pub(super) struct Untag<T> {
    name: String,
    keys: Vec<String>,
    of: PhantomData<T>,
}

/// `ListUserTags` and its kin.
#[derive(Debug)]
pub(super) struct ListTags<T> {
    name: String,
    page: Page,
    of: PhantomData<T>,
}

impl<T: Tagged> Action for Tag<T> {
    const OP: Op = T::TAG;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(T::KIND), tags: form.tags(), of: PhantomData }
    }

    fn access(&self, account: &Account) -> Access {
        T::access(Self::OP, account, &self.name).with_tags(&self.tags)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let tags = T::tags_mut(scope.account_mut()?, &self.name).ok_or_else(|| T::missing(&self.name))?;
        add_tags(tags, &self.tags)?;
        Ok(None)
    }
}

impl<T: Tagged> Action for Untag<T> {
    const OP: Op = T::UNTAG;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(T::KIND), keys: form.texts("TagKeys"), of: PhantomData }
    }

    fn access(&self, account: &Account) -> Access {
        T::access(Self::OP, account, &self.name).with_tag_keys(self.keys.iter().map(String::as_str))
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let tags = T::tags_mut(scope.account_mut()?, &self.name).ok_or_else(|| T::missing(&self.name))?;
        for key in &self.keys {
            tags.remove(key);
        }
        Ok(None)
    }
}

impl<T: Tagged> Action for ListTags<T> {
    const OP: Op = T::LIST_TAGS;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(T::KIND), page: form.page(), of: PhantomData }
    }

    fn access(&self, account: &Account) -> Access {
        T::access(Self::OP, account, &self.name)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let account = scope.account()?;
        let (_, tags) = T::find(account, &self.name).ok_or_else(|| T::missing(&self.name))?;
        let list = tags.map(show::tag_list).into_iter().flatten();
        Ok(Some(self.page.list("Tags", list)))
    }
}
