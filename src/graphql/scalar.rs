use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::NaiveDateTime;

pub(super) struct DateTime(pub(super) NaiveDateTime);

/// A moment in UTC, to the millisecond: `2026-06-12T00:00:00.000Z`.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/date-time")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        match chrono::DateTime::parse_from_rfc3339(text) {
            Ok(time) => Ok(Self(time.naive_utc())),
            Err(_) => Err(InputValueError::custom(
                "not a time as in 2026-06-12T00:00:00.000Z",
            )),
        }
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(text) if chrono::DateTime::parse_from_rfc3339(text).is_ok())
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.format("%FT%T%.3fZ").to_string())
    }
}

pub(super) struct Url(pub(super) String);

/// The address of a picture or page, as LinkedIn or InterlinedList has it.
#[Scalar(name = "URL", specified_by_url = "https://url.spec.whatwg.org/")]
impl ScalarType for Url {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(_))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}
