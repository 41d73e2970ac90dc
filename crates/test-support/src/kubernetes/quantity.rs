//! Quantities in the canonical form in which an API server stores them: `1000m` as `1`, and `5000` as `5k`. `kubectl apply`
//! would find a difference in any other form.

use serde_json::Value;

/// The decimal suffixes from 10⁻⁹, each 1000 times the one before.
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

/// The binary suffixes from 2¹⁰, each 1024 times the one before.
const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// One, in billionths.
const ONE: i128 = 1_000_000_000;

/// Rewrites every quantity of an object: requests, limits, and the targets of an autoscaler.
pub(super) fn normalize(object: &mut Value) {
    match object {
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), &mut *value) {
                    ("requests" | "limits", Value::Object(resources)) => resources.values_mut().for_each(rewrite),
                    ("averageValue", _) => rewrite(value),
                    _ => normalize(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(normalize),
        _ => {}
    }
}

fn rewrite(value: &mut Value) {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if let Some(canonical) = canonical(&text) {
        *value = canonical.into();
    }
}

/// The canonical form of a quantity, or `None` if this module cannot read it (exponents, more than nine decimals).
fn canonical(text: &str) -> Option<String> {
    let (number, suffix) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let billionths = format!("{whole}{decimals:0<9}").parse::<i128>().ok().filter(|_| decimals.len() <= 9)?;
    if let Some(power) = BINARY.iter().position(|known| *known == suffix) {
        let mut value = billionths.checked_mul(1 << (10 * (power + 1)))?;
        if value >= 1024 * ONE && value % ONE == 0 {
            let mut power = 0;
            value /= ONE;
            while value % 1024 == 0 && power < BINARY.len() {
                (value, power) = (value / 1024, power + 1);
            }
            return Some(format!("{value}{}", power.checked_sub(1).map_or("", |power| BINARY[power])));
        }
        return Some(decimal(value));
    }
    let power = DECIMAL.iter().position(|known| *known == suffix)?;
    // From billionths of the suffix's unit to billionths of one.
    let value = billionths.checked_mul(1000_i128.pow(u32::try_from(power).ok()?))?;
    (value % ONE == 0).then(|| decimal(value / ONE))
}

/// A number of billionths with the largest suffix that leaves it whole.
fn decimal(mut billionths: i128) -> String {
    let mut power = 0;
    if billionths == 0 {
        return "0".to_owned();
    }
    while billionths % 1000 == 0 && power + 1 < DECIMAL.len() {
        (billionths, power) = (billionths / 1000, power + 1);
    }
    format!("{billionths}{}", DECIMAL[power])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_quantity_has_one_form() {
        // As `kubectl set image --local -o yaml` prints them, which uses the API server's own types.
        for (given, kept) in [
            ("1000m", "1"),
            ("0.1", "100m"),
            ("5000", "5k"),
            ("5k", "5k"),
            ("1500", "1500"),
            ("100m", "100m"),
            ("1024Mi", "1Gi"),
            ("128Mi", "128Mi"),
            ("1.5Gi", "1536Mi"),
            ("0", "0"),
        ] {
            assert_eq!(canonical(given).as_deref(), Some(kept), "{given}");
        }
        assert_eq!(canonical("1e3"), None);
    }

    #[test]
    fn requests_limits_and_targets_are_rewritten_and_nothing_else() {
        let mut object = json!({
            "resources": { "requests": { "cpu": 1 }, "limits": { "memory": "1024Mi" } },
            "target": { "averageValue": "5000" }, "env": [{ "name": "MAX_SESSIONS", "value": "5000" }],
        });
        normalize(&mut object);
        let expected = json!({
            "resources": { "requests": { "cpu": "1" }, "limits": { "memory": "1Gi" } },
            "target": { "averageValue": "5k" }, "env": [{ "name": "MAX_SESSIONS", "value": "5000" }],
        });
        assert_eq!(object, expected);
    }
}
