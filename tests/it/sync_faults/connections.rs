//! Connections that break, stall, or carry something else than HTTP.

use stand_in_linkedin::{Endpoint, Fault};

use super::{
    details::{nameless, untold},
    rows::{Row, Server, Spoil, UNAVAILABLE, at, healthy, list, wire},
    scene::Stage,
};
use crate::support::wire::Script::{Says, SaysAndWaits, SaysForEver};

pub(super) fn rows(_: &Stage) -> Vec<Row> {
    let nobody = Row {
        name: "nobody there",
        asked: Server::Unlinked,
        spoil: Spoil::Nothing,
        then: UNAVAILABLE,
    };
    let mut rows = vec![
        nobody,
        list("closed without an answer", Fault::Reset, UNAVAILABLE),
        list("closed in the middle", Fault::Truncated, UNAVAILABLE),
        list("silence", Fault::Hang, UNAVAILABLE).hasty(),
        list("silence in the middle", Fault::Stalled, UNAVAILABLE).hasty(),
        list("byte by byte", Fault::Dripping, UNAVAILABLE).hasty(),
        untold("silence about names", Fault::Hang, nameless()).hasty(),
        at(
            "silence about logos",
            Endpoint::Images,
            Fault::Hang,
            healthy(),
        )
        .hasty(),
    ];
    rows.extend(wires());
    rows
}

fn wires() -> Vec<Row> {
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    vec![
        wire("closed at once", Says("")),
        wire("another protocol", Says("220 mail.example.com ESMTP\r\n")),
        wire("JSON without a head", Says(r#"{"elements":[]}"#)),
        wire("a status that is none", Says("HTTP/1.1 2000 OK\r\n\r\n{}")),
        wire("half a head", Says("HTTP/1.1 200 OK\r\ncontent-ty")),
        wire(
            "half a head, and silence",
            SaysAndWaits("HTTP/1.1 200 OK\r\ncontent-ty"),
        ),
        wire(
            "a head without end",
            SaysForEver("HTTP/1.1 200 OK\r\n", "x-filler: and so on\r\n"),
        ),
        wire(
            "a header without end",
            SaysForEver("HTTP/1.1 200 OK\r\nx-filler: ", "and so on "),
        ),
        wire(
            "interim answers without end",
            SaysForEver("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
        ),
        wire(
            "another protocol, as if agreed",
            SaysAndWaits(
                "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
            ),
        ),
        wire(
            "fewer bytes than said",
            Says("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"elements\":[]}"),
        ),
        wire(
            "fewer bytes than said, and silence",
            SaysAndWaits("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"elements\":[]}"),
        ),
        wire(
            "two lengths",
            Says(
                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 15\r\n\r\n{\"elements\":[]}",
            ),
        ),
        wire(
            "a length that is none",
            Says("HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n{\"elements\":[]}"),
        ),
        wire(
            "a chunk of no size",
            Says("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nmany\r\n{}\r\n0\r\n\r\n"),
        ),
        wire(
            "chunks without the last",
            Says("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nf\r\n{\"elements\":[]}\r\n"),
        ),
        wire(
            "chunks without end",
            SaysForEver(CHUNKED, "10\r\n                \r\n"),
        ),
        wire(
            "trailers without end",
            SaysForEver(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
                "x-filler: and so on\r\n",
            ),
        ),
    ]
}
