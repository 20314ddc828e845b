//! First lines of requests.

use super::{CLOSE, HOST, Row};

pub(super) fn rows() -> Vec<Row> {
    let line = |name: &'static str, line: &str, answers: &'static [u16]| {
        Row::new(name, format!("{line}\r\n{HOST}{CLOSE}\r\n"), answers)
    };
    let target = |name: &'static str, target: &str, answers: &'static [u16]| {
        line(name, &format!("GET {target} HTTP/1.1"), answers)
    };
    vec![
        target(
            "an address of this server",
            "http://localhost/healthz",
            &[200],
        ),
        target(
            "an address of another server",
            "http://elsewhere.example/healthz",
            &[400],
        ),
        target(
            "an address of another server, with a user",
            "http://localhost@elsewhere.example/healthz",
            &[400],
        ),
        target(
            "an address of this server, with a user",
            "http://a@localhost/healthz",
            &[400],
        ),
        target(
            "an address of another scheme",
            "ftp://localhost/healthz",
            &[400],
        ),
        target("an authority", "localhost:80", &[400]),
        target("an asterisk", "*", &[400]),
        line("an asterisk by OPTIONS", "OPTIONS * HTTP/1.1", &[400]),
        target("a relative path", "healthz", &[400]),
        target("no path", "?a=b", &[400]),
        target("nothing", "", &[400]),
        target("an empty path between slashes", "//healthz", &[404]),
        target("a fragment", "/healthz#a", &[200]),
        target("two words", "/health z", &[400]),
        target("a tab", "/health\tz", &[400]),
        target("a null character", "/health\0z", &[400]),
        target("an encoded null character", "/healthz%00", &[404]),
        target("an encoded line", "/healthz%0d%0ax-a:%20b", &[404]),
        target("an encoded slash", "/api%2flinkedin%2ftargets", &[404]),
        target("an encoded letter", "/%68ealthz", &[404]),
        target("an encoding of an encoding", "/%2568ealthz", &[404]),
        target("half an encoding", "/healthz%", &[404]),
        target("an encoding of no digits", "/healthz%zz", &[404]),
        target("an encoding of no text", "/%ff%fe", &[404]),
        target("a letter that is no ASCII", "/\u{e9}", &[400]),
        target("a query that is no ASCII", "/healthz?\u{e9}", &[400]),
        target("a query that encodes no text", "/graphql?query=%ff", &[200]),
        target("a query of half an encoding", "/graphql?query=%", &[200]),
        target("a dot", "/./healthz", &[404]),
        target("dots", "/graphiql/../healthz", &[404]),
        target("dots before an asset", "/graphiql/../../Cargo.toml", &[404]),
        target(
            "encoded dots before an asset",
            "/graphiql/%2e%2e/%2e%2e/Cargo.toml",
            &[404],
        ),
        target(
            "encoded slashes before an asset",
            "/graphiql/..%2f..%2fCargo.toml",
            &[404],
        ),
        target(
            "backslashes before an asset",
            "/graphiql/..\\..\\Cargo.toml",
            &[404],
        ),
        target(
            "encoded backslashes before an asset",
            "/graphiql/..%5c..%5cCargo.toml",
            &[404],
        ),
        target("the root as an asset", "/graphiql//etc/passwd", &[404]),
        target(
            "a null character before an asset",
            "/graphiql/%00index.html",
            &[404],
        ),
        target("parameters in the path", "/healthz;a=b", &[404]),
        target("a long path", &format!("/{}", "a".repeat(60_000)), &[404]),
        target(
            "a path that is too long",
            &format!("/{}", "a".repeat(70_000)),
            &[414],
        ),
        target(
            "a very long path",
            &format!("/{}", "a".repeat(200_000)),
            &[431],
        ),
        line("a method that is none", "BREW /healthz HTTP/1.1", &[405]),
        line("a method in small letters", "get /healthz HTTP/1.1", &[405]),
        line(
            "a long method",
            &format!("{} /healthz HTTP/1.1", "A".repeat(10_000)),
            &[405],
        ),
        line("a method with a bracket", "G(T /healthz HTTP/1.1", &[400]),
        line("TRACE", "TRACE /healthz HTTP/1.1", &[405]),
        line("CONNECT", "CONNECT elsewhere.example:443 HTTP/1.1", &[400]),
        line("CONNECT to a path", "CONNECT /healthz HTTP/1.1", &[400]),
        line("no version", "GET /healthz", &[400]),
        line("a version that is none", "GET /healthz HTTP/1.2", &[400]),
        line("a version to come", "GET /healthz HTTP/3.0", &[400]),
        line(
            "a version in small letters",
            "GET /healthz http/1.1",
            &[400],
        ),
        line("two blanks", "GET  /healthz HTTP/1.1", &[400]),
        line("a blank first", " GET /healthz HTTP/1.1", &[400]),
        Row::new("HTTP/0.9", "GET /healthz\r\n", &[400]),
        Row::new(
            "TLS",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
            &[400],
        ),
        Row::new(
            "half of HTTP/2's preface",
            "PRI * HTTP/2.0\r\n\r\nS",
            &[400],
        )
        .then_ends(),
        Row::new(
            "HTTP/2's preface and nonsense",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense nonsense nonsense",
            &[],
        )
        .then_ends(),
        Row::new(
            "random bytes",
            (0..=255).cycle().take(4_096).collect::<Vec<u8>>(),
            &[400],
        ),
    ]
}
