//! Our own diagnostics as they are drawn, one snapshot each.

mod hostile;

use peregrine_engine::fields::Fields;
use peregrine_rules::pretty::{Style, render};
use peregrine_rules::{Options, RulesFile, Source, load};

fn drawn(files: &[(&str, &str)]) -> String {
    let fields = Fields::syscall();
    let sources = [Source { name: "syscall", catalogue: &fields }];
    let files: Vec<RulesFile> = files
        .iter()
        .map(|(name, text)| RulesFile { name: (*name).into(), content: text.as_bytes().to_vec() })
        .collect();
    render(&load(&files, &sources, &Options::default()), Style { color: false, width: 100, notes: true })
}

fn rule(condition: &str) -> String {
    format!("- rule: shadow read\n  desc: d\n  condition: {condition}\n  output: read %fd.name\n  priority: NOTICE\n")
}

macro_rules! snapshot {
    ($name:ident, $($file:literal => $text:expr),+ $(,)?) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(drawn(&[$(($file, $text.as_ref())),+]));
        }
    };
}

snapshot!(unknown_field, "rules.yaml" => rule("evt.type = open and proc.nmae = cat"));
snapshot!(syntax, "rules.yaml" => rule("evt.type = open and (proc.name = cat"));
snapshot!(folded_condition, "rules.yaml" => rule(">\n    evt.type = open\n    and fd.port startswith 8"));
snapshot!(unknown_event, "rules.yaml" => rule("evt.type in (open, opnat)"));
snapshot!(
    every_rule_that_is_wrong,
    "rules.yaml" => rule("evt.type = opnat").replace("%fd.name", "%fd.nmae")
        + &rule("evt.type = open").replace("shadow read", "fine")
        + &rule("evt.type = open and proc.nme = cat").replace("shadow read", "other"),
);
snapshot!(unknown_operator, "rules.yaml" => rule("evt.type = open and fd.name startwith /etc"));
snapshot!(impossible, "rules.yaml" => rule("evt.type = execve and proc.name = systemd-networkd-helper"));
snapshot!(bad_output, "rules.yaml" => rule("evt.type = open").replace("%fd.name", "%fd.nmae"));
snapshot!(bad_priority, "rules.yaml" => rule("evt.type = open").replace("NOTICE", "LOUD"));
snapshot!(unknown_key, "rules.yaml" => rule("evt.type = open").replace("desc: d", "desc: d\n  tag: [x]"));
snapshot!(yaml_error, "rules.yaml" => "- rule: x\n  desc: \"open\n  tags: [a\n");
snapshot!(
    fault_in_a_macro_of_a_macro,
    "macros.yaml" => "- macro: inner\n  condition: fd.name startswith 5 and fd.num contains 3\n\
                      - macro: outer\n  condition: (evt.type = open and inner)\n",
    "rules.yaml" => rule("outer and proc.name = cat"),
);
snapshot!(
    fault_in_a_list_item,
    "rules.yaml" => format!("- list: calls\n  items: [open, opennat, creat]\n{}", rule("evt.type in (calls)")),
);
snapshot!(
    fault_in_appended_text,
    "rules.yaml" => rule("evt.type = open"),
    "local.yaml" => "- rule: shadow read\n  condition: and proc.pid = none\n  override:\n    condition: append\n",
);
snapshot!(
    misspelt_macro,
    "rules.yaml" => format!("- macro: open_read\n  condition: evt.type = open\n{}", rule("open_raed")),
);
snapshot!(macro_loop, "rules.yaml" => "- macro: a\n  condition: b\n- macro: b\n  condition: a\n- macro: a\n  condition: b\n");
snapshot!(
    exception_value,
    "rules.yaml" => rule("evt.type = open").replace(
        "  output",
        "  exceptions:\n  - name: known\n    fields: [proc.pid, proc.name]\n    values:\n    - [one, cat]\n  output",
    ),
);
snapshot!(
    control_characters,
    "rules\u{1b}[31m.yaml" => rule("evt.type = open and \"\u{1b}]0;owned\u{7}\u{202e}\" = x"),
);

#[test]
fn nothing_raw_reaches_the_terminal() {
    let nasty: String = (1..0x20).chain([0x7f, 0x85, 0x9b]).filter_map(char::from_u32).filter(|c| *c != '\n').collect();
    let text = format!("- macro: \"m\u{202e}{nasty}\"\n  condition: 'x {nasty} ='\n");
    let out = drawn(&[(&format!("f{nasty}"), &text)]);
    assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
    assert!(!out.contains('\u{202e}'));
}
