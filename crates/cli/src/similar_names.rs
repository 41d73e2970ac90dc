//! Finds the option that a misspelt variable probably means.

/// The length from which names may differ in two characters. Shorter names may differ in one: those of other programs come
/// close.
const LONG_NAME_CHARS: usize = 10;

/// Returns the variables that are not options but resemble one, each with that option. They are hints only: the variables can
/// belong to other programs.
pub(crate) fn similar_variables(
    environment: impl IntoIterator<Item = String>,
    options: &[String],
) -> Vec<(String, String)> {
    let mut similar: Vec<_> = environment
        .into_iter()
        .filter(|name| !options.contains(name))
        .filter_map(|name| {
            let limit = if name.len() < LONG_NAME_CHARS { 1 } else { 2 };
            let found = options.iter().map(|option| (distance(&name, option), option)).min()?;
            (found.0 <= limit).then(|| (name, found.1.clone()))
        })
        .collect();
    similar.sort();
    similar
}

/// The number of characters to insert, remove, replace or swap with their neighbour to turn `b` into `a`.
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
    fn the_distance_counts_single_edits() {
        for (a, b, edits) in [
            ("DRAIN_TIMEOUT", "DRAIN_TIMEOUT", 0),
            ("DRAIN_TIMEOT", "DRAIN_TIMEOUT", 1),
            ("DRIAN_TIMEOUT", "DRAIN_TIMEOUT", 1),
            ("DRAIN_TIMOUTS", "DRAIN_TIMEOUT", 2),
            ("", "ABC", 3),
            ("ABC", "", 3),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }

    #[test]
    fn only_names_close_to_an_option_are_similar() {
        let options = ["DRAIN_TIMEOUT", "POD_NAME", "MAX_SESSIONS", "HTTP_ADDR"].map(str::to_owned);
        let environment = ["DRAIN_TIMEOT", "POD_NAME", "NODE_NAME", "PATH", "MAX_SESION", "POD_IP", "HTTP_PORT"];
        assert_eq!(
            similar_variables(environment.map(str::to_owned), &options),
            [("DRAIN_TIMEOT", "DRAIN_TIMEOUT"), ("MAX_SESION", "MAX_SESSIONS")]
                .map(|(name, option)| (name.to_owned(), option.to_owned()))
        );
    }
}
