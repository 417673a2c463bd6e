{{/* Everything here takes the chart's own scope: `.` in its templates, in a parent chart
     `(index .Subcharts "bss-sidecar")`. */}}

{{/* What the objects in namespaces are called. */}}
{{- define "bss-sidecar.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains "bss-sidecar" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-bss-sidecar" (.Release.Name | trunc 38 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{/* What the objects of the cluster are called: releases of one name in two namespaces differ. */}}
{{- define "bss-sidecar.clusterName" -}}
{{- printf "%s.%s" (include "bss-sidecar.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- define "bss-sidecar.configMapName" -}}
{{- printf "%s-config" (include "bss-sidecar.fullname" .) -}}
{{- end -}}

{{- define "bss-sidecar.selectorLabels" -}}
app.kubernetes.io/name: bss-sidecar
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* Of every object of the chart. */}}
{{- define "bss-sidecar.labels" -}}
{{ include "bss-sidecar.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/part-of: pedkai
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The namespaces that get sidecars, as a JSON list. */}}
{{- define "bss-sidecar.namespaces" -}}
{{- .Values.inject.namespaces | default (list .Release.Namespace) | toJson -}}
{{- end -}}

{{- define "bss-sidecar.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Stamped on every pod: the chart's version, and a digest of all that is put into a pod. Where
     it differs from the release's, the pod is older than the release. */}}
{{- define "bss-sidecar.version" -}}
{{- $parts := list (include "bss-sidecar.container" .) (include "bss-sidecar.volumes" .) -}}
{{- $parts = append $parts (include "bss-sidecar.appEnv" .) -}}
{{- $parts = append $parts (include "bss-sidecar.appVolumeMounts" .) -}}
{{- $digest := $parts | join "\n" | sha256sum | trunc 8 -}}
{{- printf "%s-%s" (.Chart.Version | replace "+" "_" | trunc 40 | trimSuffix "-" ) $digest -}}
{{- end -}}
