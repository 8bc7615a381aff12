{{/* Names have 63 characters at most; what is cut off is replaced by a hash, so that two names never become one. */}}
{{- define "entrain.bounded" -}}
{{- if gt (len .) 63 -}}
{{- printf "%s-%s" (. | trunc 54 | trimAll "-.") (sha256sum . | trunc 8) -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end }}

{{- define "entrain.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "entrain.fullname" -}}
{{- $name := include "entrain.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- include "entrain.bounded" .Release.Name -}}
{{- else -}}
{{- include "entrain.bounded" (printf "%s-%s" .Release.Name $name) -}}
{{- end -}}
{{- end }}

{{- define "entrain.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace -}}
{{- end }}

{{/* Of an object in a namespace. Arguments: the root, a suffix. */}}
{{- define "entrain.suffixed" -}}
{{- include "entrain.bounded" (printf "%s-%s" (include "entrain.fullname" (index . 0)) (index . 1)) -}}
{{- end }}

{{/* Of a cluster-scoped object, or one outside the release's namespace: releases of the same name in two namespaces do
not meet. Arguments: the root, a suffix. */}}
{{- define "entrain.clusterName" -}}
{{- $root := index . 0 -}}
{{- include "entrain.bounded" (printf "%s:%s:%s" (include "entrain.namespace" $root) (include "entrain.fullname" $root) (index . 1)) -}}
{{- end }}

{{/* The same for kinds whose names have no colons; a namespace has no dots, so that here, too, two releases never meet.
Arguments: the root, a suffix. */}}
{{- define "entrain.clusterSubdomain" -}}
{{- $root := index . 0 -}}
{{- include "entrain.bounded" (printf "%s.%s.%s" (include "entrain.namespace" $root) (include "entrain.fullname" $root) (index . 1)) -}}
{{- end }}

{{- define "entrain.selectorLabels" -}}
app.kubernetes.io/name: {{ include "entrain.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "entrain.labels" -}}
{{- $own := dict
  "app.kubernetes.io/name" (include "entrain.name" .)
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/version" (.Chart.AppVersion | trunc 63)
  "app.kubernetes.io/managed-by" .Release.Service
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
-}}
{{- merge $own .Values.commonLabels | toYaml -}}
{{- end }}

{{/* The labels with more of them, which never replace one of ours. Arguments: the root, a map. */}}
{{- define "entrain.labelsWith" -}}
{{- merge (include "entrain.labels" (index . 0) | fromYaml) (index . 1) | toYaml -}}
{{- end }}

{{- define "entrain.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "entrain.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end }}

{{- define "entrain.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end }}

{{- define "entrain.leaseNamespace" -}}
{{- .Values.leaderElection.namespace | default (include "entrain.namespace" .) -}}
{{- end }}

{{- define "entrain.leaseName" -}}
{{- .Values.leaderElection.id | default (include "entrain.fullname" .) -}}
{{- end }}

{{/* The kinds of tenant that are served, as the operator wants them: text or nothing. */}}
{{- define "entrain.tenantKinds" -}}
{{- $kinds := list -}}
{{- if .Values.tenants.enabled -}}{{- $kinds = append $kinds "namespaced" -}}{{- end -}}
{{- if .Values.tenants.cluster.enabled -}}{{- $kinds = append $kinds "cluster" -}}{{- end -}}
{{- join "," $kinds -}}
{{- end }}

{{/* Whether to render an object of prometheus-operator: text or nothing. Arguments: the root, its values, its kind. */}}
{{- define "entrain.monitorWanted" -}}
{{- $root := index . 0 -}}
{{- $values := index . 1 -}}
{{- $kind := index . 2 -}}
{{- if $values.enabled -}}
{{- if or (eq $values.renderMode "alwaysRender") ($root.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" $kind)) -}}
yes
{{- else if eq $values.renderMode "failIfMissing" -}}
{{- fail (printf "the cluster has no %s (monitoring.coreos.com/v1): install prometheus-operator, or leave it off" $kind) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Combinations of values that cannot work, reported before anything is installed. */}}
{{- define "entrain.check" -}}
{{- if and .Values.credentials.existingSecret .Values.workloadIdentity.enabled -}}
{{- fail "set credentials.existingSecret or workloadIdentity.enabled, not both" -}}
{{- end -}}
{{- if and .Values.workloadIdentity.enabled (or (not .Values.workloadIdentity.clientId) (not .Values.workloadIdentity.tenantId)) -}}
{{- fail "workloadIdentity.enabled needs workloadIdentity.clientId and workloadIdentity.tenantId" -}}
{{- end -}}
{{- if and (not .Values.operatorLogin.enabled) (not (include "entrain.tenantKinds" .)) -}}
{{- fail "operatorLogin.enabled: false needs tenants.enabled or tenants.cluster.enabled: without both there is no tenant to serve" -}}
{{- end -}}
{{- if and (not .Values.operatorLogin.enabled) .Values.operatorLogin.namespaces -}}
{{- fail "operatorLogin.namespaces needs operatorLogin.enabled" -}}
{{- end -}}
{{- if and .Values.secrets.watch (not .Values.secrets.jobCredentials) -}}
{{- fail "secrets.watch needs secrets.jobCredentials: without it no SyncJob has a Secret to watch" -}}
{{- end -}}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) -}}
{{- fail "replicaCount above 1 needs leaderElection.enabled: two operators that both work would act on the same SyncJobs" -}}
{{- end -}}
{{- with .Values.leaderElection -}}
{{- if not (and (gt (int .leaseDurationSeconds) (int .renewDeadlineSeconds)) (gt (int .renewDeadlineSeconds) (int .retryPeriodSeconds))) -}}
{{- fail "leaderElection: leaseDurationSeconds must be above renewDeadlineSeconds, and that above retryPeriodSeconds" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.caBundle.configMap .Values.caBundle.secret -}}
{{- fail "set caBundle.configMap or caBundle.secret, not both" -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not (and .Values.metrics.enabled .Values.metrics.service.enabled)) -}}
{{- fail "serviceMonitor.enabled needs metrics.enabled and metrics.service.enabled; a PodMonitor does without the Service" -}}
{{- end -}}
{{- if and .Values.podMonitor.enabled (not .Values.metrics.enabled) -}}
{{- fail "podMonitor.enabled needs metrics.enabled" -}}
{{- end -}}
{{- if and .Values.podMonitor.enabled .Values.metrics.secure.enabled (not .Values.podMonitor.tokenSecret.name) -}}
{{- fail "podMonitor.enabled with metrics.secure.enabled needs podMonitor.tokenSecret.name; a ServiceMonitor does without" -}}
{{- end -}}
{{- end }}
