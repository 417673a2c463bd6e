{{/* Everything here takes the chart's own scope: `.` in its templates, in a parent chart
     `(index .Subcharts "bss-sidecar")`. */}}

{{/* What the objects in namespaces are called. A release's name may have dots, a Service's not. */}}
{{- define "bss-sidecar.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else -}}
{{- $release := .Release.Name | replace "." "-" -}}
{{- if contains "bss-sidecar" $release -}}
{{- $release | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-bss-sidecar" ($release | trunc 38 | trimSuffix "-") -}}
{{- end -}}
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
{{- include "bss-sidecar.labelsWith" (dict "root" . "more" dict) -}}
{{- end -}}

{{/* `more` wins over the values' labels, and nothing over those by which helm and our own commands
     find an object. */}}
{{- define "bss-sidecar.labelsWith" -}}
{{- $ours := include "bss-sidecar.selectorLabels" .root | fromYaml -}}
{{- $_ := set $ours "app.kubernetes.io/version" (.root.Chart.AppVersion | replace "+" "_") -}}
{{- $_ := set $ours "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{- $_ := set $ours "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_") -}}
{{- merge $ours .more (.root.Values.labels | default dict) (dict "app.kubernetes.io/part-of" "pedkai") | toYaml -}}
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
