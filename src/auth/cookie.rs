use std::borrow::Cow;

use axum::http::{HeaderMap, header::COOKIE};
use cookie::Cookie;
use percent_encoding::percent_decode_str;

/// The session ids in the cookies with these names, in the order of the names. In one cookie several ids stand
/// separated by commas, the active account's first; of two cookies of one name the last counts.
pub(super) fn session_ids(headers: &HeaderMap, names: &[String]) -> Vec<String> {
    let headers: Vec<_> = headers
        .get_all(COOKIE)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    let cookies: Vec<_> = headers
        .iter()
        .flat_map(|header| Cookie::split_parse(&**header))
        .flatten()
        .collect();
    let of_name = |name: &String| {
        cookies
            .iter()
            .rev()
            .filter(move |cookie| cookie.name() == name)
            .find_map(|cookie| decoded(cookie.value()))
    };
    let values: Vec<_> = names.iter().filter_map(of_name).collect();
    let ids = values
        .iter()
        .flat_map(|value| value.split(','))
        .map(str::trim);
    ids.filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

/// As `decodeURIComponent` has it: a lone `%`, or bytes that are not UTF-8, make the value unreadable.
fn decoded(value: &str) -> Option<Cow<'_, str>> {
    let is_escape = |rest: &str| {
        rest.as_bytes()
            .get(..2)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if value.split('%').skip(1).all(is_escape) {
        percent_decode_str(value).decode_utf8().ok()
    } else {
        None
    }
}
