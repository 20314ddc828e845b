use std::collections::BTreeMap;

use reqwest::{
    Method, RequestBuilder,
    header::{COOKIE, LOCATION, SET_COOKIE},
};
use stand_in_linkedin::{Consent, StandIn};
use url::Url;

use super::AUTHORIZE;
use crate::support::app::{Ask, Person, Reply, TestApp};

/// Keeps cookies, and remembers all that it was ever sent.
pub(super) struct Browser {
    client: reqwest::Client,
    server: String,
    linkedin: StandIn,
    cookies: BTreeMap<String, String>,
    last_cookie: String,
    seen: String,
}

impl Browser {
    pub(super) fn new(app: &TestApp, person: &Person) -> Self {
        let mut browser = Self {
            client: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            server: app.url(""),
            linkedin: app.linkedin.clone(),
            cookies: BTreeMap::new(),
            last_cookie: String::new(),
            seen: String::new(),
        };
        browser.sign_in(person);
        browser
    }

    /// Asks another server from now on.
    pub(super) fn turn_to(&mut self, app: &TestApp) {
        self.turn_to_url(app.url(""));
    }

    pub(super) fn turn_to_url(&mut self, server: String) {
        self.server = server;
    }

    pub(super) fn sign_in(&mut self, person: &Person) {
        self.cookies
            .insert("session".to_owned(), person.session.clone());
    }

    /// Visits a path, and tells where it is sent on to.
    pub(super) async fn get(&mut self, path: &str) -> Url {
        let reply = self.open(path).await;
        assert_eq!(reply.status, 303, "{reply:?}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        reply.header(LOCATION.as_str()).unwrap().parse().unwrap()
    }

    pub(super) async fn open(&mut self, path: &str) -> Reply {
        let request = self.client.get(format!("{}{path}", self.server));
        self.send(request).await
    }

    pub(super) async fn submit(&mut self, path: &str, form: &[(&str, &str)]) -> Reply {
        let url = format!("{}{path}", self.server);
        let request = self.client.request(Method::POST, url).form(form);
        self.send(request).await
    }

    /// Follows an address that the proxy in front of the server would send to it.
    pub(super) async fn follow(&mut self, address: &Url) -> Url {
        self.get(&path_of(address)).await
    }

    /// Allows everything on the consent page and comes back.
    pub(super) async fn approve(&mut self, consent_page: &Url, member: &str) -> Url {
        let back = self
            .linkedin
            .consent(consent_page, Consent::approve(member));
        self.follow(&back.unwrap()).await
    }

    /// The whole way, to LinkedIn and back.
    pub(super) async fn link(&mut self, member: &str) -> Url {
        self.link_as(Consent::approve(member)).await
    }

    pub(super) async fn link_as(&mut self, consent: Consent) -> Url {
        let consent_page = self.get(AUTHORIZE).await;
        let back = self.linkedin.consent(&consent_page, consent).unwrap();
        self.follow(&back).await
    }

    pub(super) async fn send(&mut self, request: RequestBuilder) -> Reply {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let reply = request.header(COOKIE, cookies.join("; ")).reply().await;
        for cookie in reply.headers.get_all(SET_COOKIE) {
            self.keep(cookie.to_str().unwrap());
        }
        self.seen.push_str(&format!("{reply:?}"));
        reply
    }

    fn keep(&mut self, cookie: &str) {
        cookie.clone_into(&mut self.last_cookie);
        let (name, rest) = cookie.split_once('=').unwrap();
        let value = rest.split(';').next().unwrap();
        if value.is_empty() {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    pub(super) fn last_cookie(&self) -> String {
        self.last_cookie.clone()
    }

    /// How many attempts are under way.
    pub(super) fn attempts(&self) -> usize {
        self.cookies.len() - 1
    }

    /// Whether only the session is left.
    pub(super) fn is_clean(&self) -> bool {
        self.attempts() == 0
    }

    pub(super) fn seen(&self) -> &str {
        &self.seen
    }

    /// What the browser holds now, to be put back later.
    pub(super) fn cookies(&mut self) -> &mut BTreeMap<String, String> {
        &mut self.cookies
    }
}

pub(super) fn path_of(address: &Url) -> String {
    let query = address.query().map(|query| format!("?{query}"));
    format!("{}{}", address.path(), query.unwrap_or_default())
}
