//! As much of HTTP/1.1 (RFC 9112) as a scraper needs: a request line is judged, header fields are passed over, and
//! every connection ends with its response.

use crate::limits::HEAD_BYTES_MAX;

/// The media type of the page.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// The empty line has come.
    Whole,
    /// More is needed.
    Partial,
    /// More than will be read.
    TooLong,
}

/// Whether the head of a request is there.
pub(crate) fn head(bytes: &[u8]) -> Head {
    let ends = |end: &[u8]| bytes.windows(end.len()).any(|window| window == end);
    if ends(b"\r\n\r\n") || ends(b"\n\n") {
        Head::Whole
    } else if bytes.len() >= HEAD_BYTES_MAX {
        Head::TooLong
    } else {
        Head::Partial
    }
}

/// The response to whatever was sent as the head of a request. `page` is asked for only when it is wanted; `None` is
/// no page yet.
#[must_use]
pub fn respond(request: &[u8], page: impl FnOnce() -> Option<String>) -> Vec<u8> {
    if request.len() >= HEAD_BYTES_MAX && head(request) != Head::Whole {
        return response("431 Request Header Fields Too Large", "", "the request is too long\n", true);
    }
    let line = request.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let words: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
    let [method, target, version] = words.as_slice() else {
        return response("400 Bad Request", "", "this is no request: GET /metrics HTTP/1.1\n", true);
    };
    if *version != b"HTTP/1.1" && *version != b"HTTP/1.0" {
        return response(
            "505 HTTP Version Not Supported",
            "",
            "HTTP/1.1 and HTTP/1.0 are spoken here\n",
            true,
        );
    }
    let with_body = match *method {
        b"GET" => true,
        b"HEAD" => false,
        _ => {
            return response(
                "405 Method Not Allowed",
                "Allow: GET, HEAD\r\n",
                "there is only GET here\n",
                true,
            );
        }
    };
    let path = target.split(|&byte| byte == b'?').next().unwrap_or_default();
    match path {
        b"/metrics" => match page() {
            Some(page) => response("200 OK", &format!("Content-Type: {OPENMETRICS}\r\n"), &page, with_body),
            None => response("503 Service Unavailable", "Retry-After: 1\r\n", "no figures yet\n", with_body),
        },
        b"/" => response("200 OK", "", "Penstock: the figures are at /metrics\n", with_body),
        _ => response("404 Not Found", "", "there is only /metrics here\n", with_body),
    }
}

/// Too many ask at once.
pub(crate) fn busy() -> Vec<u8> {
    response("503 Service Unavailable", "Retry-After: 1\r\n", "too many connections\n", true)
}

fn response(status: &str, fields: &str, body: &str, with_body: bool) -> Vec<u8> {
    let kind =
        if fields.contains("Content-Type") { "" } else { "Content-Type: text/plain; charset=utf-8\r\n" };
    let length = body.len();
    let body = if with_body { body } else { "" };
    format!(
        "HTTP/1.1 {status}\r\n{fields}{kind}Content-Length: {length}\r\nConnection: close\r\n\
         X-Content-Type-Options: nosniff\r\n\r\n{body}"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Head, head, respond};
    use crate::limits::HEAD_BYTES_MAX;

    fn status(request: &[u8]) -> String {
        let response = String::from_utf8(respond(request, || Some("page".into()))).unwrap();
        response.split_whitespace().nth(1).unwrap().to_owned()
    }

    #[test]
    fn each_request_gets_what_it_deserves() {
        assert_eq!(status(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"), "200");
        assert_eq!(status(b"GET /metrics?x=1 HTTP/1.0\n\n"), "200");
        assert_eq!(status(b"GET / HTTP/1.1\r\n\r\n"), "200");
        assert_eq!(status(b"GET /metricsx HTTP/1.1\r\n\r\n"), "404");
        assert_eq!(status(b"POST /metrics HTTP/1.1\r\n\r\n"), "405");
        assert_eq!(status(b"GET /metrics HTTP/2.0\r\n\r\n"), "505");
        assert_eq!(status(b"GET /metrics\r\n\r\n"), "400");
        assert_eq!(status(b""), "400");
        assert_eq!(status(&[b'a'; HEAD_BYTES_MAX]), "431");
    }

    #[test]
    fn head_is_get_without_the_page_and_without_one_the_scraper_comes_again() {
        let head =
            String::from_utf8(respond(b"HEAD /metrics HTTP/1.1\r\n\r\n", || Some("page".into()))).unwrap();
        assert!(head.contains("Content-Length: 4\r\n") && head.ends_with("\r\n\r\n"), "{head}");
        let none = String::from_utf8(respond(b"GET /metrics HTTP/1.1\r\n\r\n", || None)).unwrap();
        assert!(none.starts_with("HTTP/1.1 503 ") && none.contains("Retry-After: 1"), "{none}");
    }

    #[test]
    fn the_head_ends_with_an_empty_line() {
        assert_eq!(head(b"GET / HTTP/1.1\r\n\r"), Head::Partial);
        assert_eq!(head(b"GET / HTTP/1.1\r\n\r\n"), Head::Whole);
        assert_eq!(head(&[b'\r'; HEAD_BYTES_MAX]), Head::TooLong);
    }

    /// A response has a status line, fields without strange bytes, and as many bytes as it says.
    fn is_sound(response: &[u8]) -> bool {
        let text = String::from_utf8_lossy(response);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(usize::MAX);
        head.starts_with("HTTP/1.1 ")
            && (body.len() == length || body.is_empty())
            && head.bytes().all(|b| b.is_ascii_graphic() || b" \r\n".contains(&b))
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_response(request in proptest::collection::vec(any::<u8>(), 0..9000)) {
            prop_assert!(is_sound(&respond(&request, || Some("page".into()))));
        }

        #[test]
        fn what_is_almost_a_request_too(
            method in "[A-Z]{0,8}", target in "/?[ -~]{0,40}", version in "HTTP/[0-3].[0-9]|[ -~]{0,9}", rest in "[\\r\\n -~]{0,99}",
        ) {
            let request = format!("{method} {target} {version}\r\n{rest}");
            prop_assert!(is_sound(&respond(request.as_bytes(), || Some("page".into()))));
        }
    }
}
