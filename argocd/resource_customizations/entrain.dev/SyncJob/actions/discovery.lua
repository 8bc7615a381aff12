-- Which actions make sense for a SyncJob as it stands. Runs without libraries and for every object.

local function field(value, name)
  if type(value) == "table" then
    return value[name]
  end
  return nil
end

local spec = field(obj, "spec")
local mode = field(spec, "mode") or "Manage"
local paused = field(spec, "state") == "Paused"
local deleting = field(field(obj, "metadata"), "deletionTimestamp") ~= nil
local has_job = type(field(field(obj, "status"), "jobId")) == "string"

local managed = mode == "Manage" and not deleting

return {
  -- The operator refuses a restart without a job and one that would start a job which is declared Paused.
  ["restart"] = {
    ["disabled"] = not managed or paused or not has_job,
    ["displayName"] = "Restart (scope is optional)",
    ["iconClass"] = "fa fa-fw fa-redo",
    ["params"] = { { ["name"] = "scope" } },
  },
  ["pause"] = {
    ["disabled"] = not managed or paused,
    ["displayName"] = "Pause (edits spec.state; self-heal reverts it)",
    ["iconClass"] = "fa fa-fw fa-pause",
  },
  ["resume"] = {
    ["disabled"] = not managed or not paused,
    ["displayName"] = "Resume (edits spec.state; self-heal reverts it)",
    ["iconClass"] = "fa fa-fw fa-play",
  },
  -- Also while it is being deleted: that is how to try again once the cause of trouble is gone.
  ["reconcile"] = {
    ["disabled"] = mode == "Suspended",
    ["displayName"] = "Reconcile now",
    ["iconClass"] = "fa fa-fw fa-sync",
  },
}
