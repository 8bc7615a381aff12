-- Asks for one restart of the job. The operator answers in status.lastHandledRestart; a wrong scope is refused there.

if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end

local scope = nil
if actionParams ~= nil then
  scope = actionParams["scope"]
end

local value = os.date("!%Y-%m-%dT%H:%M:%SZ")
if scope ~= nil and scope ~= "" then
  value = value .. " scope=" .. scope
end

-- A scope apart from its token has every restart refused.
obj.metadata.annotations["entrain.dev/restart-scope"] = nil
obj.metadata.annotations["entrain.dev/restart-requested-at"] = value
return obj
