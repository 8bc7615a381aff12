-- Asks for one pass now. The operator answers in status.lastHandledReconcile.

if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end

obj.metadata.annotations["entrain.dev/reconcile-requested-at"] = os.date("!%Y-%m-%dT%H:%M:%SZ")
return obj
