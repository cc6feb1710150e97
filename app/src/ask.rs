//! How pages ask the server: one kind of resource, which reads answers with the decoder that server functions use.
//! A second decoder for each type, and resources of a type for each closure, made the WebAssembly a fifth larger.

use crate::error::AppError;
use codee::{Decoder, Encoder};
use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use std::pin::Pin;

/// JSON, read from bytes.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl<T: Serialize> Encoder<T> for Json {
    type Error = serde_json::Error;
    type Encoded = String;

    fn encode(value: &T) -> Result<String, serde_json::Error> {
        serde_json::to_string(value)
    }
}

impl<T: DeserializeOwned> Decoder<T> for Json {
    type Error = serde_json::Error;
    type Encoded = str;

    fn decode(json: &str) -> Result<T, serde_json::Error> {
        serde_json::from_slice(json.as_bytes())
    }
}

/// An answer of the server, asked for while the page renders.
pub type Asked<T> = Resource<Result<T, AppError>, Json>;

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, AppError>> + Send>>;

/// Asks, and asks again when the part of the address that `about` reads changes. Only at the top of a page, never
/// inside `Suspense`.
pub fn ask<T, F>(about: impl Fn() -> String + Send + Sync + 'static, fetch: impl Fn(String) -> F + Send + Sync + 'static) -> Asked<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<T, AppError>> + Send + 'static,
{
    let about: Box<dyn Fn() -> String + Send + Sync> = Box::new(about);
    let fetch: Box<dyn Fn(String) -> Answer<T> + Send + Sync> = Box::new(move |address| Box::pin(fetch(address)));
    Resource::new_with_options(about, fetch, true)
}

/// Asks once.
pub fn ask_once<T, F>(fetch: impl Fn() -> F + Send + Sync + 'static) -> Asked<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<T, AppError>> + Send + 'static,
{
    ask(String::new, move |_| fetch())
}

/// A value that the server knows and the browser takes over with the page; asked for elsewhere, the browser's own.
pub fn shared<T: Serialize + DeserializeOwned>(value: impl FnOnce() -> T) -> T {
    SharedValue::<T, Json>::new_with_encoding(value).into_inner()
}
