//! Refusals of the question for the list of roles.

use reqwest::StatusCode;
use serde_json::json;
use stand_in_linkedin::{Fault, When, World};

use super::{
    rows::{
        DENIED, EXPIRED, REFUSED, REVOKED, Row, SUNSET, UNAVAILABLE, answer, healthy, list,
        throttled, world,
    },
    scene::Stage,
};

pub(super) fn rows(stage: &Stage) -> Vec<Row> {
    [tokens(), limits(), servers(), redirects(&stage.elsewhere())]
        .into_iter()
        .flatten()
        .collect()
}

fn tokens() -> Vec<Row> {
    const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;
    const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
    let code = |status, code: &str| Fault::Json(status, json!({ "code": code }));
    let number = |status, number: u32| Fault::Json(status, json!({ "serviceErrorCode": number }));
    let deep = answer(UNAUTHORIZED, [], "[".repeat(10_000));
    vec![
        list("a bad token", Fault::InvalidToken, REVOKED),
        list("a revoked token", Fault::RevokedToken, REVOKED),
        list("an expired token", Fault::ExpiredToken, EXPIRED),
        list(
            "revoked, by code alone",
            code(UNAUTHORIZED, "REVOKED_ACCESS_TOKEN"),
            REVOKED,
        ),
        list(
            "expired, by number alone",
            number(UNAUTHORIZED, 65_602),
            EXPIRED,
        ),
        list(
            "revoked, with 403",
            code(FORBIDDEN, "REVOKED_ACCESS_TOKEN"),
            REVOKED,
        ),
        list(
            "revoked, with 500",
            code(StatusCode::INTERNAL_SERVER_ERROR, "REVOKED_ACCESS_TOKEN"),
            REVOKED,
        ),
        list(
            "401 and nothing else",
            answer(UNAUTHORIZED, [], ""),
            REFUSED,
        ),
        list("401 and a web page", Fault::Html(UNAUTHORIZED), REFUSED),
        list(
            "401 and an unknown code",
            code(UNAUTHORIZED, "TEAPOT"),
            REFUSED,
        ),
        list("401 and deep JSON", deep, REFUSED),
        world(
            "tokens that the member took back",
            |world: &mut World| world.revoke_tokens("ada"),
            REVOKED,
        ),
        list("a missing scope", Fault::AccessDenied, DENIED),
        list("403 and a web page", Fault::Html(FORBIDDEN), DENIED),
    ]
}

fn limits() -> Vec<Row> {
    const LIMIT: StatusCode = StatusCode::TOO_MANY_REQUESTS;
    let after = |time: &'static str| answer(LIMIT, [("retry-after", time)], "");
    let seconds = |seconds| Fault::Throttled {
        retry_after: Some(seconds),
    };
    let number = Fault::Json(StatusCode::FORBIDDEN, json!({ "serviceErrorCode": 101 }));
    let short = |world: &mut World| {
        let once = When::always().times(1);
        world.fail(
            Fault::Throttled {
                retry_after: Some(0),
            },
            once,
        );
    };
    vec![
        list(
            "429",
            Fault::Throttled { retry_after: None },
            throttled(None),
        ),
        list("429 for an hour", seconds(3_600), throttled(Some(3_600))),
        list("429 beyond the deadline", seconds(5), throttled(Some(5))).hasty(),
        list(
            "429 for no time, again and again",
            seconds(0),
            throttled(Some(0)),
        ),
        world("429 for no time, once", short, healthy()),
        list("429 and a web page", Fault::Html(LIMIT), throttled(None)),
        list(
            "429 until a date",
            after("Fri, 12 Jun 2026 23:59:59 GMT"),
            throttled(None),
        ),
        list("429 until soon", after("soon"), throttled(None)),
        list("429 until before", after("-5"), throttled(None)),
        list("429 for part of a second", after("0.5"), throttled(None)),
        list("429 until nothing", after(""), throttled(None)),
        list(
            "429 for ten thousand years",
            after("315576000000"),
            throttled(None),
        ),
        list(
            "429 for a million years",
            after("31557600000000"),
            throttled(None),
        ),
        list(
            "429 for ever",
            after("18446744073709551615"),
            throttled(None),
        ),
        list(
            "429 for longer than that",
            after("18446744073709551616"),
            throttled(None),
        ),
        list("a limit with 403", number, throttled(None)),
    ]
}

fn servers() -> Vec<Row> {
    let status = |status: u16| Fault::Status(StatusCode::from_u16(status).unwrap());
    let busy = answer(
        StatusCode::SERVICE_UNAVAILABLE,
        [("retry-after", "120")],
        "",
    );
    vec![
        list("426", Fault::VersionSunset, SUNSET),
        list(
            "426 and a web page",
            Fault::Html(StatusCode::UPGRADE_REQUIRED),
            SUNSET,
        ),
        world(
            "a version that was taken away",
            |world: &mut World| world.versions.clear(),
            SUNSET,
        ),
        list("500", status(500), UNAVAILABLE),
        list(
            "502 and a web page",
            Fault::Html(StatusCode::BAD_GATEWAY),
            UNAVAILABLE,
        ),
        list("503 for two minutes", busy, UNAVAILABLE),
        list("504", status(504), UNAVAILABLE),
        list("999", status(999), UNAVAILABLE),
        list("400", status(400), UNAVAILABLE),
        list("404", status(404), UNAVAILABLE),
        list("408", status(408), UNAVAILABLE),
        list("414", status(414), UNAVAILABLE),
        list("418", status(418), UNAVAILABLE),
    ]
}

fn redirects(elsewhere: &str) -> Vec<Row> {
    let to = |status: u16| {
        let status = StatusCode::from_u16(status).unwrap();
        let headers = [("location", elsewhere.parse().unwrap())];
        let headers = headers.map(|(name, value)| (name.parse().unwrap(), value));
        Fault::Answer(status, headers.into_iter().collect(), "".into())
    };
    vec![
        list(
            "302 elsewhere",
            Fault::Redirect(elsewhere.to_owned()),
            UNAVAILABLE,
        ),
        list("301 elsewhere", to(301), UNAVAILABLE),
        list("303 elsewhere", to(303), UNAVAILABLE),
        list("307 elsewhere", to(307), UNAVAILABLE),
        list("308 elsewhere", to(308), UNAVAILABLE),
        list(
            "300 without an address",
            Fault::Status(StatusCode::MULTIPLE_CHOICES),
            UNAVAILABLE,
        ),
    ]
}
