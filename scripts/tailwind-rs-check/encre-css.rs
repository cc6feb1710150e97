use encre_css::{Config, Preflight};

fn main() {
    println!("*\t{}", encre_css::generate([], &Config::default()).replace(['\n', '\t'], " "));
    let mut config = Config::default();
    config.preflight = Preflight::new_none();
    for class in include_str!("classes").lines() {
        println!("{class}\t{}", encre_css::generate([class], &config).replace(['\n', '\t'], " "));
    }
}
