use tailwind_rs_core::CssGenerator;

fn main() {
    println!("*\t{}", CssGenerator::new().generate_css().replace(['\n', '\t'], " "));
    for class in include_str!("classes").lines() {
        let mut generator = CssGenerator::new();
        let accepted = generator.add_class(class).is_ok();
        let css = if accepted { generator.generate_css() } else { String::new() };
        println!("{class}\t{}", css.replace(['\n', '\t'], " "));
    }
}
