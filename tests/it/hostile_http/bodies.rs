//! Bodies, and how their length is told.

use super::{CLOSE, HOST, Row};

const QUERY: &str = r#"{"query":"{ __typename }"}"#;
const JSON: &str = "content-type: application/json\r\n";
const NEXT: &str = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

pub(super) fn rows() -> Vec<Row> {
    let post = |headers: &str, body: &str| {
        format!("POST /graphql HTTP/1.1\r\n{HOST}{JSON}{headers}\r\n{body}")
    };
    let closing = |headers: &str, body: &str| post(&format!("{CLOSE}{headers}"), body);
    let length = |count: usize| format!("content-length: {count}\r\n");
    let chunked = "transfer-encoding: chunked\r\n";
    let chunk = format!("{:x}\r\n{QUERY}\r\n", QUERY.len());
    let whole = format!("{chunk}0\r\n\r\n");
    let size = |size: &str| format!("{size}\r\n{QUERY}\r\n0\r\n\r\n");
    let refused = |name: &'static str, headers: &str, body: &str| {
        // What follows is no request of its own.
        Row::new(name, post(headers, &format!("{body}{NEXT}")), &[400])
    };
    let levels = |count: usize| format!("{}{}", "[".repeat(count), "]".repeat(count));
    let deep = format!(r#"{{"targets":{}}}"#, levels(100_000));
    let put = |headers: &str, body: &str| {
        format!(
            "PUT /api/linkedin/posting-targets HTTP/1.1\r\n{HOST}cookie: session={{session}}\r\n{CLOSE}{headers}\r\n{body}"
        )
    };
    vec![
        Row::new("a length", closing(&length(QUERY.len()), QUERY), &[200]),
        Row::new("chunks", closing(chunked, &whole), &[200]),
        Row::new(
            "requests one after another",
            format!("{}{NEXT}", post(&length(QUERY.len()), QUERY)),
            &[200, 200],
        ),
        Row::new(
            "many requests one after another",
            format!("{}{NEXT}", post(&length(QUERY.len()), QUERY).repeat(20)),
            &[200; 21],
        ),
        // Chunks count, and nothing that follows is taken for a request.
        Row::new(
            "a length and chunks",
            format!("{}{NEXT}", post(&format!("{}{chunked}", length(4)), &whole)),
            &[200],
        ),
        Row::new(
            "chunks and a length",
            format!("{}{NEXT}", post(&format!("{chunked}{}", length(4)), &whole)),
            &[200],
        ),
        refused(
            "two lengths",
            &format!("{}{}", length(4), length(QUERY.len())),
            QUERY,
        ),
        refused("a list of lengths", "content-length: 26, 4\r\n", QUERY),
        Row::new(
            "one length twice",
            closing(&length(QUERY.len()).repeat(2), QUERY),
            &[200],
        ),
        refused("a negative length", "content-length: -1\r\n", QUERY),
        refused("a length with a sign", "content-length: +26\r\n", QUERY),
        refused("a length in hexadecimal", "content-length: 0x1a\r\n", QUERY),
        refused("a length of words", "content-length: many\r\n", QUERY),
        refused("an empty length", "content-length:\r\n", QUERY),
        refused(
            "a length with a fraction",
            "content-length: 26.0\r\n",
            QUERY,
        ),
        refused(
            "a length beyond 64 bits",
            "content-length: 18446744073709551642\r\n",
            QUERY,
        ),
        refused(
            "a length beyond 128 bits",
            &format!("content-length: {}\r\n", "9".repeat(50)),
            QUERY,
        ),
        Row::new(
            "a length of exabytes",
            closing("content-length: 9223372036854775807\r\n", QUERY),
            &[400],
        )
        .then_ends(),
        Row::new("no length", format!("{}{NEXT}", post("", "")), &[400, 200]),
        Row::new(
            "less than the length",
            closing(&length(1_000), QUERY),
            &[400],
        )
        .then_ends(),
        Row::new(
            "an encoding that is none",
            format!("{}{NEXT}", post("transfer-encoding: nonsense\r\n", &whole)),
            &[400],
        ),
        refused(
            "an encoding before the chunks",
            "transfer-encoding: gzip, chunked\r\n",
            &whole,
        ),
        refused(
            "chunks before an encoding",
            "transfer-encoding: chunked, gzip\r\n",
            &whole,
        ),
        refused(
            "chunks twice",
            "transfer-encoding: chunked, chunked\r\n",
            &whole,
        ),
        refused(
            "two lines of encodings",
            &format!("{chunked}{chunked}"),
            &whole,
        ),
        refused(
            "nothing and chunks",
            "transfer-encoding: , chunked\r\n",
            &whole,
        ),
        refused(
            "identity and chunks",
            "transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n",
            &whole,
        ),
        refused(
            "an encoding like chunks",
            "transfer-encoding: xchunked\r\n",
            &whole,
        ),
        refused(
            "chunks in quotes",
            "transfer-encoding: \"chunked\"\r\n",
            &whole,
        ),
        refused(
            "chunks with a tab before",
            "transfer-encoding:\x0bchunked\r\n",
            &whole,
        ),
        refused(
            "an encoding with a blank before the colon",
            "transfer-encoding : chunked\r\n",
            &whole,
        ),
        refused(
            "an encoding on a line that goes on",
            "transfer-encoding:\r\n chunked\r\n",
            &whole,
        ),
        Row::new(
            "chunks in capitals",
            closing("transfer-encoding: CHUNKED\r\n", &whole),
            &[200],
        ),
        Row::new(
            "chunks in HTTP/1.0",
            format!("POST /graphql HTTP/1.0\r\n{HOST}{JSON}{chunked}\r\n{whole}"),
            &[400],
        ),
        refused("a chunk of a size that is none", chunked, &size("zz")),
        refused("a chunk of a negative size", chunked, &size("-1a")),
        refused("a chunk of a size with a prefix", chunked, &size("0x1a")),
        refused("a chunk of an empty size", chunked, &size("")),
        refused(
            "a chunk beyond 64 bits",
            chunked,
            &size("1000000000000001a"),
        ),
        refused("a chunk that is longer than its size", chunked, &size("4")),
        refused(
            "a chunk of a size with a blank inside",
            chunked,
            &size("1 a"),
        ),
        refused(
            "a chunk without a carriage return",
            chunked,
            &whole.replace("\r\n", "\n"),
        ),
        Row::new(
            "a chunk that is shorter than its size",
            closing(chunked, &size("fff")),
            &[400],
        )
        .then_ends(),
        Row::new(
            "a chunk of a size with noughts before",
            closing(chunked, &size("0000001a")),
            &[200],
        ),
        Row::new(
            "a chunk with an extension",
            closing(chunked, &size("1a;a=b")),
            &[200],
        ),
        Row::new(
            "a chunk with a long extension",
            closing(chunked, &size(&format!("1a;a={}", "b".repeat(60_000)))),
            &[400],
        ),
        Row::new(
            "many chunks with extensions",
            closing(
                chunked,
                &format!("{}{whole}", "1;a=bbbbbbbb\r\n \r\n".repeat(3_000)),
            ),
            &[400],
        ),
        Row::new(
            "an empty body of chunks",
            closing(chunked, "0\r\n\r\n"),
            &[400],
        ),
        Row::new(
            "trailers",
            closing(chunked, &format!("{chunk}0\r\nx-a: b\r\n\r\n")),
            &[200],
        ),
        Row::new(
            "credentials as trailers",
            format!(
                "PUT /api/linkedin/posting-targets HTTP/1.1\r\n{HOST}{CLOSE}{chunked}\r\n{chunk}0\r\ncookie: session={{session}}\r\n\r\n"
            ),
            &[401],
        ),
        Row::new(
            "many trailers",
            closing(
                chunked,
                &format!("{chunk}0\r\n{}\r\n", "x-a: b\r\n".repeat(5_000)),
            ),
            &[400],
        ),
        Row::new("chunks without an end", closing(chunked, &chunk), &[400]).then_ends(),
        Row::new(
            "very many chunks",
            closing(
                chunked,
                &format!("{}0\r\n\r\n", "1\r\n \r\n".repeat(65_000)),
            ),
            &[400],
        ),
        Row::new(
            "more in chunks than a body may have",
            closing(
                chunked,
                &format!("400\r\n{}\r\n", " ".repeat(1_024)).repeat(65),
            ),
            &[413],
        ),
        Row::new(
            "a body with a request that takes none",
            format!(
                "GET /healthz HTTP/1.1\r\n{HOST}{}\r\n{QUERY}{NEXT}",
                length(QUERY.len())
            ),
            &[200, 200],
        ),
        Row::new(
            "a body that is announced and never asked for",
            format!(
                "GET /healthz HTTP/1.1\r\n{HOST}{CLOSE}{}expect: 100-continue\r\n\r\n",
                length(100_000)
            ),
            &[200],
        )
        .then_ends(),
        Row::new(
            "a body that is announced",
            closing(
                &format!("{}expect: 100-continue\r\n", length(QUERY.len())),
                QUERY,
            ),
            &[100, 200],
        ),
        Row::new(
            "a body that is announced and too long",
            closing(
                &format!("{}expect: 100-continue\r\n", length(10_000_000)),
                "",
            ),
            &[100, 400],
        )
        .then_ends(),
        Row::new(
            "a compressed body",
            closing(
                &format!("{}content-encoding: gzip\r\n", length(QUERY.len())),
                QUERY,
            ),
            &[415],
        ),
        Row::new(
            "a body of no encoding",
            closing(
                &format!("{}content-encoding: identity\r\n", length(QUERY.len())),
                QUERY,
            ),
            &[200],
        ),
        Row::new(
            "a body that is compressed twice",
            closing(
                &format!("{}content-encoding: gzip, br\r\n", length(QUERY.len())),
                QUERY,
            ),
            &[415],
        ),
        Row::new(
            "a compressed body of REST",
            put(
                &format!("{}content-encoding: br\r\n", length(14)),
                r#"{"targets":[]}"#,
            ),
            &[415],
        ),
        Row::new(
            "a body that is no text",
            {
                let mut bytes = closing(&length(4), "").into_bytes();
                bytes.extend([0xff, 0xfe, 0, 0x80]);
                bytes
            },
            &[400],
        ),
        Row::new(
            "null characters",
            closing(&length(1_000), &"\0".repeat(1_000)),
            &[400],
        ),
        Row::new(
            "a mark of byte order",
            closing(&length(QUERY.len() + 3), &format!("\u{feff}{QUERY}")),
            &[400],
        ),
        Row::new(
            "JSON of 100,000 levels",
            closing(&length(deep.len()), &deep),
            &[413],
        ),
        Row::new(
            "JSON of 100,000 levels to REST",
            put(&length(deep.len()), &deep),
            &[400],
        ),
        Row::new(
            "JSON of 30,000 levels",
            closing(&length(60_000), &levels(30_000)),
            &[400],
        ),
        Row::new(
            "a megabyte of blanks to REST",
            put(&length(1024 * 1024 + 1), &" ".repeat(1024 * 1024 + 1)),
            &[413],
        ),
    ]
}
