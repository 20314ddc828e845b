//! The dashboard, the alerts and their pages speak of what the server really counts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use promql_parser::{
    label::MatchOp,
    parser::{self, Expr, VectorSelector},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    app::{Ask, TestApp},
    database::Backend,
};

#[tokio::test]
async fn dashboard_and_alerts_ask_for_what_there_is() {
    let scraped = scraped().await;

    let asked: Vec<_> = expressions()
        .iter()
        .flat_map(|text| selectors(text))
        .collect();

    assert!(asked.len() > 30, "{asked:?}");
    for selector in asked {
        let name = selector.name.as_deref().unwrap();
        // What Prometheus itself knows of a server.
        if name == "up" {
            continue;
        }
        let labels = scraped
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not counted"));
        for matcher in &selector.matchers.matchers {
            assert!(
                labels.contains(&matcher.name),
                "{name} has no label {}",
                matcher.name
            );
        }
    }
}

#[tokio::test]
async fn each_metric_is_shown() {
    let shown = expressions().join("\n");

    for name in scraped().await.keys() {
        let family = ["_bucket", "_count", "_sum"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        assert!(shown.contains(family.unwrap_or(name)), "{name}");
    }
}

/// Outcomes are words of the program, which an alert must not get wrong.
#[test]
fn alerts_name_outcomes_that_there_are() {
    let classes = fs::read_to_string(root().join("src/linkedin/error.rs")).unwrap();
    let outcomes = fs::read_to_string(root().join("src/metrics.rs")).unwrap();

    for text in expressions() {
        for selector in selectors(&text) {
            let source = match selector.name.as_deref() {
                Some(name) if name.contains("linkedin_call") => &classes,
                _ => &outcomes,
            };
            let named = selector
                .matchers
                .matchers
                .iter()
                .filter(|matcher| matcher.name == "outcome");
            for matcher in named.filter(|matcher| matcher.op != MatchOp::NotEqual) {
                for word in matcher.value.split('|') {
                    assert!(source.contains(&format!("\"{word}\"")), "{word}");
                }
            }
        }
    }
}

#[test]
fn each_alert_has_a_page_and_each_page_an_alert() {
    let rules = rules();
    let pages = fs::read_dir(root().join("docs/runbooks")).unwrap();
    let pages: BTreeSet<_> = pages
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();

    let told: BTreeSet<_> = rules
        .iter()
        .map(|rule| {
            let alert = rule["alert"].as_str().unwrap();
            let page = format!("{alert}.md");
            assert_eq!(
                rule["annotations"]["runbook"],
                json!(format!("docs/runbooks/{page}"))
            );
            assert!(
                rule["annotations"]["summary"]
                    .as_str()
                    .is_some_and(|text| text.ends_with('.'))
            );
            let text = fs::read_to_string(root().join("docs/runbooks").join(&page)).unwrap();
            assert!(text.starts_with(&format!("# {alert}\n")), "{page}");
            for part in [
                "## What it means for people",
                "## Where to look",
                "## What to do",
            ] {
                assert!(text.contains(part), "{page} lacks {part:?}");
            }
            page
        })
        .collect();

    assert_eq!(told, pages);
}

/// The names of all series, with their labels, after everything has happened that is counted.
async fn scraped() -> BTreeMap<String, BTreeSet<String>> {
    let app = TestApp::with(Backend::Sqlite, |settings| {
        settings.rates.user = Some(linkedin_targets::rate_limits::Rate {
            count: std::num::NonZeroU32::MIN.saturating_add(2),
            period: std::time::Duration::from_secs(3_600),
        });
    });
    let app = app.await.unwrap();
    app.metrics.watch_log(|| 0);
    let ada = app.person("ada").await;
    app.connect_linkedin(&ada, "Ada").await;
    app.gql(&ada, "mutation { syncLinkedInPages { __typename } }")
        .await;
    app.gql(&ada, "{ linkedInTargets { __typename } }").await;
    app.get("/api/linkedin/targets", &ada).await;
    app.get("/api/linkedin/targets", &ada).await;
    app.request(Method::GET, "/healthz").reply().await;
    let text = app.metrics.text().unwrap();
    let mut series = BTreeMap::<_, BTreeSet<_>>::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, _) = line.rsplit_once(' ').unwrap();
        let (name, labels) = name.split_once('{').unwrap_or((name, ""));
        let labels = labels.trim_end_matches('}').split("\",");
        let names = labels
            .filter_map(|label| label.split_once('='))
            .map(|(name, _)| name.to_owned());
        series.entry(name.to_owned()).or_default().extend(names);
    }
    series
}

/// All that the dashboard and the alerts ask Prometheus for.
fn expressions() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&file("ops/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    let alerts = rules();
    let asked = targets
        .chain(&alerts)
        .map(|it| it["expr"].as_str().unwrap());
    // Grafana puts a time there.
    asked
        .map(|text| text.replace("$__rate_interval", "5m"))
        .collect()
}

fn rules() -> Vec<Value> {
    let alerts: Value = serde_saphyr::from_str(&file("ops/alerts.yml")).unwrap();
    let groups = alerts["groups"].as_array().unwrap().iter();
    groups
        .flat_map(|group| group["rules"].as_array().unwrap().clone())
        .collect()
}

fn selectors(text: &str) -> Vec<VectorSelector> {
    let parsed = parser::parse(text).unwrap_or_else(|cause| panic!("{cause}: {text}"));
    let mut found = Vec::new();
    collect(&parsed, &mut found);
    found
}

fn collect(expression: &Expr, found: &mut Vec<VectorSelector>) {
    match expression {
        Expr::VectorSelector(selector) => found.push(selector.clone()),
        Expr::MatrixSelector(selector) => found.push(selector.vs.clone()),
        Expr::Aggregate(aggregate) => collect(&aggregate.expr, found),
        Expr::Binary(binary) => {
            collect(&binary.lhs, found);
            collect(&binary.rhs, found);
        }
        Expr::Paren(inner) => collect(&inner.expr, found),
        Expr::Unary(inner) => collect(&inner.expr, found),
        Expr::Subquery(inner) => collect(&inner.expr, found),
        Expr::Call(call) => call
            .args
            .args
            .iter()
            .for_each(|argument| collect(argument, found)),
        _ => {}
    }
}

fn file(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
