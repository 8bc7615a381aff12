{{/* What ServiceMonitor and PodMonitor have in common. Arguments: the root, the values. */}}
{{- define "entrain.monitorMetadata" -}}
{{- $root := index . 0 -}}
{{- $values := index . 1 -}}
name: {{ include "entrain.fullname" $root | quote }}
namespace: {{ $values.namespace | default (include "entrain.namespace" $root) | quote }}
labels:
  {{- include "entrain.labelsWith" (list $root $values.labels) | nindent 2 }}
{{- with $values.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* How HTTPS is verified. Arguments: the root, the values. */}}
{{- define "entrain.monitorTls" -}}
{{- $root := index . 0 -}}
{{- if (index . 1).tlsConfig -}}
{{- toYaml (index . 1).tlsConfig -}}
{{- else if $root.Values.metrics.secure.certSecret -}}
ca:
  secret:
    name: {{ $root.Values.metrics.secure.certSecret | quote }}
    key: ca.crt
serverName: {{ printf "%s.%s.svc" (include "entrain.suffixed" (list $root "metrics")) (include "entrain.namespace" $root) | quote }}
{{- else -}}
insecureSkipVerify: true
{{- end -}}
{{- end }}

{{/* Arguments: the root, the values. */}}
{{- define "entrain.monitorEndpoint" -}}
{{- $root := index . 0 -}}
{{- $values := index . 1 -}}
port: metrics
path: /metrics
{{- if $root.Values.metrics.secure.enabled }}
scheme: https
{{- with $values.bearerTokenFile }}
bearerTokenFile: {{ . | quote }}
{{- end }}
{{- with $values.tokenSecret }}
authorization:
  credentials:
    name: {{ .name | quote }}
    key: {{ .key | quote }}
{{- end }}
tlsConfig:
  {{- include "entrain.monitorTls" . | nindent 2 }}
{{- end }}
{{- with $values }}
honorLabels: {{ .honorLabels }}
{{- with .interval }}
interval: {{ . }}
{{- end }}
{{- with .scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- with .relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
