//! From a document in Markdown to a page of the manual: as much of Markdown as our documents use.

use std::fmt::Write;

/// A page of section 5.
pub(super) fn page(name: &str, what: &str, markdown: &str) -> String {
    let mut page = format!(
        ".TH {} 5 \"\" palisade\n.SH NAME\n{} \\- {what}\n.SH DESCRIPTION\n",
        escaped(name),
        escaped(name)
    );
    let mut lines = markdown.lines().peekable();
    let mut is_in_paragraph = false;
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let _ = info; // What language it is in, a page does not show.
            page += ".PP\n.RS 4\n.nf\n";
            for code in lines.by_ref().take_while(|line| !line.starts_with("```")) {
                page += &format!("{}\n", guarded(&escaped(code)));
            }
            page += ".fi\n.RE\n";
            is_in_paragraph = false;
        } else if line.starts_with("# ") {
            is_in_paragraph = false; // The title is the page's name.
        } else if let Some(heading) = line.strip_prefix("## ") {
            let _ = writeln!(page, ".SH \"{}\"", styled(&heading.to_uppercase()));
            is_in_paragraph = false;
        } else if let Some(heading) = line.strip_prefix("### ") {
            let _ = writeln!(page, ".SS \"{}\"", styled(heading));
            is_in_paragraph = false;
        } else if line.starts_with('|') {
            let mut rows = vec![line];
            while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
                rows.push(row);
            }
            page += &table(&rows);
            is_in_paragraph = false;
        } else if let Some(item) = line.strip_prefix("- ") {
            let _ = writeln!(page, ".IP \\(bu 2\n{}", guarded(&styled(item)));
            is_in_paragraph = true;
        } else if line.trim().is_empty() {
            is_in_paragraph = false;
        } else {
            if !is_in_paragraph {
                page += ".PP\n";
                is_in_paragraph = true;
            }
            let _ = writeln!(page, "{}", guarded(&styled(line.trim())));
        }
    }
    page + ".SH \"SEE ALSO\"\n.BR palisade (1)\n"
}

/// Each row in a paragraph that its first cell heads; the heads of columns are said with the rest.
fn table(rows: &[&str]) -> String {
    let cells = |row: &&str| -> Vec<String> {
        let row = row.trim().trim_matches('|').replace("\\|", "\u{0}");
        let cells = row.split('|').map(|cell| cell.trim().replace('\u{0}', "|"));
        cells.collect()
    };
    let head = rows.first().map(cells).unwrap_or_default();
    let mut page = String::new();
    for row in rows.iter().skip(2).map(cells) {
        let Some((first, rest)) = row.split_first() else {
            continue;
        };
        let _ = writeln!(page, ".TP\n{}", guarded(&styled(first)));
        let rest = rest
            .iter()
            .zip(head.iter().skip(1))
            .filter(|(cell, _)| !cell.is_empty());
        let told: Vec<String> = rest
            .map(|(cell, head)| match head.as_str() {
                "" => styled(cell),
                head => format!("{}: {}", styled(head), styled(cell)),
            })
            .collect();
        let _ = writeln!(page, "{}", guarded(&told.join(". ")));
    }
    page + ".PP\n"
}

/// Code in bold; links by their text.
fn styled(text: &str) -> String {
    let mut out = String::new();
    for (i, part) in without_links(text).split('`').enumerate() {
        if i % 2 == 1 {
            let _ = write!(out, "\\fB{}\\fR", escaped(part));
        } else {
            out += &escaped(&part.replace("**", ""));
        }
    }
    out
}

fn without_links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        out += before;
        match link
            .split_once("](")
            .and_then(|(text, tail)| Some((text, tail.split_once(')')?)))
        {
            Some((text, (_, tail))) => {
                out += text;
                rest = tail;
            }
            None => {
                out.push('[');
                rest = link;
            }
        }
    }
    out + rest
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('\'', "\\(aq")
}

/// A line that begins like a request is none.
fn guarded(line: &str) -> String {
    if line.starts_with(['.', '\'']) {
        format!("\\&{line}")
    } else {
        line.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_our_documents_use() {
        let markdown = "# Title\n\nText with `code` and a\n[link](x.md).\n\n## Part\n\n\
                        | key | means |\n|---|---|\n| `a-b` | one \\| two |\n\n\
                        ```toml\n.x = '\\'\n```\n- item\n";
        let expected = ".TH n 5 \"\" palisade\n.SH NAME\nn \\- w\n.SH DESCRIPTION\n.PP\n\
                        Text with \\fBcode\\fR and a\nlink.\n.SH \"PART\"\n\
                        .TP\n\\fBa\\-b\\fR\nmeans: one | two\n.PP\n\
                        .PP\n.RS 4\n.nf\n\\&.x = \\(aq\\e\\(aq\n.fi\n.RE\n.IP \\(bu 2\nitem\n\
                        .SH \"SEE ALSO\"\n.BR palisade (1)\n";
        assert_eq!(page("n", "w", markdown), expected);
    }
}
