//! Questions about what users cannot have here, because making it is refused by name: the answer is that there is none.
//!
//! Tools ask them before they delete a user.

use std::marker::PhantomData;

use super::action::{Access, Action, Resource, Scope};
use super::form::{Form, Whose};
use super::things::{OfUser, Thing};
use super::users::whose_access;
use crate::error::AwsError;
use crate::operation::Op;
use crate::query::{Fields, Text};
use crate::state::{Account, EntityKind};

/// A list that is empty.
pub(super) trait Empty: std::fmt::Debug {
    const OP: Op;
    const NAME: &'static str;
    /// Whether the answer says that it goes on.
    const PAGED: bool;
}

/// A list of one user's things.
#[derive(Debug)]
pub(super) struct ListOfUser<E> {
    whose: Whose,
    of: PhantomData<E>,
}

/// A list of the account's things.
#[derive(Debug)]
pub(super) struct ListOfAccount<E>(PhantomData<E>);

macro_rules! empty {
    ($($name:ident: $list:literal, $paged:literal;)*) => {
        $(
            #[derive(Debug)]
            pub(super) struct $name;

            impl Empty for $name {
                const OP: Op = Op::$name;
                const NAME: &'static str = $list;
                const PAGED: bool = $paged;
            }
        )*
    };
}

empty! {
    ListMFADevices: "MFADevices", true;
    ListSSHPublicKeys: "SSHPublicKeys", true;
    ListSigningCertificates: "Certificates", true;
    ListServiceSpecificCredentials: "ServiceSpecificCredentials", false;
    ListVirtualMFADevices: "VirtualMFADevices", true;
    ListServerCertificates: "ServerCertificateMetadataList", true;
    ListSAMLProviders: "SAMLProviderList", false;
}

fn empty<E: Empty>() -> Fields {
    let fields = Fields::new().list(E::NAME, []);
    if E::PAGED { fields.text("IsTruncated", false) } else { fields }
}

impl<E: Empty> Action for ListOfUser<E> {
    const OP: Op = E::OP;

    fn read(form: &mut Form<'_>) -> Self {
        Self { whose: form.whose(), of: PhantomData }
    }

    fn access(&self, account: &Account) -> Access {
        whose_access(Self::OP, account, &self.whose)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        match &self.whose {
            Whose::User(name) if !scope.account()?.users.contains(name) => Err(OfUser::missing(name)),
            _ => Ok(Some(empty::<E>())),
        }
    }
}

impl<E: Empty> Action for ListOfAccount<E> {
    const OP: Op = E::OP;

    fn read(_: &mut Form<'_>) -> Self {
        Self(PhantomData)
    }

    fn access(&self, account: &Account) -> Access {
        Access::to(Self::OP, account, Resource::any())
    }

    fn apply(self, _: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        Ok(Some(empty::<E>()))
    }
}

/// `GetLoginProfile`: nobody has a password.
#[derive(Debug)]
pub(super) struct GetLoginProfile {
    name: String,
}

/// `DeleteLoginProfile`.
#[derive(Debug)]
pub(super) struct DeleteLoginProfile {
    name: String,
}

/// `GetAccountPasswordPolicy`: there is none but AWS's own.
#[derive(Debug)]
pub(super) struct GetAccountPasswordPolicy;

fn no_login_profile(scope: &Scope<'_>, name: &str) -> Result<Option<Fields>, AwsError> {
    if !scope.account()?.users.contains(name) {
        return Err(OfUser::missing(name));
    }
    Err(AwsError::no_such_entity(format!("Login Profile for User {name} cannot be found.")))
}

impl Action for GetLoginProfile {
    const OP: Op = Op::GetLoginProfile;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.name(EntityKind::User) }
    }

    fn access(&self, account: &Account) -> Access {
        OfUser::access(Self::OP, account, &self.name)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        no_login_profile(scope, &self.name)
    }
}

impl Action for DeleteLoginProfile {
    const OP: Op = Op::DeleteLoginProfile;

    fn read(form: &mut Form<'_>) -> Self {
        Self { name: form.reader.required("UserName", Text::of(1, 128)) }
    }

    fn access(&self, account: &Account) -> Access {
        OfUser::access(Self::OP, account, &self.name)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        no_login_profile(scope, &self.name)
    }
}

impl Action for GetAccountPasswordPolicy {
    const OP: Op = Op::GetAccountPasswordPolicy;

    fn read(_: &mut Form<'_>) -> Self {
        Self
    }

    fn access(&self, account: &Account) -> Access {
        Access::to(Self::OP, account, Resource::any())
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let text = format!("The Password Policy with domain name {} cannot be found.", scope.id);
        Err(AwsError::no_such_entity(text))
    }
}
