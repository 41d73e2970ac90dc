//! A Prometheus with the shipped scrape configuration: only the targets and the interval are replaced.

use std::fs;

use serde_json::{Value, json};
use test_support::{Person, Process, eventually, free_port};

use crate::{file, list, read};

/// The discovery data of a container's port.
pub(crate) struct Target {
    /// The tier: `user` or `admin`.
    pub(crate) tier: &'static str,
    /// The name of the pod.
    pub(crate) pod: &'static str,
    /// Where the port is.
    pub(crate) address: String,
}

impl Target {
    fn as_static(&self) -> Value {
        json!({
            "targets": [self.address],
            "labels": {
                "__meta_kubernetes_namespace": "sample-app",
                "__meta_kubernetes_pod_name": self.pod,
                "__meta_kubernetes_pod_phase": "Running",
                "__meta_kubernetes_pod_label_app": "sample-app",
                "__meta_kubernetes_pod_label_tier": self.tier,
                "__meta_kubernetes_pod_container_port_number": if self.tier == "user" { "9090" } else { "9092" },
            },
        })
    }
}

/// A running Prometheus.
pub(crate) struct Prometheus {
    _process: Process,
    _folder: tempfile::TempDir,
    asker: Person,
}

impl Prometheus {
    /// Starts it and waits until it answers. Every job gets every target, as in a cluster.
    pub(crate) async fn start(targets: &[Target]) -> Self {
        let mut config = read("monitoring/prometheus.yaml");
        config["global"] = json!({ "scrape_interval": "1s", "evaluation_interval": "1s" });
        for job in config["scrape_configs"].as_array_mut().unwrap() {
            let job = job.as_object_mut().unwrap();
            assert!(job.remove("kubernetes_sd_configs").is_some());
            job.insert("static_configs".to_owned(), targets.iter().map(Target::as_static).collect());
        }
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("prometheus.yml"), config.to_string()).unwrap();
        fs::copy(file("monitoring/rules.yaml"), path("rules.yaml")).unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let arguments = [
            format!("--config.file={}", path("prometheus.yml").display()),
            format!("--storage.tsdb.path={}", path("data").display()),
            format!("--web.listen-address={address}"),
        ];
        let process = Process::start("prometheus", &arguments.each_ref().map(String::as_str), &[]);
        let asker = Person::new(&address);
        eventually("Prometheus", || async {
            let answer = reqwest::get(format!("http://{address}/-/ready")).await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        Self { _process: process, _folder: folder, asker }
    }

    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let answer = self.asker.request(path).query(query).send().await.unwrap().json::<Value>().await.unwrap();
        assert_eq!(answer["status"], "success", "{query:?}: {answer}");
        answer["data"].clone()
    }

    /// The current values of a query.
    pub(crate) async fn now(&self, query: &str) -> Vec<f64> {
        let data = self.ask("/api/v1/query", &[("query", query)]).await;
        list(&data["result"]).iter().filter_map(|series| number(&series["value"])).map(|(_, value)| value).collect()
    }

    /// Waits until a query returns data: write it with a comparison, which filters out other values.
    pub(crate) async fn sees(&self, query: &str) {
        eventually(query, || async { (!self.now(query).await.is_empty()).then_some(()) }).await;
    }

    /// The results of a query from a time until now, each second: for each series its labels and its points.
    pub(crate) async fn since(&self, start: f64, query: &str) -> Vec<Series> {
        let end = self.now("vector(time())").await[0].to_string();
        let range = [("query", query), ("start", &start.to_string()), ("end", &end), ("step", "1")];
        let data = self.ask("/api/v1/query_range", &range).await;
        list(&data["result"])
            .iter()
            .map(|series| Series {
                labels: series["metric"].clone(),
                points: list(&series["values"]).iter().filter_map(number).collect(),
            })
            .filter(|series| !series.points.is_empty())
            .collect()
    }

    /// Every evaluated rule, with its error.
    pub(crate) async fn rules(&self) -> Vec<(String, String)> {
        let data = self.ask("/api/v1/rules", &[]).await;
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        list(&data["groups"])
            .iter()
            .flat_map(|group| list(&group["rules"]))
            .filter(|rule| rule["health"] != "unknown")
            .map(|rule| (word(&rule["name"]), word(&rule["lastError"])))
            .collect()
    }
}

/// One series of a picture.
pub(crate) struct Series {
    /// Its label.
    pub(crate) labels: Value,
    /// Seconds and values, without NaN.
    pub(crate) points: Vec<(f64, f64)>,
}

fn number(point: &Value) -> Option<(f64, f64)> {
    let value: f64 = point[1].as_str()?.parse().ok()?;
    value.is_finite().then_some((point[0].as_f64()?, value))
}
