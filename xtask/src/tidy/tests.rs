//! Each rule on small crates: one that keeps it, one that breaks it.

use super::files::Files;
use super::findings;

const MANIFEST: &str = "[package]\nname = \"palisade-core\"\n";
const OTHER: &str =
    "[package]\nname = \"palisade-nft\"\n[dependencies]\npalisade-core.workspace = true\n";
const LIB: &str = "crates/core/src/lib.rs";

/// The findings, each with its places.
fn found<const N: usize>(sources: [(&str, &str); N]) -> Vec<String> {
    let mut files = Files::from([("crates/core/Cargo.toml", MANIFEST)]);
    files.extend(sources);
    let found = findings(&files).expect("readable sources");
    found
        .iter()
        .map(|it| it.to_string().trim().to_owned())
        .collect()
}

/// The findings of one kind.
fn of_kind<const N: usize>(kind: &str, sources: [(&str, &str); N]) -> Vec<String> {
    let mut found = found(sources);
    found.retain(|finding| finding.starts_with(kind));
    found
}

#[test]
fn a_file_may_use_what_stands_beside_and_below() {
    let circles = of_kind(
        "circle",
        [
            (LIB, "mod a;\nmod b;\npub use a::A;\npub(crate) use b::B;"),
            ("crates/core/src/a.rs", "use crate::b::B;\npub struct A(B);"),
            (
                "crates/core/src/b.rs",
                "pub struct B;\n#[cfg(test)]\nmod tests { use crate::a::A; }",
            ),
        ],
    );
    assert_eq!(circles, [""; 0]);
}

#[test]
fn two_files_that_import_each_other_are_a_circle() {
    let circles = of_kind(
        "circle",
        [
            (LIB, "mod a;\nmod b;"),
            ("crates/core/src/a.rs", "use crate::b::B;\npub struct A;"),
            (
                "crates/core/src/b.rs",
                "pub struct B;\nfn b() { todo(crate::a::A) }",
            ),
        ],
    );
    assert_eq!(
        circles,
        [
            "circle: crates/core/src/a.rs -> crates/core/src/b.rs -> crates/core/src/a.rs\n  \
          crates/core/src/a.rs:1: use crate::b::B;\n  \
          crates/core/src/b.rs:2: fn b() { todo(crate::a::A) }"
        ]
    );
}

/// Through re-exports, renames, globs, nested braces, and inside of macros, but not in comments and
/// texts.
#[test]
fn an_arrow_leads_to_the_file_that_defines_an_item() {
    let through = |import: &str| {
        let other = format!("{import}\npub struct Other;");
        let circles = of_kind(
            "circle",
            [
                (LIB, "mod parent;"),
                (
                    "crates/core/src/parent/mod.rs",
                    "mod item;\nmod other;\npub use item::Item;",
                ),
                (
                    "crates/core/src/parent/item.rs",
                    "pub struct Item(super::other::Other);",
                ),
                ("crates/core/src/parent/other.rs", &other),
            ],
        );
        circles.len()
    };
    for circle in [
        "use super::Item;",
        "use super::{item::{self, Item as Renamed}};",
        "use crate::parent::*;\nfn f(_: Item) {}",
        "use self::super::item as renamed;\nfn f(_: renamed::Item) {}",
        "fn f() { println!(\"{}\", super::Item::new()) }",
        "mod inner { use super::super::Item; }",
    ] {
        assert_eq!(through(circle), 1, "{circle}");
    }
    for none in [
        "// use super::Item;",
        "/* super::Item */",
        "const TEXT: &str = r#\"super::Item\"#;",
        "use crate::parent::*;",
        "use super::item;",
        "#[cfg(test)]\nuse super::Item;",
    ] {
        assert_eq!(through(none), 0, "{none}");
    }
}

#[test]
fn a_parent_that_uses_its_child_is_no_parent_for_it() {
    let parent = "mod child;\npub struct Shared;\npub fn f() { child::f(Shared) }";
    let child = |text| {
        let files = [(LIB, parent), ("crates/core/src/child.rs", text)];
        of_kind("circle", files).len()
    };
    assert_eq!(child("use super::Shared;\npub fn f(_: Shared) {}"), 1);
    assert_eq!(child("pub fn f<T>(_: T) {}"), 0);
}

#[test]
fn crates_are_in_layers() {
    let allowed = [
        (LIB, ""),
        ("crates/nft/Cargo.toml", OTHER),
        ("crates/nft/src/lib.rs", "use palisade_core as _;"),
        ("crates/core/tests/layers.rs", "use palisade_nft::f;"),
    ];
    assert_eq!(of_kind("layers", allowed), [""; 0]);
    let forbidden = [
        (LIB, ""),
        ("crates/nft/Cargo.toml", OTHER),
        ("crates/nft/src/lib.rs", ""),
        (
            "crates/core/Cargo.toml",
            "[package]\nname = \"palisade-core\"\n[dependencies]\npalisade-nft.workspace = true\n",
        ),
        ("crates/core/src/lib.rs", "fn f() { palisade_nft::f() }"),
    ];
    assert_eq!(
        of_kind("layers", forbidden),
        [
            "layers: palisade-core may not use palisade-nft\n  \
             crates/core/Cargo.toml:4: palisade-nft.workspace = true",
            "layers: palisade-core may not use palisade-nft\n  \
             crates/core/src/lib.rs:1: fn f() { palisade_nft::f() }",
        ]
    );
}

#[test]
fn a_public_item_is_used_by_another_crate_a_test_or_a_document() {
    let lib = "
        mod inner;
        pub use inner::Seen;
        pub mod open { pub fn named() {} }
        pub struct Used { pub seen: Seen, hidden: Hidden }
        impl Used { pub fn method(&self) {} fn private() {} }
        pub struct Documented;
        /// ```
        /// palisade_core::in_example();
        /// ```
        pub fn in_example() {}
        struct Hidden;
        pub(crate) fn restricted() {}";
    let inner = "pub struct Seen; pub struct NotReachable;";
    let unused = of_kind(
        "unused",
        [
            (LIB, lib),
            ("crates/core/src/inner.rs", inner),
            (
                "crates/core/tests/used.rs",
                "use palisade_core::{Used, open};\nfn f(used: Used) { open::named(); used.method() }",
            ),
            ("README.md", "It is `Documented`."),
        ],
    );
    assert_eq!(unused, [""; 0]);
}

#[test]
fn a_public_item_that_only_its_own_crate_uses_is_found() {
    let lib = "
        mod inner;
        pub use inner::Seen;
        pub mod open { pub fn named() {} }
        pub struct Used { seen: Seen }
        impl Used { pub fn method(&self) { open::named() } }";
    let unused = of_kind(
        "unused",
        [
            (LIB, lib),
            ("crates/core/src/inner.rs", "pub struct Seen;"),
            ("crates/core/tests/used.rs", "use palisade_core::Used;"),
        ],
    );
    let names: Vec<&str> = unused
        .iter()
        .map(|it| {
            it.split([':', '\n']).collect::<Vec<_>>()[1..]
                .first()
                .copied()
                .unwrap_or_default()
        })
        .collect();
    assert_eq!(names.len(), 4, "{unused:#?}");
    for name in ["crate::open", "named", "Used::method", "Seen"] {
        let name = format!("unused public item: {name} in ");
        assert!(
            unused.iter().any(|it| it.starts_with(&name)),
            "{name}: {unused:#?}"
        );
    }
}

#[test]
fn a_function_fits_on_a_page() {
    let function = |lines: usize| {
        let lib = format!("fn f() {{\n{}}}", "    f();\n".repeat(lines - 2));
        of_kind("function", [(LIB, lib.as_str())])
    };
    assert_eq!(function(100), [""; 0]);
    let long = "function of more than 100 lines: f in crates/core/src/lib.rs\n  \
                crates/core/src/lib.rs:1: 101 lines";
    assert_eq!(function(101), [long]);
}
