{{/* The variables as a list; one that extraEnv names as well is left to extraEnv, because a server-side apply refuses a
name that is there twice. */}}
{{- define "entrain.env" -}}
{{- $env := list (dict "name" "RUST_LOG" "value" .Values.log.level) -}}
{{- with .Values.credentials.existingSecret -}}
{{- $secret := . -}}
{{- range $variable, $key := dict "AZURE_TENANT_ID" "tenantId" "AZURE_CLIENT_ID" "clientId" "AZURE_CLIENT_SECRET" "clientSecret" -}}
{{- $env = append $env (dict "name" $variable "valueFrom" (dict "secretKeyRef" (dict "name" $secret "key" $key))) -}}
{{- end -}}
{{- end -}}
{{- with .Values.workloadIdentity -}}
{{- if and .enabled .projectedToken -}}
{{- $env = append $env (dict "name" "AZURE_TENANT_ID" "value" .tenantId) -}}
{{- $env = append $env (dict "name" "AZURE_CLIENT_ID" "value" .clientId) -}}
{{- $env = append $env (dict "name" "AZURE_FEDERATED_TOKEN_FILE" "value" "/var/run/secrets/azure/tokens/azure-identity-token") -}}
{{- end -}}
{{- end -}}
{{- with .Values.proxy -}}
{{- if .http -}}{{- $env = append $env (dict "name" "HTTP_PROXY" "value" .http) -}}{{- end -}}
{{- if .https -}}{{- $env = append $env (dict "name" "HTTPS_PROXY" "value" .https) -}}{{- end -}}
{{- if and .noProxy (or .http .https) -}}{{- $env = append $env (dict "name" "NO_PROXY" "value" .noProxy) -}}{{- end -}}
{{- end -}}
{{- $names := list -}}
{{- range .Values.extraEnv -}}{{- $names = append $names .name -}}{{- end -}}
{{- $kept := list -}}
{{- range $env -}}
{{- if not (has .name $names) -}}{{- $kept = append $kept . -}}{{- end -}}
{{- end -}}
{{- concat $kept .Values.extraEnv | toYaml -}}
{{- end }}

{{- define "entrain.args" -}}
- operator
- --cloud={{ .Values.cloud }}
{{- range .Values.watchNamespaces }}
- --watch-namespace={{ . }}
{{- end }}
{{- with include "entrain.tenantKinds" . }}
- --tenants={{ . }}
{{- end }}
{{- if not .Values.operatorLogin.enabled }}
- --operator-login=false
{{- end }}
{{- range .Values.operatorLogin.namespaces }}
- --operator-login-namespace={{ . }}
{{- end }}
{{- if .Values.secrets.watch }}
- --watch-secrets
{{- end }}
- --concurrency={{ int .Values.concurrency }}
- --graph-in-flight-max={{ int .Values.graphInFlightMax }}
- --settle-window-seconds={{ int .Values.settleWindowSeconds }}
- --missing-grace-seconds={{ int .Values.missingGraceSeconds }}
- --stalled-grace-seconds={{ int .Values.stalledGraceSeconds }}
- --slow-retry-seconds={{ int .Values.slowRetrySeconds }}
- --log-format={{ .Values.log.format }}
{{- if or .Values.caBundle.configMap .Values.caBundle.secret }}
- --ca-file=/etc/entrain/ca/{{ .Values.caBundle.key }}
{{- end }}
{{- if .Values.leaderElection.enabled }}
- --leader-elect
- --leader-election-namespace={{ include "entrain.leaseNamespace" . }}
- --leader-election-id={{ include "entrain.leaseName" . }}
- --lease-duration-seconds={{ int .Values.leaderElection.leaseDurationSeconds }}
- --lease-renew-deadline-seconds={{ int .Values.leaderElection.renewDeadlineSeconds }}
- --lease-retry-seconds={{ int .Values.leaderElection.retryPeriodSeconds }}
{{- end }}
- --metrics-bind-address={{ ternary .Values.bindAddress "127.0.0.1" .Values.metrics.enabled }}:{{ int .Values.metrics.port }}
{{- if .Values.metrics.secure.enabled }}
- --metrics-secure
{{- if .Values.metrics.secure.certSecret }}
- --metrics-cert-path=/etc/entrain/metrics
{{- end }}
{{- end }}
- --health-bind-address={{ .Values.bindAddress }}:{{ int .Values.health.port }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "entrain.volumes" -}}
{{- $volumes := list -}}
{{- with .Values.caBundle -}}
{{- if .configMap -}}
{{- $volumes = append $volumes (dict "name" "ca" "configMap" (dict "name" .configMap)) -}}
{{- else if .secret -}}
{{- $volumes = append $volumes (dict "name" "ca" "secret" (dict "secretName" .secret)) -}}
{{- end -}}
{{- end -}}
{{- with .Values.workloadIdentity -}}
{{- if and .enabled .projectedToken -}}
{{- $token := dict "audience" "api://AzureADTokenExchange" "expirationSeconds" (int .tokenExpirationSeconds) "path" "azure-identity-token" -}}
{{- $volumes = append $volumes (dict "name" "azure-identity-token" "projected" (dict "sources" (list (dict "serviceAccountToken" $token)))) -}}
{{- end -}}
{{- end -}}
{{- with .Values.metrics.secure -}}
{{- if and .enabled .certSecret -}}
{{- $volumes = append $volumes (dict "name" "metrics-certificate" "secret" (dict "secretName" .certSecret)) -}}
{{- end -}}
{{- end -}}
{{- concat $volumes .Values.extraVolumes | toYaml -}}
{{- end }}

{{- define "entrain.volumeMounts" -}}
{{- $mounts := list -}}
{{- if or .Values.caBundle.configMap .Values.caBundle.secret -}}
{{- $mounts = append $mounts (dict "name" "ca" "mountPath" "/etc/entrain/ca" "readOnly" true) -}}
{{- end -}}
{{- with .Values.workloadIdentity -}}
{{- if and .enabled .projectedToken -}}
{{- $mounts = append $mounts (dict "name" "azure-identity-token" "mountPath" "/var/run/secrets/azure/tokens" "readOnly" true) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.metrics.secure.enabled .Values.metrics.secure.certSecret -}}
{{- $mounts = append $mounts (dict "name" "metrics-certificate" "mountPath" "/etc/entrain/metrics" "readOnly" true) -}}
{{- end -}}
{{- concat $mounts .Values.extraVolumeMounts | toYaml -}}
{{- end }}

{{/* A probe with its handler. Arguments: the probe's values, the path. */}}
{{- define "entrain.probe" -}}
{{- $probe := index . 0 -}}
{{- if not (or $probe.httpGet $probe.exec $probe.tcpSocket $probe.grpc) -}}
{{- $probe = merge (dict "httpGet" (dict "path" (index . 1) "port" "health")) $probe -}}
{{- end -}}
{{- toYaml $probe -}}
{{- end }}

{{- define "entrain.securityContext" -}}
{{- $context := index . 1 -}}
{{- if (index . 0).Values.openshift.enabled -}}
{{- $context = omit $context "runAsUser" "runAsGroup" "fsGroup" -}}
{{- end -}}
{{- toYaml $context -}}
{{- end }}

{{- define "entrain.topologySpreadConstraints" -}}
{{- $constraints := list -}}
{{- range .Values.topologySpreadConstraints -}}
{{- $constraints = append $constraints (merge (deepCopy .) (dict "labelSelector" (dict "matchLabels" (include "entrain.selectorLabels" $ | fromYaml)))) -}}
{{- end -}}
{{- toYaml $constraints -}}
{{- end }}

{{- define "entrain.podLabels" -}}
{{- $labels := include "entrain.labelsWith" (list . .Values.podLabels) | fromYaml -}}
{{- if .Values.workloadIdentity.enabled -}}
{{- $labels = merge (dict "azure.workload.identity/use" "true") $labels -}}
{{- end -}}
{{- toYaml $labels -}}
{{- end }}
