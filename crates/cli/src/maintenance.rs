//! The options of the maintenance switch that both tiers have.

use std::time::Duration;

use maintenance_switch::{ConfigMapName, Switch, SwitchLocation};

use crate::options::{self, OptionErrors};

/// Parses `MAINTENANCE_FILE`, and `MAINTENANCE_CONFIGMAP`, which takes precedence. `poll` is how often a file is read.
pub fn location(
    file: Option<&str>,
    config_map: Option<&str>,
    poll: Duration,
    errors: &mut OptionErrors,
) -> Option<SwitchLocation> {
    let file = options::non_empty(file).map(|path| SwitchLocation::File { path: path.into(), poll });
    let config_map = options::non_empty(config_map).and_then(|name| {
        let name = name.parse::<ConfigMapName>().map(Some).map_err(|error| error.to_string());
        errors.value_or("MAINTENANCE_CONFIGMAP", name, None)
    });
    config_map.map(SwitchLocation::ConfigMap).or(file)
}

/// Creates the switch, if there is one.
///
/// # Errors
/// Fails if the switch is in a ConfigMap and the Kubernetes API is not configured.
pub async fn open(location: Option<&SwitchLocation>) -> Result<Option<Switch>, OptionErrors> {
    let Some(location) = location else { return Ok(None) };
    location.open().await.map(Some).map_err(|error| {
        let mut errors = OptionErrors::default();
        errors.push("MAINTENANCE_CONFIGMAP", error);
        errors
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_map_takes_precedence_and_an_invalid_name_is_an_error() {
        let read = |file, config_map| {
            let mut errors = OptionErrors::default();
            let location = location(file, config_map, Duration::from_secs(1), &mut errors);
            (location, errors.to_string())
        };
        let file = SwitchLocation::File { path: "/etc/switch".into(), poll: Duration::from_secs(1) };
        assert_eq!(read(Some("/etc/switch"), None), (Some(file.clone()), String::new()));
        let map = SwitchLocation::ConfigMap("sample-app/app-config".parse().unwrap());
        assert_eq!(read(Some("/etc/switch"), Some("sample-app/app-config")), (Some(map), String::new()));
        assert_eq!(read(None, Some(" ")), (None, String::new()));
        let (_, fault) = read(None, Some("app-config"));
        assert!(fault.starts_with("MAINTENANCE_CONFIGMAP: ") && fault.contains("sample-app/app-config"), "{fault}");
    }
}
