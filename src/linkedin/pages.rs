//! The pages that a member may post to, with their names and logos.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{
    Client,
    call::Operation,
    error::Error,
    restli::Entry,
    roles::{PageKind, Roles, SkipReason, Standing},
};

/// The pages on which a member has roles, each once, in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Those the member may post to.
    pub pages: Vec<FoundPage>,
    /// The others.
    pub skipped: Vec<SkippedPage>,
    /// Whether these are all. If not, nothing is known of pages that are in neither list.
    pub complete: bool,
}

/// A page that the member may post to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPage {
    /// LinkedIn's number, which ends its URN.
    pub number: String,
    /// What begins its URN.
    pub kind: PageKind,
    /// `None` if LinkedIn did not tell: then a name that is known from earlier is better than
    /// [`FoundPage::fallback_name`].
    pub name: Option<String>,
    /// See [`Logo`].
    pub logo: Logo,
}

/// A page that the member cannot post to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedPage {
    /// LinkedIn's number, which ends its URN.
    pub number: String,
    /// `None` if LinkedIn did not tell.
    pub name: Option<String>,
    /// Why.
    pub reason: SkipReason,
}

/// The image of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logo {
    /// Where to load it. LinkedIn lets the address expire after days or weeks.
    Url(String),
    /// The page has none.
    None,
    /// LinkedIn did not tell, so what is known from earlier may still be right.
    Unknown,
}

impl FoundPage {
    /// What to call a page whose name LinkedIn never told.
    #[must_use]
    pub fn fallback_name(&self) -> String {
        format!("Organization {}", self.number)
    }
}

impl Client {
    /// Every page on which the member has a role. `is_fresh` is as for [`Client::member`].
    ///
    /// What LinkedIn refuses to tell about single pages does not fail the listing, nor do names and logos that cannot
    /// be loaded. If the walk is interrupted after its first answer, or meets [`super::Settings::max_pages`], the
    /// listing is not complete.
    ///
    /// # Errors
    /// See [`Error`].
    #[tracing::instrument(skip_all)]
    pub async fn administered_pages(
        &self,
        token: &SecretString,
        is_fresh: bool,
    ) -> Result<Listing, Error> {
        let operation = self.operation(token, is_fresh)?;
        let roles = operation.roles().await?;
        let profiles = operation.profiles(&roles.pages).await?;
        let images = operation.images(&roles.pages, &profiles).await;
        Ok(listing(roles, profiles, &images))
    }
}

type Profiles = HashMap<String, Entry<Profile>>;

/// A page as LinkedIn describes it, to its administrators or to everybody.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    localized_name: String,
    /// Absent if the page has no logo.
    logo_v2: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    /// Absent while LinkedIn is still working on the image.
    download_url: Option<String>,
}

impl Operation<'_> {
    /// As far as LinkedIn tells: whom it refuses a page, it may still give what everybody sees.
    async fn profiles(&self, pages: &BTreeMap<u64, Standing>) -> Result<Profiles, Error> {
        let numbers = pages.keys().map(u64::to_string);
        let mut profiles = self.get_many("/rest/organizations", numbers).await?;
        profiles.retain(|_, entry| is_telling(entry));

        let untold = pages.keys().map(u64::to_string);
        let untold = untold.filter(|number| !profiles.contains_key(number));
        let untold: Vec<_> = untold.collect();
        let public: Profiles = self.get_many("/rest/organizationsLookup", untold).await?;
        let named = |entry: &Entry<Profile>| matches!(entry, Entry::Found(_)) && is_telling(entry);
        profiles.extend(public.into_iter().filter(|(_, entry)| named(entry)));
        Ok(profiles)
    }

    /// The images of pages that can be posted to, by their URNs, as far as they can be had.
    async fn images(
        &self,
        pages: &BTreeMap<u64, Standing>,
        profiles: &Profiles,
    ) -> HashMap<String, Entry<Image>> {
        let urns: BTreeSet<_> = pages
            .iter()
            .filter(|(_, standing)| standing.skip.is_none())
            .filter_map(|(number, _)| match profiles.get(&number.to_string()) {
                Some(Entry::Found(profile)) => profile.image_urn(),
                _ => None,
            })
            .collect();
        let images = self.get_many("/rest/images", urns).await;
        images.unwrap_or_default()
    }
}

fn is_telling(entry: &Entry<Profile>) -> bool {
    match entry {
        Entry::Found(profile) => !profile.localized_name.trim().is_empty(),
        Entry::Missing => true,
    }
}

impl Profile {
    /// LinkedIn names a logo as an asset, and has its address under the same id as an image.
    fn image_urn(&self) -> Option<String> {
        let asset = self.logo_v2.as_ref()?.get("original")?.as_str()?;
        let id = asset
            .strip_prefix("urn:li:digitalmediaAsset:")
            .or_else(|| asset.strip_prefix("urn:li:image:"))?;
        Some(format!("urn:li:image:{id}"))
    }

    fn logo(&self, images: &HashMap<String, Entry<Image>>) -> Logo {
        if self.logo_v2.is_none() {
            return Logo::None;
        }
        let image = self.image_urn().and_then(|urn| images.get(&urn));
        match image {
            Some(Entry::Found(image)) => image.address().map_or(Logo::Unknown, Logo::Url),
            _ => Logo::Unknown,
        }
    }
}

impl Image {
    fn address(&self) -> Option<String> {
        let address = Url::parse(self.download_url.as_deref()?).ok()?;
        matches!(address.scheme(), "https" | "http").then(|| address.into())
    }
}

fn listing(
    roles: Roles,
    mut profiles: Profiles,
    images: &HashMap<String, Entry<Image>>,
) -> Listing {
    let mut listing = Listing {
        pages: Vec::new(),
        skipped: Vec::new(),
        complete: roles.is_complete,
    };
    for (number, Standing { kind, skip }) in roles.pages {
        let number = number.to_string();
        let (profile, is_missing) = match profiles.remove(&number) {
            Some(Entry::Found(profile)) => (Some(profile), false),
            Some(Entry::Missing) => (None, true),
            None => (None, false),
        };
        let logo = profile
            .as_ref()
            .map_or(Logo::Unknown, |profile| profile.logo(images));
        let name = profile.map(|profile| profile.localized_name);
        match skip.or(is_missing.then_some(SkipReason::NotFound)) {
            Some(reason) => listing.skipped.push(SkippedPage {
                number,
                name,
                reason,
            }),
            None => listing.pages.push(FoundPage {
                number,
                kind,
                name,
                logo,
            }),
        }
    }
    listing
}
