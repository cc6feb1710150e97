use tailwind_rs::TailwindBuilder;

fn main() {
    let base = TailwindBuilder::default().bundle().expect("the resets");
    println!("*\t{}", base.replace(['\n', '\t'], " "));
    for class in include_str!("classes").lines() {
        let mut builder = TailwindBuilder::default();
        let accepted = builder.trace(class, false).is_ok();
        let css = builder.bundle().unwrap_or_default();
        let css = if accepted { css.strip_prefix(&base).unwrap_or(&css) } else { "" };
        println!("{class}\t{}", css.replace(['\n', '\t'], " "));
    }
}
