//! The order in which instances run, and what is refused.

use andon_model::{Finding, InstancePlan, TagId};
use andon_plugins::check_order;
use proptest::prelude::*;

use crate::doubles::{function_plan, plan, rule_plan};

fn names(plans: &[InstancePlan]) -> Result<Vec<&str>, Vec<Finding>> {
    let order = check_order(plans, |tag| tag.0 < 10)?;
    Ok(order
        .indices()
        .iter()
        .map(|i| plans[*i].name.as_str())
        .collect())
}

fn says(plans: &[InstancePlan]) -> Vec<String> {
    let findings = names(plans).unwrap_err();
    findings
        .iter()
        .map(|f| format!("{}: {}", f.path, f.says))
        .collect()
}

#[test]
fn functions_run_before_their_readers_and_rules_last() {
    let plans = [
        rule_plan("alarm", &[12]),
        function_plan("a", &[11], 12),
        function_plan("b", &[1], 11),
        rule_plan("a-rule", &[1]),
        function_plan("c", &[1], 13),
    ];
    assert_eq!(names(&plans), Ok(vec!["b", "a", "c", "a-rule", "alarm"]));
}

#[test]
fn a_circle_is_named_whole() {
    let plans = [
        function_plan("c", &[12], 13),
        function_plan("a", &[13, 1], 11),
        function_plan("b", &[11], 12),
        function_plan("after", &[13], 14),
    ];
    assert_eq!(
        says(&plans),
        ["/1/inputs: functions read one another's outputs in a circle: a → b → c → a"]
    );
}

#[test]
fn each_circle_is_named_once() {
    let plans = [
        function_plan("self", &[11], 11),
        function_plan("x", &[13], 12),
        function_plan("y", &[12], 13),
    ];
    assert_eq!(
        says(&plans),
        [
            "/0/inputs: a function reads its own output: self → self",
            "/1/inputs: functions read one another's outputs in a circle: x → y → x",
        ]
    );
}

#[test]
fn a_tag_has_one_writer() {
    let plans = [
        function_plan("a", &[1], 11),
        function_plan("b", &[1], 11),
        function_plan("c", &[1], 2),
        rule_plan("c", &[1]),
    ];
    assert_eq!(
        says(&plans),
        [
            "/3/name: two plugin instances are called `c`",
            "/1/outputs/0: functions `a` and `b` both write `t11`",
            "/2/outputs/0: function `c` would write `t2`, which a device is read for",
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Either the order respects every edge, or there is a circle; long chains do not overflow.
    #[test]
    fn an_order_respects_every_edge(edges in prop::collection::vec(prop::collection::vec(0_u32..12, 0..3), 12)) {
        let plans: Vec<InstancePlan> = edges
            .iter()
            .enumerate()
            .map(|(i, reads)| {
                let reads: Vec<u32> = reads.iter().map(|r| r + 100).collect();
                plan(&format!("f{i:02}"), andon_model::PluginKind::Function, &reads, &[i as u32 + 100])
            })
            .collect();
        let position_of = |order: &[usize], f: usize| order.iter().position(|i| *i == f).unwrap();
        match check_order(&plans, |_| false) {
            Ok(order) => {
                prop_assert_eq!(order.indices().len(), plans.len());
                for (reader, reads) in edges.iter().enumerate() {
                    for writer in reads {
                        let before = position_of(order.indices(), *writer as usize);
                        prop_assert!(before < position_of(order.indices(), reader));
                    }
                }
            }
            Err(findings) => {
                // Naive reachability must agree that each named circle is one.
                for finding in findings {
                    let path = finding.says.split(": ").nth(1).unwrap().to_owned();
                    let circle: Vec<usize> = path
                        .split(" → ")
                        .map(|name| name[1..].parse().unwrap())
                        .collect();
                    prop_assert_eq!(circle.first(), circle.last());
                    for step in circle.windows(2) {
                        prop_assert!(edges[step[1]].contains(&(step[0] as u32)), "{} does not flow", path);
                    }
                }
            }
        }
    }
}

#[test]
fn a_chain_of_ten_thousand_functions_is_ordered() {
    let plans: Vec<InstancePlan> = (0..10_000_u32)
        .rev()
        .map(|i| function_plan(&format!("f{i:05}"), &[99 + i], 100 + i))
        .collect();
    let order = check_order(&plans, |tag: TagId| tag.0 == 99).unwrap();
    assert!(order.indices().windows(2).all(|pair| pair[0] > pair[1]));
}
