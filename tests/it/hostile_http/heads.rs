//! Heads of requests.

use super::{CLOSE, HOST, Row};

pub(super) fn rows() -> Vec<Row> {
    let with = |name: &'static str, headers: &str, answers: &'static [u16]| {
        Row::get(name, &format!("{HOST}{headers}"), answers)
    };
    let get = |head: &str| format!("GET /healthz HTTP/1.1\r\n{head}");
    let graphql = |headers: &str| {
        format!(
            "POST /graphql HTTP/1.1\r\n{HOST}{headers}content-length: 26\r\n{CLOSE}\r\n{{\"query\":\"{{ __typename }}\"}}"
        )
    };
    let mine =
        |headers: &str| format!("GET /api/linkedin/targets HTTP/1.1\r\n{HOST}{headers}{CLOSE}\r\n");
    let websocket = |headers: &str| {
        let upgrade = "connection: upgrade, close\r\nupgrade: websocket\r\n";
        format!("GET /graphql HTTP/1.1\r\n{HOST}{upgrade}{headers}\r\n")
    };
    vec![
        with("nothing unusual", "", &[200]),
        Row::get("no host", "", &[400]),
        Row::get(
            "two hosts",
            "host: localhost\r\nhost: elsewhere\r\n",
            &[400],
        ),
        Row::get(
            "one host twice",
            "host: localhost\r\nhost: localhost\r\n",
            &[400],
        ),
        Row::get("an empty host", "host:\r\n", &[400]),
        Row::get("a list as host", "host: localhost, elsewhere\r\n", &[400]),
        Row::get("a host with a user", "host: a@localhost\r\n", &[400]),
        Row::get("a host with a path", "host: localhost/a\r\n", &[400]),
        Row::get("a host of two words", "host: local host\r\n", &[400]),
        Row::get("a host that is no text", "host: \u{e9}\r\n", &[400]),
        Row::get(
            "a host with a port that is none",
            "host: localhost:a\r\n",
            &[400],
        ),
        Row::get("a host with a port", "host: localhost:8080\r\n", &[200]),
        Row::get("an address as host", "host: [::1]:80\r\n", &[200]),
        Row::new(
            "HTTP/1.0 without a host",
            "GET /healthz HTTP/1.0\r\n\r\n",
            &[200],
        ),
        Row::new(
            "HTTP/1.0 with two hosts",
            "GET /healthz HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n",
            &[400],
        ),
        with("a line that goes on", "x-a: b\r\n c\r\n", &[400]),
        with("a line that goes on, at the start", " x-a: b\r\n", &[400]),
        with("a blank before the colon", "x-a : b\r\n", &[400]),
        with("a tab before the colon", "x-a\t: b\r\n", &[400]),
        with(
            "a length with a blank before the colon",
            "content-length : 5\r\n",
            &[400],
        ),
        with("no name", ": b\r\n", &[400]),
        with("no colon", "x-a\r\n", &[400]),
        with("a name in brackets", "x(a): b\r\n", &[400]),
        with("a name that is no ASCII", "x-\u{e9}: b\r\n", &[400]),
        with("a null character in a name", "x\0a: b\r\n", &[400]),
        with("a null character in a value", "x-a: b\0c\r\n", &[400]),
        with("a lone carriage return in a value", "x-a: b\rc\r\n", &[400]),
        with("a bell in a value", "x-a: \x07\r\n", &[400]),
        with("a value that is no ASCII", "x-a: \u{e9}\r\n", &[200]),
        Row::new(
            "lines that end without a carriage return",
            format!("GET /healthz HTTP/1.1\nhost: localhost\n{CLOSE}\n"),
            &[200],
        ),
        Row::new(
            "a head without its end",
            get("host: localhost\r\nx-a: b"),
            &[],
        )
        .then_ends(),
        Row::new("half a line", "GET /heal", &[]).then_ends(),
        Row::new("nothing", "", &[]).then_ends(),
        Row::new(
            "empty lines first",
            format!("\r\n\r\n{}{CLOSE}\r\n", get(HOST)),
            &[200],
        ),
        Row::new("empty lines alone", "\r\n".repeat(1_000), &[]).then_ends(),
        with(
            "a long value",
            &format!("x-a: {}\r\n", "a".repeat(60_000)),
            &[200],
        ),
        with(
            "a value that is too long",
            &format!("x-a: {}\r\n", "a".repeat(200_000)),
            &[431],
        ),
        with(
            "a long name",
            &format!("{}: a\r\n", "a".repeat(60_000)),
            &[200],
        ),
        with(
            "a name that is too long",
            &format!("{}: a\r\n", "a".repeat(70_000)),
            &[431],
        ),
        with(
            "a cookie that is too long",
            &format!("cookie: {}\r\n", "a=b;".repeat(50_000)),
            &[431],
        ),
        with(
            "as many headers as there may be",
            &"x-a: b\r\n".repeat(98),
            &[200],
        ),
        with("too many headers", &"x-a: b\r\n".repeat(99), &[431]),
        with("very many headers", &"x-a: b\r\n".repeat(10_000), &[431]),
        with("very many empty headers", &"a:\r\n".repeat(20_000), &[431]),
        Row::new(
            "two tokens",
            mine("authorization: Bearer a\r\nauthorization: Bearer b\r\n"),
            &[400],
        ),
        Row::new(
            "one token twice",
            mine("authorization: Bearer a\r\nauthorization: Bearer a\r\n"),
            &[400],
        ),
        Row::new(
            "two media types",
            graphql("content-type: application/json\r\ncontent-type: text/plain\r\n"),
            &[400],
        ),
        Row::new(
            "one media type twice",
            graphql("content-type: application/json\r\ncontent-type: application/json\r\n"),
            &[400],
        ),
        Row::new(
            "two origins",
            graphql(
                "content-type: application/json\r\norigin: http://localhost\r\norigin: https://elsewhere.example\r\n",
            ),
            &[400],
        ),
        Row::new(
            "two sites",
            graphql(
                "content-type: application/json\r\nsec-fetch-site: same-origin\r\nsec-fetch-site: cross-site\r\n",
            ),
            &[400],
        ),
        Row::new(
            "two lines of cookies",
            mine("cookie: session={session}\r\ncookie: other=1\r\n"),
            &[200],
        ),
        Row::new(
            "a session in each of two lines",
            mine("cookie: session=a\r\ncookie: session={session}\r\n"),
            &[200],
        ),
        Row::new(
            "two sessions in one line",
            mine("cookie: session=a; session={session}\r\n"),
            &[200],
        ),
        with(
            "a cookie that is no text",
            "cookie: session=\u{e9}\r\n",
            &[200],
        ),
        with(
            "a null character in a cookie",
            "cookie: session=\0\r\n",
            &[400],
        ),
        with(
            "an upgrade to what is not there",
            "upgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n",
            &[200],
        ),
        with("half an upgrade", "upgrade: websocket\r\n", &[200]),
        Row::new(
            "a WebSocket without a key",
            websocket("sec-websocket-version: 13\r\n"),
            &[400],
        ),
        Row::new(
            "a WebSocket of another version",
            websocket("sec-websocket-version: 7\r\nsec-websocket-key: dGhlIHNhbXBsZQ==\r\n"),
            &[400],
        ),
        with(
            "an expectation that is none",
            "expect: the-impossible\r\n",
            &[200],
        ),
        with(
            "a way of keeping the connection that is none",
            "connection: nonsense\r\n",
            &[200],
        ),
    ]
}
