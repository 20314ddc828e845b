//! A small schema in which anything can fail or take its time.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use async_graphql::{
    ComplexObject, Context, EmptySubscription, Enum, Error, ID, InputObject, Interface,
    MaybeUndefined, Object, Response, Result, Schema, SimpleObject, Union, ValidationMode,
};
use linkedin_targets::prepared_request;
use serde_json::Value;

pub(super) struct Query;

#[Object]
impl Query {
    async fn fast(&self) -> i32 {
        1
    }

    async fn slow(&self) -> i32 {
        takes_its_time().await;
        2
    }

    async fn fails(&self) -> Result<i32> {
        no()
    }

    async fn maybe_fails(&self) -> Option<Result<i32>> {
        Some(no())
    }

    async fn thing(&self) -> Option<Thing> {
        Some(Thing(0))
    }

    async fn sure_thing(&self) -> Thing {
        Thing(0)
    }

    async fn things(&self) -> Option<Vec<Thing>> {
        Some(vec![Thing(0), Thing(1)])
    }

    async fn maybe_things(&self) -> Vec<Option<Thing>> {
        vec![Some(Thing(0)), None, Some(Thing(1))]
    }

    async fn pets(&self) -> Vec<Pet> {
        let (cat, dog) = (Cat { lives: 9 }, Dog { tricks: 3 });
        vec![Pet::Cat(cat), Pet::Dog(dog)]
    }

    async fn pet(&self) -> Named {
        Named::Dog(Dog { tricks: 3 })
    }

    /// What came for `it`: nothing, null or a value.
    async fn given(&self, it: MaybeUndefined<i32>) -> String {
        match it {
            MaybeUndefined::Undefined => "nothing".to_owned(),
            MaybeUndefined::Null => "null".to_owned(),
            MaybeUndefined::Value(value) => value.to_string(),
        }
    }

    async fn or_seven(&self, #[graphql(default = 7)] it: Option<i32>) -> Option<i32> {
        it
    }

    async fn float(&self, it: f64) -> f64 {
        it
    }

    async fn id(&self, it: ID) -> ID {
        it
    }

    async fn list(&self, it: Option<Vec<Option<i32>>>) -> Option<Vec<Option<i32>>> {
        it
    }

    async fn lists(&self, it: Vec<Vec<i32>>) -> Vec<Vec<i32>> {
        it
    }

    async fn size(&self, it: Size) -> Size {
        it
    }

    async fn shape(&self, it: Shape) -> String {
        it.to_string()
    }

    async fn shapes(&self, it: Vec<Shape>) -> String {
        it.iter().map(Shape::to_string).collect()
    }
}

pub(super) struct Thing(i32);

#[Object]
impl Thing {
    async fn name(&self) -> String {
        format!("thing {}", self.0)
    }

    async fn slow(&self) -> i32 {
        takes_its_time().await;
        self.0
    }

    async fn friend(&self) -> Option<Named> {
        None
    }

    /// The first one cannot.
    async fn fails(&self) -> Result<i32> {
        if self.0 == 0 { no() } else { Ok(self.0) }
    }

    async fn maybe_fails(&self) -> Option<Result<i32>> {
        Some(no())
    }

    async fn inner(&self) -> Option<Thing> {
        Some(Thing(self.0))
    }

    async fn sure_inner(&self) -> Thing {
        Thing(self.0)
    }
}

#[derive(Union)]
pub(super) enum Pet {
    Cat(Cat),
    Dog(Dog),
}

#[derive(Interface)]
#[graphql(
    field(name = "name", ty = "String"),
    field(name = "friend", ty = "Option<Named>")
)]
pub(super) enum Named {
    Cat(Cat),
    Dog(Dog),
    Thing(Thing),
}

#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct Cat {
    lives: i32,
}

#[ComplexObject]
impl Cat {
    async fn name(&self) -> String {
        "cat".to_owned()
    }

    async fn friend(&self) -> Option<Named> {
        Some(Named::Dog(Dog { tricks: 3 }))
    }
}

#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct Dog {
    tricks: i32,
}

#[ComplexObject]
impl Dog {
    async fn name(&self) -> String {
        "dog".to_owned()
    }

    async fn friend(&self) -> Option<Named> {
        Some(Named::Cat(Cat { lives: 9 }))
    }

    async fn maybe_fails(&self) -> Option<Result<i32>> {
        Some(no())
    }
}

#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub(super) enum Size {
    Small,
    Large,
}

#[derive(InputObject)]
pub(super) struct Shape {
    size: Size,
    #[graphql(default = 4)]
    sides: i32,
    note: MaybeUndefined<String>,
}

impl fmt::Display for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?} {:?} {:?}", self.size, self.sides, self.note)
    }
}

pub(super) struct Mutation;

#[Object]
impl Mutation {
    async fn note(&self, ctx: &Context<'_>, it: String) -> usize {
        takes_its_time().await;
        let mut notes = ctx.data_unchecked::<Arc<Notes>>().0.lock().unwrap();
        notes.push(it);
        notes.len()
    }

    async fn fails(&self) -> Result<i32> {
        no()
    }

    async fn maybe_fails(&self) -> Option<Result<i32>> {
        Some(no())
    }
}

/// What mutations have left behind.
#[derive(Default)]
pub(super) struct Notes(Mutex<Vec<String>>);

fn no() -> Result<i32> {
    Err(Error::new("no"))
}

async fn takes_its_time() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// The answer to a document that the server has prepared, and what was noted meanwhile.
pub(super) async fn execute(document: &str, variables: Value) -> (Response, Vec<String>) {
    let notes = Arc::new(Notes::default());
    let schema = Schema::build(Query, Mutation, EmptySubscription)
        // As the server's: what is executed was validated before.
        .validation_mode(ValidationMode::Fast)
        .data(notes.clone())
        .finish();
    let variables = variables.as_object().unwrap();
    let request = prepared_request(&schema.sdl(), document, variables).unwrap();
    let answer = schema.execute(request).await;
    let notes = notes.0.lock().unwrap().clone();
    (answer, notes)
}
