//! What is shipped for Argo CD, run by a Lua as narrow as Argo CD's: the cases of its own test files, and every object
//! that can be made up.

mod cases;
pub mod files;
mod fragment;
mod fuzz;
mod tenants;
pub mod vm;

use serde_json::{Value, json};

use vm::Params;

#[test]
fn the_scripts_have_no_libraries_and_little_time() {
    let eval = |script: &str| vm::run(script, &Value::Null, &Params::new());
    for name in ["string", "math", "io", "debug", "coroutine", "require", "package"] {
        assert_eq!(eval(&format!("return {{ {name} == nil }}")).unwrap(), json!([true]), "{name}");
    }
    assert_eq!(
        eval("return { table.concat({ 'a', os.date('!%Y') }, os.time()) }").unwrap(),
        json!(["a17955216002026"])
    );
    assert!(eval("return ('x'):upper()").is_err());
    assert!(eval("while true do end").unwrap_err().to_string().contains("too long"));
}
