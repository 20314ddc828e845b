//! What all API calls share: who calls, which version, and how LinkedIn refuses.

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, RETRY_AFTER},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use crate::{StandIn, grant::Grant, restli::Query};

/// A call under `/rest` whose token, headers and query have passed.
pub(crate) struct RestCall {
    pub(crate) grant: Grant,
    pub(crate) query: Query,
}

impl FromRequestParts<StandIn> for RestCall {
    type Rejection = Refusal;

    async fn from_request_parts(
        parts: &mut Parts,
        linkedin: &StandIn,
    ) -> Result<Self, Self::Rejection> {
        let query = Query::parse(parts.uri.query().unwrap_or_default())?;
        let grant = authenticate(linkedin, &parts.headers)?;
        check_version(linkedin, &parts.headers)?;
        if header(&parts.headers, "x-restli-protocol-version") != Some("2.0.0") {
            return Err(Refusal::bad_request(
                "INVALID_PROTOCOL_VERSION",
                "X-RestLi-Protocol-Version must be 2.0.0",
            ));
        }
        Ok(Self { grant, query })
    }
}

/// `GET /v2/userinfo`: as much about the member as the scopes allow.
pub(crate) async fn user_info(
    State(linkedin): State<StandIn>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let grant = authenticate(&linkedin, &headers)?;
    grant.needs("openid", "userinfo.GET")?;
    let member = linkedin
        .world(|world| world.member(&grant.member).cloned())
        .ok_or_else(Refusal::invalid_token)?;

    let mut answer = json!({ "sub": member.sub });
    if grant.scopes.contains("profile") {
        let (given, family) = member.name.split_once(' ').unwrap_or((&member.name, ""));
        answer["name"] = json!(member.name);
        answer["given_name"] = json!(given);
        answer["family_name"] = json!(family);
        answer["locale"] = json!({ "country": "US", "language": "en" });
        if let Some(picture) = member.picture {
            answer["picture"] = json!(picture);
        }
    }
    if grant.scopes.contains("email")
        && let Some(email) = member.email
    {
        answer["email"] = json!(email);
        answer["email_verified"] = json!(true);
    }
    Ok(Json(answer))
}

pub(crate) async fn no_such_resource() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "No virtual resource found")
        .code("RESOURCE_NOT_FOUND")
        .service_error_code(0)
}

fn authenticate(linkedin: &StandIn, headers: &HeaderMap) -> Result<Grant, Refusal> {
    let token = bearer(headers).ok_or_else(Refusal::no_token)?;
    let now = linkedin.now();
    linkedin.world(|world| world.grants.admit(token, now))
}

/// The token that a call brings along.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    header(headers, AUTHORIZATION.as_str())?.strip_prefix("Bearer ")
}

fn check_version(linkedin: &StandIn, headers: &HeaderMap) -> Result<(), Refusal> {
    let version = header(headers, "linkedin-version").ok_or_else(|| {
        Refusal::bad_request(
            "VERSION_MISSING",
            "A version must be present. Please specify a version by adding the LinkedIn-Version header.",
        )
    })?;
    let month = version
        .strip_prefix("20")
        .filter(|rest| rest.len() == 4 && rest.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|rest| rest.get(2..)?.parse().ok());
    if !month.is_some_and(|month: u8| (1..=12).contains(&month)) {
        Err(Refusal::bad_request(
            "INVALID_VERSION",
            "A version must have the format YYYYMM",
        ))
    } else if linkedin.world(|world| world.versions.contains(version)) {
        Ok(())
    } else {
        Err(Refusal::version_sunset(version))
    }
}

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

impl Grant {
    pub(crate) fn needs(&self, scope: &str, resource: &str) -> Result<(), Refusal> {
        if self.scopes.contains(scope) {
            Ok(())
        } else {
            Err(Refusal::access_denied(resource))
        }
    }
}

/// A refusal in LinkedIn's words.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    code: Option<&'static str>,
    service_error_code: Option<u32>,
    message: String,
    retry_after: Option<u32>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            code: None,
            service_error_code: None,
            message: message.into(),
            retry_after: None,
        }
    }

    fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    fn service_error_code(mut self, number: u32) -> Self {
        self.service_error_code = Some(number);
        self
    }

    pub(crate) fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("status".to_owned(), json!(self.status.as_u16()));
        if let Some(code) = self.code {
            body.insert("code".to_owned(), json!(code));
        }
        if let Some(number) = self.service_error_code {
            body.insert("serviceErrorCode".to_owned(), json!(number));
        }
        body.insert("message".to_owned(), json!(self.message));
        Value::Object(body)
    }

    fn no_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Empty oauth2 access token")
            .code("EMPTY_ACCESS_TOKEN")
            .service_error_code(65604)
    }

    pub(crate) fn invalid_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Invalid access token")
            .code("INVALID_ACCESS_TOKEN")
            .service_error_code(65600)
    }

    pub(crate) fn revoked_token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "The token used in the request has been revoked by the user",
        )
        .code("REVOKED_ACCESS_TOKEN")
        .service_error_code(65601)
    }

    pub(crate) fn expired_token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "The token used in the request has expired",
        )
        .code("EXPIRED_ACCESS_TOKEN")
        .service_error_code(65602)
    }

    pub(crate) fn access_denied(resource: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            format!("Not enough permissions to access: {resource}"),
        )
        .code("ACCESS_DENIED")
        .service_error_code(100)
    }

    /// Within a batch: the member lacks the role for that page.
    pub(crate) fn admin_only(organization: u64) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            format!("Member does not have permission ADMIN_ONLY for organization {organization}"),
        )
        .service_error_code(100)
    }

    /// Within a batch: there is no such thing.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} was not found"))
    }

    pub(crate) fn version_sunset(version: &str) -> Self {
        Self::new(
            StatusCode::UPGRADE_REQUIRED,
            format!("Requested version {version}01 is not active"),
        )
        .code("NONEXISTENT_VERSION")
    }

    pub(crate) fn throttled(retry_after: Option<u32>) -> Self {
        let message = "Resource level throttle APPLICATION_AND_MEMBER DAY limit for calls to this resource is reached.";
        Self {
            retry_after,
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, message)
                .code("TOO_MANY_REQUESTS")
                .service_error_code(101)
        }
    }

    pub(crate) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message).code(code)
    }

    pub(crate) fn invalid(parameter: &str) -> Self {
        Self::bad_request("PARAM_INVALID", format!("Invalid parameter {parameter}"))
    }

    pub(crate) fn not_allowed(parameter: &str) -> Self {
        Self::bad_request(
            "QUERY_PARAM_NOT_ALLOWED",
            format!("Query parameter {parameter} is not allowed"),
        )
    }

    pub(crate) fn query_too_long() -> Self {
        Self::new(StatusCode::URI_TOO_LONG, "Request-URI Too Long")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
