//! The parameters of a query string.

/// Parameters, decoded, in the order received.
///
/// All lie in one text, since most requests ask for few of many.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    text: String,
    /// For each parameter where its name begins, where its value begins, and where that ends.
    places: Vec<[usize; 3]>,
    /// Whether some bytes were no UTF-8 and have become replacement characters.
    is_lossy: bool,
}

impl Query {
    /// Splits `a=b&c` and decodes `%XX`; `+` stands for a space.
    pub(crate) fn parse(query: &str) -> Self {
        let pairs = || query.split('&').filter(|pair| !pair.is_empty());
        let mut parsed = Self {
            text: String::with_capacity(query.len()),
            places: Vec::with_capacity(pairs().count()),
            is_lossy: false,
        };
        for pair in pairs() {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let start = parsed.text.len();
            parsed.push_decoded(name);
            let middle = parsed.text.len();
            parsed.push_decoded(value);
            parsed.places.push([start, middle, parsed.text.len()]);
        }
        parsed
    }

    fn push_decoded(&mut self, text: &str) {
        if !text.bytes().any(|byte| matches!(byte, b'+' | b'%')) {
            self.text.push_str(text);
            return;
        }
        let bytes = decoded(text);
        if let Ok(text) = std::str::from_utf8(&bytes) {
            self.text.push_str(text);
        } else {
            self.is_lossy = true;
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// Whether some of it has no reading as text.
    pub(crate) fn is_lossy(&self) -> bool {
        self.is_lossy
    }

    /// Names with values, in the order received.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let part = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default();
        self.places.iter().map(move |[start, middle, end]| (part(*start, *middle), part(*middle, *end)))
    }

    /// The first value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let is_it = |[start, middle, _]: &&[usize; 3]| {
            middle - start == name.len() && self.text.get(*start..*middle) == Some(name)
        };
        let [_, middle, end] = self.places.iter().find(is_it)?;
        self.text.get(*middle..*end)
    }
}

/// The bytes of a text with `%XX` and `+` decoded.
fn decoded(text: &str) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        bytes.push(match (first, behind) {
            (b'%', [high, low, behind @ ..]) => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => {
                    rest = behind;
                    high << 4 | low
                }
                _ => b'%',
            },
            (b'+', _) => b' ',
            _ => *first,
        });
    }
    bytes
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::Query;

    proptest! {
        #[test]
        fn values_are_decoded_as_the_library_does(text in "[%+a-f0-9é]{0,12}") {
            let query = Query::parse(&format!("a={text}"));
            let spaced = text.replace('+', " ");
            let expected = percent_decode_str(&spaced);
            prop_assert_eq!(query.is_lossy(), expected.clone().decode_utf8().is_err());
            prop_assert_eq!(query.get("a"), Some(&*expected.decode_utf8_lossy()));
        }
    }

    #[test]
    fn parameters_are_split_and_decoded() {
        let query = Query::parse("a=b%20c&&d+e&=f&%61=g%26h=i&k=");
        let all: Vec<_> = query.iter().collect();
        assert_eq!(all, [("a", "b c"), ("d e", ""), ("", "f"), ("a", "g&h=i"), ("k", "")]);
        assert_eq!((query.get("a"), query.get("k"), query.get("x")), (Some("b c"), Some(""), None));
        assert_eq!(Query::parse("").iter().count(), 0);
    }
}
