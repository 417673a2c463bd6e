{{/* What no schema can say: what must hold between values, and of the cluster. All problems at once. */}}
{{- define "bss-sidecar.validate" -}}
{{- include "bss-sidecar.refuseHoles" . -}}
{{- $problems := include "bss-sidecar.problems" . | fromJsonArray -}}
{{- if $problems -}}
{{- fail (printf "\n\n%s\n" ($problems | join "\n\n")) -}}
{{- end -}}
{{- end -}}

{{/* A value that is missing altogether: `--reuse-values` keeps those of the last release's chart, which
     did not know it. `null` does the same by hand. */}}
{{- define "bss-sidecar.refuseHoles" -}}
{{- $missing := list -}}
{{- range include "bss-sidecar.needed" . | splitList "\n" -}}
{{- $at := dict "is" $.Values -}}
{{- range splitList "." (trim .) -}}
{{- $inside := kindIs "map" $at.is | ternary $at.is dict -}}
{{- $_ := set $at "is" (get $inside .) -}}
{{- if not (hasKey $inside .) }}{{ $_ := set $at "is" nil }}{{ end -}}
{{- end -}}
{{- if kindIs "invalid" $at.is }}{{ $missing = append $missing (trim .) }}{{ end -}}
{{- end -}}
{{- if $missing -}}
{{- fail (printf "\n\nThese values are missing: %s. With --reuse-values helm leaves out what a newer chart has come to know: use --reset-then-reuse-values, or --values with your file.\n" ($missing | join ", ")) -}}
{{- end -}}
{{- end -}}

{{- define "bss-sidecar.problems" -}}
{{- $found := list -}}
{{- range $rule := list "cluster" "namespaces" "tenants" "resources" "ports" "files" "extraVolumes" "redis" "podMonitor" "secrets" -}}
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
{{- range $way := list "url" "sentinels" "cluster" }}
{{- if get ($cache.redis | default dict) $way }}
redis.enabled installs a Redis, but configuration.cache.redis.{{ $way }} leads to another, so nobody would ask it. Leave `{{ $way }}` out, or redis.enabled.
{{- end }}
{{- end }}
{{- with .Values.redis }}
{{- if ge (include "bss-sidecar.thousandths" (include "bss-sidecar.redisMaxMemory" $) | int64) (include "bss-sidecar.thousandths" .memory | int64) }}
redis.maxMemory ({{ .maxMemory }}) must be below redis.memory ({{ .memory }}), or the kernel ends it before it forgets anything.
{{- end }}
{{- if and .cpuLimit (lt (include "bss-sidecar.thousandths" .cpuLimit | int64) (include "bss-sidecar.thousandths" .cpuRequest | int64)) }}
redis.cpuLimit ({{ .cpuLimit }}) is below redis.cpuRequest ({{ .cpuRequest }}).
{{- end }}
{{- end }}
{{- if regexMatch "^[0-9]" (include "bss-sidecar.fullname" .) }}
redis.enabled makes a Service, whose name must begin with a letter, and not as {{ include "bss-sidecar.redisName" . }}. Set fullnameOverride.
{{- end }}
{{- end }}
{{- end -}}

{{/* Redis counts in powers of 1024. */}}
{{- define "bss-sidecar.redisMaxMemory" -}}
{{- .Values.redis.maxMemory | replace "kb" "Ki" | replace "mb" "Mi" | replace "gb" "Gi" -}}
{{- end -}}

{{- define "bss-sidecar.problemsOf.podMonitor" -}}
{{- with .Values.podMonitor }}
{{- if gt (include "bss-sidecar.milliseconds" .scrapeTimeout | int64) (include "bss-sidecar.milliseconds" .interval | int64) }}
podMonitor.scrapeTimeout ({{ .scrapeTimeout }}) is above podMonitor.interval ({{ .interval }}), which Prometheus refuses.
{{- end }}
{{- end }}
{{- end -}}

{{/* Of a duration such as 1h30m. */}}
{{- define "bss-sidecar.milliseconds" -}}
{{- $factors := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+(ms|s|m|h)" . -1 -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- $sum = add $sum (mul (trimSuffix $unit . | int64) (get $factors $unit)) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}

{{/* Each Secret that somebody makes is mounted somewhere, and has one maker. */}}
{{- define "bss-sidecar.problemsOf.secrets" -}}
{{- $makers := dict -}}
{{- range $name, $asked := .Values.certificates }}
{{- if not (hasKey $.Values.credentials $name) }}
certificates.{{ $name }} has no credentials.{{ $name }}, whose Secret it would fill; there are: {{ keys $.Values.credentials | sortAlpha | join ", " | default "none" }}.
{{- else }}
{{- $secret := (get $.Values.credentials $name).existingSecret }}
{{- $_ := set $makers $secret (append (get $makers $secret | default list) (printf "certificates.%s" $name)) }}
{{- end }}
{{- $duration := $asked.duration | default "2160h" }}
{{- $renewBefore := $asked.renewBefore | default "720h" }}
{{- if ge (include "bss-sidecar.milliseconds" $renewBefore | int64) (include "bss-sidecar.milliseconds" $duration | int64) }}
certificates.{{ $name }}: renewBefore ({{ $renewBefore }}) must be below duration ({{ $duration }}).
{{- end }}
{{- end }}
{{- $named := pick .Values "credentials" "trust" "identity" "cacheKeys" "redisCredentials" "redis" "image" "extraVolumes" "extraEnv" | toJson }}
{{- range $name, $_ := .Values.externalSecrets }}
{{- $_ := set $makers $name (append (get $makers $name | default list) (printf "externalSecrets.%s" $name)) }}
{{- if not (contains ($name | toJson) $named) }}
externalSecrets.{{ $name }} fills a Secret of that name, which no other value names.
{{- end }}
{{- end }}
{{- range $secret, $by := $makers }}
{{- if gt (len $by) 1 }}
The Secret {{ $secret }} would be filled by each of {{ $by | join ", " }}.
{{- end }}
{{- end }}
{{- end -}}
