{{/* The configuration file of one namespace, from `root` (the chart's scope) and `namespace`: the
     tenants that it may ask for, the connections that these need, and nothing of the others. */}}
{{- define "bss-sidecar.configurationOf" -}}
{{- $made := deepCopy .root.Values.configuration -}}
{{- if .root.Values.inject.tenants -}}
{{- $named := get .root.Values.inject.tenants .namespace | default list -}}
{{- $tenants := dict -}}
{{- $connections := dict -}}
{{- range $name, $tenant := $made.tenants -}}
{{- if has $name $named -}}
{{- $_ := set $tenants $name $tenant -}}
{{- $_ := set $connections $tenant.connection (get $made.connections $tenant.connection) -}}
{{- end -}}
{{- end -}}
{{- $_ := set $made "tenants" $tenants -}}
{{- $_ := set $made "connections" $connections -}}
{{- if not (has $made.default_tenant $named) -}}
{{- $_ := unset $made "default_tenant" -}}
{{- end -}}
{{- end -}}
{{- if .root.Values.redis.enabled -}}
{{- $cache := include "bss-sidecar.redisCache" .root | fromYaml -}}
{{- $_ := set $made "cache" (mergeOverwrite $cache ($made.cache | default dict)) -}}
{{- end -}}
{{- $_ := set $made "schema_version" 1 -}}
{{- toYaml $made -}}
{{- end -}}
