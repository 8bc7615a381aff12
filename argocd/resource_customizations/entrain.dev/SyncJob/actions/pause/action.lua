-- Declares the job Paused. Git owns this field: an Application with self-heal takes it back.

obj.spec.state = "Paused"
return obj
