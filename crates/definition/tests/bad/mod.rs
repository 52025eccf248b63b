//! Definitions with something wrong: a title, and the text.

mod elements;
mod json;
mod markup;
mod toml;

pub(crate) use elements::elements;
pub(crate) use json::json;
pub(crate) use markup::markup;
pub(crate) use toml::toml;

pub(crate) type Case = (&'static str, Vec<u8>);

fn case(title: &'static str, text: impl Into<Vec<u8>>) -> Case {
    (title, text.into())
}

/// A sound network around what stands in `<network>`.
fn network(inside: &str) -> String {
    format!("<network>\n  <name>lab</name>\n  <bridge name='virbr1'/>\n{inside}\n</network>\n")
}

/// What has no format.
pub(crate) fn any() -> Vec<Case> {
    vec![
        case("nothing", ""),
        case("white space", " \r\n\t\n"),
        case("a byte order mark alone", "\u{feff}"),
        case("UTF-16", *b"\xFF\xFE<\0n\0e\0t\0"),
        case("UTF-16, the other end first", *b"\xFE\xFF\0<\0n\0e\0t"),
        case("half a unit of UTF-16", *b"\xFF\xFE<\0n\0e"),
        case("half a character of UTF-16", *b"\xFF\xFE<\0\x34\xD8"),
        case(
            "Latin-1 that calls itself so",
            *b"<?xml version='1.0' encoding='ISO-8859-1'?>\n<network>\n  <name>gr\xF6\xDFe</name>\n</network>",
        ),
        case(
            "Latin-1",
            *b"<network>\n  <name>gr\xF6\xDFe</name>\n</network>",
        ),
        case("half a character at the end", *b"name = \"gr\xC3"),
        case(
            "a byte order mark before a fault",
            "\u{feff}<network>\n</netwrk>",
        ),
        case("zeros", vec![0; 64]),
        case("a program", *b"\x7fELF\x02\x01\x01\0\0\0\0\0"),
        case("one byte too many", vec![b' '; (10 << 20) + 1]),
        case("a folder's worth", vec![b'<'; 12 << 20]),
        case("a shell script", "#!/bin/sh\nvirsh net-dumpxml default\n"),
        case("an answer of virsh", "error: failed to get network 'lab'\n"),
    ]
}
