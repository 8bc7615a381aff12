-- Asks for one restart of the job. The operator answers in status.lastHandledRestart; a wrong scope is refused there.

if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end

local scope = nil
if actionParams ~= nil then
  scope = actionParams["scope"]
end
-- The scope of an earlier restart must not go with this one.
if scope == "" then
  scope = nil
end

obj.metadata.annotations["entrain.dev/restart-scope"] = scope
obj.metadata.annotations["entrain.dev/restart-requested-at"] = os.date("!%Y-%m-%dT%H:%M:%SZ")
return obj
