//! JSON.

use super::{Case, case};

/// JSON that is none, or describes no network.
pub(crate) fn json() -> Vec<Case> {
    let lab = |fields: &str| {
        format!("{{\n  \"name\": \"lab\",\n  \"bridge\": \"virbr1\",\n  {fields}\n}}\n")
    };
    vec![
        case("the end is missing", "{\n  \"name\": \"lab\",\n"),
        case("a string is not closed", "{\n  \"name\": \"lab\n}"),
        case("a comma too many", "{\n  \"name\": \"lab\",\n}"),
        case(
            "a comma is missing",
            "{\n  \"name\": \"lab\"\n  \"bridge\": \"virbr1\"\n}",
        ),
        case("single quotes", "{'name': 'lab'}"),
        case("a comment", "{\n  // mine\n  \"name\": \"lab\"\n}"),
        case(
            "something follows",
            "{\"name\": \"lab\", \"bridge\": \"virbr1\"} {}",
        ),
        case("an unknown escape", "{\"name\": \"größe \\q\"}"),
        case(
            "half a character",
            "{\"bridge\": \"virbr1\", \"name\": \"\\ud800\"}",
        ),
        case(
            "half a character in a key",
            "{\"bridge\": \"virbr1\", \"n\\ud800\": \"lab\"}",
        ),
        case("a list of numbers", "[[1, 2]]"),
        case("a list of strings", "[ 7, {} ]"),
        case("an empty object", "{}"),
        case("a field twice", lab("\"name\": \"again\"")),
        case("a slip in a field", lab("\"subnet\": []")),
        case("an unknown field with a quote", lab("\"a\\\"b\" : []")),
        case(
            "a mode that is null and no bridge",
            "{\"name\": \"lab\", \"mode\": null}",
        ),
        case("a null among subnets", lab("\"subnets\": [null]")),
        case("subnets that are an object", lab("\"subnets\": {\"a\": 1}")),
        case(
            "a wrong subnet",
            lab("\"subnets\": [\"10.0.0.1/24\", \"10.0.1.1/+24\"]"),
        ),
        case(
            "a wrong end of a range",
            lab("\"mode\": \"nat\", \"ports\": {\"start\": 1024, \"end\": \"x\"}"),
        ),
        case(
            "a port with a point",
            lab("\"mode\": \"nat\", \"ports\": 1e3"),
        ),
        case(
            "a number beyond all",
            lab("\"mode\": \"nat\", \"ports\": 99999999999999999999"),
        ),
        case("a word for yes", lab("\"dhcp\": 1")),
        case(
            "a network that is no list",
            "{\"network\": {\"name\": \"lab\"}}",
        ),
        case(
            "fields beside the list",
            "{\"network\": [], \"name\": \"lab\"}",
        ),
        case(
            "the second of two is wrong",
            "[\n  {\"name\": \"a\", \"bridge\": \"virbr1\"},\n  {\"name\": \"b\", \"bridge\": \"virbr 2\"}\n]",
        ),
        case("lists within lists", "[".repeat(1 << 20)),
        case(
            "closed lists within a field",
            format!("{{\"x\": {}{}}}", "[".repeat(300_000), "]".repeat(300_000)),
        ),
        case("objects within objects", "{\"network\":".repeat(50_000)),
        case(
            "a long line",
            format!(
                "{{\"name\": \"{}\", \"bridge\": 7, \"zone\": \"{}\"}}",
                "x".repeat(80),
                "y".repeat(500)
            ),
        ),
    ]
}
