//! A person at a browser, as far as an authorization needs one: curl with a jar of cookies, which fills in Keystead's forms.

use crate::{
    gateway::Seen,
    harness::{Installation, Server, curl},
};
use domain::testing::PASSWORD;
use std::path::PathBuf;

/// The owner at a browser of their own, signed out at first.
pub struct Browser {
    jar: PathBuf,
    /// Where Keystead is, with a slash at the end.
    home: String,
}

impl Browser {
    pub fn new(i: &Installation, server: &Server) -> Self {
        let port = server.address.port();
        let jar = i.dir().join(format!("cookies-{port}"));
        Self { jar, home: format!("http://localhost:{port}/") }
    }

    /// Opens an address and goes on, signing in where asked, and answering `says` (`allow` or `deny`) to what an app asks
    /// for, until the way leads to somewhere else: where to.
    pub fn follows(&self, url: &str, says: &str) -> String {
        let mut url = url.to_owned();
        for _ in 0..10 {
            if !url.starts_with(&self.home) {
                return url;
            }
            let seen = self.opens(&url, &[]);
            let led = seen.header("location").map_or_else(|| self.fills_in(&seen, says), ToOwned::to_owned);
            url = led.strip_prefix('/').map(|path| format!("{}{path}", self.home)).unwrap_or(led);
        }
        panic!("around in circles, at last to {url}");
    }

    /// One request, its cookies kept.
    pub fn opens(&self, url: &str, args: &[&str]) -> Seen {
        let jar = self.jar.to_str().unwrap();
        let (status, text) = curl(url, &[&["-i", "-b", jar, "-c", jar, "-H", "accept: text/html"], args].concat());
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        Seen::of(status, head, body)
    }

    /// Sends the form of the page: where that leads.
    fn fills_in(&self, page: &Seen, says: &str) -> String {
        let forms = page.body.split("<form").skip(1).map(|form| form.split("</form").next().unwrap());
        let of_flow = |form: &&str| ["/login", "/oauth/consent"].iter().any(|way| attribute(form, "action").starts_with(way));
        let form = forms.into_iter().find(of_flow).unwrap_or_else(|| panic!("{} {}", page.status, page.body));
        let mut fields = vec![];
        for input in form.split("<input").skip(1) {
            let value = match attribute(input, "name").as_str() {
                "email" => "owner@acme.test".to_owned(),
                "password" => PASSWORD.to_owned(),
                _ => attribute(input, "value"),
            };
            fields.push(format!("{}={value}", attribute(input, "name")));
        }
        if form.contains("name=\"decision\"") {
            fields.push(format!("decision={says}"));
        }
        let mut args = vec!["-H", "sec-fetch-site: same-origin"];
        args.extend(fields.iter().flat_map(|field| ["--data-urlencode", field.as_str()]));
        let action = attribute(form, "action");
        let seen = self.opens(&format!("{}{}", self.home, &action[1..]), &args);
        seen.header("location").unwrap_or_else(|| panic!("{action}: {} {}", seen.status, seen.body)).to_owned()
    }
}

/// An attribute of the tag that the text begins in.
fn attribute(tag: &str, name: &str) -> String {
    let tag = tag.split('>').next().unwrap();
    let value = tag.split_once(&format!(" {name}=\"")).map_or("", |(_, rest)| rest.split('"').next().unwrap());
    value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#x27;", "'").replace("&amp;", "&")
}
