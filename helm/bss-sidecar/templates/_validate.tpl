{{/* What no schema can say: what must hold between values, and of the cluster. All problems at once. */}}
{{- define "bss-sidecar.validate" -}}
{{- $problems := include "bss-sidecar.problems" . | fromJsonArray -}}
{{- if $problems -}}
{{- fail (printf "\n\n%s\n" ($problems | join "\n\n")) -}}
{{- end -}}
{{- end -}}

{{- define "bss-sidecar.problems" -}}
{{- $found := list -}}
{{- range $rule := list "cluster" "namespaces" "tenants" "resources" "ports" "files" "extraVolumes" "redis" "certificates" -}}
{{- range include (printf "bss-sidecar.problemsOf.%s" $rule) $ | splitList "\n" -}}
{{- if trim . -}}
{{- $found = append $found (trim .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $found | toJson -}}
{{- end -}}

{{- define "bss-sidecar.problemsOf.cluster" -}}
{{- if and (eq .Values.inject.mode "policy") (semverCompare "<1.36.0-0" .Capabilities.KubeVersion.Version) }}
inject.mode "policy" needs Kubernetes 1.36 or newer, which has MutatingAdmissionPolicy; this is {{ .Capabilities.KubeVersion.Version }}. Set inject.mode to "template", and take the container into Pedkai's own chart or kustomization: see "Older clusters" in the chart's README.
{{- end }}
{{- end -}}

{{- define "bss-sidecar.problemsOf.namespaces" -}}
{{- $namespaces := include "bss-sidecar.namespaces" . | fromJsonArray -}}
{{- $of := .Values.inject.tenants -}}
{{- range $namespace, $_ := $of }}
{{- if not (has $namespace $namespaces) }}
inject.tenants names the namespace {{ $namespace }}, which is not among inject.namespaces ({{ $namespaces | join ", " }}).
{{- end }}
{{- end }}
{{- if $of }}
{{- range $namespaces }}
{{- if not (hasKey $of .) }}
inject.tenants says nothing of the namespace {{ . }}, whose pods could ask for no tenant. Name its tenants there, or take it out of inject.namespaces.
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "bss-sidecar.problemsOf.tenants" -}}
{{- $tenants := .Values.configuration.tenants | default dict -}}
{{- $connections := .Values.configuration.connections | default dict -}}
{{- range $namespace, $named := .Values.inject.tenants }}
{{- range $named }}
{{- if not (hasKey $tenants .) }}
inject.tenants.{{ $namespace }} names the tenant {{ . }}, which is not among configuration.tenants ({{ keys $tenants | sortAlpha | join ", " | default "none" }}).
{{- end }}
{{- end }}
{{- end }}
{{- range $name, $tenant := $tenants }}
{{- if not (hasKey $connections $tenant.connection) }}
configuration.tenants.{{ $name }} names the connection {{ $tenant.connection }}, which is not among configuration.connections ({{ keys $connections | sortAlpha | join ", " | default "none" }}).
{{- end }}
{{- end }}
{{- with .Values.configuration.default_tenant }}
{{- if not (hasKey $tenants .) }}
configuration.default_tenant is {{ . }}, which is not among configuration.tenants ({{ keys $tenants | sortAlpha | join ", " | default "none" }}).
{{- end }}
{{- end }}
{{- end -}}

{{- define "bss-sidecar.problemsOf.resources" -}}
{{- with .Values.resources }}
{{- if lt (include "bss-sidecar.thousandths" .memory | int64) (include "bss-sidecar.thousandths" .memoryFloor | int64) }}
resources.memory ({{ .memory }}) is below resources.memoryFloor ({{ .memoryFloor }}), with which a sidecar starts.
{{- end }}
{{- if and .cpuLimit (lt (include "bss-sidecar.thousandths" .cpuLimit | int64) (include "bss-sidecar.thousandths" .cpuRequest | int64)) }}
resources.cpuLimit ({{ .cpuLimit }}) is below resources.cpuRequest ({{ .cpuRequest }}).
{{- end }}
{{- end }}
{{- end -}}

{{/* A quantity in thousandths, to compare it with others. */}}
{{- define "bss-sidecar.thousandths" -}}
{{- $factors := dict "m" 1 "k" 1e6 "M" 1e9 "G" 1e12 "Ki" 1024e3 "Mi" 1048576e3 "Gi" 1073741824e3 -}}
{{- $unit := regexFind "[A-Za-z]+$" . -}}
{{- mulf (trimSuffix $unit . | float64) (get $factors $unit | default 1000) | int64 -}}
{{- end -}}

{{- define "bss-sidecar.problemsOf.ports" -}}
{{- with .Values.ports }}
{{- if ne (list .data .ops .admin | uniq | len) 3 }}
ports.data, ports.ops and ports.admin must differ: {{ .data }}, {{ .ops }}, {{ .admin }}.
{{- end }}
{{- end }}
{{- end -}}

{{/* A file that the configuration names in a folder where nothing is mounted would never come. */}}
{{- define "bss-sidecar.problemsOf.files" -}}
{{- $named := .Values.configuration | toJson -}}
{{- range $kind := list "credentials" "trust" }}
{{- $mounted := get $.Values $kind }}
{{- range regexFindAll (printf "\"/etc/bss-sidecar/%s/[^\"]*\"" $kind) $named -1 | uniq }}
{{- $folder := index (splitList "/" (trimAll "\"" .)) 4 }}
{{- if not (hasKey $mounted $folder) }}
configuration names the file {{ . }}, but {{ $kind }}.{{ $folder }} is not set, so nothing is mounted there.
{{- end }}
{{- end }}
{{- end }}
{{- $secrets := include "bss-sidecar.secrets" . | fromYaml }}
{{- range $folder, $value := dict "identity" "identity" "cache-keys" "cacheKeys" "redis" "redisCredentials" }}
{{- range regexFindAll (printf "\"/etc/bss-sidecar/%s/[^\"]*\"" $folder) $named -1 | uniq }}
{{- if not (hasKey $secrets $folder) }}
configuration names the file {{ . }}, but {{ $value }}.existingSecret is not set, so nothing is mounted there.
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "bss-sidecar.problemsOf.extraVolumes" -}}
{{- $names := list "bss-sidecar-run" "bss-sidecar-config" -}}
{{- range .Values.extraVolumes }}{{ $names = append $names .name }}{{ end -}}
{{- range .Values.extraVolumeMounts }}
{{- if not (has .name $names) }}
extraVolumeMounts names the volume {{ .name }}, which is not among extraVolumes.
{{- end }}
{{- end }}
{{- end -}}

{{- define "bss-sidecar.problemsOf.redis" -}}
{{- if .Values.redis.enabled }}
{{- range $value, $is := dict "redis" .Values.redis "cacheKeys" .Values.cacheKeys "redisCredentials" .Values.redisCredentials }}
{{- if not $is.existingSecret }}
redis.enabled needs {{ $value }}.existingSecret; values.yaml says what belongs into that Secret.
{{- end }}
{{- end }}
{{- $cache := .Values.configuration.cache | default dict }}
{{- if ne ($cache.store | default "redis") "redis" }}
redis.enabled installs a Redis, but configuration.cache.store is {{ $cache.store }}, so nobody would ask it. Leave `store` out, or redis.enabled.
{{- end }}
{{- end }}
{{- end -}}

{{- define "bss-sidecar.problemsOf.certificates" -}}
{{- range $name, $_ := .Values.certificates }}
{{- if not (hasKey $.Values.credentials $name) }}
certificates.{{ $name }} has no credentials.{{ $name }}, whose Secret it would fill; there are: {{ keys $.Values.credentials | sortAlpha | join ", " | default "none" }}.
{{- end }}
{{- end }}
{{- end -}}
