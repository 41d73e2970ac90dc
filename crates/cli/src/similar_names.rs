//! Names that are almost those of an option: which one was meant.

/// Variables from this length on may be off by two characters; shorter ones by one, because others' names come close.
const LONG_NAME: usize = 10;

/// The variables in `environment` that are no option but look like one, each with the option that it looks like. Only a hint:
/// the environment belongs to others too.
pub(crate) fn similar_variables(
    environment: impl IntoIterator<Item = String>,
    options: &[String],
) -> Vec<(String, String)> {
    let mut similar: Vec<_> = environment
        .into_iter()
        .filter(|name| !options.contains(name))
        .filter_map(|name| {
            let limit = if name.len() < LONG_NAME { 1 } else { 2 };
            let found = options.iter().map(|option| (distance(&name, option), option)).min()?;
            (found.0 <= limit).then(|| (name, found.1.clone()))
        })
        .collect();
    similar.sort();
    similar
}

/// How many characters have to be put in, taken out, replaced or swapped with their neighbour to make `a` of `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let width = b.len() + 1;
    let mut cost: Vec<usize> = (0..width).collect();
    for row in 1..=a.len() {
        cost.push(row);
        for column in 1..width {
            let at = |rows: usize, columns: usize| cost[(row - rows) * width + column - columns];
            let is_same = a[row - 1] == b[column - 1];
            let mut least = (at(1, 1) + usize::from(!is_same)).min(at(1, 0) + 1).min(at(0, 1) + 1);
            if row > 1 && column > 1 && a[row - 1] == b[column - 2] && a[row - 2] == b[column - 1] {
                least = least.min(at(2, 2) + 1);
            }
            cost.push(least);
        }
    }
    cost.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_counts_single_slips() {
        for (a, b, slips) in [
            ("DRAIN_TIMEOUT", "DRAIN_TIMEOUT", 0),
            ("DRAIN_TIMEOT", "DRAIN_TIMEOUT", 1),
            ("DRIAN_TIMEOUT", "DRAIN_TIMEOUT", 1),
            ("DRAIN_TIMOUTS", "DRAIN_TIMEOUT", 2),
            ("", "ABC", 3),
            ("ABC", "", 3),
        ] {
            assert_eq!(distance(a, b), slips, "{a} {b}");
        }
    }

    #[test]
    fn only_names_that_are_no_option_and_come_close_are_similar() {
        let options = ["DRAIN_TIMEOUT", "POD_NAME", "MAX_SESSIONS", "HTTP_ADDR"].map(str::to_owned);
        let environment = ["DRAIN_TIMEOT", "POD_NAME", "NODE_NAME", "PATH", "MAX_SESION", "POD_IP", "HTTP_PORT"];
        assert_eq!(
            similar_variables(environment.map(str::to_owned), &options),
            [("DRAIN_TIMEOT", "DRAIN_TIMEOUT"), ("MAX_SESION", "MAX_SESSIONS")]
                .map(|(name, option)| (name.to_owned(), option.to_owned()))
        );
    }
}
