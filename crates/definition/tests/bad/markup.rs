//! XML that is none.

use super::{Case, case, network};

/// XML that is none, or that is refused as such.
pub(crate) fn markup() -> Vec<Case> {
    let nested = format!("<network>{}", "<metadata>".repeat(100_000));
    let closed = format!("{}{}", "<a>".repeat(140_000), "</a>".repeat(140_000));
    let many: String = (0..90_000).map(|i| format!(" a{i}=''")).collect();
    let bomb = "<!DOCTYPE n [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>\n";
    vec![
        case(
            "an element is never closed",
            "<network>\n  <name>lab</name>\n  <ip address='10.0.0.1'>\n</network>",
        ),
        case(
            "the root is never closed",
            "<network>\n  <name>lab</name>\n",
        ),
        case(
            "a tag is not closed",
            "<network>\n  <name>lab</name>\n  <bridge name='virbr1'",
        ),
        case(
            "a tag runs into the next",
            "<network>\n  <bridge name='virbr1'\n  <forward/>\n</network>",
        ),
        case(
            "a quote is missing",
            "<network>\n  <bridge name='virbr1/>\n  <ip address='10.0.0.1'/>\n</network>",
        ),
        case(
            "the last quote is missing",
            "<network>\n  <bridge name=\"virbr1/>\n</network>",
        ),
        case(
            "a comment is not closed",
            "<network>\n  <!-- <bridge/>\n</network>",
        ),
        case("a comment holds two dashes", network("  <!-- a -- b -->")),
        case(
            "CDATA is not closed",
            "<network><name><![CDATA[lab</name></network>",
        ),
        case(
            "the end of CDATA without it",
            network("  <title>a ]]> b</title>"),
        ),
        case(
            "a processing instruction is not closed",
            "<?xml version='1.0'?>\n<?style <network/>",
        ),
        case(
            "the declaration is not closed",
            "<?xml version='1.0'>\n<network/>",
        ),
        case(
            "an end tag in the wrong order",
            "<network><dns><host></dns></host></network>",
        ),
        case("an end tag too many", "<network/></network>"),
        case(
            "another root follows",
            format!("{}<network>\n</network>", network("")),
        ),
        case(
            "text follows the root",
            format!("{}  trailing", network("")),
        ),
        case(
            "CDATA follows the root",
            format!("{}<![CDATA[x]]>", network("")),
        ),
        case("only a comment", "<!-- <network/> -->\n"),
        case(
            "a document type",
            "<!DOCTYPE network SYSTEM 'file:///etc/passwd'>\n<network/>",
        ),
        case("a document type in lower case", "<!doctype html>\n<html/>"),
        case(
            "a document type that is not closed",
            "<!DOCTYPE network [\n<!ENTITY a 'b'>\n",
        ),
        case(
            "entities that grow",
            format!("{bomb}<network><name>&b;</name></network>"),
        ),
        case("an entity of nobody", network("  <title>&nbsp;</title>")),
        case(
            "an entity in an attribute",
            "<network>\n  <bridge name='&bridge;'/>\n</network>",
        ),
        case(
            "a lone ampersand in text",
            network("  <title>Tom & Jerry</title>"),
        ),
        case(
            "a lone ampersand in an attribute",
            network("  <domain name='a&b'/>"),
        ),
        case(
            "a reference to no character",
            network("  <title>&#0;</title>"),
        ),
        case(
            "a reference to a control character",
            "<network>\n  <bridge name='a&#27;b'/>\n</network>",
        ),
        case(
            "a reference to half a character",
            network("  <title>&#xD800;</title>"),
        ),
        case(
            "a reference with a sign",
            network("  <title>&#+65;</title>"),
        ),
        case(
            "a control character",
            "<network>\n  <name>la\u{1b}[31mb</name>\n</network>",
        ),
        case("`<!` and nothing", "<network><!network></network>"),
        case("a name that is none", "<network><1st/></network>"),
        case(
            "a tag without a name",
            "<network>< name>lab</name></network>",
        ),
        case(
            "an attribute twice",
            "<network>\n  <bridge name='virbr1' name='virbr2'/>\n</network>",
        ),
        case(
            "attributes that touch",
            "<network>\n  <bridge name='virbr1'zone='lab'/>\n</network>",
        ),
        case(
            "an attribute without quotes",
            "<network>\n  <bridge name=virbr1/>\n</network>",
        ),
        case(
            "an attribute without a value",
            "<network>\n  <bridge name/>\n</network>",
        ),
        case(
            "an attribute's name that is none",
            "<network>\n  <bridge <name='virbr1'/>\n</network>",
        ),
        case(
            "a declaration in the middle",
            "<!-- mine --><?xml version='1.0'?>\n<network/>",
        ),
        case(
            "a declaration without a version",
            "<?xml encoding='UTF-8'?>\n<network/>",
        ),
        case(
            "a version from the future",
            "<?xml version='3.0'?>\n<network/>",
        ),
        case(
            "another encoding",
            "<?xml version='1.0' encoding='ISO-8859-2'?>\n<network/>",
        ),
        case("nested without end", nested),
        case("nested too deep", closed),
        case(
            "more attributes than anybody reads",
            format!("<network{many} a1='twice'/>"),
        ),
    ]
}
