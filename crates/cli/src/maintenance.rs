//! Where the maintenance switch lies, as both tiers are told it.

use std::time::Duration;

use maintenance_switch::{ConfigMapName, Switch, SwitchLocation};

use crate::options::{self, OptionErrors};

/// Reads `MAINTENANCE_FILE` and `MAINTENANCE_CONFIGMAP`, which overrules it. `poll` is how often a file is read.
pub fn place(
    file: Option<&str>,
    config_map: Option<&str>,
    poll: Duration,
    errors: &mut OptionErrors,
) -> Option<SwitchLocation> {
    let file = options::non_empty(file).map(|path| SwitchLocation::File { path: path.into(), poll });
    let config_map = options::non_empty(config_map).and_then(|name| {
        let name = name.parse::<ConfigMapName>().map(Some).map_err(|bad| bad.to_string());
        errors.value_or("MAINTENANCE_CONFIGMAP", name, None)
    });
    config_map.map(SwitchLocation::ConfigMap).or(file)
}

/// Opens the way to the switch, where there is one.
///
/// # Errors
/// The fault, where the Kubernetes API would have to be asked and nothing says where it is.
pub async fn open(place: Option<&SwitchLocation>) -> Result<Option<Switch>, OptionErrors> {
    let Some(place) = place else { return Ok(None) };
    place.open().await.map(Some).map_err(|error| {
        let mut errors = OptionErrors::default();
        errors.push("MAINTENANCE_CONFIGMAP", error);
        errors
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_map_overrules_a_file_and_a_bad_name_is_a_fault() {
        let read = |file, config_map| {
            let mut errors = OptionErrors::default();
            let place = place(file, config_map, Duration::from_secs(1), &mut errors);
            (place, errors.to_string())
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
