//! A stand-in with somebody in it, and a client that is as strict as it can be.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use reqwest::{
    Client, Request, RequestBuilder, Response, StatusCode, header::LOCATION, redirect::Policy,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use stand_in_linkedin::{Application, Member, StandIn};
use tokio::net::TcpListener;
use url::Url;

pub(crate) const CLIENT: &str = "app";
pub(crate) const SECRET: &str = "hush";
pub(crate) const BACK: &str = "http://localhost:3000/auth/linkedin/callback";
pub(crate) const ADMIN: &str = "rw_organization_admin";

pub(crate) struct Scene {
    pub(crate) linkedin: StandIn,
    now: Arc<Mutex<NaiveDateTime>>,
    http: Client,
}

/// Ada Lovelace is a member, and `app` an application.
pub(crate) async fn scene() -> Scene {
    let noon = NaiveDate::from_ymd_opt(2026, 7, 1)
        .unwrap()
        .and_hms_opt(12, 0, 0)
        .unwrap();
    let now = Arc::new(Mutex::new(noon));
    let clock = now.clone();
    let count = AtomicU32::new(0);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let linkedin = StandIn::start(
        listener,
        move || *clock.lock().unwrap(),
        move || format!("id-{}", count.fetch_add(1, Ordering::Relaxed)),
    )
    .unwrap();
    linkedin.world(|world| {
        world.members.push(Member {
            email: Some("ada@example.com".to_owned()),
            ..Member::new("ada", "Ada Lovelace")
        });
        world
            .applications
            .push(Application::new(CLIENT, SecretString::from(SECRET), BACK));
    });
    let http = Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    Scene {
        linkedin,
        now,
        http,
    }
}

impl Scene {
    pub(crate) fn pass(&self, time: TimeDelta) {
        *self.now.lock().unwrap() += time;
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.linkedin.base_url().join(path).unwrap().into()
    }

    pub(crate) fn application(&self, change: impl FnOnce(&mut Application)) {
        self.linkedin
            .world(|world| change(&mut world.applications[0]));
    }

    /// A token of Ada's for the whole API.
    pub(crate) fn ada(&self) -> SecretString {
        self.linkedin
            .grant_token(CLIENT, "ada", ["openid", "profile", "email", ADMIN])
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(self.url(path))
    }

    /// With all the headers that a call under `/rest` needs.
    pub(crate) fn call(&self, token: &SecretString, path: &str) -> RequestBuilder {
        self.get(path)
            .bearer_auth(token.expose_secret())
            .header("LinkedIn-Version", "202607")
            .header("X-Restli-Protocol-Version", "2.0.0")
    }

    /// The answer to a call that succeeds.
    pub(crate) async fn json(&self, token: &SecretString, path: &str) -> Value {
        let response = self.call(token, path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }

    pub(crate) async fn execute(&self, request: Request) -> Response {
        self.http.execute(request).await.unwrap()
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(self.url(path))
    }

    pub(crate) async fn submit(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.post(path).form(form).send().await.unwrap()
    }
}

/// Status and JSON.
pub(crate) async fn outcome(response: Response) -> (u16, Value) {
    (response.status().as_u16(), response.json().await.unwrap())
}

/// Where a redirect leads.
pub(crate) fn location(response: &Response) -> Url {
    assert!(response.status().is_redirection(), "{}", response.status());
    Url::parse(response.headers()[LOCATION].to_str().unwrap()).unwrap()
}

/// A parameter of an address.
pub(crate) fn parameter(url: &Url, name: &str) -> Option<String> {
    let (_, value) = url.query_pairs().find(|(known, _)| known == name)?;
    Some(value.into_owned())
}
