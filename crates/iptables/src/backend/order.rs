//! Which of the rules that stand are in their order.

/// The most numbers of a list that can stay where they are if the list shall be ascending: a
/// longest ascending part of it. Numbers are different from one another.
pub(super) fn in_order(numbers: &[usize]) -> Vec<usize> {
    // For each length, the place of the smallest number that ends an ascending part so long.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    for (place, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|&end| numbers[end] < *number);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(place);
        } else {
            ends[length] = place;
        }
    }
    let mut longest = Vec::with_capacity(ends.len());
    let mut at = ends.last().copied();
    while let Some(place) = at {
        longest.push(numbers[place]);
        at = before[place];
    }
    longest.reverse();
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_can_stay() {
        assert!(in_order(&[]).is_empty());
        assert_eq!(in_order(&[0, 1, 2]), [0, 1, 2]);
        assert_eq!(in_order(&[2, 0, 1, 3]), [0, 1, 3]);
        assert_eq!(in_order(&[3, 2, 1]).len(), 1);
        assert_eq!(in_order(&[4, 0, 5, 1, 2, 3]), [0, 1, 2, 3]);
    }
}
