-- Health of a tenant of either kind, from the conditions that kstatus reads and in agreement with it, but for two things that
-- kstatus cannot say: a tenant in mode Suspended is Suspended, and what Helm or Flux would merely wait for is shown in words.
--
-- Runs without libraries and for every object: whatever a status holds or lacks, the answer is a status and a message.

local function field(value, name)
  if type(value) == "table" then
    return value[name]
  end
  return nil
end

local function text(value, default)
  if type(value) == "string" and value ~= "" then
    return value
  end
  return default
end

local function answer(status, message)
  return { status = status, message = message }
end

local metadata = field(obj, "metadata")
local spec = field(obj, "spec")
local status = field(obj, "status")
local generation = field(metadata, "generation")

local function find(kind)
  local conditions = field(status, "conditions")
  if type(conditions) ~= "table" then
    return nil
  end
  for _, condition in ipairs(conditions) do
    if field(condition, "type") == kind then
      return condition
    end
  end
  return nil
end

local function is_true(condition)
  return field(condition, "status") == "True"
end

local function message_of(condition)
  return text(field(condition, "message"), "The operator gives no message.")
end

local function reasoned(condition)
  local reason = text(field(condition, "reason"), nil)
  if reason == nil then
    return message_of(condition)
  end
  return reason .. ": " .. message_of(condition)
end

local function speaks_of_now(condition)
  return condition ~= nil and field(condition, "observedGeneration") == generation
end

-- A deletion raises the generation, so a condition of this generation tells what the deletion waits for.
local function deletion()
  if type(generation) ~= "number" or field(status, "observedGeneration") ~= generation then
    return "the operator has not acted on it yet."
  end
  for _, kind in ipairs({ "Stalled", "Reconciling" }) do
    local condition = find(kind)
    if is_true(condition) and speaks_of_now(condition) then
      return reasoned(condition)
    end
  end
  local ready = find("Ready")
  if speaks_of_now(ready) and not is_true(ready) then
    return reasoned(ready)
  end
  return "the operator does not say what it waits for."
end

if field(metadata, "deletionTimestamp") ~= nil then
  return answer("Progressing", "Pending deletion: " .. deletion())
end

-- Comes before the generation: a spec that is not acted on stays unobserved.
if field(spec, "mode") == "Suspended" then
  return answer("Suspended", "Nothing is sent to this tenant, as declared (mode Suspended).")
end

if type(generation) ~= "number" or field(status, "observedGeneration") ~= generation then
  return answer("Progressing", "Waiting for the operator to act on this version of the spec.")
end

-- Never both in one status of ours. If anybody else should add the second, waiting is the side that breaks nothing.
local reconciling = find("Reconciling")
if is_true(reconciling) then
  return answer("Progressing", reasoned(reconciling))
end

local stalled = find("Stalled")
if is_true(stalled) then
  return answer("Degraded", reasoned(stalled))
end

local ready = find("Ready")
if ready == nil then
  return answer("Progressing", "Waiting for the operator to log in.")
end

local observed = field(ready, "observedGeneration")
if not is_true(ready) or (observed ~= nil and observed ~= generation) then
  return answer("Progressing", reasoned(ready))
end

-- The login works. What its application lacks is shown, and fails no sync: each SyncJob that needs it says so as well.
local granted = find("PermissionsGranted")
if field(granted, "status") == "False" then
  return answer("Healthy", reasoned(granted))
end

-- Any other reason for a login that works is a warning, such as a certificate that expires soon.
if text(field(ready, "reason"), "LoggedIn") ~= "LoggedIn" then
  return answer("Healthy", reasoned(ready))
end

return answer("Healthy", message_of(ready))
