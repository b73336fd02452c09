//! OpenID Connect providers.

use super::action::{Access, Action, Resource, Scope};
use super::form::{Form, add_tags};
use super::page::Page;
use super::show;
use crate::error::AwsError;
use crate::operation::Op;
use crate::query::{Fields, Text};
use crate::state::{Account, IamTags, OidcProvider};

/// How many client ids and thumbprints a provider may have, and an account providers.
const CLIENT_IDS_MAX: usize = 100;
const THUMBPRINTS_MAX: usize = 5;
const PROVIDERS_MAX: usize = 100;

const URL: Text = Text::of(1, 255);
const CLIENT_ID: Text = Text::of(1, 255);
const THUMBPRINT: Text = Text::of(40, 40);

#[derive(Debug)]
pub(super) struct CreateOpenIDConnectProvider {
    url: String,
    client_ids: Vec<String>,
    thumbprints: Vec<String>,
    tags: IamTags,
}

#[derive(Debug)]
pub(super) struct GetOpenIDConnectProvider {
    arn: String,
}

#[derive(Debug)]
pub(super) struct ListOpenIDConnectProviders;

#[derive(Debug)]
pub(super) struct DeleteOpenIDConnectProvider {
    arn: String,
}

#[derive(Debug)]
pub(super) struct AddClientIDToOpenIDConnectProvider {
    arn: String,
    client_id: String,
}

#[derive(Debug)]
pub(super) struct RemoveClientIDFromOpenIDConnectProvider {
    arn: String,
    client_id: String,
}

#[derive(Debug)]
pub(super) struct UpdateOpenIDConnectProviderThumbprint {
    arn: String,
    thumbprints: Vec<String>,
}

#[derive(Debug)]
pub(super) struct TagOpenIDConnectProvider {
    arn: String,
    tags: IamTags,
}

#[derive(Debug)]
pub(super) struct UntagOpenIDConnectProvider {
    arn: String,
    keys: Vec<String>,
}

#[derive(Debug)]
pub(super) struct ListOpenIDConnectProviderTags {
    arn: String,
    page: Page,
}

fn read_arn(form: &mut Form<'_>) -> String {
    form.arn("OpenIDConnectProviderArn")
}

fn access(op: Op, account: &Account, arn: &str) -> Access {
    let tags = account.oidc_providers.get(arn).map(|provider| &provider.tags);
    Access::to(op, account, Resource::arn(arn).tagged(tags))
}

fn missing(arn: &str) -> AwsError {
    AwsError::no_such_entity(format!("OpenIDConnect Provider not found for arn {arn}"))
}

fn find<'a>(account: &'a Account, arn: &str) -> Result<&'a OidcProvider, AwsError> {
    account.oidc_providers.get(arn).ok_or_else(|| missing(arn))
}

fn find_mut<'a>(scope: &'a mut Scope<'_>, arn: &str) -> Result<&'a mut OidcProvider, AwsError> {
    scope.account_mut()?.oidc_providers.get_mut(arn).ok_or_else(|| missing(arn))
}

fn read_thumbprints(form: &mut Form<'_>) -> Vec<String> {
    let thumbprints = form.texts("ThumbprintList");
    for (number, thumbprint) in thumbprints.iter().enumerate() {
        form.reader.check(&format!("thumbprintList.{}.member", number + 1), thumbprint, THUMBPRINT);
    }
    thumbprints
}

fn check_count(quota: &str, count: usize, max: usize) -> Result<(), AwsError> {
    if count > max { Err(AwsError::quota_exceeded(quota, max)) } else { Ok(()) }
}

impl Action for CreateOpenIDConnectProvider {
    const OP: Op = Op::CreateOpenIDConnectProvider;

    fn read(form: &mut Form<'_>) -> Self {
        let url = form.reader.required("Url", URL);
        let is_url = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
        if !is_url || OidcProvider::host_and_path(&url).is_empty() || url.contains(['?', '#', ' ']) {
            form.reader.refuse(AwsError::validation("Invalid Open ID Connect Provider URL"));
        }
        let client_ids = form.texts("ClientIDList");
        for (number, client_id) in client_ids.iter().enumerate() {
            form.reader.check(&format!("clientIDList.{}.member", number + 1), client_id, CLIENT_ID);
        }
        Self { url, client_ids, thumbprints: read_thumbprints(form), tags: form.tags() }
    }

    fn access(&self, account: &Account) -> Access {
        let resource = Resource::arn(OidcProvider::arn(&account.id, &self.url));
        Access::to(Self::OP, account, resource).with_tags(&self.tags)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let arn = OidcProvider::arn(&scope.id, &self.url);
        let account = scope.account()?;
        if account.oidc_providers.contains_key(&arn) {
            let text = format!("Provider with url {} already exists.", self.url);
            return Err(AwsError::entity_already_exists(text));
        }
        check_count("OpenIdConnectProvidersPerAccount", account.oidc_providers.len() + 1, PROVIDERS_MAX)?;
        check_count("ClientIdsPerOpenIdConnectProvider", self.client_ids.len(), CLIENT_IDS_MAX)?;
        check_count("ThumbprintsPerOpenIdConnectProvider", self.thumbprints.len(), THUMBPRINTS_MAX)?;
        let mut provider = OidcProvider {
            arn: arn.clone(),
            url: self.url,
            client_ids: self.client_ids,
            thumbprints: self.thumbprints,
            tags: IamTags::default(),
            created_at: scope.now,
        };
        add_tags(&mut provider.tags, &self.tags)?;
        let fields = Fields::new().text("OpenIDConnectProviderArn", &arn).and(show::tags(&provider.tags));
        scope.account_mut()?.oidc_providers.insert(arn, provider);
        Ok(Some(fields))
    }
}

impl Action for GetOpenIDConnectProvider {
    const OP: Op = Op::GetOpenIDConnectProvider;

    fn read(form: &mut Form<'_>) -> Self {
        Self { arn: read_arn(form) }
    }

    fn access(&self, account: &Account) -> Access {
        access(Self::OP, account, &self.arn)
    }

    /// AWS shows the URL without its scheme.
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let provider = find(scope.account()?, &self.arn)?;
        Ok(Some(
            Fields::new()
                .text("Url", OidcProvider::host_and_path(&provider.url))
                .texts("ClientIDList", &provider.client_ids)
                .texts("ThumbprintList", &provider.thumbprints)
                .time("CreateDate", provider.created_at)
                .and(show::tags(&provider.tags)),
        ))
    }
}

impl Action for ListOpenIDConnectProviders {
    const OP: Op = Op::ListOpenIDConnectProviders;

    fn read(_: &mut Form<'_>) -> Self {
        Self
    }

    fn access(&self, account: &Account) -> Access {
        Access::to(Self::OP, account, Resource::any())
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let providers = scope.account()?.oidc_providers.values();
        let list = providers.map(|provider| Fields::new().text("Arn", &provider.arn));
        Ok(Some(Fields::new().list("OpenIDConnectProviderList", list)))
    }
}

impl Action for DeleteOpenIDConnectProvider {
    const OP: Op = Op::DeleteOpenIDConnectProvider;

    fn read(form: &mut Form<'_>) -> Self {
        Self { arn: read_arn(form) }
    }

    fn access(&self, account: &Account) -> Access {
        access(Self::OP, account, &self.arn)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let removed = scope.account_mut()?.oidc_providers.remove(&self.arn);
        removed.map(|_| None).ok_or_else(|| missing(&self.arn))
    }
}

impl Action for AddClientIDToOpenIDConnectProvider {
    const OP: Op = Op::AddClientIDToOpenIDConnectProvider;

    fn read(form: &mut Form<'_>) -> Self {
        Self { arn: read_arn(form), client_id: form.reader.required("ClientID", CLIENT_ID) }
    }

    fn access(&self, account: &Account) -> Access {
        access(Self::OP, account, &self.arn)
    }

    /// An id that is there already is no error (API reference).
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let provider = find_mut(scope, &self.arn)?;
        if !provider.client_ids.contains(&self.client_id) {
            check_count("ClientIdsPerOpenIdConnectProvider", provider.client_ids.len() + 1, CLIENT_IDS_MAX)?;
            provider.client_ids.push(self.client_id);
        }
        Ok(None)
    }
}

impl Action for RemoveClientIDFromOpenIDConnectProvider {
    const OP: Op = Op::RemoveClientIDFromOpenIDConnectProvider;

    fn read(form: &mut Form<'_>) -> Self {
        Self { arn: read_arn(form), client_id: form.reader.required("ClientID", CLIENT_ID) }
    }

    fn access(&self, account: &Account) -> Access {
        access(Self::OP, account, &self.arn)
    }

    /// An id that is not there is no error (API reference).
    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        find_mut(scope, &self.arn)?.client_ids.retain(|own| *own != self.client_id);
        Ok(None)
    }
}

impl Action for UpdateOpenIDConnectProviderThumbprint {
    const OP: Op = Op::UpdateOpenIDConnectProviderThumbprint;

    fn read(form: &mut Form<'_>) -> Self {
        Self { arn: read_arn(form), thumbprints: read_thumbprints(form) }
    }

    fn access(&self, account: &Account) -> Access {
        access(Self::OP, account, &self.arn)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        check_count("ThumbprintsPerOpenIdConnectProvider", self.thumbprints.len(), THUMBPRINTS_MAX)?;
        find_mut(scope, &self.arn)?.thumbprints = self.thumbprints;
        Ok(None)
    }
}

impl Action for TagOpenIDConnectProvider {
    const OP: Op = Op::TagOpenIDConnectProvider;

    fn read(form: &mut Form<'_>) -> Self {
        Self { arn: read_arn(form), tags: form.tags() }
    }

    fn access(&self, account: &Account) -> Access {
        access(Self::OP, account, &self.arn).with_tags(&self.tags)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        add_tags(&mut find_mut(scope, &self.arn)?.tags, &self.tags)?;
        Ok(None)
    }
}

impl Action for UntagOpenIDConnectProvider {
    const OP: Op = Op::UntagOpenIDConnectProvider;

    fn read(form: &mut Form<'_>) -> Self {
        Self { arn: read_arn(form), keys: form.texts("TagKeys") }
    }

    fn access(&self, account: &Account) -> Access {
        access(Self::OP, account, &self.arn).with_tag_keys(self.keys.iter().map(String::as_str))
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let provider = find_mut(scope, &self.arn)?;
        for key in &self.keys {
            provider.tags.remove(key);
        }
        Ok(None)
    }
}

impl Action for ListOpenIDConnectProviderTags {
    const OP: Op = Op::ListOpenIDConnectProviderTags;

    fn read(form: &mut Form<'_>) -> Self {
        Self { arn: read_arn(form), page: form.page() }
    }

    fn access(&self, account: &Account) -> Access {
        access(Self::OP, account, &self.arn)
    }

    fn apply(self, scope: &mut Scope<'_>) -> Result<Option<Fields>, AwsError> {
        let provider = find(scope.account()?, &self.arn)?;
        Ok(Some(self.page.list("Tags", show::tag_list(&provider.tags))))
    }
}
