//! Whatever comes in, nothing panics or hangs; and what is written is read back the same.
// What fails here is a test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod written;

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use palisade_core::Hint;
use palisade_core::Network;
use palisade_definition::{Fault, MAX_SIZE, MarkupFault, Source, parse};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use written::Style;

/// Reads, and asks everything of the error that can be asked.
fn survive(bytes: &[u8]) {
    let source = Source::at(Path::new("random"));
    match parse(&source, bytes) {
        Ok(_) => {}
        Err(error) => {
            let report = error.report();
            assert!((2..=4).contains(&report.lines().count()), "{report}");
            assert!(
                !report.contains(|c: char| c.is_control() && c != '\n'),
                "{report:?}"
            );
            assert!(!error.hint().is_empty());
            let line = error.line().unwrap_or(1);
            let lines = bytes.iter().filter(|&&b| b == b'\n').count() + 1;
            assert!((1..=lines).contains(&line), "{report}");
            let column = error.column().unwrap_or(1);
            assert!((1..=bytes.len() + 1).contains(&column), "{report}");
        }
    }
}

/// Sound definitions, to be spoilt.
const SOUND: [&str; 4] = [
    "<?xml version='1.0' encoding='UTF-8'?>\n<!-- a -->\n<network ipv6='yes'>\n  <name>l&#97;b</name>\n  \
     <forward mode='nat' dev='eth0'><nat ipv6='yes'><address start='1.2.3.4' end='1.2.3.9'/>\
     <port start='1' end='9'/></nat><interface dev='eth0'/></forward>\n  <bridge name='virbr1' zone='z'/>\n  \
     <ip address='10.0.0.1' netmask='255.255.255.0'><dhcp><range start='a'/></dhcp><tftp root='/'/></ip>\n  \
     <ip family='ipv6' address='fd00::1' prefix='64'/>\n  <title><![CDATA[x]]></title>\n</network>\n",
    "name = 'lab'\nbridge = \"virbr1\"\nmode = 'nat'\nsubnets = ['10.0.0.1/24', 'fd00::1/64']\n\
     ports = { start = 1024, end = 2000 }\naddresses = '1.2.3.4-1.2.3.9'\ndhcp = true\n",
    "[[network]]\nname = 'lab'\nbridge = \"virbr1\"\n\n[[network]]\nname = 'größe'\nmode = 'vepa'\n",
    "{\"network\": [{\"name\": \"lab\\u00e9\", \"bridge\": \"virbr1\", \"mode\": \"nat\", \"subnets\": \
     [\"10.0.0.1/24\"], \"ports\": {\"start\": 1, \"end\": \"9\"}, \"dhcp\": true, \"zone\": null}]}",
];

/// Pieces that mean something in one of the formats.
const PIECES: [&str; 62] = [
    "<",
    ">",
    "/>",
    "</",
    "<network>",
    "</network>",
    "<network ",
    "<name>",
    "</name>",
    "lab",
    "<bridge ",
    "name='virbr1'",
    "zone=\"z\"",
    "<forward ",
    "mode='nat'",
    "mode='route'",
    "dev='eth0'",
    "<forward>",
    "</forward>",
    "<nat>",
    "</nat>",
    "<nat ipv6='yes'/>",
    "<port start='1' end='2'/>",
    "<ip ",
    "</ip>",
    "address='10.0.0.1'",
    "prefix='24'",
    "netmask='255.0.0.0'",
    "family='ipv6'",
    "<dhcp>",
    "</dhcp>",
    "<range/>",
    "<tftp root=''/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    "<?xml version='1.0'?>",
    "<!DOCTYPE x [",
    "&amp;",
    "&#x41;",
    "&x;",
    "&",
    "'",
    "\"",
    " ",
    "\n",
    "\r",
    "\t",
    "\u{feff}",
    "é",
    "=",
    "[[network]]",
    "name = 'a'",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\\ud800",
];

fn edit(mut bytes: Vec<u8>, edits: &[(Index, Index, &str, u8)]) -> Vec<u8> {
    for (a, b, piece, kind) in edits {
        let (a, b) = (a.index(bytes.len() + 1), b.index(bytes.len() + 1));
        let (start, end) = (a.min(b), a.max(b));
        match kind {
            0 => drop(bytes.drain(start..end.min(start + 8))),
            1 => drop(bytes.splice(start..start, piece.bytes())),
            2 => {
                let again = bytes[start..end].to_vec();
                drop(bytes.splice(start..start, again));
            }
            _ => {
                if let Some(byte) = bytes.get_mut(start) {
                    *byte ^= 1 << (end % 8);
                }
            }
        }
    }
    bytes
}

/// Trees of elements, mostly those that mean something, with attributes and text among them.
fn element() -> impl Strategy<Value = String> {
    let name = select(
        &[
            "network", "name", "bridge", "forward", "nat", "ip", "dhcp", "port", "dns", "x:y",
        ][..],
    );
    let attribute = (
        select(
            &[
                "name", "mode", "dev", "address", "prefix", "family", "start", "end", "ipv6",
                "xmlns",
            ][..],
        ),
        select(
            &[
                "virbr1", "nat", "open", "eth0", "10.0.0.1", "fd00::1", "24", "ipv6", "1", "yes",
                "&lt;", "",
            ][..],
        ),
    );
    let attributes = prop::collection::vec(attribute, 0..4);
    let text = select(
        &[
            "",
            "",
            " ",
            "lab",
            "&#65;",
            "<!-- c -->",
            "<![CDATA[d]]>",
            "<?p?>",
        ][..],
    );
    let leaf = (name.clone(), attributes.clone(), text.clone());
    let leaf = leaf.prop_map(|(name, attributes, text)| write_element(name, &attributes, text));
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let inside = prop::collection::vec((inner, text.clone()), 0..6);
        (name.clone(), attributes.clone(), inside).prop_map(|(name, attributes, inside)| {
            let inside: String = inside
                .into_iter()
                .map(|(inner, text)| inner + text)
                .collect();
            write_element(name, &attributes, &inside)
        })
    })
}

fn write_element(name: &str, attributes: &[(&str, &str)], inside: &str) -> String {
    let mut out = format!("<{name}");
    for (key, value) in attributes {
        write!(out, " {key}='{value}'").unwrap();
    }
    write!(out, ">{inside}</{name}>").unwrap();
    out
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survive(&bytes);
    }

    #[test]
    fn any_pieces(pieces in prop::collection::vec(select(&PIECES[..]), 0..40)) {
        let text = pieces.concat();
        survive(text.as_bytes());
        survive(format!("<network>{text}</network>").as_bytes());
        survive(format!("name = 'a'\nx = {text}").as_bytes());
        survive(format!("{{\"name\": {text}}}").as_bytes());
    }

    #[test]
    fn spoilt_definitions(
        sound in select(&SOUND[..]),
        edits in prop::collection::vec(
            (any::<Index>(), any::<Index>(), select(&PIECES[..]), 0..4u8),
            1..6,
        ),
    ) {
        survive(&edit(sound.as_bytes().to_vec(), &edits));
    }

    #[test]
    fn well_formed_xml(inside in prop::collection::vec(element(), 0..6)) {
        let text = format!("<network><name>lab</name>{}</network>", inside.concat());
        survive(text.as_bytes());
        let source = Source::at(Path::new("random"));
        if let Err(error) = parse(&source, text.as_bytes()) {
            // One attribute twice is all that can be wrong with it as XML.
            let markup = matches!(error.fault(), Fault::Markup(_));
            let twice = matches!(error.fault(), Fault::Markup(MarkupFault::AttributeTwice { .. }));
            prop_assert!(twice || !markup, "{}\n{}", error, text);
        }
    }

    #[test]
    fn what_is_written_is_read_back(
        networks in written::networks(),
        [defaults, tables, netmask, elements] in any::<[bool; 4]>(),
    ) {
        let style = Style { defaults, tables, netmask, elements };
        let network = &networks[..1];
        reads(&written::xml(&networks[0], style), network)?;
        reads(&written::toml(&networks[0], style), network)?;
        reads(&written::json(&networks[0], style).to_string(), network)?;
        let list: Vec<_> = networks.iter().map(|n| written::json(n, style)).collect();
        reads(&format!("{:#}", serde_json::json!(list)), &networks)?;
        reads(&serde_json::json!({ "network": list }).to_string(), &networks)?;
        let list = serde_json::json!({ "network": list });
        let list: toml::Table = serde_json::from_value(list).unwrap();
        reads(&toml::to_string(&list).unwrap(), &networks)?;
    }
}

fn reads(text: &str, networks: &[Network]) -> Result<(), TestCaseError> {
    let read = parse(&Source::at(Path::new("written")), text.as_bytes());
    let read = read.map_err(|e| TestCaseError::fail(format!("{}\n{text}", e.report())))?;
    prop_assert_eq!(read, networks, "{}", text);
    Ok(())
}

#[test]
fn sound_definitions_are_sound() {
    for sound in SOUND {
        parse(&Source::StandardInput, sound.as_bytes()).unwrap();
    }
}

/// The worst that fits into the size allowed: it takes no more than seconds, and little stack.
#[test]
fn hostile_definitions() {
    for text in hostile() {
        let thread = std::thread::Builder::new().stack_size(512 << 10);
        let shown: String = text.chars().take(60).collect();
        let begun = Instant::now();
        let survived = thread.spawn(move || {
            assert!(text.len() <= MAX_SIZE, "{}", text.len());
            survive(text.as_bytes());
        });
        survived
            .unwrap()
            .join()
            .unwrap_or_else(|_| panic!("{shown}"));
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "{shown}: {:?}",
            begun.elapsed()
        );
    }
}

fn hostile() -> Vec<String> {
    let sized = |size: usize, begin: &str, piece: &str, end: &str| {
        let times = (size - begin.len() - end.len()) / piece.len();
        format!("{begin}{}{end}", piece.repeat(times))
    };
    // A part of the size shows what is quadratic, and keeps the test short.
    let fill = |begin: &str, piece: &str, end: &str| sized(MAX_SIZE / 10, begin, piece, end);
    // There are many of these: less shows what breaks the reader, if not what is slow.
    let part = |begin: &str, piece: &str, end: &str| sized(MAX_SIZE / 320, begin, piece, end);
    let counted = |begin: &str, piece: &dyn Fn(usize) -> String, end: &str| {
        let mut text = begin.to_owned();
        for i in 0.. {
            let next = piece(i);
            if text.len() + next.len() + end.len() > MAX_SIZE / 10 {
                break;
            }
            text.push_str(&next);
        }
        text + end
    };
    let mut texts = Vec::new();
    for piece in PIECES {
        texts.push(part("", piece, ""));
        texts.push(part("<network>", piece, ""));
        texts.push(part("<network><name>", piece, "</name></network>"));
        texts.push(part("<network a='", piece, "'/>"));
        texts.push(part("x = ", piece, ""));
        texts.push(part("{\"x\": ", piece, "}"));
    }
    let key = vec!["a"; 79].join(".");
    let lab = "name = 'lab'\nbridge = 'virbr1'\n";
    let quad = |i: usize| format!("10.{}.{}.{}", i >> 16, (i >> 8) & 255, i & 255);
    texts.extend([
        fill("x = ", &format!("{{{key} = "), ""),
        fill("", &format!("[[{key}]]\n"), ""),
        fill("", &format!("[{key}.{key}]\n"), ""),
        fill(lab, &format!("{key} = 1\n"), ""),
        fill("[", "[", ""),
        fill("{\"network\":[", "{\"network\":[", ""),
        fill("{\"name\":", "[", ""),
        fill("{\"name\":\"", "\\\"", "\"}"),
        fill("<network>", "<ip>", ""),
        fill("<network>", "<ip/>", "</network>"),
        fill(
            "<network><name>lab</name><bridge name='b'/>",
            "<ip address='10.0.0.1'/>",
            "</network>",
        ),
        fill("<network><title>", "&amp;", "</title></network>"),
        counted("<network", &|i| format!(" a{i}=''"), "/>"),
        counted("", &|i| format!("k{i} = 1\n"), ""),
        counted("", &|i| format!("[k{i}]\n"), ""),
        counted("{", &|i| format!("\"k{i}\":1,"), "\"z\":1}"),
        counted(
            "{\"network\":[",
            &|i| format!("{{\"name\":\"n{i}\",\"bridge\":\"b{i}\"}},"),
            "{}]}",
        ),
        counted(
            &format!("{lab}subnets = ["),
            &|i| format!("'{}/32',", quad(i)),
            "]",
        ),
        counted(
            "{\"name\":\"lab\",\"bridge\":\"b\",\"subnets\":[",
            &|i| format!("\"{}/32\",", quad(i)),
            "\"10.0.0.0/32\"]}",
        ),
    ]);
    texts
}
