//! The Lua that Argo CD gives to the scripts of a ConfigMap: version 5.1, the base and table functions, a clock, and
//! little time. Strings have no methods, and there is neither `string` nor `math` nor `io`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use mlua::serde::{DeserializeOptions, SerializeOptions};
use mlua::{HookTriggers, Lua, LuaOptions, LuaSerdeExt, StdLib};
use serde_json::Value;

/// What the clock of the scripts shows.
pub const NOW: &str = "2026-11-24T12:00:00Z";
/// Argo CD gives a script one second; ours need some hundred instructions.
const INSTRUCTIONS_MAX: u32 = 20_000;
/// What mlua's base holds beyond Argo CD's.
const NOT_THERE: &[&str] = &["coroutine"];

pub type Params = BTreeMap<String, String>;

/// What the script returns for an object.
pub fn run(script: &str, object: &Value, params: &Params) -> mlua::Result<Value> {
    let lua = Lua::new_with(StdLib::TABLE, LuaOptions::default())?;
    lua.set_hook(HookTriggers::new().every_nth_instruction(INSTRUCTIONS_MAX), |_, _| {
        Err(mlua::Error::runtime("the script runs too long"))
    })?;
    let globals = lua.globals();
    for name in NOT_THERE {
        globals.set(*name, mlua::Value::Nil)?;
    }
    globals.set("os", clock(&lua)?)?;
    // In Argo CD null is nil, and tables have no metatables.
    let plain =
        SerializeOptions::new().set_array_metatable(false).serialize_none_to_null(false).serialize_unit_to_null(false);
    globals.set("obj", lua.to_value_with(object, plain)?)?;
    globals.set("actionParams", lua.to_value_with(params, plain)?)?;
    let returned: mlua::Value = lua.load(script).eval()?;
    lua.from_value_with(returned, DeserializeOptions::new())
}

/// `os` with nothing but `time` and `date`.
fn clock(lua: &Lua) -> mlua::Result<mlua::Table> {
    let now: Timestamp = NOW.parse().map_err(mlua::Error::external)?;
    let os = lua.create_table()?;
    os.set("time", lua.create_function(move |_, ()| Ok(now.as_second()))?)?;
    let date = move |_: &Lua, format: String| {
        // Without the mark for UTC the answer would depend on where Argo CD runs.
        let format = format.strip_prefix('!').ok_or_else(|| mlua::Error::runtime("a date in local time"))?;
        Ok(now.to_zoned(TimeZone::UTC).strftime(format).to_string())
    };
    os.set("date", lua.create_function(date)?)?;
    Ok(os)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    pub status: String,
    pub message: String,
}

/// What the health script says of an object, or why Argo CD would say Unknown.
pub fn health(script: &str, object: &Value) -> Result<Health, String> {
    let told = run(script, object, &Params::new()).map_err(|error| error.to_string())?;
    let word = |name: &str| told[name].as_str().map(str::to_owned);
    match (word("status"), word("message")) {
        (Some(status), Some(message)) => Ok(Health { status, message }),
        _ => Err(format!("no status or no message: {told}")),
    }
}
