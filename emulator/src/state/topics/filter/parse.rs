//! The text of a filter policy, walked as AWS's parser walks it: its messages tell how far it had come.
//!
//! A text is only begun when its token is met, and a name has the beginning of its value behind it; both show in the
//! recorded columns.

use std::net::IpAddr;

use serde_json::Value;

use super::{Comparison, Condition, FilterError, FilterScope, Rule, Rules};

/// A piece of the document, with the column behind it.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    BeginObject,
    EndObject,
    BeginArray,
    EndArray,
    Name(String),
    Scalar(Value),
}

/// A token and where the parser stands: when it has met it, and when it has read it.
#[derive(Clone, Debug)]
struct Placed {
    token: Token,
    met: usize,
    read: usize,
}

/// Walks the tokens of a document.
pub(super) struct Reader {
    /// The document as AWS writes it: without white space.
    source: String,
    tokens: Vec<Placed>,
    next: usize,
}

type Read<T> = Result<T, FilterError>;

impl Reader {
    pub(super) fn new(text: &str) -> Read<Self> {
        let document: Value =
            serde_json::from_str(text).map_err(|error| FilterError::Policy(syntax(text, &error)))?;
        let mut tokens = Vec::new();
        let mut column = 1;
        lay_out(&document, &mut tokens, &mut column);
        Ok(Self { source: document.to_string(), tokens, next: 0 })
    }

    pub(super) fn policy(mut self, scope: FilterScope) -> Read<Rules> {
        let first = self.take()?;
        if first.token != Token::BeginObject {
            return Err(self.refuse("Filter is not an object", first.met));
        }
        self.rules(scope)
    }

    fn take(&mut self) -> Read<Placed> {
        let placed = self.tokens.get(self.next).cloned();
        self.next += 1;
        placed.ok_or_else(|| FilterError::Policy("Filter is not an object".to_owned()))
    }

    fn refuse(&self, text: &str, column: usize) -> FilterError {
        let source = &self.source;
        FilterError::Policy(format!("{text}\n at [Source: (String)\"{source}\"; line: 1, column: {column}]"))
    }

    /// The rest of an object of names.
    fn rules(&mut self, scope: FilterScope) -> Read<Rules> {
        let mut rules = Rules::default();
        loop {
            let placed = self.take()?;
            let Token::Name(name) = placed.token else { return Ok(rules) };
            let value = self.take()?;
            match value.token {
                Token::BeginArray if name == "$or" => {
                    let alternatives = self.alternatives(scope)?;
                    rules.alternatives.push(alternatives);
                }
                Token::BeginArray => rules.keys.push((name, Rule::Values(self.conditions()?))),
                Token::BeginObject => {
                    let within = self.rules(scope)?;
                    if scope == FilterScope::Attributes {
                        let text =
                            "Filter policy scope MessageAttributes does not support nested filter policy";
                        return Err(FilterError::Request(text.to_owned()));
                    }
                    rules.keys.push((name, Rule::Within(within)));
                }
                _ => {
                    let text = format!("\"{name}\" must be an object or an array");
                    return Err(self.refuse(&text, value.met));
                }
            }
        }
    }

    fn alternatives(&mut self, scope: FilterScope) -> Read<Vec<Rules>> {
        let mut alternatives = Vec::new();
        loop {
            let placed = self.take()?;
            match placed.token {
                Token::BeginObject => alternatives.push(self.rules(scope)?),
                Token::EndArray => return Ok(alternatives),
                _ => return Err(self.refuse("\"$or\" must be an array of objects", placed.met)),
            }
        }
    }

    /// The rest of a list of conditions.
    fn conditions(&mut self) -> Read<Vec<Condition>> {
        let mut conditions = Vec::new();
        loop {
            let placed = self.take()?;
            match placed.token {
                Token::EndArray if conditions.is_empty() => {
                    return Err(self.refuse("Empty arrays are not allowed", placed.met));
                }
                Token::EndArray => return Ok(conditions),
                Token::Scalar(value) => conditions.push(Condition::Is(value)),
                Token::BeginObject => conditions.push(self.expression()?),
                _ => {
                    let text = "Match value must be String, number, true, false, or null";
                    return Err(self.refuse(text, placed.met));
                }
            }
        }
    }

    /// The rest of an object that is one condition.
    fn expression(&mut self) -> Read<Condition> {
        let placed = self.take()?;
        let Token::Name(name) = &placed.token else {
            return Err(self.refuse("Empty objects are not allowed", placed.met));
        };
        let condition = match name.as_str() {
            "prefix" => Condition::Prefix(self.text(name)?),
            "suffix" => Condition::Suffix(self.text(name)?),
            "equals-ignore-case" => Condition::EqualsIgnoreCase(self.text(name)?),
            // Recorded: the complaint speaks of a prefix.
            "cidr" => cidr(&self.text("prefix")?)?,
            "exists" => {
                let value = self.take()?;
                let Token::Scalar(Value::Bool(wanted)) = value.token else {
                    let text = "exists match pattern must be either true or false.";
                    return Err(self.refuse(text, value.met));
                };
                Condition::Exists(wanted)
            }
            "numeric" => self.numeric()?,
            "anything-but" => self.anything_but()?,
            _ => return Err(self.refuse(&format!("Unrecognized match type {name}"), placed.met)),
        };
        let end = self.take()?;
        if end.token != Token::EndObject {
            return Err(self.refuse("Only one key allowed in match expression", end.met));
        }
        Ok(condition)
    }

    fn text(&mut self, name: &str) -> Read<String> {
        let value = self.take()?;
        match value.token {
            Token::Scalar(Value::String(text)) => Ok(text),
            _ => Err(self.refuse(&format!("{name} match pattern must be a string"), value.met)),
        }
    }

    fn anything_but(&mut self) -> Read<Condition> {
        let value = self.take()?;
        match value.token {
            Token::Scalar(value @ (Value::String(_) | Value::Number(_))) => {
                Ok(Condition::AnythingBut(vec![value]))
            }
            Token::BeginArray => {
                let mut refused = Vec::new();
                loop {
                    let item = self.take()?;
                    match item.token {
                        Token::EndArray if refused.is_empty() => {
                            return Err(self.refuse("Empty arrays are not allowed", item.met));
                        }
                        Token::EndArray => return Ok(Condition::AnythingBut(refused)),
                        Token::Scalar(value @ (Value::String(_) | Value::Number(_))) => refused.push(value),
                        _ => {
                            let text = "Inside anything-but list, only number or string allowed";
                            return Err(self.refuse(text, item.met));
                        }
                    }
                }
            }
            Token::BeginObject => {
                let placed = self.take()?;
                let Token::Name(name) = placed.token else {
                    return Err(self.refuse("Empty objects are not allowed", placed.met));
                };
                if name != "prefix" {
                    return Err(self.refuse(&format!("Unsupported anything-but pattern: {name}"), placed.met));
                }
                let prefix = self.text("prefix")?;
                let end = self.take()?;
                if end.token != Token::EndObject {
                    return Err(self.refuse("Only one key allowed in match expression", end.met));
                }
                Ok(Condition::AnythingButPrefix(prefix))
            }
            _ => Err(self
                .refuse("Value of anything-but must be an array or single string/number value.", value.met)),
        }
    }

    fn numeric(&mut self) -> Read<Condition> {
        let begin = self.take()?;
        if begin.token != Token::BeginArray {
            return Err(self.refuse("Value of numeric must be an array.", begin.met));
        }
        let (first, operator, value) = self.operator()?;
        let Some(comparison) = Comparison::parse(&operator) else {
            let text = format!("Unrecognized numeric range operator: {operator}");
            return Err(self.refuse(&text, value.met));
        };
        let limit =
            self.number(if comparison == Comparison::Equal { "equals" } else { &operator }, &value)?;
        let mut comparisons = vec![(comparison, limit)];
        let next = self.take()?;
        if next.token == Token::EndArray {
            return Ok(Condition::Numeric(comparisons));
        }
        if !matches!(comparison, Comparison::Greater | Comparison::GreaterOrEqual) {
            return Err(self.refuse("Too many elements in numeric expression", next.met));
        }
        let Token::Scalar(Value::String(operator)) = &next.token else {
            let text = format!("Bad value in numeric range: {}", shown(&next.token));
            return Err(self.refuse(&text, next.read));
        };
        let upper = Comparison::parse(operator)
            .filter(|upper| matches!(upper, Comparison::Less | Comparison::LessOrEqual));
        let Some(upper) = upper else {
            return Err(self.refuse(&format!("Bad numeric range operator: {operator}"), next.read));
        };
        let value = self.take()?;
        let top = self.number(operator, &value)?;
        let end = self.take()?;
        if end.token != Token::EndArray {
            return Err(self.refuse("Too many terms in numeric range expression", end.met));
        }
        if top <= first.unwrap_or(limit) {
            return Err(self.refuse("Bottom must be less than top", end.met));
        }
        comparisons.push((upper, top));
        Ok(Condition::Numeric(comparisons))
    }

    /// The operator of a numeric expression and what follows it.
    fn operator(&mut self) -> Read<(Option<f64>, String, Placed)> {
        let placed = self.take()?;
        match placed.token {
            Token::Scalar(Value::String(operator)) => Ok((None, operator, self.take()?)),
            token => {
                let text = format!("Invalid member in numeric match: {}", shown(&token));
                Err(self.refuse(&text, placed.met))
            }
        }
    }

    fn number(&self, operator: &str, value: &Placed) -> Read<f64> {
        match &value.token {
            Token::Scalar(Value::Number(number)) => Ok(number.as_f64().unwrap_or_default()),
            _ => Err(self.refuse(&format!("Value of {operator} must be numeric"), value.met)),
        }
    }
}

/// A token as messages show it.
fn shown(token: &Token) -> String {
    match token {
        Token::BeginObject => "{".to_owned(),
        Token::EndObject => "}".to_owned(),
        Token::BeginArray => "[".to_owned(),
        Token::EndArray => "]".to_owned(),
        Token::Name(text) | Token::Scalar(Value::String(text)) => text.clone(),
        Token::Scalar(value) => value.to_string(),
    }
}

/// An address with the number of bits that count.
fn cidr(text: &str) -> Read<Condition> {
    let refuse = |text: String| Err(FilterError::Policy(text));
    let Some((address, bits)) = text.split_once('/') else {
        return refuse("Malformed CIDR, one '/' required".to_owned());
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        // The number is looked at first where the address has no digits of its own.
        return match bits.parse::<u8>() {
            Err(_) => refuse("Malformed CIDR, mask bits must be an integer".to_owned()),
            Ok(_) => refuse(format!("Nonstandard IP address: {address}")),
        };
    };
    match bits.parse::<u8>() {
        Ok(bits) if bits <= if address.is_ipv4() { 32 } else { 128 } => Ok(Condition::Cidr { address, bits }),
        Ok(_) => refuse("Malformed CIDR, mask bits must be in range".to_owned()),
        Err(_) => refuse("Malformed CIDR, mask bits must be an integer".to_owned()),
    }
}

/// Lists the tokens of a document without white space; `column` is that of the next character, from 1.
fn lay_out(value: &Value, tokens: &mut Vec<Placed>, column: &mut usize) {
    let sign = |token, tokens: &mut Vec<Placed>, column: &mut usize| {
        *column += 1;
        tokens.push(Placed { token, met: *column, read: *column });
    };
    match value {
        Value::Object(members) => {
            sign(Token::BeginObject, tokens, column);
            for (index, (name, value)) in members.iter().enumerate() {
                *column += usize::from(index > 0);
                let at = tokens.len();
                tokens.push(Placed { token: Token::Name(name.clone()), met: 0, read: 0 });
                *column += Value::from(name.as_str()).to_string().chars().count() + 1;
                lay_out(value, tokens, column);
                let met = tokens.get(at + 1).map_or(*column, |value| value.met);
                if let Some(name) = tokens.get_mut(at) {
                    (name.met, name.read) = (met, met);
                }
            }
            sign(Token::EndObject, tokens, column);
        }
        Value::Array(items) => {
            sign(Token::BeginArray, tokens, column);
            for (index, item) in items.iter().enumerate() {
                *column += usize::from(index > 0);
                lay_out(item, tokens, column);
            }
            sign(Token::EndArray, tokens, column);
        }
        scalar => {
            let begin = *column;
            *column += scalar.to_string().chars().count();
            let met = if scalar.is_string() { begin + 1 } else { *column };
            tokens.push(Placed { token: Token::Scalar(scalar.clone()), met, read: *column });
        }
    }
}

/// What is no JSON, in the words of AWS's parser for the two mistakes that were recorded, and in ours for others.
pub(crate) fn syntax(text: &str, error: &serde_json::Error) -> String {
    const REDACTED: &str = "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)";
    let trimmed = text.trim_start();
    let word: String = trimmed.chars().take_while(char::is_ascii_alphanumeric).collect();
    let (reason, column) = if !word.is_empty() && word.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let expected =
            "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
        (format!("Unrecognized token '{word}': {expected}"), word.chars().count() + 1)
    } else if let Some(odd) = trimmed.strip_prefix('{').and_then(|rest| rest.trim_start().chars().next())
        && odd != '"'
        && odd != '}'
    {
        let reason = format!(
            "Unexpected character ('{odd}' (code {})): was expecting double-quote to start field name",
            u32::from(odd)
        );
        (reason, text.find(odd).unwrap_or_default() + 1)
    } else {
        (error.to_string(), error.column())
    };
    format!(
        "failed to parse JSON. {reason}\n at [Source: {REDACTED}; line: {}, column: {column}]",
        error.line().max(1)
    )
}
